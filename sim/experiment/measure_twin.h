/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classifying a router of the twin, as measure.c does one of a lab. */
#ifndef NATSIM_SIM_EXPERIMENT_MEASURE_TWIN_H
#define NATSIM_SIM_EXPERIMENT_MEASURE_TWIN_H

#include "lib/buf.h"
#include "sim/experiment/stage.h"

struct measure_twin_config {
	bool tcp;
	uint64_t seed;
	uint64_t silence_us; /* after which no answer comes any more */
	uint64_t deadline_us;
};

/* Runs the classifier on peer a's host of the stage; output is what it would print. */
int measure_in_twin(const struct stage *stage, const struct measure_twin_config *config,
		    struct buf *output, struct err *e);

#endif

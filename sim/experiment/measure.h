/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring routers: each model is built as a lab of its own, or in the twin, natsim's peer
 * classifies it from a host behind it, over UDP and over TCP, and what was measured is held against
 * what the model declares.
 */
#ifndef NATSIM_SIM_EXPERIMENT_MEASURE_H
#define NATSIM_SIM_EXPERIMENT_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/observe.h"
#include "sim/experiment/run.h"

#define MEASURE_WORD_SIZE 40

/* Declared ports: whatever comes, for it depends on the inside port. */
#define MEASURE_ANY "any"

/* One router in the words of a model: "endpoint-independent", "sequential", ... */
struct measure_behavior {
	char mapping[MEASURE_WORD_SIZE], filtering[MEASURE_WORD_SIZE], ports[MEASURE_WORD_SIZE];
	int step; /* of sequential ports */
};

/* What came of one model over one transport. */
struct measurement {
	size_t model; /* index into the names that were given */
	bool tcp;
	bool complete; /* false: the classifier did not come to an end, and reason says why */
	char reason[128];
	struct measure_behavior declared, measured;
};

/* True if everything that the model declares was measured so. */
bool measurement_agrees(const struct measurement *m);

/* The same for one aspect each; ports of a router that does not translate are always as declared.
 */
bool measurement_mapping_agrees(const struct measurement *m);
bool measurement_filtering_agrees(const struct measurement *m);
bool measurement_ports_agree(const struct measurement *m);

struct measure_config {
	const struct catalog *catalog;
	enum run_world world;
	bool observes;             /* see observe.h: some seconds more in the lab */
	const char *const *models; /* names */
	size_t models_count;
	size_t workers;
	uint64_t seed;
};

/* Both on the heap. */
struct measurements {
	struct measurement *items;     /* UDP and then TCP for each model */
	struct observations *observed; /* one for each model; NULL unless asked for */
};
void measurements_free(struct measurements *m);
static inline void measurements_cleanup(struct measurements *m)
{
	measurements_free(m);
}

/* Measures each model over both transports. Returns as pool_run. */
int measure_run(const struct measure_config *config, struct measurements *ret, int *ret_signal,
		struct err *e);

#endif

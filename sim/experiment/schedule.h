/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which trials are made together, and in which order. Pure. Trials that need the same lab are cut
 * into jobs, long enough to be worth a lab and short enough that all workers end at about the same
 * time; the longest jobs come first, so that the short ones fill the gaps at the end.
 */
#ifndef NATSIM_SIM_EXPERIMENT_SCHEDULE_H
#define NATSIM_SIM_EXPERIMENT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/experiment/suite.h"

/* A cell, and how long one of its trials is thought to take. */
struct schedule_cell {
	const struct suite_cell *names;
	uint64_t cost_us;
};

/* One trial to be made: indices. */
struct schedule_unit {
	size_t cell;
	unsigned trial;
};

/* units[first .. first + count), which all need the same lab. */
struct schedule_job {
	size_t first, count;
	uint64_t cost_us;
};

struct schedule {
	struct schedule_unit *units;
	size_t units_count;
	struct schedule_job *jobs; /* in the order in which they are to be handed out */
	size_t jobs_count;
};

/* Every trial of every cell is in exactly one job. workers is not 0. */
void schedule_init(struct schedule *s, const struct schedule_cell *cells, size_t cells_count,
		   unsigned trials, size_t workers);
void schedule_fini(struct schedule *s);

/* True if a lab built for one serves the other: all but transport, strategy and what a sweep tells
 * only the peers are the same. */
bool schedule_same_lab(const struct suite_cell *a, const struct suite_cell *b);

#endif

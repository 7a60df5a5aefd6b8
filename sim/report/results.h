/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run writes for programs: results.jsonl, a line for each trial, and summary.json.
 * docs/results.md describes both. */
#ifndef NATSIM_SIM_REPORT_RESULTS_H
#define NATSIM_SIM_REPORT_RESULTS_H

#include <stdio.h>

#include "sim/experiment/run.h"

/* What both name. */
struct results_about {
	const char *suite;
	enum run_world world;
	uint64_t seed;
	double wall_s; /* of the trials; only in the summary */
};

/* Writes one line and hands it to the kernel, so that an interrupted run leaves what it has. */
int results_write_trial(FILE *file, const struct results_about *about,
			const struct suite_cell *cell, const struct run_trial *trial,
			struct err *e);

/* Writes dir/summary.json, whole or not at all. Sorts the cells' times. */
int results_write_summary(const char *dir, const struct results_about *about,
			  struct run_cell *cells, size_t count, struct err *e);

#endif

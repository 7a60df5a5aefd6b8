/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run: every cell of a suite tried so many times, in one of two worlds, and judged against what
 * is expected.
 *
 * In labs, the trials of a cell are cut into jobs of about a second, the longest first, so that all
 * workers end at about the same time; a worker keeps its lab as long as the next job needs the same
 * one. In the twin, trials are told of in the order of cells, however many workers there are, so
 * that the same seed gives the same output.
 */
#ifndef NATSIM_SIM_EXPERIMENT_RUN_H
#define NATSIM_SIM_EXPERIMENT_RUN_H

#include "sim/experiment/catalog.h"
#include "sim/experiment/statistics.h"
#include "sim/experiment/suite.h"
#include "sim/experiment/trial.h"

/* The reasons of a cell's failures, the most frequent first. */
struct run_reason {
	char text[VERDICT_REASON_SIZE];
	unsigned count;
};
#define RUN_REASONS_MAX 4u

/* One cell and what came of it. */
struct run_cell {
	struct suite_cell names;
	double expected; /* negative: nothing is expected */
	unsigned trials, successes, relayed;
	struct run_reason
		reasons[RUN_REASONS_MAX]; /* count 0: none; what does not fit is left out */
	double *connect_ms; /* of the successes that say it, connect_count of them; heap */
	size_t connect_count;
	double *packets; /* of the successes that say it, packets_count of them; heap */
	size_t packets_count;

	/* After run_judge(): */
	struct interval ci95;
	enum statistics_verdict verdict; /* VERDICT_AS_EXPECTED where nothing is expected */
};

/* One trial, as results.jsonl has it. */
struct run_trial {
	size_t cell;
	unsigned trial; /* counted from 0 in its cell */
	uint64_t seed;
	uint64_t delay_us[2]; /* the start delay of a and b */
	struct trial_result result;
};

enum run_world { RUN_IN_LAB, RUN_IN_TWIN };
const char *run_world_name(enum run_world world); /* "lab", "twin" */

struct run_config {
	enum run_world world;
	const struct catalog *catalog;
	const struct suite *suite;
	struct run_cell *cells;
	size_t cells_count;
	unsigned trials; /* of each cell */
	uint64_t seed;
	size_t workers;
	/* Called for every trial, in the order in which they end, and about ten times a second. */
	void (*on_trial)(void *arg, const struct run_trial *trial);
	void (*on_tick)(void *arg);
	void *arg;
};

/* The cells of the suite that match the filter (or NULL), with what is expected of each. Reads
 * every file that the run will need, so that a mistake in one is found before anything is built. */
int run_prepare(const struct catalog *c, const struct suite *s, const char *filter,
		struct run_cell **ret_cells, size_t *ret_count, struct err *e);
void run_cells_free(struct run_cell *cells, size_t count);

/* Fills in the cells. Returns as pool_run. */
int run_all(const struct run_config *config, int *ret_signal, struct err *e);

/* Counts a reason so many times more, keeping the list sorted. */
void run_add_reason(struct run_cell *cell, const char *text, unsigned count);

/* Fills in the intervals and verdicts. Returns true if every cell is as expected. */
bool run_judge(struct run_cell *cells, size_t count);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run in either world has in common: run.c; and the two: run_lab.c and run_twin.c. */
#ifndef NATSIM_SIM_EXPERIMENT_RUN_WORLD_H
#define NATSIM_SIM_EXPERIMENT_RUN_WORLD_H

#include "sim/experiment/run.h"

#define RUN_SESSION_SIZE 24u

struct stage_config run_stage_config(const struct suite_cell *names);

/* The trial of that number, counted from 0, of a cell, with all that is drawn for it. */
struct run_trial run_draw_trial(const struct run_config *config, size_t cell, unsigned number);

/* What a trial's config points to. */
struct run_texts {
	char session[RUN_SESSION_SIZE];
	struct suite_strategy strategy;
};

/* For the trial; the command is left out. The texts are the caller's to keep. */
struct trial_config run_trial_config(const struct run_config *config, const struct run_trial *trial,
				     struct run_texts *texts);

/* Adds a trial that has ended to its cell, and tells of it. */
void run_take_trial(const struct run_config *config, const struct run_trial *trial);

/* Both return as pool_run. */
int run_in_lab(const struct run_config *config, int *ret_signal, struct err *e);
int run_in_twin(const struct run_config *config, int *ret_signal, struct err *e);

#endif

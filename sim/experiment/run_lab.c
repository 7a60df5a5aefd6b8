// SPDX-License-Identifier: GPL-2.0-or-later
/* A run in labs, many at a time: see run.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/experiment/pool.h"
#include "sim/experiment/run_world.h"
#include "sim/experiment/schedule.h"

struct running {
	const struct run_config *config;
	struct schedule schedule;
};

/* ---- in a worker */

/* The lab a worker has, and for which cell it was built. */
struct kept {
	struct suite_cell names;
	struct trial_lab *lab; /* NULL: none yet */
};

static void *worker_start(void *arg)
{
	(void)arg;
	struct kept *kept = calloc(1, sizeof(*kept));

	assert(kept != NULL);
	return kept;
}

static void worker_stop(void *arg)
{
	struct kept *kept = arg;

	trial_lab_free(kept->lab);
	free(kept);
}

static int need_lab(const struct run_config *config, struct kept *kept,
		    const struct suite_cell *names, uint64_t seed, struct err *e)
{
	struct stage_config stage = run_stage_config(names);

	if (kept->lab != NULL && schedule_same_lab(&kept->names, names))
		return 0;
	trial_lab_free(kept->lab);
	kept->lab = NULL;
	kept->names = *names;
	return trial_lab_new(config->catalog, &stage, seed, &kept->lab, e);
}

static int try_once(const struct run_config *config, struct kept *kept, struct run_trial *trial,
		    struct err *e)
{
	const char *const own[] = { config->catalog->peer, NULL };
	const char *const *given = (const char *const *)config->suite->peer.items;
	struct run_texts texts;
	struct trial_config t = run_trial_config(config, trial, &texts);

	t.command = config->suite->peer.count > 0 ? given : own;
	return trial_run(kept->lab, &t, &trial->result, e);
}

static int work(void *arg, void *kept, size_t index, struct pool_channel *channel, struct err *e)
{
	const struct running *r = arg;
	const struct schedule_job *job = &r->schedule.jobs[index];
	int code = 0;

	for (size_t i = job->first; code == 0 && i < job->first + job->count; i++) {
		const struct schedule_unit *unit = &r->schedule.units[i];
		struct run_trial trial = run_draw_trial(r->config, unit->cell, unit->trial);

		code = need_lab(r->config, kept, &r->config->cells[unit->cell].names, trial.seed,
				e);
		if (code == 0)
			code = try_once(r->config, kept, &trial, e);
		if (code == 0)
			pool_send(channel, &trial);
	}
	return code;
}

/* ---- in the caller */

static void take_trial(void *arg, const void *message)
{
	const struct running *r = arg;
	struct run_trial trial;

	memcpy(&trial, message, sizeof(trial));
	run_take_trial(r->config, &trial);
}

static void tick(void *arg)
{
	const struct running *r = arg;

	if (r->config->on_tick != NULL)
		r->config->on_tick(r->config->arg);
}

/* What a trial takes besides trying: starting programs, meeting, saying goodbye. Only for the
 * schedule. */
#define TRIAL_US 100000u

static uint64_t trial_cost_us(const struct run_config *config, const struct run_cell *cell)
{
	double fails = cell->expected < 0 ? 0.5 : 1 - cell->expected;
	uint64_t give_up_us = suite_settings(config->suite, cell->names.point).give_up_us;

	return TRIAL_US + (uint64_t)(fails * (double)give_up_us);
}

static void schedule_all(const struct run_config *config, struct schedule *ret)
{
	CLEANUP(free)
	struct schedule_cell *cells = calloc(config->cells_count + 1, sizeof(*cells));

	assert(cells != NULL);
	for (size_t i = 0; i < config->cells_count; i++)
		cells[i] = (struct schedule_cell){ &config->cells[i].names,
						   trial_cost_us(config, &config->cells[i]) };
	schedule_init(ret, cells, config->cells_count, config->trials, config->workers);
}

int run_in_lab(const struct run_config *config, int *ret_signal, struct err *e)
{
	struct running r = { .config = config };

	schedule_all(config, &r.schedule);
	int code = pool_run(&(struct pool_config){ .workers = config->workers,
						   .jobs = r.schedule.jobs_count,
						   .message_size = sizeof(struct run_trial),
						   .work = work,
						   .start = worker_start,
						   .stop = worker_stop,
						   .message = take_trial,
						   .tick = tick,
						   .interval_us = 100000,
						   .arg = &r },
			    ret_signal, e);
	schedule_fini(&r.schedule);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run in the twin. A job is so many trials that follow one another. Jobs are handed out in order
 * and each worker tells of its own in order, so what has to wait for an earlier job to be told of
 * is at most what the other workers do meanwhile.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment/pool.h"
#include "sim/experiment/run_world.h"

/* Enough to make up for handing it out, and few enough that all workers end together. */
#define JOB_TRIALS_MAX 2000u
#define JOBS_A_WORKER  16u

/* The trials of a job that wait for their turn. */
struct waiting {
	struct run_trial *trials;
	size_t count, size, told;
};

struct running {
	const struct run_config *config;
	size_t units, job_units;
	struct waiting *jobs;
	size_t jobs_count, turn; /* whose turn it is */
};

/* What a worker has, and for which cell. */
struct kept {
	size_t cell;
	struct trial_twin *twin; /* NULL: none yet */
};

/* One trial, as a worker tells of it. */
struct message {
	size_t job;
	struct run_trial trial;
};

/* ---- in a worker */

static void *worker_start(void *arg)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	(void)arg;
	assert(kept != NULL);
	return kept;
}

static void worker_stop(void *arg)
{
	struct kept *kept = arg;

	trial_twin_free(kept->twin);
	free(kept);
}

static int need_twin(const struct run_config *config, struct kept *kept, size_t cell, struct err *e)
{
	struct stage_config stage = run_stage_config(&config->cells[cell].names);

	if (kept->twin != NULL && kept->cell == cell)
		return 0;
	trial_twin_free(kept->twin);
	kept->twin = NULL;
	kept->cell = cell;
	return trial_twin_new(config->catalog, &stage, &kept->twin, e);
}

static int work(void *arg, void *kept_arg, size_t job, struct pool_channel *channel, struct err *e)
{
	const struct running *r = arg;
	struct kept *kept = kept_arg;
	size_t end = (job + 1) * r->job_units < r->units ? (job + 1) * r->job_units : r->units;
	int code = 0;

	for (size_t unit = job * r->job_units; code == 0 && unit < end; unit++) {
		size_t cell = unit / r->config->trials;
		struct message m = { .job = job };
		struct run_texts texts;

		m.trial = run_draw_trial(r->config, cell, (unsigned)(unit % r->config->trials));
		struct trial_config t = run_trial_config(r->config, &m.trial, &texts);
		code = need_twin(r->config, kept, cell, e);
		if (code < 0)
			break;
		trial_twin_run(kept->twin, &t, &m.trial.result);
		pool_send(channel, &m);
	}
	return code;
}

/* ---- in the caller */

static void hold(struct waiting *w, const struct run_trial *trial)
{
	if (w->count == w->size) {
		w->size = w->size == 0 ? 64 : 2 * w->size;
		w->trials = realloc(w->trials, w->size * sizeof(*w->trials));
		assert(w->trials != NULL);
	}
	w->trials[w->count++] = *trial;
}

/* Tells of all whose turn it is. */
static void tell(struct running *r)
{
	while (r->turn < r->jobs_count) {
		struct waiting *w = &r->jobs[r->turn];
		size_t first = r->turn * r->job_units;
		size_t all = r->units - first < r->job_units ? r->units - first : r->job_units;

		for (size_t i = 0; i < w->count; i++)
			run_take_trial(r->config, &w->trials[i]);
		w->told += w->count;
		w->count = 0;
		if (w->told < all)
			return;
		free(w->trials);
		*w = (struct waiting){ 0 };
		r->turn++;
	}
}

static void take_message(void *arg, const void *message)
{
	struct running *r = arg;
	struct message m;

	memcpy(&m, message, sizeof(m));
	if (m.job == r->turn) {
		tell(r);
		run_take_trial(r->config, &m.trial);
		r->jobs[m.job].told++;
	} else {
		hold(&r->jobs[m.job], &m.trial);
	}
	tell(r);
}

static void tick(void *arg)
{
	const struct running *r = arg;

	if (r->config->on_tick != NULL)
		r->config->on_tick(r->config->arg);
}

int run_in_twin(const struct run_config *config, int *ret_signal, struct err *e)
{
	struct running r = { .config = config, .units = config->cells_count * config->trials };

	r.job_units = r.units / (config->workers * JOBS_A_WORKER) + 1;
	if (r.job_units > JOB_TRIALS_MAX)
		r.job_units = JOB_TRIALS_MAX;
	r.jobs_count = (r.units + r.job_units - 1) / r.job_units;
	r.jobs = calloc(r.jobs_count + 1, sizeof(*r.jobs));
	assert(r.jobs != NULL);
	int code = pool_run(&(struct pool_config){ .workers = config->workers,
						   .jobs = r.jobs_count,
						   .message_size = sizeof(struct message),
						   .work = work,
						   .start = worker_start,
						   .stop = worker_stop,
						   .message = take_message,
						   .tick = tick,
						   .interval_us = 100000,
						   .arg = &r },
			    ret_signal, e);
	for (size_t i = 0; i < r.jobs_count; i++)
		free(r.jobs[i].trials);
	free(r.jobs);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/prng.h"
#include "sim/experiment/pool.h"
#include "sim/model/oracle.h"

/* What a trial takes besides trying: starting programs, meeting, saying goodbye. Only for cutting
 * jobs. */
#define TRIAL_US 100000u

/* A job takes this share of what each worker has to do in all, and not less than it is worth to
 * build a lab for. */
#define JOB_SHARE  0.5
#define JOB_MIN_US 1000000u

/* One trial to be made. */
struct unit {
	size_t cell;
	unsigned trial;
};

/* Units that need the same lab, one after another. */
struct job {
	size_t first, count;
	uint64_t cost_us;
};

struct running {
	const struct run_config *config;
	struct unit *units;
	struct job *jobs;
	size_t jobs_count;
};

/* ---- what is to be done */

static int expect(const struct catalog *c, const struct suite *s, struct run_cell *cell,
		  struct err *e)
{
	struct nat_model a, b;
	int code = catalog_nat(c, cell->names.nat_a, &a, e);

	if (code < 0)
		return code;
	code = catalog_nat(c, cell->names.nat_b, &b, e);
	if (code == 0) {
		cell->expected = s->expect == SUITE_EXPECT_RATE ? s->expect_rate : -1;
		if (s->expect == SUITE_EXPECT_THEORY)
			cell->expected =
				oracle_rate(&a, &b, cell->names.transport, cell->names.strategy);
		nat_model_fini(&b);
	}
	nat_model_fini(&a);
	return code;
}

static struct stage_config stage_config_of(const struct suite_cell *names)
{
	struct stage_config config = { .topology = names->topology, .link = names->link };

	config.nats[0] = (struct stage_nat){ "a", names->nat_a };
	config.nats[1] = (struct stage_nat){ "b", names->nat_b };
	config.nats_count = 2;
	return config;
}

/* Everything by name is there and fits together. */
static int check(const struct catalog *c, const struct suite_cell *names, struct err *e)
{
	CLEANUP(stage) struct stage stage = { 0 };
	struct stage_config config = stage_config_of(names);
	int code = stage_open(c, &config, &stage, e);

	if (code < 0)
		return code;
	return trial_check_stage(&stage, names->topology, e);
}

int run_prepare(const struct catalog *c, const struct suite *s, const char *filter,
		struct run_cell **ret_cells, size_t *ret_count, struct err *e)
{
	size_t count = 0;
	CLEANUP(free) struct suite_cell *names = suite_cells(s, &count);
	int code = filter == NULL ? 0 : suite_filter(filter, names, &count, e);

	if (code < 0)
		return code;
	CLEANUP(free) struct run_cell *cells = calloc(count + 1, sizeof(*cells));
	assert(cells != NULL);
	for (size_t i = 0; code == 0 && i < count; i++) {
		cells[i].names = names[i];
		code = expect(c, s, &cells[i], e);
		if (code == 0)
			code = check(c, &names[i], e);
	}
	if (code < 0)
		return code;
	*ret_cells = steal_ptr(&cells);
	*ret_count = count;
	return 0;
}

void run_cells_free(struct run_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(cells[i].connect_ms);
		free(cells[i].packets);
	}
	free(cells);
}

/* ---- jobs */

static uint64_t trial_cost_us(const struct run_config *config, const struct run_cell *cell)
{
	double fails = cell->expected < 0 ? 0.5 : 1 - cell->expected;

	return TRIAL_US + (uint64_t)(fails * (double)config->suite->give_up_us);
}

static bool same_lab(const struct suite_cell *a, const struct suite_cell *b)
{
	return strcmp(a->topology, b->topology) == 0 && strcmp(a->nat_a, b->nat_a) == 0 &&
	       strcmp(a->nat_b, b->nat_b) == 0 && strcmp(a->link, b->link) == 0;
}

/* All trials, those that share a lab side by side. */
static struct unit *list_units(const struct run_config *config, size_t *ret_count)
{
	const struct run_cell *cells = config->cells;
	size_t count = 0;
	CLEANUP(free) bool *listed = calloc(config->cells_count + 1, sizeof(*listed));
	struct unit *units = calloc(config->cells_count * config->trials + 1, sizeof(*units));

	assert(listed != NULL && units != NULL);
	for (size_t i = 0; i < config->cells_count; i++) {
		if (listed[i])
			continue;
		for (size_t k = i; k < config->cells_count; k++) {
			if (!same_lab(&cells[i].names, &cells[k].names))
				continue;
			listed[k] = true;
			for (unsigned t = 0; t < config->trials; t++)
				units[count++] = (struct unit){ k, t };
		}
	}
	*ret_count = count;
	return units;
}

/* The longest first: the short ones then fill the gaps at the end. */
static int compare_jobs(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	if (x->cost_us != y->cost_us)
		return x->cost_us > y->cost_us ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void cut_jobs(struct running *r)
{
	const struct run_config *config = r->config;
	size_t units_count = 0;
	uint64_t total_us = 0;
	struct job job = { 0 };

	r->units = list_units(config, &units_count);
	r->jobs = calloc(units_count + 1, sizeof(*r->jobs));
	assert(r->jobs != NULL);
	for (size_t i = 0; i < config->cells_count; i++)
		total_us += config->trials * trial_cost_us(config, &config->cells[i]);
	double share_us = JOB_SHARE * (double)total_us / (double)config->workers;
	uint64_t limit_us = share_us > JOB_MIN_US ? (uint64_t)share_us : JOB_MIN_US;

	for (size_t i = 0; i < units_count; i++) {
		const struct run_cell *cell = &config->cells[r->units[i].cell];
		const struct run_cell *first = &config->cells[r->units[job.first].cell];

		if (job.count > 0 &&
		    (job.cost_us >= limit_us || !same_lab(&first->names, &cell->names))) {
			r->jobs[r->jobs_count++] = job;
			job = (struct job){ .first = i };
		}
		job.count++;
		job.cost_us += trial_cost_us(config, cell);
	}
	r->jobs[r->jobs_count++] = job;
	qsort(r->jobs, r->jobs_count, sizeof(*r->jobs), compare_jobs);
}

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
	struct stage_config stage = stage_config_of(names);

	if (kept->lab != NULL && same_lab(&kept->names, names))
		return 0;
	trial_lab_free(kept->lab);
	kept->lab = NULL;
	kept->names = *names;
	return trial_lab_new(config->catalog, &stage, seed, &kept->lab, e);
}

/* One side starts later than the other by a uniform share of the suite's skew. */
static void draw_skew(const struct run_config *config, struct run_trial *trial)
{
	struct prng prng;
	uint64_t skew_us = config->suite->start_skew_us;

	prng_init(&prng, trial->seed);
	uint64_t late_us = prng_below(&prng, skew_us + 1);
	trial->delay_us[prng_below(&prng, 2)] = late_us;
}

static int try_once(const struct run_config *config, struct kept *kept, struct run_trial *trial,
		    struct err *e)
{
	const struct suite_cell *names = &config->cells[trial->cell].names;
	const char *const own[] = { config->catalog->peer, NULL };
	const char *const *given = (const char *const *)config->suite->peer.items;
	char session[64];

	(void)snprintf(session, sizeof(session), "%" PRIx64, trial->seed);
	struct trial_config t = {
		.command = config->suite->peer.count > 0 ? given : own,
		.session = session,
		.strategy = names->strategy,
		.transport = names->transport,
		.seed = trial->seed,
		.give_up_us = config->suite->give_up_us,
		.delay_us = { trial->delay_us[0], trial->delay_us[1] },
	};
	return trial_run(kept->lab, &t, &trial->result, e);
}

/* A number for a cell that depends on nothing but its names, so that a trial repeats also when
 * --only leaves out other cells: FNV-1a (Fowler, Noll, Vo) over them. */
static uint64_t cell_number(const struct suite_cell *names)
{
	const char *const texts[] = { names->topology,  names->nat_a,    names->nat_b,
				      names->transport, names->strategy, names->link };
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (const char *p = texts[i]; p == texts[i] || p[-1] != '\0'; p++)
			hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
	return hash;
}

static int work(void *arg, void *kept, size_t index, struct pool_channel *channel, struct err *e)
{
	const struct running *r = arg;
	const struct job *job = &r->jobs[index];
	int code = 0;

	for (size_t i = job->first; code == 0 && i < job->first + job->count; i++) {
		const struct suite_cell *names = &r->config->cells[r->units[i].cell].names;
		struct run_trial trial = { .cell = r->units[i].cell, .trial = r->units[i].trial };

		trial.seed = prng_derive(r->config->seed, cell_number(names), trial.trial);
		draw_skew(r->config, &trial);
		code = need_lab(r->config, kept, names, trial.seed, e);
		if (code == 0)
			code = try_once(r->config, kept, &trial, e);
		if (code == 0)
			pool_send(channel, &trial);
	}
	return code;
}

/* ---- in the caller */

static void append(double **values, size_t *count, double value)
{
	/* A power of two is when the room is used up. */
	if ((*count & (*count - 1)) == 0) {
		*values = realloc(*values, (*count == 0 ? 1 : 2 * *count) * sizeof(**values));
		assert(*values != NULL);
	}
	(*values)[(*count)++] = value;
}

void run_add_reason(struct run_cell *cell, const char *text, unsigned count)
{
	size_t i = 0;

	while (i < RUN_REASONS_MAX && cell->reasons[i].count > 0 &&
	       strcmp(cell->reasons[i].text, text) != 0)
		i++;
	if (i == RUN_REASONS_MAX)
		return;
	(void)snprintf(cell->reasons[i].text, sizeof(cell->reasons[i].text), "%s", text);
	cell->reasons[i].count += count;
	for (; i > 0 && cell->reasons[i].count > cell->reasons[i - 1].count; i--) {
		struct run_reason other = cell->reasons[i - 1];

		cell->reasons[i - 1] = cell->reasons[i];
		cell->reasons[i] = other;
	}
}

static void take_trial(void *arg, const void *message)
{
	const struct running *r = arg;
	struct run_trial trial;

	memcpy(&trial, message, sizeof(trial));
	struct run_cell *cell = &r->config->cells[trial.cell];
	cell->trials++;
	if (trial.result.success) {
		cell->successes++;
		cell->relayed += trial.result.path == VERDICT_PATH_RELAYED;
		if (trial.result.connect_ms >= 0)
			append(&cell->connect_ms, &cell->connect_count, trial.result.connect_ms);
		append(&cell->packets, &cell->packets_count, (double)trial.result.packets);
	} else {
		run_add_reason(cell, trial.result.reason, 1);
	}
	if (r->config->on_trial != NULL)
		r->config->on_trial(r->config->arg, &trial);
}

static void tick(void *arg)
{
	const struct running *r = arg;

	if (r->config->on_tick != NULL)
		r->config->on_tick(r->config->arg);
}

int run_all(const struct run_config *config, int *ret_signal, struct err *e)
{
	struct running r = { .config = config };

	cut_jobs(&r);
	int code = pool_run(&(struct pool_config){ .workers = config->workers,
						   .jobs = r.jobs_count,
						   .message_size = sizeof(struct run_trial),
						   .work = work,
						   .start = worker_start,
						   .stop = worker_stop,
						   .message = take_trial,
						   .tick = tick,
						   .interval_us = 100000,
						   .arg = &r },
			    ret_signal, e);
	free(r.units);
	free(r.jobs);
	return code;
}

bool run_judge(struct run_cell *cells, size_t count)
{
	bool as_expected = true;

	for (size_t i = 0; i < count; i++) {
		struct run_cell *cell = &cells[i];

		cell->ci95 = cell->trials == 0 ? (struct interval){ 0, 1 }
					       : statistics_wilson(cell->successes, cell->trials);
		cell->verdict = cell->expected < 0 ? VERDICT_AS_EXPECTED
						   : statistics_judge(cell->successes, cell->trials,
								      cell->expected, count);
		as_expected &=
			cell->verdict == VERDICT_AS_EXPECTED || cell->verdict == VERDICT_UNDECIDED;
	}
	return as_expected;
}

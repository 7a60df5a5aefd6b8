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
#include "sim/experiment/schedule.h"
#include "sim/model/oracle.h"

struct running {
	const struct run_config *config;
	struct schedule schedule;
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

	if (kept->lab != NULL && schedule_same_lab(&kept->names, names))
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
	const struct schedule_job *job = &r->schedule.jobs[index];
	int code = 0;

	for (size_t i = job->first; code == 0 && i < job->first + job->count; i++) {
		const struct schedule_unit *unit = &r->schedule.units[i];
		const struct suite_cell *names = &r->config->cells[unit->cell].names;
		struct run_trial trial = { .cell = unit->cell, .trial = unit->trial };

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
		if (trial.result.packets >= 0)
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

/* What a trial takes besides trying: starting programs, meeting, saying goodbye. Only for the
 * schedule. */
#define TRIAL_US 100000u

static uint64_t trial_cost_us(const struct run_config *config, const struct run_cell *cell)
{
	double fails = cell->expected < 0 ? 0.5 : 1 - cell->expected;

	return TRIAL_US + (uint64_t)(fails * (double)config->suite->give_up_us);
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

int run_all(const struct run_config *config, int *ret_signal, struct err *e)
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

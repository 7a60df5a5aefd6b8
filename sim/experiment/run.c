// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/prng.h"
#include "sim/experiment/run_world.h"
#include "sim/experiment/schedule.h"
#include "sim/model/oracle.h"

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
			cell->expected = oracle_rate(
				&a, &b, cell->names.transport,
				suite_strategy(cell->names.strategy, cell->names.point).text);
		nat_model_fini(&b);
	}
	nat_model_fini(&a);
	return code;
}

struct stage_config run_stage_config(const struct suite_cell *names)
{
	struct stage_config config = { .topology = names->topology,
				       .link = names->link,
				       .point = names->point };

	config.nats[0] = (struct stage_nat){ "a", names->nat_a };
	config.nats[1] = (struct stage_nat){ "b", names->nat_b };
	config.nats_count = 2;
	return config;
}

/* Theory is of peers with a router each. */
static bool share_a_router(const struct topology *t)
{
	const struct topology_host *a = topology_peer(t, "a"), *b = topology_peer(t, "b");

	return a->behind != NULL && b->behind != NULL && strcmp(a->behind, b->behind) == 0;
}

/* Everything by name is there and fits together. */
static int check(const struct catalog *c, const struct suite_cell *names, bool *ret_shared,
		 struct err *e)
{
	CLEANUP(stage) struct stage stage = { 0 };
	struct stage_config config = run_stage_config(names);
	int code = stage_open(c, &config, &stage, e);

	if (code == 0)
		code = trial_check_stage(&stage, names->topology, e);
	if (code == 0)
		*ret_shared = share_a_router(&stage.topology);
	return code;
}

static bool same_but_for_point(const struct suite_cell *a, const struct suite_cell *b)
{
	struct suite_cell other = *b;

	other.point = a->point;
	return schedule_same_lab(a, &other) && strcmp(a->transport, b->transport) == 0 &&
	       strcmp(a->strategy, b->strategy) == 0;
}

int run_prepare(const struct catalog *c, const struct suite *s, const char *filter,
		struct run_cell **ret_cells, size_t *ret_count, struct err *e)
{
	size_t count = 0;
	bool shared = false;
	CLEANUP(free) struct suite_cell *names = suite_cells(s, &count);
	int code = filter == NULL ? 0 : suite_filter(filter, names, &count, e);

	if (code < 0)
		return code;
	CLEANUP(free) struct run_cell *cells = calloc(count + 1, sizeof(*cells));
	assert(cells != NULL);
	for (size_t i = 0; code == 0 && i < count; i++) {
		cells[i].names = names[i];
		/* The points of a sweep follow one another. */
		if (i > 0 && names[i].point != NULL && same_but_for_point(&names[i - 1], &names[i]))
			cells[i].expected = cells[i - 1].expected;
		else
			code = expect(c, s, &cells[i], e);
		if (code == 0 && (i == 0 || !schedule_same_lab(&names[i - 1], &names[i])))
			code = check(c, &names[i], &shared, e);
		if (shared && s->expect == SUITE_EXPECT_THEORY)
			cells[i].expected = -1;
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

/* ---- trials */

/* One side starts later than the other by a uniform share of the suite's skew. */
static void draw_skew(const struct run_config *config, struct run_trial *trial)
{
	struct prng prng;
	const struct suite_point *point = config->cells[trial->cell].names.point;
	uint64_t skew_us = suite_settings(config->suite, point).start_skew_us;

	prng_init(&prng, trial->seed);
	uint64_t late_us = prng_below(&prng, skew_us + 1);
	trial->delay_us[prng_below(&prng, 2)] = late_us;
}

/* A number for a cell that depends on nothing but its names and its point, so that a trial repeats
 * also when --only leaves out other cells: FNV-1a (Fowler, Noll, Vo) over them. */
static uint64_t cell_number(const struct suite_cell *names)
{
	const struct suite_point *point = names->point;
	const char *const texts[] = { names->topology,
				      names->nat_a,
				      names->nat_b,
				      names->transport,
				      names->strategy,
				      names->link,
				      point == NULL ? NULL : suite_point_name(point),
				      point == NULL ? NULL : point->text };
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && texts[i] != NULL; i++)
		for (const char *p = texts[i]; p == texts[i] || p[-1] != '\0'; p++)
			hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
	return hash;
}

struct run_trial run_draw_trial(const struct run_config *config, size_t cell, unsigned number)
{
	struct run_trial trial = { .cell = cell, .trial = number };

	trial.seed = prng_derive(config->seed, cell_number(&config->cells[cell].names), number);
	draw_skew(config, &trial);
	return trial;
}

struct trial_config run_trial_config(const struct run_config *config, const struct run_trial *trial,
				     struct run_texts *texts)
{
	const struct suite_cell *names = &config->cells[trial->cell].names;

	struct suite_settings settings = suite_settings(config->suite, names->point);

	texts->strategy = suite_strategy(names->strategy, names->point);
	(void)snprintf(texts->session, sizeof(texts->session), "%" PRIx64, trial->seed);
	return (struct trial_config){
		.session = texts->session,
		.strategy = texts->strategy.text,
		.transport = names->transport,
		.seed = trial->seed,
		.give_up_us = settings.give_up_us,
		.cross_traffic = settings.cross_traffic,
		.delay_us = { trial->delay_us[0], trial->delay_us[1] },
	};
}

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

void run_take_trial(const struct run_config *config, const struct run_trial *trial)
{
	struct run_cell *cell = &config->cells[trial->cell];

	cell->trials++;
	if (trial->result.success) {
		cell->successes++;
		cell->relayed += trial->result.path == VERDICT_PATH_RELAYED;
		if (trial->result.connect_ms >= 0)
			append(&cell->connect_ms, &cell->connect_count, trial->result.connect_ms);
		if (trial->result.packets >= 0)
			append(&cell->packets, &cell->packets_count, (double)trial->result.packets);
	} else {
		run_add_reason(cell, trial->result.reason, 1);
	}
	if (config->on_trial != NULL)
		config->on_trial(config->arg, trial);
}

int run_all(const struct run_config *config, int *ret_signal, struct err *e)
{
	return config->world == RUN_IN_TWIN ? run_in_twin(config, ret_signal, e)
					    : run_in_lab(config, ret_signal, e);
}

const char *run_world_name(enum run_world world)
{
	return world == RUN_IN_TWIN ? "twin" : "lab";
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

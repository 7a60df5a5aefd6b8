/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A suite of one strategy that a test writes in a line, run in the twin: two homes over home links,
 * one side up to 20 ms late. */
#ifndef NATSIM_TESTS_SUITE_IN_TWIN_H
#define NATSIM_TESTS_SUITE_IN_TWIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/run.h"

struct suite_play {
	const char *nats; /* "[...], b: [...]" */
	const char *strategy;
	const char *more; /* lines of the suite; NULL: none */
	unsigned trials;
};

struct suite_outcome {
	struct suite suite;
	struct run_cell *cells;
	size_t count;
	bool agrees; /* every cell with theory, where there is one */
};

static inline void suite_play(const struct suite_play *play, struct suite_outcome *ret)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct catalog catalog;
	struct err e = { 0 };
	int signal = 0;

	(void)setenv("NATSIM_DATA", ".", 0);
	*ret = (struct suite_outcome){ .cells = NULL };
	if (catalog_open(&catalog, &e) != 0)
		fail_msg("%s", e.text);
	buf_printf(&text,
		   "about: x\ntopologies: [two-homes]\nnats: { a: %s }\ntransports: [udp]\n"
		   "strategies: [\"%s\"]\nlinks: [home]\nstart_skew: 20ms\ngive_up: 6s\n%s",
		   play->nats, play->strategy, play->more == NULL ? "" : play->more);
	if (suite_parse("x", buf_text(&text), text.len, &ret->suite, &e) < 0)
		fail_msg("%s", e.text);
	if (run_prepare(&catalog, &ret->suite, NULL, &ret->cells, &ret->count, &e) != 0)
		fail_msg("%s", e.text);
	struct run_config config = {
		.world = RUN_IN_TWIN,
		.catalog = &catalog,
		.suite = &ret->suite,
		.cells = ret->cells,
		.cells_count = ret->count,
		.trials = play->trials,
		.seed = 1,
		.workers = 2,
	};
	if (run_all(&config, &signal, &e) != 0)
		fail_msg("%s", e.text);
	ret->agrees = run_judge(ret->cells, ret->count);
	catalog_close(&catalog);
}

static inline void suite_outcome_free(struct suite_outcome *o)
{
	run_cells_free(o->cells, o->count);
	suite_fini(&o->suite);
}

#endif

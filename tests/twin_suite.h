/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A suite of pairs of routers, two-homes over the link home, one side up to 20 ms late, run in the
 * twin. */
#ifndef NATSIM_TESTS_TWIN_SUITE_H
#define NATSIM_TESTS_TWIN_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/run.h"

/* What came of it. */
struct twin_suite {
	struct suite suite;
	struct run_cell *cells;
	size_t count;
};

/* What is run. */
struct twin_suite_plan {
	const char *nats; /* "[x, y]", of both sides, or "[x, y], b: [z]" */
	const char *transport, *strategy;
	unsigned trials;
	const char *give_up; /* NULL: 1500ms */
	const char *more;    /* lines of the suite; NULL: none */
};

/* No rate is other than theory has it, or the test fails. */
static inline void twin_suite_run(const struct twin_suite_plan *plan, struct twin_suite *ret)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct catalog catalog;
	struct err e = { 0 };
	int signal = 0;

	(void)setenv("NATSIM_DATA", ".", 0);
	*ret = (struct twin_suite){ .cells = NULL };
	if (catalog_open(&catalog, &e) != 0)
		fail_msg("%s", e.text);
	buf_printf(&text,
		   "about: x\ntopologies: [two-homes]\nnats: { a: %s }\ntransports: [%s]\n"
		   "strategies: [\"%s\"]\nlinks: [home]\nstart_skew: 20ms\ngive_up: %s\n%s",
		   plan->nats, plan->transport, plan->strategy,
		   plan->give_up == NULL ? "1500ms" : plan->give_up,
		   plan->more == NULL ? "" : plan->more);
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
		.trials = plan->trials,
		.seed = 1,
		.workers = 2,
	};
	if (run_all(&config, &signal, &e) != 0)
		fail_msg("%s", e.text);
	if (!run_judge(ret->cells, ret->count))
		for (size_t i = 0; i < ret->count; i++) {
			const struct run_cell *c = &ret->cells[i];

			if (c->verdict == VERDICT_TOO_LOW || c->verdict == VERDICT_TOO_HIGH)
				fail_msg("%s over %s, %s with %s: %u of %u", plan->strategy,
					 plan->transport, c->names.nat_a, c->names.nat_b,
					 c->successes, c->trials);
		}
	catalog_close(&catalog);
}

static inline void twin_suite_free(struct twin_suite *s)
{
	run_cells_free(s->cells, s->count);
	suite_fini(&s->suite);
}

/* Where theory says 0 or 1, a single trial that differs is an error. */
static inline void twin_suite_assert_exact(const struct twin_suite *s,
					   const struct twin_suite_plan *plan)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct run_cell *c = &s->cells[i];

		assert_int_equal(c->trials, plan->trials);
		if ((c->expected == 0 || c->expected == 1) &&
		    c->successes != (unsigned)(c->expected * plan->trials))
			fail_msg("%s over %s, %s with %s: %u of %u", plan->strategy,
				 plan->transport, c->names.nat_a, c->names.nat_b, c->successes,
				 plan->trials);
	}
}

#endif

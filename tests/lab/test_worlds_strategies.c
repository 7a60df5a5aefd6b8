// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every strategy, between every two of the classic routers, comes to the same in both worlds: the
 * suite "strategies" is played on the kernel and in the twin. Where theory knows the end, each
 * trial is to end so; elsewhere the worlds are held against each other with Fisher's exact test,
 * and each against theory where that has a rate.
 */
#include "sim/experiment/statistics.h"
#include "tests/lab/inside.h"
#include "tests/worlds.h"

#define SUITE "sim/suites/strategies.yaml"

#ifdef __SANITIZE_ADDRESS__
#define LAB_TRIALS 1u
#else
#define LAB_TRIALS 3u
#endif
#define TWIN_TRIALS 200u

/* Chance is to make this test fail once in a thousand runs of all cells. */
#define FALSE_ALARMS 1e-3

static struct run_cell *play(const struct catalog *c, const struct suite *s, enum run_world world,
			     size_t *ret_count)
{
	struct run_cell *cells = NULL;
	struct err e = { 0 };
	int signal = 0;

	if (run_prepare(c, s, NULL, &cells, ret_count, &e) < 0)
		fail_msg("%s", e.text);
	struct run_config config = {
		.world = world,
		.catalog = c,
		.suite = s,
		.cells = cells,
		.cells_count = *ret_count,
		.trials = world == RUN_IN_TWIN ? TWIN_TRIALS : LAB_TRIALS,
		.seed = 1,
		.workers = world == RUN_IN_TWIN ? 2 : 80,
	};
	if (run_all(&config, &signal, &e) != 0)
		fail_msg("%s", e.text);
	(void)run_judge(cells, *ret_count);
	return cells;
}

static bool is_as_expected(const struct run_cell *cell)
{
	if (cell->expected == 0 || cell->expected == 1)
		return cell->successes == (cell->expected == 0 ? 0 : cell->trials);
	return cell->verdict == VERDICT_AS_EXPECTED || cell->verdict == VERDICT_UNDECIDED;
}

static void print_cell(const struct run_cell *cell, const char *world)
{
	print_error("  %s: %u of %u\n", world, cell->successes, cell->trials);
	for (size_t k = 0; k < RUN_REASONS_MAX && cell->reasons[k].count > 0; k++)
		print_error("    %u times: %s\n", cell->reasons[k].count, cell->reasons[k].text);
}

static unsigned compare(const struct run_cell *lab, const struct run_cell *twin, size_t count)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const struct suite_cell *names = &lab[i].names;
		double p = statistics_fisher(lab[i].successes, lab[i].trials, twin[i].successes,
					     twin[i].trials);

		if (is_as_expected(&lab[i]) && is_as_expected(&twin[i]) &&
		    p >= FALSE_ALARMS / (double)count)
			continue;
		wrong++;
		print_error("%s, %s with %s over %s, theory %g, p = %g\n", names->strategy,
			    names->nat_a, names->nat_b, names->transport, lab[i].expected, p);
		print_cell(&lab[i], "lab");
		print_cell(&twin[i], "twin");
	}
	return wrong;
}

static void every_strategy_comes_to_the_same_in_both_worlds(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct err e = { 0 };
	struct worlds w;
	struct suite s;
	size_t count = 0;

	(void)state;
	worlds_open(&w);
	assert_true(model_files_read(SUITE, &text));
	if (suite_parse(SUITE, buf_text(&text), text.len, &s, &e) < 0)
		fail_msg("%s", e.text);
	struct run_cell *twin = play(&w.catalog, &s, RUN_IN_TWIN, &count);
	struct run_cell *lab = play(&w.catalog, &s, RUN_IN_LAB, &count);
	unsigned wrong = compare(lab, twin, count);
	run_cells_free(twin, count);
	run_cells_free(lab, count);
	suite_fini(&s);
	worlds_close(&w);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_comes_to_the_same_in_both_worlds),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

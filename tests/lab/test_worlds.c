// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two worlds agree: punching between every two models is tried on the kernel once or, where
 * nobody knows what comes of it, some times, and in the twin often. Both are held against the
 * table, and against each other cell by cell with Fisher's exact test.
 *
 * Who is a and who is b makes a difference only in who nominates, so the kernel gets each pair in
 * one order.
 */
#include "sim/experiment/statistics.h"
#include "tests/lab/inside.h"
#include "tests/worlds.h"

/* Where the table knows what comes of it, one trial that ends otherwise is enough. */
#define LAB_TRIALS         1u
#define LAB_TRIALS_UNKNOWN 20u
#define TWIN_TRIALS        400u

/* Sanitisers slow down all that takes part, and look for mistakes that any pair shows. */
#ifdef __SANITIZE_ADDRESS__
#define EVERY 16u
#else
#define EVERY 1u
#endif

/* Chance is to make this test fail once in a thousand runs of all cells. */
#define FALSE_ALARMS 1e-3

/* The cells of each pair of models in one order, of those that the table knows or of the others. */
static struct run_cell *run_world(const struct worlds *w, enum run_world world, const char *table,
				  bool known, size_t *ret_count)
{
	struct run_cell *cells = NULL;
	struct err e = { 0 };
	size_t kept = 0, count = 0;
	int signal = 0;

	if (run_prepare(&w->catalog, &w->suite, NULL, &cells, &count, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < count; i++)
		if (i % EVERY == 0 && strcmp(cells[i].names.nat_a, cells[i].names.nat_b) <= 0 &&
		    (worlds_expected(w, table, &cells[i].names) != '~') == known)
			cells[kept++] = cells[i];
	struct run_config config = {
		.world = world,
		.catalog = &w->catalog,
		.suite = &w->suite,
		.cells = cells,
		.cells_count = kept,
		.trials = world == RUN_IN_TWIN ? TWIN_TRIALS
			  : known              ? LAB_TRIALS
					       : LAB_TRIALS_UNKNOWN,
		.seed = 1,
		.workers = world == RUN_IN_LAB ? 80 : 2,
	};
	if (run_all(&config, &signal, &e) != 0)
		fail_msg("%s", e.text);
	*ret_count = kept;
	return cells;
}

static void print_cell(const struct run_cell *cell, const char *world)
{
	print_error("  %s: %u of %u\n", world, cell->successes, cell->trials);
	for (size_t k = 0; k < RUN_REASONS_MAX && cell->reasons[k].count > 0; k++)
		print_error("    %u times: %s\n", cell->reasons[k].count, cell->reasons[k].text);
}

/* Where the same port may be drawn twice, 0 is not quite never. */
static bool is_as(const struct run_cell *cell, char expected)
{
	if (expected == '0' && cell->expected > 0)
		return cell->successes <= 1;
	return expected == '~' || cell->successes == (expected == '1' ? cell->trials : 0);
}

/* Returns how many cells differ. */
static unsigned compare(const struct worlds *w, const char *table, bool known)
{
	size_t count = 0;
	unsigned wrong = 0;
	struct run_cell *twin = run_world(w, RUN_IN_TWIN, table, known, &count);
	struct run_cell *lab = run_world(w, RUN_IN_LAB, table, known, &count);

	for (size_t i = 0; i < count; i++) {
		char expected = worlds_expected(w, table, &lab[i].names);
		double p = statistics_fisher(lab[i].successes, lab[i].trials, twin[i].successes,
					     twin[i].trials);

		if (is_as(&lab[i], expected) && is_as(&twin[i], expected) &&
		    p >= FALSE_ALARMS / (double)count)
			continue;
		wrong++;
		print_error("%s with %s over %s, expected %c, p = %g\n", lab[i].names.nat_a,
			    lab[i].names.nat_b, lab[i].names.transport, expected, p);
		print_cell(&lab[i], "lab");
		print_cell(&twin[i], "twin");
	}
	run_cells_free(twin, count);
	run_cells_free(lab, count);
	return wrong;
}

static void both_worlds_come_to_the_same_and_to_what_the_table_says(void **state)
{
	CLEANUP(buf) struct buf table = BUF_INIT;
	struct worlds w;

	(void)state;
	worlds_open(&w);
	assert_true(model_files_read(WORLDS_TABLE, &table));
	unsigned known = compare(&w, buf_text(&table), true);
	unsigned unknown = compare(&w, buf_text(&table), false);
	worlds_close(&w);
	assert_int_equal(known + unknown, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_worlds_come_to_the_same_and_to_what_the_table_says),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

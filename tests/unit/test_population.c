// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of a population, and that it is said in all the places. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/report/population.h"
#include "sim/report/results.h"
#include "tests/golden.h"
#include "tests/natsim_run.h"

static const struct style plain = { false, "", "", "", "", "", false };

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-6))
		fail_msg("%.6f is not %.6f", value, expected);
}

static struct run_cell cell(const char *nat_a, const char *nat_b, double weight, unsigned successes)
{
	return (struct run_cell){ .names = { "two-homes", nat_a, nat_b, "udp", "punch", "home",
					     NULL, weight },
				  .expected = 1,
				  .trials = 20,
				  .successes = successes };
}

/* Three in four are open, one is hard; two who are hard have not been tried. */
static void make_cells(struct run_cell cells[static 4])
{
	cells[0] = cell("open", "open", 0.5625, 20);
	cells[1] = cell("open", "hard", 0.1875, 10);
	cells[2] = cell("hard", "open", 0.1875, 0);
	cells[3] = cell("hard", "hard", 0.0625, 0);
	cells[3].trials = 0;
	(void)run_judge(cells, 4);
}

static void a_share_is_the_sum_of_its_pairs_by_weight(void **state)
{
	struct run_cell cells[4];
	size_t count = 0;

	(void)state;
	make_cells(cells);
	cells[1].expected = 0;
	struct population *p = population_measure(cells, 4, &count);
	assert_int_equal(count, 1);
	assert_int_equal(p->cells_count, 4);
	assert_int_equal(p->trials, 60);
	assert_near(p->tried, 0.9375);
	assert_near(p->share, (0.5625 + 0.5 * 0.1875) / 0.9375);
	assert_true(p->ci95.low > 0.5 && p->ci95.low < 0.7 && p->ci95.high > 0.7);
	assert_near(p->expected, 0.75 / 0.9375);
	assert_true(p->median_ms < 0);
	population_free(p, count);
	/* One pair without theory, and there is none for all. */
	cells[0].expected = -1;
	p = population_measure(cells, 4, &count);
	assert_true(p->expected < 0);
	population_free(p, count);
}

static void the_worst_are_pairs_in_both_orders_by_what_is_lost(void **state)
{
	struct run_cell cells[4];
	size_t count = 0;

	(void)state;
	make_cells(cells);
	cells[3].trials = 20;
	struct population *p = population_measure(cells, 4, &count);
	assert_int_equal(p->worst_count, 2);
	assert_string_equal(p->worst[0].nat_a, "hard");
	assert_string_equal(p->worst[0].nat_b, "open");
	assert_near(p->worst[0].weight, 0.375);
	assert_near(p->worst[0].lost, 0.09375 + 0.1875);
	assert_string_equal(p->worst[1].nat_b, "hard");
	assert_near(p->worst[1].lost, 0.0625);
	population_free(p, count);
}

static void a_median_is_that_of_the_population_and_not_of_the_trials(void **state)
{
	struct run_cell cells[2] = { cell("open", "open", 0.9, 1), cell("open", "hard", 0.1, 3) };
	double quick[] = { 10 }, slow[] = { 500, 600, 700 };
	size_t count = 0;

	(void)state;
	cells[0].connect_ms = quick;
	cells[0].connect_count = 1;
	cells[1].connect_ms = slow;
	cells[1].connect_count = 3;
	struct population *p = population_measure(cells, 2, &count);
	assert_near(p->median_ms, 10);
	population_free(p, count);
}

static void what_was_not_tried_at_all_has_no_share(void **state)
{
	struct run_cell c = cell("open", "open", 1, 0);
	CLEANUP(buf) struct buf out = BUF_INIT;
	size_t count = 0;

	(void)state;
	c.trials = 0;
	(void)run_judge(&c, 1);
	struct population *p = population_measure(&c, 1, &count);
	assert_int_equal(p->trials, 0);
	assert_true(p->ci95.low == 0 && p->ci95.high == 1);
	population_free(p, count);
	population_print(&c, 1, &plain, &out);
	assert_non_null(strstr(buf_text(&out), "shares are of those that were, 0.0 %"));
}

static void a_population_has_a_line_for_each_transport(void **state)
{
	struct run_cell cells[8];
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	make_cells(cells);
	make_cells(cells + 4);
	for (size_t i = 4; i < 8; i++)
		cells[i].names.transport = "tcp";
	cells[7].trials = 20;
	population_print(cells, 8, &plain, &out);
	golden_compare("population.txt", buf_text(&out));
}

static void a_population_with_a_sweep_has_a_line_for_each_value(void **state)
{
	const struct suite_point near = { SUITE_DELAY, (char[]){ "5ms" }, 5000, NULL };
	const struct suite_point far = { SUITE_DELAY, (char[]){ "90ms" }, 90000, NULL };
	struct run_cell cells[8], both[4];
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	make_cells(both);
	for (size_t i = 0; i < 8; i++) {
		cells[i] = both[i / 2];
		cells[i].names.point = i % 2 == 0 ? &near : &far;
	}
	cells[1].successes = 5;
	(void)run_judge(cells, 8);
	population_print(cells, 8, &plain, &out);
	golden_compare("population-sweep.txt", buf_text(&out));
}

static void a_summary_has_the_populations_of_a_suite_with_one(void **state)
{
	static const struct results_about about = { .suite = "some" };
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(buf) struct buf with = BUF_INIT;
	CLEANUP(buf) struct buf without = BUF_INIT;
	struct run_cell cells[4];

	(void)state;
	make_cells(cells);
	assert_int_equal(results_write_summary(dir, &about, cells, 4, NULL), 0);
	read_text(dir, "summary.json", &with);
	const char *found = strstr(buf_text(&with), "\"populations\"");
	assert_non_null(found);
	assert_non_null(strstr(found, "\"tried\": 0.9375"));
	assert_non_null(strstr(found, "\"share\": 0.7,"));
	assert_non_null(strstr(found, "\"lost\": 0.28125"));
	assert_non_null(strstr(buf_text(&with), "\"weight\": 0.5625"));
	for (size_t i = 0; i < 4; i++)
		cells[i].names.weight = 0;
	assert_int_equal(results_write_summary(dir, &about, cells, 4, NULL), 0);
	read_text(dir, "summary.json", &without);
	assert_null(strstr(buf_text(&without), "\"populations\""));
	assert_null(strstr(buf_text(&without), "\"weight\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_the_sum_of_its_pairs_by_weight),
		cmocka_unit_test(the_worst_are_pairs_in_both_orders_by_what_is_lost),
		cmocka_unit_test(a_median_is_that_of_the_population_and_not_of_the_trials),
		cmocka_unit_test(what_was_not_tried_at_all_has_no_share),
		cmocka_unit_test(a_population_has_a_line_for_each_transport),
		cmocka_unit_test(a_population_with_a_sweep_has_a_line_for_each_value),
		cmocka_unit_test(a_summary_has_the_populations_of_a_suite_with_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

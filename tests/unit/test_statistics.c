// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/experiment/statistics.h"

static void assert_near(double value, double expected, double within)
{
	if (!(fabs(value - expected) <= within))
		fail_msg("%.6f is not %.6f", value, expected);
}

static void wilsons_interval_is_that_of_the_books(void **state)
{
	static const struct {
		unsigned successes, trials;
		double low, high;
	} cases[] = {
		{ 20, 20, 0.8389, 1 },       { 0, 20, 0, 0.1611 }, { 10, 20, 0.2993, 0.7007 },
		{ 81, 263, 0.2553, 0.3662 }, /* Newcombe 1998, table I */
		{ 15, 148, 0.0624, 0.1605 }, /* the same */
		{ 1, 29, 0.0061, 0.1718 },   /* the same */
		{ 1, 1, 0.2065, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct interval ci = statistics_wilson(cases[i].successes, cases[i].trials);

		assert_near(ci.low, cases[i].low, 0.00006);
		assert_near(ci.high, cases[i].high, 0.00006);
	}
	assert_true(statistics_wilson(20, 20).high == 1);
	assert_true(statistics_wilson(0, 20).low == 0);
}

static void the_tails_of_the_binomial_distribution_are_exact(void **state)
{
	(void)state;
	assert_near(statistics_at_most(0, 10, 0.5), 1.0 / 1024, 1e-12);
	assert_near(statistics_at_most(5, 10, 0.5), 638.0 / 1024, 1e-12);
	assert_near(statistics_at_least(9, 10, 0.5), 11.0 / 1024, 1e-12);
	assert_near(statistics_at_least(0, 10, 0.3), 1, 1e-12);
	assert_near(statistics_at_most(10, 10, 0.3), 1, 1e-12);
	assert_near(statistics_at_most(19, 20, 1), 0, 0);
	assert_near(statistics_at_least(20, 20, 1), 1, 0);
	assert_near(statistics_at_least(1, 20, 0), 0, 0);
	assert_near(statistics_at_most(0, 20, 0), 1, 0);
	/* What is not in the one tail is in the other. */
	for (unsigned k = 1; k <= 1000; k += 37)
		assert_near(statistics_at_most(k - 1, 1000, 0.42) +
				    statistics_at_least(k, 1000, 0.42),
			    1, 1e-9);
}

static void a_certain_result_tolerates_no_exception(void **state)
{
	(void)state;
	assert_int_equal(statistics_judge(20, 20, 1, 72), VERDICT_AS_EXPECTED);
	assert_int_equal(statistics_judge(19, 20, 1, 72), VERDICT_TOO_LOW);
	assert_int_equal(statistics_judge(0, 20, 0, 72), VERDICT_AS_EXPECTED);
	assert_int_equal(statistics_judge(1, 20, 0, 72), VERDICT_TOO_HIGH);
	assert_int_equal(statistics_judge(1, 1, 1, 72), VERDICT_AS_EXPECTED);
}

static void a_rate_is_off_only_beyond_chance(void **state)
{
	(void)state;
	/* Of 100 at 0.5, chance leaves 34 to 66 but for 1 in 1000. Of 72 cells one is that far off
	 * sooner, so each may be from 29 to 71. */
	assert_int_equal(statistics_judge(50, 100, 0.5, 1), VERDICT_AS_EXPECTED);
	assert_int_equal(statistics_judge(34, 100, 0.5, 1), VERDICT_AS_EXPECTED);
	assert_int_equal(statistics_judge(33, 100, 0.5, 1), VERDICT_TOO_LOW);
	assert_int_equal(statistics_judge(67, 100, 0.5, 1), VERDICT_TOO_HIGH);
	assert_int_equal(statistics_judge(33, 100, 0.5, 72), VERDICT_AS_EXPECTED);
	assert_int_equal(statistics_judge(28, 100, 0.5, 72), VERDICT_TOO_LOW);
	assert_int_equal(statistics_judge(72, 100, 0.5, 72), VERDICT_TOO_HIGH);
}

static void too_few_trials_decide_nothing(void **state)
{
	(void)state;
	assert_int_equal(statistics_judge(0, 0, 1, 72), VERDICT_UNDECIDED);
	assert_int_equal(statistics_judge(0, 0, 0.5, 72), VERDICT_UNDECIDED);
	/* 2^-10 is once in a thousand, 2^-17 once in a thousand runs of 72 cells. */
	assert_int_equal(statistics_judge(0, 10, 0.5, 1), VERDICT_UNDECIDED);
	assert_int_equal(statistics_judge(6, 11, 0.5, 1), VERDICT_AS_EXPECTED);
	assert_int_equal(statistics_judge(0, 11, 0.5, 1), VERDICT_TOO_LOW);
	assert_int_equal(statistics_judge(0, 17, 0.5, 72), VERDICT_UNDECIDED);
	assert_int_equal(statistics_judge(9, 18, 0.5, 72), VERDICT_AS_EXPECTED);
}

static void verdicts_have_the_names_of_summary_json(void **state)
{
	(void)state;
	assert_string_equal(statistics_verdict_name(VERDICT_AS_EXPECTED), "as-expected");
	assert_string_equal(statistics_verdict_name(VERDICT_TOO_LOW), "too-low");
	assert_string_equal(statistics_verdict_name(VERDICT_TOO_HIGH), "too-high");
	assert_string_equal(statistics_verdict_name(VERDICT_UNDECIDED), "undecided");
}

static void a_percentile_is_the_nearest_rank(void **state)
{
	double values[] = { 5, 1, 4, 2, 3, 10, 9, 8, 7, 6 };

	(void)state;
	assert_near(statistics_percentile(values, 10, 0.5), 5, 0);
	assert_near(values[0], 1, 0);
	assert_near(statistics_percentile(values, 10, 0.95), 10, 0);
	assert_near(statistics_percentile(values, 10, 0.9), 9, 0);
	assert_near(statistics_percentile(values, 10, 0), 1, 0);
	assert_near(statistics_percentile(values, 10, 1), 10, 0);
	assert_near(statistics_percentile(values, 1, 0.5), 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wilsons_interval_is_that_of_the_books),
		cmocka_unit_test(the_tails_of_the_binomial_distribution_are_exact),
		cmocka_unit_test(a_certain_result_tolerates_no_exception),
		cmocka_unit_test(a_rate_is_off_only_beyond_chance),
		cmocka_unit_test(too_few_trials_decide_nothing),
		cmocka_unit_test(verdicts_have_the_names_of_summary_json),
		cmocka_unit_test(a_percentile_is_the_nearest_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

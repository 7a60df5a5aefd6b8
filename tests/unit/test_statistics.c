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

static void a_weighted_percentile_counts_each_value_as_much_as_its_weight(void **state)
{
	struct weighted values[] = { { 30, 1 }, { 10, 5 }, { 20, 4 } };

	(void)state;
	assert_near(statistics_weighted_percentile(values, 3, 0), 10, 0);
	assert_near(statistics_weighted_percentile(values, 3, 0.5), 10, 0);
	assert_near(statistics_weighted_percentile(values, 3, 0.51), 20, 0);
	assert_near(statistics_weighted_percentile(values, 3, 0.91), 30, 0);
	assert_near(statistics_weighted_percentile(values, 3, 1), 30, 0);
	assert_near(statistics_weighted_percentile(values, 1, 0.5), 10, 0);
}

static void a_share_of_strata_has_the_interval_of_their_variances(void **state)
{
	static const struct stratum one[] = { { 1, 10, 20 } };
	static const struct stratum two[] = { { 3, 20, 20 }, { 1, 10, 20 } };
	static const struct stratum certain[] = { { 0.5, 20, 20 }, { 0.5, 0, 20 } };
	struct interval ci = statistics_stratified(one, 1);

	(void)state;
	/* By hand: 1.96 * sqrt(0.5 * 0.5 / (20 + 1.96 ^ 2)). */
	assert_near(ci.low, 0.5 - 0.2007020, 1e-6);
	assert_near(ci.high, 0.5 + 0.2007020, 1e-6);
	/* (20 + 1.92) / 23.84 is 0.91944, of which the variance is 0.0031069 and its weight 9 / 16;
	 * 0.0104859 and 1 / 16. */
	ci = statistics_stratified(two, 2);
	assert_near(ci.low, 0.875 - 0.0960779, 1e-6);
	assert_near(ci.high, 0.875 + 0.0960779, 1e-6);
	/* What never failed in twenty trials is not certain. */
	ci = statistics_stratified(certain, 2);
	assert_true(ci.low < 0.45 && ci.low > 0.40 && ci.high > 0.55 && ci.high < 0.60);
	assert_true(statistics_stratified(two, 1).high == 1);
	assert_true(statistics_stratified(two, 1).low < 0.9);
	assert_true(statistics_stratified(&certain[1], 1).low == 0);
}

static void fishers_test_is_that_of_the_books(void **state)
{
	static const struct {
		unsigned successes1, trials1, successes2, trials2;
		double p;
	} cases[] = {
		{ 3, 4, 1, 4, 34.0 / 70 },        /* Fisher 1935, the lady tasting tea */
		{ 2, 17, 10, 13, 0.00053672412 }, /* Fisher 1970, convictions of twins */
		{ 8, 10, 1, 6, 280.0 / 8008 },
		{ 20, 20, 20, 20, 1 },
		{ 0, 20, 0, 20, 1 },
		{ 0, 5, 3, 3, 1.0 / 56 },
		{ 20, 20, 0, 20, 2 / 137846528820.0 },
		{ 10, 20, 10, 20, 1 },
		{ 0, 0, 3, 5, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned s1 = cases[i].successes1, n1 = cases[i].trials1;
		unsigned s2 = cases[i].successes2, n2 = cases[i].trials2;
		double p = statistics_fisher(s1, n1, s2, n2);

		assert_near(p, cases[i].p, 1e-6 * cases[i].p);
		/* It does not matter which sample is the first, nor what counts as success. */
		assert_near(statistics_fisher(s2, n2, s1, n1), p, 1e-9 * p);
		assert_near(statistics_fisher(n1 - s1, n1, n2 - s2, n2), p, 1e-9 * p);
	}
	/* Many trials: as the test of the normal approximation, z = 3 and 2 * 0.00135. */
	assert_near(statistics_fisher(50000, 100000, 50671, 100000), 0.0027, 0.0001);
}

static void the_tail_of_chi_squared_is_that_of_the_tables(void **state)
{
	static const struct {
		double x;
		unsigned degrees;
		double p;
	} cases[] = {
		{ 3.841458820694, 1, 0.05 },   { 6.634896601021, 1, 0.01 },
		{ 0.003932140000, 1, 0.95 },   { 18.30703805328, 10, 0.05 },
		{ 3.940299136119, 10, 0.95 },  { 29.58829844507, 10, 0.001 },
		{ 124.3421134005, 100, 0.05 }, { 77.92946516502, 100, 0.95 },
		{ 1074.679449, 1000, 0.05 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_near(statistics_chi_squared_p(cases[i].x, cases[i].degrees), cases[i].p,
			    1e-7);
	/* Of two degrees it is an exponential, on both sides of where the methods change. */
	for (unsigned i = 1; i < 400; i++)
		assert_near(statistics_chi_squared_p(i / 4.0, 2) / exp(-(i / 8.0)), 1, 1e-12);
	/* Of one, the tail of a normal variable's square. */
	for (unsigned i = 1; i < 400; i++)
		assert_near(statistics_chi_squared_p(i / 4.0, 1) / erfc(sqrt(i / 8.0)), 1, 1e-9);
	assert_near(statistics_chi_squared_p(0, 5), 1, 0);
	assert_near(statistics_chi_squared_p(1e9, 5), 0, 0);
	/* All the ports there are: a normal variable of mean n and variance 2 n, nearly. */
	assert_near(statistics_chi_squared_p(64511, 64511), 0.5, 0.002);
	assert_near(statistics_chi_squared_p(64511 + 1.644854 * sqrt(2 * 64511.0), 64511), 0.05,
		    0.001);
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
		cmocka_unit_test(a_weighted_percentile_counts_each_value_as_much_as_its_weight),
		cmocka_unit_test(a_share_of_strata_has_the_interval_of_their_variances),
		cmocka_unit_test(fishers_test_is_that_of_the_books),
		cmocka_unit_test(the_tail_of_chi_squared_is_that_of_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/cleanup.h"
#include "sim/bench/figure.h"

static const struct style plain = { false, "", "", "", "", "", false };

static void summary_is_of_the_sorted_values(void **state)
{
	double values[] = { 3, 1, 9, 2, 5 };
	struct summary s = summary_of(values, 5);

	(void)state;
	assert_true(s.median == 3);
	assert_true(s.least == 1);
	assert_true(s.most == 9);
	assert_int_equal(s.count, 5);
}

static void figure_meets_an_aim_that_it_just_reaches(void **state)
{
	static const struct {
		double value, ratio;
		double low, high;
		enum figure_aim aim;
		bool met;
	} cases[] = {
		{ 1, 0, 5, 5, AIM_NONE, true },
		{ 5, 0, 0, 5, AIM_AT_MOST, true },
		{ 5.1, 0, 0, 5, AIM_AT_MOST, false },
		{ 5, 0, 5, 0, AIM_AT_LEAST, true },
		{ 4.9, 0, 5, 0, AIM_AT_LEAST, false },
		{ 4, 0, 4, 6, AIM_BETWEEN, true },
		{ 6, 0, 4, 6, AIM_BETWEEN, true },
		{ 3.9, 0, 4, 6, AIM_BETWEEN, false },
		{ 6.1, 0, 4, 6, AIM_BETWEEN, false },
		/* Where there is a ratio, the aim is for that. */
		{ 100, 2, 0, 2, AIM_AT_MOST, true },
		{ 1, 2.1, 0, 2, AIM_AT_MOST, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct figure f = { .value = { cases[i].value, 0, 0, 1 },
					  .ratio = cases[i].ratio,
					  .aim = cases[i].aim,
					  .aim_low = cases[i].low,
					  .aim_high = cases[i].high };

		if (figure_met(&f) != cases[i].met)
			fail_msg("case %zu", i);
	}
}

static void add_examples(struct figures *f)
{
	figures_add(f, &(struct figure){ .group = "A lab",
					 .name = "up",
					 .subject = "natsim",
					 .unit = "ms",
					 .value = { 12.34, 9.5, 120, 30 } });
	figures_add(f, &(struct figure){ .group = "A lab",
					 .name = "up",
					 .subject = "the script",
					 .unit = "ms",
					 .value = { 250, 200, 400, 30 },
					 .ratio = 20.26,
					 .ratio_is = "times faster",
					 .aim = AIM_AT_LEAST,
					 .aim_low = 10 });
}

static void table_names_a_group_and_a_figure_once(void **state)
{
	CLEANUP(figures) struct figures f = { 0 };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	add_examples(&f);
	figures_print(&f, 0, &plain, &out);
	const char *text = buf_text(&out);
	const char *group = strstr(text, "A lab");
	assert_non_null(group);
	assert_null(strstr(group + 1, "A lab"));
	const char *name = strstr(text, "  up ");
	assert_non_null(name);
	assert_null(strstr(name + 1, "  up "));
	assert_non_null(strstr(text, "12.3 ms"));
	assert_non_null(strstr(text, "9.50 .. 120"));
	assert_non_null(strstr(text, "20.3 times faster"));
	assert_non_null(strstr(text, "at least 10: met\n"));
}

static void json_says_null_where_there_is_no_aim(void **state)
{
	CLEANUP(figures) struct figures f = { 0 };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	add_examples(&f);
	figures_to_json(&f, &out);
	json_t *root = json_loadb(buf_text(&out), out.len, 0, NULL);
	const json_t *figures = json_object_get(root, "figures");
	assert_int_equal(json_array_size(figures), 2);
	assert_true(json_is_null(json_object_get(json_array_get(figures, 0), "met")));
	assert_true(json_is_null(json_object_get(json_array_get(figures, 0), "ratio")));
	assert_true(json_is_true(json_object_get(json_array_get(figures, 1), "met")));
	assert_true(json_is_null(json_object_get(json_array_get(figures, 1), "at_most")));
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summary_is_of_the_sorted_values),
		cmocka_unit_test(figure_meets_an_aim_that_it_just_reaches),
		cmocka_unit_test(table_names_a_group_and_a_figure_once),
		cmocka_unit_test(json_says_null_where_there_is_no_aim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

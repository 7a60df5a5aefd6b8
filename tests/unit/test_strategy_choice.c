// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/strategy.h"

static void a_strategy_is_chosen_by_name_and_has_its_own_defaults(void **state)
{
	struct strategy_choice choice;
	char why[STRATEGY_WHY_SIZE];

	(void)state;
	assert_true(strategy_parse("punch", &choice, why));
	assert_string_equal(choice.strategy->name, "punch");
	assert_true(strategy_parse("cross-traffic", &choice, why));
	assert_int_equal(choice.params[0], 100);
	assert_true(strategy_parse("cross-traffic:rate=7", &choice, why));
	assert_int_equal(choice.params[0], 7);
	assert_true(strategy_parse("cross-traffic:rate=2000", &choice, why));
	assert_int_equal(choice.params[0], 2000);
}

static void each_mistake_in_a_choice_is_named(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "no strategy \"\"" },
		{ "Punch", "no strategy \"Punch\"" },
		{ "punch:", "punch has no parameter \"\"" },
		{ "punch:rate=1", "punch has no parameter \"rate\"" },
		{ "cross-traffic:", "cross-traffic has no parameter \"\"" },
		{ "cross-traffic:rate", "cross-traffic: a value is needed: rate=..." },
		{ "cross-traffic:rate,", "cross-traffic: a value is needed: rate=..." },
		{ "cross-traffic:rate=", "rate: \"\" is no number from 1 to 2000" },
		{ "cross-traffic:rate=0", "rate: \"0\" is no number from 1 to 2000" },
		{ "cross-traffic:rate=2001", "rate: \"2001\" is no number from 1 to 2000" },
		{ "cross-traffic:rate=-1", "rate: \"-1\" is no number from 1 to 2000" },
		{ "cross-traffic:rate=1 ", "rate: \"1 \" is no number from 1 to 2000" },
		{ "cross-traffic:rate=18446744073709551617",
		  "rate: \"18446744073709551617\" is no number from 1 to 2000" },
		{ "cross-traffic:rate=1,rate=2", "cross-traffic: rate is there twice" },
		{ "cross-traffic:rate=1,", "cross-traffic has no parameter \"\"" },
		{ "cross-traffic:x=1", "cross-traffic has no parameter \"x\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strategy_choice choice = { .strategy = NULL };
		char why[STRATEGY_WHY_SIZE] = "";

		assert_false(strategy_parse(cases[i].text, &choice, why));
		assert_string_equal(why, cases[i].why);
		assert_null(choice.strategy);
	}
}

static void what_is_wrong_and_long_is_cut_off(void **state)
{
	struct strategy_choice choice;
	char text[1000], why[STRATEGY_WHY_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(strategy_parse(text, &choice, why));
	assert_int_equal(strlen(why), strlen("no strategy \"\"") + 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strategy_is_chosen_by_name_and_has_its_own_defaults),
		cmocka_unit_test(each_mistake_in_a_choice_is_named),
		cmocka_unit_test(what_is_wrong_and_long_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

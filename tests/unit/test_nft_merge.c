// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/lab/nft_merge.h"

static void assert_merged(const char *text, const char *expected)
{
	CLEANUP(free) char *merged = nft_merge_tables(text);

	assert_string_equal(merged, expected);
}

static void assert_left_alone(const char *text)
{
	assert_merged(text, text);
}

static void blocks_of_one_table_become_one(void **state)
{
	(void)state;
	assert_merged("table ip a {\n\tx\n}\n# two\n\ntable ip a {\n\ty\n}\ntable ip a {\n}\n",
		      "table ip a {\n\tx\n \n# two\n\n            \n\ty\n \n            \n}\n");
}

static void blocks_of_other_tables_stay_apart(void **state)
{
	(void)state;
	assert_left_alone("table ip a {\n}\ntable ip b {\n}\ntable ip a {\n}\n");
	assert_left_alone("table ip a {\n}\ntable inet a {\n}\n");
}

static void what_stands_between_two_blocks_keeps_them_apart(void **state)
{
	(void)state;
	assert_left_alone("table ip a {\n}\ndefine b = 1\ntable ip a {\n}\n");
	assert_left_alone("table ip a\ndelete table ip a\ntable ip a {\n}\n");
}

static void brace_at_the_margin_inside_a_table_is_not_its_end(void **state)
{
	(void)state;
	assert_left_alone("table ip a {\n\tset b {\n\t\telements = { 1,\n2\n}\n}\n}\n");
}

static void blocks_that_are_not_laid_out_so_are_left_alone(void **state)
{
	(void)state;
	assert_left_alone("table ip a { }\ntable ip a { }\n");
	assert_left_alone(" table ip a {\n }\n table ip a {\n }\n");
	assert_left_alone("table ip a\n{\n}\ntable ip a\n{\n}\n");
}

static void text_may_end_anywhere(void **state)
{
	static const char text[] = "table ip a {\n}\ntable ip a {";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		char cut[sizeof(text)] = "";

		memcpy(cut, text, len);
		assert_left_alone(cut);
	}
	assert_merged(text, "table ip a {\n \n            ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_one_table_become_one),
		cmocka_unit_test(blocks_of_other_tables_stay_apart),
		cmocka_unit_test(what_stands_between_two_blocks_keeps_them_apart),
		cmocka_unit_test(brace_at_the_margin_inside_a_table_is_not_its_end),
		cmocka_unit_test(blocks_that_are_not_laid_out_so_are_left_alone),
		cmocka_unit_test(text_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

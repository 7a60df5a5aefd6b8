// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "peers/core/strategy.h"

static void every_strategy_is_found_by_its_name_and_by_no_other(void **state)
{
	const struct strategy *s;
	size_t count = 0;

	(void)state;
	for (; (s = strategy_at(count)) != NULL; count++) {
		assert_ptr_equal(strategy_find(s->name), s);
		assert_true(strlen(s->about) > 0 && s->size > 0);
	}
	assert_int_equal(count, 2);
	assert_true(strategy_find("punch")->pair);
	assert_false(strategy_find("classify")->pair);
	assert_null(strategy_find(""));
	assert_null(strategy_find("Punch"));
	assert_null(strategy_find("punch "));
	assert_null(strategy_at(1000));
}

static void every_strategy_can_report_before_it_has_begun(void **state)
{
	const struct strategy *s;

	(void)state;
	for (size_t i = 0; (s = strategy_at(i)) != NULL; i++) {
		CLEANUP(buf) struct buf line = BUF_INIT;
		CLEANUP(free) void *machine = calloc(1, s->size);

		s->init(machine,
			&(struct strategy_config){
				.role = 'a', .server = { 1, 2 }, .session_len = 1, .nonce = 1 });
		s->report(machine, &line);
		assert_non_null(strstr(buf_text(&line), "\"result\":\"failed\""));
		assert_non_null(strstr(buf_text(&line), "\"reason\":\"ended early\""));
		assert_int_equal(line.data[line.len - 1], '\n');
		assert_ptr_equal(strchr(line.data, '\n'), line.data + line.len - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_is_found_by_its_name_and_by_no_other),
		cmocka_unit_test(every_strategy_can_report_before_it_has_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

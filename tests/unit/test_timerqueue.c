// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/prng.h"
#include "lib/timerqueue.h"

#define MANY 5000u

static void timerqueue_is_never_due_when_empty(void **state)
{
	struct timerqueue q = { 0 };

	(void)state;
	assert_true(timerqueue_next_us(&q) == TIMERQUEUE_NEVER);
	assert_null(timerqueue_take(&q, TIMERQUEUE_NEVER));
	timerqueue_fini(&q);
}

static void timerqueue_gives_nothing_before_its_time(void **state)
{
	struct timerqueue q = { 0 };
	int item = 0;

	(void)state;
	timerqueue_add(&q, 1000, &item);
	assert_int_equal(timerqueue_next_us(&q), 1000);
	assert_null(timerqueue_take(&q, 999));
	assert_ptr_equal(timerqueue_take(&q, 1000), &item);
	assert_null(timerqueue_take(&q, TIMERQUEUE_NEVER));
	timerqueue_fini(&q);
}

/* With times that clash often, against the definition: sorted by time, then by when it was added.
 */
static void timerqueue_sorts_by_time_and_keeps_ties_in_order(void **state)
{
	static uint64_t times_us[MANY];
	struct timerqueue q = { 0 };
	struct prng prng;
	uint64_t *last = NULL;

	(void)state;
	prng_init(&prng, 1);
	for (size_t i = 0; i < MANY; i++) {
		times_us[i] = prng_below(&prng, 200);
		timerqueue_add(&q, times_us[i], &times_us[i]);
	}
	for (size_t i = 0; i < MANY; i++) {
		uint64_t next_us = timerqueue_next_us(&q);
		uint64_t *item = timerqueue_take(&q, TIMERQUEUE_NEVER);

		assert_non_null(item);
		assert_int_equal(*item, next_us);
		if (last != NULL)
			assert_true(*last < *item || (*last == *item && last < item));
		last = item;
	}
	assert_null(timerqueue_take(&q, TIMERQUEUE_NEVER));
	timerqueue_fini(&q);
}

/* As in use: adding and taking in turns, never anything before what was taken already. */
static void timerqueue_stays_in_order_while_it_is_added_to(void **state)
{
	static uint64_t times_us[MANY];
	struct timerqueue q = { 0 };
	struct prng prng;
	uint64_t now_us = 0;
	size_t taken = 0;

	(void)state;
	prng_init(&prng, 2);
	for (size_t i = 0; i < MANY; i++) {
		times_us[i] = now_us + prng_below(&prng, 1000);
		timerqueue_add(&q, times_us[i], &times_us[i]);
		if (prng_below(&prng, 3) == 0)
			continue;
		now_us = timerqueue_next_us(&q);
		const uint64_t *item = timerqueue_take(&q, now_us);
		assert_int_equal(*item, now_us);
		assert_true(timerqueue_next_us(&q) >= now_us);
		taken++;
	}
	for (; timerqueue_take(&q, TIMERQUEUE_NEVER) != NULL; taken++)
		;
	assert_int_equal(taken, MANY);
	timerqueue_fini(&q);
}

static void timerqueue_can_be_used_again_after_fini(void **state)
{
	struct timerqueue q = { 0 };
	int item = 0;

	(void)state;
	timerqueue_add(&q, 5, &item);
	timerqueue_fini(&q);
	assert_true(timerqueue_next_us(&q) == TIMERQUEUE_NEVER);
	timerqueue_add(&q, 7, &item);
	assert_int_equal(timerqueue_next_us(&q), 7);
	timerqueue_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timerqueue_is_never_due_when_empty),
		cmocka_unit_test(timerqueue_gives_nothing_before_its_time),
		cmocka_unit_test(timerqueue_sorts_by_time_and_keeps_ties_in_order),
		cmocka_unit_test(timerqueue_stays_in_order_while_it_is_added_to),
		cmocka_unit_test(timerqueue_can_be_used_again_after_fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The twin's table against one that is looked through from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/prng.h"
#include "sim/twin/table.h"

#define KEYS 300u

struct plain {
	bool there;
	uint64_t value, until_us;
};

static struct twin_key key_of(uint64_t n)
{
	/* They differ in either word, and some in one bit only. */
	return n % 2 == 0 ? (struct twin_key){ n << 32, 7 } : (struct twin_key){ 7, n };
}

static bool lives(const struct plain *p, uint64_t now_us)
{
	return p->there && now_us < p->until_us;
}

static void do_something(struct twin_table *t, struct plain *plain, struct prng *prng,
			 uint64_t now_us)
{
	uint64_t n = prng_below(prng, KEYS), value = prng_next(prng);
	uint64_t until_us = now_us + 1 + prng_below(prng, 400);
	struct plain *p = &plain[n];
	bool expected = !lives(p, now_us);

	switch (prng_below(prng, 4)) {
	case 0:
		assert_int_equal(twin_table_put(t, key_of(n), value, now_us, until_us), expected);
		*p = (struct plain){ true, expected ? value : p->value, until_us };
		break;
	case 1:
		assert_int_equal(twin_table_add(t, key_of(n), value, now_us, until_us), expected);
		if (expected)
			*p = (struct plain){ true, value, until_us };
		break;
	case 2:
		twin_table_remove(t, key_of(n));
		p->there = false;
		break;
	default:
		break;
	}
}

static void a_table_holds_what_was_put_until_its_time(void **state)
{
	struct twin_table t = { .elements = NULL };
	struct plain plain[KEYS] = { { .there = false } };
	struct prng prng;
	uint64_t now_us = 0;

	(void)state;
	prng_init(&prng, 1);
	for (int i = 0; i < 200000; i++) {
		do_something(&t, plain, &prng, now_us);
		if (prng_below(&prng, 20000) == 0) {
			twin_table_clear(&t);
			for (unsigned n = 0; n < KEYS; n++)
				plain[n].there = false;
		}
		now_us += prng_below(&prng, 3);
		uint64_t n = prng_below(&prng, KEYS);
		const uint64_t *value = twin_table_find(&t, key_of(n), now_us);
		assert_int_equal(value != NULL, lives(&plain[n], now_us));
		if (value != NULL)
			assert_int_equal(*value, plain[n].value);
	}
	twin_table_fini(&t);
}

static void an_emptied_table_is_empty_however_often(void **state)
{
	struct twin_table t = { .elements = NULL };

	(void)state;
	(void)twin_table_put(&t, key_of(1), 1, 0, 10);
	t.epoch = UINT32_MAX - 1;
	for (int i = 0; i < 5; i++) {
		twin_table_clear(&t);
		assert_null(twin_table_find(&t, key_of(1), 0));
		assert_true(twin_table_put(&t, key_of(1), 2, 0, 10));
		assert_null(twin_table_find(&t, key_of(2), 0));
		assert_true(twin_table_put(&t, key_of(3), 2, 0, 10));
	}
	twin_table_fini(&t);
}

static void a_table_grows_and_keeps_what_it_has(void **state)
{
	struct twin_table t = { .elements = NULL };

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		assert_true(twin_table_put(&t, key_of(i), i, 0, UINT64_MAX));
	for (uint64_t i = 0; i < 100000; i++)
		assert_int_equal(*twin_table_find(&t, key_of(i), 1), i);
	/* What has expired makes room for others. */
	uint32_t mask = t.mask;
	twin_table_clear(&t);
	for (uint64_t i = 0; i < 500000; i++)
		assert_true(twin_table_put(&t, key_of(i), i, i, i + 10));
	assert_int_equal(t.mask, mask);
	twin_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_holds_what_was_put_until_its_time),
		cmocka_unit_test(an_emptied_table_is_empty_however_often),
		cmocka_unit_test(a_table_grows_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

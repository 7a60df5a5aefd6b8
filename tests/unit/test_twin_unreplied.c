// SPDX-License-Identifier: GPL-2.0-or-later
/* Where conntrack alone keeps the mappings, those that nobody has answered are forgotten sooner. */
#include "tests/twin_nat.h"

/* Where conntrack alone has the mappings: packets each second, both ways or one only, for so long.
 * Returns for how many seconds the flow is remembered then. */
static int remembered_s(const char *model, int busy_s, bool answered)
{
	int quiet_s = 0;
	bool there = true;

	while (there) {
		struct bench b;

		bench_open(&b, model, TWIN_UDP);
		struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
		for (int s = 0; s <= busy_s; s++) {
			b.now_us = SECONDS(s);
			(void)bench_send(&b, HOST_A, SERVER);
			if (answered)
				(void)bench_send(&b, SERVER, mapped);
		}
		b.now_us += SECONDS(quiet_s + 1) - 1;
		there = bench_reaches(&b, SERVER, mapped, HOST_A);
		quiet_s += there;
		bench_close(&b);
	}
	return quiet_s;
}

static void a_flow_of_the_twin_that_is_not_answered_is_forgotten_sooner(void **state)
{
#define SHARED APDM APDF "ports: { overloading: yes }\ntimeouts: { udp: 50s, udp_unreplied: 20s }\n"
	(void)state;
	assert_int_equal(remembered_s(SHARED, 0, false), 20);
	assert_int_equal(remembered_s(SHARED, 10, false), 20);
	assert_int_equal(remembered_s(SHARED, 0, true), 20);
	/* It is answered after more than two seconds. */
	assert_int_equal(remembered_s(SHARED, 2, true), 20);
	assert_int_equal(remembered_s(SHARED, 3, true), 50);
	assert_int_equal(remembered_s(APDM APDF "timeouts: { udp: 50s }\n", 0, false), 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_of_the_twin_that_is_not_answered_is_forgotten_sooner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What a host of the twin makes of segments that are of no connection yet, or of none any more; as
 * test_twin_segments.c, after Linux 6.18. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/twin_raw.h"

static uint32_t asked(struct hosts *t, uint64_t close_us)
{
	hosts_reset(t, 1);
	plan_open(&t->on_a, 0, ACTION_TCP_LISTEN, 7, a);
	plan_connect(&t->on_a, 30 * MS, 1, a, raw);
	plan_socket(&t->on_a, close_us, ACTION_CLOSE, 7, "");
	hosts_run(t, 20 * MS);
	segment_to_a(t, TWIN_SYN, 5000, 0, "");
	assert_int_equal(raw_last(t)->flags, SYNACK);
	assert_int_equal(raw_last(t)->acknowledgement, 5001);
	return raw_last(t)->sequence;
}

static void a_request_lasts_63_s_and_is_in_the_way_of_a_connect(void **state)
{
	static const unsigned at_ms[] = { 20, 1020, 3020, 7020, 15020, 31020 };
	struct hosts *t = hosts_new(NULL);

	(void)state;
	uint32_t iss = asked(t, 900 * SEC);
	hosts_run(t, 63 * SEC);
	expect_sent_at(t, 0, at_ms, 6);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, EADDRNOTAVAIL);
	hosts_run(t, 64 * SEC);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "");
	expect(t, TWIN_RST, iss + 1, 0);
	assert_int_equal(count_events(&t->on_a, EVENT_ACCEPTED), 0);
	hosts_free(t);
}

static void a_request_is_as_linux_has_it(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = asked(t, 900 * SEC);

	(void)state;
	segment_to_a(t, TWIN_SYN, 5000, 0, "");
	expect(t, SYNACK, iss, 5001);
	segment_to_a(t, TWIN_SYN, 9000000, 0, ""); /* too soon after */
	assert_int_equal(t->raw.count, 2);
	hosts_run(t, 600 * MS);
	segment_to_a(t, TWIN_SYN, 9000000, 0, "");
	expect(t, TWIN_ACK, iss + 1, 5001);
	segment_to_a(t, TWIN_ACK, 5001, iss + 55, "");
	expect(t, TWIN_RST, iss + 55, 0);
	error_to_a(t, TWIN_PORT_UNREACHABLE);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "first");
	assert_int_equal(one_event(&t->on_a, EVENT_ACCEPTED)->socket, SOCKET_ACCEPTED);
	assert_int_equal(one_event(&t->on_a, EVENT_ACCEPTED)->listener, 7);
	assert_memory_equal(t->on_a.stream, "first", 5);

	iss = asked(t, 900 * SEC);
	segment_to_a(t, TWIN_RST, 5001, 0, "");
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "");
	expect(t, TWIN_RST, iss + 1, 0);
	iss = asked(t, 900 * SEC);
	error_to_a(t, TWIN_TIME_EXCEEDED);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "");
	expect(t, TWIN_RST, iss + 1, 0);
	(void)asked(t, 40 * MS); /* the listener goes */
	hosts_run(t, 2 * SEC);
	assert_int_equal(t->raw.count, 1);
	iss = asked(t, 40 * MS);
	hosts_run(t, 50 * MS);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "");
	expect(t, TWIN_RST, iss + 1, 0);
	assert_int_equal(count_events(&t->on_a, EVENT_ACCEPTED), 0);
	hosts_free(t);
}

/* What answers nobody's segments; and to an RST nothing. */
static void what_fits_nowhere_is_reset(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	hosts_reset(t, 1);
	segment_to_a(t, TWIN_SYN, 5000, 0, "");
	expect(t, TWIN_RST | TWIN_ACK, 0, 5001);
	segment_to_a(t, TWIN_FIN | TWIN_ACK, 5000, 77, "data");
	expect(t, TWIN_RST, 77, 0);
	segment_to_a(t, TWIN_RST, 5000, 0, "");
	segment_to_a(t, TWIN_RST | TWIN_ACK, 5000, 77, "");
	assert_int_equal(t->raw.count, 2);
	hosts_free(t);
}

static void a_new_syn_takes_the_place_of_what_is_in_time_wait(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	hosts_reset(t, 1);
	plan_open(&t->on_a, 0, ACTION_TCP_LISTEN, 7, a);
	plan_connect(&t->on_a, 0, 1, a, raw);
	plan_socket(&t->on_a, 50 * MS, ACTION_CLOSE, 1, "");
	uint32_t iss = start_connected(t);
	hosts_run(t, 100 * MS);
	segment_to_a(t, TWIN_FIN | TWIN_ACK, 5001, iss + 2, "");
	expect(t, TWIN_ACK, iss + 2, 5002);
	segment_to_a(t, TWIN_FIN | TWIN_ACK, 5001, iss + 2, ""); /* our ACK was lost */
	expect(t, TWIN_ACK, iss + 2, 5002);
	assert_int_equal(t->raw.count, 5);
	hosts_run(t, 2 * SEC);
	segment_to_a(t, TWIN_SYN, 5000, 0, ""); /* an old one */
	expect(t, TWIN_ACK, iss + 2, 5002);
	segment_to_a(t, TWIN_SYN, 700000, 0, "");
	assert_int_equal(raw_last(t)->flags, SYNACK);
	assert_int_equal(raw_last(t)->acknowledgement, 700001);
	segment_to_a(t, TWIN_ACK, 700001, raw_last(t)->sequence + 1, "");
	assert_int_equal(count_events(&t->on_a, EVENT_ACCEPTED), 1);
	hosts_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_lasts_63_s_and_is_in_the_way_of_a_connect),
		cmocka_unit_test(a_request_is_as_linux_has_it),
		cmocka_unit_test(what_fits_nowhere_is_reset),
		cmocka_unit_test(a_new_syn_takes_the_place_of_what_is_in_time_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

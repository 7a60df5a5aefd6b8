// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP of the twin's hosts, segment by segment: what a host sends to the raw place, and when, is
 * what Linux 6.18 was seen to send there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/twin_raw.h"

/* ---- a wants to connect */

static void a_syn_is_sent_again_as_linux_does_and_given_up_after_131_s(void **state)
{
	static const unsigned at_ms[] = { 0,    1000,  2000,  3000,  4000, 5000,
					  7000, 11000, 19000, 35000, 67000 };
	struct hosts *t = hosts_new(NULL);

	(void)state;
	(void)connecting(t);
	hosts_run(t, 200 * SEC);
	expect_sent_at(t, 0, at_ms, 11);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ETIMEDOUT);
	assert_int_equal(t->on_a.events_us[1], 131 * SEC);
	hosts_free(t);
}

static void icmp_errors_end_an_attempt_to_connect(void **state)
{
	static const struct {
		enum twin_error error;
		int code;
	} cases[] = { { TWIN_PORT_UNREACHABLE, ECONNREFUSED },
		      { TWIN_TIME_EXCEEDED, EHOSTUNREACH },
		      { TWIN_NET_UNREACHABLE, ENETUNREACH } };
	struct hosts *t = hosts_new(NULL);

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		(void)connecting(t);
		if (i % 2 == 1)
			segment_to_a(t, TWIN_SYN, 5000, 0, "");
		error_to_a(t, cases[i / 2].error);
		assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, cases[i / 2].code);
	}
	uint32_t iss = connecting(t);
	segment_to_a(t, SYNACK, 5000, iss + 1, "");
	error_to_a(t, TWIN_PORT_UNREACHABLE);
	assert_int_equal(count_events(&t->on_a, EVENT_CLOSED), 0);
	hosts_free(t);
}

static void what_answers_a_syn_wrongly_is_reset_and_the_syn_sent_again_soon(void **state)
{
	static const unsigned at_ms[] = { 0, 20, 28, 1028 };
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = connecting(t);

	(void)state;
	segment_to_a(t, TWIN_ACK, 5000, iss + 99, "");
	expect(t, TWIN_RST, iss + 99, 0);
	hosts_run(t, 1500 * MS);
	expect(t, TWIN_SYN, iss, 0);
	expect_sent_at(t, 0, at_ms, 4);
	segment_to_a(t, TWIN_RST, 0, 0, "");
	segment_to_a(t, TWIN_RST | TWIN_ACK, 0, iss + 7, "");
	segment_to_a(t, TWIN_ACK, 5000, iss + 1, "");
	assert_int_equal(t->on_a.events_count, 1);
	assert_int_equal(t->raw.count, 4);
	segment_to_a(t, TWIN_RST | TWIN_ACK, 0, iss + 1, "");
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ECONNREFUSED);
	hosts_free(t);
}

static void a_simultaneous_open_is_as_linux_does_it(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = connecting(t);

	(void)state;
	segment_to_a(t, TWIN_SYN, 5000, 0, "");
	expect(t, SYNACK, iss, 5001);
	segment_to_a(t, TWIN_SYN, 5000, 0, "");
	expect(t, TWIN_ACK, iss + 1, 5001);
	segment_to_a(t, TWIN_SYN, 5000000, 0, ""); /* too soon after the last such answer */
	assert_int_equal(t->raw.count, 3);
	segment_to_a(t, TWIN_ACK, 5001, iss + 77, "");
	expect(t, TWIN_RST, iss + 77, 0);
	hosts_run(t, 1100 * MS); /* the SYN's timer has gone on */
	assert_int_equal(t->raw.captured_us[4], SEC);
	expect(t, SYNACK, iss, 5001);
	assert_int_equal(t->on_a.events_count, 1);
	segment_to_a(t, SYNACK, 5000, iss + 1, "");
	expect(t, TWIN_ACK, iss + 1, 5001);
	assert_int_equal(one_event(&t->on_a, EVENT_CONNECTED)->socket, 1);

	(void)connecting(t);
	segment_to_a(t, TWIN_SYN, 5000, 0, "");
	segment_to_a(t, TWIN_RST, 5001, 0, "");
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ECONNRESET);
	hosts_free(t);
}

/* ---- a is connected */

/* The RTO is 220 ms, and strikes twice before it doubles; of more than one the last is sent first,
 * after two round-trips, and then all in one. Ends after the retries are used up. */
static void lost_data_is_sent_again_as_linux_does(void **state)
{
	static const unsigned one_ms[] = { 50, 270, 490, 930, 1810 };
	static const unsigned three_ms[] = { 50, 50, 50, 96, 316, 756 };
	static const uint32_t offsets[] = { 1, 2, 3, 3, 1, 1 };
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	plan_socket(&t->on_a, 50 * MS, ACTION_TCP_SEND, 1, "x");
	(void)start_connected(t);
	hosts_run(t, 2 * SEC);
	expect_sent_at(t, 2, one_ms, 5);
	hosts_run(t, 3000 * SEC);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ETIMEDOUT);
	assert_int_equal(t->raw.count, 2 + 1 + 1 + 15);

	plan_attempt(t);
	for (unsigned i = 0; i < 3; i++)
		plan_socket(&t->on_a, 50 * MS, ACTION_TCP_SEND, 1, "x");
	uint32_t iss = start_connected(t);
	hosts_run(t, SEC);
	expect_sent_at(t, 2, three_ms, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(t->raw.captured[2 + i].sequence, iss + offsets[i]);
	assert_int_equal(raw_last(t)->len, 3);
	hosts_free(t);
}

static void what_does_not_fit_is_answered_and_harms_nothing(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = connected(t);

	(void)state;
	segment_to_a(t, TWIN_SYN, 5000, 0, ""); /* its SYN once more */
	assert_int_equal(t->raw.count, 3);
	expect(t, TWIN_ACK, iss + 1, 5001);
	segment_to_a(t, TWIN_SYN, 8000000, 0, "");
	assert_int_equal(t->raw.count, 3); /* not twice in half a second */
	hosts_run(t, SEC);
	segment_to_a(t, TWIN_RST, 5100, 0, "");
	expect(t, TWIN_ACK, iss + 1, 5001);
	assert_int_equal(t->raw.count, 4);
	segment_to_a(t, TWIN_RST, 5000, 0, "");
	segment_to_a(t, TWIN_ACK, 5001, iss + 1000, "unsent");
	assert_int_equal(t->raw.count, 4);
	segment_to_a(t, TWIN_ACK, 5003, iss + 1, "cd");
	expect(t, TWIN_ACK, iss + 1, 5001);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "abc");
	expect(t, TWIN_ACK, iss + 1, 5005);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "ab");
	segment_to_a(t, TWIN_ACK, 5003, iss + 1, "cdef");
	expect(t, TWIN_ACK, iss + 1, 5007);
	segment_to_a(t, TWIN_ACK, 5008, iss + 1, "h");
	segment_to_a(t, TWIN_ACK, 5009, iss + 1, "i");
	segment_to_a(t, TWIN_ACK, 5007, iss + 1, "g");
	expect(t, TWIN_ACK, iss + 1, 5010);
	assert_int_equal(t->on_a.stream_len, 9);
	assert_memory_equal(t->on_a.stream, "abcdefghi", 9);
	segment_to_a(t, TWIN_RST, 5010, 0, "");
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ECONNRESET);
	hosts_free(t);
}

/* As what was sent in pieces is sent again in one, and its first piece once more. */
static void of_two_early_segments_from_one_place_the_longer_is_kept(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = connected(t);

	(void)state;
	segment_to_a(t, TWIN_ACK, 5003, iss + 1, "c");
	segment_to_a(t, TWIN_ACK, 5003, iss + 1, "cdef");
	segment_to_a(t, TWIN_ACK, 5003, iss + 1, "cd");
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "ab");
	expect(t, TWIN_ACK, iss + 1, 5007);
	assert_int_equal(t->on_a.stream_len, 6);
	assert_memory_equal(t->on_a.stream, "abcdef", 6);
	segment_to_a(t, TWIN_ACK, 5008, iss + 1, "h");
	segment_to_a(t, TWIN_ACK | TWIN_FIN, 5008, iss + 1, "h");
	segment_to_a(t, TWIN_ACK, 5007, iss + 1, "g");
	assert_int_equal(t->on_a.stream_len, 8);
	assert_int_equal(count_events(&t->on_a, EVENT_CLOSED), 1);
	hosts_free(t);
}

static void the_other_sides_end_is_answered_with_ours(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = connected(t);

	(void)state;
	segment_to_a(t, TWIN_FIN | TWIN_ACK, 5001, iss + 1, "bye");
	expect(t, TWIN_FIN | TWIN_ACK, iss + 1, 5005);
	assert_int_equal(t->raw.captured[t->raw.count - 2].flags, TWIN_ACK);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, 0);
	assert_memory_equal(t->on_a.stream, "bye", 3);
	segment_to_a(t, TWIN_ACK, 5005, iss + 2, "");
	segment_to_a(t, TWIN_ACK, 5005, iss + 2, ""); /* gone */
	expect(t, TWIN_RST, iss + 2, 0);
	hosts_free(t);
}

static void both_may_close_at_once(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	plan_socket(&t->on_a, 50 * MS, ACTION_CLOSE, 1, "");
	plan_connect(&t->on_a, 62 * SEC, 2, a, raw);
	uint32_t iss = start_connected(t);
	hosts_run(t, 60 * MS);
	segment_to_a(t, TWIN_FIN | TWIN_ACK, 5001, iss + 1, "");
	expect(t, TWIN_ACK, iss + 2, 5002);
	segment_to_a(t, TWIN_ACK, 5002, iss + 2, "");
	assert_int_equal(t->raw.count, 4);
	hosts_run(t, 63 * SEC);
	assert_int_equal(raw_last(t)->flags, TWIN_SYN);
	assert_int_equal(t->raw.captured_us[4], 62 * SEC);
	hosts_free(t);
}

static void what_is_closed_takes_no_more_data(void **state)
{
	static const unsigned at_ms[] = { 50, 270, 490 };
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	plan_socket(&t->on_a, 50 * MS, ACTION_CLOSE, 1, "");
	uint32_t iss = start_connected(t);
	hosts_run(t, 600 * MS);
	expect_sent_at(t, 2, at_ms, 3);
	expect(t, TWIN_FIN | TWIN_ACK, iss + 1, 5001);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "hello");
	expect(t, TWIN_RST, iss + 1, 0);
	assert_int_equal(count_events(&t->on_a, EVENT_CLOSED), 0);
	hosts_free(t);
}

/* A simultaneous open is a connection already, though its machine does not know. */
static void closing_an_attempt_is_silent_unless_the_syns_have_crossed(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	for (int i = 0; i < 4; i++) {
		plan_attempt(t);
		plan_socket(&t->on_a, 50 * MS, i % 2 == 0 ? ACTION_CLOSE : ACTION_ABORT, 1, "");
		uint32_t iss = start(t);
		if (i >= 2)
			segment_to_a(t, TWIN_SYN, 5000, 0, "");
		hosts_run(t, 500 * MS);
		assert_int_equal(t->raw.count, i < 2 ? 1 : 3);
		if (i >= 2)
			expect(t, TWIN_FIN | TWIN_ACK, iss + 1, 5001);
		hosts_run(t, 1100 * MS);
		if (i < 2)
			segment_to_a(t, SYNACK, 5000, iss + 1, "");
		expect(t, i < 2 ? TWIN_RST : SYNACK, i < 2 ? iss + 1 : iss, i < 2 ? 0 : 5001);
	}
	hosts_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_is_sent_again_as_linux_does_and_given_up_after_131_s),
		cmocka_unit_test(icmp_errors_end_an_attempt_to_connect),
		cmocka_unit_test(what_answers_a_syn_wrongly_is_reset_and_the_syn_sent_again_soon),
		cmocka_unit_test(a_simultaneous_open_is_as_linux_does_it),
		cmocka_unit_test(lost_data_is_sent_again_as_linux_does),
		cmocka_unit_test(what_does_not_fit_is_answered_and_harms_nothing),
		cmocka_unit_test(of_two_early_segments_from_one_place_the_longer_is_kept),
		cmocka_unit_test(the_other_sides_end_is_answered_with_ours),
		cmocka_unit_test(both_may_close_at_once),
		cmocka_unit_test(what_is_closed_takes_no_more_data),
		cmocka_unit_test(closing_an_attempt_is_silent_unless_the_syns_have_crossed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a host of the twin does about segments that are lost, with 20 ms of round-trip: as Linux
 * 6.18 was seen to do, but for the ticks of its clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/twin_raw.h"

static void say(struct hosts *t, unsigned at_ms)
{
	plan_socket(&t->on_a, (uint64_t)at_ms * MS, ACTION_TCP_SEND, 1, "x");
}

/* The raw place has all up to acknowledgement and, if there is any, what is from first to end. */
static void acknowledge(struct hosts *t, uint64_t at_ms, uint32_t acknowledgement, uint32_t first,
			uint32_t end)
{
	struct twin_packet p = { .protocol = TWIN_TCP,
				 .from = raw,
				 .to = a,
				 .flags = TWIN_ACK,
				 .sequence = 5001,
				 .acknowledgement = acknowledgement,
				 .sacks_count = first != end,
				 .sacks = { { first, end } } };

	hosts_run(t, at_ms * MS);
	raw_send(t, p);
	hosts_run(t, at_ms * MS + 1);
}

static void expect_last(struct hosts *t, size_t count, unsigned at_ms, uint32_t sequence,
			unsigned len)
{
	assert_int_equal(t->raw.count, count);
	assert_int_equal(t->raw.captured_us[count - 1] / MS, at_ms);
	assert_int_equal(raw_last(t)->sequence, sequence);
	assert_int_equal(raw_last(t)->len, len);
}

static void what_was_overtaken_is_sent_again_after_a_reordering_window(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	say(t, 50);
	say(t, 50);
	uint32_t iss = start_connected(t);
	acknowledge(t, 70, iss + 1, iss + 2, iss + 3);
	assert_int_equal(t->raw.count, 4);
	hosts_run(t, 90 * MS);
	expect_last(t, 5, 81, iss + 1, 1); /* 5 ms, and what a timer takes */
	hosts_run(t, 295 * MS);
	assert_int_equal(t->raw.count, 5);
	hosts_run(t, 305 * MS);
	expect_last(t, 6, 301, iss + 1, 1); /* the RTO */
	hosts_free(t);
}

static void what_was_overtaken_long_ago_is_sent_again_at_once(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	say(t, 50);
	say(t, 80);
	uint32_t iss = start_connected(t);
	acknowledge(t, 100, iss + 1, iss + 2, iss + 3);
	expect_last(t, 5, 100, iss + 1, 1);
	hosts_free(t);
}

static void of_five_the_first_is_sent_again_as_soon_as_three_are_there(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	for (unsigned i = 0; i < 5; i++)
		say(t, 50);
	uint32_t iss = start_connected(t);
	acknowledge(t, 70, iss + 1, iss + 2, iss + 4);
	assert_int_equal(t->raw.count, 7);
	acknowledge(t, 70, iss + 1, iss + 2, iss + 5);
	expect_last(t, 8, 70, iss + 1, 1);
	hosts_free(t);
}

static void the_first_two_of_three_come_again_in_one(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	for (unsigned i = 0; i < 3; i++)
		say(t, 50);
	uint32_t iss = start_connected(t);
	acknowledge(t, 70, iss + 1, iss + 3, iss + 4);
	hosts_run(t, 90 * MS);
	expect_last(t, 6, 81, iss + 1, 2);
	hosts_free(t);
}

static void a_probe_that_came_shows_what_was_lost_before_it(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	say(t, 50);
	say(t, 50);
	uint32_t iss = start_connected(t);
	hosts_run(t, 100 * MS);
	expect_last(t, 5, 96, iss + 2, 1);
	acknowledge(t, 116, iss + 1, iss + 2, iss + 3);
	expect_last(t, 6, 116, iss + 1, 1);
	hosts_free(t);
}

static void no_probe_follows_one_that_something_was_lost_before(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_attempt(t);
	say(t, 50);
	say(t, 350);
	uint32_t iss = start_connected(t);
	acknowledge(t, 290, iss + 2, 0, 0); /* the probe came at 270 */
	hosts_run(t, 600 * MS);
	expect_last(t, 6, 574, iss + 2, 1);
	hosts_run(t, 1000 * MS);
	assert_int_equal(t->raw.count, 6); /* that was the RTO, and it has doubled */
	hosts_run(t, 1020 * MS);
	expect_last(t, 7, 1014, iss + 2, 1);
	hosts_free(t);
}

static void new_data_is_held_back_while_little_may_be_under_way(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		unsigned resent_ms = i == 0 ? 490 : 100;
		plan_attempt(t);
		say(t, 50);
		if (i == 1)
			say(t, 80);
		say(t, resent_ms + 2);
		say(t, resent_ms + 4);
		uint32_t iss = start_connected(t);
		if (i == 1)
			acknowledge(t, 100, iss + 1, iss + 2, iss + 3);
		hosts_run(t, (resent_ms + 19) * (uint64_t)MS);
		expect_last(t, 5, resent_ms, iss + 1, 1);
		acknowledge(t, resent_ms + 20, iss + 2 + i, 0, 0);
		expect_last(t, 6, resent_ms + 20, iss + 2 + i, 2);
	}
	hosts_free(t);
}

static void what_came_early_or_twice_is_told(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint32_t iss = connected(t);

	(void)state;
	segment_to_a(t, TWIN_ACK, 5002, iss + 1, "b");
	segment_to_a(t, TWIN_ACK, 5004, iss + 1, "d");
	segment_to_a(t, TWIN_ACK, 5005, iss + 1, "e");
	const struct twin_packet *p = raw_last(t);
	assert_int_equal(p->acknowledgement, 5001);
	assert_int_equal(p->sacks_count, 2);
	assert_int_equal(p->sacks[0].first, 5004);
	assert_int_equal(p->sacks[0].end, 5006);
	assert_int_equal(p->sacks[1].first, 5002);
	assert_int_equal(p->sacks[1].end, 5003);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "abcde");
	assert_int_equal(raw_last(t)->sacks_count, 0);
	segment_to_a(t, TWIN_ACK, 5001, iss + 1, "ab");
	p = raw_last(t);
	assert_int_equal(p->acknowledgement, 5006);
	assert_int_equal(p->sacks_count, 1);
	assert_int_equal(p->sacks[0].first, 5001);
	assert_int_equal(p->sacks[0].end, 5003);
	hosts_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_overtaken_is_sent_again_after_a_reordering_window),
		cmocka_unit_test(what_was_overtaken_long_ago_is_sent_again_at_once),
		cmocka_unit_test(of_five_the_first_is_sent_again_as_soon_as_three_are_there),
		cmocka_unit_test(the_first_two_of_three_come_again_in_one),
		cmocka_unit_test(a_probe_that_came_shows_what_was_lost_before_it),
		cmocka_unit_test(no_probe_follows_one_that_something_was_lost_before),
		cmocka_unit_test(new_data_is_held_back_while_little_may_be_under_way),
		cmocka_unit_test(what_came_early_or_twice_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

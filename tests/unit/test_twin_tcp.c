// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP between the twin's hosts; test_twin_segments.c looks at the segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/twin_hosts.h"

#define MS  1000u
#define SEC 1000000u

static const struct endpoint a = { A_ADDR, 1000 }, b = { B_ADDR, 2000 }, raw = { RAW_ADDR, 9 };

static void a_connection_is_accepted_carries_data_and_is_closed_in_order(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	t->on_b.answer = "from b";
	plan_open(&t->on_b, 0, ACTION_TCP_LISTEN, 7, b);
	plan_connect(&t->on_a, 10, 1, (struct endpoint){ 0 }, b);
	plan_socket(&t->on_a, 20, ACTION_TCP_SEND, 1, "from a");
	plan_socket(&t->on_a, 30, ACTION_TCP_SEND, 1, ", more");
	plan_socket(&t->on_a, 30, ACTION_CLOSE, 1, "");
	hosts_run(t, SEC);
	const struct event *connected = one_event(&t->on_a, EVENT_CONNECTED),
			   *accepted = one_event(&t->on_b, EVENT_ACCEPTED),
			   *closed = one_event(&t->on_b, EVENT_CLOSED);
	assert_int_equal(connected->socket, 1);
	assert_int_equal(accepted->listener, 7);
	assert_int_equal(accepted->socket, SOCKET_ACCEPTED);
	assert_true(endpoint_equal(accepted->remote, connected->local));
	assert_true(endpoint_equal(accepted->local, b) && endpoint_equal(connected->remote, b));
	assert_int_equal(closed->socket, SOCKET_ACCEPTED);
	assert_int_equal(closed->error, 0);
	assert_int_equal(t->on_b.stream_len, 12);
	assert_memory_equal(t->on_b.stream, "from a, more", 12);
	assert_memory_equal(t->on_a.stream, "from b", 6);
	assert_int_equal(count_events(&t->on_a, EVENT_CLOSED), 0);
	hosts_free(t);
}

static void an_aborted_connection_is_reset_and_a_closed_port_refuses(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_b, 0, ACTION_TCP_LISTEN, 7, b);
	plan_connect(&t->on_a, 10, 1, a, b);
	plan_socket(&t->on_a, 20, ACTION_ABORT, 1, "");
	plan_connect(&t->on_a, 30, 1, a, b); /* its number and its port are free at once */
	plan_connect(&t->on_a, 40, 2, a, (struct endpoint){ B_ADDR, 1 });
	hosts_run(t, SEC);
	assert_int_equal(one_event(&t->on_b, EVENT_CLOSED)->error, ECONNRESET);
	assert_int_equal(count_events(&t->on_a, EVENT_CONNECTED), 2);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ECONNREFUSED);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->socket, 2);
	hosts_free(t);
}

/* Of the two connections that could be, one comes about, whatever the delay and the skew: where
 * the SYNs cross on the way it is a simultaneous open, and it always carries data. */
static void syns_that_cross_make_one_connection(void **state)
{
	static const uint64_t delays_us[] = { 0, 5 * MS, 100 * MS },
			      skews_us[] = { 0, 1, 3 * MS, 9 * MS };

	(void)state;
	for (size_t n = 0; n < 3 * 4 * 2; n++) {
		struct link_profile link = { .hops = 1 };
		uint64_t skew_us = skews_us[n / 2 % 4];
		bool listen = n % 2;

		link.up.delay_us = delays_us[n / 8];
		struct hosts *t = hosts_new(&link);
		bool crossing = skew_us < link.up.delay_us;
		for (int i = 0; i < 2; i++) {
			struct scripted *m = i == 0 ? &t->on_a : &t->on_b;

			m->answer = "hello";
			if (listen)
				plan_open(m, 0, ACTION_TCP_LISTEN, 7, i == 0 ? a : b);
			plan_connect(m, 10 * MS + (i == 1 ? skew_us : 0), 1, i == 0 ? a : b,
				     i == 0 ? b : a);
		}
		hosts_run(t, 60 * SEC);
		unsigned connected = count_events(&t->on_a, EVENT_CONNECTED) +
				     count_events(&t->on_b, EVENT_CONNECTED);
		unsigned accepted = count_events(&t->on_a, EVENT_ACCEPTED) +
				    count_events(&t->on_b, EVENT_ACCEPTED);
		if (crossing) {
			assert_int_equal(connected, 2);
			assert_int_equal(accepted, 0);
		} else if (listen) {
			/* b has a request when it wants to connect */
			assert_int_equal(connected, 1);
			assert_int_equal(accepted, 1);
			assert_int_equal(one_event(&t->on_b, EVENT_CLOSED)->error, EADDRNOTAVAIL);
		} else {
			/* refused; b's then finds nobody either */
			assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, ECONNREFUSED);
			assert_int_equal(one_event(&t->on_b, EVENT_CLOSED)->error, ECONNREFUSED);
		}
		if (crossing || listen) {
			assert_memory_equal(t->on_a.stream, "hello", 5);
			assert_memory_equal(t->on_b.stream, "hello", 5);
			assert_int_equal(t->on_a.stream_len + t->on_b.stream_len, 10);
		}
		hosts_free(t);
	}
}

/* Nearly two of ten segments are lost on their way. */
static void streams_come_whole_and_in_order_through_loss_and_reordering(void **state)
{
	static const struct link_params bad = { .delay_us = 20 * MS,
						.loss = 0.1,
						.reorder = 0.2,
						.reorder_us = 15 * MS,
						.duplicate = 0.05 };
	const struct link_profile link = { .hops = 1, .up = bad, .down = bad };
	struct hosts *t = hosts_new(&link);

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		char sent[60 * 3 + 1] = "";

		hosts_reset(t, seed);
		plan_open(&t->on_b, 0, ACTION_TCP_LISTEN, 7, b);
		plan_connect(&t->on_a, 10, 1, a, b);
		for (unsigned i = 0; i < 60; i++) {
			char text[4] = { (char)('0' + i / 10), (char)('0' + i % 10), ' ', 0 };

			memcpy(sent + 3 * (size_t)i, text, 4);
			plan_socket(&t->on_a, 100 * SEC + i * 2 * MS, ACTION_TCP_SEND, 1, text);
		}
		plan_socket(&t->on_a, 800 * SEC, ACTION_CLOSE, 1, "");
		hosts_run(t, 1000 * SEC);
		if (t->on_b.stream_len != strlen(sent) ||
		    memcmp(t->on_b.stream, sent, strlen(sent)) != 0)
			fail_msg("seed %d: %.*s", (int)seed, (int)t->on_b.stream_len,
				 t->on_b.stream);
		assert_int_equal(one_event(&t->on_b, EVENT_CLOSED)->error, 0);
	}
	hosts_free(t);
}

static void a_listener_with_the_very_address_goes_before_one_with_all(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	for (uint32_t first = 7; first <= 8; first++) {
		hosts_reset(t, 1);
		for (uint32_t i = 0; i < 2; i++) {
			uint32_t socket = i == 0 ? first : 15 - first;
			struct endpoint local = { socket == 7 ? B_ADDR : 0, b.port };

			plan_open(&t->on_b, 0, ACTION_TCP_LISTEN, socket, local);
		}
		plan_connect(&t->on_a, 10, 1, a, b);
		hosts_run(t, 20);
		assert_int_equal(one_event(&t->on_b, EVENT_ACCEPTED)->listener, 7);
	}
	hosts_free(t);
}

static void what_is_in_time_wait_keeps_its_endpoints_for_a_minute(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_b, 0, ACTION_TCP_LISTEN, 7, b);
	plan_connect(&t->on_a, 10, 1, a, b);
	plan_socket(&t->on_a, 20, ACTION_CLOSE, 1, "");
	plan_connect(&t->on_a, 59 * SEC, 2, a, b);
	plan_connect(&t->on_a, 61 * SEC, 3, a, b);
	hosts_run(t, 70 * SEC);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->socket, 2);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, EADDRNOTAVAIL);
	assert_int_equal(count_events(&t->on_a, EVENT_CONNECTED), 2);
	hosts_free(t);
}

/* As loop_run() leaves them: connections end in order, attempts and listeners in silence. */
static void what_a_machine_that_is_done_leaves_is_closed(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_b, 0, ACTION_TCP_LISTEN, 7, b);
	plan_connect(&t->on_a, 10, 1, a, b);
	plan_connect(&t->on_a, 10, 2, a, raw);
	plan_open(&t->on_a, 10, ACTION_TCP_LISTEN, 3, a);
	plan_socket(&t->on_a, 20, ACTION_DONE, 0, "");
	hosts_run(t, 10 * SEC);
	assert_int_equal(one_event(&t->on_b, EVENT_CLOSED)->error, 0);
	assert_int_equal(t->raw.count, 1);
	raw_send(t, (struct twin_packet){
			    .protocol = TWIN_TCP, .from = raw, .to = a, .flags = TWIN_SYN });
	hosts_run(t, 11 * SEC);
	assert_int_equal(t->raw.count, 2);
	assert_int_equal(raw_last(t)->flags, TWIN_RST | TWIN_ACK);
	hosts_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_accepted_carries_data_and_is_closed_in_order),
		cmocka_unit_test(an_aborted_connection_is_reset_and_a_closed_port_refuses),
		cmocka_unit_test(syns_that_cross_make_one_connection),
		cmocka_unit_test(streams_come_whole_and_in_order_through_loss_and_reordering),
		cmocka_unit_test(a_listener_with_the_very_address_goes_before_one_with_all),
		cmocka_unit_test(what_is_in_time_wait_keeps_its_endpoints_for_a_minute),
		cmocka_unit_test(what_a_machine_that_is_done_leaves_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

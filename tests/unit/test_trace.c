// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps of machines as lines of text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "peers/core/trace.h"

static const struct endpoint here = { 0x0a010002, 40000 }, there = { 0xc6336402, 6000 };

static void assert_event(const struct event *ev, const char *expected)
{
	CLEANUP(buf) struct buf text = BUF_INIT;

	trace_event(1000, 1234, ev, &text);
	assert_string_equal(buf_text(&text), expected);
}

static void an_event_is_written_with_what_its_kind_has(void **state)
{
	struct event ev = { .socket = 7,
			    .listener = 2,
			    .local = here,
			    .remote = there,
			    .error = 111,
			    .data = (const uint8_t *)"\x00\x7f\xff",
			    .len = 3 };

	(void)state;
	static const char *const expected[] = {
		[EVENT_START] = "\"start\"",
		[EVENT_TIMER] = "\"timer\"",
		[EVENT_OPENED] = "\"opened\",\"socket\":7,\"local\":\"10.1.0.2:40000\"",
		[EVENT_DATAGRAM] = "\"datagram\",\"socket\":7,\"local\":\"10.1.0.2:40000\","
				   "\"remote\":\"198.51.100.2:6000\",\"data\":\"007fff\"",
		[EVENT_CONNECTED] = "\"connected\",\"socket\":7,\"local\":\"10.1.0.2:40000\","
				    "\"remote\":\"198.51.100.2:6000\"",
		[EVENT_ACCEPTED] = "\"accepted\",\"socket\":7,\"listener\":2,"
				   "\"local\":\"10.1.0.2:40000\",\"remote\":\"198.51.100.2:6000\"",
		[EVENT_DATA] = "\"data\",\"socket\":7,\"local\":\"10.1.0.2:40000\","
			       "\"remote\":\"198.51.100.2:6000\",\"data\":\"007fff\"",
		[EVENT_CLOSED] = "\"closed\",\"socket\":7,\"error\":111",
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		CLEANUP(buf) struct buf line = BUF_INIT;

		ev.kind = (enum event_kind)i;
		assert_non_null(trace_event_kind(i));
		buf_printf(&line, "{\"at_us\":234,\"event\":{\"kind\":%s}", expected[i]);
		assert_event(&ev, buf_text(&line));
	}
	assert_null(trace_event_kind(sizeof(expected) / sizeof(expected[0])));
}

static void actions_are_written_with_what_their_kinds_have(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct actions out = { .count = 0 };

	(void)state;
	act_udp_open(&out, 1, here);
	act_udp_send(&out, 1, there, "ab", 2);
	act_tcp_listen(&out, 2, here);
	act_tcp_connect(&out, 16, here, there);
	act_tcp_send(&out, 16, "c", 1);
	act_close(&out, 2);
	act_abort(&out, 16);
	act_done(&out, 1);
	assert_non_null(trace_action_kind(out.count - 1));
	assert_null(trace_action_kind(out.count));
	trace_actions(&out, 5, &text);
	assert_string_equal(
		buf_text(&text),
		",\"actions\":[{\"kind\":\"udp_open\",\"socket\":1,\"local\":\"10.1.0.2:40000\"},"
		"{\"kind\":\"udp_send\",\"socket\":1,\"remote\":\"198.51.100.2:6000\","
		"\"data\":\"6162\"},"
		"{\"kind\":\"tcp_listen\",\"socket\":2,\"local\":\"10.1.0.2:40000\"},"
		"{\"kind\":\"tcp_connect\",\"socket\":16,\"local\":\"10.1.0.2:40000\","
		"\"remote\":\"198.51.100.2:6000\"},"
		"{\"kind\":\"tcp_send\",\"socket\":16,\"data\":\"63\"},"
		"{\"kind\":\"close\",\"socket\":2},{\"kind\":\"abort\",\"socket\":16},"
		"{\"kind\":\"done\",\"status\":1}],\"wake_us\":5}\n");
	buf_clear(&text);
	trace_actions(&(struct actions){ .count = 0 }, NEVER, &text);
	assert_string_equal(buf_text(&text), ",\"actions\":[],\"wake_us\":null}\n");
}

static void the_first_line_has_all_that_a_strategy_is_told(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct strategy_config config = { .tcp = true,
					  .role = 'b',
					  .server = here,
					  .server_alt = there,
					  .session = { 0xff, '"' },
					  .session_len = 2,
					  .local_addr = 0x0a010002,
					  .local_port = 65535,
					  .nonce = 1,
					  .seed = UINT64_MAX,
					  .start_delay_us = 3,
					  .give_up_us = 4 };

	(void)state;
	trace_begin("punch", &config, 99, &text);
	assert_string_equal(buf_text(&text),
			    "{\"natsim_trace\":1,\"version\":\"" NATSIM_VERSION
			    "\",\"strategy\":\"punch\","
			    "\"start_us\":99,\"config\":{\"transport\":\"tcp\",\"role\":\"b\","
			    "\"server\":\"10.1.0.2:40000\",\"server_alt\":\"198.51.100.2:6000\","
			    "\"session\":\"ff22\",\"local_addr\":\"10.1.0.2\",\"local_port\":65535,"
			    "\"nonce\":\"0000000000000001\",\"seed\":\"ffffffffffffffff\","
			    "\"start_delay_us\":3,\"give_up_us\":4}}\n");
}

static void a_wake_is_counted_from_the_start_and_never_stays_never(void **state)
{
	(void)state;
	assert_true(trace_wake_us(1000, NEVER) == NEVER);
	assert_true(trace_wake_us(1000, 1500) == 500);
	assert_true(trace_wake_us(1000, 1000) == 0);
	assert_true(trace_wake_us(1000, 7) == 0);
}

static void items_are_equal_if_all_that_they_have_is(void **state)
{
	static const uint8_t data[] = "ab", same[] = "ab", other[] = "ac";
	const struct trace_item item = { .kind = trace_action_kind(ACTION_UDP_SEND),
					 .socket = 1,
					 .remote = there,
					 .data = data,
					 .len = 2 };
	struct trace_item items[7];

	(void)state;
	for (size_t i = 0; i < 7; i++)
		items[i] = item;
	items[0].data = same;
	assert_true(trace_item_equal(&item, &items[0]));
	items[1].data = other;
	items[2].len = 1;
	items[3].socket = 2;
	items[4].remote = here;
	items[5].kind = trace_action_kind(ACTION_TCP_SEND);
	items[6].status = 1;
	for (size_t i = 1; i < 7; i++)
		assert_false(trace_item_equal(&item, &items[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_written_with_what_its_kind_has),
		cmocka_unit_test(actions_are_written_with_what_their_kinds_have),
		cmocka_unit_test(the_first_line_has_all_that_a_strategy_is_told),
		cmocka_unit_test(a_wake_is_counted_from_the_start_and_never_stays_never),
		cmocka_unit_test(items_are_equal_if_all_that_they_have_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Traces that are run again, as they were and spoilt. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/experiment/replay.h"
#include "tests/twin_trace.h"

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void a_trace_runs_again_as_it_was_recorded(void **state)
{
	static const struct {
		const char *strategy;
		bool tcp;
	} runs[] = {
		{ "punch", false }, { "punch", true }, { "classify", false }, { "classify", true }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		CLEANUP(buf) struct buf trace = BUF_INIT;
		CLEANUP(buf) struct buf out = BUF_INIT;
		CLEANUP(buf) struct buf expected = BUF_INIT;

		twin_trace_record(runs[i].strategy, runs[i].tcp, &trace);
		size_t lines = count_lines(buf_text(&trace));
		assert_true(lines > 8);
		buf_printf(&expected, "%zu steps, all as recorded\n", lines - 1);
		assert_int_equal(replay_run("x", trace.data, trace.len, &out, NULL), 0);
		assert_string_equal(buf_text(&out), buf_text(&expected));
	}
}

/* Where the n-th line begins, from 1. */
static char *line_at(char *text, size_t n)
{
	for (; n > 1; n--)
		text = strchr(text, '\n') + 1;
	return text;
}

/* The trace differs at that line, and these words say how. */
static void assert_differs(const struct buf *trace, size_t line, const char *words)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	CLEANUP(buf) struct buf place = BUF_INIT;

	buf_printf(&place, "x:%zu: step %zu, at ", line, line - 1);
	assert_int_equal(replay_run("x", trace->data, trace->len, &out, NULL), ERR_RESULT);
	if (strncmp(buf_text(&out), buf_text(&place), place.len) != 0 ||
	    strstr(buf_text(&out), words) == NULL)
		fail_msg("%s... %s was expected in: %s", buf_text(&place), words, buf_text(&out));
}

/* Changes one digit of each line that has data sent, in turn. */
static void an_altered_action_is_reported_at_its_line(void **state)
{
	CLEANUP(buf) struct buf trace = BUF_INIT;
	size_t altered = 0;

	(void)state;
	twin_trace_record("punch", false, &trace);
	for (size_t n = 2; n <= count_lines(trace.data); n++) {
		char *line = line_at(trace.data, n), *end = strchr(line, '\n');
		char *action = strstr(line, "\"udp_send\"");
		char *last = action == NULL || action > end ? NULL : strstr(action, "\"}") - 1;

		if (last == NULL)
			continue;
		char was = *last;
		*last = was == '0' ? '1' : '0';
		assert_differs(&trace, n, "\n  recorded  action 1 of ");
		*last = was;
		altered++;
	}
	assert_true(altered >= 3);
}

static void replace(struct buf *trace, const char *from, const char *to)
{
	CLEANUP(buf) struct buf changed = BUF_INIT;
	const char *at = strstr(buf_text(trace), from);

	if (at == NULL)
		fail_msg("%s is not in the trace", from);
	buf_add(&changed, trace->data, (size_t)(at - trace->data));
	buf_puts(&changed, to);
	buf_puts(&changed, at + strlen(from));
	buf_clear(trace);
	buf_add(trace, changed.data, changed.len);
}

struct alteration {
	const char *from, *to;
	size_t line;
	const char *words;
};

/* What a strategy that was changed in the meantime would do. */
static const struct alteration alterations[] = {
	{ "[{\"kind\":\"udp_open\",\"socket\":1", "[{\"kind\":\"udp_open\",\"socket\":2", 2,
	  "recorded  action 1 of 1: udp_open 2, local 10.1.0.2:0\n  now       action 1 of 1: "
	  "udp_open 1, local 10.1.0.2:0\n" },
	{ "[{\"kind\":\"udp_open\",\"socket\":1,\"local\":\"10.1.0.2:0\"}]", "[]", 2,
	  "recorded  action 1 of 0: nothing\n" },
	{ "\"local\":\"10.1.0.2:0\"}]",
	  "\"local\":\"10.1.0.2:0\"},{\"kind\":\"done\",\"status\":1}]", 2,
	  "recorded  action 2 of 2: done, status 1\n  now       action 2 of 1: nothing\n" },
	{ "\"wake_us\":10000000", "\"wake_us\":10000001", 2,
	  "recorded  wants to be woken: 10000.001 ms\n  now       wants to be woken: 10000.000 "
	  "ms\n" },
	{ "\"wake_us\":10000000", "\"wake_us\":null", 2, "recorded  wants to be woken: never\n" },
	{ "\"seed\":\"0000000000000000\"", "\"seed\":\"0000000000000001\"", 3, "udp_send 1" },
	{ "\"version\":\"", "\"version\":\"9.", 0, NULL },
};

static void whatever_differs_first_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(alterations) / sizeof(alterations[0]); i++) {
		const struct alteration *a = &alterations[i];
		CLEANUP(buf) struct buf trace = BUF_INIT;
		CLEANUP(buf) struct buf out = BUF_INIT;

		twin_trace_record("punch", false, &trace);
		replace(&trace, a->from, a->to);
		if (a->line != 0)
			assert_differs(&trace, a->line, a->words);
		else
			assert_int_equal(replay_run("x", trace.data, trace.len, &out, NULL), 0);
	}
}

/* A timer that another configuration sets is what a changed constant would be. */
static void a_changed_timer_is_found_and_the_versions_are_named(void **state)
{
	CLEANUP(buf) struct buf trace = BUF_INIT;
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	twin_trace_record("punch", false, &trace);
	replace(&trace, "\"start_delay_us\":0", "\"start_delay_us\":1000");
	replace(&trace, "\"version\":\"" NATSIM_VERSION "\"", "\"version\":\"0.0.1\"");
	assert_int_equal(replay_run("x", trace.data, trace.len, &out, NULL), ERR_RESULT);
	assert_non_null(strstr(buf_text(&out), "\n  now       "));
	assert_non_null(strstr(buf_text(&out),
			       "\n  recorded by natsim 0.0.1; this is natsim " NATSIM_VERSION
			       "\n"));
}

static void a_step_that_the_peer_did_not_survive_is_run(void **state)
{
	CLEANUP(buf) struct buf trace = BUF_INIT;
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	twin_trace_record("punch", false, &trace);
	char *end = strstr(line_at(trace.data, 4), ",\"actions\"");
	assert_int_equal(replay_run("x", trace.data, (size_t)(end - trace.data), &out, NULL), 0);
	assert_string_equal(buf_text(&out),
			    "2 steps, all as recorded\n"
			    "The peer ended within the step after them; here it is got over.\n");
	buf_clear(&out);
	assert_int_equal(replay_print("x", trace.data, (size_t)(end - trace.data), &out, NULL), 0);
	assert_non_null(strstr(buf_text(&out), "the peer ended within this step\n"));
}

static void a_trace_is_printed_as_a_time_line(void **state)
{
	CLEANUP(buf) struct buf trace = BUF_INIT;
	CLEANUP(buf) struct buf out = BUF_INIT;
	static const char *const parts[] = {
		"punch over udp, role a, rendezvous 203.0.113.1:3478, natsim ",
		"         0.000 ms  start\n                  > udp_open 1, local 10.1.0.2:0\n",
		"wake at 10000.000 ms\n",
		"  opened 1, local 10.1.0.2:39659\n",
		"(STUN introduce request) ",
		"        20.000 ms  datagram 1, local 10.1.0.2:39659, remote 203.0.113.1:3478, ",
		"(STUN introduce success) ",
		"> udp_send 1, remote 198.51.100.2:65044, 32 bytes (probe) ",
		"(nomination) ",
		"(nomination accepted) ",
		"> close 1\n",
		"> done, status 0\n",
	};

	(void)state;
	twin_trace_record("punch", false, &trace);
	assert_int_equal(replay_print("x", trace.data, trace.len, &out, NULL), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(buf_text(&out), parts[i]) == NULL)
			fail_msg("no \"%s\" in: %s", parts[i], buf_text(&out));
}

/* ---- what is no trace */

struct spoilt {
	const char *from, *to, *error;
};

#define STEP_KIND "{\"at_us\":0,\"event\":{\"kind\":\"start\"}"
#define OPENED    "{\"kind\":\"opened\",\"socket\":1"
#define OPEN      "{\"kind\":\"udp_open\",\"socket\":1"

static const struct spoilt spoilts[] = {
	{ "{\"natsim_trace\":1,", "{", "x:1: this is not a trace of a peer" },
	{ "{\"natsim_trace\":1", "{\"natsim_trace\":2", "x:1: the trace has format 2" },
	{ "{\"natsim_trace\":1", "{\"natsim_trace\":-1", "x:1: \"natsim_trace\" is not in 0 to" },
	{ "{\"natsim_trace\":1", "[\"natsim_trace\",1", "x:1: not a line of JSON: " },
	{ "\"version\":\"", "\"version\":\"\\u001b", "x:1: \"version\" is not that of a natsim" },
	{ "\"strategy\":\"punch\"", "\"strategy\":\"luck\"", "x:1: no strategy \"luck\"" },
	{ "\"start_us\":1000", "\"start_us\":9007199254740993",
	  "x:1: \"start_us\" is not in 0 to 9007199254740992" },
	{ "\"start_us\":1000", "\"start_us\":99999999999999999999", "x:1: not a line of JSON: " },
	{ "\"start_us\":1000", "\"start_us\":1e3", "\"start_us\" is missing, or not a whole" },
	{ "\"config\":{", "\"config\":7,\"other\":{",
	  "x:1: \"config\" is missing, or not an object" },
	{ "\"config\":{", "\"config\":{\"ttl\":7,",
	  "x:1: \"config\" has something that is not known" },
	{ "\"transport\":\"udp\"", "\"transport\":\"sctp\"",
	  "\"transport\" is neither udp nor tcp" },
	{ "\"role\":\"a\"", "\"role\":\"\"", "x:1: \"role\" is neither a nor b" },
	{ "\"role\":\"a\"", "\"role\":\"ab\"", "x:1: \"role\" is neither a nor b" },
	{ "\"server\":\"203.0.113.1:3478\"", "\"server\":\"203.0.113.1\"",
	  "x:1: \"server\" is not ADDRESS:PORT" },
	{ "\"server\":\"203.0.113.1:3478\"", "\"server\":\"0.0.0.0:0\"",
	  "x:1: \"server\" is no endpoint of a server" },
	{ "\"server_alt\":\"203.0.113.2:3479\"", "\"server_alt\":\"203.0.113.2:0\"",
	  "x:1: \"server_alt\" is no endpoint of a server" },
	{ "\"session\":\"73", "\"session\":\"7", "x:1: \"session\" has half a byte" },
	{ "\"session\":\"73", "\"session\":\"7G",
	  "x:1: \"session\" is not in digits 0 to 9 and a to f" },
	{ "\"session\":\"73657373696f6e\"", "\"session\":\"\"", "x:1: \"session\" is empty" },
	{ "\"local_addr\":\"10.1.0.2\"", "\"local_addr\":\"10.1.0.256\"",
	  "\"local_addr\" is not an" },
	{ "\"local_port\":0", "\"local_port\":65536", "\"local_port\" is not in 0 to 65535" },
	{ "\"nonce\":\"a5a5000000000001\"", "\"nonce\":\"0000000000000000\"",
	  "x:1: \"nonce\" is 0" },
	{ "\"nonce\":\"a5a5000000000001\"", "\"nonce\":\"a5\"",
	  "x:1: \"nonce\" has not 16 digits" },
	{ "\"give_up_us\":10000000", "\"give_up_us\":-1", "x:1: \"give_up_us\" is not in 0 to" },
	{ STEP_KIND, "{\"at_us\":-5,\"event\":{\"kind\":\"start\"}",
	  "x:2: \"at_us\" is not in 0 to" },
	{ STEP_KIND, "{\"at_us\":5,\"event\":{\"kind\":\"start\"}",
	  "x:3: \"at_us\" is before that" },
	{ STEP_KIND, "{\"at_us\":0,\"event\":{\"kind\":\"timer\"}",
	  "x:2: the first step, and no other, is \"start\"" },
	{ STEP_KIND, "{\"at_us\":0,\"event\":{\"kind\":\"rain\"}",
	  "x:2: nothing is of kind \"rain\" here" },
	{ STEP_KIND, "{\"at_us\":0,\"event\":{\"kind\":\"start\",\"socket\":1}",
	  "x:2: \"start\" has something that it cannot have" },
	{ STEP_KIND, "{\"at_us\":0,\"why\":1,\"event\":{\"kind\":\"start\"}",
	  "x:2: the step has something that is not known here" },
	{ STEP_KIND, "{\"at_us\":0,\"at_us\":0,\"event\":{\"kind\":\"start\"}",
	  "x:2: not a line of" },
	{ OPENED, "{\"kind\":\"opened\",\"socket\":65536",
	  "x:3: \"socket\" 65536 is not below 65536" },
	{ OPENED, "{\"kind\":\"opened\",\"socket\":4294967296",
	  "x:3: \"socket\" is not in 0 to 4294967295" },
	{ OPENED, "{\"kind\":\"accepted\",\"remote\":\"1.2.3.4:5\",\"listener\":2,\"socket\":1",
	  "x:3: \"socket\" 1 of an accepted connection is below 65536" },
	{ OPENED,
	  "{\"kind\":\"accepted\",\"remote\":\"1.2.3.4:5\",\"listener\":65536,\"socket\":65536",
	  "x:3: \"listener\" 65536 is not below 65536" },
	{ OPENED, "{\"kind\":\"closed\",\"socket\":1,\"error\":4096",
	  "x:3: \"error\" is not in 0 to 4095" },
	{ OPENED, "{\"kind\":\"opened\"", "x:3: \"socket\" is missing, or not a whole number" },
	{ "\"actions\":[", "\"actions\":{},\"x\":[",
	  "x:2: \"actions\" are missing, or not an array" },
	{ "\"actions\":[", "\"actions\":[null,", "x:2: an action is not an object" },
	{ OPEN, "{\"kind\":\"opened\",\"socket\":1", "x:2: nothing is of kind \"opened\" here" },
	{ OPEN, "{\"kind\":\"done\",\"status\":256},{\"socket\":1",
	  "\"status\" is not in 0 to 255" },
	{ "\"wake_us\":10000000", "\"wake_us\":-1", "x:2: \"wake_us\" is not in 0 to" },
	{ "\"wake_us\":10000000", "\"wake_us\":\"never\"", "x:2: \"wake_us\" is missing, or not" },
};

static void assert_no_trace(const struct buf *trace, const char *error)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	struct err e = { .kind = ERR_NONE };

	assert_int_equal(replay_run("x", buf_text(trace), trace->len, &out, &e), -EINVAL);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(out.len, 0);
	if (strstr(e.text, error) == NULL)
		fail_msg("\"%s\" was expected, not \"%s\"", error, e.text);
}

static void what_is_no_trace_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spoilts) / sizeof(spoilts[0]); i++) {
		CLEANUP(buf) struct buf trace = BUF_INIT;

		twin_trace_record("punch", false, &trace);
		replace(&trace, spoilts[i].from, spoilts[i].to);
		assert_no_trace(&trace, spoilts[i].error);
	}
}

static void what_is_too_large_for_a_step_is_refused(void **state)
{
	CLEANUP(buf) struct buf digits = BUF_INIT;
	CLEANUP(buf) struct buf many = BUF_INIT;
	CLEANUP(buf) struct buf trace = BUF_INIT;

	(void)state;
	for (size_t i = 0; i <= DATA_MAX; i++)
		buf_puts(&digits, "00");
	buf_puts(&digits, "\"}");
	twin_trace_record("punch", false, &trace);
	buf_puts(&many, "\"data\":\"");
	buf_puts(&many, digits.data);
	replace(&trace, "\"socket\":1,\"remote\":\"203.0.113.1:3478\",\"data\":\"",
		"\"socket\":1,\"remote\":\"203.0.113.1:3478\",\"data\":\"\"},"
		"{\"kind\":\"tcp_send\",\"socket\":1,\"data\":\"");
	char *data = strstr(trace.data, "\"tcp_send\"");
	replace(&trace, strstr(data, "\"data\":\""), "");
	buf_puts(&trace, many.data);
	buf_puts(&trace, "],\"wake_us\":null}\n");
	assert_no_trace(&trace, "x:3: \"data\" has more than 1024 bytes");

	buf_clear(&trace);
	buf_clear(&many);
	buf_puts(&many, "\"actions\":[");
	for (size_t i = 0; i <= ACTIONS_MAX; i++)
		buf_puts(&many, "{\"kind\":\"close\",\"socket\":1},");
	twin_trace_record("punch", false, &trace);
	replace(&trace, "\"actions\":[", many.data);
	assert_no_trace(&trace, "x:2: \"actions\" are more than one step can have");
}

static void an_empty_file_and_one_without_steps_are_refused(void **state)
{
	CLEANUP(buf) struct buf trace = BUF_INIT;

	(void)state;
	assert_no_trace(&trace, "x: is empty");
	twin_trace_record("punch", false, &trace);
	trace.len = (size_t)(line_at(trace.data, 2) - trace.data);
	assert_no_trace(&trace, "x:1: no step follows");
}

/* Wherever a trace is cut off, what is left is run, or refused. */
static void any_start_of_a_trace_is_run_or_refused(void **state)
{
	CLEANUP(buf) struct buf trace = BUF_INIT;

	(void)state;
	twin_trace_record("punch", true, &trace);
	for (size_t len = 0; len < trace.len; len++) {
		CLEANUP(buf) struct buf out = BUF_INIT;
		struct err e = { .kind = ERR_NONE };
		int code = replay_run("x", trace.data, len, &out, &e);

		assert_true(code == 0 ? out.len > 0 : e.kind == ERR_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_runs_again_as_it_was_recorded),
		cmocka_unit_test(an_altered_action_is_reported_at_its_line),
		cmocka_unit_test(whatever_differs_first_is_reported),
		cmocka_unit_test(a_changed_timer_is_found_and_the_versions_are_named),
		cmocka_unit_test(a_step_that_the_peer_did_not_survive_is_run),
		cmocka_unit_test(a_trace_is_printed_as_a_time_line),
		cmocka_unit_test(what_is_no_trace_is_refused_with_its_line),
		cmocka_unit_test(what_is_too_large_for_a_step_is_refused),
		cmocka_unit_test(an_empty_file_and_one_without_steps_are_refused),
		cmocka_unit_test(any_start_of_a_trace_is_run_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

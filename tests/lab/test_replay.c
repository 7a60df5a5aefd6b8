// SPDX-License-Identifier: GPL-2.0-or-later
/* Traces that real peers write, and `natsim replay`. */
#include "tests/natsim_run.h"

/* Peer a's trace of a punch against b, as a text; it is also in dir/a.trace. */
static void record(const char *dir, const char *transport, struct buf *out)
{
	CLEANUP(free) char *a = path_in(dir, "a.trace");
	CLEANUP(free) char *b = path_in(dir, "b.trace");
	CLEANUP(run) struct run r = { .dir = NULL };

	run_natsim(&r, "exec", "two-homes", "--nat", "a=port-restricted-cone", "--nat",
		   "b=full-cone", "--link", "home", "host-a", "--", "peer", "--transport",
		   transport, "--trace", a, "--with", "host-b", "--", "peer", "--transport",
		   transport, "--trace", b, NULL);
	ASSERT_STATUS(&r, 0);
	if (strstr(buf_text(&r.out), "\"result\":\"connected\"") == NULL)
		RUN_FAIL(&r, "no connection over %s", transport);
	buf_clear(out);
	read_text(dir, "a.trace", out);
}

static void assert_as_recorded(const char *dir, const char *name)
{
	CLEANUP(run) struct run r = { .dir = dir };

	run_natsim(&r, "replay", name, NULL);
	ASSERT_STATUS(&r, 0);
	if (strstr(buf_text(&r.out), " steps, all as recorded\n") == NULL)
		RUN_FAIL(&r, "%s", name);
	assert_int_equal(r.err.len, 0);
}

static void what_a_real_peer_did_over_udp_and_tcp_runs_again(void **state)
{
	static const char *const transports[] = { "udp", "tcp" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(temporary) char *dir = temporary_dir();
		CLEANUP(buf) struct buf trace = BUF_INIT;

		record(dir, transports[i], &trace);
		assert_non_null(strstr(trace.data, "{\"kind\":\"done\",\"status\":0}],"));
		assert_as_recorded(dir, "a.trace");
		/* b is ended after a: perhaps before its last step. */
		assert_as_recorded(dir, "b.trace");
	}
}

/* Where the text is first, and in which line, from 1. */
static char *find_line(struct buf *trace, const char *text, size_t *ret_line)
{
	char *at = strstr(trace->data, text);

	assert_non_null(at);
	*ret_line = 1;
	for (const char *p = trace->data; p < at; p++)
		*ret_line += *p == '\n';
	return at;
}

static void an_altered_trace_is_told_from_the_strategy_by_its_line(void **state)
{
	static const char probe[] = "{\"kind\":\"udp_send\",\"socket\":1,\"remote\":\"192.0.2.";
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(buf) struct buf trace = BUF_INIT;
	CLEANUP(free) char *place = NULL;
	CLEANUP(run) struct run r = { .dir = dir };
	size_t line;

	(void)state;
	record(dir, "udp", &trace);
	char *address = find_line(&trace, probe, &line) + strlen(probe);
	*address = *address == '9' ? '8' : '9';
	write_bytes(dir, "spoilt", trace.data, trace.len);
	assert_true(asprintf(&place, "spoilt:%zu: step %zu, at ", line, line - 1) > 0);
	run_natsim(&r, "replay", "spoilt", NULL);
	ASSERT_STATUS(&r, 1);
	if (strncmp(buf_text(&r.out), place, strlen(place)) != 0 ||
	    strstr(buf_text(&r.out), "\n  now       action 1 of ") == NULL)
		RUN_FAIL(&r, "%s... was expected", place);
}

/* As the constant of a timer would be that somebody changed. */
static void a_changed_timer_is_told(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(buf) struct buf trace = BUF_INIT;
	CLEANUP(free) char *changed = NULL;
	CLEANUP(run) struct run r = { .dir = dir };

	(void)state;
	record(dir, "udp", &trace);
	changed = replaced(trace.data, "\"start_delay_us\":0", "\"start_delay_us\":700");
	write_text(dir, "changed", changed);
	run_natsim(&r, "replay", "changed", NULL);
	ASSERT_STATUS(&r, 1);
	assert_non_null(strstr(buf_text(&r.out), ", is not as recorded\n"));
}

static void a_trace_is_shown_as_a_time_line(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(buf) struct buf trace = BUF_INIT;
	CLEANUP(run) struct run r = { .dir = dir };

	(void)state;
	record(dir, "tcp", &trace);
	run_natsim(&r, "replay", "--print", "a.trace", NULL);
	ASSERT_STATUS(&r, 0);
	assert_non_null(strstr(buf_text(&r.out), "punch over tcp, role a, rendezvous "));
	assert_non_null(strstr(buf_text(&r.out), " ms  start\n"));
	assert_non_null(strstr(buf_text(&r.out), "> tcp_listen 2, local 10.1.0.2:"));
}

static void what_is_no_trace_is_the_users_mistake(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { .dir = dir };

	(void)state;
	write_text(dir, "empty", "");
	write_text(dir, "text", "{\"natsim_trace\":1}\nhello\n");
	write_text(dir, "other", "{}\n");
	run_natsim(&r, "replay", "none", NULL);
	assert_refused(&r, 2, "none: No such file or directory");
	run_natsim(&r, "replay", "empty", NULL);
	assert_refused(&r, 2, "empty: is empty");
	run_natsim(&r, "replay", "text", NULL);
	assert_refused(&r, 2, "text:1: \"version\" is missing, or not a text");
	run_natsim(&r, "replay", "other", NULL);
	assert_refused(&r, 2, "other:1: this is not a trace of a peer");
	run_natsim(&r, "replay", ".", NULL);
	assert_refused(&r, 2, ".: Is a directory");
	run_natsim(&r, "replay", NULL);
	assert_refused(&r, 2, "something is missing; usage: natsim replay FILE [--print]");
}

/* Runs a peer alone, which tries for a moment only. */
static void run_peer(struct run *r, const char *trace)
{
	CLEANUP(free) char *peer = built("peer");
	const char *argv[] = {
		peer,         "--rendezvous", "127.0.0.1:9",  "--role", "a",       "--session", "s",
		"--strategy", "classify",     "--give-up-ms", "50",     "--trace", trace,       NULL
	};

	run_argv(r, argv);
}

static void a_trace_that_cannot_be_written_gives_status_3(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_peer(&r, "/no/such/folder/trace");
	ASSERT_STATUS(&r, 3);
	assert_string_equal(buf_text(&r.err),
			    "peer: open /no/such/folder/trace: No such file or directory\n");
	assert_int_equal(r.out.len, 0);

	/* The result is not lost with it. */
	run_peer(&r, "/dev/full");
	ASSERT_STATUS(&r, 3);
	assert_string_equal(buf_text(&r.err), "peer: write /dev/full: No space left on device\n");
	assert_non_null(strstr(buf_text(&r.out), "{\"event\":\"result\""));

	run_peer(&r, "");
	ASSERT_STATUS(&r, 2);
}

/* The steps are in the file as they happen: whoever kills the peer has all of them. */
static void the_trace_of_a_killed_peer_has_its_last_step(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run)
	struct run r = { .dir = dir, .env = (const char *const[]){ "NATSIM_TRACE=trace", NULL } };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "sh", "-c",
		   "peer & until grep -q '\"kind\":\"datagram\"' trace; do :; done 2>/dev/null; "
		   "kill -KILL $!",
		   NULL);
	ASSERT_STATUS(&r, 0);
	assert_as_recorded(dir, "trace");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_real_peer_did_over_udp_and_tcp_runs_again),
		cmocka_unit_test(an_altered_trace_is_told_from_the_strategy_by_its_line),
		cmocka_unit_test(a_changed_timer_is_told),
		cmocka_unit_test(a_trace_is_shown_as_a_time_line),
		cmocka_unit_test(what_is_no_trace_is_the_users_mistake),
		cmocka_unit_test(a_trace_that_cannot_be_written_gives_status_3),
		cmocka_unit_test(the_trace_of_a_killed_peer_has_its_last_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* `natsim exec`: what goes in and comes out of the commands, and what they find in the lab. */
#include "tests/natsim_run.h"

static void what_is_read_and_written_passes_through(void **state)
{
	CLEANUP(run) struct run r = { .input = "first\nlast, without an end" };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "sh", "-c",
		   "cat; echo to the user >&2; exit 7", NULL);
	ASSERT_STATUS(&r, 7);
	assert_string_equal(buf_text(&r.out), "first\nlast, without an end");
	assert_string_equal(buf_text(&r.err), "to the user\n");
}

static void a_command_that_dies_of_a_signal_gives_128_and_its_number(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "sh", "-c", "kill -KILL $$", NULL);
	ASSERT_STATUS(&r, 128 + SIGKILL);
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "sh", "-c", "kill -USR1 $$", NULL);
	ASSERT_STATUS(&r, 128 + SIGUSR1);
}

/* Reads what is printed until it holds text. */
static void await_output(struct run *r, const char *text)
{
	struct pollfd from = { .fd = r->out_fd, .events = POLLIN };
	uint64_t deadline_ms = run_now_ms() + RUN_LIMIT_MS;

	while (strstr(buf_text(&r->out), text) == NULL) {
		assert_true(run_now_ms() < deadline_ms);
		(void)poll(&from, 1, 100);
		run_read(&from, &r->out);
		if (from.fd < 0)
			RUN_FAIL(r, "it ended before it said \"%s\"", text);
	}
}

static void signals_reach_the_command(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		CLEANUP(run) struct run r = { .dir = NULL };

		run_natsim_start(
			&r, "exec", "two-homes", "host-a", "--", "sh", "-c",
			"for s in TERM INT HUP QUIT; do trap \"echo got $s; exit 9\" $s; done; "
			"echo ready; tail -f /dev/null & wait",
			NULL);
		await_output(&r, "ready\n");
		assert_int_equal(kill(r.pid, signals[i]), 0);
		run_finish(&r);
		ASSERT_STATUS(&r, 9);
		assert_non_null(strstr(buf_text(&r.out), "ready\ngot "));
	}
}

static void a_command_that_does_not_exist_is_the_users_mistake(void **state)
{
	/* The user's own PATH may lead through folders that are closed to others. */
	CLEANUP(run)
	struct run r = { .env = (const char *const[]){ "PATH=/usr/bin:/bin", NULL } };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "no-such-program", NULL);
	assert_refused(&r, 2, "cannot execute 'no-such-program': No such file or directory");
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "true", "--with", "host-b", "--",
		   "/no/such/program", NULL);
	assert_refused(&r, 2, "cannot execute '/no/such/program': No such file or directory");
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "/dev/null", NULL);
	assert_refused(&r, 2, "cannot execute '/dev/null': Permission denied");
}

/* A FIFO through which those beside tell the main command, which waits for `count` lines of them,
 * how far they are. The main command's shell has it as $0, as theirs has. */
struct meeting {
	char *dir, *fifo;
};

static struct meeting meeting_new(void)
{
	struct meeting m = { .dir = temporary_dir() };

	m.fifo = path_in(m.dir, "meeting");
	assert_int_equal(mkfifo(m.fifo, 0600), 0);
	return m;
}

static void meeting_cleanup(struct meeting *m)
{
	temporary_cleanup(&m->dir);
	free(m->fifo);
}

#define MEET   "echo >\"$0\""
#define AWAIT1 "exec 3<>\"$0\"; read -r _ <&3"
#define AWAIT2 AWAIT1 "; read -r _ <&3"
#define AWAIT3 AWAIT2 "; read -r _ <&3"

static void each_command_runs_in_its_node(void **state)
{
#define ADDRESSES                                  \
	" $(ip -4 -o address show scope global | " \
	"sed 's/.* inet \\([^ ]*\\).*/\\1/' | sort); "
	CLEANUP(meeting) struct meeting m = meeting_new();
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "--with", "host-b", "--", "sh", "-c",
		   "echo b" ADDRESSES MEET, m.fifo, "host-a", "--", "sh", "-c",
		   AWAIT3 "; echo a" ADDRESSES, m.fifo, "--with", "server", "--", "sh", "-c",
		   "echo server" ADDRESSES MEET, m.fifo, "--with", "router-a", "--", "sh", "-c",
		   "echo router" ADDRESSES MEET, m.fifo, NULL);
	ASSERT_STATUS(&r, 0);
	const char *const lines[] = { "a 10.1.0.2/24\n", "b 10.2.0.2/24\n",
				      "server 203.0.113.10/24 203.0.113.20/24\n",
				      "router 10.1.0.1/24 198.51.100.2/24\n" };
	for (size_t i = 0; i < 4; i++)
		if (strstr(buf_text(&r.out), lines[i]) == NULL)
			RUN_FAIL(&r, "no line %s", lines[i]);
#undef ADDRESSES
}

/* It is told by SIGTERM, and has the time to say so; one that does not listen is ended as well. */
static void what_runs_beside_is_ended_after_the_main_command(void **state)
{
	CLEANUP(meeting) struct meeting m = meeting_new();
	CLEANUP(run) struct run r = { .limit_ms = RUN_LIMIT_MS / 2 };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "--with", "host-b", "--", "sh", "-c",
		   "trap 'echo told; exit' TERM; tail -f /dev/null & " MEET "; wait", m.fifo,
		   "host-a", "--", "sh", "-c", AWAIT2 "; echo main", m.fifo, "--with", "host-b",
		   "--", "sh", "-c", "trap '' TERM; " MEET "; tail -f /dev/null", m.fifo, NULL);
	ASSERT_STATUS(&r, 0);
	assert_string_equal(buf_text(&r.out), "main\ntold\n");
}

static void the_environment_says_where_the_rendezvous_is(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_natsim(
		&r, "exec", "two-homes", "host-b", "--", "sh", "-c",
		"echo $NATSIM_RENDEZVOUS $NATSIM_RENDEZVOUS_ALT {rendezvous} $NATSIM_ROLE {other}",
		NULL);
	ASSERT_STATUS(&r, 0);
	assert_string_equal(buf_text(&r.out), "203.0.113.10:3478 203.0.113.20:3479 "
					      "203.0.113.10:3478 b {other}\n");
}

static void two_peers_of_natsim_meet(void **state)
{
	static const char *const transports[] = { "NATSIM_TRANSPORT=udp", "NATSIM_TRANSPORT=tcp" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(run)
		struct run r = { .env = (const char *const[]){ transports[i], NULL } };

		run_natsim(&r, "exec", "two-homes", "--nat", "a=full-cone", "--nat",
			   "b=symmetric-random", "--link", "home", "host-a", "--", "peer", "--with",
			   "host-b", "--", "peer", NULL);
		ASSERT_STATUS(&r, 0);
		assert_non_null(strstr(buf_text(&r.out), "\"result\":\"connected\""));
	}
}

/* The table of the first lab's specification. */
static void the_table_of_a_sequential_router_counts_up_from_6000(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *traffic = built("tests/programs/traffic");
	CLEANUP(free) char *ready = path_in(dir, "ready");
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	assert_int_equal(mkfifo(ready, 0600), 0);
	run_natsim(&r, "exec", "two-homes", "--nat", "a=symmetric-sequential", "--tables", "--with",
		   "server", "--", traffic, "serve", "0", ready, "80", "443", "host-a", "--", "sh",
		   "-c",
		   "read -r _ <\"$1\"; \"$0\" send tcp 40001 1 203.0.113.10 80 && "
		   "\"$0\" send tcp 40002 1 203.0.113.20 443",
		   traffic, ready, NULL);
	ASSERT_STATUS(&r, 0);
	assert_string_equal(
		buf_text(&r.out),
		"40001 198.51.100.2:6000\n"
		"40002 198.51.100.2:6001\n"
		"router-a: 2 connections\n"
		"FROM HOST        PORT   TO SERVER        PORT   PROTOCOL  ROUTER PORT\n"
		"10.1.0.2         40001  203.0.113.10     80     TCP       6000\n"
		"10.1.0.2         40002  203.0.113.20     443    TCP       6001\n"
		"router-b: 0 connections\n");
}

static void a_capture_that_cannot_be_written_gives_status_3(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_natsim(&r, "exec", "two-homes", "--pcap", "/dev/full", "host-a", "--", "true", NULL);
	ASSERT_STATUS(&r, 3);
	assert_string_equal(
		buf_text(&r.err),
		"natsim: /dev/full: write all that the wire saw: No space left on device\n");
	run_natsim(&r, "exec", "two-homes", "--pcap", "/dev/null", "host-a", "--", "true", NULL);
	ASSERT_STATUS(&r, 0);
}

static void the_capture_shows_the_packets_on_the_wire(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *traffic = built("tests/programs/traffic");
	CLEANUP(free) char *ready = path_in(dir, "ready");
	CLEANUP(free) char *pcap = path_in(dir, "wire.pcapng");
	CLEANUP(free) char *home = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	if (!have_command("tshark"))
		skip();
	assert_int_equal(mkfifo(ready, 0600), 0);
	run_natsim(&r, "exec", "two-homes", "--nat", "a=symmetric-sequential", "--pcap", pcap,
		   "--with", "server", "--", traffic, "serve", "0", ready, "4000", "host-a", "--",
		   "sh", "-c", "read -r _ <\"$1\"; \"$0\" send udp 40001 1 203.0.113.10 4000",
		   traffic, ready, NULL);
	ASSERT_STATUS(&r, 0);
	assert_true(asprintf(&home, "HOME=%s", dir) > 0);
	r.env = (const char *const[]){ home, NULL };
	const char *argv[] = { "tshark", "-r", pcap,          "-Y", "udp",         "-T",
			       "fields", "-e", "ip.src",      "-e", "udp.srcport", "-e",
			       "ip.dst", "-e", "udp.dstport", NULL };
	run_argv(&r, argv);
	ASSERT_STATUS(&r, 0);
	assert_non_null(strstr(buf_text(&r.out), "198.51.100.2\t6000\t203.0.113.10\t4000\n"));
	assert_non_null(strstr(buf_text(&r.out), "203.0.113.10\t4000\t198.51.100.2\t6000\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_and_written_passes_through),
		cmocka_unit_test(a_command_that_dies_of_a_signal_gives_128_and_its_number),
		cmocka_unit_test(signals_reach_the_command),
		cmocka_unit_test(a_command_that_does_not_exist_is_the_users_mistake),
		cmocka_unit_test(each_command_runs_in_its_node),
		cmocka_unit_test(what_runs_beside_is_ended_after_the_main_command),
		cmocka_unit_test(the_environment_says_where_the_rendezvous_is),
		cmocka_unit_test(two_peers_of_natsim_meet),
		cmocka_unit_test(the_table_of_a_sequential_router_counts_up_from_6000),
		cmocka_unit_test(a_capture_that_cannot_be_written_gives_status_3),
		cmocka_unit_test(the_capture_shows_the_packets_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

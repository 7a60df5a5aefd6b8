// SPDX-License-Identifier: GPL-2.0-or-later
/* The twin's hosts: their machines, and UDP. TCP is in test_twin_tcp.c. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/twin_hosts.h"

static const struct endpoint a = { A_ADDR, 1000 }, a_other = { A_OTHER_ADDR, 1000 },
			     a_wild = { 0, 1000 }, b = { B_ADDR, 2000 }, raw = { RAW_ADDR, 9 };

static void plan_datagram(struct scripted *m, uint64_t at_us, uint32_t socket,
			  struct endpoint remote, const char *text)
{
	plan(m, at_us,
	     (struct action){ .kind = ACTION_UDP_SEND, .socket = socket, .remote = remote }, text);
}

static struct twin_packet datagram(struct endpoint to)
{
	return (struct twin_packet){
		.protocol = TWIN_UDP, .from = raw, .to = to, .len = 1, .data = { 'r' }
	};
}

/* ---- UDP */

static void datagrams_go_both_ways(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a);
	plan_open(&t->on_b, 0, ACTION_UDP_OPEN, 2, b);
	plan_datagram(&t->on_a, 10, 1, b, "to b");
	plan_datagram(&t->on_b, 20, 2, a, "to a");
	hosts_run(t, 100);
	const struct event *at_a = one_event(&t->on_a, EVENT_DATAGRAM),
			   *at_b = one_event(&t->on_b, EVENT_DATAGRAM);
	assert_int_equal(at_a->socket, 1);
	assert_int_equal(at_b->socket, 2);
	assert_true(endpoint_equal(at_a->remote, b) && endpoint_equal(at_a->local, a));
	assert_true(endpoint_equal(at_b->remote, a) && endpoint_equal(at_b->local, b));
	assert_memory_equal(t->on_a.stream, "to a", 4);
	assert_memory_equal(t->on_b.stream, "to b", 4);
	hosts_free(t);
}

static void a_socket_with_the_very_address_goes_before_one_with_all(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a_wild);
	hosts_run(t, 10);
	raw_send(t, datagram(a_other));
	hosts_run(t, 20);
	assert_true(endpoint_equal(one_event(&t->on_a, EVENT_DATAGRAM)->local, a_wild));

	hosts_reset(t, 1);
	plan_open(&t->on_a, 0, ACTION_TCP_LISTEN, 1, a);
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 2, a);
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 3, a_other);
	hosts_run(t, 10);
	raw_send(t, datagram(a_other));
	hosts_run(t, 20);
	assert_int_equal(one_event(&t->on_a, EVENT_DATAGRAM)->socket, 3);
	hosts_free(t);
}

static void a_socket_bound_to_no_address_sends_from_the_first(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a_wild);
	plan_datagram(&t->on_a, 0, 1, raw, "x");
	hosts_run(t, 10);
	assert_int_equal(t->raw.count, 1);
	assert_true(endpoint_equal(raw_last(t)->from, a));
	assert_int_equal(raw_last(t)->ttl, TWIN_TTL - 1);
	hosts_free(t);
}

static void a_datagram_to_a_closed_port_is_answered_with_port_unreachable(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_TCP_LISTEN, 1, a);
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 2, a);
	plan_socket(&t->on_a, 1, ACTION_CLOSE, 2, "");
	hosts_run(t, 10);
	raw_send(t, datagram(a));
	hosts_run(t, 20);
	assert_int_equal(t->raw.count, 1);
	const struct twin_packet *answer = raw_last(t);
	assert_int_equal(answer->protocol, TWIN_ICMP);
	assert_int_equal(answer->from.addr, A_ADDR);
	assert_int_equal(answer->quote.error, TWIN_PORT_UNREACHABLE);
	assert_int_equal(answer->quote.protocol, TWIN_UDP);
	assert_true(endpoint_equal(answer->quote.from, raw));
	assert_true(endpoint_equal(answer->quote.to, a));
	hosts_free(t);
}

/* An error about a datagram is nobody's, and is not answered. */
static void udp_errors_are_ignored(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a);
	plan_datagram(&t->on_a, 0, 1, b, "x");
	hosts_run(t, 1000);
	assert_int_equal(t->on_a.events_count, 2);
	assert_int_equal(twin_world_events(t->world), 4); /* two starts, two packets */
	hosts_free(t);
}

/* ---- ports */

static void ports_in_use_and_foreign_addresses_are_refused(void **state)
{
	const struct {
		struct endpoint first, second;
		enum action_kind kind;
		int error;
	} cases[] = {
		{ a, a, ACTION_UDP_OPEN, EADDRINUSE },
		{ a, a_wild, ACTION_UDP_OPEN, EADDRINUSE },
		{ a_wild, a, ACTION_UDP_OPEN, EADDRINUSE },
		{ a, a_other, ACTION_UDP_OPEN, 0 },
		{ a, b, ACTION_UDP_OPEN, EADDRNOTAVAIL },
		{ a, a, ACTION_TCP_LISTEN, EADDRINUSE },
		{ a, a_wild, ACTION_TCP_LISTEN, 0 },
		{ a, b, ACTION_TCP_LISTEN, EADDRNOTAVAIL },
	};
	struct hosts *t = hosts_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hosts_reset(t, 1);
		plan_open(&t->on_a, 0, cases[i].kind, 1, cases[i].first);
		plan_open(&t->on_a, 0, cases[i].kind, 2, cases[i].second);
		hosts_run(t, 10);
		assert_int_equal(t->on_a.events_count, 3);
		assert_int_equal(t->on_a.events[1].kind, EVENT_OPENED);
		assert_int_equal(t->on_a.events[1].socket, 1);
		assert_int_equal(t->on_a.events[2].socket, 2);
		assert_int_equal(t->on_a.events[2].kind,
				 cases[i].error == 0 ? EVENT_OPENED : EVENT_CLOSED);
		assert_int_equal(t->on_a.events[2].error, cases[i].error);
	}
	hosts_free(t);
}

static void ephemeral_ports_are_those_of_linux_and_of_the_seed(void **state)
{
	struct hosts *t = hosts_new(NULL);
	uint16_t first[2] = { 0, 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		hosts_reset(t, seed / 2);
		plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, (struct endpoint){ 0, 0 });
		plan_open(&t->on_a, 0, ACTION_TCP_LISTEN, 2, (struct endpoint){ A_ADDR, 0 });
		hosts_run(t, 10);
		uint16_t udp = t->on_a.events[1].local.port, tcp = t->on_a.events[2].local.port;
		assert_in_range(udp, 32768, 60999);
		assert_in_range(tcp, 32769, 46883);
		assert_int_equal(tcp % 2, 1);
		if (seed % 2 == 1)
			assert_true(udp == first[0] && tcp == first[1]);
		else
			assert_false(udp == first[0] && tcp == first[1]);
		first[0] = udp;
		first[1] = tcp;
	}
	hosts_free(t);
}

static void hundreds_of_sockets_have_ports_of_their_own_and_are_found(void **state)
{
	struct hosts *t = hosts_new(NULL);
	const unsigned count = 700;

	(void)state;
	for (uint64_t round = 0; round < 3; round++) {
		hosts_reset(t, round);
		for (uint32_t i = 0; i < count; i++)
			plan_open(&t->on_a, 0, ACTION_UDP_OPEN, i, (struct endpoint){ A_ADDR, 0 });
		hosts_run(t, 10);
		assert_int_equal(count_events(&t->on_a, EVENT_OPENED), count);
		for (uint32_t i = 0; i < count; i++)
			raw_send(t, datagram(t->on_a.events[1 + i].local));
		hosts_run(t, 20);
		assert_int_equal(count_events(&t->on_a, EVENT_DATAGRAM), count);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(t->on_a.events[1 + count + i].socket, i);
	}
	hosts_reset(t, 1);
	raw_send(t, datagram(a));
	hosts_run(t, 10);
	assert_int_equal(t->on_a.events_count, 1);
	assert_int_equal(raw_last(t)->protocol, TWIN_ICMP);
	hosts_free(t);
}

/* ---- the machine */

static void a_machine_starts_at_its_time_and_has_its_timers_at_theirs(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	twin_host_reset(t->a, scripted_step, &t->on_a, 500, 1);
	plan_open(&t->on_a, 700, ACTION_UDP_OPEN, 1, a);
	hosts_run(t, 1000);
	assert_int_equal(t->on_a.events[0].kind, EVENT_START);
	assert_int_equal(t->on_a.events_us[0], 500);
	assert_int_equal(t->on_a.timers, 1);
	assert_int_equal(t->on_a.events[1].kind, EVENT_OPENED);
	assert_int_equal(t->on_a.events_us[1], 700);
	hosts_free(t);
}

static void a_machine_that_is_done_hears_no_more_and_has_no_sockets(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a);
	plan_open(&t->on_a, 5, ACTION_UDP_OPEN, 3, a_other);
	plan(&t->on_a, 5, (struct action){ .kind = ACTION_DONE, .status = 3 }, "");
	plan_open(&t->on_a, 7, ACTION_UDP_OPEN, 2, a);
	hosts_run(t, 4);
	assert_false(twin_host_is_done(t->a));
	hosts_run(t, 10);
	assert_true(twin_host_is_done(t->a));
	assert_int_equal(twin_host_status(t->a), 3);
	assert_int_equal(t->on_a.plans_done, 3);
	raw_send(t, datagram(a));
	hosts_run(t, 20);
	assert_int_equal(t->on_a.events_count, 2);
	assert_int_equal(raw_last(t)->quote.error, TWIN_PORT_UNREACHABLE);
	hosts_free(t);
}

/* It cannot know yet that the socket did not open. */
static void a_socket_that_could_not_open_may_be_closed_before_the_machine_hears(void **state)
{
	struct hosts *t = hosts_new(NULL);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, b);
	plan_socket(&t->on_a, 0, ACTION_CLOSE, 1, "");
	hosts_run(t, 10);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, EADDRNOTAVAIL);
	hosts_free(t);
}

static void assert_aborts(struct hosts *t)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		hosts_run(t, 10);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* The host is to see it before the world does. */
static uint64_t restless(void *arg, uint64_t now_us, const struct event *event, struct actions *out)
{
	unsigned *steps = arg;

	(void)event, (void)out;
	if (++*steps > 100000)
		_exit(0);
	return now_us;
}

static void a_machine_that_never_rests_or_uses_what_it_has_not_is_a_defect(void **state)
{
	struct hosts *t = hosts_new(NULL);
	unsigned steps = 0;

	(void)state;
	twin_host_reset(t->a, restless, &steps, 0, 1);
	assert_aborts(t);
	hosts_reset(t, 1);
	plan_datagram(&t->on_a, 0, 1, b, "x");
	assert_aborts(t);
	hosts_reset(t, 1);
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a);
	plan_open(&t->on_a, 1, ACTION_UDP_OPEN, 1, a_other);
	assert_aborts(t);
	hosts_free(t);
}

static void count_look(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	assert_int_equal(now_us, 10);
	assert_int_equal(p->len, 1);
	++*(unsigned *)arg;
}

static void who_watches_sees_datagrams_to_closed_ports_too(void **state)
{
	struct hosts *t = hosts_new(NULL);
	unsigned seen = 0;

	(void)state;
	twin_host_watch(t->a, count_look, &seen);
	hosts_reset(t, 1);
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a);
	hosts_run(t, 10);
	raw_send(t, datagram(a));
	raw_send(t, datagram(a_other));
	hosts_run(t, 20);
	assert_int_equal(seen, 2);
	hosts_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_go_both_ways),
		cmocka_unit_test(a_socket_with_the_very_address_goes_before_one_with_all),
		cmocka_unit_test(a_socket_bound_to_no_address_sends_from_the_first),
		cmocka_unit_test(a_datagram_to_a_closed_port_is_answered_with_port_unreachable),
		cmocka_unit_test(udp_errors_are_ignored),
		cmocka_unit_test(ports_in_use_and_foreign_addresses_are_refused),
		cmocka_unit_test(ephemeral_ports_are_those_of_linux_and_of_the_seed),
		cmocka_unit_test(hundreds_of_sockets_have_ports_of_their_own_and_are_found),
		cmocka_unit_test(a_machine_starts_at_its_time_and_has_its_timers_at_theirs),
		cmocka_unit_test(a_machine_that_is_done_hears_no_more_and_has_no_sockets),
		cmocka_unit_test(
			a_socket_that_could_not_open_may_be_closed_before_the_machine_hears),
		cmocka_unit_test(a_machine_that_never_rests_or_uses_what_it_has_not_is_a_defect),
		cmocka_unit_test(who_watches_sees_datagrams_to_closed_ports_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

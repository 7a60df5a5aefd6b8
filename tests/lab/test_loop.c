// SPDX-License-Identifier: GPL-2.0-or-later
/* What the loop makes of a process that has no descriptors left. */
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "peers/loop.h"
#include "peers/sock.h"
#include "tests/lab/inside.h"

enum { CLIENTS = 3, LISTENER = 1 };

#define FULL_US     300000u   /* how long it is looked at while full */
#define DEADLINE_US 10000000u /* for all that is left to do then */

/* A server that hears of its clients, who are sockets of this process; there is room for only one
 * of them at a time. */
struct server {
	int clients[CLIENTS];
	unsigned accepted, closed;
	rlim_t limit; /* as it was */
	uint64_t wake_us, cpu_us;
	uint64_t used_us; /* processor time while full */
};

static uint64_t cpu_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static rlim_t limit_descriptors(rlim_t limit)
{
	struct rlimit rl;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rlim_t old = rl.rlim_cur;
	rl.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	return old;
}

/* All clients are in the backlog when the first is accepted. */
static void come_together(struct server *s, struct endpoint to)
{
	struct sockaddr_in sa = sock_to_sockaddr(to);

	for (int i = 0; i < CLIENTS; i++) {
		s->clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(s->clients[i], (struct sockaddr *)&sa, sizeof(sa)), 0);
	}
	int next = dup(s->clients[0]); /* the lowest that is free */
	assert_true(next >= 0);
	assert_int_equal(close(next), 0);
	s->limit = limit_descriptors((rlim_t)next + 1);
}

/* The server closes the connection, too, and has room for another. */
static void hang_up(const struct server *s)
{
	assert_int_equal(shutdown(s->clients[s->accepted - 1], SHUT_WR), 0);
}

static uint64_t step(void *state, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct server *s = state;

	switch (ev->kind) {
	case EVENT_START:
		act_tcp_listen(out, LISTENER, (struct endpoint){ INADDR_LOOPBACK, 0 });
		return NEVER;
	case EVENT_OPENED:
		come_together(s, ev->local);
		s->wake_us = now_us + FULL_US;
		s->cpu_us = cpu_now_us();
		break;
	case EVENT_ACCEPTED:
		if (++s->accepted > 1)
			hang_up(s);
		break;
	case EVENT_CLOSED:
		if (++s->closed == CLIENTS)
			act_done(out, 0);
		break;
	case EVENT_TIMER:
		if (now_us < s->wake_us)
			break;
		if (s->used_us != 0) {
			act_done(out, 1);
			break;
		}
		assert_int_equal(s->accepted, 1);
		s->used_us = cpu_now_us() - s->cpu_us;
		s->wake_us = now_us + DEADLINE_US;
		hang_up(s);
		break;
	default:
		break;
	}
	return s->wake_us;
}

static void a_server_without_descriptors_waits_until_one_is_free(void **state)
{
	struct server s = { .accepted = 0 };
	int status = -1;

	(void)state;
	int code = loop_run(step, &s, &status, NULL);
	(void)limit_descriptors(s.limit);
	for (int i = 0; i < CLIENTS; i++)
		(void)close(s.clients[i]);
	assert_int_equal(code, 0);
	assert_int_equal(status, 0);
	assert_int_equal(s.accepted, CLIENTS);
	/* One that asks again and again takes all of it. */
	assert_in_range(s.used_us, 1, FULL_US / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_without_descriptors_waits_until_one_is_free),
	};

	go_inside(); /* a loopback of its own */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

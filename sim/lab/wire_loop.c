// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/wire_loop.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Writing the record takes tens of microseconds: not while a packet is due so soon. */
#define IDLE_US 1000u

#define EVENTS_MAX 32

/* What an event is about; anything below is the number of a port. */
#define EVENT_CONTROL UINT32_MAX
#define EVENT_TIMER   (UINT32_MAX - 1)

static int watch(struct wire_loop *loop, int fd, uint32_t events, uint32_t about)
{
	struct epoll_event event = { .events = events, .data.u32 = about };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int wire_loop_init(struct wire_loop *loop, struct wire_exchange *exchange, int control_fd,
		   struct err *e)
{
	loop->exchange = exchange;
	loop->control_fd = control_fd;
	loop->armed_us = TIMERQUEUE_NEVER;
	loop->inbox = wire_inbox_new();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	/* A timerfd is exact; the timeout of epoll_wait may be late by 0.1 % (kernel: fs/select.c,
	 * select_estimate_accuracy). */
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->timer_fd < 0)
		return err_set(e, -errno, "set up the wire's events");
	if (watch(loop, control_fd, EPOLLIN, EVENT_CONTROL) < 0 ||
	    watch(loop, loop->timer_fd, EPOLLIN | EPOLLET, EVENT_TIMER) < 0)
		return err_set(e, -errno, "watch the wire's events");
	for (uint32_t i = 0; i < exchange->ports_count; i++)
		if (watch(loop, exchange->ports[i].fd, EPOLLIN, i) < 0)
			return err_set(e, -errno, "watch a port of the wire");
	return 0;
}

void wire_loop_fini(struct wire_loop *loop)
{
	wire_inbox_free(loop->inbox);
	if (loop->epoll_fd >= 0)
		(void)close(loop->epoll_fd);
	if (loop->timer_fd >= 0)
		(void)close(loop->timer_fd);
	*loop = (struct wire_loop)WIRE_LOOP_NONE;
}

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Has the timer fire when the next packet is due. */
static void arm(struct wire_loop *loop)
{
	uint64_t next_us = wire_exchange_next_us(loop->exchange);

	if (next_us == loop->armed_us)
		return;
	loop->armed_us = next_us;
	if (next_us == TIMERQUEUE_NEVER)
		next_us = 0; /* disarms */
	struct itimerspec when = { .it_value = { (time_t)(next_us / 1000000u),
						 (long)(next_us % 1000000u) * 1000 } };
	(void)timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	if (n > 0)
		(void)atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* One batch of a port: level-triggered events bring us back for the rest, after the other ports
 * had theirs. */
static void read_port(struct wire_loop *loop, unsigned i)
{
	struct wire_exchange *x = loop->exchange;
	unsigned bad = 0;
	unsigned n = wire_inbox_read(loop->inbox, x->ports[i].fd, &bad);

	add(&x->stats->unreadable, bad);
	/* What is due by now comes before what came in later. */
	wire_exchange_run(x, now_us());
	for (unsigned k = 0; k < n; k++)
		wire_exchange_take(x, i, wire_inbox_packet(loop->inbox, k));
	wire_exchange_flush(x);
}

/* Drops what a port had received by since_us but not yet read. */
static void drop_unread(struct wire_loop *loop, int fd, uint64_t since_us)
{
	unsigned n, bad;

	do {
		n = wire_inbox_read(loop->inbox, fd, &bad);
		add(&loop->exchange->stats->unreadable, bad);
	} while (n > 0 && wire_inbox_packet(loop->inbox, n - 1)->time_us <= since_us);
}

static void count_overruns(struct wire_exchange *x)
{
	for (size_t i = 0; i < x->ports_count; i++)
		add(&x->stats->overruns, wire_port_overruns(x->ports[i].fd));
}

/* Does what the caller asks; false if it has gone away. */
static bool serve(struct wire_loop *loop)
{
	struct wire_exchange *x = loop->exchange;
	struct wire_request request;
	uint64_t since_us = now_us();

	if (recv(loop->control_fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		return false;
	if (request.kind == WIRE_RESEED) {
		for (size_t i = 0; i < x->ports_count; i++)
			drop_unread(loop, x->ports[i].fd, since_us);
		wire_exchange_reseed(x, request.seed);
	}
	count_overruns(x);
	return send(loop->control_fd, "", 1, MSG_NOSIGNAL) == 1;
}

/* What can wait until there is nothing else to do. */
static void tidy(struct wire_exchange *x)
{
	int failed = x->capture == NULL ? 0 : -pcapng_flush(x->capture);

	count_overruns(x);
	atomic_store_explicit(&x->stats->capture_failed, (uint64_t)failed, memory_order_relaxed);
}

/* Waits for events. Does the tidying first if there are none yet and no packet is due soon. */
static int wait_events(struct wire_loop *loop, struct epoll_event events[static EVENTS_MAX])
{
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, 0);

	if (n != 0)
		return n;
	uint64_t next_us = wire_exchange_next_us(loop->exchange);
	if (next_us == TIMERQUEUE_NEVER || next_us > now_us() + IDLE_US)
		tidy(loop->exchange);
	arm(loop);
	return epoll_wait(loop->epoll_fd, events, EVENTS_MAX, -1);
}

void wire_loop_run(struct wire_loop *loop)
{
	bool stop = false;

	while (!stop) {
		struct epoll_event events[EVENTS_MAX];
		int n = wait_events(loop, events);

		wire_exchange_run(loop->exchange, now_us());
		for (int i = 0; i < n; i++) {
			uint32_t about = events[i].data.u32;

			if (about == EVENT_CONTROL)
				stop = !serve(loop);
			else if (about != EVENT_TIMER)
				read_port(loop, about);
		}
	}
	tidy(loop->exchange);
}

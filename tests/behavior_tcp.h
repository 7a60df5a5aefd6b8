/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP sockets of a lab for behaviours (behavior_lab.h), and what becomes of their connections. */
#ifndef NATSIM_TESTS_BEHAVIOR_TCP_H
#define NATSIM_TESTS_BEHAVIOR_TCP_H

#include <netinet/tcp.h>

#include "tests/behavior_lab.h"

/* Any number of these may have one port, if only one listens and it does so after all are bound. */
static inline struct end tcp_at(struct behavior_lab *l, enum place place, uint16_t port)
{
	return open_end(l, place, SOCK_STREAM, 0, port);
}

static inline struct end tcp_listener_at(struct behavior_lab *l, enum place place, uint16_t port)
{
	struct end end = tcp_at(l, place, port);

	assert_int_equal(listen(end.fd, 16), 0);
	return end;
}

/* Sends the SYN. */
static inline void tcp_connect(struct end end, struct endpoint to)
{
	struct sockaddr_in sa = sockaddr_of(to);

	assert_int_equal(connect(end.fd, (const struct sockaddr *)&sa, sizeof(sa)), -1);
	assert_int_equal(errno, EINPROGRESS);
}

/* What became of connecting: 0, an errno, or ETIMEDOUT where nothing has become of it until then.
 */
static inline int tcp_outcome(struct end end, uint64_t until_us)
{
	int error = -1;
	socklen_t size = sizeof(error);

	if (!await_event(end.fd, POLLOUT, until_us))
		return ETIMEDOUT;
	assert_int_equal(getsockopt(end.fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	return error;
}

/* Whether there is an answer to what was sent; a SYN that is sent again does not count. */
static inline int tcp_outcome_by_now(struct behavior_lab *l, struct end end)
{
	behavior_settle(l);
	return tcp_outcome(end, 0);
}

/* Connects, and asserts what becomes of it. ETIMEDOUT: nothing does. */
static inline void check_connects(struct behavior_lab *l, const char *where, struct end end,
				  struct endpoint to, int expected)
{
	tcp_connect(end, to);
	check_equal(l, where,
		    (unsigned)(expected == ETIMEDOUT ? tcp_outcome_by_now(l, end)
						     : tcp_outcome(end, soon_us())),
		    (unsigned)expected);
}

#define CHECK_CONNECTS(l, end, to, expected) check_connects((l), __func__, (end), (to), (expected))

/* The outside endpoint of a connection that somebody is about to accept. */
static inline struct endpoint tcp_accept_from(struct behavior_lab *l, struct end listener,
					      int *ret_fd)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t size = sizeof(sa);

	assert_true(await_event(listener.fd, POLLIN, soon_us()));
	*ret_fd = accept4(listener.fd, (struct sockaddr *)&sa, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(*ret_fd >= 0 && l->fds_count < FDS_MAX);
	l->fds[l->fds_count++] = *ret_fd;
	return endpoint_of(&sa);
}

/* Closes a connection by a reset that is in the window. */
static inline void tcp_reset(struct behavior_lab *l, int fd)
{
	struct linger none = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	close_end(l, (struct end){ .fd = fd });
}

#endif

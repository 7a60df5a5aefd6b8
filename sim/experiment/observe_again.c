// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RFC 4787, REQ-11: a router does the same at any time and under any conditions. Section 8 names
 * the conditions that make routers change: another host has the port, and has sessions to the same
 * places. So the other host begins with a place of its own, where the port may still be free.
 */
#include <poll.h>
#include <string.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* No other observation's. */
#define PORT       45000u
#define OTHER_PORT 45001u

/* Where on the server. Who knocks is somebody that the host does not send to: a router may hold it
 * against him. */
enum place { OF_HOST_0, OF_HOST_1, SAME_ADDRESS, KNOCKS, OTHER_ADDRESS, KNOCKS_FROM_OTHER, PLACES };

struct places {
	int fds[PLACES];
};

static void places_cleanup(struct places *p)
{
	for (size_t i = 0; i < PLACES; i++)
		fd_cleanup(&p->fds[i]);
}

static int open_places(const struct observer *o, struct places *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < PLACES; i++) {
		struct endpoint at = { o->server_addrs[i < OTHER_ADDRESS ? 0 : 1], 0 };

		rc = socket_in(o->server, SOCK_DGRAM, 0, at, &p->fds[i], e);
	}
	return rc;
}

/* Until it has come. Each datagram names its sender, lest one should be taken for another's. */
static bool reaches(int inside_fd, int server_fd, struct endpoint *ret_from)
{
	struct endpoint inside = socket_local(inside_fd), to = socket_local(server_fd), named;

	for (unsigned i = 0; i < OBSERVE_TRIES; i++) {
		uint64_t until_us = process_now_us() + OBSERVE_RETRY_US;

		(void)socket_send(inside_fd, &inside, sizeof(inside), to);
		while (socket_await(server_fd, POLLIN, until_us))
			if (socket_receive(server_fd, &named, sizeof(named), ret_from) ==
				    (int)sizeof(named) &&
			    endpoint_equal(named, inside))
				return true;
	}
	return false;
}

static bool gets_in(const struct observer *o, int server_fd, struct endpoint outside, int inside_fd)
{
	char data[64];

	(void)socket_send(server_fd, "x", 1, outside);
	(void)observer_settle(o, process_now_us() + OBSERVE_PATIENCE_US);
	return socket_receive(inside_fd, data, sizeof(data), NULL) > 0;
}

static enum nat_behavior filtering_of(const struct observer *o, const struct places *p,
				      struct endpoint outside, int inside_fd)
{
	if (gets_in(o, p->fds[KNOCKS_FROM_OTHER], outside, inside_fd))
		return NAT_ENDPOINT_INDEPENDENT;
	return gets_in(o, p->fds[KNOCKS], outside, inside_fd) ? NAT_ADDRESS_DEPENDENT
							      : NAT_ADDRESS_AND_PORT_DEPENDENT;
}

static int look(const struct observer *o, const struct places *p, unsigned host, uint16_t port,
		struct observed_mapping *ret, struct err *e)
{
	struct endpoint inside = { o->host_addrs[host], port }, first, same, other;
	CLEANUP(fd) int fd = -1;
	int rc = socket_in(o->hosts[host], SOCK_DGRAM, 0, inside, &fd, e);

	if (rc < 0)
		return rc;
	*ret = (struct observed_mapping){ .comes_about = OBSERVED_NO };
	if (!reaches(fd, p->fds[host == 0 ? OF_HOST_0 : OF_HOST_1], &first))
		return 0;
	ret->filtering = filtering_of(o, p, first, fd);
	if (!reaches(fd, p->fds[SAME_ADDRESS], &same) ||
	    !reaches(fd, p->fds[OTHER_ADDRESS], &other))
		return 0;
	ret->comes_about = OBSERVED_YES;
	ret->keeps_port = first.port == port;
	if (!endpoint_equal(first, same))
		ret->mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
	else if (!endpoint_equal(first, other))
		ret->mapping = NAT_ADDRESS_DEPENDENT;
	return 0;
}

int observe_again(const struct observer *o, struct observations *ret, struct err *e)
{
	for (unsigned round = 0; round < OBSERVE_ROUNDS; round++) {
		CLEANUP(places)
		struct places p = { { -1, -1, -1, -1, -1, -1 } };
		uint64_t begun_us = process_now_us();
		int rc = open_places(o, &p, e);

		if (rc == 0)
			rc = look(o, &p, 0, PORT, &ret->first, e);
		if (rc == 0)
			rc = look(o, &p, 1, PORT, &ret->clashing, e);
		/* Else the first host's mapping may have been gone before the other's began. */
		bool clashed = process_now_us() < begun_us + 1000ull * OBSERVE_UDP_MS;
		if (rc == 0)
			rc = look(o, &p, 0, OTHER_PORT, &ret->again, e);
		if (rc < 0 || clashed)
			return rc;
		ret->clashing.comes_about = NOT_OBSERVED;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"
#include "sim/model/nat_seen.h"

/* A SYN that a router dropped because its draw was bad goes out again after one second (RFC 6298,
 * section 2). Much later, other mappings would be gone. */
#define CONNECT_US 1500000u

/* Until a SYN has been refused, if it will be. */
#define REFUSAL_US 20000u

/* How often a simultaneous open is tried. */
#define OPENS 5u

static bool is_connected(int fd)
{
	return socket_take_error(fd) == 0 && !endpoint_is_none(socket_remote(fd));
}

/* Connects and waits for the outcome. */
static bool connects(int fd, struct endpoint to, uint64_t until_us)
{
	int rc = socket_connect(fd, to);

	if (rc == -EINPROGRESS && socket_await(fd, POLLOUT, until_us))
		return is_connected(fd);
	return rc == 0;
}

static int listen_at(const struct observer *o, unsigned server_addr, int *ret_fd, struct err *e)
{
	struct endpoint at = { o->server_addrs[server_addr], 0 };
	int rc = socket_in(o->server, SOCK_STREAM, 0, at, ret_fd, e);

	if (rc == 0 && listen(*ret_fd, 1) < 0)
		rc = err_set(e, -errno, "listen");
	return rc;
}

int connection_open(const struct observer *o, unsigned host, uint16_t port, unsigned server_addr,
		    struct flow *flow, bool *ret_there, struct err *e)
{
	struct endpoint inside = { o->host_addrs[host], port };
	uint64_t until_us = process_now_us() + CONNECT_US;
	CLEANUP(fd) int listener = -1;

	*flow = (struct flow)FLOW_NONE;
	*ret_there = false;
	int rc = listen_at(o, server_addr, &listener, e);
	if (rc == 0)
		rc = socket_in(o->hosts[host], SOCK_STREAM, 0, inside, &flow->inside_fd, e);
	if (rc < 0)
		return rc;
	flow->server = socket_local(listener);
	if (!connects(flow->inside_fd, flow->server, until_us) ||
	    !socket_await(listener, POLLIN, until_us))
		return 0;
	flow->outside_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (flow->outside_fd < 0)
		return 0;
	flow->inside = socket_local(flow->inside_fd);
	flow->outside = socket_remote(flow->outside_fd);
	*ret_there = true;
	return 0;
}

static int observe_sharing(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow a = FLOW_NONE;
	CLEANUP(flow) struct flow b = FLOW_NONE;
	bool a_there = false, b_there = false;
	int rc = connection_open(o, 0, OBSERVE_SHARED_PORT, 0, &a, &a_there, e);

	if (rc == 0)
		rc = connection_open(o, 1, OBSERVE_SHARED_PORT, 1, &b, &b_there, e);
	if (rc == 0 && a_there && b_there)
		ret->of[NAT_TCP].shares_ports = observed(endpoint_equal(a.outside, b.outside));
	return rc;
}

static int observe_stranger(const struct observer *o, struct observations *ret, struct err *e)
{
	struct endpoint from = { o->server_addrs[0], 0 },
			to = { o->router_addr, OBSERVE_FREE_PORT };
	CLEANUP(fd) int fd = -1;
	int rc = socket_in(o->server, SOCK_STREAM, 0, from, &fd, e);

	if (rc < 0)
		return rc;
	socket_watch_icmp(fd);
	rc = socket_connect(fd, to);
	if (rc == -EINPROGRESS && !socket_await(fd, POLLOUT, process_now_us() + OBSERVE_SILENCE_US))
		ret->of[NAT_TCP].unsolicited = ANSWER_NONE;
	else
		ret->of[NAT_TCP].unsolicited = socket_take_icmp(fd) ? ANSWER_ICMP : ANSWER_RST;
	return 0;
}

/*
 * RFC 5382, REQ-2. Where the server's SYN gets in anyway, both connects are begun at once, so that
 * it finds the other one under way. Else it is refused first, with whatever answer the router has.
 */
static int open_at_once(const struct observer *o, bool *ret_opens, struct err *e)
{
	const struct nat_of *of = &o->stage->models[0].of[NAT_TCP];
	CLEANUP(flow) struct flow known = FLOW_NONE;
	CLEANUP(fd) int outside = -1;
	CLEANUP(fd) int inside = -1;
	struct endpoint server = { o->server_addrs[1], 0 };
	bool there = false;
	int rc = connection_open(o, 0, 0, 0, &known, &there, e);

	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->server, SOCK_STREAM, 0, server, &outside, e);
	if (rc == 0)
		rc = socket_in(o->hosts[0], SOCK_STREAM, 0, known.inside, &inside, e);
	if (rc < 0)
		return rc;
	(void)socket_connect(outside, known.outside);
	if (of->filtering != NAT_ENDPOINT_INDEPENDENT)
		(void)socket_await(outside, POLLOUT, process_now_us() + REFUSAL_US);
	*ret_opens =
		connects(inside, socket_local(outside), process_now_us() + OBSERVE_SILENCE_US) &&
		is_connected(outside);
	return 0;
}

/* The SYNs may fail to cross: the server's finds nobody under way if the host is held up. */
static int observe_simultaneous_open(const struct observer *o, struct observations *ret,
				     struct err *e)
{
	bool opens = false;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && !opens && i < OPENS; i++)
		rc = open_at_once(o, &opens, e);
	ret->opens_at_once = observed(opens);
	return rc;
}

/* RFC 5382, REQ-8. Host 1 listens where it has a mapping, and host 0 connects to that one's outside
 * endpoint. */
static int observe_hairpin(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow b = FLOW_NONE;
	CLEANUP(fd) int listener = -1;
	CLEANUP(fd) int from = -1;
	bool there = false;
	int rc = connection_open(o, 1, 0, 0, &b, &there, e);

	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->hosts[1], SOCK_STREAM, 0, b.inside, &listener, e);
	if (rc == 0 && listen(listener, 1) < 0)
		rc = err_set(e, -errno, "listen");
	if (rc == 0)
		rc = socket_in(o->hosts[0], SOCK_STREAM, 0,
			       (struct endpoint){ o->host_addrs[0], 0 }, &from, e);
	if (rc == 0)
		ret->hairpins =
			observed(connects(from, b.outside, process_now_us() + OBSERVE_SILENCE_US));
	return rc;
}

int observe_tcp(const struct observer *o, struct observations *ret, struct err *e)
{
	const struct nat_model *m = &o->stage->models[0];
	int rc = observe_sharing(o, ret, e);

	if (rc < 0 || ret->of[NAT_TCP].shares_ports == NOT_OBSERVED)
		return rc; /* nothing gets through */
	if (m->translates)
		rc = observe_stranger(o, ret, e);
	if (rc == 0 && m->translates)
		rc = observe_hairpin(o, ret, e);
	if (rc == 0)
		rc = observe_icmp(o, NAT_TCP, ret, e);
	if (rc == 0 && strcmp(nat_seen_as(m, NAT_TCP).mapping,
			      nat_behavior_name(NAT_ENDPOINT_INDEPENDENT)) == 0)
		rc = observe_simultaneous_open(o, ret, e);
	return rc;
}

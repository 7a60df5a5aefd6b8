// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/experiment/observe_source.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* A SYN that a router dropped because its draw was bad goes out again after one second and then
 * after two (RFC 6298, section 2 and 5.5); a busy machine may make the first too late. */
#define CONNECT_US 3500000u

/* The same of a simultaneous open, where nothing is drawn. */
#define OPEN_US 1500000u

/* Until a SYN has been refused, if it will be. */
#define REFUSAL_US 20000u

/* How often a simultaneous open is tried until the SYNs cross, and how often it may fail. */
#define OPENS    60u
#define FAILURES 2u

static bool is_connected(int fd)
{
	return socket_take_error(fd) == 0 && !endpoint_is_none(socket_remote(fd));
}

bool connection_comes_about(int fd, struct endpoint to, uint64_t until_us)
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
	if (!connection_comes_about(flow->inside_fd, flow->server, until_us) ||
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

/* As long as the first host's mapping lives for certain. */
static int observe_sharing(const struct observer *o, struct observations *ret, struct err *e)
{
	for (unsigned round = 0; round < OBSERVE_ROUNDS; round++) {
		CLEANUP(flow) struct flow a = FLOW_NONE;
		CLEANUP(flow) struct flow b = FLOW_NONE;
		bool a_there = false, b_there = false;
		int rc = connection_open(o, 0, OBSERVE_SHARED_PORT, 0, &a, &a_there, e);
		uint64_t begun_us = process_now_us();

		if (rc == 0 && a_there)
			rc = connection_open(o, 1, OBSERVE_SHARED_PORT, 1, &b, &b_there, e);
		ret->of[NAT_TCP].gets_through = a_there;
		if (rc < 0 || !a_there || !b_there)
			return rc;
		if (process_now_us() > begun_us + 1000ull * OBSERVE_TCP_TRANSITORY_MS)
			continue;
		ret->of[NAT_TCP].shares_ports = observed(endpoint_equal(a.outside, b.outside));
		return 0;
	}
	return 0;
}

static enum observed_answer answer_of(int fd, int code)
{
	if (socket_take_icmp(fd))
		return ANSWER_ICMP;
	if (code == 0)
		return ANSWER_CONNECTION;
	return code == -ECONNREFUSED ? ANSWER_RST : ANSWER_NOT_OBSERVED;
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
		ret->of[NAT_TCP].unsolicited =
			answer_of(fd, rc == -EINPROGRESS ? socket_take_error(fd) : rc);
	return 0;
}

/*
 * RFC 5382, REQ-2. Where the server's SYN gets in anyway, both connects are begun at once, so that
 * it finds the other one under way. Else it is refused first, with whatever answer the router has.
 */
enum open { OPEN_MADE, OPEN_FAILED, OPEN_NOT_CROSSED, OPEN_NO_FLOW };

static enum open open_between(int inside, int outside, uint64_t until_us)
{
	int rc = socket_connect(inside, socket_local(outside));

	if (rc == -EINPROGRESS && socket_await(inside, POLLOUT, until_us) && is_connected(inside) &&
	    socket_await(outside, POLLOUT, until_us))
		return is_connected(outside) ? OPEN_MADE : OPEN_FAILED;
	return OPEN_FAILED;
}

static int open_at_once(const struct observer *o, enum open *ret, struct err *e)
{
	bool gets_in = o->stage->models[0].of[NAT_TCP].filtering == NAT_ENDPOINT_INDEPENDENT;
	CLEANUP(flow) struct flow known = FLOW_NONE;
	CLEANUP(fd) int outside = -1;
	CLEANUP(fd) int inside = -1;
	struct endpoint server = { o->server_addrs[1], 0 };
	bool there = false;
	int rc = connection_open(o, 0, 0, 0, &known, &there, e);

	*ret = OPEN_NO_FLOW;
	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->server, SOCK_STREAM, 0, server, &outside, e);
	if (rc == 0)
		rc = socket_in(o->hosts[0], SOCK_STREAM, 0, known.inside, &inside, e);
	if (rc < 0)
		return rc;
	(void)socket_connect(outside, known.outside);
	if (!gets_in)
		(void)socket_await(outside, POLLOUT, process_now_us() + REFUSAL_US);
	*ret = open_between(inside, outside, process_now_us() + OPEN_US);
	/* The server's SYN got in while nobody was under way, and the host refused it. */
	if (*ret == OPEN_FAILED && gets_in && socket_take_error(outside) == -ECONNREFUSED)
		*ret = OPEN_NOT_CROSSED;
	return 0;
}

static int observe_simultaneous_open(const struct observer *o, struct observations *ret,
				     struct err *e)
{
	enum open open = OPEN_NO_FLOW;
	unsigned failed = 0, missing = 0;
	int rc = 0;

	for (unsigned i = 0; i < OPENS && failed + missing < FAILURES; i++) {
		rc = open_at_once(o, &open, e);
		if (rc < 0 || open == OPEN_MADE)
			break;
		failed += open == OPEN_FAILED;
		missing += open == OPEN_NO_FLOW;
	}
	if (open == OPEN_MADE || failed > 0)
		ret->opens_at_once = observed(open == OPEN_MADE);
	else
		ret->unopened = missing > 0 ? UNOPENED_NO_FLOW : UNOPENED_NOT_CROSSED;
	return rc;
}

int observe_tcp(const struct observer *o, struct observations *ret, struct err *e)
{
	const struct nat_model *m = &o->stage->models[0];
	int rc = observe_sharing(o, ret, e);

	if (rc < 0 || !ret->of[NAT_TCP].gets_through)
		return rc;
	if (m->translates)
		rc = observe_stranger(o, ret, e);
	if (rc == 0 && m->translates)
		rc = observe_hairpin(o, NAT_TCP, ret, e);
	if (rc == 0)
		rc = observe_icmp(o, NAT_TCP, ret, e);
	if (rc == 0 && observed_can_be_aimed_at(m))
		rc = observe_simultaneous_open(o, ret, e);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A host that sends to the outside endpoint of another one behind the same router. */
#include <errno.h>
#include <poll.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/experiment/observe_source.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

static enum observed_hairpin source_of(const struct observer *o, const struct observed_sender *from,
				       struct endpoint seen)
{
	return observed_source(&o->stage->models[0], o->router_addr, from, seen);
}

static int open_to(const struct observer *o, enum nat_transport t, unsigned server_addr,
		   struct flow *flow, bool *ret_there, struct err *e)
{
	return t == NAT_UDP ? flow_open(o, 0, OBSERVE_HAIRPIN_PORT, server_addr, flow, ret_there, e)
			    : connection_open(o, 0, OBSERVE_HAIRPIN_PORT, server_addr, flow,
					      ret_there, e);
}

/* Where host 0 is seen by both of the server's addresses. */
static int sender_open(const struct observer *o, enum nat_transport t, struct observed_sender *ret,
		       struct err *e)
{
	CLEANUP(flow) struct flow first = FLOW_NONE;
	CLEANUP(flow) struct flow second = FLOW_NONE;
	bool first_there = false, second_there = false;
	int rc = open_to(o, t, 0, &first, &first_there, e);

	if (rc == 0)
		rc = open_to(o, t, 1, &second, &second_there, e);
	*ret = (struct observed_sender){
		.inside = { o->host_addrs[0], OBSERVE_HAIRPIN_PORT },
		.outside = first.outside,
		.has_one_outside = first_there && second_there &&
				   endpoint_equal(first.outside, second.outside),
	};
	return rc;
}

/* Host 0 sends, from a socket that is not connected, to the outside endpoint of host 1. */
static int hairpin_udp(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow b = FLOW_NONE;
	CLEANUP(fd) int from = -1;
	CLEANUP(fd) int to = -1;
	struct endpoint seen = { 0, 0 };
	struct observed_sender sender;
	bool there = false;
	char data[64];
	int rc = sender_open(o, NAT_UDP, &sender, e);

	if (rc == 0)
		rc = flow_open(o, 1, 0, 0, &b, &there, e);
	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->hosts[0], SOCK_DGRAM, 0, sender.inside, &from, e);
	/* One that takes what comes from anybody, beside the flow's. */
	fd_cleanup(&b.inside_fd);
	if (rc == 0)
		rc = socket_in(o->hosts[1], SOCK_DGRAM, 0, b.inside, &to, e);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < OBSERVE_HAIRPINS && endpoint_is_none(seen); i++) {
		(void)socket_send(from, "x", 1, b.outside);
		if (socket_await(to, POLLIN,
				 process_now_us() + OBSERVE_SILENCE_US / OBSERVE_HAIRPINS))
			(void)socket_receive(to, data, sizeof(data), &seen);
	}
	ret->hairpin = source_of(o, &sender, seen);
	return 0;
}

/* RFC 5382, REQ-8. Host 1 listens where it has a mapping, and host 0 connects to that one's outside
 * endpoint. */
static int hairpin_tcp(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow b = FLOW_NONE;
	CLEANUP(fd) int listener = -1;
	CLEANUP(fd) int from = -1;
	CLEANUP(fd) int accepted = -1;
	struct observed_sender sender;
	bool there = false;
	int rc = sender_open(o, NAT_TCP, &sender, e);

	if (rc == 0)
		rc = connection_open(o, 1, 0, 0, &b, &there, e);
	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->hosts[1], SOCK_STREAM, 0, b.inside, &listener, e);
	if (rc == 0 && listen(listener, 1) < 0)
		rc = err_set(e, -errno, "listen");
	if (rc == 0)
		rc = socket_in(o->hosts[0], SOCK_STREAM, 0, sender.inside, &from, e);
	if (rc < 0)
		return rc;
	bool made = connection_comes_about(from, b.outside, process_now_us() + OBSERVE_SILENCE_US);
	ret->hairpins = observed(made);
	if (made && socket_await(listener, POLLIN, process_now_us() + OBSERVE_SILENCE_US))
		accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (accepted >= 0)
		ret->hairpins_from = source_of(o, &sender, socket_remote(accepted));
	return 0;
}

int observe_hairpin(const struct observer *o, enum nat_transport t, struct observations *ret,
		    struct err *e)
{
	return t == NAT_UDP ? hairpin_udp(o, ret, e) : hairpin_tcp(o, ret, e);
}

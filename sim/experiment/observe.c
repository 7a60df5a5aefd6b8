// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/observe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* By chance a router keeps the parity of so many ports once in 4096 times. */
#define PARITY_SAMPLES 12u
#define PARITY_PORT    42000u

/* RFC 4787, REQ-3a: ports below 1024 are a class of their own. */
#define WELL_KNOWN_PORT 700u
#define OTHER_PORT      43000u
#define CLASS_LAST      1023u

/* How often a host tries to reach another one. */
#define HAIRPINS 3u

/* ---- ports */

static int observe_sharing(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow a = FLOW_NONE;
	CLEANUP(flow) struct flow b = FLOW_NONE;
	bool a_there = false, b_there = false;
	int rc = flow_open(o, 0, OBSERVE_SHARED_PORT, 0, &a, &a_there, e);

	if (rc == 0)
		rc = flow_open(o, 1, OBSERVE_SHARED_PORT, 1, &b, &b_there, e);
	if (rc == 0 && a_there && b_there)
		ret->of[NAT_UDP].shares_ports = observed(endpoint_equal(a.outside, b.outside));
	return rc;
}

static void note_address(uint32_t addr, uint32_t *seen, unsigned *count)
{
	for (unsigned i = 0; i < *count; i++)
		if (seen[i] == addr)
			return;
	seen[(*count)++] = addr;
}

static int observe_parity(const struct observer *o, struct observations *ret, struct err *e)
{
	uint32_t seen[PARITY_SAMPLES];
	bool kept = true;

	for (unsigned i = 0; i < PARITY_SAMPLES; i++) {
		CLEANUP(flow) struct flow f = FLOW_NONE;
		bool there = false;
		int rc = flow_open(o, 0, (uint16_t)(PARITY_PORT + i), 0, &f, &there, e);

		if (rc < 0 || !there)
			return rc;
		kept &= f.outside.port % 2 == f.inside.port % 2;
		note_address(f.outside.addr, seen, &ret->addresses);
	}
	ret->keeps_parity = observed(kept);
	return 0;
}

static int observe_class(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow low = FLOW_NONE;
	CLEANUP(flow) struct flow high = FLOW_NONE;
	bool low_there = false, high_there = false;
	int rc = flow_open(o, 0, WELL_KNOWN_PORT, 0, &low, &low_there, e);

	if (rc == 0)
		rc = flow_open(o, 0, OTHER_PORT, 0, &high, &high_there, e);
	if (rc == 0 && low_there && high_there)
		ret->keeps_class =
			observed(low.outside.port <= CLASS_LAST && high.outside.port > CLASS_LAST);
	return rc;
}

/* ---- strangers, and hosts behind the same router */

static int observe_stranger(const struct observer *o, struct observations *ret, struct err *e)
{
	struct endpoint from = { o->server_addrs[0], 0 },
			to = { o->router_addr, OBSERVE_FREE_PORT };
	CLEANUP(fd) int fd = -1;
	char data[16];
	int rc = socket_in(o->server, SOCK_DGRAM, 0, from, &fd, e);

	if (rc < 0)
		return rc;
	(void)socket_connect(fd, to);
	(void)socket_send(fd, "x", 1, (struct endpoint){ 0, 0 });
	ret->of[NAT_UDP].unsolicited = ANSWER_NONE;
	if (socket_await(fd, POLLIN, process_now_us() + OBSERVE_SILENCE_US) &&
	    socket_receive(fd, data, sizeof(data), NULL) == -ECONNREFUSED)
		ret->of[NAT_UDP].unsolicited = ANSWER_ICMP;
	return 0;
}

/* Host 0 sends, from a socket that is not connected, to the outside endpoint of host 1. */
static int observe_hairpin(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow b = FLOW_NONE;
	CLEANUP(fd) int from = -1;
	CLEANUP(fd) int to = -1;
	struct endpoint seen = { 0, 0 }, any = { o->host_addrs[0], 0 };
	bool there = false;
	char data[64];
	int rc = flow_open(o, 1, 0, 0, &b, &there, e);

	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->hosts[0], SOCK_DGRAM, 0, any, &from, e);
	/* One that takes what comes from anybody, beside the flow's. */
	fd_cleanup(&b.inside_fd);
	if (rc == 0)
		rc = socket_in(o->hosts[1], SOCK_DGRAM, 0, b.inside, &to, e);
	if (rc < 0)
		return rc;
	ret->hairpin = HAIRPIN_NONE;
	/* A router that draws its ports may drop one whose draw was bad. */
	for (unsigned i = 0; i < HAIRPINS && endpoint_is_none(seen); i++) {
		(void)socket_send(from, "x", 1, b.outside);
		if (socket_await(to, POLLIN, process_now_us() + OBSERVE_SILENCE_US / HAIRPINS))
			(void)socket_receive(to, data, sizeof(data), &seen);
	}
	if (endpoint_is_none(seen))
		return 0;
	ret->hairpin =
		seen.addr == o->host_addrs[0] ? HAIRPIN_INTERNAL_SOURCE : HAIRPIN_EXTERNAL_SOURCE;
	return 0;
}

/* ---- the whole */

static int observe_udp(const struct observer *o, struct observations *ret, struct err *e)
{
	bool translates = o->stage->models[0].translates;
	int rc = observe_sharing(o, ret, e);

	if (rc < 0 || ret->of[NAT_UDP].shares_ports == NOT_OBSERVED)
		return rc; /* nothing gets through */
	if (translates)
		rc = observe_stranger(o, ret, e);
	if (rc == 0 && translates)
		rc = observe_parity(o, ret, e);
	if (rc == 0 && translates)
		rc = observe_class(o, ret, e);
	if (rc == 0 && translates)
		rc = observe_hairpin(o, ret, e);
	if (rc == 0)
		rc = observe_icmp(o, NAT_UDP, ret, e);
	if (rc == 0)
		rc = observe_fragments(o, ret, e);
	return rc;
}

static void take_place(const struct stage *stage, struct lab *lab, struct observer *ret)
{
	static const char *const hosts[] = { "host-a", "host-a2" };
	const struct topology_host *server = topology_rendezvous(&stage->topology);
	const struct topology_router *router = &stage->topology.routers[0];

	*ret = (struct observer){ .stage = stage,
				  .lab = lab,
				  .echo_fd = -1,
				  .server = lab_netns(lab, (unsigned)stage->rendezvous_node),
				  .router = lab_netns(
					  lab, (unsigned)plan_node(&stage->plan, router->name)),
				  .router_addr = router->outside.addr };
	for (unsigned i = 0; i < 2; i++) {
		ret->server_addrs[i] = server->addresses[i].addr;
		ret->hosts[i] = lab_netns(lab, (unsigned)plan_node(&stage->plan, hosts[i]));
		for (unsigned k = 0; k < stage->topology.hosts_count; k++)
			if (strcmp(stage->topology.hosts[k].name, hosts[i]) == 0)
				ret->host_addrs[i] = stage->topology.hosts[k].addresses[0].addr;
	}
}

static void observer_cleanup(struct observer *o)
{
	fd_cleanup(&o->echo_fd);
}

int observe_router(const struct stage *stage, struct lab *lab, struct observations *ret,
		   struct err *e)
{
	CLEANUP(observer) struct observer o;

	*ret = (struct observations){ .addresses = 0 };
	take_place(stage, lab, &o);
	int rc = observer_listen(&o, e);
	if (rc == 0)
		rc = observe_udp(&o, ret, e);
	if (rc == 0)
		rc = observe_tcp(&o, ret, e);
	if (rc == 0 && nat_model_remembers(&stage->models[0]))
		rc = observe_lives(&o, ret, e);
	if (rc == 0 && ret->of[NAT_UDP].shares_ports != NOT_OBSERVED)
		rc = observe_again(&o, ret, e);
	/* It leaves the lab changed. */
	if (rc == 0 && ret->of[NAT_UDP].shares_ports != NOT_OBSERVED)
		rc = observe_too_big(&o, ret, e);
	return rc;
}

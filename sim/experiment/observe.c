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

#define CLASS_LAST 1023u

/* ---- ports */

static int observe_sharing(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow a = FLOW_NONE;
	CLEANUP(flow) struct flow b = FLOW_NONE;
	bool a_there = false, b_there = false;
	int rc = flow_open(o, 0, OBSERVE_SHARED_PORT, 0, &a, &a_there, e);

	if (rc == 0)
		rc = flow_open(o, 1, OBSERVE_SHARED_PORT, 1, &b, &b_there, e);
	ret->of[NAT_UDP].gets_through = a_there || b_there;
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
	uint32_t seen[OBSERVE_SAMPLES];
	bool kept = true;

	for (unsigned i = 0; i < OBSERVE_SAMPLES; i++) {
		CLEANUP(flow) struct flow f = FLOW_NONE;
		bool there = false;
		int rc = flow_open(o, 0, (uint16_t)(OBSERVE_PARITY_PORT + i), 0, &f, &there, e);

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
	int rc = flow_open(o, 0, OBSERVE_WELL_KNOWN_PORT, 0, &low, &low_there, e);

	if (rc == 0)
		rc = flow_open(o, 0, OBSERVE_OTHER_PORT, 0, &high, &high_there, e);
	if (rc == 0 && low_there && high_there)
		ret->keeps_class =
			observed(low.outside.port <= CLASS_LAST && high.outside.port > CLASS_LAST);
	return rc;
}

/* ---- strangers */

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
	if (!socket_await(fd, POLLIN, process_now_us() + OBSERVE_SILENCE_US))
		return 0;
	int n = socket_receive(fd, data, sizeof(data), NULL);
	if (n == -ECONNREFUSED)
		ret->of[NAT_UDP].unsolicited = ANSWER_ICMP;
	else
		ret->of[NAT_UDP].unsolicited = n > 0 ? ANSWER_CONNECTION : ANSWER_NOT_OBSERVED;
	return 0;
}

/* ---- the whole */

static int observe_udp(const struct observer *o, struct observations *ret, struct err *e)
{
	bool translates = o->stage->models[0].translates;
	int rc = observe_sharing(o, ret, e);

	if (rc < 0 || !ret->of[NAT_UDP].gets_through)
		return rc;
	if (translates)
		rc = observe_stranger(o, ret, e);
	if (rc == 0 && translates)
		rc = observe_parity(o, ret, e);
	if (rc == 0 && translates)
		rc = observe_class(o, ret, e);
	if (rc == 0 && translates)
		rc = observe_hairpin(o, NAT_UDP, ret, e);
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
	if (rc == 0 && ret->of[NAT_UDP].gets_through)
		rc = observe_again(&o, ret, e);
	/* It leaves the lab changed. */
	if (rc == 0 && ret->of[NAT_UDP].gets_through)
		rc = observe_too_big(&o, ret, e);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan made by hand, so that the lab's tests need no model: six nodes, five links, two routers.
 *
 *	host-a 10.1.0.2 -- 10.1.0.1 router-a 203.0.113.2 -- 203.0.113.1 \
 *	host-b 10.2.0.2 -- 10.2.0.1 router-b 198.51.100.2 -- 198.51.100.1 internet
 *	                     server 192.0.2.2, 192.0.2.3 -- 192.0.2.1 /
 */
#ifndef NATSIM_TESTS_TWO_HOMES_H
#define NATSIM_TESTS_TWO_HOMES_H

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/model/plan.h"

enum two_homes_node { INTERNET, ROUTER_A, ROUTER_B, HOST_A, HOST_B, SERVER, TWO_HOMES_NODES };

#define TWO_HOMES_OPS   80u
#define TWO_HOMES_SITES 3u

struct two_homes {
	struct plan_node nodes[TWO_HOMES_NODES];
	struct plan_op ops[TWO_HOMES_OPS];
	struct plan_port ports[TWO_HOMES_SITES];
	struct plan_route routes[TWO_HOMES_SITES];
	struct plan plan;
	const struct link_profile *links[TWO_HOMES_SITES]; /* ideal ones */
};

/* Endpoint-independent mapping and filtering, over UDP. */
static char two_homes_ruleset[] =
	"table ip natsim {\n"
	"	map mapping_of {\n"
	"		type ipv4_addr . inet_service : ipv4_addr . inet_service\n"
	"		flags dynamic, timeout\n"
	"		size 1024\n"
	"	}\n"
	"	map owner_of {\n"
	"		type inet_service : ipv4_addr . inet_service\n"
	"		flags dynamic, timeout\n"
	"		size 1024\n"
	"	}\n"
	"	chain inbound {\n"
	"		type nat hook prerouting priority dstnat; policy accept;\n"
	"		iifname \"outside\" dnat ip to udp dport map @owner_of\n"
	"	}\n"
	"	chain outbound {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		oifname \"outside\" snat ip to ip saddr . udp sport map @mapping_of\n"
	"		oifname \"outside\" masquerade fully-random\n"
	"	}\n"
	"	chain remember {\n"
	"		type filter hook postrouting priority srcnat + 10; policy accept;\n"
	"		oifname \"outside\" meta l4proto udp ct direction original update @mapping_of { \\\n"
	"			ct original ip saddr . ct original proto-src timeout 120s : \\\n"
	"			ct reply ip daddr . ct reply proto-dst }\n"
	"		oifname \"outside\" meta l4proto udp ct direction original update @owner_of { \\\n"
	"			ct reply proto-dst timeout 120s : \\\n"
	"			ct original ip saddr . ct original proto-src }\n"
	"	}\n"
	"}\n";

static inline struct plan_op *two_homes_op(struct two_homes *t, enum plan_kind kind,
					   enum two_homes_node node, const char *ifname)
{
	assert(t->plan.ops_count < TWO_HOMES_OPS);
	struct plan_op *op = &t->ops[t->plan.ops_count++];

	op->kind = kind;
	op->node = node;
	(void)snprintf(op->ifname, sizeof(op->ifname), "%s", ifname);
	return op;
}

static inline void two_homes_node(struct two_homes *t, enum two_homes_node node, const char *name,
				  enum plan_node_kind kind)
{
	static const char *const sysctls[][2] = {
		{ "net/ipv6/conf/all/disable_ipv6", "1" },
		{ "net/ipv6/conf/default/disable_ipv6", "1" },
	};

	(void)snprintf(t->nodes[node].name, sizeof(t->nodes[node].name), "%s", name);
	t->nodes[node].kind = kind;
	(void)two_homes_op(t, PLAN_NODE, node, "");
	for (size_t i = 0; i < 2 + (kind == PLAN_NODE_ROUTER); i++) {
		struct plan_op *op = two_homes_op(t, PLAN_SYSCTL, node, "");

		(void)snprintf(op->key, sizeof(op->key), "%s",
			       i < 2 ? sysctls[i][0] : "net/ipv4/ip_forward");
		(void)snprintf(op->value, sizeof(op->value), "1");
	}
}

static inline void two_homes_end(struct two_homes *t, enum two_homes_node node, const char *ifname,
				 uint32_t addr)
{
	two_homes_op(t, PLAN_ADDRESS, node, ifname)->prefix = (struct prefix){ addr, 24 };
	(void)two_homes_op(t, PLAN_UP, node, ifname);
}

/* ifname of node, with the address network + 2, to peer_ifname of peer, with network + 1. */
static inline struct plan_op *two_homes_link(struct two_homes *t, enum two_homes_node node,
					     const char *ifname, enum two_homes_node peer,
					     const char *peer_ifname, uint32_t network)
{
	struct plan_op *op = two_homes_op(t, PLAN_VETH, node, ifname);

	op->peer_node = peer;
	(void)snprintf(op->peer_ifname, sizeof(op->peer_ifname), "%s", peer_ifname);
	memcpy(op->mac, (uint8_t[6]){ 2, 0, 0, 0, 2, (uint8_t)node }, 6);
	memcpy(op->peer_mac, (uint8_t[6]){ 2, 0, 0, 0, 1, (uint8_t)node }, 6);
	two_homes_end(t, node, ifname, network + 2);
	two_homes_end(t, peer, peer_ifname, network + 1);
	two_homes_op(t, PLAN_ROUTE, node, "")->gateway = network + 1;
	return op;
}

static inline void two_homes_site(struct two_homes *t, size_t i, enum two_homes_node node,
				  const char *name, uint32_t network)
{
	const struct plan_op *op = two_homes_link(t, node, "outside", INTERNET, name, network);

	t->ports[i] = (struct plan_port){ .gateway = network + 1, .node = node };
	(void)snprintf(t->ports[i].ifname, sizeof(t->ports[i].ifname), "%s", name);
	memcpy(t->ports[i].mac, op->peer_mac, 6);
	memcpy(t->ports[i].peer_mac, op->mac, 6);
	t->routes[i] = (struct plan_route){ { network, 24 }, (unsigned)i };
}

/* Fills *t, which must stay where it is. */
static inline void two_homes_init(struct two_homes *t)
{
	*t = (struct two_homes){ .plan = { .nodes = t->nodes,
					   .nodes_count = TWO_HOMES_NODES,
					   .ops = t->ops,
					   .ports = t->ports,
					   .ports_count = TWO_HOMES_SITES,
					   .routes = t->routes,
					   .routes_count = TWO_HOMES_SITES } };
	two_homes_node(t, INTERNET, "internet", PLAN_NODE_INTERNET);
	two_homes_node(t, ROUTER_A, "router-a", PLAN_NODE_ROUTER);
	two_homes_node(t, ROUTER_B, "router-b", PLAN_NODE_ROUTER);
	two_homes_node(t, HOST_A, "host-a", PLAN_NODE_HOST);
	two_homes_node(t, HOST_B, "host-b", PLAN_NODE_HOST);
	two_homes_node(t, SERVER, "server", PLAN_NODE_HOST);
	two_homes_site(t, 0, ROUTER_A, "router-a", 0xcb007100);
	two_homes_site(t, 1, ROUTER_B, "router-b", 0xc6336400);
	two_homes_site(t, 2, SERVER, "server", 0xc0000200);
	two_homes_op(t, PLAN_ADDRESS, SERVER, "outside")->prefix =
		(struct prefix){ 0xc0000203, 24 };
	(void)two_homes_link(t, HOST_A, "eth0", ROUTER_A, "inside", 0x0a010000);
	(void)two_homes_link(t, HOST_B, "eth0", ROUTER_B, "inside", 0x0a020000);
	two_homes_op(t, PLAN_RULESET, ROUTER_A, "")->text = two_homes_ruleset;
	two_homes_op(t, PLAN_RULESET, ROUTER_B, "")->text = two_homes_ruleset;
}

#endif

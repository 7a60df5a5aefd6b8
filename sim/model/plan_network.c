// SPDX-License-Identifier: GPL-2.0-or-later
/* What joins the nodes of a plan: links, addresses, interfaces that are up, and routes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model/plan_ops.h"

static uint32_t gateway_of(struct prefix outside)
{
	return prefix_network(outside).addr + 1;
}

/* ---- links */

static unsigned count_behind(const struct topology *t, const char *router)
{
	unsigned count = 0;

	for (unsigned i = 0; i < t->hosts_count; i++)
		count += t->hosts[i].behind != NULL && strcmp(t->hosts[i].behind, router) == 0;
	return count;
}

/* Between node and the Internet, and the port by which the wire knows it. */
static void add_outside_link(struct plan_maker *m, unsigned node, const char *ifname,
			     struct prefix outside)
{
	struct plan *p = m->p;
	const char *name = p->nodes[node].name;
	const struct plan_op *veth = plan_add_veth(m, 0, name, node, ifname);
	struct plan_port *port = &p->ports[p->ports_count];

	plan_set_name(port->ifname, name);
	memcpy(port->mac, veth->mac, sizeof(port->mac));
	memcpy(port->peer_mac, veth->peer_mac, sizeof(port->peer_mac));
	port->gateway = gateway_of(outside);
	port->node = node;
	p->routes[p->routes_count++] =
		(struct plan_route){ prefix_network(outside), (unsigned)p->ports_count };
	p->ports_count++;
}

/* A LAN of one host is the veth itself, one of more a bridge with a port for each host. */
static void add_lan(struct plan_maker *m, unsigned router)
{
	const struct topology *t = m->t;
	unsigned node = plan_router_node(router);
	const char *name = t->routers[router].name;
	bool bridge = count_behind(t, name) > 1;

	if (bridge)
		plan_set_name(plan_add(m, PLAN_BRIDGE, node)->ifname, "lan");
	for (unsigned i = 0; i < t->hosts_count; i++) {
		const struct topology_host *host = &t->hosts[i];

		if (host->behind == NULL || strcmp(host->behind, name) != 0)
			continue;
		(void)plan_add_veth(m, node, bridge ? host->name : "lan", plan_host_node(m, i),
				    "eth0");
		if (!bridge)
			continue;

		struct plan_op *port = plan_add(m, PLAN_ENSLAVE, node);

		plan_set_name(port->ifname, host->name);
		plan_set_name(port->peer_ifname, "lan");
	}
}

static void add_links(struct plan_maker *m)
{
	const struct topology *t = m->t;
	struct plan *p = m->p;

	assert(p->nodes_count > 0);
	/* A port for each node on the Internet, and a route for its prefix and the one inside. */
	p->ports = calloc(p->nodes_count, sizeof(*p->ports));
	p->routes = calloc(2 * p->nodes_count, sizeof(*p->routes));
	assert(p->ports != NULL && p->routes != NULL);
	for (unsigned i = 0; i < t->routers_count; i++)
		add_outside_link(m, plan_router_node(i), "wan", t->routers[i].outside);
	for (unsigned i = 0; i < t->hosts_count; i++)
		if (t->hosts[i].behind == NULL)
			add_outside_link(m, plan_host_node(m, i), "eth0", t->hosts[i].addresses[0]);
	for (unsigned i = 0; i < t->routers_count; i++)
		add_lan(m, i);
}

/* ---- addresses, up, routes */

/* A model may have more of them than one; they follow the topology's. */
static void add_outside_addresses(struct plan_maker *m, unsigned router)
{
	struct prefix prefix = m->t->routers[router].outside;
	const struct nat_model *model = m->p->nodes[plan_router_node(router)].model;

	for (unsigned i = 0; i == 0 || i < model->pool.count; i++, prefix.addr++)
		plan_add_address(m, plan_router_node(router), "wan", prefix);
}

static void add_addresses(struct plan_maker *m)
{
	const struct topology *t = m->t;

	for (size_t i = 0; i < m->p->ports_count; i++) {
		const struct plan_port *port = &m->p->ports[i];
		struct prefix prefix = { port->gateway, m->p->routes[i].prefix.length };

		plan_add_address(m, 0, port->ifname, prefix);
	}
	for (unsigned i = 0; i < t->routers_count; i++) {
		add_outside_addresses(m, i);
		if (count_behind(t, t->routers[i].name) > 0)
			plan_add_address(m, plan_router_node(i), "lan", t->routers[i].inside);
	}
	for (unsigned i = 0; i < t->hosts_count; i++)
		for (unsigned j = 0; j < t->hosts[i].addresses_count; j++)
			plan_add_address(m, plan_host_node(m, i), "eth0", t->hosts[i].addresses[j]);
}

/* All interfaces there are, in the order in which they were made. */
static void add_ups(struct plan_maker *m)
{
	size_t made = m->p->ops_count;

	for (size_t i = 0; i < made; i++) {
		struct plan_op op = m->p->ops[i]; /* a copy: adding may move the original */

		if (op.kind != PLAN_VETH && op.kind != PLAN_BRIDGE)
			continue;
		plan_add_up(m, op.node, op.ifname);
		if (op.kind == PLAN_VETH)
			plan_add_up(m, op.peer_node, op.peer_ifname);
	}
}

static void add_routes(struct plan_maker *m)
{
	const struct topology *t = m->t;
	struct prefix everywhere = { 0, 0 };

	for (unsigned i = 0; i < t->routers_count; i++) {
		const struct topology_router *router = &t->routers[i];

		plan_add_route(m, plan_router_node(i), everywhere, gateway_of(router->outside));
		if (m->p->nodes[plan_router_node(i)].model->translates)
			continue;
		/* Nothing hides what is inside, so the Internet has to know the way to it. Ports
		 * and routers have the same order. */
		plan_add_route(m, 0, prefix_network(router->inside), router->outside.addr);
		m->p->routes[m->p->routes_count++] =
			(struct plan_route){ prefix_network(router->inside), i };
	}
	for (unsigned i = 0; i < t->hosts_count; i++) {
		const struct topology_host *host = &t->hosts[i];

		plan_add_route(m, plan_host_node(m, i), everywhere,
			       host->behind == NULL
				       ? gateway_of(host->addresses[0])
				       : topology_router(t, host->behind)->inside.addr);
	}
}

/* ---- the whole */

void plan_add_network(struct plan_maker *m)
{
	add_links(m);
	add_addresses(m);
	add_ups(m);
	add_routes(m);
}

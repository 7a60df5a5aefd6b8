// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of the operations is the order in which the kernel wants them, and the one in which
 * nothing has to be waited for:
 *
 *	nodes		with IPv6 switched off before there is an interface to configure
 *	links		placed at both ends, still down
 *	addresses	before interfaces are up, so that no packet leaves from 0.0.0.0
 *	up
 *	routes		which need both
 *	rulesets	which make the kernel load conntrack, so only then can
 *	its sysctls	be set
 */
#include "sim/model/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/model/nat_sysctls.h"
#include "sim/model/plan_ops.h"

static uint32_t gateway_of(struct prefix outside)
{
	return prefix_network(outside).addr + 1;
}

/* ---- nodes: the Internet, then routers, then hosts, each in the topology's order */

static unsigned router_node(unsigned router)
{
	return 1 + router;
}

static unsigned host_node(const struct plan_maker *m, unsigned host)
{
	return 1 + m->t->routers_count + host;
}

static const struct nat_model *model_for(const struct plan_maker *m, const char *role)
{
	for (size_t i = 0; i < m->nats_count; i++)
		if (strcmp(m->nats[i].role, role) == 0)
			return m->nats[i].model;
	return NULL;
}

static int check_nats(const struct plan_maker *m)
{
	const struct topology *t = m->t;

	for (size_t i = 0; i < m->nats_count; i++) {
		const char *role = m->nats[i].role;
		bool known = false;

		for (unsigned j = 0; j < t->routers_count; j++)
			known = known || strcmp(t->routers[j].nat, role) == 0;
		if (!known)
			return err_set_input(m->e, "topology %s has no router with the role \"%s\"",
					     t->name, role);
		for (size_t j = 0; j < i; j++)
			if (strcmp(m->nats[j].role, role) == 0)
				return err_set_input(
					m->e, "role %s is given twice: as %s and as %s", role,
					m->nats[j].model->name, m->nats[i].model->name);
	}
	for (unsigned j = 0; j < t->routers_count; j++)
		if (model_for(m, t->routers[j].nat) == NULL)
			return err_set_input(m->e,
					     "%s of topology %s needs a NAT model: --nat %s=MODEL",
					     t->routers[j].name, t->name, t->routers[j].nat);
	return 0;
}

static void add_node(struct plan_maker *m, const char *name, enum plan_node_kind kind,
		     uint32_t addr)
{
	struct plan_node *node = &m->p->nodes[m->p->nodes_count];

	assert(strlen(name) < sizeof(node->name));
	(void)snprintf(node->name, sizeof(node->name), "%s", name);
	node->kind = kind;
	node->outside_addr = addr;
	(void)plan_add(m, PLAN_NODE, (unsigned)m->p->nodes_count);
	m->p->nodes_count++;
}

static void add_nodes(struct plan_maker *m)
{
	const struct topology *t = m->t;

	m->p->nodes = calloc(1u + t->routers_count + t->hosts_count, sizeof(*m->p->nodes));
	assert(m->p->nodes != NULL);
	add_node(m, PLAN_INTERNET, PLAN_NODE_INTERNET, 0);
	for (unsigned i = 0; i < t->routers_count; i++) {
		add_node(m, t->routers[i].name, PLAN_NODE_ROUTER, t->routers[i].outside.addr);
		m->p->nodes[router_node(i)].model = model_for(m, t->routers[i].nat);
	}
	for (unsigned i = 0; i < t->hosts_count; i++)
		add_node(m, t->hosts[i].name, PLAN_NODE_HOST, t->hosts[i].addresses[0].addr);
}

/*
 * A new namespace takes some of these from the machine it is on, so whatever behaviour depends on
 * is set. All belong to the namespace and may be written without privileges outside of it.
 */
static void add_node_sysctls(struct plan_maker *m)
{
	for (unsigned i = 0; i < m->p->nodes_count; i++) {
		bool router = m->p->nodes[i].kind == PLAN_NODE_ROUTER;

		plan_add_sysctl(m, i, "net/ipv6/conf/all/disable_ipv6", 1);
		plan_add_sysctl(m, i, "net/ipv6/conf/default/disable_ipv6", 1);
		plan_add_sysctl(m, i, "net/ipv4/ip_forward", router);
		/* Packets between sites may come from where no route leads back to. */
		plan_add_sysctl(m, i, "net/ipv4/conf/all/rp_filter", 0);
		plan_add_sysctl(m, i, "net/ipv4/conf/default/rp_filter", 0);
		/* Every packet that asks for an ICMP error gets it, not one a second. */
		plan_add_sysctl(m, i, "net/ipv4/icmp_ratelimit", 0);
		/* A connection that a program leaves behind when its lab ends waits for answers
		 * that never come, and keeps its namespace for that long: not 100 s, but one and a
		 * half. */
		if (m->p->nodes[i].kind == PLAN_NODE_HOST)
			plan_add_sysctl(m, i, "net/ipv4/tcp_orphan_retries", 2);
		if (!router)
			continue;
		/* What two hosts of a LAN send through the router is not to be short-cut. */
		plan_add_sysctl(m, i, "net/ipv4/conf/all/send_redirects", 0);
		plan_add_sysctl(m, i, "net/ipv4/conf/default/send_redirects", 0);
		/* Nor is what they send each other past it to be seen by its rules, as it is where
		 * br_netfilter is loaded. */
		plan_add_sysctl_if_there(m, i, "net/bridge/bridge-nf-call-iptables", 0);
	}
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
	unsigned node = router_node(router);
	const char *name = t->routers[router].name;
	bool bridge = count_behind(t, name) > 1;

	if (bridge)
		plan_set_name(plan_add(m, PLAN_BRIDGE, node)->ifname, "lan");
	for (unsigned i = 0; i < t->hosts_count; i++) {
		const struct topology_host *host = &t->hosts[i];

		if (host->behind == NULL || strcmp(host->behind, name) != 0)
			continue;
		(void)plan_add_veth(m, node, bridge ? host->name : "lan", host_node(m, i), "eth0");
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
		add_outside_link(m, router_node(i), "wan", t->routers[i].outside);
	for (unsigned i = 0; i < t->hosts_count; i++)
		if (t->hosts[i].behind == NULL)
			add_outside_link(m, host_node(m, i), "eth0", t->hosts[i].addresses[0]);
	for (unsigned i = 0; i < t->routers_count; i++)
		add_lan(m, i);
}

/* ---- addresses, up, routes */

/* A model may have more of them than one; they follow the topology's. */
static void add_outside_addresses(struct plan_maker *m, unsigned router)
{
	struct prefix prefix = m->t->routers[router].outside;
	const struct nat_model *model = m->p->nodes[router_node(router)].model;

	for (unsigned i = 0; i == 0 || i < model->pool.count; i++, prefix.addr++)
		plan_add_address(m, router_node(router), "wan", prefix);
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
			plan_add_address(m, router_node(i), "lan", t->routers[i].inside);
	}
	for (unsigned i = 0; i < t->hosts_count; i++)
		for (unsigned j = 0; j < t->hosts[i].addresses_count; j++)
			plan_add_address(m, host_node(m, i), "eth0", t->hosts[i].addresses[j]);
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

		plan_add_route(m, router_node(i), everywhere, gateway_of(router->outside));
		if (m->p->nodes[router_node(i)].model->translates)
			continue;
		/* Nothing hides what is inside, so the Internet has to know the way to it. Ports
		 * and routers have the same order. */
		plan_add_route(m, 0, prefix_network(router->inside), router->outside.addr);
		m->p->routes[m->p->routes_count++] =
			(struct plan_route){ prefix_network(router->inside), i };
	}
	for (unsigned i = 0; i < t->hosts_count; i++) {
		const struct topology_host *host = &t->hosts[i];

		plan_add_route(m, host_node(m, i), everywhere,
			       host->behind == NULL
				       ? gateway_of(host->addresses[0])
				       : topology_router(t, host->behind)->inside.addr);
	}
}

/* ---- rulesets */

static void add_conntrack_sysctls(struct plan_maker *m, unsigned node,
				  const struct nat_model *model)
{
	struct nat_sysctl sysctls[NAT_SYSCTLS_MAX];
	size_t count = nat_sysctls(model, sysctls);

	for (size_t i = 0; i < count; i++) {
		char key[96];

		(void)snprintf(key, sizeof(key), "net/netfilter/%s", sysctls[i].name);
		plan_add_sysctl(m, node, key, sysctls[i].value);
	}
}

static int add_rulesets(struct plan_maker *m, const struct ruleset_files *rules)
{
	for (unsigned i = 0; i < m->t->routers_count; i++) {
		const struct topology_router *router = &m->t->routers[i];
		const struct nat_model *model = m->p->nodes[router_node(i)].model;
		struct ruleset_site site = {
			.outside_ifname = "wan",
			.outside_addr = router->outside.addr,
			.inside = router->inside,
		};
		CLEANUP(buf) struct buf text = BUF_INIT;
		int r = ruleset_compose(model, &site, rules, &text, m->e);

		if (r < 0)
			return r;
		plan_add(m, PLAN_RULESET, router_node(i))->text = buf_steal(&text);
		add_conntrack_sysctls(m, router_node(i), model);
	}
	return 0;
}

/* ---- the whole */

int plan_make(const struct topology *t, const struct plan_nat *nats, size_t nats_count,
	      const struct ruleset_files *rules, struct plan *ret, struct err *e)
{
	struct plan p = { .nodes = NULL };
	struct plan_maker m = { .t = t, .nats = nats, .nats_count = nats_count, .p = &p, .e = e };
	int r;

	r = check_nats(&m);
	if (r < 0)
		return r;
	add_nodes(&m);
	add_node_sysctls(&m);
	add_links(&m);
	add_addresses(&m);
	add_ups(&m);
	add_routes(&m);
	r = add_rulesets(&m, rules);
	if (r < 0) {
		plan_fini(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void plan_fini(struct plan *p)
{
	for (size_t i = 0; i < p->ops_count; i++)
		free(p->ops[i].text);
	free(p->ops);
	free(p->nodes);
	free(p->ports);
	free(p->routes);
	*p = (struct plan){ .nodes = NULL };
}

int plan_node(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->nodes_count; i++)
		if (strcmp(p->nodes[i].name, name) == 0)
			return (int)i;
	return -1;
}

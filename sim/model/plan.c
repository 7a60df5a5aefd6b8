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

/* ---- nodes */

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
		m->p->nodes[plan_router_node(i)].model = model_for(m, t->routers[i].nat);
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
		const struct nat_model *model = m->p->nodes[plan_router_node(i)].model;
		struct ruleset_site site = {
			.outside_ifname = "wan",
			.outside_addr = router->outside.addr,
			.inside = router->inside,
		};
		CLEANUP(buf) struct buf text = BUF_INIT;
		int r = ruleset_compose(model, &site, rules, &text, m->e);

		if (r < 0)
			return r;
		plan_add(m, PLAN_RULESET, plan_router_node(i))->text = buf_steal(&text);
		add_conntrack_sysctls(m, plan_router_node(i), model);
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
	plan_add_network(&m);
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

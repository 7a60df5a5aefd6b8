// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/plan_ops.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan_op *plan_add(struct plan_maker *m, enum plan_kind kind, unsigned node)
{
	struct plan *p = m->p;

	if (p->ops_count == m->ops_size) {
		m->ops_size = m->ops_size == 0 ? 64 : 2 * m->ops_size;
		p->ops = realloc(p->ops, m->ops_size * sizeof(*p->ops));
		assert(p->ops != NULL);
	}

	struct plan_op *op = &p->ops[p->ops_count++];

	*op = (struct plan_op){ .kind = kind, .node = node };
	return op;
}

void plan_set_name(char name[static PLAN_IFNAME_SIZE], const char *text)
{
	assert(strlen(text) < PLAN_IFNAME_SIZE);
	(void)snprintf(name, PLAN_IFNAME_SIZE, "%s", text);
}

/* Locally administered (the bit 02 of the first byte), and the same in every run: the number of the
 * link and the end of it. */
static void set_mac(uint8_t mac[static 6], unsigned link, unsigned end)
{
	mac[0] = 0x02;
	mac[1] = mac[2] = 0;
	mac[3] = (uint8_t)(link >> 8);
	mac[4] = (uint8_t)link;
	mac[5] = (uint8_t)end;
}

void plan_add_sysctl(struct plan_maker *m, unsigned node, const char *key, unsigned value)
{
	struct plan_op *op = plan_add(m, PLAN_SYSCTL, node);

	assert(strlen(key) < sizeof(op->key));
	(void)snprintf(op->key, sizeof(op->key), "%s", key);
	(void)snprintf(op->value, sizeof(op->value), "%u", value);
}

void plan_add_sysctl_if_there(struct plan_maker *m, unsigned node, const char *key, unsigned value)
{
	plan_add_sysctl(m, node, key, value);
	m->p->ops[m->p->ops_count - 1].if_there = true;
}

void plan_add_up(struct plan_maker *m, unsigned node, const char *ifname)
{
	plan_set_name(plan_add(m, PLAN_UP, node)->ifname, ifname);
}

void plan_add_address(struct plan_maker *m, unsigned node, const char *ifname, struct prefix prefix)
{
	struct plan_op *op = plan_add(m, PLAN_ADDRESS, node);

	plan_set_name(op->ifname, ifname);
	op->prefix = prefix;
}

void plan_add_route(struct plan_maker *m, unsigned node, struct prefix prefix, uint32_t gateway)
{
	struct plan_op *op = plan_add(m, PLAN_ROUTE, node);

	op->prefix = prefix;
	op->gateway = gateway;
}

const struct plan_op *plan_add_veth(struct plan_maker *m, unsigned node, const char *ifname,
				    unsigned peer_node, const char *peer_ifname)
{
	struct plan_op *op = plan_add(m, PLAN_VETH, node);

	op->peer_node = peer_node;
	plan_set_name(op->ifname, ifname);
	plan_set_name(op->peer_ifname, peer_ifname);
	m->links++;
	set_mac(op->mac, m->links, 1);
	set_mac(op->peer_mac, m->links, 2);
	return op;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding operations to a plan that is being made. */
#ifndef NATSIM_SIM_MODEL_PLAN_OPS_H
#define NATSIM_SIM_MODEL_PLAN_OPS_H

#include "sim/model/plan.h"

struct plan_maker {
	const struct topology *t;
	const struct plan_nat *nats;
	size_t nats_count;
	struct plan *p;
	size_t ops_size;
	unsigned links; /* made so far: the number of the next one */
	struct err *e;
};

/* The nodes are the Internet, then routers, then hosts, each in the topology's order. */
static inline unsigned plan_router_node(unsigned router)
{
	return 1 + router;
}

static inline unsigned plan_host_node(const struct plan_maker *m, unsigned host)
{
	return 1 + m->t->routers_count + host;
}

/* The new operation is valid until the next is added. */
struct plan_op *plan_add(struct plan_maker *m, enum plan_kind kind, unsigned node);

void plan_set_name(char name[static PLAN_IFNAME_SIZE], const char *text);
void plan_add_sysctl(struct plan_maker *m, unsigned node, const char *key, unsigned value);
void plan_add_sysctl_if_there(struct plan_maker *m, unsigned node, const char *key, unsigned value);
void plan_add_up(struct plan_maker *m, unsigned node, const char *ifname);
void plan_add_address(struct plan_maker *m, unsigned node, const char *ifname,
		      struct prefix prefix);
void plan_add_route(struct plan_maker *m, unsigned node, struct prefix prefix, uint32_t gateway);

/* As plan_add. The MAC addresses are those of the next link. */
const struct plan_op *plan_add_veth(struct plan_maker *m, unsigned node, const char *ifname,
				    unsigned peer_node, const char *peer_ifname);

/* Links, addresses and routes of all nodes, which are there. plan_network.c */
void plan_add_network(struct plan_maker *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes of a plan as network namespaces: links, addresses, routes, sysctls and rulesets, as the
 * plan's operations say. Packets between sites go nowhere yet; that takes the wire.
 */
#ifndef NATSIM_SIM_LAB_NODES_H
#define NATSIM_SIM_LAB_NODES_H

#include "lib/err.h"
#include "sim/lab/netlink.h"
#include "sim/model/plan.h"

struct node {
	int netns_fd;
	struct netlink route; /* rtnetlink and nfnetlink in it; kept open, since they are used */
	struct netlink netfilter; /* again and again and nft.h has its reason; the second for */
				  /* routers only */
};

struct nodes {
	const struct plan *plan;   /* borrowed */
	struct node *items;        /* one for each of the plan's nodes */
	struct rulesets *rulesets; /* NULL until the nodes are made */
};

/* Nothing is there yet, and nodes_fini() may be called at any time from here on. */
void nodes_init(struct nodes *nodes, const struct plan *plan);
void nodes_fini(struct nodes *nodes);

/* Carries out the plan's operations in their order. When it returns, the rulesets may still be on
 * their way, since nothing else depends on them and the programs of the lab can start meanwhile;
 * the second function waits for them. The calling thread ends in the namespace it came from. */
int nodes_build(struct nodes *nodes, struct err *e);
int nodes_await_rulesets(struct nodes *nodes, struct err *e);

/* Until every link that was set up carries packets. */
int nodes_await_links(struct nodes *nodes, struct err *e);

/* Makes every router forget its connections and dynamic sets and maps. */
int nodes_flush(struct nodes *nodes, struct err *e);

#endif

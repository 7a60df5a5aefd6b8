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
	struct nft_ctx *ruleset;  /* what loaded it, for nft_release(); NULL: none has */
};

struct nodes {
	const struct plan *plan;       /* borrowed */
	struct node *items;            /* one for each of the plan's nodes */
	struct nodes_builder *routers; /* while they are being set up; else NULL */
};

/* Nothing is there yet, and nodes_fini() may be called at any time from here on. */
void nodes_init(struct nodes *nodes, const struct plan *plan);
void nodes_fini(struct nodes *nodes);

/*
 * Carries out the plan's operations. A thread of its own sets up the routers (their namespaces,
 * sysctls and rulesets) beside the calling one, which leaves libnftables alone meanwhile and ends
 * in the namespace it came from. When nodes_build() returns, the rulesets may still be on their
 * way, since no other operation depends on them, and the programs of the lab can start meanwhile;
 * nodes_await_routers() waits for them.
 */
int nodes_build(struct nodes *nodes, struct err *e);
int nodes_await_routers(struct nodes *nodes, struct err *e);

/* Until every link that was set up carries packets. */
int nodes_await_links(struct nodes *nodes, struct err *e);

/* Makes every router forget its connections and dynamic sets and maps. */
int nodes_flush(struct nodes *nodes, struct err *e);

#endif

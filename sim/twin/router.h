/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router of the twin: every behaviour of a NAT model (sim/model/nat_model.h), from the same
 * struct that the lab's ruleset is made from, and what Linux' conntrack and routing add to it
 * there. nat_models/rules/ says in nft what this says in C.
 */
#ifndef NATSIM_SIM_TWIN_ROUTER_H
#define NATSIM_SIM_TWIN_ROUTER_H

#include <stdint.h>

#include "sim/model/nat_model.h"
#include "sim/twin/node.h"

struct twin_router_config {
	/* Outlives the router. One with a ruleset of its own has no twin: whoever makes the router
	 * has refused it. */
	const struct nat_model *model;
	uint32_t outside_addr; /* the first of its pool */
	struct prefix inside;  /* the address is the router's own one there */
};

struct twin_router;

struct twin_router *twin_router_new(const struct twin_router_config *config);
void twin_router_free(struct twin_router *r); /* NULL is allowed */
struct twin_node *twin_router_node(struct twin_router *r);

/* Forgets all it has learnt. The seed is of random ports and of where a sequence stands: as the
 * lab's routers, which go on counting, it begins anywhere. Cheap: what was not used is not touched.
 */
void twin_router_reset(struct twin_router *r, uint64_t seed);

#endif

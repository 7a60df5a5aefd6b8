// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/twin/router.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "sim/twin/nat.h"

struct twin_router {
	struct twin_node node; /* the first, so that it is the router too */
	struct twin_nat nat;
};

static void receive(struct twin_node *node, struct twin_world *world, enum twin_side side,
		    struct twin_packet *p)
{
	struct twin_router *r = (struct twin_router *)node;
	enum twin_side out;

	if (twin_nat_take(&r->nat, twin_world_now_us(world), side, p, &out) != TWIN_NAT_DROPS)
		twin_world_send(world, node, out, p);
}

/* It does nothing by itself. */
static void run(struct twin_node *node, struct twin_world *world)
{
	(void)node;
	(void)world;
}

struct twin_router *twin_router_new(const struct twin_router_config *config)
{
	struct twin_router *r = calloc(1, sizeof(*r));

	assert(r != NULL);
	r->node = (struct twin_node){ .receive = receive, .run_at_us = NEVER, .run = run };
	twin_nat_init(&r->nat, &(struct twin_nat_config){ config->model, config->outside_addr,
							  config->inside });
	return r;
}

void twin_router_free(struct twin_router *r)
{
	if (r == NULL)
		return;
	twin_nat_fini(&r->nat);
	free(r);
}

struct twin_node *twin_router_node(struct twin_router *r)
{
	return &r->node;
}

void twin_router_reset(struct twin_router *r, uint64_t seed)
{
	twin_nat_reset(&r->nat, seed);
}

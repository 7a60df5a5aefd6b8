/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage in the twin: its hosts, routers, links and rendezvous in virtual time, as a lab is in the
 * kernel. It serves many trials, each of which begins with twin_reset() and depends on nothing that
 * was before.
 */
#ifndef NATSIM_SIM_EXPERIMENT_TWIN_H
#define NATSIM_SIM_EXPERIMENT_TWIN_H

#include "sim/experiment/stage.h"
#include "sim/twin/host.h"
#include "sim/twin/world.h"

struct twin;

/* Refuses, as the user's mistake, what the twin cannot do: a NAT model that is a ruleset of its
 * own.
 */
int twin_check(const struct stage *stage, struct err *e);

/* The twin borrows from the stage. Refuses as twin_check(). */
int twin_open(const struct stage *stage, struct twin **ret, struct err *e);
void twin_close(struct twin *t); /* NULL is allowed */
static inline void twin_cleanup(struct twin **t)
{
	twin_close(*t);
}

/* Time 0 again: routers, links and hosts have forgotten everything, and the rendezvous starts. */
void twin_reset(struct twin *t, uint64_t seed);

/* After a reset: something beside each peer that stands behind a router, on the same address, opens
 * so many flows a second for so long (peers/core/cross_traffic.h). */
void twin_start_neighbours(struct twin *t, uint64_t flows_per_second, uint64_t lasts_us,
			   uint64_t seed);

/* The host that is a node of the stage's plan. */
struct twin_host *twin_host_at(struct twin *t, unsigned node);

struct twin_world *twin_world_of(struct twin *t);

#endif

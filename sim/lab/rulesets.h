/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rulesets of a plan, loaded by a thread of their own while the caller builds the rest:
 * reading them takes libnftables about as long as the kernel takes for all namespaces and links,
 * and neither needs the other. The caller leaves libnftables alone meanwhile.
 */
#ifndef NATSIM_SIM_LAB_RULESETS_H
#define NATSIM_SIM_LAB_RULESETS_H

#include "lib/err.h"
#include "sim/model/plan.h"

struct rulesets;

/* Begins to load the plan's rulesets in their order. netns_fds has the namespace of each node; they
 * and the plan outlive what is returned. */
struct rulesets *rulesets_start(const struct plan *plan, const int *netns_fds);

/* Waits until all are loaded, or one has failed. Call it once. */
int rulesets_await(struct rulesets *r, struct err *e);

/* Waits too, if nobody has. The rulesets stay. NULL is allowed. */
void rulesets_free(struct rulesets *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What observers of either world ask in the same way: whom a hairpinned packet comes from, and
 * whether a connection from outside can be aimed at a router's port. Pure. */
#ifndef NATSIM_SIM_EXPERIMENT_OBSERVE_SOURCE_H
#define NATSIM_SIM_EXPERIMENT_OBSERVE_SOURCE_H

#include "sim/experiment/observe.h"

/* The sender's port; no other observation's. */
#define OBSERVE_HAIRPIN_PORT 44000u

/* How often it tries to reach the other host: a router that draws its ports may drop a packet whose
 * draw was bad. */
#define OBSERVE_HAIRPINS 3u

struct observed_sender {
	struct endpoint inside;
	struct endpoint outside; /* if it has one for all */
	bool has_one_outside;
};

/* What the receiver saw it come from; none if nothing came. The router's addresses begin with
 * router_addr. */
enum observed_hairpin observed_source(const struct nat_model *m, uint32_t router_addr,
				      const struct observed_sender *from, struct endpoint seen);

/* Over TCP, at a port that is known before anything has been sent there. */
bool observed_can_be_aimed_at(const struct nat_model *m);

#endif

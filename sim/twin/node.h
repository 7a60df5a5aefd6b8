/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node of the twin's world, a host or a router, is what the world asks of it: to take a packet,
 * to say when it wants to run, and to run. A node does something only when it is called, and then
 * it may send.
 */
#ifndef NATSIM_SIM_TWIN_NODE_H
#define NATSIM_SIM_TWIN_NODE_H

#include <stdint.h>

#include "sim/twin/packet.h"

struct twin_world;

/* Where a node is attached: a router to both; a host to its LAN (inside), or, where it stands
 * directly on the Internet, to that (outside). */
enum twin_side { TWIN_INSIDE, TWIN_OUTSIDE };

struct twin_node {
	/* A packet arrived on that side. It is the callee's to change, until it returns. */
	void (*receive)(struct twin_node *node, struct twin_world *world, enum twin_side side,
			struct twin_packet *p);
	/* When run() is to be called, at the earliest; NEVER for not at all. Kept up to date by
	 * the node whenever it is called. */
	uint64_t run_at_us;
	void (*run)(struct twin_node *node, struct twin_world *world);
	unsigned index; /* in the world, which sets it */
};

/* Sends a copy of p from a node to that side: out over its access link to whoever has the address
 * p->to.addr, or into its LAN, or through that to its router. Hosts get it later, never before the
 * caller returns; a router may get it, and send it on, at once. What nobody in a LAN has the
 * address of is lost. */
void twin_world_send(struct twin_world *world, const struct twin_node *from, enum twin_side side,
		     const struct twin_packet *p);

uint64_t twin_world_now_us(const struct twin_world *world);

#endif

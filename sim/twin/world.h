/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twin's world: nodes, LANs, access links and the Internet between them, in virtual time, in
 * one process. Time is in whole microseconds, begins at 0 with each reset, and stands still while a
 * node runs. What is due at the same time happens in the order in which it was asked for.
 *
 * The Internet is the lab's wire: a packet goes up its site's link and down the other's, each with
 * the same link model (sim/model/link.h), and loses as much of its TTL as there are routers on the
 * way. A LAN has no delay.
 */
#ifndef NATSIM_SIM_TWIN_WORLD_H
#define NATSIM_SIM_TWIN_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/model/link.h"
#include "sim/twin/node.h"

struct twin_world *twin_world_new(void);
void twin_world_free(struct twin_world *w); /* NULL is allowed. Nodes are their makers'. */

/* A place on the Internet: a router or a host with these addresses (a prefix of a network behind a
 * router that does not translate, and /32 otherwise). link NULL: an ideal one. */
struct twin_site {
	struct twin_node *node;
	const struct prefix *prefixes;
	size_t prefixes_count;
	uint32_t gateway; /* the far end of its link: the source of ICMP errors */
	const struct link_profile *link;
};
void twin_world_add_site(struct twin_world *w, const struct twin_site *site);

/* A host in the LAN behind a router that is a site already. */
void twin_world_add_lan_host(struct twin_world *w, struct twin_node *host, const uint32_t *addrs,
			     size_t addrs_count, struct twin_node *router);

/* Back to time 0: nothing is under way, and links draw from the seed. Nodes are reset by their
 * owners. */
void twin_world_reset(struct twin_world *w, uint64_t seed);

/* Called for each packet that has come to the middle of the Internet, with the addresses it has
 * there and before it is routed; false: it is lost. NULL: all pass. ICMP errors that are made right
 * there are not shown. Stays over resets. */
void twin_world_set_filter(struct twin_world *w,
			   bool (*passes)(void *arg, uint64_t now_us, const struct twin_packet *p),
			   void *arg);

/* Goes on until over() says so, asked after each event; or until the time, which it then is; or
 * until nothing is to come. */
void twin_world_run(struct twin_world *w, uint64_t until_us, bool (*over)(void *arg), void *arg);

/* How many events there were since the reset. */
uint64_t twin_world_events(const struct twin_world *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a twin_world: world.c has nodes, LANs and time, internet.c sites, links and the
 * middle of the Internet. */
#ifndef NATSIM_SIM_TWIN_WORLD_STATE_H
#define NATSIM_SIM_TWIN_WORLD_STATE_H

#include "lib/timerqueue.h"
#include "sim/twin/world.h"

/* A packet under way. */
struct flight {
	struct flight *next;
	struct twin_node *to; /* NULL: to the middle of the Internet */
	enum twin_side side;
	unsigned from; /* the site it comes from */
	struct twin_packet p;
};

struct site {
	struct twin_node *node;
	uint32_t gateway;
	unsigned hops;
	bool up_ideal, down_ideal; /* nothing happens on it */
	bool down_free;            /* what happens to a packet there does not depend on others */
	struct link_params up_params, down_params;
	struct link up, down;
};

struct route {
	uint32_t network, mask;
	unsigned site;
};

struct lan_address {
	uint32_t addr;
	unsigned router; /* a node */
	struct twin_node *host;
};

#define NO_SITE UINT32_MAX

struct attachment {
	struct twin_node *node;
	unsigned site;            /* or NO_SITE */
	struct twin_node *router; /* of a host in a LAN; else NULL */
};

struct twin_world {
	uint64_t now_us, events;
	struct timerqueue later;
	struct flight *due, **due_end; /* at now_us */
	struct flight *unused;
	struct attachment *nodes;
	size_t nodes_count;
	struct site *sites;
	size_t sites_count;
	struct route *routes; /* the longest prefix first */
	size_t routes_count;
	struct lan_address *lan;
	size_t lan_count;
	bool (*passes)(void *arg, uint64_t now_us, const struct twin_packet *p);
	void *passes_arg;
};

/* One more of them, to be put behind the last. */
void *world_grow(void *items, size_t count, size_t size);

/* Puts a node into the world; valid until the next one is. */
struct attachment *world_attach(struct twin_world *w, struct twin_node *node);

/* A flight with a copy of p, and one that is not needed any more. */
struct flight *world_take_off(struct twin_world *w, const struct twin_packet *p);
void world_recycle(struct twin_world *w, struct flight *f);

/* It arrives then; not before now. */
void world_schedule(struct twin_world *w, struct flight *f, uint64_t time_us);

/* Sends a packet up a site's link. */
void internet_send(struct twin_world *w, unsigned site, const struct twin_packet *p);

/* f has come to the middle. */
void internet_pass(struct twin_world *w, struct flight *f, uint64_t time_us);

void internet_reset(struct twin_world *w, uint64_t seed);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A topology: hosts and routers and how they hang together, as read from a YAML file in
 * topologies/. Which NAT a router runs is not part of it: a router names a role, which --nat
 * ROLE=MODEL fills.
 */
#ifndef NATSIM_SIM_MODEL_TOPOLOGY_H
#define NATSIM_SIM_MODEL_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/endpoint.h"
#include "lib/err.h"

#define NODE_NAME_SIZE 16 /* letters, digits and dashes; short, for it also names interfaces */

/* outside and inside carry the router's own address. Outside is a link of the Internet; its far
 * end, the gateway, is the first address of the prefix. */
struct topology_router {
	char *name;
	char *nat; /* the role, for example "a" */
	struct prefix outside, inside;
};

struct topology_host {
	char *name;
	char *behind; /* the router, or NULL: directly on the Internet */
	char *peer;   /* the peer's role, "a" or "b", or NULL */
	bool rendezvous;
	struct prefix *addresses; /* the first is the main one */
	unsigned addresses_count;
};

struct topology {
	char name[64];
	char *about;
	char *drawing; /* the comment the file opens with, without the '#'s; heap */
	struct topology_router *routers;
	unsigned routers_count;
	struct topology_host *hosts;
	unsigned hosts_count;
};

/* Reads and checks one topology. As nat_model_parse. */
int topology_parse(const char *file, const char *data, size_t len, struct topology *ret,
		   struct err *e);
void topology_fini(struct topology *t);

const struct topology_router *topology_router(const struct topology *t, const char *name);
const struct topology_host *topology_host(const struct topology *t, const char *name);
const struct topology_host *topology_peer(const struct topology *t, const char *role);
const struct topology_host *topology_rendezvous(const struct topology *t); /* NULL if none */

#endif

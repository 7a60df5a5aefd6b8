/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a topology's names and addresses have to be, beyond what the schema says. Each new one is
 * held against the routers and hosts that t has already; path is its place in the file.
 */
#ifndef NATSIM_SIM_MODEL_TOPOLOGY_CHECK_H
#define NATSIM_SIM_MODEL_TOPOLOGY_CHECK_H

#include "sim/model/topology.h"
#include "sim/model/yaml.h"

int topology_check_word(const struct yaml_source *src, const char *path, const char *word,
			struct err *e);
int topology_check_node_name(const struct yaml_source *src, const struct topology *t,
			     const char *path, const char *name, struct err *e);

/* Reads the address of an interface, with its prefix length: one a host can have, on a network with
 * room for at least two. */
int topology_read_address(const struct yaml_source *src, const char *path, const char *text,
			  struct prefix *ret, struct err *e);

/* The address of a node on an outside link, which owns its whole prefix: its first address is the
 * gateway's. */
int topology_check_outside(const struct yaml_source *src, const struct topology *t,
			   const char *path, struct prefix p, struct err *e);

bool topology_prefixes_overlap(struct prefix a, struct prefix b);

/* Holds the address number n of a new host against its router (NULL: it is on the Internet), the
 * addresses before it and those of the other hosts. */
int topology_check_host_address(const struct yaml_source *src, const struct topology *t,
				const struct topology_router *router,
				const struct prefix *addresses, unsigned n, const char *path,
				struct err *e);

#endif

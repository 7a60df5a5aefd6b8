/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where natsim's own files are, and reading them: NAT models, rules, topologies, links and suites,
 * by name or, where a name holds a slash or ends in .yaml, from that path.
 *
 * The data directory is $NATSIM_DATA; or the source tree that the program was built in; or the one
 * that `make install` filled beside it, wherever that is. natsim's own programs are in the folder
 * that natsim itself is in.
 */
#ifndef NATSIM_SIM_EXPERIMENT_CATALOG_H
#define NATSIM_SIM_EXPERIMENT_CATALOG_H

#include "lib/buf.h"
#include "lib/err.h"
#include "sim/model/link.h"
#include "sim/model/nat_model.h"
#include "sim/model/ruleset.h"
#include "sim/model/topology.h"

enum catalog_kind { CATALOG_NAT_MODEL, CATALOG_TOPOLOGY, CATALOG_SUITE };

struct catalog {
	char *data_dir, *program_dir;
	char *peer, *rendezvous; /* the paths of natsim's own programs */
	struct link_profile *links;
	size_t links_count;
	struct ruleset_files rules;
};

/* Finds the directories and reads the links and the rules. */
int catalog_open(struct catalog *ret, struct err *e);
void catalog_close(struct catalog *c);
static inline void catalog_cleanup(struct catalog *c)
{
	catalog_close(c);
}

/* A name that is not there is the user's mistake; the text lists the names that are. */
int catalog_nat(const struct catalog *c, const char *name, struct nat_model *ret, struct err *e);

/* Several of them; CLEANUP(catalog_nats) also where it fails. */
struct catalog_nats {
	struct nat_model *items;
	size_t count;
};
int catalog_nats(const struct catalog *c, const char *const *names, size_t count,
		 struct catalog_nats *ret, struct err *e);
void catalog_nats_cleanup(struct catalog_nats *n);
int catalog_topology(const struct catalog *c, const char *name, struct topology *ret,
		     struct err *e);
int catalog_link(const struct catalog *c, const char *name, const struct link_profile **ret,
		 struct err *e);

/* The text of a file, and in ret_path its path for error texts. Both are the caller's to free. */
int catalog_read(const struct catalog *c, enum catalog_kind kind, const char *name, char **ret_path,
		 struct buf *ret_text, struct err *e);

/* All names of a kind, sorted. */
struct catalog_names {
	char **items;
	size_t count;
};
int catalog_list(const struct catalog *c, enum catalog_kind kind, struct catalog_names *ret,
		 struct err *e);
void catalog_names_free(struct catalog_names *names);
static inline void catalog_names_cleanup(struct catalog_names *names)
{
	catalog_names_free(names);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage: everything that is needed to build a lab, read and checked, by name: the topology, a NAT
 * model for each of its roles, the access links, and the plan made of them.
 */
#ifndef NATSIM_SIM_EXPERIMENT_STAGE_H
#define NATSIM_SIM_EXPERIMENT_STAGE_H

#include "sim/experiment/catalog.h"
#include "sim/experiment/suite.h"
#include "sim/lab/lab.h"
#include "sim/model/plan.h"

#define STAGE_NATS_MAX 16u

/* What a role runs that is given no model: what a Linux home router does. */
#define STAGE_DEFAULT_NAT "port-restricted-cone"

/* What a peer's role may be given that has no router: nothing stands there. */
#define STAGE_NO_NAT "open"

struct stage_nat {
	const char *role, *model; /* names */
};

struct stage_config {
	const char *topology;
	struct stage_nat nats[STAGE_NATS_MAX]; /* each role at most once */
	size_t nats_count;
	const struct nat_timeouts *timeouts; /* of every model, in place of its own; or NULL */
	const char *link;                    /* of every site but the rendezvous' */
	const struct suite_point *point;     /* what it changes in the link and in nats, or NULL */
};

struct stage {
	struct topology topology;
	struct nat_model *models; /* on the heap: the plan points to them */
	size_t models_count;
	struct plan plan;
	struct link_profile *changed_link; /* the catalog's as the point changes it, or NULL */
	const struct link_profile **links; /* one for each of the plan's ports; from the catalog, or
					    * changed_link */
	int rendezvous_node;               /* -1: the topology has none */
	/* The first address and port, and the other ones; none where there is no rendezvous. */
	struct endpoint rendezvous, rendezvous_alt;
};

/* RFC 8489, section 18.6, and the next one. */
#define STAGE_RENDEZVOUS_PORT     3478u
#define STAGE_RENDEZVOUS_ALT_PORT 3479u

/* Builds nothing. The stage borrows from the catalog. */
int stage_open(const struct catalog *c, const struct stage_config *config, struct stage *ret,
	       struct err *e);
void stage_close(struct stage *s);
static inline void stage_cleanup(struct stage *s)
{
	stage_close(s);
}

/* Builds the lab, with natsim's own rendezvous if the topology has a place for one. pcap_fd may be
 * -1. */
int stage_build(const struct stage *s, const struct catalog *c, uint64_t seed, int pcap_fd,
		struct lab **ret, struct err *e);

/* The node of a peer's role, or -1. */
int stage_peer_node(const struct stage *s, const char *role);

/* The first of the addresses that packets of a host come from, as seen from the Internet, and how
 * many there are. */
uint32_t stage_outside_addr(const struct stage *s, unsigned node, uint32_t *ret_count);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab: a plan carried out. It owns a network namespace for each node, the wire, a tap on each
 * peer's host and, if the topology has one, the rendezvous. All of it is kept alive by descriptors
 * and by processes that die with their parent, so nothing is left however the owner ends.
 *
 * The caller must have gone through enter.h first.
 */
#ifndef NATSIM_SIM_LAB_LAB_H
#define NATSIM_SIM_LAB_LAB_H

#include <stdint.h>

#include "lib/err.h"
#include "sim/lab/conntrack.h"
#include "sim/lab/process.h"
#include "sim/lab/tap.h"
#include "sim/lab/wire.h"
#include "sim/model/plan.h"

struct lab_config {
	const struct plan *plan;           /* outlives the lab */
	const struct link_profile **links; /* one for each of the plan's ports; see wire.h */
	uint64_t seed;
	int pcap_fd; /* the wire's, or -1 */
	const char
		*rendezvous_path; /* program to start in the rendezvous' host, or NULL for none */
	int rendezvous_node;      /* index into the plan's nodes, or -1 */
	const char *const *rendezvous_env; /* NULL-terminated NAME=VALUE list */
};

struct lab;

/* Builds the lab; when it returns the rendezvous answers. */
int lab_new(const struct lab_config *config, struct lab **ret, struct err *e);
void lab_free(struct lab *lab); /* NULL is allowed */

/* The node's network namespace; valid as long as the lab. */
int lab_netns(const struct lab *lab, unsigned node);

const struct wire_stats *lab_wire_stats(const struct lab *lab);

/* Makes every router forget its connections and dynamic maps; sequential counters go on. */
int lab_flush(struct lab *lab, struct err *e);

/* Fails if the wire or the rendezvous has ended. */
int lab_check(struct lab *lab, struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab: a plan carried out. It owns a network namespace for each node, the wire and, if asked for,
 * the rendezvous. All of it is kept alive by descriptors and by processes that die with their
 * parent, so nothing is left however the owner ends.
 *
 * The caller must have gone through enter.h first. A lab is used by one thread; it leaves that
 * thread in the network namespace it was in.
 */
#ifndef NATSIM_SIM_LAB_LAB_H
#define NATSIM_SIM_LAB_LAB_H

#include <stdint.h>

#include "lib/err.h"
#include "sim/lab/wire.h"
#include "sim/model/plan.h"

struct lab_config {
	const struct plan *plan;           /* outlives the lab */
	const struct link_profile **links; /* one for each of the plan's ports; see wire.h */
	uint64_t seed;
	int pcap_fd;                       /* the wire's, or -1 */
	const char *rendezvous_path;       /* outlives the lab; NULL: no rendezvous */
	int rendezvous_node;               /* index into the plan's nodes */
	const char *const *rendezvous_env; /* as in process.h */
};

struct lab;

/* Builds the lab; when it returns the wire forwards and the rendezvous answers. */
int lab_new(const struct lab_config *config, struct lab **ret, struct err *e);

/* Ends it. The rendezvous has ended when this returns, and pcapng is whole; without that the wire's
 * process is reaped a little later (linger.h). NULL is allowed. */
void lab_free(struct lab *lab);

/* The same, and says if pcapng is not whole; it is a failure that leaves the lab just as free. */
int lab_end(struct lab *lab, struct err *e);

/* The node's network namespace; valid as long as the lab. */
int lab_netns(const struct lab *lab, unsigned node);

/* Valid as long as the lab. */
const struct wire_stats *lab_wire_stats(const struct lab *lab);

/* Makes every router forget its connections and dynamic maps; sequential counters go on. */
int lab_flush(struct lab *lab, struct err *e);

/* As if the lab were new with this seed: what is under way on the wire is dropped, its links begin
 * anew, and every router forgets. */
int lab_reset(struct lab *lab, uint64_t seed, struct err *e);

/* Packets that the wire has lost so far by a fault of the machine; see wire.h. */
int lab_faults(struct lab *lab, uint64_t *ret_faults, struct err *e);

/* Fails if the wire or the rendezvous has ended. Call it between trials: it also reads what the
 * rendezvous prints, lest that should wait for it. */
int lab_check(struct lab *lab, struct err *e);

#endif

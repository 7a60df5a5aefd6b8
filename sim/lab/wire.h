/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire: the Internet between the sites, in user space. It is one process per lab that forwards
 * IPv4 between packet sockets on the far ends of the outside links: it routes by destination, takes
 * hops off the TTL (and answers ICMP time exceeded from the gateway's address), applies the link
 * model in each direction, and writes what it saw as pcapng.
 *
 * A packet from site x to site y goes through up of x's link and then down of y's. GSO packets and
 * unfinished checksums pass through as they are (PACKET_VNET_HDR).
 */
#ifndef NATSIM_SIM_LAB_WIRE_H
#define NATSIM_SIM_LAB_WIRE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "sim/model/link.h"
#include "sim/model/plan.h"

struct wire_config {
	int netns_fd;                      /* of the node "internet" */
	const struct plan *plan;           /* its ports and routes */
	const struct link_profile **links; /* one for each port; NULL is an ideal link of one hop */
	uint64_t seed;
	int pcap_fd; /* pcapng is written here, or -1 */
};

/* Counters of a running wire, in memory shared with it; read them at any time. */
struct wire_stats {
	_Atomic uint64_t received, delivered, lost, unroutable, ttl_expired, send_errors;
	_Atomic uint64_t in_flight; /* taken in and not yet delivered */
};

struct wire;

/* Opens the sockets and starts the process; when it returns, every packet sent on the links is
 * seen. The process dies with its parent. */
int wire_new(const struct wire_config *config, struct wire **ret, struct err *e);

/* The process, for its end to be noticed: it ends only by wire_free or by a failure. */
pid_t wire_pid(const struct wire *wire);
const struct wire_stats *wire_stats(const struct wire *wire);

/* Ends the process, waits for it; pcapng is whole when this returns. NULL is allowed. */
void wire_free(struct wire *wire);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire: the Internet between the sites, in user space. It is one process per lab that forwards
 * IPv4 between packet sockets on the far ends of the outside links: it routes by destination, takes
 * hops off the TTL (and answers ICMP time exceeded from the gateway's address), applies the link
 * model in each direction, and writes what it saw as pcapng.
 *
 * A packet from site x to site y goes through up of x's link, loses x's hops + y's hops - 1 of its
 * TTL in the middle, and goes through down of y's link. GSO packets and unfinished checksums pass
 * through as they are (PACKET_VNET_HDR). What is sent to a gateway's own address is left to the
 * kernel of the node "internet", which must not forward by itself (ip_forward = 0).
 */
#ifndef NATSIM_SIM_LAB_WIRE_H
#define NATSIM_SIM_LAB_WIRE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "sim/model/link.h"
#include "sim/model/plan.h"

struct wire_config {
	int netns_fd;                      /* of the node "internet" */
	const struct plan *plan;           /* its ports and routes; outlives the wire */
	const struct link_profile **links; /* one for each port; NULL is an ideal link of one hop */
	uint64_t seed;
	int pcap_fd; /* pcapng is written here, or -1 */
};

/*
 * Counters of a running wire, in memory shared with it; read them at any time. All count packets;
 * a GSO packet is one. While nothing is under way,
 *
 *	received + duplicated + icmp_errors =
 *		delivered + lost + unroutable + ttl_expired + dropped + send_errors
 */
struct wire_stats {
	_Atomic uint64_t received;    /* to be forwarded: not those to a gateway itself */
	_Atomic uint64_t delivered;   /* sent into a site */
	_Atomic uint64_t lost;        /* by a link: at random or its queue was full */
	_Atomic uint64_t duplicated;  /* copies that a link made */
	_Atomic uint64_t unroutable;  /* no route: ICMP net unreachable */
	_Atomic uint64_t ttl_expired; /* ICMP time exceeded */
	_Atomic uint64_t icmp_errors; /* that the wire itself sent */
	_Atomic uint64_t dropped;     /* bad header, more than 64 MiB under way, or under way when
				       * the links began anew */
	_Atomic uint64_t send_errors;
	_Atomic uint64_t in_flight; /* taken in and not yet delivered */

	/* Outside the equation: faults of the machine, not of the links. */
	_Atomic uint64_t overruns;       /* the kernel's queue was full before the wire saw them; as
					  * of the last time the wire was idle or asked */
	_Atomic uint64_t unreadable;     /* the kernel could not hand them over */
	_Atomic uint64_t capture_failed; /* 0, or why pcapng could not be written: an errno */
};

struct wire;

/* Opens the sockets and starts the process; when it returns, every packet sent on the links is
 * seen. The process dies with the calling thread. */
int wire_new(const struct wire_config *config, struct wire **ret, struct err *e);

/* The process, for its end to be noticed: it ends only by wire_free or by a failure. */
pid_t wire_pid(const struct wire *wire);
const struct wire_stats *wire_stats(const struct wire *wire);

/* Has all links begin anew with this seed, as if the wire were new: the same packets meet the same
 * fates. What was sent before and is still under way is dropped. When it returns the seed is in
 * force. A wire that fails at this is of no more use. */
int wire_reseed(struct wire *wire, uint64_t seed, struct err *e);

/* Packets lost so far by a fault of the machine and not by a link: overruns, unreadable and
 * send_errors, up to date. A wire that fails at this is of no more use. */
int wire_faults(struct wire *wire, uint64_t *ret_faults, struct err *e);

/* Ends the process and waits for it. What was under way is gone. Fails if the process or its pcapng
 * did not come to a proper end. Only wire_free may follow. */
int wire_end(struct wire *wire, struct err *e);

/* Frees the wire; one that has not ended is ended first, whatever comes of it. NULL is allowed. */
void wire_free(struct wire *wire);

#endif

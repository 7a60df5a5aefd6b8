/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of packets between the ports of the wire.
 *
 * A packet goes up the link of the port it came in by; in the middle it is routed and loses TTL, or
 * is answered with an ICMP error, which goes down the same link; then it goes down the link of the
 * port it leaves by. A packet waits in a queue for the time its link has given it; one whose time
 * has come already goes on at once.
 *
 * Times are CLOCK_MONOTONIC in microseconds, and are those the link model gave, not those at which
 * the wire got round to it: being late in one stage does not add to the next.
 */
#ifndef NATSIM_SIM_LAB_WIRE_EXCHANGE_H
#define NATSIM_SIM_LAB_WIRE_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/timerqueue.h"
#include "sim/lab/pcapng.h"
#include "sim/lab/wire.h"
#include "sim/lab/wire_port.h"
#include "sim/lab/wire_route.h"
#include "sim/model/link.h"
#include "sim/model/plan.h"

struct wire_port {
	int fd;
	const struct plan_port *plan; /* borrowed */
	struct link up, down;
	unsigned hops;
	struct wire_packet *out[WIRE_BATCH]; /* to be sent with the next flush */
	unsigned out_count;
};

struct wire_exchange {
	struct wire_port *ports;
	size_t ports_count;
	struct wire_routes routes;
	struct timerqueue queue; /* of struct wire_packet */
	size_t queued_bytes;
	uint64_t now_us;
	struct wire_stats *stats; /* borrowed */
	struct pcapng *capture;   /* borrowed; NULL: none */
};

/* The ports have no sockets (fd -1) yet. stats and capture outlive the exchange, as does the
 * configuration's plan. */
void wire_exchange_init(struct wire_exchange *x, const struct wire_config *config,
			struct wire_stats *stats, struct pcapng *capture);
void wire_exchange_fini(struct wire_exchange *x); /* closes the sockets too */

/* Drops what is under way and begins all links anew, as wire_exchange_init() does with that seed.
 */
void wire_exchange_reseed(struct wire_exchange *x, uint64_t seed);

/* Sets the time and carries on what is due by then. */
void wire_exchange_run(struct wire_exchange *x, uint64_t now_us);

/* Takes in a packet that came in by port in, at packet->time_us, and that the exchange may change.
 * Call wire_exchange_flush before its memory is used for another. */
void wire_exchange_take(struct wire_exchange *x, unsigned in, struct wire_packet *packet);

/* Sends what is to be sent now. */
void wire_exchange_flush(struct wire_exchange *x);

/* When something is due next; TIMERQUEUE_NEVER: nothing is. */
uint64_t wire_exchange_next_us(const struct wire_exchange *x);

#endif

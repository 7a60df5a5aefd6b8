/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rendezvous: a STUN server (RFC 8489, RFC 5780, classic clients of RFC 3489) that also
 * introduces the two peers of a session to each other, passes on what they send each other, and
 * connects back to those who ask it to.
 * docs/protocol.md says what it answers to what.
 *
 * It serves up to two addresses and two ports, each over UDP and TCP. Its sockets are numbered
 *
 *	2 * address + port         UDP, address and port being 0 or 1
 *	4 + 2 * address + port     the TCP listener of the same endpoint
 *	8 ...                      connections back to a client
 *
 * Everything it remembers is in the one struct, of fixed size, and bounded. It sends nothing to an
 * endpoint that has not sent to it, save to another port of the same address where RFC 5780's
 * RESPONSE-PORT asks for that.
 */
#ifndef NATSIM_PEERS_CORE_RENDEZVOUS_H
#define NATSIM_PEERS_CORE_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/prng.h"
#include "peers/core/connection_table.h"
#include "peers/core/machine.h"
#include "peers/core/session_table.h"

#define RENDEZVOUS_UDP       0u
#define RENDEZVOUS_LISTENER  4u
#define RENDEZVOUS_BACK      8u
#define RENDEZVOUS_BACKS_MAX 16u
#define RENDEZVOUS_BACK_US   2000000u /* a connection back that is not there by then is given up */

/* What is relayed for the two peers of a session, both together: so many packets a second, and so
 * many at once. The rest is dropped. */
#define RENDEZVOUS_RELAY_RATE  200u
#define RENDEZVOUS_RELAY_BURST 100u

struct rendezvous_config {
	uint32_t addr[2]; /* the second may be 0: none */
	uint16_t port[2]; /* likewise; no two are equal */
	uint64_t seed;    /* of the ids of indications, drawn ports and tickets */
};

struct rendezvous {
	struct rendezvous_config config;
	unsigned opened, wanted; /* of the sockets it serves */

	/* Set when a socket could not be opened or was lost: the machine is done, with status 1. */
	struct endpoint failed;
	bool failed_tcp;
	int error; /* an errno, or 0 */

	struct prng prng;
	uint64_t back_until_us[RENDEZVOUS_BACKS_MAX]; /* 0: not in use */
	struct connection_table connections;
	struct session_table sessions;
};

/* config must name an address and a port (assert). */
void rendezvous_init(struct rendezvous *r, const struct rendezvous_config *config);

/* The same with another seed, for one that has been at work: costs what was used of its tables. */
void rendezvous_restart(struct rendezvous *r, uint64_t seed);

/* A machine_step_fn; state is the struct rendezvous. */
uint64_t rendezvous_step(void *state, uint64_t now_us, const struct event *event,
			 struct actions *out);

/* True once every socket is open. */
bool rendezvous_is_open(const struct rendezvous *r);

#endif

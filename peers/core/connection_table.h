/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP connections a server has accepted. Bounded: see connection_table_place(). */
#ifndef NATSIM_PEERS_CORE_CONNECTION_TABLE_H
#define NATSIM_PEERS_CORE_CONNECTION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "peers/core/stun.h"

#define CONNECTIONS_MAX    256u
#define CONNECTION_IDLE_US 60000000u /* without a byte for so long, a connection is closed */

struct connection {
	uint32_t socket; /* 0: the slot is free; accepted ones begin at SOCKET_ACCEPTED */
	uint32_t listener;
	struct endpoint remote;
	uint64_t used_us;
	struct stun_stream stream;
};

/* Zeroed memory is an empty table. */
struct connection_table {
	size_t used; /* slots from here on have never been given out, and are zero */
	struct connection slots[CONNECTIONS_MAX];
};

/* Empties the table, at the cost of what was used of it. */
void connection_table_clear(struct connection_table *t);

/* NULL if there is none. */
struct connection *connection_table_find(struct connection_table *t, uint32_t socket);

/* A free slot, or else that of the connection which has been silent for longest: the caller ends
 * that one (its socket is not 0) before it fills the slot. */
struct connection *connection_table_place(struct connection_table *t);

/* A connection whose time is up, or NULL. *ret_next_us is when the next one's will be, or
 * UINT64_MAX; it is untouched when one is returned. */
struct connection *connection_table_expired(struct connection_table *t, uint64_t now_us,
					    uint64_t *ret_next_us);

#endif

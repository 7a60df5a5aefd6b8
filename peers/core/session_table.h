/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of a rendezvous: who registered for which role, and how to reach them. Bounded: a
 * new session takes the place of the one that was used least recently.
 */
#ifndef NATSIM_PEERS_CORE_SESSION_TABLE_H
#define NATSIM_PEERS_CORE_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "peers/core/stun.h"

#define SESSIONS_MAX    1024u
#define SESSION_IDLE_US 60000000u /* without a request for so long, a session is forgotten */

/* How a session is found. Sessions over UDP and over TCP are different ones. */
struct session_key {
	bool tcp;
	uint8_t len; /* 1 to STUN_SESSION_MAX */
	uint8_t id[STUN_SESSION_MAX];
};

struct session_peer {
	bool present;
	uint32_t socket; /* ours, on which it was heard: a UDP socket or its connection */
	struct endpoint observed;
	struct endpoint locals[STUN_LOCAL_ENDPOINTS_MAX];
	size_t local_count;
};

struct session {
	struct session_key key; /* key.len 0: the slot is free */
	uint64_t used_us;
	struct session_peer peers[2]; /* roles 'a' and 'b' */
};

/* Zeroed memory is an empty table. */
struct session_table {
	size_t used; /* slots from here on have never been filled, and are zero */
	struct session slots[SESSIONS_MAX];
};

/* Empties the table, at the cost of what was used of it. */
void session_table_clear(struct session_table *t);

/* The session of that key, made if there is none, and marked as used. Valid until the next call. */
struct session *session_table_take(struct session_table *t, uint64_t now_us,
				   const struct session_key *key);

/* Forgets the peers that were heard on that connection: it is gone. */
void session_table_forget(struct session_table *t, uint32_t connection);

bool session_peer_equal(const struct session_peer *a, const struct session_peer *b);

#endif

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
	bool noted;      /* sends notes, and so may be told those of the other */
	bool proven;     /* has shown its ticket: it does get what is sent to it */
	uint32_t socket; /* ours, on which it was heard: a UDP socket or its connection */
	struct endpoint observed;
	struct endpoint locals[STUN_LOCAL_ENDPOINTS_MAX];
	size_t local_count;
	uint64_t ticket; /* leads to this peer; another one for every place it registers from */
};

struct session {
	struct session_key key; /* key.len 0: the slot is free */
	uint64_t used_us;
	struct session_peer peers[2]; /* roles 'a' and 'b', here and below */
	uint16_t drawn[2];            /* a port for each; 0: not drawn yet, the session is new */
	uint32_t changes[2];          /* how often what it says of itself was news */
	uint32_t seen[2];             /* which change of the other it has heard of */
	uint64_t relay_paid_us;       /* up to when what was relayed uses up the rate */
	uint8_t notes[2][STUN_NOTE_SIZE];
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

/* A ticket for that role of a session of the table, as hard to guess as random is. */
uint64_t session_table_ticket(const struct session_table *t, const struct session *s, unsigned role,
			      uint64_t random);

/* The live session in which a present peer holds that ticket, or NULL: the cost is that of a look
 * at one place. Valid as above. */
struct session *session_table_find(struct session_table *t, uint64_t now_us, uint64_t ticket,
				   unsigned *ret_role);

/* Forgets the peers that were heard on that connection: it is gone. */
void session_table_forget(struct session_table *t, uint32_t connection);

/* True if the peer is registered from there. */
bool session_peer_is_at(const struct session_peer *p, uint32_t socket, struct endpoint observed);

/* True if a is registered as b would be. */
bool session_peer_equal(const struct session_peer *a, const struct session_peer *b);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's half of an introduction: it registers with the rendezvous and waits until the other
 * role of the session is known. A strategy embeds it and shares its step with it:
 *
 *	uint64_t wake_us = introduce_step(&s->introduce, now_us, event, out);
 *	if (introduce_is_for(&s->introduce, event))
 *		return wake_us;
 *
 * Introduce opens config.socket itself, and the number is its own until introduce_close(), but:
 *
 *  - UDP: once introduce is ready the socket is the strategy's, to send on and to close. Datagrams
 *    that the server sends there remain introduce's business; those of others are the strategy's
 *    from the start, for the peer may have got the word before us.
 *  - TCP: the connection to the server stays open, so that the router keeps what it maps.
 */
#ifndef NATSIM_PEERS_CORE_INTRODUCE_H
#define NATSIM_PEERS_CORE_INTRODUCE_H

#include "peers/core/machine.h"
#include "peers/core/stun.h"

enum introduce_transport { INTRODUCE_UDP, INTRODUCE_TCP };

struct introduce_config {
	enum introduce_transport transport;
	uint32_t socket;        /* the number to open */
	struct endpoint server; /* where the rendezvous is */
	struct endpoint local;  /* to bind; port 0: any */
	const uint8_t *session; /* copied by introduce_init */
	size_t session_len;     /* 1 to STUN_SESSION_MAX */
	char role;              /* 'a' or 'b' */
	uint64_t give_up_us;    /* fail when not ready so long after the first step; 0: never */
	uint64_t seed;          /* of transaction ids; unpredictable where there may be foes */

	/* Local endpoints for the peer to try, at most STUN_LOCAL_ENDPOINTS_MAX. A port of 0 stands
	 * for the one that was bound. */
	struct endpoint announce[STUN_LOCAL_ENDPOINTS_MAX];
	size_t announce_count;
};

enum introduce_state { INTRODUCE_WAITING, INTRODUCE_READY, INTRODUCE_FAILED };

#define INTRODUCE_CANDIDATES_MAX (1u + STUN_LOCAL_ENDPOINTS_MAX)
#define INTRODUCE_REASON_SIZE    96u

/* How many requests may be on their way for an answer still to count. */
#define INTRODUCE_IN_FLIGHT_MAX 32u

struct introduce {
	/* The result. */
	enum introduce_state state;
	struct endpoint local;    /* as bound; none until then */
	struct endpoint observed; /* as the server sees us; none until it has answered */
	uint64_t rtt_us; /* to the server, the shortest seen; NEVER until it has answered */
	struct endpoint peer[INTRODUCE_CANDIDATES_MAX]; /* observed first; no two are equal */
	size_t peer_count;
	uint64_t ready_us;                  /* when it became ready */
	char reason[INTRODUCE_REASON_SIZE]; /* why it failed, one line; else empty */

	/* The rest is introduce.c's own. */
	struct introduce_config config;
	uint8_t session[STUN_SESSION_MAX];
	bool started, open, released;
	uint64_t give_up_at_us, retry_at_us;
	uint32_t requests; /* sent so far */
	uint64_t sent_us[INTRODUCE_IN_FLIGHT_MAX];
	int last_error; /* of the connection that failed last */
	struct stun_stream stream;
};

/* config must be within its limits (assert). */
void introduce_init(struct introduce *in, const struct introduce_config *config);

/* To be called with every event of the strategy's, the first one included: it opens the socket then
 * and looks at the clock each time. Returns when it wants to be called again, or NEVER. */
uint64_t introduce_step(struct introduce *in, uint64_t now_us, const struct event *event,
			struct actions *out);

/* True if the event is introduce's business and not the strategy's. The answer is the same before
 * introduce_step() has seen the event and after. */
bool introduce_is_for(const struct introduce *in, const struct event *event);

/* Closes the socket, unless it is closed or the strategy's, and takes no further part. */
void introduce_close(struct introduce *in, struct actions *out);

#endif

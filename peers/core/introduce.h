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
 *    that the server sends there remain introduce's business, which sends there for as long as it
 *    is not closed; those of others are the strategy's
 *    from the start, for the peer may have got the word before us.
 *  - TCP: the connection to the server stays open, so that the router keeps what it maps.
 *
 * Once ready, the two can go on talking through the server: with notes, of which the last one
 * counts and is sure to arrive, and with data relayed, which may get lost. A strategy that looks at
 * peer_changes after each step misses no note.
 */
#ifndef NATSIM_PEERS_CORE_INTRODUCE_H
#define NATSIM_PEERS_CORE_INTRODUCE_H

#include "peers/core/machine.h"
#include "peers/core/stun.h"

enum introduce_transport { INTRODUCE_UDP, INTRODUCE_TCP };

/* Gets what the peer relayed, during introduce_step(); data is valid during the call. A piece of a
 * stream may hold many, so that out may fill up: what is answered needs actions_have_room(). */
typedef void introduce_relayed_fn(void *context, uint64_t now_us, const uint8_t *data, size_t len,
				  struct actions *out);

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

	introduce_relayed_fn *relayed; /* NULL: what is relayed is thrown away */
	void *relayed_context;
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
	uint64_t ready_us; /* when it became ready */

	/* What the peer said last. peer[] stays as it was when introduce became ready, so that a
	 * strategy can number its paths by it; latest[] does not. */
	uint32_t peer_changes; /* counts how often any of this became another */
	struct endpoint latest[INTRODUCE_CANDIDATES_MAX];
	size_t latest_count;
	uint8_t peer_note[STUN_NOTE_MAX];
	size_t peer_note_len;

	/* The peer has heard our last note, or where we moved to. Not said of a note that was set
	 * before the first request: that is part of the introduction. */
	bool confirmed;

	uint16_t drawn_port, peer_drawn_port; /* by the server for both sides; 0: not known yet */

	char reason[INTRODUCE_REASON_SIZE]; /* why it failed, one line; else empty */

	/* The rest is introduce.c's own. */
	struct introduce_config config;
	uint8_t session[STUN_SESSION_MAX];
	bool started, open, released;
	bool up; /* open, and it can be sent on */
	uint64_t give_up_at_us, retry_at_us;
	uint32_t requests; /* sent so far */
	uint64_t sent_us[INTRODUCE_IN_FLIGHT_MAX];
	int last_error;  /* of the connection that failed last */
	uint64_t ticket; /* what the server knows us by when we relay; 0: none yet */
	uint32_t seen;   /* the number of the peer's change that was heard of last */
	uint32_t relays; /* sent so far */
	bool noted, confirming;
	uint32_t confirm_from, confirm_tries; /* the first request it is about; repetitions */
	uint8_t note[STUN_NOTE_SIZE];         /* our own, as it is sent */
	struct stun_stream stream;
};

/* config must be within its limits (assert). */
void introduce_init(struct introduce *in, const struct introduce_config *config);

/* To be called with every event of the strategy's, the first one included: it opens the socket then
 * and looks at the clock each time. Returns when it wants to be called again, or NEVER. */
uint64_t introduce_step(struct introduce *in, uint64_t now_us, const struct event *event,
			struct actions *out);

/* What introduce_step() returned or, after one of the three calls below, would return. */
uint64_t introduce_wake_us(const struct introduce *in);

/* Sets our note, of at most STUN_NOTE_MAX bytes (assert): it goes out at once if there has been a
 * request before, and is repeated until the peer has confirmed it. While neither has set one, even
 * an empty one, the server tells it nothing of the other's. out must have room for a message. */
void introduce_set_note(struct introduce *in, uint64_t now_us, const void *note, size_t len,
			struct actions *out);

/* Begins anew, on another socket and from another local endpoint: introduce waits again, until the
 * server has seen it there, and the peer is told. Over UDP the old socket is the strategy's if it
 * was ready; else, and over TCP, it is closed. Not before the first step nor after
 * introduce_close() (assert). out must have room for two actions. */
void introduce_move(struct introduce *in, uint64_t now_us, uint32_t socket, struct endpoint local,
		    struct actions *out);

/* Has the server pass data on to the peer, as a datagram that may get lost: the server passes on
 * RENDEZVOUS_RELAY_RATE in a second, and nothing before both have relayed something. Returns false,
 * having sent nothing, unless introduce is ready, its socket open, out has room for a message and
 * len is 1 to STUN_DATA_MAX. */
bool introduce_relay(struct introduce *in, const void *data, size_t len, struct actions *out);

/* True if the event is introduce's business and not the strategy's. The answer is the same before
 * introduce_step() has seen the event and after. */
bool introduce_is_for(const struct introduce *in, const struct event *event);

/* Closes the socket, unless it is closed or the strategy's, and takes no further part. */
void introduce_close(struct introduce *in, struct actions *out);

#endif

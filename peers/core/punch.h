/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy "punch": UDP and TCP hole punching as RFC 5128, sections 3.3 and 3.4, describes it.
 * punch.c knows the course of an attempt; punch_udp.c and punch_tcp.c know how a path is tried.
 */
#ifndef NATSIM_PEERS_CORE_PUNCH_H
#define NATSIM_PEERS_CORE_PUNCH_H

#include <assert.h>

#include "peers/core/handshake.h"
#include "peers/core/introduce.h"
#include "peers/core/strategy.h"

extern const struct strategy punch_strategy;

/* RFC 8445, section 14.2: Ta, the time between two checks, is 50 ms by default. */
#define PUNCH_INTERVAL_US 50000u

/* The candidates, and as many paths again that only the other side knew of. */
#define PUNCH_PATHS_MAX (2u * INTRODUCE_CANDIDATES_MAX)

/* Numbers of the sockets. */
enum {
	PUNCH_SOCKET_MAIN = 1, /* to the rendezvous; over UDP also to the peer */
	PUNCH_SOCKET_LISTENER = 2,
	PUNCH_SOCKET_CONNECT = 16, /* + candidate */
};

/* What a step may do besides answering: open the listener, begin every candidate's connection
 * afresh, greet on every path, close everything, be done. Answers leave room for that. */
#define PUNCH_ACTIONS_SPARE (3u * INTRODUCE_CANDIDATES_MAX + 2u * PUNCH_PATHS_MAX + 4u)
static_assert(PUNCH_ACTIONS_SPARE < ACTIONS_MAX, "a step has room for answers");

/* A connection to a candidate that is being tried. */
struct punch_attempt {
	bool open;         /* the socket is in use, connected or not yet */
	uint64_t lasts_us; /* how long it is given, more each time; 0: none was begun yet */
	uint64_t retry_us; /* when to try afresh */
};

/* An established TCP connection. Its number is the path of the handshake. */
struct punch_stream {
	bool open;
	bool heard;               /* a message of the peer's came in */
	uint64_t silent_until_us; /* if none has by then, it is given up */
	uint32_t socket;
	struct endpoint remote;
	struct probe_stream in;
};

enum punch_phase { PUNCH_MEETING, PUNCH_HOLDING, PUNCH_TRYING, PUNCH_LINGERING, PUNCH_DONE };

struct punch {
	struct strategy_config config;
	struct introduce introduce;
	struct handshake handshake;
	enum punch_phase phase;
	uint64_t start_us;     /* of the first step */
	uint64_t go_us;        /* of the first packet to the peer */
	uint64_t connected_us; /* when the path was agreed on; 0: not yet */
	uint64_t heard_us;     /* the last message of the peer's */
	uint64_t settle_by_us; /* of a nomination: when to give up on it; 0: there is none */
	uint64_t next_round_us;
	uint64_t sent;          /* datagrams, or connects and messages, to the peer */
	uint32_t path;          /* agreed on */
	struct endpoint remote; /* of that path */
	const char *reason;     /* of a failure */

	/* UDP: the index is the path. First the candidates; then, in turn, where else probes came
	 * from (peer-reflexive candidates in the words of RFC 8445). */
	struct endpoint paths[PUNCH_PATHS_MAX];
	size_t candidates_count, paths_count, next_reflexive;

	/* TCP: attempts go with introduce.peer[]. */
	bool listening;
	struct punch_attempt attempts[INTRODUCE_CANDIDATES_MAX];
	struct punch_stream streams[PUNCH_PATHS_MAX];
};

/*
 * One transport's part. begin: trying starts now. event: something concerns the peer. round: the
 * time next_round_us has come; sets the next one. remote: the far end of a path. close: give
 * everything back.
 */
struct punch_transport {
	void (*begin)(struct punch *p, uint64_t now_us, struct actions *out);
	void (*event)(struct punch *p, uint64_t now_us, const struct event *ev,
		      struct actions *out);
	void (*round)(struct punch *p, uint64_t now_us, struct actions *out);
	struct endpoint (*remote)(const struct punch *p, uint32_t path);
	void (*close)(struct punch *p, struct actions *out);
};

extern const struct punch_transport punch_udp, punch_tcp;

#endif

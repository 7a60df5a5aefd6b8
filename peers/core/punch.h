/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy "punch": UDP and TCP hole punching as RFC 5128, sections 3.3 and 3.4, describes it.
 * punch_udp.c and punch_tcp.c know how a path is tried, for this strategy and for those that differ
 * from it in little: their states begin with a struct punch, and their means fall back on these.
 */
#ifndef NATSIM_PEERS_CORE_PUNCH_H
#define NATSIM_PEERS_CORE_PUNCH_H

#include <assert.h>

#include "peers/core/course.h"

extern const struct strategy punch_strategy;

/* The candidates, and as many paths again that only the other side knew of. */
#define PUNCH_PATHS_MAX (2u * INTRODUCE_CANDIDATES_MAX)

/* Numbers of the sockets, besides COURSE_SOCKET_MAIN. */
enum {
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

struct punch {
	struct course course;

	/* UDP: the index is the path. First the candidates; then, in turn, where else probes came
	 * from (peer-reflexive candidates in the words of RFC 8445). */
	struct endpoint paths[PUNCH_PATHS_MAX];
	size_t candidates_count, paths_count, next_reflexive;

	/* TCP: attempts go with introduce.peer[]. */
	bool listening;
	bool connects; /* or waits for the peer to connect */
	struct punch_attempt attempts[INTRODUCE_CANDIDATES_MAX];
	struct punch_stream streams[PUNCH_PATHS_MAX];
};

/* What an attempt over a transport does, and its functions, for means that differ in some. */
extern const struct course_means punch_udp, punch_tcp;

void punch_udp_begin(struct course *c, uint64_t now_us, struct actions *out);
void punch_udp_event(struct course *c, uint64_t now_us, const struct event *ev,
		     struct actions *out);
void punch_udp_round(struct course *c, uint64_t now_us, struct actions *out);
struct endpoint punch_udp_remote(const struct course *c, uint32_t path);
void punch_udp_close(struct course *c, struct actions *out);

void punch_tcp_begin(struct course *c, uint64_t now_us, struct actions *out);
void punch_tcp_event(struct course *c, uint64_t now_us, const struct event *ev,
		     struct actions *out);
void punch_tcp_round(struct course *c, uint64_t now_us, struct actions *out);
struct endpoint punch_tcp_remote(const struct course *c, uint32_t path);
void punch_tcp_close(struct course *c, struct actions *out);

/* Ends all connects that have not come through. */
void punch_tcp_give_up(struct punch *p, struct actions *out);

/* For strategies whose states begin with a struct punch: zeroes that, and begins the course. */
void punch_init(struct punch *p, const struct strategy *strategy, const struct course_means *means,
		const struct strategy_config *config);

static inline struct punch *punch_of(struct course *c)
{
	return (struct punch *)c;
}

#endif

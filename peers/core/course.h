/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The course of an attempt, which is the same for all strategies that run in pairs: meet at the
 * rendezvous; hold back for as long as the configuration says, deaf to whatever comes in; try paths
 * until the handshake settles on one; linger until the other side knows it too.
 *
 * A strategy is what differs, struct course_means. Its state begins with a struct course, so that
 * course_step, course_result and course_report are its own; its init calls course_init().
 */
#ifndef NATSIM_PEERS_CORE_COURSE_H
#define NATSIM_PEERS_CORE_COURSE_H

#include "peers/core/handshake.h"
#include "peers/core/introduce.h"
#include "peers/core/strategy.h"

/* RFC 8445, section 14.2: Ta, the time between two checks, is 50 ms by default. */
#define COURSE_INTERVAL_US 50000u

/* The socket to the rendezvous; over UDP also to the peer. */
#define COURSE_SOCKET_MAIN 1u

enum course_phase {
	COURSE_MEETING,
	COURSE_HOLDING,
	COURSE_TRYING,
	COURSE_LINGERING,
	COURSE_CLOSING, /* all is said */
	COURSE_DONE,
};

struct course;

/* By which means paths are tried. What has no "may be NULL" must be there. */
struct course_means {
	/* How to meet, where it differs from what is there already. May be NULL. */
	void (*meet)(struct course *c, struct introduce_config *meeting);
	/* Trying starts now. */
	void (*begin)(struct course *c, uint64_t now_us, struct actions *out);
	/* Something concerns the peer. */
	void (*event)(struct course *c, uint64_t now_us, const struct event *ev,
		      struct actions *out);
	/* The time next_round_us has come, and no path is agreed on; sets the next one. */
	void (*round)(struct course *c, uint64_t now_us, struct actions *out);
	/* The far end of a path. */
	struct endpoint (*remote)(const struct course *c, uint32_t path);
	/* The near end, where it is not always the main socket's. May be NULL. */
	struct endpoint (*local)(const struct course *c, uint32_t path);
	/* Gives back what close() has no room for in one step. Returns false if there is more, and
	 * is called again then. May be NULL. */
	bool (*release)(struct course *c, struct actions *out);
	/* Gives everything back but what is introduce's. */
	void (*close)(struct course *c, struct actions *out);
	/* Why nothing came of it, or NULL: as the handshake saw it. May be NULL. */
	const char *(*failure)(const struct course *c);
};

struct course {
	const struct strategy *strategy;
	const struct course_means *means;
	struct strategy_config config;
	struct introduce introduce;
	struct handshake handshake;
	enum course_phase phase;
	uint64_t start_us;      /* of the first step */
	uint64_t go_us;         /* of the first packet to the peer */
	uint64_t connected_us;  /* when the path was agreed on; 0: not yet */
	uint64_t settle_by_us;  /* of a nomination: when to give up on it; 0: there is none */
	uint32_t path;          /* agreed on */
	struct endpoint remote; /* of that path */
	struct endpoint local;  /* likewise; none: the main socket's */
	const char *reason;     /* of a failure */

	/* Kept by the means. */
	uint64_t heard_us; /* the last message of the peer's */
	uint64_t next_round_us;
	uint64_t sent; /* datagrams, or connects and messages, to the peer */
};

/* *c is all zeroes. */
void course_init(struct course *c, const struct strategy *strategy,
		 const struct course_means *means, const struct strategy_config *config);

/* A strategy's step, result and report; state begins with the course. */
uint64_t course_step(void *state, uint64_t now_us, const struct event *ev, struct actions *out);
void course_result(const void *state, struct strategy_result *ret);
void course_report(const void *state, struct buf *out);

#endif

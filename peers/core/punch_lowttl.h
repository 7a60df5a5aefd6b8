/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy "punch-lowttl": punching whose first packets die between the routers.
 * punch_lowttl_udp.c and punch_lowttl_tcp.c know how; the oracle wants to know the parameters.
 */
#ifndef NATSIM_PEERS_CORE_PUNCH_LOWTTL_H
#define NATSIM_PEERS_CORE_PUNCH_LOWTTL_H

#include "peers/core/punch.h"

extern const struct strategy punch_lowttl_strategy;

/* In the order of strategy_config.params. */
enum {
	PUNCH_LOWTTL_TTL,
	PUNCH_LOWTTL_SIDE, /* enum punch_lowttl_side */
	PUNCH_LOWTTL_PACKETS,
	PUNCH_LOWTTL_WAIT_MS,
};

enum punch_lowttl_side { PUNCH_LOWTTL_A, PUNCH_LOWTTL_B, PUNCH_LOWTTL_BOTH };

struct punch_lowttl {
	struct punch punch;
	uint64_t left;    /* packets with a low TTL still to send to each candidate */
	bool low;         /* TCP: those may still be under way */
	uint64_t full_us; /* when those with the system's TTL begin */
};

extern const struct course_means punch_lowttl_udp, punch_lowttl_tcp;

/* True if the peer with this role begins with a low TTL. */
bool punch_lowttl_is_low(const uint64_t params[static STRATEGY_PARAMS_MAX], char role);

static inline struct punch_lowttl *punch_lowttl_of(struct course *c)
{
	return (struct punch_lowttl *)c;
}

/* Both means begin with this: how many packets there are to be, and when. */
void punch_lowttl_begin(struct punch_lowttl *l, uint64_t now_us);

#endif

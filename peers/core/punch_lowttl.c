// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: what opens a router for the peer is a packet that leaves it, not one that arrives. So
 * the first packets go out with a TTL that takes them past the own router and not as far as the
 * peer's. No router is knocked at before its own inside has opened it, and so none takes the early
 * packet's flow for its own (the clash) or refuses the sender from then on.
 *
 * Source: n2n, src/edge_utils.c: REGISTER with a low TTL for routers that block a port which was
 * knocked at. LiteNetLib: TTL 2 before the punch. Gole: a low TTL on one side until the first
 * packet comes in. frp: TTL 7 or 4 from the receiver, while the sender waits. Over TCP NATBLASTER,
 * with TTL 2: a SYN opens the router, then that side listens; but it forges the SYN-ACK, so that
 * its number follows from the SYN's, which we cannot do.
 *
 * Parameters: ttl, which must get past the own routers, one or more, and no further than the last
 * router before the peer's: 2 does where there is one; side, who begins so; packets of that kind to
 * each candidate, a round apart; wait_ms from the last of them until the ones with a full TTL,
 * which both sides wait: longer than the peers start apart, less than a router keeps what nobody
 * answered. The defaults by measurement in the twin, over the links of topologies/links.yaml: TTL 4
 * gets through to the other router over home, 7 over fibre too, 2 nowhere; of pairs that start up
 * to 20 ms apart and may lose a packet some fail with 100 ms, none of 1200 with 200 ms.
 *
 * It works where punching does, without regard to who is first if the side with the touchy router
 * begins so. Over TCP the side that begins so only listens then, and the other one connects; where
 * both do, both punch as ever afterwards. A router that judges sequence numbers refuses what
 * answers that connect, since its number does not follow the first SYN's: there it fails.
 */
#include "peers/core/punch_lowttl.h"

#include <string.h>

bool punch_lowttl_is_low(const uint64_t params[static STRATEGY_PARAMS_MAX], char role)
{
	uint64_t side = params[PUNCH_LOWTTL_SIDE];

	return side == PUNCH_LOWTTL_BOTH || (side == PUNCH_LOWTTL_A) == (role == 'a');
}

void punch_lowttl_begin(struct punch_lowttl *l, uint64_t now_us)
{
	const struct strategy_config *config = &l->punch.course.config;
	uint64_t packets = config->params[PUNCH_LOWTTL_PACKETS];

	l->left = punch_lowttl_is_low(config->params, config->role) ? packets : 0;
	l->full_us = now_us + (packets - 1) * COURSE_INTERVAL_US +
		     config->params[PUNCH_LOWTTL_WAIT_MS] * 1000;
	l->punch.course.next_round_us = l->left > 0 ? now_us : l->full_us;
}

static void init(void *state, const struct strategy_config *config)
{
	struct punch_lowttl *l = state;

	memset(l, 0, sizeof(*l));
	punch_init(&l->punch, &punch_lowttl_strategy,
		   config->tcp ? &punch_lowttl_tcp : &punch_lowttl_udp, config);
}

static const char *const sides[] = {
	[PUNCH_LOWTTL_A] = "a",
	[PUNCH_LOWTTL_B] = "b",
	[PUNCH_LOWTTL_BOTH] = "both",
	NULL,
};

static const struct strategy_param params[] = {
	[PUNCH_LOWTTL_TTL] = { "ttl", "of the first packets", 1, 255, 2, NULL },
	[PUNCH_LOWTTL_SIDE] = { "side", "who begins so", 0, 2, PUNCH_LOWTTL_BOTH, sides },
	[PUNCH_LOWTTL_PACKETS] = { "packets", "with that TTL, to each candidate", 1, 1000, 1,
				   NULL },
	[PUNCH_LOWTTL_WAIT_MS] = { "wait_ms", "until the packets with a full TTL", 0, 60000, 200,
				   NULL },
	{ .name = NULL },
};

const struct strategy punch_lowttl_strategy = {
	.name = "punch-lowttl",
	.about = "as punch, after packets that open the own router and die before the other",
	.pair = true,
	.size = sizeof(struct punch_lowttl),
	.params = params,
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

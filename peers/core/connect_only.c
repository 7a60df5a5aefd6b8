// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: each peer does nothing but connect to every endpoint the other may have, from the port
 * that the rendezvous saw, until two SYNs cross (simultaneous open, RFC 9293, section 3.5). It is
 * what programs do that know of no way to listen on the port they connect from, and is here to show
 * what the listener of "punch" is good for. Over UDP, which knows no listener, it is punching.
 *
 * Source: RFC 5128, section 3.4; EasyTier and Gole, whose TCP connects in a loop, between the same
 * two ports; RFC 5382, REQ-2, asks routers to let the SYNs through.
 *
 * Parameters: none.
 *
 * It works where each side's outside port is the one that the rendezvous saw (endpoint-independent
 * mapping), and no SYN gets to a host that is not connecting: it would be answered with a reset,
 * which ends the other side's attempt. So routers that drop what comes unasked make it work, and
 * those that let everybody in make it a matter of delays.
 */
#include "peers/core/connect_only.h"

#include "peers/core/punch.h"

static void begin(struct course *c, uint64_t now_us, struct actions *out)
{
	(void)out;
	punch_of(c)->connects = true;
	c->next_round_us = now_us;
}

static const struct course_means connect_only_tcp = {
	.begin = begin,
	.event = punch_tcp_event,
	.round = punch_tcp_round,
	.remote = punch_tcp_remote,
	.close = punch_tcp_close,
};

static void init(void *state, const struct strategy_config *config)
{
	punch_init(state, &connect_only_strategy, config->tcp ? &connect_only_tcp : &punch_udp,
		   config);
}

const struct strategy connect_only_strategy = {
	.name = "connect-only",
	.about = "TCP: both sides connect and none listens; UDP: as punch",
	.pair = true,
	.size = sizeof(struct punch),
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

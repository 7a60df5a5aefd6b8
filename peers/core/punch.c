// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: each peer sends to every endpoint the other may have, all at the same time. A router
 * opens its filter for whoever the inside sends to; once both sides have sent, the packets of each
 * find the other's filter open, provided that the other's outside port is the one the rendezvous
 * saw.
 *
 * Source: B. Ford, P. Srisuresh, D. Kegel, "Peer-to-Peer Communication Across Network Address
 * Translators", USENIX 2005; RFC 5128, section 3.3 (UDP) and 3.4 (TCP).
 *
 * It works where one side's outside port can be known beforehand (endpoint-independent mapping) and
 * the other side's packets are let in there: sim/model/oracle.c has the rule.
 */
#include "peers/core/punch.h"

#include <string.h>

void punch_init(struct punch *p, const struct strategy *strategy, const struct course_means *means,
		const struct strategy_config *config)
{
	memset(p, 0, sizeof(*p));
	course_init(&p->course, strategy, means, config);
}

static void init(void *state, const struct strategy_config *config)
{
	punch_init(state, &punch_strategy, config->tcp ? &punch_tcp : &punch_udp, config);
}

const struct strategy punch_strategy = {
	.name = "punch",
	.about = "both sides send to every endpoint of the other at the same time",
	.pair = true,
	.size = sizeof(struct punch),
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/trial_judge.h"

#include <netinet/in.h>
#include <string.h>

void trial_judge(const struct stage *stage, const unsigned nodes[static 2], const char *transport,
		 struct verdict_side sides[static 2], struct trial_result *ret)
{
	uint8_t protocol = strcmp(transport, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	uint32_t relays[] = { stage->rendezvous.addr, stage->rendezvous_alt.addr };
	const struct verdict_claim *a = &sides[0].claim, *b = &sides[1].claim;

	for (int i = 0; i < 2; i++) {
		sides[i].outside_addr =
			stage_outside_addr(stage, nodes[i], &sides[i].outside_addrs_count);
		sides[i].host_addr = stage->plan.nodes[nodes[i]].outside_addr;
	}
	struct verdict v = verdict_judge(&sides[0], &sides[1], protocol, relays, 2);

	ret->success = v.success;
	ret->path = v.path;
	memcpy(ret->reason, v.reason, sizeof(ret->reason));
	ret->connect_ms = a->connect_ms < 0 || b->connect_ms < 0 ? -1
			  : a->connect_ms > b->connect_ms        ? a->connect_ms
								 : b->connect_ms;
	ret->packets = a->packets < 0 || b->packets < 0 ? -1 : a->packets + b->packets;
	for (int i = 0; i < 2; i++) {
		ret->side[i].local = sides[i].claim.local;
		ret->side[i].remote = sides[i].claim.remote;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/measure_twin.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "peers/core/strategy.h"
#include "sim/experiment/twin.h"

static bool is_done(void *host)
{
	return twin_host_is_done(host);
}

int measure_in_twin(const struct stage *stage, const struct measure_twin_config *config,
		    struct buf *output, struct err *e)
{
	const struct strategy *classify = strategy_find("classify");
	CLEANUP(free) void *state = calloc(1, classify->size);
	CLEANUP(twin) struct twin *twin = NULL;
	int node = stage_peer_node(stage, "a");
	int code = twin_open(stage, &twin, e);

	assert(node >= 0 && state != NULL);
	if (code < 0)
		return code;
	struct twin_host *host = twin_host_at(twin, (unsigned)node);
	struct strategy_config own = {
		.tcp = config->tcp,
		.server = stage->rendezvous,
		.server_alt = stage->rendezvous_alt,
		.local_addr = stage->plan.nodes[node].outside_addr,
		.nonce = 1,
		.seed = config->seed,
		.give_up_us = config->silence_us,
	};
	twin_reset(twin, config->seed);
	classify->init(state, &own);
	twin_host_reset(host, classify->step, state, 0, config->seed);
	twin_world_run(twin_world_of(twin), config->deadline_us, is_done, host);
	if (twin_host_is_done(host))
		classify->report(state, output);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A trial in virtual time. The peers are natsim's own strategies, in this very process. */
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers/core/strategy.h"
#include "sim/experiment/trial.h"
#include "sim/experiment/trial_judge.h"
#include "sim/experiment/twin.h"

/* What the start of a program takes at most: in the lab, too, the peers do not begin at once. */
#define PROGRAM_START_US 5000u

/* What leaves something to chance: each draws from a seed of its own. The peers are 0 and 1. */
enum { SEED_OF_TWIN = 2, SEED_OF_NONCES, SEED_OF_STARTS, SEED_OF_NEIGHBOURS };

/* All that was delivered into a host. */
struct deliveries {
	struct delivery *items;
	size_t count, size;
};

struct trial_peer {
	struct twin_host *host;
	unsigned node;
	struct deliveries delivered;
	void *state; /* of its strategy */
	size_t state_size;
};

struct trial_twin {
	struct stage stage; /* the twin points into it */
	struct twin *twin;
	struct trial_peer peers[2];
};

static const char *const roles[] = { "a", "b" };

static void see(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	struct deliveries *d = arg;

	if (p->len == 0)
		return;
	if (d->count == d->size) {
		d->size = d->size == 0 ? 32 : 2 * d->size;
		d->items = realloc(d->items, d->size * sizeof(*d->items));
		assert(d->items != NULL);
	}
	struct delivery *delivery = &d->items[d->count++];
	delivery->protocol = (uint8_t)p->protocol;
	delivery->from = p->from;
	delivery->to = p->to;
	delivery->time_us = now_us;
	delivery->payload_bytes = p->len;
	delivery->len = p->len < DELIVERY_PAYLOAD_MAX ? p->len : DELIVERY_PAYLOAD_MAX;
	memcpy(delivery->payload, p->data, delivery->len);
}

static int build(const struct catalog *c, const struct stage_config *config, struct trial_twin *t,
		 struct err *e)
{
	int code = stage_open(c, config, &t->stage, e);

	if (code == 0)
		code = trial_check_stage(&t->stage, config->topology, e);
	if (code == 0)
		code = twin_open(&t->stage, &t->twin, e);
	for (int i = 0; code == 0 && i < 2; i++) {
		struct trial_peer *peer = &t->peers[i];

		peer->node = (unsigned)stage_peer_node(&t->stage, roles[i]);
		peer->host = twin_host_at(t->twin, peer->node);
		twin_host_watch(peer->host, see, &peer->delivered);
	}
	return code;
}

int trial_twin_new(const struct catalog *c, const struct stage_config *config,
		   struct trial_twin **ret, struct err *e)
{
	struct trial_twin *t = calloc(1, sizeof(*t));

	assert(t != NULL);
	int code = build(c, config, t, e);
	if (code < 0)
		trial_twin_free(t);
	else
		*ret = t;
	return code;
}

void trial_twin_free(struct trial_twin *t)
{
	if (t == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		free(t->peers[i].delivered.items);
		free(t->peers[i].state);
	}
	twin_close(t->twin);
	stage_close(&t->stage);
	free(t);
}

static uint64_t draw_nonce(uint64_t seed, unsigned i)
{
	uint64_t nonce = prng_derive(seed, SEED_OF_NONCES, i);

	return nonce == 0 ? 1 : nonce;
}

static void start_peer(struct trial_twin *t, const struct trial_config *config,
		       const struct strategy_choice *choice, unsigned i)
{
	const struct strategy *strategy = choice->strategy;
	struct trial_peer *peer = &t->peers[i];
	struct strategy_config own = {
		.tcp = strcmp(config->transport, "tcp") == 0,
		.role = roles[i][0],
		.server = t->stage.rendezvous,
		.server_alt = t->stage.rendezvous_alt,
		.session_len = strlen(config->session),
		.local_addr = t->stage.plan.nodes[peer->node].outside_addr,
		.nonce = draw_nonce(config->seed, i),
		.seed = prng_derive(config->seed, i, 0),
		.start_delay_us = config->delay_us[i],
		.give_up_us = config->give_up_us,
	};
	struct prng prng;

	assert(own.session_len <= sizeof(own.session));
	memcpy(own.params, choice->params, sizeof(own.params));
	memcpy(own.session, config->session, own.session_len);
	if (peer->state_size < strategy->size) {
		peer->state_size = strategy->size;
		peer->state = realloc(peer->state, peer->state_size);
		assert(peer->state != NULL);
	}
	strategy->init(peer->state, &own);
	peer->delivered.count = 0;
	prng_init(&prng, prng_derive(config->seed, SEED_OF_STARTS, i));
	uint64_t start_us = prng_below(&prng, PROGRAM_START_US);
	twin_host_reset(peer->host, strategy->step, peer->state, start_us, prng_next(&prng));
}

static bool both_are_done(void *arg)
{
	const struct trial_twin *t = arg;

	return twin_host_is_done(t->peers[0].host) && twin_host_is_done(t->peers[1].host);
}

static void conclude(const struct trial_twin *t, const struct trial_config *config,
		     const struct strategy *strategy, struct trial_result *ret)
{
	struct verdict_side sides[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		const struct trial_peer *peer = &t->peers[i];
		struct strategy_result result;

		strategy->result(peer->state, &result);
		sides[i].claim.ended_ok =
			twin_host_is_done(peer->host) && twin_host_status(peer->host) == 0;
		verdict_take_claim(&result, &sides[i].claim);
		if (!twin_host_is_done(peer->host))
			(void)snprintf(sides[i].claim.reason, sizeof(sides[i].claim.reason),
				       TRIAL_NOT_ENDED);
		sides[i].delivered = peer->delivered.items;
		sides[i].delivered_count = peer->delivered.count;
	}
	trial_judge(&t->stage, (const unsigned[]){ t->peers[0].node, t->peers[1].node },
		    config->transport, sides, ret);
}

void trial_twin_run(struct trial_twin *t, const struct trial_config *config,
		    struct trial_result *ret)
{
	struct strategy_choice choice;
	char why[STRATEGY_WHY_SIZE];
	bool found = strategy_parse(config->strategy, &choice, why);

	assert(found && choice.strategy->pair);
	twin_reset(t->twin, prng_derive(config->seed, SEED_OF_TWIN, 0));
	if (config->cross_traffic > 0)
		twin_start_neighbours(t->twin, config->cross_traffic,
				      config->give_up_us + TRIAL_GRACE_US,
				      prng_derive(config->seed, SEED_OF_NEIGHBOURS, 0));
	for (unsigned i = 0; i < 2; i++)
		start_peer(t, config, &choice, i);
	twin_world_run(twin_world_of(t->twin), config->give_up_us + TRIAL_GRACE_US, both_are_done,
		       t);
	conclude(t, config, choice.strategy, ret);
}

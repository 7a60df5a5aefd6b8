// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/trial.h"

#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/output.h"
#include "sim/lab/tap.h"

/* What a peer may take besides trying: to start, to meet the other at the rendezvous, to linger. */
#define GRACE_US 15000000u

struct trial_lab {
	struct stage stage; /* the lab points into it */
	struct lab *lab;
	unsigned nodes[2]; /* of the roles a and b */
	int taps[2];
};

static const char *const roles[] = { "a", "b" };

/* What leaves something to chance: each draws from a seed of its own. The peers are 0 and 1. */
enum { SEED_OF_LINKS = 2 };

int trial_check_stage(const struct stage *stage, const char *topology, struct err *e)
{
	if (stage_peer_node(stage, roles[0]) >= 0 && stage_peer_node(stage, roles[1]) >= 0 &&
	    stage->rendezvous_node >= 0)
		return 0;
	return err_set_input(e, "%s: a trial needs peers a and b and a rendezvous", topology);
}

static int build(const struct catalog *c, const struct stage_config *config, uint64_t seed,
		 struct trial_lab *t, struct err *e)
{
	int code = stage_open(c, config, &t->stage, e);

	if (code == 0)
		code = trial_check_stage(&t->stage, config->topology, e);
	if (code == 0)
		code = stage_build(&t->stage, c, seed, -1, &t->lab, e);
	for (int i = 0; code == 0 && i < 2; i++) {
		t->nodes[i] = (unsigned)stage_peer_node(&t->stage, roles[i]);
		code = tap_open(lab_netns(t->lab, t->nodes[i]), &t->taps[i], e);
	}
	return code;
}

int trial_lab_new(const struct catalog *c, const struct stage_config *config, uint64_t seed,
		  struct trial_lab **ret, struct err *e)
{
	struct trial_lab *t = calloc(1, sizeof(*t));

	assert(t != NULL);
	t->taps[0] = t->taps[1] = -1;
	int code = build(c, config, seed, t, e);
	if (code < 0)
		trial_lab_free(t);
	else
		*ret = t;
	return code;
}

void trial_lab_free(struct trial_lab *t)
{
	if (t == NULL)
		return;
	tap_close(t->taps[0]);
	tap_close(t->taps[1]);
	lab_free(t->lab);
	stage_close(&t->stage);
	free(t);
}

static void forget_taps(const struct trial_lab *t)
{
	struct delivery ignored;

	for (int i = 0; i < 2; i++) {
		while (tap_read(t->taps[i], &ignored))
			continue;
		(void)tap_missed(t->taps[i]);
	}
}

static int start_peer(const struct trial_lab *t, const struct trial_config *config, int i,
		      struct output *ret, struct err *e)
{
	struct contract contract = {
		.role = roles[i],
		.session = config->session,
		.strategy = config->strategy,
		.transport = config->transport,
		.rendezvous = t->stage.rendezvous,
		.rendezvous_alt = t->stage.rendezvous_alt,
		.seed = prng_derive(config->seed, (uint64_t)i, 0), /* see SEED_OF_LINKS */
		.give_up_us = config->give_up_us,
		.start_delay_us = config->delay_us[i],
	};
	struct contract_env env;

	contract_env_fill(&contract, &env);
	CLEANUP(contract_command) char **argv = contract_command(&env, config->command);
	return output_start(&(struct process_config){ .argv = (const char *const *)argv,
						      .env = env.list,
						      .netns_fd = lab_netns(t->lab, t->nodes[i]),
						      .stdin_fd = -1,
						      .stderr_fd = STDERR_FILENO,
						      .own_group = true },
			    ret, e);
}

/* All that a tap has seen, on the heap. */
static struct delivery *read_tap(int fd, size_t *ret_count)
{
	struct delivery *packets = NULL, packet;
	size_t count = 0, size = 0;

	while (tap_read(fd, &packet)) {
		if (count == size) {
			size = size == 0 ? 32 : 2 * size;
			packets = realloc(packets, size * sizeof(*packets));
			assert(packets != NULL);
		}
		packets[count++] = packet;
	}
	*ret_count = count;
	return packets;
}

static struct verdict_side side_of(const struct trial_lab *t, int i, const struct output *peer,
				   struct delivery **ret_packets)
{
	struct verdict_side side = { .claim.ended_ok = peer->ended && peer->status == 0 };

	verdict_read_claim(buf_text(&peer->text), peer->text.len, &side.claim);
	if (!peer->ended)
		(void)snprintf(side.claim.reason, sizeof(side.claim.reason),
			       "it did not end in time");
	side.addrs[0] = stage_outside_addr(&t->stage, t->nodes[i]);
	side.addrs[1] = t->stage.plan.nodes[t->nodes[i]].outside_addr;
	*ret_packets = read_tap(t->taps[i], &side.delivered_count);
	side.delivered = *ret_packets;
	return side;
}

/* What a tap had no room for may be what the verdict did not find. */
static void blame_taps(const struct trial_lab *t, bool both_claim, struct verdict *v)
{
	unsigned missed = tap_missed(t->taps[0]) + tap_missed(t->taps[1]);

	if (both_claim && !v->success && missed > 0)
		(void)snprintf(v->reason, sizeof(v->reason),
			       "the peers claim success, but natsim missed %u packets", missed);
}

/* So may what this machine, and no link, lost on the way. */
static void blame_wire(uint64_t lost, struct trial_result *result)
{
	if (!result->success && lost > 0)
		(void)snprintf(result->reason, sizeof(result->reason),
			       "natsim's wire was overloaded and lost %" PRIu64 " packets", lost);
}

static void judge(const struct trial_lab *t, const struct trial_config *config,
		  const struct output peers[static 2], struct trial_result *ret)
{
	uint8_t protocol = strcmp(config->transport, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	uint32_t relays[] = { t->stage.rendezvous.addr, t->stage.rendezvous_alt.addr };
	struct verdict_side sides[2];
	struct delivery *packets[2];

	for (int i = 0; i < 2; i++)
		sides[i] = side_of(t, i, &peers[i], &packets[i]);
	struct verdict v = verdict_judge(&sides[0], &sides[1], protocol, relays, 2);
	const struct verdict_claim *a = &sides[0].claim, *b = &sides[1].claim;
	blame_taps(t, a->ended_ok && b->ended_ok, &v);

	*ret = (struct trial_result){ .success = v.success, .path = v.path };
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", v.reason);
	ret->connect_ms = a->connect_ms < 0 || b->connect_ms < 0 ? -1
			  : a->connect_ms > b->connect_ms        ? a->connect_ms
								 : b->connect_ms;
	ret->packets = a->packets < 0 || b->packets < 0 ? -1 : a->packets + b->packets;
	for (int i = 0; i < 2; i++) {
		ret->side[i].local = sides[i].claim.local;
		ret->side[i].remote = sides[i].claim.remote;
		free(packets[i]);
	}
}

/* Makes the lab as good as new. */
static int prepare(struct trial_lab *t, uint64_t seed, uint64_t *ret_faults, struct err *e)
{
	int code = lab_reset(t->lab, prng_derive(seed, SEED_OF_LINKS, 0), e);

	if (code == 0)
		code = lab_faults(t->lab, ret_faults, e);
	forget_taps(t);
	return code;
}

int trial_run(struct trial_lab *t, const struct trial_config *config, struct trial_result *ret,
	      struct err *e)
{
	struct output peers[2] = { OUTPUT_NONE, OUTPUT_NONE };
	uint64_t deadline_us = process_now_us() + config->give_up_us + GRACE_US;
	uint64_t before = 0, after = 0;
	int code = prepare(t, config->seed, &before, e);

	for (int i = 0; code == 0 && i < 2; i++)
		code = start_peer(t, config, i, &peers[i], e);
	if (code == 0)
		code = output_wait(peers, 2, deadline_us, e);
	if (code == 0)
		code = lab_faults(t->lab, &after, e);
	if (code == 0) {
		judge(t, config, peers, ret);
		blame_wire(after - before, ret);
	}
	output_end(&peers[0]);
	output_end(&peers[1]);
	return code == 0 ? lab_check(t->lab, e) : code;
}

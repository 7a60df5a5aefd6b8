// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/trial.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "peers/core/cross_traffic.h"
#include "sim/experiment/output.h"
#include "sim/experiment/trial_judge.h"
#include "sim/lab/tap.h"

struct trial_lab {
	struct stage stage; /* the lab points into it */
	struct lab *lab;
	unsigned nodes[2]; /* of the roles a and b */
	int taps[2];
	const char *peer; /* natsim's own; the catalog's */
};

static const char *const roles[] = { "a", "b" };

/* What leaves something to chance: each draws from a seed of its own. The peers are 0 and 1. */
enum { SEED_OF_LINKS = 2, SEED_OF_NEIGHBOURS = 3 };

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

	t->peer = c->peer;
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

/* Starts a program in the host of peer i. */
static int start(const struct trial_lab *t, int i, const struct contract *contract,
		 const char *const *command, struct output *ret, struct err *e)
{
	struct contract_env env;

	contract_env_fill(contract, &env);
	CLEANUP(contract_command) char **argv = contract_command(&env, command);
	return output_start(&(struct process_config){ .argv = (const char *const *)argv,
						      .env = env.list,
						      .netns_fd = lab_netns(t->lab, t->nodes[i]),
						      .stdin_fd = -1,
						      .stderr_fd = STDERR_FILENO,
						      .own_group = true },
			    ret, e);
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

	return start(t, i, &contract, config->command, ret, e);
}

/* What opens flows beside peer i, in its host and so on its address. One that stands directly on
 * the Internet has no router to open them through. */
static int start_neighbour(const struct trial_lab *t, const struct trial_config *config, int i,
			   struct output *ret, struct err *e)
{
	const struct topology_host *host = topology_peer(&t->stage.topology, roles[i]);
	const char *const command[] = { t->peer, NULL };
	char strategy[64];

	if (config->cross_traffic == 0 || host->behind == NULL)
		return 0;
	(void)snprintf(strategy, sizeof(strategy), CROSS_TRAFFIC_NAME ":rate=%" PRIu64,
		       config->cross_traffic);
	struct contract contract = {
		.strategy = strategy,
		.transport = "udp",
		.rendezvous = t->stage.rendezvous,
		.seed = prng_derive(config->seed, SEED_OF_NEIGHBOURS, (uint64_t)i),
		.give_up_us = config->give_up_us + TRIAL_GRACE_US,
	};
	return start(t, i, &contract, command, ret, e);
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
		(void)snprintf(side.claim.reason, sizeof(side.claim.reason), TRIAL_NOT_ENDED);
	*ret_packets = read_tap(t->taps[i], &side.delivered_count);
	side.delivered = *ret_packets;
	return side;
}

/* What a tap had no room for may be what the verdict did not find. */
static void blame_taps(const struct trial_lab *t, bool both_claim, struct trial_result *result)
{
	unsigned missed = tap_missed(t->taps[0]) + tap_missed(t->taps[1]);

	if (both_claim && !result->success && missed > 0)
		(void)snprintf(result->reason, sizeof(result->reason),
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
	struct verdict_side sides[2];
	struct delivery *packets[2];

	for (int i = 0; i < 2; i++)
		sides[i] = side_of(t, i, &peers[i], &packets[i]);
	trial_judge(&t->stage, t->nodes, config->transport, sides, ret);
	blame_taps(t, sides[0].claim.ended_ok && sides[1].claim.ended_ok, ret);
	free(packets[0]);
	free(packets[1]);
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
	struct output neighbours[2] = { OUTPUT_NONE, OUTPUT_NONE };
	uint64_t deadline_us = process_now_us() + config->give_up_us + TRIAL_GRACE_US;
	uint64_t before = 0, after = 0;
	int code = prepare(t, config->seed, &before, e);

	for (int i = 0; code == 0 && i < 2; i++)
		code = start_neighbour(t, config, i, &neighbours[i], e);
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
	for (int i = 0; i < 2; i++) {
		output_end(&peers[i]);
		output_end(&neighbours[i]);
	}
	return code == 0 ? lab_check(t->lab, e) : code;
}

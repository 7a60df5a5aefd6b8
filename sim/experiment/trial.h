/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One trial: two peers are started in a lab, or in the twin, watched until both have ended, and
 * judged. A lab and a twin serve many trials; before each, routers forget what they know, and links
 * begin anew with the trial's seed.
 */
#ifndef NATSIM_SIM_EXPERIMENT_TRIAL_H
#define NATSIM_SIM_EXPERIMENT_TRIAL_H

#include "sim/experiment/contract.h"
#include "sim/experiment/stage.h"
#include "sim/experiment/verdict.h"

/* A lab with a tap on each peer's host. */
struct trial_lab;

/* Fails, as the user's mistake, unless the stage has both peers and a rendezvous. */
int trial_check_stage(const struct stage *stage, const char *topology, struct err *e);

int trial_lab_new(const struct catalog *c, const struct stage_config *config, uint64_t seed,
		  struct trial_lab **ret, struct err *e);
void trial_lab_free(struct trial_lab *t); /* NULL is allowed */

struct trial_config {
	const char *const *command; /* of both peers; placeholders are filled in */
	const char *session, *strategy, *transport;
	uint64_t seed;
	uint64_t give_up_us;
	uint64_t delay_us[2];   /* the start delay of a and b */
	uint64_t cross_traffic; /* flows a second that something beside each peer opens */
};

struct trial_result {
	bool success;
	enum verdict_path path;
	char reason[VERDICT_REASON_SIZE];
	double connect_ms; /* the later of the two; negative: unknown */
	int64_t packets;   /* of both, by their own count; negative: one of them does not say */
	struct {
		struct endpoint local, remote;
	} side[2];
};

/* A trial that fails is a result; an error is a lab that does not work. */
int trial_run(struct trial_lab *t, const struct trial_config *config, struct trial_result *ret,
	      struct err *e);

/* The same in virtual time. Nothing is random but what the seed of the trial says, and nothing is
 * left of earlier trials: the same configuration gives the same result. */
struct trial_twin;

int trial_twin_new(const struct catalog *c, const struct stage_config *config,
		   struct trial_twin **ret, struct err *e);
void trial_twin_free(struct trial_twin *t); /* NULL is allowed */

/* The strategy is one of natsim's own, for two peers (assert); the command is not looked at. */
void trial_twin_run(struct trial_twin *t, const struct trial_config *config,
		    struct trial_result *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trial in either world comes to. */
#ifndef NATSIM_SIM_EXPERIMENT_TRIAL_JUDGE_H
#define NATSIM_SIM_EXPERIMENT_TRIAL_JUDGE_H

#include "sim/experiment/trial.h"

/* What a peer may take besides trying: to start, to meet the other at the rendezvous, to linger. */
#define TRIAL_GRACE_US 15000000u

/* The reason of a peer that takes longer. */
#define TRIAL_NOT_ENDED "it did not end in time"

/* The sides' claims and deliveries are given; their addresses are filled in from the stage, where
 * nodes are the peers' ones. */
void trial_judge(const struct stage *stage, const unsigned nodes[static 2], const char *transport,
		 struct verdict_side sides[static 2], struct trial_result *ret);

#endif

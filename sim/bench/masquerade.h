/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The router that most of Linux's users have: one rule. What the models are compared with. */
#ifndef NATSIM_SIM_BENCH_MASQUERADE_H
#define NATSIM_SIM_BENCH_MASQUERADE_H

#include "lib/err.h"
#include "sim/model/nat_model.h"

#define MASQUERADE_NAME "one masquerade rule"

/* Its ruleset is the rule. The caller ends it with nat_model_fini(). */
int masquerade_model(struct nat_model *ret, struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for the strategies that punch: each returns what oracle_rate() does, of two routers
 * that are natsim's own and through which the rendezvous can be reached. */
#ifndef NATSIM_SIM_MODEL_ORACLE_PUNCH_H
#define NATSIM_SIM_MODEL_ORACLE_PUNCH_H

#include "sim/model/nat_model.h"

struct oracle_pair {
	const struct nat_model *nats[2]; /* of a and b */
	enum nat_transport t;
	const uint64_t *params; /* of the strategy */
};

/* Does something to what comes before the own side has sent, so that delays decide. */
bool oracle_reacts(const struct nat_model *m, enum nat_transport t);

double oracle_punch(const struct oracle_pair *p);
double oracle_punch_lowttl(const struct oracle_pair *p);
double oracle_connect_only(const struct oracle_pair *p);
double oracle_preserve(const struct oracle_pair *p);

#endif

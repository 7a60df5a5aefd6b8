/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for the strategies that punch, and what others ask of them: each of the former returns
 * what oracle_rate() does, of two routers that are natsim's own and through which the rendezvous
 * can be reached. */
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

/* True if the mapping towards the peer is that towards the rendezvous. */
bool oracle_mapping_is_independent(const struct nat_model *m, enum nat_transport t);

/* True if what comes before the own side has sent does more than to be dropped. */
bool oracle_reacts(const struct nat_model *m, enum nat_transport t);

#endif

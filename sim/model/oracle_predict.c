// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why prediction works: of a sequential router the next port is known, so that it is no harder than
 * one with endpoint-independent mapping. Without cross traffic that is certain, but for a sequence
 * of n ports that ends between the samples and the shot: once in n times. Where the other side
 * draws its ports and looks at those of others, that does not help.
 */
#include "sim/model/oracle_predict.h"

#include <stdlib.h>

/* Differences above 1000 are taken for noise (predict.c). */
#define STEP_MAX  1000
/* A window of ports, and some to spare. */
#define PORTS_MIN 64

/* Of the sequence. */
static int places(const struct nat_model *m)
{
	return (m->ports.last - m->ports.first) / abs(m->ports.step) + 1;
}

static bool is_predictable(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	return of->choose == NAT_PORTS_SEQUENTIAL && !of->overloads && m->pool.count == 1 &&
	       m->ports.quota == 0 && !m->ports.parity && abs(m->ports.step) <= STEP_MAX &&
	       places(m) >= PORTS_MIN;
}

double oracle_predict(const struct oracle_pair *p)
{
	double rate = oracle_punch(p), predicted = 1;

	if (p->t == NAT_TCP || rate < 0 || rate >= 1)
		return rate;
	for (int i = 0; i < 2; i++) {
		const struct nat_model *m = p->nats[i];

		if (oracle_reacts(m, p->t))
			return -1;
		if (oracle_mapping_is_independent(m, p->t))
			continue;
		if (m->of[p->t].choose == NAT_PORTS_RANDOM)
			return rate;
		if (!is_predictable(m, p->t))
			return -1;
		predicted *= 1 - 1.0 / places(m);
	}
	return predicted;
}

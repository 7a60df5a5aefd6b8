// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why the birthday strategy works as often as it does. The hard side's router has a port of its own
 * for each of m sockets, all open to the easy side's one endpoint. The easy side draws k different
 * ports of R, evenly. If all m are among those R, no matter how the router chose them, none is hit
 * with probability
 *
 *	C(R - m, k) / C(R, k) = product of (R - m - i) / (R - i) for i = 0 to k - 1
 *
 * (drawing without replacement), which a product of k factors gives on every machine alike.
 *
 * Where both routers are hard, an opener goes to the endpoint that the rendezvous saw, from which
 * nothing comes. There only probes meet probes: one of ours leaves port q for port p, one of theirs
 * leaves p for q. Of k by k pairs each does with probability 1 / R^2: 1 - exp(-(k / R)^2).
 */
#include "sim/model/oracle_birthday.h"

#include <math.h>

#include "peers/core/birthday.h"

/* Ports that a peer takes besides, for the rendezvous and for local candidates. */
#define OTHER_PORTS 16u

static double ports_count(const uint64_t *params)
{
	return params[BIRTHDAY_LAST] < params[BIRTHDAY_FIRST]
		       ? 0
		       : (double)(params[BIRTHDAY_LAST] - params[BIRTHDAY_FIRST] + 1);
}

static double probes_count(const uint64_t *params)
{
	return fmin((double)params[BIRTHDAY_PROBES], ports_count(params));
}

static double hit(double ports, double sockets, double probes)
{
	double miss = 1;

	for (unsigned i = 0; i < probes && miss > 0; i++)
		miss *= fmax(0, ports - sockets - i) / (ports - i);
	return 1 - miss;
}

/* All ports that the router may take are among those that are tried, and it has them for as many
 * flows as there may be, each its own. */
static bool is_covered(const struct oracle_pair *p, const struct nat_model *m)
{
	const struct nat_of *of = &m->of[p->t];
	const uint64_t *params = p->params;
	uint64_t range = m->ports.last - m->ports.first + 1u;
	uint64_t step = (uint64_t)(m->ports.step < 0 ? -m->ports.step : m->ports.step);
	uint64_t room = of->choose == NAT_PORTS_BLOCK                    ? m->ports.block
			: of->choose == NAT_PORTS_SEQUENTIAL && step > 1 ? range / step
									 : range;
	uint64_t flows =
		params[BIRTHDAY_SOCKETS] + OTHER_PORTS +
		(params[BIRTHDAY_HARD] == BIRTHDAY_HARD_BOTH ? params[BIRTHDAY_PROBES] : 0);

	return m->ports.first >= params[BIRTHDAY_FIRST] && m->ports.last <= params[BIRTHDAY_LAST] &&
	       flows <= room && m->ports.quota == 0 && m->pool.count == 1 &&
	       (of->choose == NAT_PORTS_RANDOM || of->choose == NAT_PORTS_SEQUENTIAL ||
		of->choose == NAT_PORTS_BLOCK);
}

/* Behind x the mappings differ, the other side's endpoint is the known one. */
static double one_hard(const struct oracle_pair *p, int x)
{
	if (!birthday_opens(p->params, x == 0 ? 'a' : 'b'))
		return 0;
	if (!is_covered(p, p->nats[x]))
		return -1;
	return hit(ports_count(p->params), (double)p->params[BIRTHDAY_SOCKETS],
		   probes_count(p->params));
}

static bool is_strict(const struct nat_model *m, enum nat_transport t)
{
	return m->of[t].mapping == NAT_ADDRESS_AND_PORT_DEPENDENT &&
	       m->of[t].filtering == NAT_ADDRESS_AND_PORT_DEPENDENT && !m->of[t].overloads;
}

static double both_hard(const struct oracle_pair *p)
{
	double share = probes_count(p->params) / ports_count(p->params);

	for (int i = 0; i < 2; i++)
		if (!is_strict(p->nats[i], p->t) || !is_covered(p, p->nats[i]))
			return -1;
	return p->params[BIRTHDAY_HARD] == BIRTHDAY_HARD_BOTH ? 1 - exp(-share * share) : 0;
}

double oracle_birthday(const struct oracle_pair *p)
{
	double rate = oracle_punch(p);
	bool a_is_easy = oracle_mapping_is_independent(p->nats[0], p->t);
	bool b_is_easy = oracle_mapping_is_independent(p->nats[1], p->t);

	if (p->t == NAT_TCP || rate < 0 || rate >= 1)
		return rate;
	if (ports_count(p->params) <= 0)
		return rate;
	if (oracle_reacts(p->nats[0], p->t) || oracle_reacts(p->nats[1], p->t))
		return -1;
	if (a_is_easy == b_is_easy)
		return both_hard(p);
	return one_hard(p, a_is_easy ? 1 : 0);
}

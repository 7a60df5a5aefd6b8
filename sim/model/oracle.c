// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rule is whose, and what is the same for all. */
#include "sim/model/oracle.h"

#include <string.h>

#include "peers/core/strategy.h"
#include "sim/model/oracle_birthday.h"
#include "sim/model/oracle_predict.h"
#include "sim/model/oracle_punch.h"

/* The rendezvous cannot even be reached. */
static bool is_shut(const struct nat_model *m, enum nat_transport t)
{
	return m->blocked == NAT_BLOCKS_ALL_BUT_TCP_443 ||
	       (m->blocked == NAT_BLOCKS_UDP && t == NAT_UDP);
}

/* The server is all that has to be reached. */
static double relay(const struct oracle_pair *p)
{
	(void)p;
	return 1;
}

static const struct {
	const char *strategy;
	double (*rate)(const struct oracle_pair *p);
} rules[] = {
	{ "punch", oracle_punch },
	{ "punch-lowttl", oracle_punch_lowttl },
	{ "connect-only", oracle_connect_only },
	{ "preserve", oracle_preserve },
	{ "relay", relay },
	{ "birthday", oracle_birthday },
	{ "predict", oracle_predict },
};

double oracle_rate(const struct nat_model *a, const struct nat_model *b, const char *transport,
		   const char *strategy)
{
	struct oracle_pair pair = { .nats = { a, b } };
	struct strategy_choice choice;
	char why[STRATEGY_WHY_SIZE];

	pair.t = strcmp(transport, "tcp") == 0 ? NAT_TCP : NAT_UDP;
	if (pair.t == NAT_UDP && strcmp(transport, "udp") != 0)
		return -1;
	if (a->ruleset_file != NULL || b->ruleset_file != NULL)
		return -1;
	if (!strategy_parse(strategy, &choice, why))
		return -1;
	pair.params = choice.params;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].strategy, choice.strategy->name) != 0)
			continue;
		return is_shut(a, pair.t) || is_shut(b, pair.t) ? 0 : rules[i].rate(&pair);
	}
	return -1;
}

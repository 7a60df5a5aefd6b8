// SPDX-License-Identifier: GPL-2.0-or-later
/* As what a router shows itself against what its model declares. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/experiment/conformance.h"
#include "sim/model/nat_seen.h"

#define UNSEEN "not observed"

struct aspects {
	struct aspect *items;
	size_t count;
};

static void add(struct aspects *a, const char *name, const char *declared, const char *seen)
{
	assert(a->count < ASPECTS_MAX);
	struct aspect *aspect = &a->items[a->count++];

	aspect->name = name;
	(void)snprintf(aspect->declared, sizeof(aspect->declared), "%s", declared);
	(void)snprintf(aspect->observed, sizeof(aspect->observed), "%s", seen);
	if (strcmp(seen, UNSEEN) == 0)
		aspect->agreement = ASPECT_NOT_OBSERVED;
	else
		aspect->agreement = strcmp(declared, seen) == 0 ? ASPECT_AGREES : ASPECT_DIFFERS;
}

static const char *yes_no(enum observed seen)
{
	return seen == NOT_OBSERVED ? UNSEEN : seen == OBSERVED_YES ? "yes" : "no";
}

static const char *say(bool yes)
{
	return yes ? "yes" : "no";
}

/* The router's own stack answers as Linux does. */
static const char *declared_answer(const struct nat_model *m, enum nat_transport t)
{
	switch (m->of[t].unsolicited) {
	case NAT_UNSOLICITED_ICMP:
		return "icmp";
	case NAT_UNSOLICITED_RST:
		return "rst";
	case NAT_UNSOLICITED_ACCEPT:
		return t == NAT_UDP ? "icmp" : "rst";
	case NAT_UNSOLICITED_DROP:
	case NAT_UNSOLICITED_BLOCK:
		break;
	}
	return "nothing";
}

static const char *seen_answer(enum observed_answer answer)
{
	switch (answer) {
	case ANSWER_NONE:
		return "nothing";
	case ANSWER_ICMP:
		return "icmp";
	case ANSWER_RST:
		return "rst";
	case ANSWER_CONNECTION:
		return "a connection";
	case ANSWER_NOT_OBSERVED:
		break;
	}
	return UNSEEN;
}

static const char *seen_hairpin(enum observed_hairpin hairpin)
{
	switch (hairpin) {
	case HAIRPIN_NONE:
		return nat_hairpin_name(NAT_HAIRPIN_OFF);
	case HAIRPIN_INTERNAL_SOURCE:
		return nat_hairpin_name(NAT_HAIRPIN_INTERNAL_SOURCE);
	case HAIRPIN_EXTERNAL_SOURCE:
		return nat_hairpin_name(NAT_HAIRPIN_EXTERNAL_SOURCE);
	case HAIRPIN_OTHER_SOURCE:
		return "other-source";
	case HAIRPIN_NOT_OBSERVED:
		break;
	}
	return UNSEEN;
}

/* In the model's own seconds. */
static void add_life(struct aspects *a, const char *name, uint32_t declared_ms,
		     const struct observed_life *seen)
{
	char declared[32];

	(void)snprintf(declared, sizeof(declared), "%u s", declared_ms / 1000);
	if (seen->alive == NOT_OBSERVED || seen->gone == NOT_OBSERVED)
		add(a, name, declared, UNSEEN);
	else if (seen->alive == OBSERVED_NO)
		add(a, name, declared, "less");
	else
		add(a, name, declared, seen->gone == OBSERVED_YES ? declared : "more");
}

static const char *seen_refresh(const struct observations *seen)
{
	bool outbound = seen->refreshed_by_outbound == OBSERVED_YES;
	bool inbound = seen->refreshed_by_inbound == OBSERVED_YES;

	if (seen->refreshed_by_outbound == NOT_OBSERVED ||
	    seen->refreshed_by_inbound == NOT_OBSERVED)
		return UNSEEN;
	if (outbound)
		return nat_refresh_name(inbound ? NAT_REFRESH_BOTH : NAT_REFRESH_OUTBOUND);
	return nat_refresh_name(inbound ? NAT_REFRESH_INBOUND : NAT_REFRESH_NONE);
}

bool conformance_sees_sharing(const struct nat_model *m, enum nat_transport t)
{
	return m->of[t].choose == NAT_PORTS_PRESERVE && OBSERVE_SHARED_PORT >= m->ports.first &&
	       OBSERVE_SHARED_PORT <= m->ports.last;
}

static bool is_blocked(const struct nat_model *m, enum nat_transport t)
{
	return strcmp(nat_seen_as(m, t).mapping, NAT_SEEN_BLOCKED) == 0;
}

static void add_sharing(struct aspects *a, const char *name, const struct nat_model *m,
			enum nat_transport t, const struct observations *seen)
{
	if (conformance_sees_sharing(m, t))
		add(a, name, say(m->of[t].overloads), yes_no(seen->of[t].shares_ports));
}

static void add_udp_translation(struct aspects *a, const struct nat_model *m,
				const struct observations *seen)
{
	add_sharing(a, "ports shared, udp", m, NAT_UDP, seen);
	add(a, "one address a host", say(m->pool.count == 1 || m->pool.paired),
	    seen->addresses == 0 ? UNSEEN : say(seen->addresses == 1));
	if (m->ports.parity)
		add(a, "parity", "yes", yes_no(seen->keeps_parity));
	add(a, "hairpin, udp", nat_hairpin_name(m->hairpin), seen_hairpin(seen->hairpin));
	add(a, "answer to strangers, udp", declared_answer(m, NAT_UDP),
	    seen_answer(seen->of[NAT_UDP].unsolicited));
}

/* A connection that comes from elsewhere is not what was declared. */
static const char *seen_connection(const struct observations *seen)
{
	if (seen->hairpins == OBSERVED_YES && (seen->hairpins_from == HAIRPIN_INTERNAL_SOURCE ||
					       seen->hairpins_from == HAIRPIN_OTHER_SOURCE))
		return seen_hairpin(seen->hairpins_from);
	return yes_no(seen->hairpins);
}

static void add_tcp_translation(struct aspects *a, const struct nat_model *m,
				const struct observations *seen)
{
	add_sharing(a, "ports shared, tcp", m, NAT_TCP, seen);
	add(a, "hairpin, tcp", say(m->hairpin == NAT_HAIRPIN_EXTERNAL_SOURCE),
	    seen_connection(seen));
	add(a, "answer to strangers, tcp", declared_answer(m, NAT_TCP),
	    seen_answer(seen->of[NAT_TCP].unsolicited));
}

static void add_udp_state(struct aspects *a, const struct nat_model *m,
			  const struct observations *seen)
{
	add_life(a, "udp lifetime", m->timeouts.udp_ms, &seen->of[NAT_UDP].life);
	if (m->of[NAT_UDP].overloads)
		add_life(a, "udp lifetime, unanswered", m->timeouts.udp_unreplied_ms,
			 &seen->unreplied);
	add(a, "refreshed by", nat_refresh_name(m->refresh), seen_refresh(seen));
	add(a, "icmp errors get in, udp", say(!m->drops_icmp_errors),
	    yes_no(seen->of[NAT_UDP].icmp_gets_in));
}

static void add_tcp_state(struct aspects *a, const struct nat_model *m,
			  const struct observations *seen)
{
	add_life(a, "tcp lifetime", m->timeouts.tcp_established_ms, &seen->of[NAT_TCP].life);
	add_life(a, "tcp lifetime, closing", m->timeouts.tcp_transitory_ms, &seen->closing);
	add(a, "icmp errors get in, tcp", say(!m->drops_icmp_errors),
	    yes_no(seen->of[NAT_TCP].icmp_gets_in));
}

size_t conformance_aspects(const struct nat_model *m, const struct observations *seen,
			   struct aspect ret[static ASPECTS_MAX])
{
	struct aspects a = { .items = ret };
	bool udp = !is_blocked(m, NAT_UDP), tcp = !is_blocked(m, NAT_TCP);

	if (udp && m->translates)
		add_udp_translation(&a, m, seen);
	if (udp && nat_model_remembers(m))
		add_udp_state(&a, m, seen);
	if (tcp && m->translates)
		add_tcp_translation(&a, m, seen);
	if (tcp && nat_model_remembers(m))
		add_tcp_state(&a, m, seen);
	return a.count;
}

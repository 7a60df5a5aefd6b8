// SPDX-License-Identifier: GPL-2.0-or-later
/* RFC 4787, in its order. */
#include <stdio.h>

#include "sim/experiment/conformance_card.h"

/* REQ-5 and REQ-5c. */
#define LEAST_S       120u
#define RECOMMENDED_S 300u

/* What decides the outside port of an inside port. */
static unsigned values_of_port(const struct card *c, uint16_t port)
{
	bool clashes = c->model->of[NAT_UDP].choose == NAT_PORTS_PRESERVE &&
		       (port < c->model->ports.first || port > c->model->ports.last);

	return REQUIREMENT_VALUE(NAT_VALUE_CHOOSE) |
	       (clashes ? REQUIREMENT_VALUE(NAT_VALUE_ON_CLASH) : 0);
}

static void add_udp_pooling(struct card *c)
{
	unsigned count = c->model->pool.count, seen = c->seen->addresses;
	const struct required r = { .id = "REQ-2",
				    .level = "REC",
				    .text = "pooling is paired",
				    .needs = NEEDS_TRANSLATION | NEEDS_PACKETS,
				    .values = REQUIREMENT_VALUE(NAT_VALUE_PAIRING) };

	if (c->model->translates && count == 1)
		requirement_add_none(c, r.id, r.level, r.text, "it has one address");
	else
		requirement_add(
			c, &r, seen == 0 ? CONFORMANCE_NOT_MEASURED : requirement_met_if(seen == 1),
			"%u sockets of a host were seen from %u of %u addresses", OBSERVE_SAMPLES,
			seen, count);
}

static void add_udp_ports(struct card *c)
{
	const struct observations *seen = c->seen;
	struct required r = { .id = "REQ-3a",
			      .level = "REC",
			      .text = "ports below 1024 stay there, others above",
			      .needs = NEEDS_TRANSLATION | NEEDS_PACKETS,
			      .values = values_of_port(c, OBSERVE_WELL_KNOWN_PORT) |
					values_of_port(c, OBSERVE_OTHER_PORT) };

	requirement_add(c, &r, requirement_met_if_seen(seen->keeps_class), "%u and %u: %s",
			OBSERVE_WELL_KNOWN_PORT, OBSERVE_OTHER_PORT,
			requirement_words(seen->keeps_class, "both kept their classes",
					  "one changed its class"));
	r.id = "REQ-4";
	r.text = "an even port for an even one, an odd for an odd";
	r.values = values_of_port(c, OBSERVE_PARITY_PORT);
	requirement_add(c, &r, requirement_met_if_seen(seen->keeps_parity), "%u ports: %s",
			OBSERVE_SAMPLES,
			requirement_words(seen->keeps_parity, "all kept their parity",
					  "not all kept their parity"));
}

static void add_udp_refresh(struct card *c)
{
	const struct observations *seen = c->seen;
	struct required r = { .id = "REQ-6",
			      .level = "MUST",
			      .text = "outbound packets refresh a mapping",
			      .needs = NEEDS_MEMORY | NEEDS_PACKETS,
			      .values = REQUIREMENT_VALUE(NAT_VALUE_REFRESH) };

	requirement_add(c, &r, requirement_met_if_seen(seen->refreshed_by_outbound),
			"after 1.5 lives with them: %s",
			requirement_words(seen->refreshed_by_outbound, "there", "gone"));
	/* What may be cannot be missing. */
	r.id = "REQ-6a";
	r.level = "MAY";
	r.text = "inbound packets refresh a mapping";
	requirement_add(c, &r,
			seen->refreshed_by_inbound == OBSERVED_NO
				? CONFORMANCE_NOT_APPLICABLE
				: requirement_met_if_seen(seen->refreshed_by_inbound),
			"after 1.5 lives with them: %s",
			requirement_words(seen->refreshed_by_inbound, "there", "gone"));
}

static const char *fragments_word(enum observed seen)
{
	return seen == NOT_OBSERVED ? "not observed" : seen == OBSERVED_YES ? "came" : "lost";
}

static bool is_kept(const struct required_life *life)
{
	return life->seen->alive != OBSERVED_NO && life->seen->gone != OBSERVED_NO;
}

static bool is_too_short(const struct card *c, const struct required_life *life)
{
	return requirement_is_known(c, life->value) && life->declared_ms / 1000 < life->least_s;
}

/* Which of the two decides: the worse one. RFC 4787 knows one life only, so it is of both. */
static const struct required_life *worse(const struct card *c, const struct required_life *answered,
					 const struct required_life *unreplied)
{
	if (!c->model->of[NAT_UDP].overloads || !is_kept(answered))
		return answered;
	if (!is_kept(unreplied) || is_too_short(c, unreplied))
		return unreplied;
	if (is_too_short(c, answered) || !requirement_is_known(c, answered->value))
		return answered;
	return !requirement_is_known(c, unreplied->value) ||
			       unreplied->declared_ms < answered->declared_ms
		       ? unreplied
		       : answered;
}

static void add_udp_life(struct card *c, const struct required *r, unsigned least_s)
{
	const struct nat_timeouts *declared = &c->model->timeouts;
	struct required_life answered = { declared->udp_ms,
					  OBSERVE_UDP_MS,
					  least_s,
					  NAT_VALUE_UDP_TIMEOUT,
					  &c->seen->of[NAT_UDP].life,
					  "" };
	struct required_life unreplied = {
		declared->udp_unreplied_ms, OBSERVE_UDP_UNREPLIED_MS, least_s,
		NAT_VALUE_UDP_UNREPLIED,    &c->seen->unreplied,      "unanswered: "
	};

	requirement_life(c, r, worse(c, &answered, &unreplied));
}

static void add_udp_lives(struct card *c)
{
	add_udp_life(c,
		     &(struct required){ .id = "REQ-5",
					 .level = "MUST NOT",
					 .text = "a mapping expires in less than 2 minutes" },
		     LEAST_S);
	requirement_add_none(c, "REQ-5a", "MAY", "it does towards ports below 1024",
			     "natsim models no life of their own");
	requirement_add_none(c, "REQ-5b", "MAY", "the time can be set", REQUIREMENT_AS_SET);
	add_udp_life(c,
		     &(struct required){ .id = "REQ-5c",
					 .level = "REC",
					 .text = "it lives for 5 minutes or more" },
		     RECOMMENDED_S);
}

/* No test can prove it; what is the same under all of these conditions has not been disproved. */
static void add_udp_determinism(struct card *c)
{
	const struct observed_mapping *first = &c->seen->first, *again = &c->seen->again,
				      *clashing = &c->seen->clashing;
	const struct required r = {
		.id = "REQ-11",
		.level = "MUST",
		.text = "it is deterministic",
		.needs = NEEDS_MEMORY | NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_MAPPING) |
			  REQUIREMENT_VALUE(NAT_VALUE_FILTERING) |
			  REQUIREMENT_VALUE(NAT_VALUE_CHOOSE) |
			  REQUIREMENT_VALUE(NAT_VALUE_ON_CLASH),
	};
	const char *other = "when another host has the port";

	if (first->comes_about != OBSERVED_YES || again->comes_about != OBSERVED_YES ||
	    clashing->comes_about == NOT_OBSERVED)
		requirement_add(c, &r, CONFORMANCE_NOT_MEASURED,
				"this machine was too busy for two hosts to want one port");
	else if (clashing->comes_about == OBSERVED_NO)
		requirement_add(c, &r, CONFORMANCE_NOT_MET, "nothing comes through %s", other);
	else if (first->mapping != again->mapping || first->filtering != again->filtering ||
		 first->keeps_port != again->keeps_port)
		requirement_add(c, &r, CONFORMANCE_NOT_MET,
				"a second port of a host was treated otherwise than the first");
	else if (first->mapping != clashing->mapping)
		requirement_add(c, &r, CONFORMANCE_NOT_MET, "mapping is %s %s",
				nat_behavior_name(clashing->mapping), other);
	else if (first->filtering != clashing->filtering)
		requirement_add(c, &r, CONFORMANCE_NOT_MET, "filtering is %s %s",
				nat_behavior_name(clashing->filtering), other);
	else
		requirement_add(c, &r, CONFORMANCE_MET, "the same for two ports of a host and %s",
				other);
}

static enum observed all_of(enum observed a, enum observed b, enum observed c)
{
	if (a == NOT_OBSERVED || b == NOT_OBSERVED || c == NOT_OBSERVED)
		return NOT_OBSERVED;
	return a == OBSERVED_YES && b == OBSERVED_YES && c == OBSERVED_YES ? OBSERVED_YES
									   : OBSERVED_NO;
}

static void add_udp_size(struct card *c, const char *id, const char *text, enum observed seen,
			 const char *words)
{
	bool in_twin = c->seen->in_twin;
	const struct required r = { .id = id,
				    .level = "MUST",
				    .text = text,
				    .needs = NEEDS_PACKETS | (in_twin ? 0 : NEEDS_RULES) };

	requirement_add(c, &r, requirement_met_if_seen(seen), "%s",
			in_twin ? "the twin has no fragments" : words);
}

static void add_udp_sizes(struct card *c)
{
	const struct observations *seen = c->seen;
	char orders[96];

	add_udp_size(c, "REQ-13", "too big without fragmentation gets an ICMP error",
		     seen->too_big_is_told,
		     requirement_words(seen->too_big_is_told, "the sender was told",
				       "the sender was told nothing"));
	add_udp_size(c, "REQ-13a", "too big that may be fragmented is", seen->too_big_is_cut,
		     requirement_words(seen->too_big_is_cut, "fragments came", "nothing came"));
	(void)snprintf(orders, sizeof(orders), "in order in, reversed in, reversed out: %s, %s, %s",
		       fragments_word(seen->fragments), fragments_word(seen->reversed_in),
		       fragments_word(seen->reversed_out));
	add_udp_size(c, "REQ-14", "fragments get through in order and out of order",
		     all_of(seen->fragments, seen->reversed_in, seen->reversed_out), orders);
	requirement_add(c,
			&(struct required){ .id = "REQ-14a",
					    .level = "MUST",
					    .text = "a flood of fragments does no other harm" },
			CONFORMANCE_NOT_MEASURED, "natsim floods no router");
}

void requirements_of_udp(struct card *c)
{
	requirement_mapping(c, "REQ-1");
	add_udp_pooling(c);
	requirement_sharing(c, "REQ-3");
	add_udp_ports(c);
	add_udp_lives(c);
	add_udp_refresh(c);
	requirement_add(
		c,
		&(struct required){ .id = "REQ-7",
				    .level = "MUST",
				    .text = "inside and outside prefixes may be the same" },
		CONFORMANCE_NOT_MEASURED,
		"the lab's outside address is fixed, and nobody outside has an inside address");
	requirement_filtering(c, "REQ-8");
	requirement_add_none(c, "REQ-8a", "MAY", "filtering can be set", REQUIREMENT_AS_SET);
	requirement_hairpin(c, "REQ-9", "REQ-9a");
	requirement_add_none(c, "REQ-10", "SHOULD", "application gateways are off",
			     "natsim models none");
	requirement_add_none(c, "REQ-10a", "REC", "each can be switched on and off",
			     "natsim models none");
	add_udp_determinism(c);
	requirement_icmp_survives(c, "REQ-12");
	requirement_add(c,
			&(struct required){ .id = "REQ-12a",
					    .level = "SHOULD NOT",
					    .text = "ICMP is filtered by its source address" },
			CONFORMANCE_NOT_MEASURED,
			"natsim's errors are from the address they are about");
	requirement_icmp_gets_in(c, "REQ-12b", "REC");
	add_udp_sizes(c);
}

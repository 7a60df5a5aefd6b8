// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/conformance_card.h"

/* RFC 4787, REQ-5 and REQ-5c. */
#define LEAST_S       120u
#define RECOMMENDED_S 300u

static void add_udp_ports(struct card *c)
{
	const struct observations *seen = c->seen;

	if (!c->model->translates) {
		requirement_add(c, "REQ-2", "REC", "pooling is paired", CONFORMANCE_NOT_APPLICABLE,
				"it does not translate");
		requirement_sharing(c, "REQ-3");
		return;
	}
	if (seen->addresses == 0)
		requirement_add(c, "REQ-2", "REC", "pooling is paired", CONFORMANCE_NOT_MEASURED,
				"nothing came through");
	else
		requirement_add(
			c, "REQ-2", "REC", "pooling is paired",
			c->model->pool.count == 1 ? CONFORMANCE_NOT_APPLICABLE
						  : requirement_met_if(seen->addresses == 1),
			"12 sockets of a host were seen from %u of %u address%s", seen->addresses,
			c->model->pool.count, c->model->pool.count == 1 ? "" : "es");
	requirement_sharing(c, "REQ-3");
	requirement_add(c, "REQ-3a", "REC", "ports below 1024 stay there, others above",
			requirement_met_if_seen(seen->keeps_class), "%s",
			requirement_words(seen->keeps_class, "700 and 43000 kept their classes",
					  "700 or 43000 changed its class"));
	requirement_add(c, "REQ-4", "REC", "an even port for an even one, an odd for an odd",
			requirement_met_if_seen(seen->keeps_parity), "%s",
			requirement_words(seen->keeps_parity, "12 of 12 ports kept their parity",
					  "not all of 12 ports kept their parity"));
}

static void add_udp_refresh(struct card *c)
{
	const struct observations *seen = c->seen;

	if (!nat_model_remembers(c->model)) {
		requirement_add(c, "REQ-6", "MUST", "outbound packets refresh a mapping",
				CONFORMANCE_NOT_APPLICABLE, "it remembers nothing");
		return;
	}
	requirement_add(c, "REQ-6", "MUST", "outbound packets refresh a mapping",
			requirement_met_if_seen(seen->refreshed_by_outbound),
			"after 1.5 lives with them: %s",
			requirement_words(seen->refreshed_by_outbound, "there", "gone"));
	/* What may be cannot be missing. */
	requirement_add(c, "REQ-6a", "MAY", "inbound packets refresh a mapping",
			seen->refreshed_by_inbound == OBSERVED_NO
				? CONFORMANCE_NOT_APPLICABLE
				: requirement_met_if_seen(seen->refreshed_by_inbound),
			"after 1.5 lives with them: %s",
			requirement_words(seen->refreshed_by_inbound, "there", "gone"));
}

static void add_udp_hairpin(struct card *c)
{
	static const char *const words[] = {
		[HAIRPIN_NOT_OBSERVED] = "nothing came through",
		[HAIRPIN_NONE] = "nothing arrived",
		[HAIRPIN_INTERNAL_SOURCE] = "it came from the inside endpoint",
		[HAIRPIN_EXTERNAL_SOURCE] = "it came from the outside endpoint",
	};
	enum observed_hairpin hairpin = c->seen->hairpin;
	enum conformance none =
		!c->model->translates ? CONFORMANCE_NOT_APPLICABLE : CONFORMANCE_NOT_MEASURED;
	const char *why = !c->model->translates ? "it does not translate" : words[hairpin];

	requirement_add(c, "REQ-9", "MUST", "hosts behind it reach each other's outside endpoints",
			hairpin == HAIRPIN_NOT_OBSERVED
				? none
				: requirement_met_if(hairpin != HAIRPIN_NONE),
			"%s", why);
	requirement_add(c, "REQ-9a", "MUST", "and see each other's outside endpoints",
			hairpin == HAIRPIN_NOT_OBSERVED
				? none
				: requirement_met_if(hairpin == HAIRPIN_EXTERNAL_SOURCE),
			"%s", why);
}

static const char *fragments_word(enum observed seen)
{
	return seen == NOT_OBSERVED ? "not observed" : seen == OBSERVED_YES ? "came" : "lost";
}

static void add_udp_lives(struct card *c)
{
	struct required_life life = { .declared_ms = c->model->timeouts.udp_ms,
				      .lab_ms = OBSERVE_UDP_MS,
				      .least_s = LEAST_S,
				      .value = NAT_VALUE_UDP_TIMEOUT,
				      .seen = &c->seen->of[NAT_UDP].life };

	requirement_life(c, "REQ-5", "MUST NOT", "a mapping expires in less than 2 minutes", &life);
	life.least_s = RECOMMENDED_S;
	requirement_life(c, "REQ-5c", "REC", "it lives for 5 minutes or more", &life);
}

/* No test can prove it; what is the same under all of these conditions has not been disproved. */
static void add_udp_determinism(struct card *c)
{
	const struct observed_mapping *first = &c->seen->first, *again = &c->seen->again,
				      *clashing = &c->seen->clashing;
	const char *text = "it is deterministic", *other = "when another host has the port";

	if (!nat_model_remembers(c->model))
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_NOT_APPLICABLE,
				"it remembers nothing");
	else if (first->comes_about != OBSERVED_YES || again->comes_about != OBSERVED_YES ||
		 clashing->comes_about == NOT_OBSERVED)
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_NOT_MEASURED,
				"nothing came through, or no port was ever wanted by two");
	else if (clashing->comes_about == OBSERVED_NO)
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_NOT_MET,
				"nothing comes through %s", other);
	else if (first->mapping != again->mapping || first->filtering != again->filtering ||
		 first->keeps_port != again->keeps_port)
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_NOT_MET,
				"a second port of a host was treated otherwise than the first");
	else if (first->mapping != clashing->mapping)
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_NOT_MET, "mapping is %s %s",
				nat_behavior_name(clashing->mapping), other);
	else if (first->filtering != clashing->filtering)
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_NOT_MET,
				"filtering is %s %s", nat_behavior_name(clashing->filtering),
				other);
	else
		requirement_add(c, "REQ-11", "MUST", text, CONFORMANCE_MET,
				"the same for two ports of a host and %s", other);
}

static void add_udp_sizes(struct card *c)
{
	const struct observations *seen = c->seen;
	enum observed all = seen->fragments == NOT_OBSERVED || seen->reversed_in == NOT_OBSERVED ||
					    seen->reversed_out == NOT_OBSERVED
				    ? NOT_OBSERVED
			    : seen->fragments == OBSERVED_YES &&
					    seen->reversed_in == OBSERVED_YES &&
					    seen->reversed_out == OBSERVED_YES
				    ? OBSERVED_YES
				    : OBSERVED_NO;

	requirement_add(c, "REQ-13", "MUST", "too big without fragmentation gets an ICMP error",
			requirement_met_if_seen(seen->too_big_is_told),
			"1200 bytes towards a link of 1000: %s",
			requirement_words(seen->too_big_is_told, "the sender was told",
					  "the sender was told nothing"));
	requirement_add(c, "REQ-13a", "MUST", "too big that may be fragmented is",
			requirement_met_if_seen(seen->too_big_is_cut),
			"1200 bytes towards a link of 1000: %s",
			requirement_words(seen->too_big_is_cut, "they came", "nothing came"));
	requirement_add(c, "REQ-14", "MUST", "fragments get through in order and out of order",
			requirement_met_if_seen(all),
			"in order in, reversed in, reversed out: %s, %s, %s",
			fragments_word(seen->fragments), fragments_word(seen->reversed_in),
			fragments_word(seen->reversed_out));
}

void requirements_of_udp(struct card *c)
{
	requirement_mapping(c, "REQ-1");
	add_udp_ports(c);
	add_udp_lives(c);
	add_udp_refresh(c);
	requirement_add(
		c, "REQ-7", "MUST", "inside and outside prefixes may be the same",
		CONFORMANCE_NOT_MEASURED,
		"the lab's outside address is fixed, and nobody outside has an inside address");
	requirement_filtering(c, "REQ-8");
	add_udp_hairpin(c);
	requirement_add(c, "REQ-10", "REC", "application gateways are off",
			CONFORMANCE_NOT_APPLICABLE, "natsim models none");
	add_udp_determinism(c);
	requirement_icmp(c, "REQ-12", "REQ-12b", "REC");
	add_udp_sizes(c);
}

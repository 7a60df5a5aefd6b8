// SPDX-License-Identifier: GPL-2.0-or-later
/* What RFC 4787 and RFC 5382 both require. */
#include <stdio.h>
#include <string.h>

#include "sim/experiment/conformance_card.h"

/* What two hosts that want one port get, if that is not one endpoint for all. Over TCP two that
 * share a port show it: towards one destination they could not. */
static const char *mapping_on_clash(const struct card *c)
{
	const struct observed_mapping *clashing = &c->seen->clashing;

	if (c->t == NAT_UDP && clashing->comes_about == OBSERVED_YES &&
	    clashing->mapping != NAT_ENDPOINT_INDEPENDENT)
		return nat_behavior_name(clashing->mapping);
	if (c->t == NAT_TCP && c->seen->of[NAT_TCP].shares_ports == OBSERVED_YES)
		return nat_behavior_name(NAT_ADDRESS_AND_PORT_DEPENDENT);
	return NULL;
}

void requirement_mapping(struct card *c, const char *id)
{
	const struct measurement *m = &c->measured[c->t];
	const struct nat_of *of = &c->model->of[c->t];
	/* Where ports are shared, how they are chosen decides. */
	const struct required r = {
		.id = id,
		.level = "MUST",
		.text = "an inside endpoint has one outside endpoint for all",
		.needs = NEEDS_TRANSLATION | NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_MAPPING) |
			  (of->overloads ? REQUIREMENT_VALUE(NAT_VALUE_CHOOSE) : 0),
	};
	const char *on_clash = mapping_on_clash(c);

	if (!m->complete)
		requirement_add(c, &r, CONFORMANCE_NOT_MEASURED, "%s", m->reason);
	else if (strcmp(m->measured.mapping, nat_behavior_name(NAT_ENDPOINT_INDEPENDENT)) != 0)
		requirement_add(c, &r, CONFORMANCE_NOT_MET, "%s", m->measured.mapping);
	else if (on_clash != NULL)
		requirement_add(c, &r, CONFORMANCE_NOT_MET, "%s, but %s when two hosts want a port",
				m->measured.mapping, on_clash);
	else
		requirement_add(c, &r, CONFORMANCE_MET, "%s", m->measured.mapping);
}

void requirement_filtering(struct card *c, const char *id)
{
	const struct measurement *m = &c->measured[c->t];
	const struct required r = {
		.id = id,
		.level = "REC",
		.text = "filtering is endpoint-independent or address-dependent",
		.needs = NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_FILTERING),
	};
	const char *worst = nat_behavior_name(NAT_ADDRESS_AND_PORT_DEPENDENT);

	if (!m->complete)
		requirement_add(c, &r, CONFORMANCE_NOT_MEASURED, "%s", m->reason);
	else
		requirement_add(c, &r,
				requirement_met_if(strcmp(m->measured.filtering, worst) != 0), "%s",
				m->measured.filtering);
}

void requirement_sharing(struct card *c, const char *id)
{
	enum observed shares = c->seen->of[c->t].shares_ports;
	const struct required r = {
		.id = id,
		.level = "MUST NOT",
		.text = "mappings share a port (port overloading)",
		.needs = NEEDS_TRANSLATION | NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_CHOOSE),
	};

	if (conformance_sees_sharing(c->model, c->t))
		requirement_add(c, &r,
				shares == NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
						       : requirement_met_if(shares == OBSERVED_NO),
				"two hosts with one source port: %s",
				requirement_words(shares, "the same outside port",
						  "different outside ports"));
	else if (c->model->of[c->t].overloads)
		requirement_add(c, &r, CONFORMANCE_NOT_MET,
				"declared; where ports are drawn two hosts meet by chance only");
	else
		requirement_add(c, &r, CONFORMANCE_NOT_MEASURED,
				"where ports are drawn two hosts meet by chance only");
}

/* The lab's lives are shorter than the model's; the twin's are those. */
static void say_lab_life(const struct card *c, const struct required_life *life,
			 char ret[static 32])
{
	ret[0] = '\0';
	if (!c->seen->in_twin)
		(void)snprintf(ret, 32, "of %.1f s in the lab: ", life->lab_ms / 1000.0);
}

/* As the model declares it, once its router has shown that it is kept. */
void requirement_life(struct card *c, const struct required *required,
		      const struct required_life *life)
{
	const struct observed_life *seen = life->seen;
	unsigned declared_s = life->declared_ms / 1000;
	struct required r = *required;
	char lab[32];

	say_lab_life(c, life, lab);
	r.needs |= NEEDS_MEMORY | NEEDS_PACKETS;
	r.values |= REQUIREMENT_VALUE(life->value);
	if (seen->alive == OBSERVED_NO || seen->gone == OBSERVED_NO)
		requirement_add(
			c, &r, CONFORMANCE_NOT_MET, "%s%u s declared, but %s%s at %.1f", life->of,
			declared_s, lab, seen->alive == OBSERVED_NO ? "gone" : "there",
			seen->alive == OBSERVED_NO ? 1 - OBSERVE_TOLERANCE : 1 + OBSERVE_TOLERANCE);
	else if (seen->alive == NOT_OBSERVED || seen->gone == NOT_OBSERVED)
		requirement_add(c, &r, CONFORMANCE_NOT_MEASURED, "%s",
				c->seen->in_twin ? "no mapping came about"
						 : "it was always asked late");
	else
		requirement_add(c, &r, requirement_met_if(declared_s >= life->least_s),
				"%s%u s (%sthere at %.1f, gone at %.1f)", life->of, declared_s, lab,
				1 - OBSERVE_TOLERANCE, 1 + OBSERVE_TOLERANCE);
}

static enum observed_hairpin hairpin_of(const struct card *c)
{
	const struct observations *seen = c->seen;

	if (c->t == NAT_UDP || seen->hairpins == NOT_OBSERVED)
		return c->t == NAT_UDP ? seen->hairpin : HAIRPIN_NOT_OBSERVED;
	return seen->hairpins == OBSERVED_NO ? HAIRPIN_NONE : seen->hairpins_from;
}

void requirement_hairpin(struct card *c, const char *id, const char *id_source)
{
	static const char *const words[] = {
		[HAIRPIN_NOT_OBSERVED] = "it could not be observed",
		[HAIRPIN_NONE] = "nothing arrived",
		[HAIRPIN_INTERNAL_SOURCE] = "it came from the inside endpoint",
		[HAIRPIN_EXTERNAL_SOURCE] = "it came from the outside endpoint",
		[HAIRPIN_OTHER_SOURCE] = "it came from neither of the sender's endpoints",
	};
	struct required r = {
		.id = id,
		.level = "MUST",
		.text = "hosts behind it reach each other's outside endpoints",
		.needs = NEEDS_TRANSLATION | NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_HAIRPIN),
	};
	enum observed_hairpin hairpin = hairpin_of(c);
	bool connects = c->t == NAT_TCP && c->seen->hairpins == OBSERVED_YES;
	bool unseen = hairpin == HAIRPIN_NOT_OBSERVED;

	requirement_add(c, &r,
			unseen && !connects ? CONFORMANCE_NOT_MEASURED
					    : requirement_met_if(hairpin != HAIRPIN_NONE),
			"%s", unseen && connects ? "one connected" : words[hairpin]);
	r.id = id_source;
	r.text = "and see each other's outside endpoints";
	requirement_add(c, &r,
			unseen ? CONFORMANCE_NOT_MEASURED
			       : requirement_met_if(hairpin == HAIRPIN_EXTERNAL_SOURCE),
			"%s", words[hairpin]);
}

void requirement_icmp_survives(struct card *c, const char *id)
{
	enum observed survives = c->seen->of[c->t].survives_icmp;

	requirement_add(c,
			&(struct required){ .id = id,
					    .level = "MUST NOT",
					    .text = "an ICMP error ends a mapping",
					    .needs = NEEDS_MEMORY | NEEDS_PACKETS | NEEDS_RULES },
			requirement_met_if_seen(survives), "after one: %s",
			requirement_words(survives, "there", "gone"));
}

void requirement_icmp_gets_in(struct card *c, const char *id, const char *level)
{
	enum observed gets_in = c->seen->of[c->t].icmp_gets_in;

	requirement_add(c,
			&(struct required){ .id = id,
					    .level = level,
					    .text = "ICMP errors are translated and get in",
					    .needs = NEEDS_MEMORY | NEEDS_PACKETS,
					    .values = REQUIREMENT_VALUE(NAT_VALUE_ICMP_ERRORS) },
			requirement_met_if_seen(gets_in), "of one outside: %s",
			requirement_words(gets_in, "an error inside", "nothing inside"));
}

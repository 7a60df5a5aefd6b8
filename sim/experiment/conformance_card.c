// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/conformance_card.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/model/nat_seen.h"

void requirement_add(struct card *c, const char *id, const char *level, const char *text,
		     enum conformance result, const char *fmt, ...)
{
	assert(c->count < REQUIREMENTS_MAX);
	struct requirement *r = &c->items[c->count++];
	va_list args;

	*r = (struct requirement){ c->rfc, id, level, text, result, "" };
	va_start(args, fmt);
	(void)vsnprintf(r->detail, sizeof(r->detail), fmt, args);
	va_end(args);
}

enum conformance requirement_met_if(bool met)
{
	return met ? CONFORMANCE_MET : CONFORMANCE_NOT_MET;
}

enum conformance requirement_met_if_seen(enum observed seen)
{
	return seen == NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
				    : requirement_met_if(seen == OBSERVED_YES);
}

const char *requirement_words(enum observed seen, const char *yes, const char *no)
{
	return seen == NOT_OBSERVED ? "nothing came through" : seen == OBSERVED_YES ? yes : no;
}

void requirement_mapping(struct card *c, const char *id)
{
	const struct measurement *m = &c->measured[c->t];
	const char *text = "an inside endpoint has one outside endpoint for all";

	if (!c->model->translates)
		requirement_add(c, id, "MUST", text, CONFORMANCE_NOT_APPLICABLE,
				"it does not translate");
	else if (!m->complete || strcmp(m->measured.mapping, NAT_SEEN_BLOCKED) == 0)
		requirement_add(c, id, "MUST", text, CONFORMANCE_NOT_MEASURED,
				"nothing came through");
	else
		requirement_add(c, id, "MUST", text,
				requirement_met_if(
					strcmp(m->measured.mapping,
					       nat_behavior_name(NAT_ENDPOINT_INDEPENDENT)) == 0),
				"%s", m->measured.mapping);
}

void requirement_filtering(struct card *c, const char *id)
{
	const struct measurement *m = &c->measured[c->t];
	const char *text = "filtering is endpoint-independent or address-dependent";

	if (!m->complete || strcmp(m->measured.filtering, NAT_SEEN_BLOCKED) == 0)
		requirement_add(c, id, "REC", text, CONFORMANCE_NOT_MEASURED,
				"nothing came through");
	else
		requirement_add(
			c, id, "REC", text,
			requirement_met_if(
				strcmp(m->measured.filtering,
				       nat_behavior_name(NAT_ADDRESS_AND_PORT_DEPENDENT)) != 0),
			"%s", m->measured.filtering);
}

void requirement_sharing(struct card *c, const char *id)
{
	enum observed shares = c->seen->of[c->t].shares_ports;
	const char *text = "mappings share a port (port overloading)";

	if (!c->model->translates)
		requirement_add(c, id, "MUST NOT", text, CONFORMANCE_NOT_APPLICABLE,
				"it does not translate");
	else if (conformance_shares_by_chance(c->model, c->t))
		requirement_add(
			c, id, "MUST NOT", text, CONFORMANCE_NOT_MEASURED,
			"it is declared; where ports are drawn two hosts meet by chance only");
	else
		requirement_add(c, id, "MUST NOT", text,
				shares == NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
						       : requirement_met_if(shares == OBSERVED_NO),
				"two hosts with one source port: %s",
				requirement_words(shares, "the same outside port",
						  "different outside ports"));
}

/* As the model declares it, once the lab has shown that it is kept. */
void requirement_life(struct card *c, const char *id, const char *level, const char *text,
		      const struct required_life *life)
{
	const struct observed_life *seen = life->seen;
	unsigned declared_s = life->declared_ms / 1000;

	if (!nat_model_remembers(c->model))
		requirement_add(c, id, level, text, CONFORMANCE_NOT_APPLICABLE,
				"it remembers nothing");
	else if ((c->model->unknown & 1u << life->value) != 0)
		requirement_add(c, id, level, text, CONFORMANCE_NOT_MEASURED,
				"nobody knows how long; %u s stand in", declared_s);
	else if (seen->alive == OBSERVED_NO || seen->gone == OBSERVED_NO)
		requirement_add(c, id, level, text, CONFORMANCE_NOT_MET,
				"%u s declared, but a life of %.1f s %s", declared_s,
				life->lab_ms / 1000.0,
				seen->alive == OBSERVED_NO ? "ended before 0.9 of it"
							   : "went on after 1.05 of it");
	else if (seen->alive == NOT_OBSERVED || seen->gone == NOT_OBSERVED)
		requirement_add(c, id, level, text, CONFORMANCE_NOT_MEASURED,
				"nothing came through, or it was always asked late");
	else
		requirement_add(c, id, level, text, requirement_met_if(declared_s >= life->least_s),
				"%u s (of %.1f s in the lab: there at 0.9, gone at 1.1)",
				declared_s, life->lab_ms / 1000.0);
}

void requirement_icmp(struct card *c, const char *id, const char *id_translated, const char *level)
{
	const struct observed_of *seen = &c->seen->of[c->t];

	if (!nat_model_remembers(c->model)) {
		requirement_add(c, id, "MUST NOT", "an ICMP error ends a mapping",
				CONFORMANCE_NOT_APPLICABLE, "it remembers nothing");
		return;
	}
	requirement_add(c, id, "MUST NOT", "an ICMP error ends a mapping",
			requirement_met_if_seen(seen->survives_icmp), "after one: %s",
			requirement_words(seen->survives_icmp, "there", "gone"));
	requirement_add(c, id_translated, level, "ICMP errors are translated and get in",
			requirement_met_if_seen(seen->icmp_gets_in), "of one outside: %s",
			requirement_words(seen->icmp_gets_in, "an error inside", "nothing inside"));
}

size_t conformance_card(const struct nat_model *m, const struct measurement measured[static 2],
			const struct observations *seen,
			struct requirement ret[static REQUIREMENTS_MAX])
{
	struct card c = { .model = m, .measured = measured, .seen = seen, .items = ret };

	c.rfc = "RFC 4787";
	c.t = NAT_UDP;
	requirements_of_udp(&c);
	c.rfc = "RFC 5382";
	c.t = NAT_TCP;
	requirements_of_tcp(&c);
	return c.count;
}

const char *conformance_name(enum conformance c)
{
	switch (c) {
	case CONFORMANCE_MET:
		return "met";
	case CONFORMANCE_NOT_MET:
		return "not met";
	case CONFORMANCE_NOT_APPLICABLE:
		return "not applicable";
	case CONFORMANCE_NOT_MEASURED:
		break;
	}
	return "not measured";
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The requirements of RFC 4787 and RFC 5382, one after another. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/experiment/conformance.h"
#include "sim/model/nat_seen.h"

/* RFC 4787, REQ-5 and REQ-5c; RFC 5382, REQ-5. */
#define UDP_LEAST_S             120u
#define UDP_RECOMMENDED_S       300u
#define TCP_ESTABLISHED_LEAST_S 7440u
#define TCP_TRANSITORY_LEAST_S  240u

struct card {
	const struct nat_model *model;
	const struct measurement *measured;
	const struct observations *seen;
	const char *rfc;
	enum nat_transport t;
	struct requirement *items;
	size_t count;
};

static void add(struct card *c, const char *id, const char *level, const char *text,
		enum conformance result, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

static void add(struct card *c, const char *id, const char *level, const char *text,
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

static enum conformance met_if(bool met)
{
	return met ? CONFORMANCE_MET : CONFORMANCE_NOT_MET;
}

/* Met if it was seen, not met if the contrary was. */
static enum conformance met_if_seen(enum observed seen)
{
	return seen == NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED : met_if(seen == OBSERVED_YES);
}

static const char *what_was_seen(enum observed seen, const char *yes, const char *no)
{
	return seen == NOT_OBSERVED ? "nothing came through" : seen == OBSERVED_YES ? yes : no;
}

/* ---- both transports */

static void add_mapping(struct card *c, const char *id)
{
	const struct measurement *m = &c->measured[c->t];
	const char *text = "an inside endpoint has one outside endpoint for all";

	if (!c->model->translates)
		add(c, id, "MUST", text, CONFORMANCE_NOT_APPLICABLE, "it does not translate");
	else if (!m->complete || strcmp(m->measured.mapping, NAT_SEEN_BLOCKED) == 0)
		add(c, id, "MUST", text, CONFORMANCE_NOT_MEASURED, "nothing came through");
	else
		add(c, id, "MUST", text,
		    met_if(strcmp(m->measured.mapping,
				  nat_behavior_name(NAT_ENDPOINT_INDEPENDENT)) == 0),
		    "%s", m->measured.mapping);
}

static void add_filtering(struct card *c, const char *id)
{
	const struct measurement *m = &c->measured[c->t];
	const char *text = "filtering is endpoint-independent or address-dependent";

	if (!m->complete || strcmp(m->measured.filtering, NAT_SEEN_BLOCKED) == 0)
		add(c, id, "REC", text, CONFORMANCE_NOT_MEASURED, "nothing came through");
	else
		add(c, id, "REC", text,
		    met_if(strcmp(m->measured.filtering,
				  nat_behavior_name(NAT_ADDRESS_AND_PORT_DEPENDENT)) != 0),
		    "%s", m->measured.filtering);
}

static void add_sharing(struct card *c, const char *id)
{
	enum observed shares = c->seen->of[c->t].shares_ports;
	const char *text = "mappings share a port (port overloading)";

	if (!c->model->translates)
		add(c, id, "MUST NOT", text, CONFORMANCE_NOT_APPLICABLE, "it does not translate");
	else if (conformance_shares_by_chance(c->model, c->t))
		add(c, id, "MUST NOT", text, CONFORMANCE_NOT_MEASURED,
		    "it is declared; where ports are drawn two hosts meet by chance only");
	else
		add(c, id, "MUST NOT", text,
		    shares == NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
					   : met_if(shares == OBSERVED_NO),
		    "two hosts with one source port: %s",
		    what_was_seen(shares, "the same outside port", "different outside ports"));
}

/* A life as the model declares it, once the lab has shown that it is kept. */
static void add_life(struct card *c, const char *id, const char *level, const char *text,
		     unsigned least_s)
{
	const struct observed_of *seen = &c->seen->of[c->t];
	const struct nat_timeouts *declared = &c->model->timeouts;
	bool tcp = c->t == NAT_TCP;
	unsigned declared_s = (tcp ? declared->tcp_established_ms : declared->udp_ms) / 1000;
	unsigned lab_ms = tcp ? OBSERVE_TCP_ESTABLISHED_MS : OBSERVE_UDP_MS;
	enum nat_value value = tcp ? NAT_VALUE_TCP_ESTABLISHED : NAT_VALUE_UDP_TIMEOUT;

	if (!nat_model_remembers(c->model))
		add(c, id, level, text, CONFORMANCE_NOT_APPLICABLE, "it remembers nothing");
	else if ((c->model->unknown & 1u << value) != 0)
		add(c, id, level, text, CONFORMANCE_NOT_MEASURED,
		    "nobody knows how long; %u s stand in", declared_s);
	else if (seen->alive == NOT_OBSERVED || seen->gone == NOT_OBSERVED)
		add(c, id, level, text, CONFORMANCE_NOT_MEASURED, "nothing came through");
	else if (seen->alive == OBSERVED_NO || seen->gone == OBSERVED_NO)
		add(c, id, level, text, CONFORMANCE_NOT_MET,
		    "%u s declared, but a life of %.1f s %s", declared_s, lab_ms / 1000.0,
		    seen->alive == OBSERVED_NO ? "ended before 0.9 of it"
					       : "went on after 1.1 of it");
	else
		add(c, id, level, text, met_if(declared_s >= least_s),
		    "%u s (of %.1f s in the lab: there at 0.9, gone at 1.1)", declared_s,
		    lab_ms / 1000.0);
}

static void add_icmp(struct card *c, const char *id, const char *id_translated, const char *level)
{
	const struct observed_of *seen = &c->seen->of[c->t];

	if (!nat_model_remembers(c->model)) {
		add(c, id, "MUST NOT", "an ICMP error ends a mapping", CONFORMANCE_NOT_APPLICABLE,
		    "it remembers nothing");
		return;
	}
	add(c, id, "MUST NOT", "an ICMP error ends a mapping", met_if_seen(seen->survives_icmp),
	    "after one: %s", what_was_seen(seen->survives_icmp, "there", "gone"));
	add(c, id_translated, level, "ICMP errors are translated and get in",
	    met_if_seen(seen->icmp_gets_in), "of one outside: %s",
	    what_was_seen(seen->icmp_gets_in, "an error inside", "nothing inside"));
}

/* ---- RFC 4787 */

static void add_udp_ports(struct card *c)
{
	const struct observations *seen = c->seen;

	if (!c->model->translates) {
		add(c, "REQ-2", "REC", "pooling is paired", CONFORMANCE_NOT_APPLICABLE,
		    "it does not translate");
		add_sharing(c, "REQ-3");
		return;
	}
	if (seen->addresses == 0)
		add(c, "REQ-2", "REC", "pooling is paired", CONFORMANCE_NOT_MEASURED,
		    "nothing came through");
	else
		add(c, "REQ-2", "REC", "pooling is paired",
		    c->model->pool.count == 1 ? CONFORMANCE_NOT_APPLICABLE
					      : met_if(seen->addresses == 1),
		    "12 sockets of a host were seen from %u of %u address%s", seen->addresses,
		    c->model->pool.count, c->model->pool.count == 1 ? "" : "es");
	add_sharing(c, "REQ-3");
	add(c, "REQ-3a", "REC", "ports below 1024 stay there, others above",
	    met_if_seen(seen->keeps_class), "%s",
	    what_was_seen(seen->keeps_class, "700 and 43000 kept their classes",
			  "700 or 43000 changed its class"));
	add(c, "REQ-4", "REC", "an even port for an even one, an odd for an odd",
	    met_if_seen(seen->keeps_parity), "%s",
	    what_was_seen(seen->keeps_parity, "12 of 12 ports kept their parity",
			  "not all of 12 ports kept their parity"));
}

static void add_udp_refresh(struct card *c)
{
	const struct observations *seen = c->seen;

	if (!nat_model_remembers(c->model)) {
		add(c, "REQ-6", "MUST", "outbound packets refresh a mapping",
		    CONFORMANCE_NOT_APPLICABLE, "it remembers nothing");
		return;
	}
	add(c, "REQ-6", "MUST", "outbound packets refresh a mapping",
	    met_if_seen(seen->refreshed_by_outbound), "after 1.5 lives with them: %s",
	    what_was_seen(seen->refreshed_by_outbound, "there", "gone"));
	/* What may be cannot be missing. */
	add(c, "REQ-6a", "MAY", "inbound packets refresh a mapping",
	    seen->refreshed_by_inbound == OBSERVED_NO ? CONFORMANCE_NOT_APPLICABLE
						      : met_if_seen(seen->refreshed_by_inbound),
	    "after 1.5 lives with them: %s",
	    what_was_seen(seen->refreshed_by_inbound, "there", "gone"));
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

	add(c, "REQ-9", "MUST", "hosts behind it reach each other's outside endpoints",
	    hairpin == HAIRPIN_NOT_OBSERVED ? none : met_if(hairpin != HAIRPIN_NONE), "%s", why);
	add(c, "REQ-9a", "MUST", "and see each other's outside endpoints",
	    hairpin == HAIRPIN_NOT_OBSERVED ? none : met_if(hairpin == HAIRPIN_EXTERNAL_SOURCE),
	    "%s", why);
}

static void add_udp(struct card *c)
{
	const struct observations *seen = c->seen;

	add_mapping(c, "REQ-1");
	add_udp_ports(c);
	add_life(c, "REQ-5", "MUST NOT", "a mapping expires in less than 2 minutes", UDP_LEAST_S);
	add_life(c, "REQ-5c", "REC", "it lives for 5 minutes or more", UDP_RECOMMENDED_S);
	add_udp_refresh(c);
	add(c, "REQ-7", "MUST", "inside and outside prefixes may be the same",
	    CONFORMANCE_NOT_MEASURED, "natsim's prefixes differ");
	add_filtering(c, "REQ-8");
	add_udp_hairpin(c);
	add(c, "REQ-10", "REC", "application gateways are off", CONFORMANCE_NOT_APPLICABLE,
	    "natsim models none");
	add(c, "REQ-11", "MUST", "it is deterministic", CONFORMANCE_NOT_MEASURED,
	    "no test can prove it; two measurements of one router can disprove it");
	add_icmp(c, "REQ-12", "REQ-12b", "REC");
	add(c, "REQ-13", "MUST", "too big without fragmentation gets an ICMP error",
	    CONFORMANCE_NOT_MEASURED, "natsim's links have one size");
	add(c, "REQ-14", "MUST", "fragments that come in order get in",
	    met_if_seen(seen->fragments), "3000 bytes, in order: %s",
	    what_was_seen(seen->fragments, "they came", "nothing came"));
}

/* ---- RFC 5382 */

static void add_stranger(struct card *c)
{
	static const char *const words[] = {
		[ANSWER_NOT_OBSERVED] = "it has no address of its own, or nothing came through",
		[ANSWER_NONE] = "none within 0.3 s",
		[ANSWER_ICMP] = "an ICMP error at once",
		[ANSWER_RST] = "a reset at once",
	};
	enum observed_answer answer = c->seen->of[NAT_TCP].unsolicited;

	add(c, "REQ-4", "MUST NOT", "an unsolicited SYN is answered within 6 s",
	    answer == ANSWER_NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
					  : met_if(answer == ANSWER_NONE),
	    "%s", words[answer]);
}

/* Only whether the model's word is enough: no transitory connection is watched. */
static void add_transitory(struct card *c)
{
	unsigned declared_s = c->model->timeouts.tcp_transitory_ms / 1000;
	bool known = (c->model->unknown & 1u << NAT_VALUE_TCP_TRANSITORY) == 0;
	const char *text = "a transitory connection is forgotten within 4 min";

	if (!nat_model_remembers(c->model))
		add(c, "REQ-5", "MUST NOT", text, CONFORMANCE_NOT_APPLICABLE,
		    "it remembers nothing");
	else
		add(c, "REQ-5", "MUST NOT", text,
		    known && declared_s < TCP_TRANSITORY_LEAST_S ? CONFORMANCE_NOT_MET
								 : CONFORMANCE_NOT_MEASURED,
		    known ? "%u s, as declared" : "nobody knows how long; %u s stand in",
		    declared_s);
}

static void add_tcp(struct card *c)
{
	const struct observations *seen = c->seen;

	add_mapping(c, "REQ-1");
	add(c, "REQ-2", "MUST", "a simultaneous open comes about", met_if_seen(seen->opens_at_once),
	    "%s",
	    seen->opens_at_once == NOT_OBSERVED
		    ? "nobody can aim at its ports, or nothing came through"
	    : seen->opens_at_once == OBSERVED_YES ? "SYNs crossed and both sides connected"
						  : "the two sides did not connect");
	add_filtering(c, "REQ-3");
	add_stranger(c);
	add_life(c, "REQ-5", "MUST NOT", "an established connection is forgotten within 2 h 4 min",
		 TCP_ESTABLISHED_LEAST_S);
	add_transitory(c);
	add(c, "REQ-6", "REC", "application gateways are off but for FTP",
	    CONFORMANCE_NOT_APPLICABLE, "natsim models none");
	add_sharing(c, "REQ-7");
	if (!c->model->translates)
		add(c, "REQ-8", "MUST", "hosts behind it connect to each other's outside endpoints",
		    CONFORMANCE_NOT_APPLICABLE, "it does not translate");
	else
		add(c, "REQ-8", "MUST", "hosts behind it connect to each other's outside endpoints",
		    met_if_seen(seen->hairpins_tcp), "%s",
		    what_was_seen(seen->hairpins_tcp, "one connected", "none connected"));
	add_icmp(c, "REQ-10", "REQ-9", "SHOULD");
}

size_t conformance_card(const struct nat_model *m, const struct measurement measured[static 2],
			const struct observations *seen,
			struct requirement ret[static REQUIREMENTS_MAX])
{
	struct card c = { .model = m, .measured = measured, .seen = seen, .items = ret };

	c.rfc = "RFC 4787";
	c.t = NAT_UDP;
	add_udp(&c);
	c.rfc = "RFC 5382";
	c.t = NAT_TCP;
	add_tcp(&c);
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

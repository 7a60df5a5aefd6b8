// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/conformance_card.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- why a requirement is not judged */

static uint32_t timeout_of(const struct nat_model *m, enum nat_value value)
{
	switch (value) {
	case NAT_VALUE_UDP_UNREPLIED:
		return m->timeouts.udp_unreplied_ms;
	case NAT_VALUE_TCP_ESTABLISHED:
		return m->timeouts.tcp_established_ms;
	case NAT_VALUE_TCP_TRANSITORY:
		return m->timeouts.tcp_transitory_ms;
	default:
		return m->timeouts.udp_ms;
	}
}

/* What stands in for a value that nobody knows; NULL if it is a time. */
static const char *stand_in(const struct card *c, enum nat_value value)
{
	const struct nat_model *m = c->model;
	const struct nat_of *of = &m->of[c->t];

	switch (value) {
	case NAT_VALUE_MAPPING:
		return nat_mapping_name(m, c->t);
	case NAT_VALUE_FILTERING:
		return nat_behavior_name(of->filtering);
	case NAT_VALUE_CHOOSE:
		return nat_port_choice_name(of->choose);
	case NAT_VALUE_ON_CLASH:
		return nat_on_clash_name(of->on_clash);
	case NAT_VALUE_UNSOLICITED:
		return nat_unsolicited_name(of->unsolicited);
	case NAT_VALUE_PAIRING:
		return m->pool.paired ? "paired" : "arbitrary";
	case NAT_VALUE_HAIRPIN:
		return nat_hairpin_name(m->hairpin);
	case NAT_VALUE_REFRESH:
		return nat_refresh_name(m->refresh);
	case NAT_VALUE_RST:
		return nat_rst_name(m->rst);
	case NAT_VALUE_ICMP_ERRORS:
		return m->drops_icmp_errors ? "dropped" : "translated";
	case NAT_VALUE_BLOCKED:
		return nat_blocked_name(m->blocked);
	case NAT_VALUE_UDP_TIMEOUT:
	case NAT_VALUE_UDP_UNREPLIED:
	case NAT_VALUE_TCP_ESTABLISHED:
	case NAT_VALUE_TCP_TRANSITORY:
		break;
	}
	return NULL;
}

static unsigned unknown_of(const struct card *c)
{
	return c->model->unknown | c->model->of[c->t].unknown;
}

bool requirement_is_known(const struct card *c, enum nat_value value)
{
	return (unknown_of(c) & REQUIREMENT_VALUE(value)) == 0;
}

static void say_unknown(const struct card *c, unsigned values, struct requirement *r)
{
	enum nat_value value = NAT_VALUE_MAPPING;

	while ((values & REQUIREMENT_VALUE(value)) == 0)
		value++;
	const char *word = stand_in(c, value);
	if (word != NULL)
		(void)snprintf(r->detail, sizeof(r->detail), "nobody knows; %s stands in", word);
	else
		(void)snprintf(r->detail, sizeof(r->detail), "nobody knows how long; %u s stand in",
			       timeout_of(c->model, value) / 1000);
}

static void refuse(struct requirement *r, enum conformance result, const char *why)
{
	r->result = result;
	(void)snprintf(r->detail, sizeof(r->detail), "%s", why);
}

static void excuse(const struct card *c, const struct required *of, struct requirement *r)
{
	unsigned unknown = unknown_of(c) & of->values;
	char seen[sizeof(r->detail)];

	if ((of->needs & NEEDS_TRANSLATION) != 0 && !c->model->translates) {
		refuse(r, CONFORMANCE_NOT_APPLICABLE, "it does not translate");
	} else if ((of->needs & NEEDS_MEMORY) != 0 && !nat_model_remembers(c->model)) {
		refuse(r, CONFORMANCE_NOT_APPLICABLE, "it remembers nothing");
	} else if (unknown != 0) {
		r->result = CONFORMANCE_NOT_MEASURED;
		say_unknown(c, unknown, r);
	} else if ((of->needs & NEEDS_PACKETS) != 0 && !c->seen->of[c->t].gets_through) {
		refuse(r, CONFORMANCE_NOT_MEASURED, "nothing comes through");
	} else if ((of->needs & NEEDS_RULES) != 0 && c->model->ruleset_file == NULL) {
		r->result = CONFORMANCE_NOT_MEASURED;
		(void)snprintf(seen, sizeof(seen), "%s", r->detail);
		(void)snprintf(r->detail, sizeof(r->detail), "here %s does it: %.96s",
			       c->seen->in_twin ? "the twin" : "the lab's kernel", seen);
	}
}

void requirement_add(struct card *c, const struct required *of, enum conformance result,
		     const char *fmt, ...)
{
	assert(c->count < REQUIREMENTS_MAX);
	struct requirement *r = &c->items[c->count++];
	va_list args;

	*r = (struct requirement){ c->rfc, of->id, of->level, of->text, result, "" };
	va_start(args, fmt);
	(void)vsnprintf(r->detail, sizeof(r->detail), fmt, args);
	va_end(args);
	excuse(c, of, r);
}

void requirement_add_none(struct card *c, const char *id, const char *level, const char *text,
			  const char *why)
{
	requirement_add(c, &(struct required){ .id = id, .level = level, .text = text },
			CONFORMANCE_NOT_APPLICABLE, "%s", why);
}

/* ---- findings */

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
	return seen == NOT_OBSERVED ? "it could not be observed" : seen == OBSERVED_YES ? yes : no;
}

/* ---- the whole */

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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requirements of RFC 4787 and RFC 5382, one after another. Each has its row for every router:
 * what a requirement needs and the router has not is the reason of a row that is not judged. Pure.
 */
#ifndef NATSIM_SIM_EXPERIMENT_CONFORMANCE_CARD_H
#define NATSIM_SIM_EXPERIMENT_CONFORMANCE_CARD_H

#include "sim/experiment/conformance.h"

struct card {
	const struct nat_model *model;
	const struct measurement *measured;
	const struct observations *seen;
	const char *rfc;
	enum nat_transport t;
	struct requirement *items;
	size_t count;
};

/* conformance_udp.c and conformance_tcp.c */
void requirements_of_udp(struct card *c);
void requirements_of_tcp(struct card *c);

/* What a router must have before a requirement says anything of it. Bits. */
#define NEEDS_TRANSLATION 1u /* it is of routers that translate */
#define NEEDS_MEMORY      2u /* of those that remember flows */
#define NEEDS_PACKETS     4u /* it was measured with packets, so one must have come through */
/* No key of a model decides it, so what is seen is the lab's own; unless the model brings rules. */
#define NEEDS_RULES       8u

#define REQUIREMENT_VALUE(value) (1u << (value))

struct required {
	const char *id, *level, *text;
	unsigned needs;
	unsigned values; /* bits, 1 << enum nat_value: of the model, that decide it */
};

/* Adds what is given, unless the router lacks what the requirement needs, or nobody knows a value.
 */
void requirement_add(struct card *c, const struct required *of, enum conformance result,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Of the transport c->t. */
bool requirement_is_known(const struct card *c, enum nat_value value);

enum conformance requirement_met_if(bool met);

/* Met if it was seen, not met if the contrary was. */
enum conformance requirement_met_if_seen(enum observed seen);

/* One of the two, or that it could not be observed. */
const char *requirement_words(enum observed seen, const char *yes, const char *no);

/* Adds what a router may or may not be, or what no model has. */
void requirement_add_none(struct card *c, const char *id, const char *level, const char *text,
			  const char *why);
#define REQUIREMENT_AS_SET "a router is measured as it is set"

/* conformance_both.c: what both RFCs require, of the transport c->t. */

void requirement_mapping(struct card *c, const char *id);
void requirement_filtering(struct card *c, const char *id);
void requirement_sharing(struct card *c, const char *id);
void requirement_hairpin(struct card *c, const char *id, const char *id_source);
void requirement_icmp_survives(struct card *c, const char *id);
void requirement_icmp_gets_in(struct card *c, const char *id, const char *level);

struct required_life {
	uint32_t declared_ms, lab_ms;
	unsigned least_s;
	enum nat_value value; /* of the model */
	const struct observed_life *seen;
	const char *of; /* which, before the figure; may be "" */
};
void requirement_life(struct card *c, const struct required *r, const struct required_life *life);

#endif

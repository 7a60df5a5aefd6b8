/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requirements of RFC 4787 and RFC 5382, one after another. Pure. */
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

void requirement_add(struct card *c, const char *id, const char *level, const char *text,
		     enum conformance result, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

enum conformance requirement_met_if(bool met);

/* Met if it was seen, not met if the contrary was. */
enum conformance requirement_met_if_seen(enum observed seen);

/* One of the two, or that nothing came through. */
const char *requirement_words(enum observed seen, const char *yes, const char *no);

/* What both RFCs require, of the transport c->t. */

void requirement_mapping(struct card *c, const char *id);
void requirement_filtering(struct card *c, const char *id);
void requirement_sharing(struct card *c, const char *id);
void requirement_icmp(struct card *c, const char *id, const char *id_translated, const char *level);

struct required_life {
	uint32_t declared_ms, lab_ms;
	unsigned least_s;
	enum nat_value value; /* of the model */
	const struct observed_life *seen;
};
void requirement_life(struct card *c, const char *id, const char *level, const char *text,
		      const struct required_life *life);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a ruleset is a model's own: the `define`s at its head, and the $NAMES filled in where
 * nft's grammar wants a literal. */
#ifndef NATSIM_SIM_MODEL_RULESET_VALUES_H
#define NATSIM_SIM_MODEL_RULESET_VALUES_H

#include "sim/model/ruleset.h"

/* Sequential ranges of more ports than this are not listed in the ruleset. */
#define RULESET_LISTED_PORTS_MAX 1024u

/* For what the part of a ruleset stands that is being written. */
struct ruleset_part {
	const struct nat_model *model;
	const struct ruleset_site *site;
	bool udp, tcp;    /* the transports it is for */
	unsigned address; /* of the pool */
};

/* How many ports a sequence has, all steps taken. */
unsigned ruleset_sequence(const struct nat_model *m);

/* `define L4`, or `redefine`; and so on. */
void ruleset_define_transports(const struct ruleset_part *part, const char *verb, struct buf *out);
void ruleset_define_address(const struct ruleset_part *part, const char *verb, struct buf *out);

void ruleset_head(const struct ruleset_part *part, struct buf *out);

/* Appends text, with the literals filled in. */
void ruleset_fill_in(const struct ruleset_part *part, const char *text, struct buf *out);

#endif

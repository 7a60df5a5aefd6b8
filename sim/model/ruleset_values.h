/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a ruleset is a model's own: the `define`s at its head, and the $NAMES filled in where
 * nft's grammar wants a literal. */
#ifndef NATSIM_SIM_MODEL_RULESET_VALUES_H
#define NATSIM_SIM_MODEL_RULESET_VALUES_H

#include "sim/model/ruleset.h"

/* Sequential ranges of more ports than this are not listed in the ruleset. */
#define RULESET_LISTED_PORTS_MAX 1024u

/* The first inside address that a subscriber can have: .1 is the router's. */
#define RULESET_FIRST_HOST 2u

/* For what the part of a ruleset stands that is being written. */
struct ruleset_part {
	const struct nat_model *model;
	const struct ruleset_site *site;
	bool udp, tcp;    /* the transports it is for */
	unsigned address; /* of the pool */
};

/* How many ports a sequence has, all steps taken. */
unsigned ruleset_sequence(const struct nat_model *m);

/* How many subscribers have a block of ports: RULESET_FIRST_HOST and those after it. */
unsigned ruleset_blocks(const struct nat_model *m);

/* The head is where all names of interfaces and all addresses are: what follows it has none.
 * ruleset_head.c */
void ruleset_head(const struct ruleset_part *part, struct buf *out);

/* What follows is for the part's transports, or for its address. */
void ruleset_redefine_transports(const struct ruleset_part *part, struct buf *out);
void ruleset_redefine_address(const struct ruleset_part *part, struct buf *out);

/* Appends text, with the literals filled in. */
void ruleset_fill_in(const struct ruleset_part *part, const char *text, struct buf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NAT model as one plain nftables ruleset: a few `define`s, then the files of nat_models/rules/
 * that the model's behaviours name, one after another. Each file adds its rules to the table it
 * shares with the others, so composing is concatenation and every line loaded can be read in
 * nat_models/rules/. Where nft's grammar wants a literal number, a few $NAMES are filled in.
 */
#ifndef NATSIM_SIM_MODEL_RULESET_H
#define NATSIM_SIM_MODEL_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/endpoint.h"
#include "lib/err.h"
#include "sim/model/nat_model.h"

/* Of family ip. What its sets and maps with the flag `dynamic` hold is what the router has learnt:
 * it forgets all but its sequential counter when they are emptied and conntrack is flushed. */
#define RULESET_TABLE "natsim"

/* The texts of nat_models/rules/, as the caller loaded them. */
struct ruleset_file {
	char *name; /* without ".nft" */
	char *text;
};
struct ruleset_files {
	struct ruleset_file *items;
	size_t count;
};

/* Where the router stands. */
struct ruleset_site {
	const char *outside_ifname;
	uint32_t outside_addr; /* the first, if the model has a pool of them */
	struct prefix inside;  /* the network behind the router */
};

/* Appends the ruleset of model m at site to out. Loading it twice is the same as loading it once.
 * Fails, leaving out alone, when a rules file is missing. */
int ruleset_compose(const struct nat_model *m, const struct ruleset_site *site,
		    const struct ruleset_files *files, struct buf *out, struct err *e);

/* Where a line of what ruleset_compose() made is from in the model's own ruleset. */
struct ruleset_place {
	size_t line;     /* from 1; 0: it is from the head */
	bool as_written; /* nothing was filled in, so that columns are the same */
};

/* m has a ruleset of its own; line counts from 1. */
struct ruleset_place ruleset_own_place(const struct nat_model *m, size_t line);

#endif

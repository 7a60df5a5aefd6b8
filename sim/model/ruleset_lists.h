/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is filled in as a list: elements of maps, and chains. Each is appended to out. */
#ifndef NATSIM_SIM_MODEL_RULESET_LISTS_H
#define NATSIM_SIM_MODEL_RULESET_LISTS_H

#include "sim/model/ruleset_values.h"

/* The ports of a sequence by their place in it, from 1. */
void ruleset_list_sequence(const struct ruleset_part *part, struct buf *out);

/* The even ports of the range by number, from 0, and the odd ones; and how many those are. */
void ruleset_list_even_ports(const struct ruleset_part *part, struct buf *out);
void ruleset_list_odd_ports(const struct ruleset_part *part, struct buf *out);
unsigned ruleset_list_parity(const struct nat_model *m, unsigned odd);

/* Each subscriber's block of ports. */
void ruleset_list_blocks(const struct ruleset_part *part, struct buf *out);

void ruleset_list_forwards(const struct ruleset_part *part, struct buf *out);
void ruleset_list_forwarded_to(const struct ruleset_part *part, struct buf *out);

/* A sequence that is too long for a list is a counter for each last byte of a port: their chains,
 * and which of them is for which place. */
void ruleset_list_rows(const struct ruleset_part *part, struct buf *out);
void ruleset_list_row_of(const struct ruleset_part *part, struct buf *out);

#endif

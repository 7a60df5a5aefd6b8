/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of a run for a person: a table of success rates for each transport, strategy, link and
 * topology, and what differs from what was expected. */
#ifndef NATSIM_SIM_REPORT_MATRIX_H
#define NATSIM_SIM_REPORT_MATRIX_H

#include "lib/buf.h"
#include "sim/experiment/run.h"
#include "sim/report/style.h"

/* The cells must have been judged. Sorts their times. */
void matrix_print(struct run_cell *cells, size_t count, const struct style *style, struct buf *out);

/* What its tables share with others: whether a cell differs from what was expected, its colour, and
 * how cells differ; and in the notes also why others failed. */
bool matrix_is_flagged(const struct run_cell *cell);
const char *matrix_color(const struct run_cell *cell, const struct style *style);
void matrix_print_differences(struct run_cell *const *cells, size_t count,
			      const struct style *style, struct buf *out);
void matrix_print_notes(struct run_cell *const *cells, size_t count, const struct style *style,
			struct buf *out);

#endif

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

#endif

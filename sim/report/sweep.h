/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of a sweep for a person: for each pair of NATs a line for each value, with the rate
 * and its interval as numbers and as a picture, in 80 columns. */
#ifndef NATSIM_SIM_REPORT_SWEEP_H
#define NATSIM_SIM_REPORT_SWEEP_H

#include "lib/buf.h"
#include "sim/experiment/run.h"
#include "sim/report/style.h"

/* The cells are those of a suite with a sweep, in its order, and have been judged. Sorts their
 * times. */
void sweep_print(struct run_cell *cells, size_t count, const struct style *style, struct buf *out);

/* One line, whatever the rate is of. */
struct sweep_line {
	const char *value;
	char counts[32];
	unsigned trials; /* 0: nothing is known of the rate */
	double rate;
	struct interval ci95;
	double expected;   /* negative: nothing is */
	double median_ms;  /* negative: nobody says */
	const char *color; /* an escape sequence or "" */
};

/* parameter and counts are the heads of the first two columns. */
void sweep_print_lines(const char *parameter, const char *counts, const struct sweep_line *lines,
		       size_t count, const struct style *style, struct buf *out);

#endif

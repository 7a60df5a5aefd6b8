/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a benchmark measured: the rows of a table. A figure of natsim's stands beside what it is
 * compared with, measured in turns in the same run, since only their ratio means something on
 * another machine; and beside what is aimed at, where there is an aim.
 */
#ifndef NATSIM_SIM_BENCH_FIGURE_H
#define NATSIM_SIM_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "sim/report/style.h"

struct summary {
	double median, least, most;
	size_t count;
};

/* Sorts values, of which there is at least one. */
struct summary summary_of(double *values, size_t count);

enum figure_aim { AIM_NONE, AIM_AT_MOST, AIM_AT_LEAST, AIM_BETWEEN };

/* The texts are constants. */
struct figure {
	const char *group, *name, *subject; /* a heading, what was measured, of what */
	const char *unit;
	struct summary value;
	double ratio;             /* 0: none */
	const char *ratio_is;     /* what is put behind it: "times as long" */
	enum figure_aim aim;      /* for the ratio if there is one, else for the median */
	double aim_low, aim_high; /* AT_LEAST the one, AT_MOST the other, or BETWEEN */
};

struct figures {
	struct figure *items; /* heap */
	size_t count;
};

void figures_fini(struct figures *f);
static inline void figures_cleanup(struct figures *f)
{
	figures_fini(f);
}
void figures_add(struct figures *f, const struct figure *figure);

/* True if there is no aim. */
bool figure_met(const struct figure *f);

/* The table of the figures from index first on. */
void figures_print(const struct figures *f, size_t first, const struct style *style,
		   struct buf *out);
void figures_to_json(const struct figures *f, struct buf *out);

#endif

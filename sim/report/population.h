/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run says of a population: the share of its pairs that connect, for each topology, link,
 * transport, strategy and point of a sweep. Two of the population meet at random, whoever is a and
 * whoever is b, so a pair of models has the product of their shares as its weight.
 */
#ifndef NATSIM_SIM_REPORT_POPULATION_H
#define NATSIM_SIM_REPORT_POPULATION_H

#include "lib/buf.h"
#include "sim/experiment/run.h"
#include "sim/report/style.h"

/* Two models, both as a and as b. */
struct population_pair {
	const char *nat_a, *nat_b;
	double weight; /* of the population's pairs */
	double lost;   /* the part of the population's pairs that it is and that does not connect */
};
#define POPULATION_WORST_MAX 5u

struct population {
	struct run_cell **cells; /* those of the run that are of it; on the heap */
	size_t cells_count;
	unsigned trials;
	/* Of the pairs that were tried, if not all were. */
	double tried;         /* the weight of these; 0: nothing is known */
	double share;         /* that connects */
	struct interval ci95; /* see statistics_stratified */
	double expected;      /* negative: some pair has no theory */
	double median_ms;     /* of those that connect; negative: nobody says */
	struct population_pair worst[POPULATION_WORST_MAX]; /* that lose most, the worst first */
	size_t worst_count;
};

/* The populations of judged cells, on the heap, in the order of the cells. */
struct population *population_measure(struct run_cell *cells, size_t count, size_t *ret_count);
void population_free(struct population *populations, size_t count);

/* For a person. */
void population_print(struct run_cell *cells, size_t count, const struct style *style,
		      struct buf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be said of a rate after so many trials, and of times. Pure. */
#ifndef NATSIM_SIM_EXPERIMENT_STATISTICS_H
#define NATSIM_SIM_EXPERIMENT_STATISTICS_H

#include <stddef.h>

struct interval {
	double low, high;
};

/* Wilson's score interval for a probability, 95 % (Wilson 1927; Brown, Cai and DasGupta 2001
 * recommend it for small n). trials is not 0. */
struct interval statistics_wilson(unsigned successes, unsigned trials);

/* The probability of at most, and of at least, so many successes of trials that each succeed with
 * probability p (binomial distribution). */
double statistics_at_most(unsigned successes, unsigned trials, double p);
double statistics_at_least(unsigned successes, unsigned trials, double p);

enum statistics_verdict {
	VERDICT_AS_EXPECTED,
	VERDICT_TOO_LOW,
	VERDICT_TOO_HIGH,
	VERDICT_UNDECIDED, /* no result so far could be told from chance */
};

/*
 * Holds successes of trials against the expected probability. A deviation counts when chance would
 * make one as large or larger, in the same direction, less often than once in a thousand runs of a
 * suite of that many cells (Bonferroni). Undecided: even the most extreme result would not count.
 */
enum statistics_verdict statistics_judge(unsigned successes, unsigned trials, double expected,
					 size_t cells);
const char *statistics_verdict_name(enum statistics_verdict v);

/* The value below which a share p of them lies (nearest rank); sorts values. count is not 0. */
double statistics_percentile(double *values, size_t count, double p);

#endif

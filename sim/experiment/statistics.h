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

/* One part of what is asked about, with its share of the whole and what came of it. */
struct stratum {
	double weight;
	unsigned successes, trials; /* trials is not 0 */
};

/*
 * The 95 % interval of sum(weight * rate) / sum(weight), around that value and within [0, 1]: the
 * variances of independent strata add up with the squares of their weights (Cochran 1977, Sampling
 * Techniques, section 5.3). That of a rate is taken at the estimate of Agresti and Coull 1998,
 * which adds two successes and two failures, so that 0 of n and n of n do not count as certain. The
 * sum of the weights is not 0.
 */
struct interval statistics_stratified(const struct stratum *strata, size_t count);

/*
 * Fisher's exact test, two-sided: the probability that two samples of one rate differ as much as
 * these or more, given the successes of both together; "more" is what is less likely (as in R's
 * fisher.test).
 */
double statistics_fisher(unsigned successes1, unsigned trials1, unsigned successes2,
			 unsigned trials2);

/* The probability that a chi-squared variable of so many degrees of freedom is x or more. degrees
 * is not 0. */
double statistics_chi_squared_p(double x, unsigned degrees);

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

/* The same of values that count as much as their weights, which are above 0. */
struct weighted {
	double value, weight;
};
double statistics_weighted_percentile(struct weighted *values, size_t count, double p);

#endif

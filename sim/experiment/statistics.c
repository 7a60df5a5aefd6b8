// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* The 97.5 % point of the normal distribution. */
#define Z95 1.959963984540054

/* A false alarm in this share of suite runs. */
#define ALARM_SHARE 0.001

struct interval statistics_wilson(unsigned successes, unsigned trials)
{
	assert(trials > 0 && successes <= trials);
	double n = trials, p = successes / n, z2 = Z95 * Z95;
	double center = (p + z2 / (2 * n)) / (1 + z2 / n);
	double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

	/* At the ends rounding must not leave a gap. */
	return (struct interval){ successes == 0 ? 0 : center - half,
				  successes == trials ? 1 : center + half };
}

struct interval statistics_stratified(const struct stratum *strata, size_t count)
{
	double weight = 0, share = 0, variance = 0;

	for (size_t i = 0; i < count; i++) {
		const struct stratum *s = &strata[i];
		double n = s->trials + Z95 * Z95, p = (s->successes + Z95 * Z95 / 2) / n;

		assert(s->trials > 0 && s->successes <= s->trials);
		weight += s->weight;
		share += s->weight * s->successes / s->trials;
		variance += s->weight * s->weight * p * (1 - p) / n;
	}
	assert(weight > 0);
	double half = Z95 * sqrt(variance) / weight;
	return (struct interval){ fmax(share / weight - half, 0), fmin(share / weight + half, 1) };
}

static double probability_of(unsigned k, unsigned n, double p)
{
	if (p <= 0)
		return k == 0;
	if (p >= 1)
		return k == n;
	return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) +
		   (n - k) * log1p(-p));
}

double statistics_at_most(unsigned successes, unsigned trials, double p)
{
	double sum = 0;

	for (unsigned k = 0; k <= successes; k++)
		sum += probability_of(k, trials, p);
	return sum < 1 ? sum : 1;
}

double statistics_at_least(unsigned successes, unsigned trials, double p)
{
	double sum = 0;

	for (unsigned k = successes; k <= trials; k++)
		sum += probability_of(k, trials, p);
	return sum < 1 ? sum : 1;
}

enum statistics_verdict statistics_judge(unsigned successes, unsigned trials, double expected,
					 size_t cells)
{
	double alarm = ALARM_SHARE / (2.0 * (double)(cells > 0 ? cells : 1));

	if (trials > 0 && statistics_at_most(successes, trials, expected) < alarm)
		return VERDICT_TOO_LOW;
	if (trials > 0 && statistics_at_least(successes, trials, expected) < alarm)
		return VERDICT_TOO_HIGH;
	if (trials == 0 || (statistics_at_most(0, trials, expected) >= alarm &&
			    statistics_at_least(trials, trials, expected) >= alarm))
		return VERDICT_UNDECIDED;
	return VERDICT_AS_EXPECTED;
}

const char *statistics_verdict_name(enum statistics_verdict v)
{
	static const char *const names[] = { "as-expected", "too-low", "too-high", "undecided" };

	return names[v];
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double statistics_percentile(double *values, size_t count, double p)
{
	assert(count > 0);
	qsort(values, count, sizeof(*values), compare);
	size_t rank = (size_t)ceil(p * (double)count);

	return values[rank == 0 ? 0 : rank - 1];
}

static int compare_weighted(const void *a, const void *b)
{
	const struct weighted *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

double statistics_weighted_percentile(struct weighted *values, size_t count, double p)
{
	double all = 0, sum = 0;
	size_t i = 0;

	assert(count > 0);
	qsort(values, count, sizeof(*values), compare_weighted);
	for (i = 0; i < count; i++)
		all += values[i].weight;
	for (i = 0; i + 1 < count && sum + values[i].weight < p * all; i++)
		sum += values[i].weight;
	return values[i].value;
}

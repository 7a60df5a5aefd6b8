// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of whether a difference is chance.
 *
 * The upper tail of the chi-squared distribution is the regularised incomplete gamma function
 * Q(degrees / 2, x / 2). Below its mean the series of P = 1 - Q converges fast, above it Legendre's
 * continued fraction for Q, evaluated by Lentz's method (Press et al., Numerical Recipes, section
 * 6.2).
 */
#include <assert.h>
#include <float.h>
#include <math.h>

#include "sim/experiment/statistics.h"

/* What two equally likely outcomes may differ by in rounding, relatively; R takes the same. */
#define FISHER_TOLERANCE 1e-7

/* Both need some sqrt(degrees) rounds. */
#define GAMMA_ROUNDS_MAX 1000000u

static double log_factorial(unsigned n)
{
	return lgamma(n + 1.0);
}

static double log_choose(unsigned n, unsigned k)
{
	return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

double statistics_fisher(unsigned successes1, unsigned trials1, unsigned successes2,
			 unsigned trials2)
{
	assert(successes1 <= trials1 && successes2 <= trials2);
	unsigned successes = successes1 + successes2;
	unsigned first = successes > trials2 ? successes - trials2 : 0;
	unsigned last = successes < trials1 ? successes : trials1;
	double all = log_choose(trials1 + trials2, successes), sum = 0;
	double given = log_choose(trials1, successes1) + log_choose(trials2, successes2) - all;

	/* The hypergeometric distribution: k of all the successes in the first sample. */
	for (unsigned k = first; k <= last; k++) {
		double p = log_choose(trials1, k) + log_choose(trials2, successes - k) - all;

		if (p <= given + FISHER_TOLERANCE)
			sum += exp(p);
	}
	return sum < 1 ? sum : 1;
}

/* P(a, x) by its series. */
static double gamma_lower(double a, double x)
{
	double term = 1 / a, sum = term;

	for (unsigned n = 1; n < GAMMA_ROUNDS_MAX && term > sum * DBL_EPSILON; n++) {
		term *= x / (a + n);
		sum += term;
	}
	return sum * exp(a * log(x) - x - lgamma(a));
}

/* Q(a, x) by its continued fraction. x is above a, so that no denominator is 0. */
static double gamma_upper(double a, double x)
{
	double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, value = d, change = 0;

	for (unsigned n = 1; n < GAMMA_ROUNDS_MAX && fabs(change - 1) > DBL_EPSILON; n++) {
		double numerator = -(n * (n - a));

		b += 2;
		d = 1 / (numerator * d + b);
		c = b + numerator / c;
		change = c * d;
		value *= change;
	}
	return value * exp(a * log(x) - x - lgamma(a));
}

double statistics_chi_squared_p(double x, unsigned degrees)
{
	double a = degrees / 2.0;

	assert(degrees > 0);
	if (x <= 0)
		return 1;
	return x / 2 < a + 1 ? 1 - gamma_lower(a, x / 2) : gamma_upper(a, x / 2);
}

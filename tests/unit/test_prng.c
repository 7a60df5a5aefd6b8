// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/prng.h"

/* The state {1, 2, 3, 4} gives these by hand: rotl(2 * 5, 7) * 9 = 11520 first, and 0 second, since
 * the state is then {7, 0, 0x40002, 6 << 45}. */
static void xoshiro256starstar_gives_what_its_definition_says(void **state)
{
	static const uint64_t expected[] = {
		11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600
	};
	struct prng p = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(prng_next(&p) == expected[i]);
}

/* The first outputs of splitmix64 for the seed 1234567, as the reference implementation gives them.
 */
static void prng_init_seeds_through_splitmix64(void **state)
{
	struct prng p;

	(void)state;
	prng_init(&p, 1234567);
	assert_true(p.s[0] == 6457827717110365317u);
	assert_true(p.s[1] == 3203168211198807973u);
	assert_true(p.s[2] == 9817491932198370423u);
	assert_true(p.s[3] == 4593380528125082431u);
}

/* Chi-squared with bound - 1 degrees of freedom has mean bound - 1 and variance twice that; with
 * this seed it stays within four standard deviations of the mean. */
static void prng_below_is_uniform(void **state)
{
	static const uint64_t bounds[] = { 2, 3, 10, 97, 1000 };

	(void)state;
	for (size_t n = 0; n < sizeof(bounds) / sizeof(bounds[0]); n++) {
		uint64_t bound = bounds[n], draws = 200 * bound;
		unsigned counts[1000] = { 0 };
		double chi2 = 0, mean = (double)bound - 1;
		struct prng p;

		prng_init(&p, 42);
		for (uint64_t i = 0; i < draws; i++) {
			uint64_t drawn = prng_below(&p, bound);

			assert_true(drawn < bound);
			counts[drawn]++;
		}
		for (uint64_t i = 0; i < bound; i++)
			chi2 += ((double)counts[i] - 200) * ((double)counts[i] - 200) / 200;
		/* Squared, to do without a square root. */
		assert_true((chi2 - mean) * (chi2 - mean) < 16 * 2 * mean);
	}
}

/* With a bound of 3 * 2^62, taking the product's upper half without rejecting would give one value
 * of three twice as often. */
static void prng_below_has_no_bias_for_large_bounds(void **state)
{
	uint64_t bound = 3u * ((uint64_t)1 << 62);
	unsigned thirds[3] = { 0 };
	struct prng p;

	(void)state;
	prng_init(&p, 1);
	for (int i = 0; i < 30000; i++)
		thirds[prng_below(&p, bound) % 3]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(thirds[i], 9600, 10400); /* five standard deviations: 82 each */
	assert_int_equal(prng_below(&p, 1), 0);
}

static void prng_unit_and_chance_keep_their_ranges(void **state)
{
	unsigned hits = 0;
	struct prng p;

	(void)state;
	prng_init(&p, 7);
	for (int i = 0; i < 100000; i++) {
		double unit = prng_unit(&p);

		assert_true(unit >= 0 && unit < 1);
		assert_false(prng_chance(&p, 0));
		assert_true(prng_chance(&p, 1));
		hits += prng_chance(&p, 0.25);
	}
	assert_in_range(hits, 24300, 25700); /* five standard deviations: 137 each */
}

static void prng_chance_draws_whatever_the_probability(void **state)
{
	struct prng a, b;

	(void)state;
	prng_init(&a, 7);
	prng_init(&b, 7);
	(void)prng_chance(&a, 0);
	(void)prng_chance(&b, 1);
	assert_true(prng_next(&a) == prng_next(&b));
}

static void prng_derive_depends_on_every_part_and_its_place(void **state)
{
	static const uint64_t parts[][3] = { { 1, 2, 3 }, { 2, 2, 3 }, { 1, 3, 3 }, { 1, 2, 4 },
					     { 1, 3, 2 }, { 2, 1, 3 }, { 0, 0, 0 }, { 0, 0, 1 } };

	(void)state;
	for (size_t i = 0; i < 8; i++)
		for (size_t k = 0; k < 8; k++)
			assert_true((prng_derive(parts[i][0], parts[i][1], parts[i][2]) ==
				     prng_derive(parts[k][0], parts[k][1], parts[k][2])) ==
				    (i == k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xoshiro256starstar_gives_what_its_definition_says),
		cmocka_unit_test(prng_init_seeds_through_splitmix64),
		cmocka_unit_test(prng_below_is_uniform),
		cmocka_unit_test(prng_below_has_no_bias_for_large_bounds),
		cmocka_unit_test(prng_unit_and_chance_keep_their_ranges),
		cmocka_unit_test(prng_chance_draws_whatever_the_probability),
		cmocka_unit_test(prng_derive_depends_on_every_part_and_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

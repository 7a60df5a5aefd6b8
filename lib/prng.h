/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small seeded random number generator (xoshiro256**, seeded through splitmix64): the same seed
 * gives the same numbers on every machine and compiler. Not for secrets.
 */
#ifndef NATSIM_LIB_PRNG_H
#define NATSIM_LIB_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
	uint64_t s[4];
};

void prng_init(struct prng *p, uint64_t seed);

/* A seed for something named by (seed, a, b): streams that share nothing visible. */
uint64_t prng_derive(uint64_t seed, uint64_t a, uint64_t b);

uint64_t prng_next(struct prng *p);

/* Uniform in [0, bound), without modulo bias. bound is not 0. */
uint64_t prng_below(struct prng *p, uint64_t bound);

/* Uniform in [0, 1), 53 bits. */
double prng_unit(struct prng *p);

/* True with the given probability. Draws a number whatever the probability is, so that changing one
 * probability leaves every later draw as it was. */
bool prng_chance(struct prng *p, double probability);

#endif

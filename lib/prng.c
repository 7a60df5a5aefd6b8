// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xoshiro256** 1.0 and splitmix64, by David Blackman and Sebastiano Vigna (prng.di.unimi.it), both
 * in the public domain; prng_below() is Lemire's multiply-and-reject (arXiv:1805.10941).
 */
#include "lib/prng.h"

#include <assert.h>

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

void prng_init(struct prng *p, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		p->s[i] = splitmix64(&seed);
}

uint64_t prng_derive(uint64_t seed, uint64_t a, uint64_t b)
{
	uint64_t state = seed;

	state = splitmix64(&state) ^ a;
	state = splitmix64(&state) ^ b;
	return splitmix64(&state);
}

uint64_t prng_next(struct prng *p)
{
	uint64_t *s = p->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
	assert(bound != 0);
	__extension__ unsigned __int128 product = prng_next(p);

	product *= bound;
	if ((uint64_t)product < bound) {
		uint64_t threshold = -bound % bound;

		while ((uint64_t)product < threshold) {
			product = prng_next(p);
			product *= bound;
		}
	}
	return (uint64_t)(product >> 64);
}

double prng_unit(struct prng *p)
{
	return (double)(prng_next(p) >> 11) * 0x1p-53;
}

bool prng_chance(struct prng *p, double probability)
{
	return prng_unit(p) < probability;
}

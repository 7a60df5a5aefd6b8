// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/model/link.h"

#define PACKETS 20000u

/* P(X = k) for X binomial in n trials of probability p. */
static double binomial(unsigned n, unsigned k, double p)
{
	return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) +
		   (n - k) * log1p(-p));
}

/* Fails unless hits of n trials is what one would see with probability p in all but two of 10,000
 * seeds: at least 1 in 10,000 on either side of it. */
static void assert_likely(unsigned hits, unsigned n, double p)
{
	double below = 0, above = 0;

	assert_true(hits <= n);
	for (unsigned k = 0; k <= hits; k++)
		below += binomial(n, k, p);
	for (unsigned k = hits; k <= n; k++)
		above += binomial(n, k, p);
	assert_true(below > 1e-4);
	assert_true(above > 1e-4);
}

/* ---- ideal */

static void link_send_on_an_ideal_link_delivers_at_once(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &(struct link_params){ 0 }, 1);
	for (uint64_t t = 0; t < 1000; t++) {
		struct link_fate fate = link_send(&link, t, 1500);

		assert_int_equal(fate.copies, 1);
		assert_int_equal(fate.deliver_us[0], t);
	}
}

static void link_send_adds_the_delay_and_nothing_else(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &(struct link_params){ .delay_us = 5000 }, 1);
	for (uint64_t t = 0; t < 1000; t++)
		assert_int_equal(link_send(&link, t * 10, 64).deliver_us[0], t * 10 + 5000);
}

/* ---- chance */

static void link_send_is_the_same_for_the_same_seed(void **state)
{
	const struct link_params params = { .delay_us = 9000,
					    .jitter_us = 3000,
					    .loss = 0.1,
					    .reorder = 0.1,
					    .reorder_us = 4000,
					    .duplicate = 0.1,
					    .rate_bps = 8000000,
					    .queue_bytes = 4000 };
	struct link a, b, c;
	unsigned differ = 0;

	(void)state;
	link_init(&a, &params, 7);
	link_init(&b, &params, 7);
	link_init(&c, &params, 8);
	for (uint64_t t = 0; t < 1000; t++) {
		struct link_fate fa = link_send(&a, t * 500, 700), fb = link_send(&b, t * 500, 700);
		struct link_fate fc = link_send(&c, t * 500, 700);

		assert_int_equal(fa.copies, fb.copies);
		for (unsigned i = 0; i < fa.copies; i++)
			assert_int_equal(fa.deliver_us[i], fb.deliver_us[i]);
		differ += fa.copies != fc.copies || fa.deliver_us[0] != fc.deliver_us[0];
	}
	assert_true(differ > 500);
}

static void link_send_loses_as_often_as_it_was_told(void **state)
{
	static const double rates[] = { 0.001, 0.05, 0.5, 0.97 };

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
			struct link link;
			unsigned lost = 0;

			link_init(&link, &(struct link_params){ .loss = rates[i] }, seed);
			for (unsigned k = 0; k < PACKETS; k++)
				lost += link_send(&link, k, 100).copies == 0;
			assert_likely(lost, PACKETS, rates[i]);
		}
}

static void link_send_loses_all_or_nothing_at_the_ends(void **state)
{
	struct link all, none;

	(void)state;
	link_init(&all, &(struct link_params){ .loss = 1 }, 1);
	link_init(&none, &(struct link_params){ .loss = 0 }, 1);
	for (unsigned k = 0; k < PACKETS; k++) {
		assert_int_equal(link_send(&all, k, 100).copies, 0);
		assert_int_equal(link_send(&none, k, 100).copies, 1);
	}
}

/* Losses must not come in runs or keep a distance: pairs are as frequent as chance makes them. */
static void link_send_loses_packets_independently(void **state)
{
	struct link link;
	unsigned pairs = 0;

	(void)state;
	link_init(&link, &(struct link_params){ .loss = 0.2 }, 3);
	for (unsigned k = 0; k < PACKETS; k++) {
		bool first = link_send(&link, k, 100).copies == 0;
		bool second = link_send(&link, k, 100).copies == 0;

		pairs += first && second;
	}
	assert_likely(pairs, PACKETS, 0.2 * 0.2);
}

static void link_send_duplicates_as_often_as_it_was_told(void **state)
{
	struct link link;
	unsigned twice = 0;

	(void)state;
	link_init(&link, &(struct link_params){ .delay_us = 10, .duplicate = 0.03 }, 1);
	for (unsigned k = 0; k < PACKETS; k++) {
		struct link_fate fate = link_send(&link, k, 100);

		assert_in_range(fate.copies, 1, 2);
		if (fate.copies == 2)
			assert_int_equal(fate.deliver_us[1], fate.deliver_us[0]);
		twice += fate.copies == 2;
	}
	assert_likely(twice, PACKETS, 0.03);
}

static void link_send_decides_the_same_losses_whatever_else_is_set(void **state)
{
	struct link plain, full;

	(void)state;
	link_init(&plain, &(struct link_params){ .loss = 0.3 }, 5);
	link_init(&full,
		  &(struct link_params){ .loss = 0.3,
					 .delay_us = 100,
					 .jitter_us = 100,
					 .duplicate = 0.5,
					 .reorder = 0.5,
					 .reorder_us = 10 },
		  5);
	for (unsigned k = 0; k < PACKETS; k++)
		assert_int_equal(link_send(&plain, k, 100).copies == 0,
				 link_send(&full, k, 100).copies == 0);
}

/* ---- jitter and order */

static void link_send_spreads_jitter_over_its_whole_range(void **state)
{
	struct link link;
	unsigned low = 0, at_least = 0, at_most = 0;

	(void)state;
	link_init(&link, &(struct link_params){ .delay_us = 50, .jitter_us = 10 }, 1);
	for (unsigned k = 0; k < PACKETS; k++) {
		uint64_t t = (uint64_t)k * 1000, delay_us;

		delay_us = link_send(&link, t, 100).deliver_us[0] - t;
		assert_in_range(delay_us, 40, 60);
		low += delay_us < 50;
		at_least += delay_us == 40;
		at_most += delay_us == 60;
	}
	/* 21 values, equally likely. */
	assert_likely(low, PACKETS, 10.0 / 21);
	assert_likely(at_least, PACKETS, 1.0 / 21);
	assert_likely(at_most, PACKETS, 1.0 / 21);
}

static void link_send_never_reorders_by_jitter_alone(void **state)
{
	struct link link;
	uint64_t last_us = 0;
	unsigned held = 0;

	(void)state;
	link_init(&link, &(struct link_params){ .delay_us = 20000, .jitter_us = 20000 }, 1);
	for (unsigned k = 0; k < PACKETS; k++) {
		uint64_t t = (uint64_t)k * 100;
		struct link_fate fate = link_send(&link, t, 100);

		assert_true(fate.deliver_us[0] >= last_us && fate.deliver_us[0] >= t);
		held += fate.deliver_us[0] == last_us;
		last_us = fate.deliver_us[0];
	}
	/* Packets so close would have been reordered: the test is worth something. */
	assert_true(held > PACKETS / 2);
}

static void link_send_lets_others_overtake_a_reordered_packet(void **state)
{
	static uint64_t deliver_us[PACKETS];
	struct link link;
	unsigned overtaken = 0;

	(void)state;
	link_init(&link,
		  &(struct link_params){ .delay_us = 1000, .reorder = 0.02, .reorder_us = 2500 },
		  1);
	for (unsigned k = 0; k < PACKETS; k++)
		deliver_us[k] = link_send(&link, (uint64_t)k * 1000, 100).deliver_us[0];
	for (unsigned k = 0; k < PACKETS; k++) {
		uint64_t delay_us = deliver_us[k] - (uint64_t)k * 1000;

		assert_true(delay_us == 1000 || delay_us == 3500);
		/* The two behind it get there first, unless they are held back themselves. */
		if (delay_us == 3500 && k + 1 < PACKETS &&
		    deliver_us[k + 1] == (uint64_t)(k + 1) * 1000 + 1000)
			assert_true(deliver_us[k + 1] < deliver_us[k]);
		overtaken += delay_us == 3500;
	}
	assert_likely(overtaken, PACKETS, 0.02);
}

/* ---- rate */

static void link_send_takes_as_long_as_the_rate_says(void **state)
{
	struct link link;

	(void)state;
	/* 1000 bytes at 8 Mbit/s are 1 ms. */
	link_init(&link, &(struct link_params){ .rate_bps = 8000000, .queue_bytes = 1000000 }, 1);
	for (uint64_t k = 1; k <= 100; k++)
		assert_int_equal(link_send(&link, 0, 1000).deliver_us[0], k * 1000);
	/* The queue has run empty long since: a packet waits for no one. */
	assert_int_equal(link_send(&link, 500000, 1000).deliver_us[0], 501000);
}

static void link_send_is_late_by_a_fraction_rather_than_early(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &(struct link_params){ .rate_bps = 3000000, .queue_bytes = 1000 }, 1);
	assert_int_equal(link_send(&link, 0, 100).deliver_us[0], 267); /* 266.7 us */
	assert_int_equal(link_send(&link, 0, 100).deliver_us[0], 534); /* 533.3 us */
}

static void link_send_delays_from_when_the_last_bit_has_left(void **state)
{
	struct link link;

	(void)state;
	link_init(&link,
		  &(struct link_params){
			  .rate_bps = 8000000, .queue_bytes = 1000000, .delay_us = 7000 },
		  1);
	assert_int_equal(link_send(&link, 0, 1000).deliver_us[0], 8000);
	assert_int_equal(link_send(&link, 0, 2000).deliver_us[0], 10000);
}

static void link_send_is_exact_over_many_packets_at_a_high_rate(void **state)
{
	struct link link;
	uint64_t last_us = 0;

	(void)state;
	link_init(&link, &(struct link_params){ .rate_bps = 1000000000, .queue_bytes = 100000000 },
		  1);
	for (unsigned k = 0; k < 100000; k++)
		last_us = link_send(&link, 0, 60).deliver_us[0];
	assert_int_equal(last_us, 48000); /* 6 MB at 1 Gbit/s, each packet 0.48 us */
}

static void link_send_drops_what_does_not_fit_the_queue(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &(struct link_params){ .rate_bps = 8000000, .queue_bytes = 5000 }, 1);
	for (unsigned k = 0; k < 5; k++)
		assert_int_equal(link_send(&link, 0, 1000).copies, 1);
	struct link_fate fate = link_send(&link, 0, 1000);
	assert_int_equal(fate.copies, 0);
	assert_true(fate.queue_full);
	/* Nothing was taken up for what was dropped; after 1 ms there is room for one more. */
	assert_int_equal(link_send(&link, 999, 1000).copies, 0);
	assert_int_equal(link_send(&link, 1000, 1000).deliver_us[0], 6000);
	assert_int_equal(link_send(&link, 1000, 1).copies, 0);
}

static void link_send_takes_any_packet_when_it_is_idle(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &(struct link_params){ .rate_bps = 8000000, .queue_bytes = 100 }, 1);
	assert_int_equal(link_send(&link, 0, 60000).copies, 1);
	assert_int_equal(link_send(&link, 59999, 60000).copies, 0);
	assert_int_equal(link_send(&link, 60000, 60000).copies, 1);
}

static void link_send_passes_no_more_than_the_rate(void **state)
{
	struct link link;
	uint64_t bytes = 0;

	(void)state;
	link_init(&link, &(struct link_params){ .rate_bps = 4000000, .queue_bytes = 20000 }, 1);
	/* 12 Mbit/s are offered for a second. */
	for (uint64_t t = 0; t < 1000000; t += 1000)
		bytes += link_send(&link, t, 1500).copies * 1500;
	assert_in_range(bytes, 500000, 500000 + 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_send_on_an_ideal_link_delivers_at_once),
		cmocka_unit_test(link_send_adds_the_delay_and_nothing_else),
		cmocka_unit_test(link_send_is_the_same_for_the_same_seed),
		cmocka_unit_test(link_send_loses_as_often_as_it_was_told),
		cmocka_unit_test(link_send_loses_all_or_nothing_at_the_ends),
		cmocka_unit_test(link_send_loses_packets_independently),
		cmocka_unit_test(link_send_duplicates_as_often_as_it_was_told),
		cmocka_unit_test(link_send_decides_the_same_losses_whatever_else_is_set),
		cmocka_unit_test(link_send_spreads_jitter_over_its_whole_range),
		cmocka_unit_test(link_send_never_reorders_by_jitter_alone),
		cmocka_unit_test(link_send_lets_others_overtake_a_reordered_packet),
		cmocka_unit_test(link_send_takes_as_long_as_the_rate_says),
		cmocka_unit_test(link_send_is_late_by_a_fraction_rather_than_early),
		cmocka_unit_test(link_send_delays_from_when_the_last_bit_has_left),
		cmocka_unit_test(link_send_is_exact_over_many_packets_at_a_high_rate),
		cmocka_unit_test(link_send_drops_what_does_not_fit_the_queue),
		cmocka_unit_test(link_send_takes_any_packet_when_it_is_idle),
		cmocka_unit_test(link_send_passes_no_more_than_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

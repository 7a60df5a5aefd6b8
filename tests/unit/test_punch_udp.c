// SPDX-License-Identifier: GPL-2.0-or-later
/* Hole punching over UDP, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/toy_pair.h"

static const uint64_t at_once[2] = { 0, 0 };

struct kind {
	const char *name;
	bool present;
	enum toy_dependence mapping, filtering;
	enum toy_ports ports;
};

static const struct kind kinds[] = {
	{ "open", false, TOY_INDEPENDENT, TOY_INDEPENDENT, TOY_PRESERVE },
	{ "full cone", true, TOY_INDEPENDENT, TOY_INDEPENDENT, TOY_PRESERVE },
	{ "restricted", true, TOY_INDEPENDENT, TOY_ADDRESS, TOY_RANDOM },
	{ "port-restricted", true, TOY_INDEPENDENT, TOY_ADDRESS_AND_PORT, TOY_SEQUENTIAL },
	{ "symmetric", true, TOY_ADDRESS_AND_PORT, TOY_ADDRESS_AND_PORT, TOY_SEQUENTIAL },
	{ "random", true, TOY_ADDRESS_AND_PORT, TOY_ADDRESS_AND_PORT, TOY_RANDOM },
	{ "lax symmetric", true, TOY_ADDRESS_AND_PORT, TOY_ADDRESS, TOY_RANDOM },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void set_kind(struct toy_pair *p, int host, const struct kind *k)
{
	if (k->present)
		toy_set_nat(p->w, host, k->mapping, k->filtering, k->ports);
}

/* sim/model/oracle.c has the reasons. */
static bool passes(const struct kind *x, const struct kind *y)
{
	bool exact = y->mapping == TOY_INDEPENDENT;

	return y->filtering == TOY_INDEPENDENT || (exact && y->filtering == TOY_ADDRESS) ||
	       (exact && x->mapping == TOY_INDEPENDENT);
}

static struct toy_pair *pair_behind(size_t a, size_t b, uint64_t seed)
{
	struct toy_pair *p = toy_pair_new(seed);

	set_kind(p, TOY_A, &kinds[a]);
	set_kind(p, TOY_B, &kinds[b]);
	return p;
}

#define PORT_RESTRICTED 3u
#define SYMMETRIC       4u
#define RESTRICTED      2u

static void punching_over_udp_connects_where_theory_says_so(void **state)
{
	static const uint64_t skews[][2] = { { 0, 0 }, { 0, 20000 }, { 700000, 0 } };

	(void)state;
	for (size_t n = 0; n < KINDS * KINDS * 3; n++) {
		size_t a = n / 3 / KINDS, b = n / 3 % KINDS;
		struct toy_pair *p = pair_behind(a, b, n);

		toy_pair_start(p, false, skews[n % 3]);
		toy_run(p->w, 60000000);
		bool expected = passes(&kinds[a], &kinds[b]) || passes(&kinds[b], &kinds[a]);
		if (toy_pair_agree(p) != expected)
			fail_msg("%s with %s: %d expected", kinds[a].name, kinds[b].name, expected);
		toy_pair_free(p);
	}
}

/* Between routers that need everything to be right. Runs once for each packet there is. */
static void any_one_packet_between_the_peers_may_be_lost(void **state)
{
	static const size_t pairs[][2] = { { PORT_RESTRICTED, PORT_RESTRICTED },
					   { RESTRICTED, SYMMETRIC },
					   { SYMMETRIC, RESTRICTED },
					   { 0, SYMMETRIC },
					   { 0, 0 } };

	(void)state;
	for (size_t n = 0; n < sizeof(pairs) / sizeof(pairs[0]); n++) {
		uint64_t count = 1;

		for (uint64_t lost = 0; lost <= count; lost++) {
			struct toy_pair *p = pair_behind(pairs[n][0], pairs[n][1], 1);

			p->w->lose_at = lost;
			toy_pair_start(p, false, at_once);
			toy_run(p->w, 60000000);
			if (!toy_pair_agree(p))
				fail_msg("pair %zu without packet %d", n, (int)lost);
			/* Another round, and lingering if the goodbye is lost. */
			assert_true(p->peers[0].connected_us - p->peers[0].go_us < 200000);
			assert_true(p->peers[1].connected_us - p->peers[1].go_us < 200000);
			if (lost == 0)
				count = p->w->count;
			toy_pair_free(p);
		}
		assert_in_range(count, 5, 40);
	}
}

static void the_peers_agree_though_three_packets_in_ten_are_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct toy_pair *p = pair_behind(PORT_RESTRICTED, RESTRICTED, seed);

		p->w->loss = 0.3;
		p->w->jitter_us = 20000;
		toy_pair_start(p, false, at_once);
		toy_run(p->w, 60000000);
		if (!toy_pair_agree(p))
			fail_msg("seed %d", (int)seed);
		toy_pair_free(p);
	}
}

/* The time may be up at any moment of the handshake. */
static void giving_up_in_the_middle_never_divides_the_peers(void **state)
{
	unsigned connected = 0;

	(void)state;
	for (uint64_t give_up_us = 1000; give_up_us < 1200000; give_up_us += 3000) {
		struct toy_pair *p = pair_behind(PORT_RESTRICTED, PORT_RESTRICTED, 1);

		p->w->hosts[give_up_us % 2000 == 0 ? TOY_A : TOY_B].delay_us = 100000;
		toy_pair_start(p, false, at_once);
		p->peers[0].config.give_up_us = p->peers[1].config.give_up_us = give_up_us;
		toy_run(p->w, 60000000);
		connected += toy_pair_agree(p);
		toy_pair_free(p);
	}
	assert_in_range(connected, 100, 390);
}

static void a_path_of_600_ms_and_an_uneven_one_connect(void **state)
{
	static const uint64_t delays_us[][2] = { { 150000, 150000 },
						 { 1000, 299000 },
						 { 299000, 1000 } };

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		struct toy_pair *p = pair_behind(PORT_RESTRICTED, PORT_RESTRICTED, 1);

		p->w->hosts[TOY_A].delay_us = delays_us[n][0];
		p->w->hosts[TOY_B].delay_us = delays_us[n][1];
		toy_pair_start(p, false, at_once);
		toy_run(p->w, 60000000);
		assert_true(toy_pair_agree(p));
		/* One round-trip for the nonce and half a one for the nomination. */
		assert_true(p->peers[0].connected_us - p->peers[0].go_us < 2000000);
		toy_pair_free(p);
	}
}

/* What each sends before its time is up. */
static bool nothing_is_early(void *arg, const struct toy_world *w, const struct toy_packet *packet)
{
	const struct toy_pair *p = arg;

	if (packet->host != TOY_SERVER && !toy_is_server(packet->to))
		assert_true(p->peers[packet->host].go_us != 0 &&
			    w->now_us >= p->peers[packet->host].go_us);
	return false;
}

static void who_holds_back_says_nothing_and_connects_afterwards(void **state)
{
	static const uint64_t late_us[2] = { 0, 1000000 };

	(void)state;
	for (size_t b = 0; b < KINDS; b++) {
		struct toy_pair *p = pair_behind(1, b, 1);

		p->w->lose = nothing_is_early;
		p->w->arg = p;
		toy_pair_start(p, false, late_us);
		toy_run(p->w, 60000000);
		assert_true(toy_pair_agree(p));
		assert_in_range(p->peers[1].connected_us - p->peers[1].go_us, 0, 200000);
		toy_pair_free(p);
	}
}

/* From the moment 'a' has nominated a path nothing gets through, for as long as the test says. */
struct blackout {
	const struct punch *a;
	uint64_t begin_us, length_us;
};

static bool it_is_dark(void *arg, const struct toy_world *w, const struct toy_packet *packet)
{
	struct blackout *dark = arg;

	if (dark->begin_us == 0 && dark->a->handshake.state == HANDSHAKE_NOMINATED)
		dark->begin_us = w->now_us;
	return packet->host != TOY_SERVER && !toy_is_server(packet->to) && dark->begin_us != 0 &&
	       w->now_us - dark->begin_us < dark->length_us;
}

static void a_nomination_survives_seconds_of_silence(void **state)
{
	(void)state;
	for (uint64_t length_us = 10000; length_us < 9000000; length_us += 200000) {
		struct toy_pair *p = pair_behind(RESTRICTED, SYMMETRIC, 1);
		struct blackout dark = { .a = &p->peers[0], .length_us = length_us };

		p->w->lose = it_is_dark;
		p->w->arg = &dark;
		toy_pair_start(p, false, at_once);
		toy_run(p->w, 60000000);
		assert_true(dark.begin_us != 0);
		assert_true(toy_pair_agree(p));
		assert_true(p->peers[0].connected_us - dark.begin_us < length_us + 200000);
		toy_pair_free(p);
	}
}

static void nothing_connects_to_nobody(void **state)
{
	struct toy_pair *p = pair_behind(PORT_RESTRICTED, PORT_RESTRICTED, 1);

	(void)state;
	p->w->loss = 1;
	toy_pair_start(p, false, at_once);
	toy_run(p->w, 60000000);
	assert_false(toy_pair_agree(p));
	assert_string_equal(p->peers[0].reason, "nothing from the peer came in");
	/* Two candidates, 20 times a second, 10 seconds. */
	assert_in_range(p->peers[0].sent, 396, 404);
	assert_int_equal(p->peers[0].sent, p->w->hosts[TOY_A].sent);
	assert_int_equal(p->w->hosts[TOY_A].done_us - p->peers[0].go_us, TOY_GIVE_UP_US);
	toy_pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(punching_over_udp_connects_where_theory_says_so),
		cmocka_unit_test(any_one_packet_between_the_peers_may_be_lost),
		cmocka_unit_test(the_peers_agree_though_three_packets_in_ten_are_lost),
		cmocka_unit_test(giving_up_in_the_middle_never_divides_the_peers),
		cmocka_unit_test(a_path_of_600_ms_and_an_uneven_one_connect),
		cmocka_unit_test(who_holds_back_says_nothing_and_connects_afterwards),
		cmocka_unit_test(a_nomination_survives_seconds_of_silence),
		cmocka_unit_test(nothing_connects_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Hole punching over UDP. */
#include "sim/model/oracle.h"
#include "tests/twin_pair.h"

static const uint64_t at_once[2] = { 0, 0 };

static const struct kind {
	const char *name, *nat;
} kinds[] = {
	{ "open", NULL },
	{ "full cone", NAT(EI, EI, "preserve") },
	{ "restricted", NAT(EI, AD, "random") },
	{ "port-restricted", NAT(EI, APD, "sequential") },
	{ "symmetric", NAT(APD, APD, "sequential") },
	{ "random", NAT(APD, APD, "random") },
	{ "lax symmetric", NAT(APD, AD, "random") },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct twin_pair *pair_behind(size_t a, size_t b, uint64_t seed)
{
	return pair_new(&(struct pair_config){ .seed = seed,
					       .nats = { kinds[a].nat, kinds[b].nat },
					       .delays_us = { 5000, 5000, 5000 } });
}

static struct twin_pair *pair_far_apart(uint64_t a_us, uint64_t b_us)
{
	const char *nat = NAT(EI, APD, "sequential");

	return pair_new(&(struct pair_config){
		.seed = 1, .nats = { nat, nat }, .delays_us = { a_us, b_us, 5000 } });
}

/* What theory says of two of the kinds. */
static bool is_to_connect(size_t a, size_t b)
{
	struct nat_model models[2];
	const size_t both[2] = { a, b };

	for (size_t i = 0; i < 2; i++)
		pair_parse_model(kinds[both[i]].nat != NULL ? kinds[both[i]].nat
							    : "mapping: none\nfiltering: " EI "\n",
				 &models[i]);
	double rate = oracle_rate(&models[0], &models[1], "udp", "punch");
	assert_true(rate <= 0 || rate >= 1);
	assert_true(rate >= 0);
	nat_model_fini(&models[0]);
	nat_model_fini(&models[1]);
	return rate >= 1;
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
		struct twin_pair *p = pair_behind(a, b, n);

		pair_start(p, false, skews[n % 3]);
		pair_run(p, PAIR_LONG_US);
		bool expected = is_to_connect(a, b);
		if (pair_agree(p) != expected)
			fail_msg("%s with %s: %d expected", kinds[a].name, kinds[b].name, expected);
		pair_free(p);
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
			struct twin_pair *p = pair_behind(pairs[n][0], pairs[n][1], 1);

			p->lose_at = lost;
			pair_start(p, false, at_once);
			pair_run(p, PAIR_LONG_US);
			if (!pair_agree(p))
				fail_msg("pair %zu without packet %d", n, (int)lost);
			/* Another round, and lingering if the goodbye is lost. */
			assert_true(p->peers[0].course.connected_us - p->peers[0].course.go_us <
				    200000);
			assert_true(p->peers[1].course.connected_us - p->peers[1].course.go_us <
				    200000);
			if (lost == 0)
				count = p->count;
			pair_free(p);
		}
		assert_in_range(count, 5, 40);
	}
}

static void the_peers_agree_though_three_packets_in_ten_are_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct twin_pair *p = pair_new(&(struct pair_config){
			.seed = seed,
			.nats = { kinds[PORT_RESTRICTED].nat, kinds[RESTRICTED].nat },
			.delays_us = { 5000, 5000, 5000 },
			.reorder = 0.3 });

		p->loss = 0.3;
		pair_start(p, false, at_once);
		pair_run(p, PAIR_LONG_US);
		if (!pair_agree(p))
			fail_msg("seed %d", (int)seed);
		pair_free(p);
	}
}

/* The time may be up at any moment of the handshake. */
static void giving_up_in_the_middle_never_divides_the_peers(void **state)
{
	unsigned connected = 0;

	(void)state;
	for (uint64_t give_up_us = 1000; give_up_us < 1200000; give_up_us += 3000) {
		bool a_is_far = give_up_us % 2000 == 0;
		struct twin_pair *p =
			pair_far_apart(a_is_far ? 100000 : 5000, a_is_far ? 5000 : 100000);

		pair_start(p, false, at_once);
		p->peers[0].course.config.give_up_us = p->peers[1].course.config.give_up_us =
			give_up_us;
		pair_run(p, PAIR_LONG_US);
		connected += pair_agree(p);
		pair_free(p);
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
		struct twin_pair *p = pair_far_apart(delays_us[n][0], delays_us[n][1]);

		pair_start(p, false, at_once);
		pair_run(p, PAIR_LONG_US);
		assert_true(pair_agree(p));
		/* One round-trip for the nonce and half a one for the nomination. */
		assert_true(p->peers[0].course.connected_us - p->peers[0].course.go_us < 2000000);
		pair_free(p);
	}
}

/* It takes a packet as long as the access link to get to the middle. */
static bool nothing_is_early(void *arg, uint64_t now_us, const struct twin_packet *packet)
{
	const struct twin_pair *p = arg;

	if (!pair_is_between_peers(packet))
		return false;
	const struct punch *sender = &p->peers[packet->from.addr - PAIR_OUTSIDE_ADDR(PAIR_A)];
	assert_true(sender->course.go_us != 0 && now_us >= sender->course.go_us + 5000);
	return false;
}

static void who_holds_back_says_nothing_and_connects_afterwards(void **state)
{
	static const uint64_t late_us[2] = { 0, 1000000 };

	(void)state;
	for (size_t b = 0; b < KINDS; b++) {
		struct twin_pair *p = pair_behind(1, b, 1);

		p->lose = nothing_is_early;
		p->lose_arg = p;
		pair_start(p, false, late_us);
		pair_run(p, PAIR_LONG_US);
		assert_true(pair_agree(p));
		assert_in_range(p->peers[1].course.connected_us - p->peers[1].course.go_us, 0,
				200000);
		pair_free(p);
	}
}

/* From the moment 'a' has nominated a path nothing gets through, for as long as the test says. */
struct blackout {
	const struct punch *a;
	uint64_t begin_us, length_us;
};

static bool it_is_dark(void *arg, uint64_t now_us, const struct twin_packet *packet)
{
	struct blackout *dark = arg;

	if (dark->begin_us == 0 && dark->a->course.handshake.state == HANDSHAKE_NOMINATED)
		dark->begin_us = now_us;
	return pair_is_between_peers(packet) && dark->begin_us != 0 &&
	       now_us - dark->begin_us < dark->length_us;
}

static void a_nomination_survives_seconds_of_silence(void **state)
{
	(void)state;
	for (uint64_t length_us = 10000; length_us < 9000000; length_us += 200000) {
		struct twin_pair *p = pair_behind(RESTRICTED, SYMMETRIC, 1);
		struct blackout dark = { .a = &p->peers[0], .length_us = length_us };

		p->lose = it_is_dark;
		p->lose_arg = &dark;
		pair_start(p, false, at_once);
		pair_run(p, PAIR_LONG_US);
		assert_true(dark.begin_us != 0);
		assert_true(pair_agree(p));
		assert_true(p->peers[0].course.connected_us - dark.begin_us < length_us + 200000);
		pair_free(p);
	}
}

static void nothing_connects_to_nobody(void **state)
{
	struct twin_pair *p = pair_behind(PORT_RESTRICTED, PORT_RESTRICTED, 1);

	(void)state;
	p->loss = 1;
	pair_start(p, false, at_once);
	pair_run(p, PAIR_LONG_US);
	assert_false(pair_agree(p));
	assert_string_equal(p->peers[0].course.reason, "nothing from the peer came in");
	/* Two candidates, 20 times a second, 10 seconds. */
	assert_in_range(p->peers[0].course.sent, 396, 404);
	assert_int_equal(p->peers[0].course.sent, p->hosts[PAIR_A].sent);
	assert_int_equal(p->hosts[PAIR_A].done_us - p->peers[0].course.go_us, PAIR_GIVE_UP_US);
	pair_free(p);
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

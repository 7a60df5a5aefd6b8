// SPDX-License-Identifier: GPL-2.0-or-later
/* Hole punching over TCP, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/toy_pair.h"

static const uint64_t at_once[2] = { 0, 0 };

static struct toy_pair *pair_behind(enum toy_dependence mapping_a, enum toy_dependence filtering_a,
				    enum toy_dependence mapping_b, enum toy_dependence filtering_b)
{
	struct toy_pair *p = toy_pair_new(1);

	toy_set_nat(p->w, TOY_A, mapping_a, filtering_a, TOY_SEQUENTIAL);
	toy_set_nat(p->w, TOY_B, mapping_b, filtering_b, TOY_RANDOM);
	return p;
}

static struct toy_pair *port_restricted_pair(void)
{
	return pair_behind(TOY_INDEPENDENT, TOY_ADDRESS_AND_PORT, TOY_INDEPENDENT,
			   TOY_ADDRESS_AND_PORT);
}

static void run(struct toy_pair *p, const uint64_t late_us[static 2])
{
	toy_pair_start(p, true, late_us);
	toy_run(p->w, 60000000);
}

/* For every pair of routers, and with SYNs that cross, hit a closed filter, or are late. */
static void punching_over_tcp_connects_where_theory_says_so(void **state)
{
	static const uint64_t skews[][2] = { { 0, 0 }, { 0, 4000 }, { 20000, 0 }, { 0, 500000 } };
	static const enum toy_dependence kinds[][2] = {
		{ TOY_INDEPENDENT, TOY_INDEPENDENT },
		{ TOY_INDEPENDENT, TOY_ADDRESS },
		{ TOY_INDEPENDENT, TOY_ADDRESS_AND_PORT },
		{ TOY_ADDRESS_AND_PORT, TOY_ADDRESS_AND_PORT },
	};

	(void)state;
	for (size_t n = 0; n < 4 * 4 * 4; n++) {
		const enum toy_dependence *a = kinds[n / 16], *b = kinds[n / 4 % 4];
		struct toy_pair *p = pair_behind(a[0], a[1], b[0], b[1]);
		bool hopeless = (a[0] != TOY_INDEPENDENT && b[1] == TOY_ADDRESS_AND_PORT) ||
				(b[0] != TOY_INDEPENDENT && a[1] == TOY_ADDRESS_AND_PORT);

		run(p, skews[n % 4]);
		if (toy_pair_agree(p) == hopeless)
			fail_msg("kinds %zu and %zu, skew %zu", n / 16, n / 4 % 4, n % 4);
		toy_pair_free(p);
	}
}

static void any_one_segment_between_the_peers_may_be_lost(void **state)
{
	static const uint64_t skews[][2] = { { 0, 0 }, { 0, 4000 }, { 30000, 0 } };

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		uint64_t count = 1;

		for (uint64_t lost = 0; lost <= count; lost++) {
			struct toy_pair *p = port_restricted_pair();

			p->w->lose_at = lost;
			run(p, skews[n]);
			if (!toy_pair_agree(p))
				fail_msg("skew %zu without segment %d", n, (int)lost);
			if (lost == 0)
				count = p->w->count;
			toy_pair_free(p);
		}
		assert_in_range(count, 8, 40);
	}
}

static void tcp_peers_agree_though_two_segments_in_ten_are_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct toy_pair *p = port_restricted_pair();

		p->w->loss = 0.2;
		prng_init(&p->w->prng, seed);
		run(p, at_once);
		if (!toy_pair_agree(p))
			fail_msg("seed %d", (int)seed);
		toy_pair_free(p);
	}
}

/* On the uneven paths one side's way to the rendezvous says nothing of the way to the peer. */
static void tcp_connects_over_600_ms_and_over_uneven_paths(void **state)
{
	static const uint64_t delays_us[][2] = { { 150000, 150000 },
						 { 1000, 299000 },
						 { 299000, 1000 } };
	static const uint64_t skews[][2] = { { 0, 0 }, { 0, 90000 }, { 400000, 0 } };

	(void)state;
	for (size_t n = 0; n < 9; n++) {
		struct toy_pair *p = port_restricted_pair();

		p->w->hosts[TOY_A].delay_us = delays_us[n / 3][0];
		p->w->hosts[TOY_B].delay_us = delays_us[n / 3][1];
		run(p, skews[n % 3]);
		if (!toy_pair_agree(p))
			fail_msg("path %zu, skew %zu", n / 3, n % 3);
		toy_pair_free(p);
	}
}

/* Somebody else listens on b's port: its connects alone have to do. */
static void a_peer_that_cannot_listen_still_connects(void **state)
{
	struct toy_pair *p = port_restricted_pair();

	(void)state;
	toy_pair_start(p, true, at_once);
	p->peers[1].introduce.config.local.port = 5000;
	(void)toy_socket_new(&p->w->hosts[TOY_B],
			     (struct toy_socket){ .state = TOY_LISTENER,
						  .id = 99,
						  .local = { toy_addr(p->w, TOY_B), 5000 } });
	toy_run(p->w, 60000000);
	assert_true(toy_pair_agree(p));
	assert_false(p->peers[1].listening);
	toy_pair_free(p);
}

static void tcp_attempts_that_fail_are_few(void **state)
{
	struct toy_pair *p = port_restricted_pair();

	(void)state;
	p->w->loss = 1;
	run(p, at_once);
	assert_false(toy_pair_agree(p));
	/* Two candidates; 0.1 s and half as much more each time: the tenth ends after 11 s. */
	assert_int_equal(p->peers[0].sent, 20);
	assert_int_equal(p->peers[0].sent, p->w->hosts[TOY_A].sent);
	toy_pair_free(p);
}

static void nothing_is_left_open_after_tcp_punching(void **state)
{
	struct toy_pair *p = port_restricted_pair();

	(void)state;
	run(p, at_once);
	assert_true(toy_pair_agree(p));
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < TOY_SOCKETS_MAX; k++)
			assert_int_equal(p->w->hosts[i].sockets[k].state, TOY_FREE);
	toy_pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(punching_over_tcp_connects_where_theory_says_so),
		cmocka_unit_test(any_one_segment_between_the_peers_may_be_lost),
		cmocka_unit_test(tcp_peers_agree_though_two_segments_in_ten_are_lost),
		cmocka_unit_test(tcp_connects_over_600_ms_and_over_uneven_paths),
		cmocka_unit_test(a_peer_that_cannot_listen_still_connects),
		cmocka_unit_test(tcp_attempts_that_fail_are_few),
		cmocka_unit_test(nothing_is_left_open_after_tcp_punching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

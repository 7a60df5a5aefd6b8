// SPDX-License-Identifier: GPL-2.0-or-later
/* Theory of punching between drawn ports, and of the relay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/model/oracle.h"

static struct nat_model model_of(enum nat_behavior mapping, enum nat_behavior filtering)
{
	struct nat_of of = { .mapping = mapping, .filtering = filtering };

	return (struct nat_model){ .translates = true, .of = { of, of }, .pool = { .count = 1 } };
}

static struct nat_model with_unsolicited(struct nat_model m, enum nat_unsolicited unsolicited)
{
	m.of[NAT_UDP].unsolicited = m.of[NAT_TCP].unsolicited = unsolicited;
	return m;
}

static struct nat_model with_choice(struct nat_model m, enum nat_port_choice choose, uint16_t first,
				    uint16_t last)
{
	m.of[NAT_UDP].choose = m.of[NAT_TCP].choose = choose;
	m.ports.first = first;
	m.ports.last = last;
	return m;
}

static bool is_about(double rate, double expected)
{
	return rate > expected - 1e-9 && rate < expected + 1e-9;
}

static void drawn_ports_connect_routers_that_keep_them_whatever_they_map(void **state)
{
	static const enum nat_behavior all[] = { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT,
						 NAT_ADDRESS_AND_PORT_DEPENDENT };
	static const double by_chance = 1.0 / 64512;

	(void)state;
	for (int t = 0; t < 2; t++) {
		const char *transport = t == 0 ? "udp" : "tcp";

		for (int i = 0; i < 9; i++) {
			struct nat_model m = model_of(all[i / 3], all[i % 3]);
			struct nat_model keeps = with_choice(m, NAT_PORTS_PRESERVE, 1, 65535);
			struct nat_model draws = with_choice(m, NAT_PORTS_RANDOM, 1024, 65535);
			/* All but once in 64512 that the port is that of the meeting. */
			double k = i < 3 ? 1 : 1 - by_chance;
			double one = i % 3 == 2 ? k * by_chance : k;

			assert_true(is_about(oracle_rate(&draws, &draws, transport, "preserve"),
					     i % 3 == 2 ? by_chance * by_chance
							: 2 * by_chance - by_chance * by_chance));
			assert_true(is_about(oracle_rate(&keeps, &draws, transport, "preserve"),
					     i % 3 == 2 ? one : k + (1 - k) * by_chance));
			assert_true(oracle_rate(&keeps, &draws, transport, "preserve") ==
				    oracle_rate(&draws, &keeps, transport, "preserve"));
			assert_true(oracle_rate(&keeps, &keeps, transport, "preserve") >= k * k);
		}
	}
}

static void drawn_ports_outside_the_range_or_at_another_address_miss(void **state)
{
	struct nat_model cone =
		with_choice(model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT),
			    NAT_PORTS_PRESERVE, 1024, 65535);
	struct nat_model half = with_choice(cone, NAT_PORTS_PRESERVE, 33280, 65535);
	struct nat_model low = with_choice(cone, NAT_PORTS_PRESERVE, 1, 1023);
	struct nat_model pool = cone, lax = cone;

	(void)state;
	pool.pool.count = 4;
	lax.of[NAT_UDP].filtering = NAT_ADDRESS_DEPENDENT;
	assert_true(oracle_rate(&cone, &cone, "udp", "preserve") == 1);
	assert_true(is_about(oracle_rate(&cone, &half, "udp", "preserve"), 0.5));
	assert_true(is_about(oracle_rate(&half, &half, "udp", "preserve"), 0.25));
	assert_true(is_about(oracle_rate(&lax, &half, "udp", "preserve"), 1));
	assert_true(oracle_rate(&cone, &low, "udp", "preserve") == 0);
	assert_true(is_about(oracle_rate(&cone, &pool, "udp", "preserve"), 0.25));
	assert_true(is_about(oracle_rate(&lax, &pool, "udp", "preserve"), 0.25));
	pool.pool.paired = true;
	assert_true(oracle_rate(&cone, &pool, "udp", "preserve") == 1);
}

static void drawn_ports_are_knocked_at_before_they_are_open(void **state)
{
	struct nat_model cone =
		with_choice(model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT),
			    NAT_PORTS_PRESERVE, 1024, 65535);
	struct nat_model touchy = with_unsolicited(cone, NAT_UNSOLICITED_BLOCK);
	struct nat_model hard = with_choice(touchy, NAT_PORTS_SEQUENTIAL, 1024, 65535);

	(void)state;
	assert_true(oracle_rate(&cone, &touchy, "udp", "preserve") < 0);
	assert_true(oracle_rate(&touchy, &cone, "tcp", "preserve") < 0);
	assert_true(is_about(oracle_rate(&cone, &hard, "udp", "preserve"), 1.0 / 64512));
}

static void the_relay_connects_whoever_reaches_the_server(void **state)
{
	struct nat_model hard = with_unsolicited(
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT),
		NAT_UNSOLICITED_BLOCK);
	struct nat_model no_udp = hard;

	(void)state;
	no_udp.blocked = NAT_BLOCKS_UDP;
	assert_true(oracle_rate(&hard, &hard, "udp", "relay") == 1);
	assert_true(oracle_rate(&hard, &hard, "tcp", "relay") == 1);
	assert_true(oracle_rate(&hard, &no_udp, "udp", "relay") == 0);
	assert_true(oracle_rate(&no_udp, &hard, "tcp", "relay") == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn_ports_connect_routers_that_keep_them_whatever_they_map),
		cmocka_unit_test(drawn_ports_outside_the_range_or_at_another_address_miss),
		cmocka_unit_test(drawn_ports_are_knocked_at_before_they_are_open),
		cmocka_unit_test(the_relay_connects_whoever_reaches_the_server),
	};

	return cmocka_run_group_tests_name("oracle of drawn ports", tests, NULL, NULL);
}

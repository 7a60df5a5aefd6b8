// SPDX-License-Identifier: GPL-2.0-or-later
/* Which outside ports and addresses a router of the twin gives, and when it gives none. */
#include "sim/experiment/statistics.h"
#include "tests/twin_nat.h"

static struct endpoint host(unsigned n, unsigned port)
{
	return (struct endpoint){ 0x0a010000 + n, (uint16_t)port };
}

/* ---- random ports */

#define CELLS       64u
/* Of a test that fails by chance; the seed is fixed, so it fails always or never. */
#define FALSE_ALARM 1e-3

/* first + step * (0 .. count-1) is the range that ports of a host are drawn from. */
static double chi_squared(const char *model, unsigned inside_port, unsigned first, unsigned step,
			  unsigned count)
{
	unsigned counts[CELLS] = { 0 };
	double expected = 20000.0 / CELLS, sum = 0;
	struct bench b;

	bench_open(&b, model, TWIN_UDP);
	for (int i = 0; i < 20000; i++) {
		twin_nat_reset(&b.nat, prng_derive(1, (uint64_t)i, 0));
		unsigned port = bench_map(&b, host(2, inside_port), SERVER).port;

		CHECK(&b, port >= first && (port - first) % step == 0);
		CHECK(&b, (port - first) / step < count);
		counts[(uint64_t)(port - first) / step * CELLS / count]++;
	}
	for (unsigned i = 0; i < CELLS; i++)
		sum += (counts[i] - expected) * (counts[i] - expected) / expected;
	bench_close(&b);
	return sum;
}

static void random_ports_are_uniform_over_their_range(void **state)
{
	static const struct {
		const char *model;
		unsigned inside_port, first, step, count;
		bool uniform;
	} cases[] = {
		{ EIM APDF "ports: { choose: random }\n", 5000, 1024, 1, 64512, true },
		{ APDM EIF "ports: { choose: random, range: [2000, 33999] }\n", 5000, 2000, 1,
		  32000, true },
		{ EIM APDF "ports: { choose: preserve, on_clash: random }\n", 80, 1024, 1, 64512,
		  true },
		{ EIM APDF "ports: { choose: preserve, on_clash: random }\n", 5000, 1024, 1, 64512,
		  false },
		{ EIM APDF "ports: { choose: block, block: 6400 }\n", 5000, 1024, 1, 6400, true },
		{ EIM APDF "ports: { choose: random, parity: yes, range: [2001, 5200] }\n", 5000,
		  2002, 2, 1600, true },
		{ EIM APDF "ports: { choose: random, parity: yes, range: [2001, 5200] }\n", 5001,
		  2001, 2, 1600, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double sum = chi_squared(cases[i].model, cases[i].inside_port, cases[i].first,
					 cases[i].step, cases[i].count);

		if ((statistics_chi_squared_p(sum, CELLS - 1) > FALSE_ALARM) != cases[i].uniform)
			fail_msg("%f, with\n%s", sum, cases[i].model);
	}
}

/* A packet that draws a port in use is dropped, and the next one draws again. */
static void a_draw_that_hits_a_port_in_use_is_lost(void **state)
{
	unsigned lost = 0;
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF "ports: { choose: random, range: [2000, 2099] }\n", TWIN_UDP);
	for (unsigned i = 0; i < 50; i++)
		(void)bench_map(&b, host(2, 5000 + i), SERVER);
	/* Towards another server, so that the kernel's own search does not help. */
	for (unsigned i = 0; i < 1000; i++) {
		lost += endpoint_is_none(
			bench_send(&b, host(3, 5000), with_port(SERVER_ALT, 1 + i)));
		twin_table_clear(&b.nat.mapping_of);
		twin_table_remove(&b.nat.owner_of, twin_port_key(TWIN_UDP, b.packet.from.port));
		twin_table_clear(&b.nat.claims);
	}
	/* Half of them, within five standard deviations. */
	CHECK(&b, lost > 500 - 79 && lost < 500 + 79);
	bench_close(&b);
}

/* ---- sequential ports */

static void check_sequence(const char *model, int first, int step, int count)
{
	struct bench b;
	int place = -1;

	bench_open(&b, model, TWIN_UDP);
	for (int i = 0; i < 3 * count; i++) {
		/* Each mapping has ended when its port's turn comes again. UDP and TCP share one
		 * counter, and hosts too. */
		b.now_us += SECONDS(120);
		b.protocol = i % 3 == 0 ? TWIN_TCP : TWIN_UDP;
		int port = bench_send(&b, host(2 + (unsigned)i % 7, 3000), SERVER).port;

		CHECK_EQUAL(&b, (port - first) % step, 0);
		CHECK(&b, (port - first) / step >= 0 && (port - first) / step < count);
		if (place >= 0)
			CHECK_EQUAL(&b, (port - first) / step, (place + 1) % count);
		place = (port - first) / step;
	}
	bench_close(&b);
}

static void sequential_ports_follow_one_another_and_wrap(void **state)
{
#define LIFE "timeouts: { udp: 100s, tcp_transitory: 100s }\n"
	(void)state;
	check_sequence(APDM APDF LIFE "ports: { choose: sequential, range: [6000, 6330] }\n", 6000,
		       1, 331);
	check_sequence(EIM APDF LIFE "ports: { choose: sequential, range: [6000, 6330], step: -2 "
				     "}\n",
		       6330, -2, 166);
	check_sequence(EIM APDF LIFE
		       "ports: { choose: sequential, range: [6000, 6330], step: 5 }\n",
		       6000, 5, 67);
	check_sequence(EIM APDF LIFE "ports: { choose: sequential, range: [2000, 9000] }\n", 2000,
		       1, 7001);
	check_sequence(EIM APDF LIFE "ports: { choose: preserve, on_clash: sequential, range: "
				     "[6000, 6330] }\n",
		       6000, 1, 331);
}

/* Seven ports in use are passed over; behind them the packet is lost, and the next goes on there.
 */
static void ports_in_use_are_passed_over(void **state)
{
	struct bench b;

	(void)state;
	for (unsigned used = 1; used <= 16; used++) {
		unsigned lost = 0;

		bench_open(&b, EIM APDF "ports: { choose: sequential, range: [6000, 6031] }\n",
			   TWIN_UDP);
		unsigned first = bench_send(&b, host(2, 3000), SERVER).port - 6000u;
		for (unsigned i = 1; i < used; i++)
			(void)bench_send(&b, host(2, 3000 + i), SERVER);
		/* Round to the first once more. */
		b.now_us = SECONDS(119);
		for (unsigned i = 0; i < used; i++)
			(void)bench_send(&b, host(2, 3000 + i), SERVER);
		b.nat.sequence = first;
		while (endpoint_is_none(bench_send(&b, host(3, 3000), SERVER)))
			lost++;
		CHECK_EQUAL(&b, b.packet.from.port, 6000 + (first + used) % 32);
		CHECK_EQUAL(&b, lost, used / 8);
		bench_close(&b);
	}
}

/* ---- clashes */

static void check_clash(const char *what, unsigned inside, unsigned first, unsigned last)
{
	char text[256];
	struct bench b;

	(void)snprintf(text, sizeof(text),
		       EIM APDF "ports: { choose: preserve, on_clash: %s, range: [1, 65535] }\n",
		       what);
	bench_open(&b, text, TWIN_TCP);
	CHECK_EQUAL(&b, bench_send(&b, host(2, inside), SERVER).port, inside);
	for (unsigned i = 0; i < 200; i++) {
		unsigned port = bench_send(&b, host(3 + i, inside), SERVER).port;

		if (last == 0) {
			CHECK_EQUAL(&b, port, 0);
			continue;
		}
		CHECK(&b, port == 0 || (port >= first && port <= last));
		CHECK(&b, port != inside);
	}
	/* Over the other transport it is free. */
	b.protocol = TWIN_UDP;
	CHECK_EQUAL(&b, bench_send(&b, host(3, inside), SERVER).port, inside);
	bench_close(&b);
}

static void a_clash_ends_as_declared(void **state)
{
	(void)state;
	check_clash("random", 300, 1, 65535);
	check_clash("sequential", 300, 1, 65535);
	check_clash("same-class", 300, 1, 511);
	check_clash("same-class", 700, 512, 1023);
	check_clash("same-class", 5000, 1024, 65535);
	check_clash("drop", 5000, 0, 0);
}

static void a_port_out_of_the_range_is_not_preserved(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF "ports: { choose: preserve, range: [2000, 2999] }\n", TWIN_UDP);
	CHECK_EQUAL(&b, bench_map(&b, host(2, 2500), SERVER).port, 2500);
	unsigned port = bench_map(&b, host(2, 5000), SERVER).port;
	CHECK(&b, port >= 2000 && port <= 2999);
	bench_close(&b);
}

/* ---- shares */

/* Both hosts may have so many flows and no more, and neither takes from the other. */
static void check_share(const char *model, unsigned limit)
{
	struct bench b;

	bench_open(&b, model, TWIN_UDP);
	for (unsigned i = 0; i < limit; i++)
		(void)bench_map(&b, host(2, 5000 + i), SERVER);
	for (int i = 0; i < 500; i++)
		CHECK(&b, endpoint_is_none(bench_send(&b, host(2, 9000), SERVER)));
	CHECK(&b, !endpoint_is_none(bench_map(&b, host(3, 9000), SERVER)));
	/* When the time of those is over there is room again. */
	b.now_us = SECONDS(121);
	(void)bench_map(&b, host(2, 9000), SERVER);
	bench_close(&b);
}

static void a_share_runs_out_for_its_subscriber_only(void **state)
{
	(void)state;
	check_share(EIM APDF "ports: { choose: block, block: 16 }\n", 16);
	check_share(APDM APDF "ports: { choose: block, block: 18 }\n", 18);
	check_share(EIM APDF "ports: { choose: block, block: 300 }\n", 300);
	check_share(EIM APDF "ports: { quota: 5 }\n", 5);
	check_share(EIM APDF "ports: { choose: random, quota: 7 }\n", 7);
}

static void a_block_is_that_of_the_inside_address(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF "ports: { choose: block, block: 16, range: [2000, 2047] }\n",
		   TWIN_UDP);
	for (unsigned i = 0; i < 3 * 16; i++) {
		unsigned port = bench_map(&b, host(2 + i / 16, 5000 + i), SERVER).port;

		CHECK(&b, port >= 2000 + i / 16 * 16 && port < 2016 + i / 16 * 16);
	}
	/* There are no more blocks. */
	CHECK(&b, endpoint_is_none(bench_send(&b, host(5, 5000), SERVER)));
	bench_close(&b);
}

static void a_connection_that_has_ended_frees_a_place_of_the_quota(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF "ports: { quota: 1 }\n", TWIN_TCP);
	struct endpoint mapped = bench_connect(&b, host(2, 5000), SERVER);
	CHECK(&b, endpoint_is_none(bench_send(&b, host(2, 5001), SERVER)));
	CHECK(&b, bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_RST, 2001, 0 }));
	CHECK(&b, !endpoint_is_none(bench_send(&b, host(2, 5001), SERVER)));
	bench_close(&b);
}

static void a_flow_that_counts_goes_on(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF "ports: { quota: 1 }\n", TWIN_UDP);
	for (int i = 0; i < 3; i++)
		CHECK(&b, !endpoint_is_none(bench_send(&b, host(2, 5000), SERVER)));
	CHECK(&b, endpoint_is_none(bench_send(&b, host(2, 5000), SERVER_ALT)));
	twin_nat_reset(&b.nat, 1);
	CHECK(&b, !endpoint_is_none(bench_send(&b, host(2, 5000), SERVER_ALT)));
	bench_close(&b);
}

/* What the kernel gives where a rule names no port. */
static void a_port_that_the_kernel_moves_stays_in_its_class(void **state)
{
	static const struct {
		unsigned port, first, last;
	} cases[] = { { 300, 1, 511 }, { 700, 600, 1023 }, { 5000, 1024, 65535 } };

	(void)state;
	for (unsigned i = 0; i < 3 * 400; i++) {
		unsigned port = cases[i % 3].port, moved;
		struct bench b;

		bench_open(&b,
			   EIM APDF "ports: { range: [1, 65535] }\nunsolicited: { udp: accept }\n",
			   TWIN_UDP);
		twin_nat_reset(&b.nat, i);
		(void)bench_send(&b, SERVER, (struct endpoint){ ROUTER_ADDR, (uint16_t)port });
		moved = bench_map(&b, host(2, port), SERVER).port;
		CHECK(&b,
		      moved != port && moved >= cases[i % 3].first && moved <= cases[i % 3].last);
		bench_close(&b);
	}
}

/* ---- pools */

static void a_pool_is_used_as_declared(void **state)
{
	(void)state;
	for (int paired = 0; paired < 2; paired++) {
		unsigned seen[2] = { 0, 0 }, mixed = 0;
		struct bench b;

		bench_open(&b,
			   paired ? EIM EIF "pool: { addresses: 2, pairing: paired }\n"
				  : EIM EIF "pool: { addresses: 2, pairing: arbitrary }\n",
			   TWIN_UDP);
		for (unsigned n = 2; n < 42; n++) {
			unsigned of_host[2] = { 0, 0 };

			for (unsigned i = 0; i < 20; i++) {
				struct endpoint inside = host(n, 5000 + n * 20 + i);
				struct endpoint mapped = bench_map(&b, inside, SERVER);
				struct endpoint other = mapped;

				CHECK(&b, mapped.addr - ROUTER_ADDR < 2);
				of_host[mapped.addr == ROUTER_ADDR]++;
				/* It leads inside on its own address only. */
				other.addr = ROUTER_ADDR + (mapped.addr == ROUTER_ADDR);
				CHECK(&b, bench_reaches(&b, SERVER_ALT, mapped, inside));
				CHECK(&b, !bench_reaches(&b, SERVER_ALT, other, inside));
			}
			seen[0] += of_host[0];
			seen[1] += of_host[1];
			mixed += of_host[0] > 0 && of_host[1] > 0;
		}
		CHECK_EQUAL(&b, mixed, paired ? 0 : 40);
		CHECK(&b, seen[0] > 200 && seen[1] > 200);
		bench_close(&b);
	}
}

/* Which one it is, the kernel's hash says. */
static void a_paired_address_is_that_of_the_lab(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM EIF "pool: { addresses: 7, pairing: paired }\n", TWIN_UDP);
	CHECK_EQUAL(&b, bench_map(&b, host(2, 5000), SERVER).addr, ROUTER_ADDR + 3);
	CHECK_EQUAL(&b, bench_map(&b, host(3, 5000), SERVER).addr, ROUTER_ADDR + 5);
	bench_close(&b);
}

/* ---- overloading */

static void ports_are_shared_only_where_they_are_overloaded(void **state)
{
	static const struct {
		const char *model;
		bool shared;
	} cases[] = { { APDM APDF "ports: { overloading: yes }\n", true }, { APDM APDF, false } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench b;

		bench_open(&b, cases[i].model, TWIN_UDP);
		CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER).port, 5000);
		unsigned port = bench_map(&b, HOST_A2, SERVER_ALT).port;
		CHECK_EQUAL(&b, port == 5000, cases[i].shared);
		CHECK(&b,
		      bench_reaches(&b, SERVER, (struct endpoint){ ROUTER_ADDR, 5000 }, HOST_A));
		CHECK(&b, bench_reaches(&b, SERVER_ALT,
					(struct endpoint){ ROUTER_ADDR, (uint16_t)port }, HOST_A2));
		/* Towards one destination, no port is shared. */
		unsigned moved = bench_map(&b, HOST_A2, SERVER).port;
		CHECK(&b, moved != 5000);
		/* The kernel looks for a port that the host has already. */
		if (cases[i].shared)
			CHECK_EQUAL(&b, bench_map(&b, HOST_A2, SERVER_PORT2).port, moved);
		bench_close(&b);
	}
}

static void overloaded_ports_may_be_random(void **state)
{
	struct bench b;
	bool differ = false;

	(void)state;
	bench_open(&b,
		   APDM APDF "ports: { choose: random, overloading: yes, range: [2000, 2015] }\n",
		   TWIN_UDP);
	/* More than there are ports, to many destinations. */
	for (unsigned i = 0; i < 200; i++) {
		unsigned port = bench_send(&b, HOST_A, with_port(SERVER, 1 + i)).port;

		CHECK(&b, port >= 2000 && port < 2016);
		differ = differ || port != 2000;
	}
	CHECK(&b, differ);
	/* And towards one, as many as there are. */
	for (unsigned i = 0; i < 16; i++)
		CHECK(&b, bench_send(&b, host(2, 6000 + i), SERVER_ALT).port != 0);
	CHECK_EQUAL(&b, bench_send(&b, host(2, 6016), SERVER_ALT).port, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ports_are_uniform_over_their_range),
		cmocka_unit_test(a_draw_that_hits_a_port_in_use_is_lost),
		cmocka_unit_test(sequential_ports_follow_one_another_and_wrap),
		cmocka_unit_test(ports_in_use_are_passed_over),
		cmocka_unit_test(a_clash_ends_as_declared),
		cmocka_unit_test(a_port_out_of_the_range_is_not_preserved),
		cmocka_unit_test(a_share_runs_out_for_its_subscriber_only),
		cmocka_unit_test(a_block_is_that_of_the_inside_address),
		cmocka_unit_test(a_connection_that_has_ended_frees_a_place_of_the_quota),
		cmocka_unit_test(a_flow_that_counts_goes_on),
		cmocka_unit_test(a_port_that_the_kernel_moves_stays_in_its_class),
		cmocka_unit_test(a_pool_is_used_as_declared),
		cmocka_unit_test(a_paired_address_is_that_of_the_lab),
		cmocka_unit_test(ports_are_shared_only_where_they_are_overloaded),
		cmocka_unit_test(overloaded_ports_may_be_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

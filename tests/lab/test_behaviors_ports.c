// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which outside ports and addresses a router gives, and when it gives none: each behaviour in a lab
 * that has it and in one that has not.
 */
#include "tests/behavior_lab.h"

/* ---- a subscriber's share */

/* A flow of a host that must come about, or must not. */
static void check_flow_of(struct behavior_lab *l, struct end inside, struct end server,
			  bool expected)
{
	if (expected)
		(void)map_port(l, inside, server);
	else
		CHECK_ARRIVES(l, inside, server.at, server, false);
}

static void check_flow(struct behavior_lab *l, enum place host, struct end server, bool expected)
{
	check_flow_of(l, udp_at(l, host, 0), server, expected);
}

/* Both hosts may have so many flows and no more, and neither takes from the other; 0: no such limit
 * is met. */
static void check_share(const char *model, unsigned limit)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end server = udp_at(&l, SERVER, 4000);

	for (unsigned i = 0; i < (limit == 0 ? 20 : limit); i++)
		check_flow(&l, HOST_A, server, true);
	if (limit == 0)
		return;
	check_flow(&l, HOST_A, server, false);
	/* One flow of the neighbour's tells that the last did not come about. It goes elsewhere,
	 * and where few ports are left, one that is in use elsewhere is drawn again and again. */
	for (unsigned i = 0; i < limit / 2; i++)
		check_flow(&l, HOST_A2, server, true);
	check_flow(&l, HOST_A, server, false);
}

static void a_block_runs_out_for_its_subscriber_only(void **state)
{
	(void)state;
	check_share(EIM APDF "ports: { choose: block, block: 16 }\n", 16);
	check_share(APDM APDF "ports: { choose: block, block: 18 }\n", 18);
	check_share(EIM APDF "ports: { choose: block, block: 32 }\n", 0);
	check_share(EIM APDF "ports: { choose: random }\n", 0);
}

static void a_block_is_its_subscribers_own(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(&l, "one-home",
			  EIM APDF "ports: { choose: block, block: 16, range: [2000, 2999] }\n");
	struct end server = udp_at(&l, SERVER, 4000);
	for (unsigned i = 0; i < 16; i++) {
		struct endpoint a = map_port(&l, udp_at(&l, HOST_A, 0), server);
		struct endpoint a2 = map_port(&l, udp_at(&l, HOST_A2, 0), server);

		CHECK(&l, a.port >= 2000 && a.port < 2016);
		CHECK(&l, a2.port >= 2016 && a2.port < 2032);
	}
}

static void a_quota_is_each_subscribers_own(void **state)
{
	(void)state;
	check_share(EIM APDF "ports: { quota: 5 }\n", 5);
	check_share(EIM APDF "ports: { choose: random, quota: 7 }\n", 7);
	check_share(EIM APDF, 0);
}

/* ---- one port after the other */

#define SEQUENCE 60u

/* Whether each of a host's flows gets the next port of all, in steps. */
static bool is_sequence(struct behavior_lab *l, unsigned first, int step)
{
	struct end server = udp_at(l, SERVER, 4000);
	bool follows = true;

	for (unsigned i = 0; i < SEQUENCE; i++) {
		unsigned port =
			map_port(l, udp_at(l, i % 2 == 0 ? HOST_A : HOST_A2, 0), server).port;

		follows = follows && (int)port == (int)first + (int)i * step;
	}
	return follows;
}

static void sequential_ports_follow_one_another(void **state)
{
	static const struct {
		const char *model;
		unsigned first;
		int step;
		bool expected;
	} cases[] = {
		/* The last byte of the port overflows on the way. */
		{ EIM APDF "ports: { choose: sequential, range: [2000, 65535] }\n", 2000, 1, true },
		{ EIM APDF "ports: { choose: sequential, range: [2000, 4000] }\n", 2000, 1, true },
		{ EIM APDF "ports: { choose: sequential, range: [6000, 6330], step: -2 }\n", 6330,
		  -2, true },
		{ EIM APDF "ports: { choose: sequential, range: [6000, 6330], step: 5 }\n", 6000, 5,
		  true },
		{ EIM APDF "ports: { choose: sequential, range: [6000, 6330] }\n", 6330, -2,
		  false },
		{ EIM APDF "ports: { choose: random, range: [2000, 65535] }\n", 2000, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", cases[i].model);

		CHECK_EQUAL(&l, is_sequence(&l, cases[i].first, cases[i].step), cases[i].expected);
	}
}

/* ---- two hosts that use the same port */

/* One host gets the port; returns what the other gets. */
static unsigned clash(struct behavior_lab *l, uint16_t port)
{
	struct end server = udp_at(l, SERVER, 0);
	struct end a = udp_at(l, HOST_A, port), a2 = udp_at(l, HOST_A2, port);

	CHECK_EQUAL(l, map_port(l, a, server).port, port);
	unsigned other = map_port(l, a2, server).port;
	CHECK(l, other != port);
	return other;
}

#define ON_CLASH(what) \
	EIM APDF "ports: { choose: preserve, on_clash: " what ", range: [1, 65535] }\n"

/* Whether both of these got a port of their class. */
static bool keeps_class(const char *model)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	unsigned low = clash(&l, 300), middle = clash(&l, 700), high = clash(&l, 5000);

	return low <= 511 && middle >= 512 && middle <= 1023 && high >= 1024;
}

static void a_clash_leads_to_another_port_of_the_class(void **state)
{
	(void)state;
	assert_true(keeps_class(ON_CLASH("same-class")));
	assert_false(keeps_class(ON_CLASH("random")));
}

static void check_dropped(const char *model, bool dropped)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end server = udp_at(&l, SERVER, 4000);

	(void)map_port(&l, udp_at(&l, HOST_A, 5000), server);
	check_flow_of(&l, udp_at(&l, HOST_A2, 5000), server, !dropped);
}

static void a_clash_is_dropped_where_it_is_to_be(void **state)
{
	(void)state;
	check_dropped(ON_CLASH("drop"), true);
	check_dropped(ON_CLASH("random"), false);
}

static void a_clash_leads_to_the_next_port_of_the_range(void **state)
{
	static const struct {
		const char *model;
		bool expected;
	} cases[] = {
		{ EIM APDF "ports: { on_clash: sequential, range: [20000, 29999] }\n", true },
		{ EIM APDF "ports: { on_clash: sequential, range: [20000, 23999] }\n", true },
		{ EIM APDF "ports: { on_clash: random, range: [20000, 29999] }\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", cases[i].model);
		unsigned first = clash(&l, 22000), second = clash(&l, 22001);

		CHECK_EQUAL(&l, first == 20000 && second == 20001, cases[i].expected);
	}
}

/* ---- parity */

#define PARITY_FLOWS 20u

static bool keeps_parity(const char *model)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end server = udp_at(&l, SERVER, 4000);
	bool keeps = true;

	for (uint16_t i = 0; i < PARITY_FLOWS; i++) {
		uint16_t port = (uint16_t)(11000 + i);
		/* The second is the one that clashes, where ports are preserved. */
		struct endpoint first = map_port(&l, udp_at(&l, HOST_A, port), server);
		struct endpoint second = map_port(&l, udp_at(&l, HOST_A2, port), server);

		keeps = keeps && first.port % 2 == port % 2 && second.port % 2 == port % 2;
	}
	return keeps;
}

static void even_ports_stay_even_and_odd_ones_odd_with_parity(void **state)
{
#define PARITY(choose, yes) \
	EIM APDF "ports: { choose: " choose ", parity: " yes ", range: [10001, 14000] }\n"
	(void)state;
	assert_true(keeps_parity(PARITY("random", "yes")));
	assert_true(keeps_parity(PARITY("preserve", "yes")));
	assert_false(keeps_parity(PARITY("random", "no")));
	assert_false(keeps_parity(PARITY("preserve", "no")));
}

/* ---- several addresses */

#define POOL_FLOWS 20u

/* The number of addresses that one host's flows come from; answers get in to each. */
static unsigned count_addresses(const char *model)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end servers[] = { udp_at(&l, SERVER, 4000), udp_at(&l, SERVER_ALT, 4000) };
	bool seen[4] = { false };
	unsigned count = 0;

	for (unsigned i = 0; i < POOL_FLOWS; i++) {
		struct end inside = udp_at(&l, HOST_A, 0);
		struct endpoint mapped = map_port(&l, inside, servers[i % 2]);
		unsigned which = mapped.addr - ROUTER_A_ADDR;

		CHECK(&l, which < 4);
		count += !seen[which];
		seen[which] = true;
		CHECK_ARRIVES(&l, servers[i % 2], mapped, inside, true);
	}
	return count;
}

static void a_host_keeps_to_one_address_of_a_pool_that_is_paired(void **state)
{
#define POOL(pairing) EIM APDF "pool: { addresses: 4, pairing: " pairing " }\n"
	(void)state;
	assert_int_equal(count_addresses(POOL("paired")), 1);
	assert_in_range(count_addresses(POOL("arbitrary")), 2, 4);
	assert_in_range(count_addresses(POOL("arbitrary") "ports: { choose: random }\n"), 2, 4);
	assert_int_equal(count_addresses(EIM APDF), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_runs_out_for_its_subscriber_only),
		cmocka_unit_test(a_block_is_its_subscribers_own),
		cmocka_unit_test(a_quota_is_each_subscribers_own),
		cmocka_unit_test(sequential_ports_follow_one_another),
		cmocka_unit_test(a_clash_leads_to_another_port_of_the_class),
		cmocka_unit_test(a_clash_is_dropped_where_it_is_to_be),
		cmocka_unit_test(a_clash_leads_to_the_next_port_of_the_range),
		cmocka_unit_test(even_ports_stay_even_and_odd_ones_odd_with_parity),
		cmocka_unit_test(a_host_keeps_to_one_address_of_a_pool_that_is_paired),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

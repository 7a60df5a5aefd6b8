// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/oracle.h"
#include "tests/model_files.h"

#define MODELS 6u

static const char *const names[MODELS] = { "open",
					   "full-cone",
					   "restricted-cone",
					   "port-restricted-cone",
					   "symmetric-sequential",
					   "symmetric-random" };

static void punching_connects_all_but_the_hard_pairs(void **state)
{
	/* Ford, Srisuresh and Kegel, "Peer-to-Peer Communication Across Network Address
	 * Translators" (2005): punching fails where a symmetric router meets one that looks at
	 * ports. */
	static const double expected[MODELS][MODELS] = {
		{ 1, 1, 1, 1, 1, 1 }, { 1, 1, 1, 1, 1, 1 }, { 1, 1, 1, 1, 1, 1 },
		{ 1, 1, 1, 1, 0, 0 }, { 1, 1, 1, 0, 0, 0 }, { 1, 1, 1, 0, 0, 0 },
	};
	struct nat_model models[MODELS];

	(void)state;
	for (unsigned i = 0; i < MODELS; i++)
		model_files_nat(names[i], &models[i]);
	for (unsigned a = 0; a < MODELS; a++) {
		for (unsigned b = 0; b < MODELS; b++) {
			double udp = oracle_rate(&models[a], &models[b], "udp", "punch");
			double tcp = oracle_rate(&models[a], &models[b], "tcp", "punch");

			if (udp != expected[a][b] || tcp != expected[a][b])
				fail_msg("%s with %s: %g, %g", names[a], names[b], udp, tcp);
		}
	}
	for (unsigned i = 0; i < MODELS; i++)
		nat_model_fini(&models[i]);
}

static struct nat_model model_of(enum nat_behavior mapping, enum nat_behavior filtering)
{
	struct nat_of of = { .mapping = mapping, .filtering = filtering };

	return (struct nat_model){ .translates = true, .of = { of, of } };
}

static void one_open_direction_is_enough(void **state)
{
	struct nat_model symmetric =
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model hard_but_open =
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ENDPOINT_INDEPENDENT);

	(void)state;
	assert_true(oracle_rate(&symmetric, &hard_but_open, "udp", "punch") == 1);
	assert_true(oracle_rate(&hard_but_open, &symmetric, "udp", "punch") == 1);
}

static void address_dependent_mapping_is_as_hard_as_symmetric_for_a_third_party(void **state)
{
	struct nat_model dependent = model_of(NAT_ADDRESS_DEPENDENT, NAT_ADDRESS_DEPENDENT);
	struct nat_model cone = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model restricted = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT);

	(void)state;
	assert_true(oracle_rate(&dependent, &cone, "udp", "punch") == 0);
	assert_true(oracle_rate(&dependent, &restricted, "udp", "punch") == 1);
	assert_true(oracle_rate(&dependent, &dependent, "udp", "punch") == 0);
}

static void there_is_no_theory_where_the_first_packet_decides(void **state)
{
	struct nat_model a = model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model b = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);

	(void)state;
	assert_true(oracle_rate(&a, &b, "udp", "punch") < 0);
	assert_true(oracle_rate(&b, &a, "udp", "punch") < 0);
}

/* model_of(), over one transport otherwise. */
static double rate_with(enum nat_transport t, enum nat_unsolicited unsolicited,
			const char *transport)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model b = a;

	b.of[t].unsolicited = unsolicited;
	double rate = oracle_rate(&a, &b, transport, "punch");
	assert_true(rate == oracle_rate(&b, &a, transport, "punch"));
	return rate;
}

static void there_is_no_theory_where_a_router_reacts_to_what_it_refuses(void **state)
{
	static const struct {
		enum nat_unsolicited unsolicited;
		bool udp, tcp; /* there is one */
	} cases[] = {
		{ NAT_UNSOLICITED_DROP, true, true },     { NAT_UNSOLICITED_ICMP, true, false },
		{ NAT_UNSOLICITED_ACCEPT, false, false }, { NAT_UNSOLICITED_BLOCK, false, false },
		{ NAT_UNSOLICITED_RST, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum nat_unsolicited u = cases[i].unsolicited;

		assert_true(rate_with(NAT_UDP, u, "udp") == (cases[i].udp ? 1 : -1));
		assert_true(rate_with(NAT_TCP, u, "tcp") == (cases[i].tcp ? 1 : -1));
		assert_true(rate_with(NAT_UDP, u, "tcp") == 1);
		assert_true(rate_with(NAT_TCP, u, "udp") == 1);
	}
}

static void a_router_that_remembers_nothing_refuses_nothing(void **state)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);

	(void)state;
	a.translates = false;
	a.of[NAT_TCP].unsolicited = NAT_UNSOLICITED_RST;
	assert_true(oracle_rate(&a, &a, "tcp", "punch") == 1);
}

/* Whatever answers, what cannot pass does not. */
static void hard_pairs_fail_also_where_a_router_reacts(void **state)
{
	struct nat_model hard =
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);

	(void)state;
	hard.of[NAT_TCP].unsolicited = NAT_UNSOLICITED_RST;
	hard.of[NAT_UDP].unsolicited = NAT_UNSOLICITED_ACCEPT;
	assert_true(oracle_rate(&hard, &hard, "tcp", "punch") == 0);
	assert_true(oracle_rate(&hard, &hard, "udp", "punch") == 0);
}

static void shared_ports_that_are_preserved_count_as_endpoint_independent(void **state)
{
	struct nat_model hard =
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model shared = hard, random = hard;
	struct nat_model cone = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);

	(void)state;
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		shared.of[t].overloads = random.of[t].overloads = true;
		random.of[t].choose = NAT_PORTS_RANDOM;
	}
	random.ports.first = 50001;
	random.ports.last = 51000;
	assert_true(oracle_rate(&shared, &shared, "udp", "punch") == 1);
	assert_true(oracle_rate(&shared, &cone, "tcp", "punch") == 1);
	assert_true(oracle_rate(&shared, &hard, "udp", "punch") == 0);
	/* The same port may be drawn twice; two such routers must both be so lucky. */
	assert_true(oracle_rate(&random, &cone, "udp", "punch") == 1e-3);
	assert_true(oracle_rate(&random, &random, "udp", "punch") == 1e-3 * 1e-3);
	assert_true(oracle_rate(&hard, &cone, "udp", "punch") == 0);
}

static void each_transport_has_its_own_theory(void **state)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);

	(void)state;
	a.of[NAT_TCP].mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
	assert_true(oracle_rate(&a, &a, "udp", "punch") == 1);
	assert_true(oracle_rate(&a, &a, "tcp", "punch") == 0);
}

static void what_is_blocked_never_connects(void **state)
{
	struct nat_model open = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model no_udp = open, web_only = open;

	(void)state;
	no_udp.blocked = NAT_BLOCKS_UDP;
	web_only.blocked = NAT_BLOCKS_ALL_BUT_TCP_443;
	/* Also where there would be no theory else. */
	web_only.of[NAT_TCP].unsolicited = NAT_UNSOLICITED_RST;
	assert_true(oracle_rate(&open, &no_udp, "udp", "punch") == 0);
	assert_true(oracle_rate(&no_udp, &open, "udp", "punch") == 0);
	assert_true(oracle_rate(&open, &no_udp, "tcp", "punch") == 1);
	assert_true(oracle_rate(&open, &web_only, "udp", "punch") == 0);
	assert_true(oracle_rate(&web_only, &open, "tcp", "punch") == 0);
}

static void there_is_no_theory_of_a_ruleset_of_its_own(void **state)
{
	struct nat_model open = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model own = open;

	(void)state;
	own.ruleset_file = (char *)"my.nft";
	assert_true(oracle_rate(&open, &own, "udp", "punch") < 0);
	assert_true(oracle_rate(&own, &open, "tcp", "punch") < 0);
}

static void there_is_no_theory_of_what_it_does_not_know(void **state)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);

	(void)state;
	assert_true(oracle_rate(&a, &a, "udp", "guess") < 0);
	assert_true(oracle_rate(&a, &a, "sctp", "punch") < 0);
}

/* ---- a low TTL, and no listener */

#define CONE(u) \
	with_unsolicited(model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT), u)

static struct nat_model with_unsolicited(struct nat_model m, enum nat_unsolicited unsolicited)
{
	m.of[NAT_UDP].unsolicited = m.of[NAT_TCP].unsolicited = unsolicited;
	return m;
}

static void a_low_ttl_cures_the_router_of_the_side_that_begins_so(void **state)
{
	static const struct {
		const char *strategy;
		double touchy_a, touchy_b,
			both; /* with a cone that minds nothing, and with another */
	} cases[] = {
		{ "punch", -1, -1, -1 },
		{ "punch-lowttl:side=a", 1, -1, -1 },
		{ "punch-lowttl:side=b", -1, 1, -1 },
		{ "punch-lowttl", 1, 1, 1 },
		/* It does not get out, or gets too far; and there is too little time. */
		{ "punch-lowttl:ttl=1", -1, -1, -1 },
		{ "punch-lowttl:ttl=3", -1, -1, -1 },
		{ "punch-lowttl:ttl=3,side=a", 1, -1, -1 },
		{ "punch-lowttl:wait_ms=99", -1, -1, -1 },
		{ "punch-lowttl:wait_ms=100", 1, 1, 1 },
	};
	static const enum nat_unsolicited touchy[] = { NAT_UNSOLICITED_ACCEPT,
						       NAT_UNSOLICITED_BLOCK };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const char *strategy = cases[i / 2].strategy;
		struct nat_model t = CONE(touchy[i % 2]), cone = CONE(NAT_UNSOLICITED_DROP);

		assert_true(oracle_rate(&cone, &cone, "udp", strategy) == 1);
		if (oracle_rate(&t, &cone, "udp", strategy) != cases[i / 2].touchy_a ||
		    oracle_rate(&cone, &t, "udp", strategy) != cases[i / 2].touchy_b ||
		    oracle_rate(&t, &t, "udp", strategy) != cases[i / 2].both)
			fail_msg("%s", strategy);
	}
}

/* The mapping to the other is another one, or the other knocks from where nobody sent. */
static void a_low_ttl_cures_no_symmetric_router(void **state)
{
	struct nat_model touchy = with_unsolicited(
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT),
		NAT_UNSOLICITED_BLOCK);
	struct nat_model open = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model cone = CONE(NAT_UNSOLICITED_DROP);

	(void)state;
	assert_true(oracle_rate(&touchy, &open, "udp", "punch-lowttl") < 0);
	assert_true(oracle_rate(&touchy, &cone, "udp", "punch-lowttl") == 0);
}

/* As NATBLASTER does it: the side that begins so listens, so the other one's way is the only one.
 */
static void over_tcp_the_low_side_is_to_let_the_other_in(void **state)
{
	struct nat_model hard =
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model open = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model cone = CONE(NAT_UNSOLICITED_DROP), judge = cone;
	struct nat_model rst = CONE(NAT_UNSOLICITED_RST);

	(void)state;
	assert_true(oracle_rate(&open, &hard, "tcp", "punch-lowttl:side=a") == 1);
	assert_true(oracle_rate(&open, &hard, "tcp", "punch-lowttl:side=b") == 0);
	assert_true(oracle_rate(&open, &hard, "tcp", "punch-lowttl") == 1);
	assert_true(oracle_rate(&cone, &hard, "tcp", "punch-lowttl:side=a") == 0);
	assert_true(oracle_rate(&cone, &cone, "tcp", "punch-lowttl:side=b,ttl=1") < 0);
	/* Resets come from routers that are knocked at. */
	assert_true(oracle_rate(&rst, &rst, "tcp", "punch") < 0);
	assert_true(oracle_rate(&rst, &rst, "tcp", "punch-lowttl:side=a") == 1);
	assert_true(oracle_rate(&rst, &rst, "tcp", "punch-lowttl:side=a,ttl=3") < 0);
	judge.rst = NAT_RST_IN_WINDOW;
	assert_true(oracle_rate(&judge, &cone, "tcp", "punch-lowttl:side=a") == 0);
	assert_true(oracle_rate(&cone, &judge, "tcp", "punch-lowttl:side=a") == 1);
	assert_true(oracle_rate(&cone, &judge, "tcp", "punch-lowttl") < 0);
}

static void without_a_listener_both_ports_and_filters_must_do(void **state)
{
	struct nat_model hard =
		model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model half = model_of(NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model open = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);
	struct nat_model lax = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT);
	struct nat_model cone = CONE(NAT_UNSOLICITED_DROP), rst = CONE(NAT_UNSOLICITED_RST);

	(void)state;
	assert_true(oracle_rate(&cone, &cone, "tcp", "connect-only") == 1);
	assert_true(oracle_rate(&lax, &cone, "tcp", "connect-only") == 1);
	assert_true(oracle_rate(&hard, &lax, "tcp", "connect-only") == 0);
	assert_true(oracle_rate(&hard, &open, "tcp", "connect-only") == 0);
	assert_true(oracle_rate(&hard, &rst, "tcp", "connect-only") == 0);
	assert_true(oracle_rate(&open, &cone, "tcp", "connect-only") < 0);
	assert_true(oracle_rate(&rst, &cone, "tcp", "connect-only") < 0);
	assert_true(oracle_rate(&half, &cone, "tcp", "connect-only") < 0);
	assert_true(oracle_rate(&hard, &open, "udp", "connect-only") == 1);
}

static void there_is_no_theory_of_what_is_no_choice(void **state)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);

	(void)state;
	assert_true(oracle_rate(&a, &a, "udp", "punch:x=1") < 0);
	assert_true(oracle_rate(&a, &a, "udp", "punch-lowttl:ttl=0") < 0);
	assert_true(oracle_rate(&a, &a, "udp", "classify") < 0);
}

/* By C(R - m, k) / C(R, k) in whole numbers. */
static void birthday_is_drawing_without_replacement(void **state)
{
	static const struct {
		const char *strategy;
		double rate;
	} cases[] = {
		{ "birthday", 0.983497933978 },
		{ "birthday:hard=a", 0.983497933978 },
		{ "birthday:hard=b", 0 },
		{ "birthday:sockets=84,probes=700,hard=a", 0.600296659466 },
		{ "birthday:sockets=16,probes=512,hard=a", 0.119711511799 },
		{ "birthday:probes=65535,hard=a", 1 },
		{ "birthday:first=1025,hard=a", -1 },
		{ "birthday:first=2,last=1", 0 },
	};
	struct nat_model random, sequential, cone;

	(void)state;
	model_files_nat("symmetric-random", &random);
	model_files_nat("symmetric-sequential", &sequential);
	model_files_nat("port-restricted-cone", &cone);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double rate = oracle_rate(&random, &cone, "udp", cases[i].strategy);

		assert_true(rate > cases[i].rate - 1e-9 && rate < cases[i].rate + 1e-9);
		assert_true(oracle_rate(&cone, &cone, "udp", cases[i].strategy) == 1);
		assert_true(oracle_rate(&random, &cone, "tcp", cases[i].strategy) == 0);
	}
	assert_true(oracle_rate(&random, &random, "udp", "birthday:hard=a") == 0);
	assert_true(oracle_rate(&random, &random, "udp", "birthday") < 0.0003);
	assert_true(oracle_rate(&random, &random, "udp", "birthday") > 0.0002);
	/* Its 1024 ports are not enough. */
	assert_true(oracle_rate(&sequential, &random, "udp", "birthday") < 0);
	nat_model_fini(&random);
	nat_model_fini(&sequential);
	nat_model_fini(&cone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(punching_connects_all_but_the_hard_pairs),
		cmocka_unit_test(one_open_direction_is_enough),
		cmocka_unit_test(
			address_dependent_mapping_is_as_hard_as_symmetric_for_a_third_party),
		cmocka_unit_test(there_is_no_theory_where_the_first_packet_decides),
		cmocka_unit_test(there_is_no_theory_where_a_router_reacts_to_what_it_refuses),
		cmocka_unit_test(a_router_that_remembers_nothing_refuses_nothing),
		cmocka_unit_test(hard_pairs_fail_also_where_a_router_reacts),
		cmocka_unit_test(shared_ports_that_are_preserved_count_as_endpoint_independent),
		cmocka_unit_test(each_transport_has_its_own_theory),
		cmocka_unit_test(what_is_blocked_never_connects),
		cmocka_unit_test(there_is_no_theory_of_a_ruleset_of_its_own),
		cmocka_unit_test(there_is_no_theory_of_what_it_does_not_know),
		cmocka_unit_test(there_is_no_theory_of_what_is_no_choice),
		cmocka_unit_test(a_low_ttl_cures_the_router_of_the_side_that_begins_so),
		cmocka_unit_test(a_low_ttl_cures_no_symmetric_router),
		cmocka_unit_test(over_tcp_the_low_side_is_to_let_the_other_in),
		cmocka_unit_test(without_a_listener_both_ports_and_filters_must_do),
		cmocka_unit_test(birthday_is_drawing_without_replacement),
	};

	return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}

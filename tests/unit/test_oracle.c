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
	return (struct nat_model){ .translates = true, .mapping = mapping, .filtering = filtering };
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

static void there_is_no_theory_of_tcp_where_a_router_answers_what_it_refuses(void **state)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT);
	struct nat_model b = a;

	(void)state;
	b.unsolicited.tcp = NAT_UNSOLICITED_RST;
	assert_true(oracle_rate(&a, &a, "tcp", "punch") == 1);
	assert_true(oracle_rate(&a, &b, "tcp", "punch") < 0);
	assert_true(oracle_rate(&a, &b, "udp", "punch") == 1);
}

static void there_is_no_theory_of_what_it_does_not_know(void **state)
{
	struct nat_model a = model_of(NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT);

	(void)state;
	assert_true(oracle_rate(&a, &a, "udp", "guess") < 0);
	assert_true(oracle_rate(&a, &a, "sctp", "punch") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(punching_connects_all_but_the_hard_pairs),
		cmocka_unit_test(one_open_direction_is_enough),
		cmocka_unit_test(
			address_dependent_mapping_is_as_hard_as_symmetric_for_a_third_party),
		cmocka_unit_test(there_is_no_theory_where_the_first_packet_decides),
		cmocka_unit_test(there_is_no_theory_of_tcp_where_a_router_answers_what_it_refuses),
		cmocka_unit_test(there_is_no_theory_of_what_it_does_not_know),
	};

	return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}

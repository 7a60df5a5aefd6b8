// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/nat_sysctls.h"
#include "tests/model_files.h"

#define NOT_SET (-1)

/* What a sysctl would be set to. */
static int value_of(const struct nat_model *m, const char *name)
{
	struct nat_sysctl sysctls[NAT_SYSCTLS_MAX];
	size_t count = nat_sysctls(m, sysctls);

	for (size_t i = 0; i < count; i++)
		if (strcmp(sysctls[i].name, name) == 0)
			return (int)sysctls[i].value;
	return NOT_SET;
}

/* What conntrack forgets too early no map can hold. */
static void conntrack_has_whole_seconds_and_not_less_than_the_model(void **state)
{
	struct nat_model m;

	(void)state;
	model_files_nat("full-cone", &m);
	m.timeouts.udp_ms = 1001;
	m.timeouts.tcp_established_ms = 3000;
	m.timeouts.tcp_transitory_ms = 1;
	assert_int_equal(value_of(&m, "nf_conntrack_udp_timeout"), 2);
	assert_int_equal(value_of(&m, "nf_conntrack_udp_timeout_stream"), 2);
	assert_int_equal(value_of(&m, "nf_conntrack_tcp_timeout_established"), 3);
	assert_int_equal(value_of(&m, "nf_conntrack_tcp_timeout_syn_sent"), 1);
	assert_int_equal(value_of(&m, "nf_conntrack_tcp_timeout_close"), 1);
	nat_model_fini(&m);
}

/* The rules of the others know nothing of answers. */
static void flows_without_an_answer_end_sooner_where_conntrack_alone_keeps_them(void **state)
{
	struct nat_model m;

	(void)state;
	model_files_nat("linux-masquerade", &m);
	assert_int_equal(value_of(&m, "nf_conntrack_udp_timeout"), 30);
	assert_int_equal(value_of(&m, "nf_conntrack_udp_timeout_stream"), 120);
	m.of[NAT_UDP].overloads = false;
	assert_int_equal(value_of(&m, "nf_conntrack_udp_timeout"), 120);
	assert_int_equal(value_of(&m, "nf_conntrack_udp_timeout_stream"), 120);
	nat_model_fini(&m);
}

/* Unless the model means it to: one that leaves ports to conntrack, or heeds resets in the window.
 */
static void conntrack_does_not_mind_sequence_numbers(void **state)
{
	static const struct {
		enum nat_rst rst;
		bool overloads;
		int liberal, ignore;
	} cases[] = {
		{ NAT_RST_IGNORED, false, 1, NOT_SET },
		{ NAT_RST_IGNORED, true, 0, NOT_SET },
		{ NAT_RST_IN_WINDOW, false, 0, NOT_SET },
		{ NAT_RST_ANY, false, 1, 1 },
	};
	struct nat_model m;

	(void)state;
	model_files_nat("full-cone", &m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.rst = cases[i].rst;
		m.of[NAT_TCP].overloads = cases[i].overloads;
		assert_int_equal(value_of(&m, "nf_conntrack_tcp_be_liberal"), cases[i].liberal);
		assert_int_equal(value_of(&m, "nf_conntrack_tcp_ignore_invalid_rst"),
				 cases[i].ignore);
		assert_int_equal(value_of(&m, "nf_conntrack_tcp_loose"), 0);
	}
	nat_model_fini(&m);
}

static void a_router_without_conntrack_has_none(void **state)
{
	struct nat_sysctl sysctls[NAT_SYSCTLS_MAX];
	struct nat_model m;

	(void)state;
	model_files_nat("open", &m);
	assert_int_equal(nat_sysctls(&m, sysctls), 0);
	nat_model_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conntrack_has_whole_seconds_and_not_less_than_the_model),
		cmocka_unit_test(
			flows_without_an_answer_end_sooner_where_conntrack_alone_keeps_them),
		cmocka_unit_test(conntrack_does_not_mind_sequence_numbers),
		cmocka_unit_test(a_router_without_conntrack_has_none),
	};

	return cmocka_run_group_tests_name("nat_sysctls", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a model may be another over TCP than over UDP, and what both together come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "sim/model/nat_model.h"

#define BEHAVIORS "about: x\nmapping: endpoint-independent\nfiltering: address-dependent\n"
#define SYMMETRIC                                         \
	"about: x\nmapping: address-and-port-dependent\n" \
	"filtering: address-and-port-dependent\n"

static void parse(const char *text, struct nat_model *ret)
{
	struct err e = { .text = "" };

	if (nat_model_parse("x.yaml", text, strlen(text), ret, &e) < 0)
		fail_msg("%s\n%s", text, e.text);
}

static void a_transport_may_differ_in_what_is_its_own(void **state)
{
	static const char *const own =
		"mapping: address-and-port-dependent, filtering: address-and-port-dependent, "
		"choose: random, overloading: yes";

	(void)state;
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		const struct nat_of *of, *other;
		struct nat_model m;
		struct buf text = BUF_INIT;

		buf_printf(&text,
			   BEHAVIORS "ports: { choose: preserve, on_clash: drop }\n%s: { %s }\n",
			   nat_transport_name((enum nat_transport)t), own);
		parse(buf_text(&text), &m);
		of = &m.of[t];
		other = &m.of[1 - t];
		assert_int_equal(of->mapping, NAT_ADDRESS_AND_PORT_DEPENDENT);
		assert_int_equal(of->filtering, NAT_ADDRESS_AND_PORT_DEPENDENT);
		assert_int_equal(of->choose, NAT_PORTS_RANDOM);
		assert_true(of->overloads);
		assert_int_equal(other->mapping, NAT_ENDPOINT_INDEPENDENT);
		assert_int_equal(other->filtering, NAT_ADDRESS_DEPENDENT);
		assert_int_equal(other->choose, NAT_PORTS_PRESERVE);
		assert_int_equal(other->on_clash, NAT_CLASH_DROP);
		assert_false(other->overloads);
		assert_true(nat_model_differs(&m));
		assert_string_equal(nat_mapping_name(&m, (enum nat_transport)t),
				    "address-and-port-dependent");
		assert_string_equal(nat_mapping_name(&m, (enum nat_transport)(1 - t)),
				    "endpoint-independent");
		buf_fini(&text);
		nat_model_fini(&m);
	}
}

static void a_transport_has_what_it_does_not_say_from_the_file(void **state)
{
	struct nat_model m;

	(void)state;
	parse(BEHAVIORS "ports: { choose: preserve, on_clash: drop }\n"
			"udp: { filtering: endpoint-independent }\n",
	      &m);
	assert_int_equal(m.of[NAT_UDP].mapping, NAT_ENDPOINT_INDEPENDENT);
	assert_int_equal(m.of[NAT_UDP].filtering, NAT_ENDPOINT_INDEPENDENT);
	assert_int_equal(m.of[NAT_UDP].choose, NAT_PORTS_PRESERVE);
	assert_int_equal(m.of[NAT_UDP].on_clash, NAT_CLASH_DROP);
	assert_true(nat_model_differs(&m));
	nat_model_fini(&m);
	parse(BEHAVIORS "unsolicited: { udp: drop, tcp: rst }\n"
			"udp: { mapping: endpoint-independent }\n",
	      &m);
	assert_false(nat_model_differs(&m));
	nat_model_fini(&m);
}

static void each_transport_may_have_its_own_on_clash(void **state)
{
	struct nat_model m;

	(void)state;
	parse(BEHAVIORS "udp: { on_clash: sequential }\ntcp: { on_clash: drop }\n", &m);
	assert_int_equal(m.of[NAT_UDP].on_clash, NAT_CLASH_SEQUENTIAL);
	assert_int_equal(m.of[NAT_TCP].on_clash, NAT_CLASH_DROP);
	assert_true(nat_model_differs(&m));
	nat_model_fini(&m);
}

static void a_transport_of_its_own_shares_ports_only_if_it_says_so(void **state)
{
	struct nat_model m;

	(void)state;
	parse(SYMMETRIC "ports: { overloading: yes }\ntcp: { choose: random }\n", &m);
	assert_true(m.of[NAT_UDP].overloads);
	assert_false(m.of[NAT_TCP].overloads);
	nat_model_fini(&m);
}

/* Each part that may differ alone. */
static void any_one_difference_is_a_difference(void **state)
{
	static const char *const differing[] = {
		"tcp: { mapping: address-dependent }",
		"tcp: { filtering: endpoint-independent }",
		"udp: { choose: random }",
		"udp: { on_clash: sequential }",
		"tcp: { overloading: yes }",
	};
	static const char *const alike[] = {
		"unsolicited: { udp: accept, tcp: rst }",
		"udp: { mapping: address-and-port-dependent, choose: preserve }",
		"udp: { overloading: yes }\ntcp: { overloading: yes }",
	};
	char text[200];
	struct nat_model m;

	(void)state;
	for (size_t i = 0; i < sizeof(differing) / sizeof(differing[0]); i++) {
		(void)snprintf(text, sizeof(text), SYMMETRIC "%s\n", differing[i]);
		parse(text, &m);
		if (!nat_model_differs(&m))
			fail_msg("%s", differing[i]);
		nat_model_fini(&m);
	}
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
		(void)snprintf(text, sizeof(text), SYMMETRIC "%s\n", alike[i]);
		parse(text, &m);
		if (nat_model_differs(&m))
			fail_msg("%s", alike[i]);
		nat_model_fini(&m);
	}
}

static void a_kind_of_ports_is_used_as_a_choice_or_on_a_clash(void **state)
{
	static const struct {
		const char *text;
		bool used[4]; /* preserve, random, sequential, block */
	} cases[] = {
		{ "", { true, true, false, false } },
		{ "ports: { on_clash: sequential }", { true, false, true, false } },
		{ "ports: { on_clash: same-class, range: [1, 65535] }",
		  { true, false, false, false } },
		{ "ports: { choose: random }", { false, true, false, false } },
		{ "ports: { overloading: yes }", { true, false, false, false } },
		{ "ports: { choose: sequential }", { false, false, true, false } },
		{ "ports: { choose: block, block: 16 }", { false, false, false, true } },
		{ "ports: { choose: random }\ntcp: { choose: sequential }",
		  { false, true, true, false } },
		{ "ports: { block: 16 }\nudp: { choose: block }", { true, true, false, true } },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nat_model m;

		(void)snprintf(text, sizeof(text), SYMMETRIC "%s\n", cases[i].text);
		parse(text, &m);
		for (int c = 0; c < 4; c++)
			if (nat_model_uses_ports(&m, (enum nat_port_choice)c) != cases[i].used[c])
				fail_msg("%s: %s", cases[i].text,
					 nat_port_choice_name((enum nat_port_choice)c));
		m.translates = false;
		for (int c = 0; c < 4; c++)
			assert_false(nat_model_uses_ports(&m, (enum nat_port_choice)c));
		nat_model_fini(&m);
	}
}

static void only_a_router_that_neither_translates_nor_filters_remembers_nothing(void **state)
{
	struct nat_model m;

	(void)state;
	parse("about: x\nmapping: none\nfiltering: endpoint-independent\n", &m);
	assert_false(nat_model_remembers(&m));
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		m.of[t].filtering = NAT_ADDRESS_DEPENDENT;
		assert_true(nat_model_remembers(&m));
		m.of[t].filtering = NAT_ENDPOINT_INDEPENDENT;
	}
	m.translates = true;
	assert_true(nat_model_remembers(&m));
	nat_model_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transport_may_differ_in_what_is_its_own),
		cmocka_unit_test(a_transport_has_what_it_does_not_say_from_the_file),
		cmocka_unit_test(each_transport_may_have_its_own_on_clash),
		cmocka_unit_test(a_transport_of_its_own_shares_ports_only_if_it_says_so),
		cmocka_unit_test(any_one_difference_is_a_difference),
		cmocka_unit_test(a_kind_of_ports_is_used_as_a_choice_or_on_a_clash),
		cmocka_unit_test(
			only_a_router_that_neither_translates_nor_filters_remembers_nothing),
	};

	return cmocka_run_group_tests_name("nat_transport", tests, NULL, NULL);
}

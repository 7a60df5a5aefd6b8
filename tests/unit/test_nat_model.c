// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/nat_model.h"
#include "tests/model_files.h"

#define BEHAVIORS "about: x\nmapping: endpoint-independent\nfiltering: address-dependent\n"

static int parse(const char *text, struct nat_model *ret, struct err *e)
{
	return nat_model_parse("dir/some-name.yaml", text, strlen(text), ret, e);
}

static void every_key_has_a_default_but_the_behaviors(void **state)
{
	struct nat_model m;
	struct err e;

	(void)state;
	assert_int_equal(parse(BEHAVIORS, &m, &e), 0);
	assert_string_equal(m.name, "some-name");
	assert_string_equal(m.about, "x");
	assert_true(m.translates);
	assert_int_equal(m.mapping, NAT_ENDPOINT_INDEPENDENT);
	assert_int_equal(m.filtering, NAT_ADDRESS_DEPENDENT);
	assert_int_equal(m.ports.choose, NAT_PORTS_PRESERVE);
	assert_int_equal(m.ports.first, 1024);
	assert_int_equal(m.ports.last, 65535);
	assert_int_equal(m.unsolicited.udp, NAT_UNSOLICITED_DROP);
	assert_int_equal(m.unsolicited.tcp, NAT_UNSOLICITED_DROP);
	assert_int_equal(m.timeouts.udp_s, 120);
	assert_int_equal(m.timeouts.tcp_established_s, 7440);
	assert_int_equal(m.timeouts.tcp_transitory_s, 240);
	assert_int_equal(m.sources_count, 0);
	nat_model_fini(&m);
}

static void every_key_is_read(void **state)
{
	struct nat_model m;
	struct err e;

	(void)state;
	assert_int_equal(parse("about: x\nmapping: address-and-port-dependent\n"
			       "filtering: endpoint-independent\n"
			       "ports: { choose: sequential, range: [6000, 6100] }\n"
			       "unsolicited: { udp: icmp, tcp: rst }\n"
			       "timeouts: { udp: 30s, tcp_established: 2h, tcp_transitory: 5m }\n"
			       "sources: [ a, b ]\n",
			       &m, &e),
			 0);
	assert_int_equal(m.mapping, NAT_ADDRESS_AND_PORT_DEPENDENT);
	assert_int_equal(m.filtering, NAT_ENDPOINT_INDEPENDENT);
	assert_int_equal(m.ports.choose, NAT_PORTS_SEQUENTIAL);
	assert_int_equal(m.ports.first, 6000);
	assert_int_equal(m.ports.last, 6100);
	assert_int_equal(m.unsolicited.udp, NAT_UNSOLICITED_ICMP);
	assert_int_equal(m.unsolicited.tcp, NAT_UNSOLICITED_RST);
	assert_int_equal(m.timeouts.udp_s, 30);
	assert_int_equal(m.timeouts.tcp_established_s, 7200);
	assert_int_equal(m.timeouts.tcp_transitory_s, 300);
	assert_int_equal(m.sources_count, 2);
	assert_string_equal(m.sources[1], "b");
	nat_model_fini(&m);
}

static void a_router_that_does_not_translate_says_mapping_none(void **state)
{
	struct nat_model m;
	struct err e;

	(void)state;
	assert_int_equal(
		parse("about: x\nmapping: none\nfiltering: endpoint-independent\n", &m, &e), 0);
	assert_false(m.translates);
	assert_string_equal(nat_mapping_name(&m), "none");
	nat_model_fini(&m);
}

static void a_mistake_has_its_place_and_leaves_the_model_alone(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ BEHAVIORS "ports: { range: [0, 65535] }\n",
		  "dir/some-name.yaml:4:18: port 0 cannot be used" },
		{ BEHAVIORS "ports: { range: [1, 65536] }\n",
		  "dir/some-name.yaml:4:21: range is 65536, but can be 65535 at most" },
		{ BEHAVIORS "ports: { range: [2000, 1000] }\n",
		  "dir/some-name.yaml:4:17: the range ends before it begins" },
		{ BEHAVIORS "ports: { range: [2000, 2014] }\n",
		  "dir/some-name.yaml:4:17: the range has 15 ports, 16 is the least" },
		{ BEHAVIORS "ports: { range: [2000] }\n",
		  "dir/some-name.yaml:4:17: range has 1 entries, 2 is the least" },
		{ BEHAVIORS "ports: { choose: sequential }\n",
		  "dir/some-name.yaml:4:8: the range has 64512 ports, 4096 is the most that are "
		  "handed out in sequence" },
		{ BEHAVIORS "timeouts: { udp: 120 }\n",
		  "dir/some-name.yaml:4:18: \"120\" is no timeout: it is a number of seconds, "
		  "minutes or hours, as in 120s, 4m, 2h, and 1000000s at most" },
		{ BEHAVIORS "unsolicited: { udp: rst }\n",
		  "dir/some-name.yaml:4:21: udp cannot be \"rst\"; it is one of drop, icmp" },
		{ "about: x\nmapping: none\nfiltering: none\n",
		  "dir/some-name.yaml:3:12: filtering cannot be \"none\"; it is one of "
		  "endpoint-independent, address-dependent, address-and-port-dependent" },
		{ "about: x\nmapping: none\nfiltering: address-dependent\nports: { choose: random }\n",
		  "dir/some-name.yaml:4:8: a router that does not translate (mapping: none) has no "
		  "ports to choose" },
		{ "about: x\nfiltering: address-dependent\n",
		  "dir/some-name.yaml:1:1: key \"mapping\" is missing in the file" },
		{ BEHAVIORS "hairpin: off\n",
		  "dir/some-name.yaml:4:1: unknown key \"hairpin\"; known here: about, mapping, "
		  "filtering, ports, unsolicited, timeouts, sources" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nat_model m = { .name = "untouched" };
		struct err e = { .text = "" };

		assert_true(parse(cases[i].text, &m, &e) < 0);
		assert_string_equal(e.text, cases[i].expected);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_string_equal(m.name, "untouched");
		assert_null(m.about);
	}
}

static void the_smallest_and_the_largest_range_are_taken(void **state)
{
	struct nat_model m;
	struct err e;

	(void)state;
	assert_int_equal(parse(BEHAVIORS "ports: { range: [2000, 2015] }\n", &m, &e), 0);
	nat_model_fini(&m);
	assert_int_equal(parse(BEHAVIORS "ports: { range: [1, 65535] }\n", &m, &e), 0);
	nat_model_fini(&m);
	assert_int_equal(
		parse(BEHAVIORS "ports: { choose: sequential, range: [1, 4096] }\n", &m, &e), 0);
	nat_model_fini(&m);
}

static void only_whole_timeouts_are_taken(void **state)
{
	static const char *const bad[] = { "0s",       "s",      "-1s",  "1.5s", "1ms",      "1d",
					   "1000001s", "16667m", "278h", "1s1s", "99999999s" };
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nat_model m;
		struct err e;

		(void)snprintf(text, sizeof(text), BEHAVIORS "timeouts: { udp: %s }\n", bad[i]);
		assert_true(parse(text, &m, &e) < 0);
	}
}

static void names_and_values_go_both_ways(void **state)
{
	enum nat_behavior b = NAT_ENDPOINT_INDEPENDENT;

	(void)state;
	assert_true(nat_behavior_parse("address-and-port-dependent", &b));
	assert_int_equal(b, NAT_ADDRESS_AND_PORT_DEPENDENT);
	assert_string_equal(nat_behavior_name(b), "address-and-port-dependent");
	assert_false(nat_behavior_parse("none", &b));
	assert_string_equal(nat_port_choice_name(NAT_PORTS_SEQUENTIAL), "sequential");
	assert_string_equal(nat_unsolicited_name(NAT_UNSOLICITED_RST), "rst");
}

static void the_six_models_are_what_their_names_say(void **state)
{
	static const struct {
		const char *name;
		bool translates;
		enum nat_behavior mapping, filtering;
		enum nat_port_choice choose;
	} six[] = {
		{ "open", false, NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT,
		  NAT_PORTS_PRESERVE },
		{ "full-cone", true, NAT_ENDPOINT_INDEPENDENT, NAT_ENDPOINT_INDEPENDENT,
		  NAT_PORTS_PRESERVE },
		{ "restricted-cone", true, NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT,
		  NAT_PORTS_PRESERVE },
		{ "port-restricted-cone", true, NAT_ENDPOINT_INDEPENDENT,
		  NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_PRESERVE },
		{ "symmetric-sequential", true, NAT_ADDRESS_AND_PORT_DEPENDENT,
		  NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_SEQUENTIAL },
		{ "symmetric-random", true, NAT_ADDRESS_AND_PORT_DEPENDENT,
		  NAT_ADDRESS_AND_PORT_DEPENDENT, NAT_PORTS_RANDOM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(six) / sizeof(six[0]); i++) {
		struct nat_model m;

		model_files_nat(six[i].name, &m);
		assert_string_equal(m.name, six[i].name);
		assert_int_equal(m.translates, six[i].translates);
		assert_int_equal(m.mapping, six[i].mapping);
		assert_int_equal(m.filtering, six[i].filtering);
		assert_int_equal(m.ports.choose, six[i].choose);
		assert_int_equal(m.unsolicited.udp, NAT_UNSOLICITED_DROP);
		assert_int_equal(m.unsolicited.tcp, NAT_UNSOLICITED_DROP);
		assert_true(m.sources_count > 0);
		nat_model_fini(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_a_default_but_the_behaviors),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(a_router_that_does_not_translate_says_mapping_none),
		cmocka_unit_test(a_mistake_has_its_place_and_leaves_the_model_alone),
		cmocka_unit_test(the_smallest_and_the_largest_range_are_taken),
		cmocka_unit_test(only_whole_timeouts_are_taken),
		cmocka_unit_test(names_and_values_go_both_ways),
		cmocka_unit_test(the_six_models_are_what_their_names_say),
	};

	return cmocka_run_group_tests_name("nat_model", tests, NULL, NULL);
}

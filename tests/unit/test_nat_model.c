// SPDX-License-Identifier: GPL-2.0-or-later
/* What a model's file says gets into the struct; test_nat_model_check.c has what it cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/nat_model.h"
#include "tests/model_files.h"

#define BEHAVIORS "about: x\nmapping: endpoint-independent\nfiltering: address-dependent\n"
#define SYMMETRIC                                         \
	"about: x\nmapping: address-and-port-dependent\n" \
	"filtering: address-and-port-dependent\n"

static void parse(const char *text, struct nat_model *ret)
{
	struct err e = { .text = "" };

	if (nat_model_parse("dir/some-name.yaml", text, strlen(text), ret, &e) < 0)
		fail_msg("%s\n%s", text, e.text);
}

/* A number of the model: an enum, a bool or an integer. */
struct member {
	size_t offset, size;
};
#define MEMBER(of_model)                                                                           \
	{                                                                                          \
		offsetof(struct nat_model, of_model), sizeof(((struct nat_model *)NULL)->of_model) \
	}

static long value_of(const struct nat_model *m, struct member member)
{
	const char *at = (const char *)m + member.offset;
	uint8_t byte;
	uint16_t word;
	int32_t number;

	switch (member.size) {
	case sizeof(byte):
		memcpy(&byte, at, sizeof(byte));
		return byte;
	case sizeof(word):
		memcpy(&word, at, sizeof(word));
		return word;
	default:
		assert_int_equal(member.size, sizeof(number));
		memcpy(&number, at, sizeof(number));
		return number;
	}
}

struct expectation {
	const char *text;
	struct member member;
	long value;
};

static void assert_all_read(const char *before, const struct expectation *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct nat_model m;
		struct buf text = BUF_INIT;

		buf_printf(&text, "%s%s\n", before, cases[i].text);
		parse(buf_text(&text), &m);
		if (value_of(&m, cases[i].member) != cases[i].value)
			fail_msg("%s: %ld", cases[i].text, value_of(&m, cases[i].member));
		assert_int_equal(m.unknown | m.of[NAT_UDP].unknown | m.of[NAT_TCP].unknown, 0);
		buf_fini(&text);
		nat_model_fini(&m);
	}
}
#define ASSERT_ALL_READ(before, cases) \
	assert_all_read(before, cases, sizeof(cases) / sizeof((cases)[0]))

static void every_key_has_a_default_but_the_behaviors(void **state)
{
	struct nat_model m;

	(void)state;
	parse(BEHAVIORS, &m);
	assert_string_equal(m.name, "some-name");
	assert_string_equal(m.about, "x");
	assert_true(m.translates);
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		assert_int_equal(m.of[t].mapping, NAT_ENDPOINT_INDEPENDENT);
		assert_int_equal(m.of[t].filtering, NAT_ADDRESS_DEPENDENT);
		assert_int_equal(m.of[t].choose, NAT_PORTS_PRESERVE);
		assert_int_equal(m.of[t].on_clash, NAT_CLASH_RANDOM);
		assert_false(m.of[t].overloads);
		assert_int_equal(m.of[t].unsolicited, NAT_UNSOLICITED_DROP);
		assert_int_equal(m.of[t].unknown, 0);
	}
	assert_int_equal(m.ports.first, 1024);
	assert_int_equal(m.ports.last, 65535);
	assert_int_equal(m.ports.step, 1);
	assert_int_equal(m.ports.block, 0);
	assert_int_equal(m.ports.quota, 0);
	assert_false(m.ports.parity);
	assert_int_equal(m.pool.count, 1);
	assert_true(m.pool.paired);
	assert_int_equal(m.hairpin, NAT_HAIRPIN_OFF);
	assert_int_equal(m.timeouts.udp_ms, 120000);
	assert_int_equal(m.timeouts.udp_unreplied_ms, 120000);
	assert_int_equal(m.timeouts.tcp_established_ms, 7440000);
	assert_int_equal(m.timeouts.tcp_transitory_ms, 240000);
	assert_int_equal(m.refresh, NAT_REFRESH_BOTH);
	assert_int_equal(m.rst, NAT_RST_IGNORED);
	assert_false(m.drops_icmp_errors);
	assert_int_equal(m.blocked, NAT_BLOCKS_NOTHING);
	assert_int_equal(m.forwards_count, 0);
	assert_null(m.ruleset_file);
	assert_null(m.ruleset);
	assert_int_equal(m.unknown, 0);
	assert_int_equal(m.given, 1u << NAT_AXIS_MAPPING | 1u << NAT_AXIS_FILTERING);
	assert_int_equal(m.sources_count, 0);
	nat_model_fini(&m);
}

static void every_value_of_mapping_filtering_and_ports_is_read(void **state)
{
	static const struct expectation cases[] = {
		{ "ports: { choose: preserve }", MEMBER(of[NAT_TCP].choose), NAT_PORTS_PRESERVE },
		{ "ports: { choose: random }", MEMBER(of[NAT_UDP].choose), NAT_PORTS_RANDOM },
		{ "ports: { choose: sequential }", MEMBER(of[NAT_TCP].choose),
		  NAT_PORTS_SEQUENTIAL },
		{ "ports: { choose: block, block: 64 }", MEMBER(of[NAT_UDP].choose),
		  NAT_PORTS_BLOCK },
		{ "ports: { choose: block, block: 64 }", MEMBER(ports.block), 64 },
		{ "ports: { on_clash: random }", MEMBER(of[NAT_UDP].on_clash), NAT_CLASH_RANDOM },
		{ "ports: { on_clash: sequential }", MEMBER(of[NAT_TCP].on_clash),
		  NAT_CLASH_SEQUENTIAL },
		{ "ports: { on_clash: same-class, range: [1, 65535] }",
		  MEMBER(of[NAT_UDP].on_clash), NAT_CLASH_SAME_CLASS },
		{ "ports: { on_clash: drop }", MEMBER(of[NAT_TCP].on_clash), NAT_CLASH_DROP },
		{ "ports: { range: [6000, 6100] }", MEMBER(ports.first), 6000 },
		{ "ports: { range: [6000, 6100] }", MEMBER(ports.last), 6100 },
		{ "ports: { choose: sequential, range: [6000, 6999], step: 2 }", MEMBER(ports.step),
		  2 },
		{ "ports: { choose: sequential, range: [6000, 6999], step: -7 }",
		  MEMBER(ports.step), -7 },
		{ "ports: { on_clash: sequential, range: [6000, 6999], step: 3 }",
		  MEMBER(ports.step), 3 },
		{ "ports: { quota: 2000 }", MEMBER(ports.quota), 2000 },
		{ "ports: { choose: random, range: [6000, 6999], parity: yes }",
		  MEMBER(ports.parity), true },
		{ "ports: { parity: no }", MEMBER(ports.parity), false },
		{ "ports: { overloading: no }", MEMBER(of[NAT_UDP].overloads), false },
	};
	static const struct expectation shared[] = {
		{ "ports: { overloading: yes }", MEMBER(of[NAT_UDP].overloads), true },
		{ "ports: { overloading: yes }", MEMBER(of[NAT_TCP].overloads), true },
	};
	static const struct expectation behaviors[] = {
		{ "mapping: endpoint-independent\nfiltering: address-dependent",
		  MEMBER(of[NAT_UDP].filtering), NAT_ADDRESS_DEPENDENT },
		{ "mapping: address-dependent\nfiltering: address-dependent",
		  MEMBER(of[NAT_UDP].mapping), NAT_ADDRESS_DEPENDENT },
		{ "mapping: address-and-port-dependent\nfiltering: endpoint-independent",
		  MEMBER(of[NAT_TCP].mapping), NAT_ADDRESS_AND_PORT_DEPENDENT },
		{ "mapping: address-and-port-dependent\nfiltering: endpoint-independent",
		  MEMBER(of[NAT_TCP].filtering), NAT_ENDPOINT_INDEPENDENT },
	};

	(void)state;
	ASSERT_ALL_READ(BEHAVIORS, cases);
	ASSERT_ALL_READ(SYMMETRIC, shared);
	ASSERT_ALL_READ("about: x\n", behaviors);
}

static void every_value_of_the_other_keys_is_read(void **state)
{
	static const struct expectation cases[] = {
		{ "pool: { addresses: 8 }", MEMBER(pool.count), 8 },
		{ "pool: { addresses: 2 }", MEMBER(pool.paired), true },
		{ "pool: { addresses: 2, pairing: paired }", MEMBER(pool.paired), true },
		{ "pool: { addresses: 2, pairing: arbitrary }", MEMBER(pool.paired), false },
		{ "unsolicited: { udp: drop }", MEMBER(of[NAT_UDP].unsolicited),
		  NAT_UNSOLICITED_DROP },
		{ "unsolicited: { udp: icmp }", MEMBER(of[NAT_UDP].unsolicited),
		  NAT_UNSOLICITED_ICMP },
		{ "unsolicited: { udp: icmp }", MEMBER(of[NAT_TCP].unsolicited),
		  NAT_UNSOLICITED_DROP },
		{ "unsolicited: { udp: accept }", MEMBER(of[NAT_UDP].unsolicited),
		  NAT_UNSOLICITED_ACCEPT },
		{ "unsolicited: { udp: block }", MEMBER(of[NAT_UDP].unsolicited),
		  NAT_UNSOLICITED_BLOCK },
		{ "unsolicited: { tcp: icmp }", MEMBER(of[NAT_TCP].unsolicited),
		  NAT_UNSOLICITED_ICMP },
		{ "unsolicited: { tcp: accept }", MEMBER(of[NAT_TCP].unsolicited),
		  NAT_UNSOLICITED_ACCEPT },
		{ "unsolicited: { tcp: block }", MEMBER(of[NAT_TCP].unsolicited),
		  NAT_UNSOLICITED_BLOCK },
		{ "unsolicited: { tcp: rst }", MEMBER(of[NAT_TCP].unsolicited),
		  NAT_UNSOLICITED_RST },
		{ "hairpin: none", MEMBER(hairpin), NAT_HAIRPIN_OFF },
		{ "hairpin: internal-source", MEMBER(hairpin), NAT_HAIRPIN_INTERNAL_SOURCE },
		{ "hairpin: external-source", MEMBER(hairpin), NAT_HAIRPIN_EXTERNAL_SOURCE },
		{ "timeouts: { udp: 30s }", MEMBER(timeouts.udp_ms), 30000 },
		{ "timeouts: { udp: 30s }", MEMBER(timeouts.udp_unreplied_ms), 30000 },
		{ "timeouts: { tcp_established: 2h }", MEMBER(timeouts.tcp_established_ms),
		  7200000 },
		{ "timeouts: { tcp_transitory: 5m }", MEMBER(timeouts.tcp_transitory_ms), 300000 },
		{ "timeouts: { tcp_established: 1s, tcp_transitory: 1s }",
		  MEMBER(timeouts.tcp_established_ms), 1000 },
		{ "timeouts: { udp: 1000000s }", MEMBER(timeouts.udp_ms), 1000000000 },
		{ "refresh: both", MEMBER(refresh), NAT_REFRESH_BOTH },
		{ "refresh: outbound", MEMBER(refresh), NAT_REFRESH_OUTBOUND },
		{ "refresh: inbound", MEMBER(refresh), NAT_REFRESH_INBOUND },
		{ "refresh: nothing", MEMBER(refresh), NAT_REFRESH_NONE },
		{ "rst: ignored", MEMBER(rst), NAT_RST_IGNORED },
		{ "rst: in-window", MEMBER(rst), NAT_RST_IN_WINDOW },
		{ "rst: any", MEMBER(rst), NAT_RST_ANY },
		{ "icmp_errors: translated", MEMBER(drops_icmp_errors), false },
		{ "icmp_errors: dropped", MEMBER(drops_icmp_errors), true },
		{ "blocked: nothing", MEMBER(blocked), NAT_BLOCKS_NOTHING },
		{ "blocked: udp", MEMBER(blocked), NAT_BLOCKS_UDP },
		{ "blocked: all-but-tcp-443", MEMBER(blocked), NAT_BLOCKS_ALL_BUT_TCP_443 },
	};

	(void)state;
	ASSERT_ALL_READ(BEHAVIORS, cases);
}

static void forwards_and_the_file_of_a_ruleset_are_read(void **state)
{
	struct nat_model m;

	(void)state;
	parse(BEHAVIORS "forwards:\n"
			"  - { transport: tcp, port: 8080, host: 2, host_port: 80 }\n"
			"  - { transport: udp, port: 8080, host: 254, host_port: 65535 }\n"
			"ruleset: my.nft\n",
	      &m);
	assert_int_equal(m.forwards_count, 2);
	assert_int_equal(m.forwards[0].transport, NAT_TCP);
	assert_int_equal(m.forwards[0].port, 8080);
	assert_int_equal(m.forwards[0].host, 2);
	assert_int_equal(m.forwards[0].host_port, 80);
	assert_int_equal(m.forwards[1].transport, NAT_UDP);
	assert_int_equal(m.forwards[1].host, 254);
	assert_int_equal(m.forwards[1].host_port, 65535);
	assert_string_equal(m.ruleset_file, "my.nft");
	assert_null(m.ruleset);
	nat_model_fini(&m);
}

static void a_router_that_does_not_translate_says_mapping_none(void **state)
{
	struct nat_model m;

	(void)state;
	parse("about: x\nmapping: none\nfiltering: endpoint-independent\n", &m);
	assert_false(m.translates);
	assert_string_equal(nat_mapping_name(&m, NAT_UDP), "none");
	assert_string_equal(nat_mapping_name(&m, NAT_TCP), "none");
	nat_model_fini(&m);
}

static void values_have_the_names_of_the_files(void **state)
{
	(void)state;
	assert_string_equal(nat_behavior_name(NAT_ADDRESS_AND_PORT_DEPENDENT),
			    "address-and-port-dependent");
	assert_string_equal(nat_transport_name(NAT_TCP), "tcp");
	assert_string_equal(nat_port_choice_name(NAT_PORTS_SEQUENTIAL), "sequential");
	assert_string_equal(nat_port_choice_name(NAT_PORTS_BLOCK), "block");
	assert_string_equal(nat_on_clash_name(NAT_CLASH_SAME_CLASS), "same-class");
	assert_string_equal(nat_unsolicited_name(NAT_UNSOLICITED_RST), "rst");
	assert_string_equal(nat_hairpin_name(NAT_HAIRPIN_OFF), "none");
	assert_string_equal(nat_refresh_name(NAT_REFRESH_NONE), "nothing");
	assert_string_equal(nat_rst_name(NAT_RST_IN_WINDOW), "in-window");
	assert_string_equal(nat_blocked_name(NAT_BLOCKS_ALL_BUT_TCP_443), "all-but-tcp-443");
	assert_string_equal(nat_axis_name(NAT_AXIS_ICMP_ERRORS), "icmp_errors");
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
		assert_false(nat_model_differs(&m));
		assert_int_equal(m.of[NAT_UDP].mapping, six[i].mapping);
		assert_int_equal(m.of[NAT_UDP].filtering, six[i].filtering);
		assert_int_equal(m.of[NAT_UDP].choose, six[i].choose);
		for (int t = 0; t < NAT_TRANSPORTS; t++)
			assert_int_equal(m.of[t].unsolicited, NAT_UNSOLICITED_DROP);
		assert_true(nat_model_is_sourced(&m));
		nat_model_fini(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_a_default_but_the_behaviors),
		cmocka_unit_test(every_value_of_mapping_filtering_and_ports_is_read),
		cmocka_unit_test(every_value_of_the_other_keys_is_read),
		cmocka_unit_test(forwards_and_the_file_of_a_ruleset_are_read),
		cmocka_unit_test(a_router_that_does_not_translate_says_mapping_none),
		cmocka_unit_test(values_have_the_names_of_the_files),
		cmocka_unit_test(the_six_models_are_what_their_names_say),
	};

	return cmocka_run_group_tests_name("nat_model", tests, NULL, NULL);
}

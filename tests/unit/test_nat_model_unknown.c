// SPDX-License-Identifier: GPL-2.0-or-later
/* What nobody knows of a router, and where the rest is from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/nat_model.h"
#include "tests/model_files.h"

#define BEHAVIORS "about: x\nmapping: endpoint-independent\nfiltering: address-dependent\n"

static void parse(const char *text, struct nat_model *ret)
{
	struct err e = { .text = "" };

	if (nat_model_parse("x.yaml", text, strlen(text), ret, &e) < 0)
		fail_msg("%s\n%s", text, e.text);
}

static void unknown_may_stand_for_every_value_and_is_remembered_as_such(void **state)
{
	static const struct {
		const char *text;
		unsigned udp, tcp, router; /* bits, 1 << enum nat_value */
	} cases[] = {
		{ "ports: { choose: unknown }", 1u << NAT_VALUE_CHOOSE, 1u << NAT_VALUE_CHOOSE, 0 },
		{ "ports: { on_clash: unknown }", 1u << NAT_VALUE_ON_CLASH,
		  1u << NAT_VALUE_ON_CLASH, 0 },
		{ "pool: { addresses: 2, pairing: unknown }", 0, 0, 1u << NAT_VALUE_PAIRING },
		{ "unsolicited: { udp: unknown }", 1u << NAT_VALUE_UNSOLICITED, 0, 0 },
		{ "unsolicited: { tcp: unknown }", 0, 1u << NAT_VALUE_UNSOLICITED, 0 },
		{ "hairpin: unknown", 0, 0, 1u << NAT_VALUE_HAIRPIN },
		{ "timeouts: { udp: unknown }", 0, 0, 1u << NAT_VALUE_UDP_TIMEOUT },
		{ "timeouts: { tcp_established: unknown }", 0, 0, 1u << NAT_VALUE_TCP_ESTABLISHED },
		{ "timeouts: { tcp_transitory: unknown }", 0, 0, 1u << NAT_VALUE_TCP_TRANSITORY },
		{ "refresh: unknown", 0, 0, 1u << NAT_VALUE_REFRESH },
		{ "rst: unknown", 0, 0, 1u << NAT_VALUE_RST },
		{ "icmp_errors: unknown", 0, 0, 1u << NAT_VALUE_ICMP_ERRORS },
		{ "blocked: unknown", 0, 0, 1u << NAT_VALUE_BLOCKED },
		{ "udp: { mapping: unknown }", 1u << NAT_VALUE_MAPPING, 0, 0 },
		{ "tcp: { filtering: unknown }", 0, 1u << NAT_VALUE_FILTERING, 0 },
		{ "tcp: { choose: unknown }", 0, 1u << NAT_VALUE_CHOOSE, 0 },
		{ "udp: { on_clash: unknown }", 1u << NAT_VALUE_ON_CLASH, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		struct nat_model m;

		(void)snprintf(text, sizeof(text), BEHAVIORS "%s\n", cases[i].text);
		parse(text, &m);
		if (m.unknown != cases[i].router || m.of[NAT_UDP].unknown != cases[i].udp ||
		    m.of[NAT_TCP].unknown != cases[i].tcp)
			fail_msg("%s: %#x, %#x, %#x", cases[i].text, m.of[NAT_UDP].unknown,
				 m.of[NAT_TCP].unknown, m.unknown);
		nat_model_fini(&m);
	}
}

/* They are the hardest of the three behaviours, and the values of the RFCs for the rest. */
static void the_defaults_stand_in_for_what_nobody_knows(void **state)
{
	struct nat_model m;

	(void)state;
	parse("about: x\nmapping: unknown\nfiltering: unknown\n"
	      "ports: { choose: unknown, on_clash: unknown }\n"
	      "pool: { addresses: 2, pairing: unknown }\n"
	      "unsolicited: { udp: unknown, tcp: unknown }\nhairpin: unknown\n"
	      "timeouts: { udp: unknown, tcp_established: unknown, tcp_transitory: unknown }\n"
	      "refresh: unknown\nrst: unknown\nicmp_errors: unknown\nblocked: unknown\n",
	      &m);
	assert_true(m.translates);
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		assert_int_equal(m.of[t].mapping, NAT_ADDRESS_AND_PORT_DEPENDENT);
		assert_int_equal(m.of[t].filtering, NAT_ADDRESS_AND_PORT_DEPENDENT);
		assert_int_equal(m.of[t].choose, NAT_PORTS_PRESERVE);
		assert_int_equal(m.of[t].on_clash, NAT_CLASH_RANDOM);
		assert_int_equal(m.of[t].unsolicited, NAT_UNSOLICITED_DROP);
		assert_int_equal(m.of[t].unknown,
				 1u << NAT_VALUE_MAPPING | 1u << NAT_VALUE_FILTERING |
					 1u << NAT_VALUE_CHOOSE | 1u << NAT_VALUE_ON_CLASH |
					 1u << NAT_VALUE_UNSOLICITED);
	}
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
	assert_int_equal(m.given & (1u << NAT_AXIS_MAPPING | 1u << NAT_AXIS_FILTERING), 0);
	nat_model_fini(&m);
}

/* The lifetime of flows that were answered, if that is known. */
static void an_unknown_lifetime_of_what_is_not_answered_is_the_other_one(void **state)
{
	static const struct {
		const char *timeouts;
		uint32_t udp_ms, unreplied_ms;
		unsigned unknown;
	} cases[] = {
		{ "udp: 3m, udp_unreplied: 10s", 180000, 10000, 0 },
		{ "udp: 3m, udp_unreplied: unknown", 180000, 180000,
		  1u << NAT_VALUE_UDP_UNREPLIED },
		{ "udp: unknown, udp_unreplied: 10s", 120000, 10000, 1u << NAT_VALUE_UDP_TIMEOUT },
		{ "udp_unreplied: 10s", 120000, 10000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300];
		struct nat_model m;

		(void)snprintf(text, sizeof(text),
			       "about: x\nmapping: address-and-port-dependent\n"
			       "filtering: address-and-port-dependent\n"
			       "ports: { overloading: yes }\ntimeouts: { %s }\n",
			       cases[i].timeouts);
		parse(text, &m);
		assert_int_equal(m.timeouts.udp_ms, cases[i].udp_ms);
		assert_int_equal(m.timeouts.udp_unreplied_ms, cases[i].unreplied_ms);
		assert_int_equal(m.unknown, cases[i].unknown);
		nat_model_fini(&m);
	}
}

static void what_is_known_of_one_transport_is_not_unknown_there(void **state)
{
	struct nat_model m;

	(void)state;
	parse("about: x\nmapping: unknown\nfiltering: unknown\n"
	      "udp: { mapping: address-dependent }\n",
	      &m);
	assert_int_equal(m.of[NAT_UDP].mapping, NAT_ADDRESS_DEPENDENT);
	assert_int_equal(m.of[NAT_UDP].unknown, 1u << NAT_VALUE_FILTERING);
	assert_int_equal(m.of[NAT_TCP].unknown,
			 1u << NAT_VALUE_MAPPING | 1u << NAT_VALUE_FILTERING);
	nat_model_fini(&m);
}

static void a_source_says_which_keys_it_is_of(void **state)
{
	struct nat_model m;

	(void)state;
	parse(BEHAVIORS
	      "sources:\n"
	      "  - { text: all of it }\n"
	      "  - { of: [mapping], text: \"a, b\" }\n"
	      "  - of: [filtering, ports, pool, unsolicited, hairpin, timeouts, refresh]\n"
	      "    text: c\n"
	      "  - { of: [rst, icmp_errors, forwards, blocked, ruleset], text: d }\n",
	      &m);
	assert_int_equal(m.sources_count, 4);
	assert_int_equal(m.sources[0].axes, 0);
	assert_string_equal(m.sources[0].text, "all of it");
	assert_int_equal(m.sources[1].axes, 1u << NAT_AXIS_MAPPING);
	assert_string_equal(m.sources[1].text, "a, b");
	assert_int_equal(m.sources[2].axes, (1u << NAT_AXIS_RST) - (1u << NAT_AXIS_FILTERING));
	assert_int_equal(m.sources[3].axes, (1u << NAT_AXES) - (1u << NAT_AXIS_RST));
	nat_model_fini(&m);
}

static void a_model_is_sourced_if_a_source_is_of_each_key_it_has(void **state)
{
	static const struct {
		const char *text;
		bool sourced;
	} cases[] = {
		{ "", false },
		{ "sources: []", false },
		{ "sources: [ { text: a } ]", true },
		{ "sources: [ { of: [mapping], text: a } ]", false },
		{ "sources: [ { of: [mapping, filtering], text: a } ]", true },
		{ "sources: [ { of: [mapping], text: a }, { of: [filtering], text: b } ]", true },
		{ "rst: any\nsources: [ { of: [mapping, filtering], text: a } ]", false },
		{ "rst: any\nsources: [ { of: [mapping, filtering, rst], text: a } ]", true },
		{ "rst: unknown\nsources: [ { of: [mapping, filtering], text: a } ]", true },
		{ "ports: { choose: random }\nsources: [ { of: [mapping, filtering], text: a } ]",
		  false },
		{ "pool: { addresses: 2 }\nsources: [ { of: [mapping, filtering], text: a } ]",
		  false },
		{ "unsolicited: { udp: drop }\nsources: [ { of: [mapping, filtering], text: a } ]",
		  false },
		{ "hairpin: none\nsources: [ { of: [mapping, filtering], text: a } ]", false },
		{ "timeouts: { udp: 1s }\nsources: [ { of: [mapping, filtering], text: a } ]",
		  false },
		{ "refresh: both\nsources: [ { of: [mapping, filtering], text: a } ]", false },
		{ "icmp_errors: dropped\nsources: [ { of: [mapping, filtering], text: a } ]",
		  false },
		{ "blocked: udp\nsources: [ { of: [mapping, filtering], text: a } ]", false },
		{ "ruleset: a.nft\nsources: [ { of: [mapping, filtering], text: a } ]", false },
		{ "forwards: [ { transport: udp, port: 1, host: 2, host_port: 3 } ]\n"
		  "sources: [ { of: [mapping, filtering], text: a } ]",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300];
		struct nat_model m;

		(void)snprintf(text, sizeof(text), BEHAVIORS "%s\n", cases[i].text);
		parse(text, &m);
		if (nat_model_is_sourced(&m) != cases[i].sourced)
			fail_msg("%s", cases[i].text);
		nat_model_fini(&m);
	}
}

static void what_one_transport_has_for_itself_needs_a_source_too(void **state)
{
	static const struct {
		const char *text;
		bool sourced;
	} cases[] = {
		{ "tcp: { mapping: unknown, filtering: unknown, choose: unknown }", true },
		{ "tcp: { mapping: address-dependent }", false },
		{ "udp: { mapping: address-dependent }\nsources: [ { of: [mapping], text: a } ]",
		  true },
		{ "tcp: { filtering: address-dependent }\nsources: [ { of: [mapping], text: a } ]",
		  false },
		{ "udp: { choose: random }", false },
		{ "udp: { on_clash: random }", false },
		{ "udp: { overloading: yes }", false },
		{ "udp: { overloading: yes }\nsources: [ { of: [ports], text: a } ]", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300];
		struct nat_model m;

		(void)snprintf(text, sizeof(text),
			       "about: x\nmapping: unknown\nfiltering: unknown\n%s\n",
			       cases[i].text);
		parse(text, &m);
		if (nat_model_is_sourced(&m) != cases[i].sourced)
			fail_msg("%s", cases[i].text);
		nat_model_fini(&m);
	}
}

/* Of those that come with natsim. */
static void each_value_of_each_model_has_a_source(void **state)
{
	DIR *dir = opendir("nat_models");
	const struct dirent *entry;
	unsigned count = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		struct err e = { .text = "" };
		struct buf text = BUF_INIT;
		struct nat_model m;
		char path[300];

		if (strstr(entry->d_name, ".yaml") == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "nat_models/%s", entry->d_name);
		assert_true(model_files_read(path, &text));
		if (nat_model_parse(path, buf_text(&text), text.len, &m, &e) < 0)
			fail_msg("%s", e.text);
		if (!nat_model_is_sourced(&m))
			fail_msg("%s gives a value without a source", path);
		nat_model_fini(&m);
		buf_cleanup(&text);
		count++;
	}
	(void)closedir(dir);
	assert_true(count > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_may_stand_for_every_value_and_is_remembered_as_such),
		cmocka_unit_test(the_defaults_stand_in_for_what_nobody_knows),
		cmocka_unit_test(an_unknown_lifetime_of_what_is_not_answered_is_the_other_one),
		cmocka_unit_test(what_is_known_of_one_transport_is_not_unknown_there),
		cmocka_unit_test(a_source_says_which_keys_it_is_of),
		cmocka_unit_test(a_model_is_sourced_if_a_source_is_of_each_key_it_has),
		cmocka_unit_test(what_one_transport_has_for_itself_needs_a_source_too),
		cmocka_unit_test(each_value_of_each_model_has_a_source),
	};

	return cmocka_run_group_tests_name("nat_model_unknown", tests, NULL, NULL);
}

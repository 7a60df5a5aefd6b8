// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a model is filled in to its ruleset, but for the order of ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/composed.h"

#define CONE "mapping: endpoint-independent\nfiltering: address-dependent\n"

/* Behind what, which must be there. */
static const char *behind(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	if (at == NULL)
		fail_msg("there is no %s", what);
	return at + strlen(what);
}

static void timeouts_and_ports_reach_the_text(void **state)
{
	struct nat_model m;
	struct buf text;

	model_files_nat("symmetric-sequential", &m);
	m.timeouts.udp_ms = 61000;
	m.timeouts.tcp_established_ms = 62000;
	m.timeouts.tcp_transitory_ms = 1500;
	m.ports.first = 7000;
	m.ports.last = 7016;
	composed_of(&m, *state, &text);
	(void)behind(buf_text(&text), "timeout 61s");
	(void)behind(buf_text(&text), "timeout 62s");
	(void)behind(buf_text(&text), "timeout 1500ms");
	(void)behind(buf_text(&text), "define PORTS = 7000-7016\n");
	(void)behind(buf_text(&text), "numgen inc mod 17 offset 1");
	(void)behind(buf_text(&text), "\t1 : 7000,");
	(void)behind(buf_text(&text), "17 : 7016,\n}");
	buf_fini(&text);
	nat_model_fini(&m);
}

static void numbers_of_the_other_keys_reach_the_text(void **state)
{
	static const struct {
		const char *yaml, *text;
	} cases[] = {
		{ "ports: { quota: 123 }", "{ ip saddr ct count over 123 } drop\n" },
		{ "forwards: [ { transport: udp, port: 53, host: 3, host_port: 5353 },"
		  " { transport: tcp, port: 80, host: 254, host_port: 8080 } ]",
		  "{\n\tudp . 53 : $HOST_3 . 5353, tcp . 80 : $HOST_254 . 8080,\n}\n" },
		{ "forwards: [ { transport: udp, port: 53, host: 3, host_port: 5353 },"
		  " { transport: tcp, port: 80, host: 254, host_port: 8080 } ]",
		  "define INSIDE = 10.1.0.0/24\ndefine HOST_3 = 10.1.0.3\n"
		  "define HOST_254 = 10.1.0.254\n\n" },
		{ "ports: { choose: block, block: 1000, range: [2000, 4999] }",
		  "{\n\t$HOST_2 : $ADDRESS . 2000-2999, $HOST_3 : $ADDRESS . 3000-3999, "
		  "$HOST_4 : $ADDRESS . 4000-4999,\n}" },
		{ "ports: { choose: block, block: 1000, range: [2000, 4999] }",
		  "define HOST_2 = 10.1.0.2\ndefine HOST_3 = 10.1.0.3\n"
		  "define HOST_4 = 10.1.0.4\n\n" },
		{ "refresh: nothing\ntimeouts: { udp: 61s }",
		  "add @lived { ct original ip saddr . ct original proto-src timeout 122s }\n" },
		{ "pool: { addresses: 3 }",
		  "define ADDRESS_1 = 198.51.100.2\ndefine ADDRESS_2 = 198.51.100.3\n"
		  "define ADDRESS_3 = 198.51.100.4\n"
		  "define ADDRESSES = { $ADDRESS_1, $ADDRESS_2, $ADDRESS_3 }\n" },
		{ "pool: { addresses: 3 }",
		  "jhash ip saddr mod 3 seed 1 vmap { 0 : goto translate_0, 1 : goto translate_1, "
		  "2 : goto translate_2 }\n" },
		{ "pool: { addresses: 2, pairing: arbitrary }",
		  "numgen random mod 2 vmap { 0 : goto translate_0, 1 : goto translate_1 }\n" },
		{ "", "define ADDRESS = 198.51.100.2\ndefine ADDRESSES = $ADDRESS\n" },
		{ "", "define INSIDE = 10.1.0.0/24\n\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char yaml[300];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml), CONE "%s", cases[i].yaml);
		composed_from(yaml, *state, &text);
		(void)behind(buf_text(&text), cases[i].text);
		buf_fini(&text);
	}
}

/* The last of them is the first again, for what comes after. */
static void each_address_of_a_pool_has_its_ports(void **state)
{
	static const char *const parts[] = {
		"\ndefine ADDRESS = $ADDRESS_1\n",   "\tchain translate_0 {\n\t\tmeta l4proto $L4 ",
		"\nredefine ADDRESS = $ADDRESS_2\n", "\tchain translate_1 {\n\t\tmeta l4proto $L4 ",
		"\nredefine ADDRESS = $ADDRESS_3\n", "\tchain translate_2 {\n\t\tmeta l4proto $L4 ",
		"\nredefine ADDRESS = $ADDRESS_1\n", "\n# filtering, address-dependent",
	};
	struct buf text;

	composed_from(CONE "pool: { addresses: 3 }", *state, &text);
	const char *at = buf_text(&text);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		at = behind(at, parts[i]);
	assert_null(strstr(at, "redefine"));
	buf_fini(&text);
}

static void a_ruleset_with_maps_says_which_nft_keeps_their_timeouts(void **state)
{
	static const struct {
		const char *yaml;
		bool says;
	} cases[] = {
		{ CONE, true },
		{ "mapping: none\nfiltering: address-dependent", false },
		{ "mapping: address-and-port-dependent\nfiltering: address-and-port-dependent\n"
		  "ports: { overloading: yes }",
		  false },
		{ "mapping: address-and-port-dependent\nfiltering: address-and-port-dependent\n"
		  "tcp: { overloading: yes }",
		  true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text;

		composed_from(cases[i].yaml, *state, &text);
		assert_int_equal(strstr(buf_text(&text), "\n# Before version 1.0.6, nft ") != NULL,
				 cases[i].says);
		buf_fini(&text);
	}
}

/* By flow or by endpoint. */
static void what_is_not_refreshed_is_what_a_mapping_belongs_to(void **state)
{
	static const struct {
		const char *behaviors, *sender;
	} cases[] = {
		{ "mapping: endpoint-independent", "udp ip saddr . th sport @lived " },
		{ "mapping: address-and-port-dependent",
		  "udp ip saddr . th sport . ip daddr . th dport @lived " },
	};

	for (size_t i = 0; i < 2; i++) {
		char yaml[200];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml),
			       "%s\nfiltering: address-dependent\nrefresh: nothing",
			       cases[i].behaviors);
		composed_from(yaml, *state, &text);
		(void)behind(buf_text(&text), cases[i].sender);
		buf_fini(&text);
	}
}

/* Its names are filled in as in ours, and it has the same head. */
static void a_ruleset_of_its_own_takes_the_place_of_the_rules(void **state)
{
	static const char own[] = "\ntable ip natsim {\n\t# $UDP_TIMEOUT $OUTSIDE\n}\n";
	struct nat_model m;
	struct buf text;

	model_files_nat("full-cone", &m);
	m.ruleset = strdup(own);
	composed_of(&m, *state, &text);
	(void)behind(buf_text(&text), "\ndefine OUTSIDE = \"wan\"\n");
	const char *at = behind(buf_text(&text), "\ndelete table ip natsim\n");
	assert_string_equal(at, "\ntable ip natsim {\n\t# 120s $OUTSIDE\n}\n");
	buf_fini(&text);
	nat_model_fini(&m);
}

static void assert_place(const struct nat_model *m, size_t at, size_t line, bool as_written)
{
	struct ruleset_place place = ruleset_own_place(m, at);

	if (place.line != line || place.as_written != as_written)
		fail_msg("line %zu is %zu, %s written", at, place.line,
			 place.as_written ? "as" : "not as");
}

/* A forward is a list of three lines. */
static void each_line_of_a_ruleset_of_its_own_is_found_again(void **state)
{
	static const char own[] = "# one $OUTSIDE\n# two $UDP_TIMEOUT\n$FORWARDS\n\n# five";
	struct nat_model m;
	struct buf text;

	model_files_nat("full-cone", &m);
	m.ruleset = strdup(own);
	m.forwards = calloc(1, sizeof(*m.forwards));
	assert_non_null(m.forwards);
	m.forwards_count = 1;
	m.forwards[0] = (struct nat_forward){ NAT_TCP, 80, 9, 8080 };
	composed_of(&m, *state, &text);

	const char *at = strstr(buf_text(&text), "# one");
	size_t head = 0;

	assert_non_null(at);
	for (const char *p = buf_text(&text); p < at; p++)
		head += *p == '\n';
	assert_string_equal(at, "# one $OUTSIDE\n# two 120s\n{\n\ttcp . 80 : $HOST_9 . 8080,\n}\n\n"
				"# five");
	assert_place(&m, 1, 0, false);
	assert_place(&m, head, 0, false);
	assert_place(&m, head + 1, 1, true);
	assert_place(&m, head + 2, 2, false);
	assert_place(&m, head + 3, 3, false);
	assert_place(&m, head + 5, 3, false);
	assert_place(&m, head + 6, 4, true);
	assert_place(&m, head + 7, 5, true);
	/* What nft misses at the end, it misses behind it. */
	assert_place(&m, head + 8, 5, true);
	buf_fini(&text);
	nat_model_fini(&m);
}

/* $ONLY takes with it the space that follows, and nothing else. */
static void a_ruleset_may_end_in_a_name(void **state)
{
	struct nat_model m;
	struct buf text;

	model_files_nat("full-cone", &m);
	m.ruleset = strdup("# $ONLY one\n# $ONLY\n# $ONLY");
	composed_of(&m, *state, &text);
	(void)behind(buf_text(&text), "\ndelete table ip natsim\n# one\n# \n# ");
	buf_fini(&text);
	nat_model_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeouts_and_ports_reach_the_text),
		cmocka_unit_test(numbers_of_the_other_keys_reach_the_text),
		cmocka_unit_test(each_address_of_a_pool_has_its_ports),
		cmocka_unit_test(a_ruleset_with_maps_says_which_nft_keeps_their_timeouts),
		cmocka_unit_test(what_is_not_refreshed_is_what_a_mapping_belongs_to),
		cmocka_unit_test(a_ruleset_of_its_own_takes_the_place_of_the_rules),
		cmocka_unit_test(each_line_of_a_ruleset_of_its_own_is_found_again),
		cmocka_unit_test(a_ruleset_may_end_in_a_name),
	};

	return cmocka_run_group_tests_name("ruleset_values", tests, composed_setup,
					   composed_teardown);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What a model's file cannot say, and where it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/mistake.h"

static void a_key_or_word_that_is_not_known_has_its_place(void **state)
{
	static const struct mistake cases[] = {
		{ "about: x\nfiltering: address-dependent\n",
		  "1:1: key \"mapping\" is missing in the file" },
		{ "about: \"x\\ny\"\nmapping: unknown\nfiltering: unknown\n",
		  "1:8: about is one line" },
		{ "mapping: unknown\nfiltering: unknown\nabout: |\n  x\n",
		  "3:8: about is one line" },
		{ BEHAVIORS "colour: red\n",
		  "4:1: unknown key \"colour\"; known here: about, mapping, filtering, ports, pool, "
		  "unsolicited, hairpin, timeouts, refresh, rst, icmp_errors, blocked, forwards, "
		  "ruleset, udp, tcp, sources" },
		{ BEHAVIORS "hairpin: off\n",
		  "4:10: hairpin cannot be \"off\"; it is one of none, internal-source, "
		  "external-source, unknown" },
		{ BEHAVIORS "unsolicited: { udp: rst }\n",
		  "4:21: udp cannot be \"rst\"; it is one of drop, icmp, accept, block, unknown" },
		{ "about: x\nmapping: none\nfiltering: none\n",
		  "3:12: filtering cannot be \"none\"; it is one of endpoint-independent, "
		  "address-dependent, address-and-port-dependent, unknown" },
		{ BEHAVIORS "tcp: { mapping: none }\n",
		  "4:17: mapping cannot be \"none\"; it is one of endpoint-independent, "
		  "address-dependent, address-and-port-dependent, unknown" },
		{ BEHAVIORS "tcp: { unsolicited: drop }\n",
		  "4:8: unknown key \"unsolicited\"; known here: mapping, filtering, choose, "
		  "on_clash, overloading" },
		{ BEHAVIORS "sources: [ a ]\n",
		  "4:12: sources must be a group of keys (\"key: value\"), but is a single value" },
		{ BEHAVIORS "sources: [ { of: [udp], text: a } ]\n",
		  "4:19: of cannot be \"udp\"; it is one of mapping, filtering, ports, pool, "
		  "unsolicited, hairpin, timeouts, refresh, rst, icmp_errors, forwards, blocked, "
		  "ruleset" },
		{ BEHAVIORS "sources: [ { of: [] , text: a } ]\n",
		  "4:18: of has 0 entries, 1 is the least" },
		{ BEHAVIORS "sources: [ { of: [rst] } ]\n",
		  "4:12: key \"text\" is missing in sources" },
		{ BEHAVIORS "pool: { pairing: paired }\n",
		  "4:7: key \"addresses\" is missing in pool" },
		{ BEHAVIORS "forwards: [ { transport: udp, port: 1, host: 256, host_port: 1 } ]\n",
		  "4:46: hosts behind the router are 2 to 254" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void a_range_that_cannot_be_has_its_place(void **state)
{
	static const struct mistake cases[] = {
		{ BEHAVIORS "ports: { range: [0, 65535] }\n", "4:18: port 0 cannot be used" },
		{ BEHAVIORS "ports: { range: [1, 65536] }\n",
		  "4:21: range is 65536, but can be 65535 at most" },
		{ BEHAVIORS "ports: { range: [2000, 1000] }\n",
		  "4:17: the range ends before it begins" },
		{ BEHAVIORS "ports: { range: [2000, 2014] }\n",
		  "4:17: the range has 15 ports, 16 is the least" },
		{ BEHAVIORS "ports: { range: [2000] }\n",
		  "4:17: range has 1 entries, 2 is the least" },
		{ BEHAVIORS "ports: { on_clash: same-class }\n",
		  "4:20: the classes 1-511, 512-1023 and 1024-65535 need the range [1, 65535]" },
		{ BEHAVIORS "ports: { on_clash: drop }\nudp: { on_clash: same-class }\n",
		  "5:18: the classes 1-511, 512-1023 and 1024-65535 need the range [1, 65535]" },
		{ BEHAVIORS "ports: { on_clash: same-class, range: [1, 65534] }\n",
		  "4:20: the classes 1-511, 512-1023 and 1024-65535 need the range [1, 65535]" },
		{ BEHAVIORS "ports: { on_clash: same-class, range: [512, 65535] }\n",
		  "4:20: the classes 1-511, 512-1023 and 1024-65535 need the range [1, 65535]" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void a_step_that_cannot_be_has_its_place(void **state)
{
	static const struct mistake cases[] = {
		{ BEHAVIORS "ports: { choose: random, step: 2 }\n",
		  "4:32: only sequential ports have a step" },
		{ BEHAVIORS "ports: { on_clash: drop, step: -1 }\n",
		  "4:32: only sequential ports have a step" },
		{ BEHAVIORS "ports: { choose: random, step: 1 }\n",
		  "4:32: only sequential ports have a step" },
		{ BEHAVIORS "ports: { choose: sequential, step: 0 }\n",
		  "4:36: a step of 0 would lead to no other port" },
		{ BEHAVIORS "ports: { choose: sequential, range: [6000, 6031], step: 3 }\n",
		  "4:57: steps of 3 leave fewer than 16 of the range's 32 ports" },
		{ BEHAVIORS "ports: { choose: sequential, range: [6000, 6031], step: -3 }\n",
		  "4:57: steps of -3 leave fewer than 16 of the range's 32 ports" },
		{ BEHAVIORS "ports: { choose: sequential, step: -2147483648 }\n",
		  "4:36: steps of -2147483648 leave fewer than 16 of the range's 64512 ports" },
		{ BEHAVIORS "ports: { choose: sequential, step: -1 }\n",
		  "4:8: the range has 64512 ports, 4096 is the most with a step other than 1 or with "
		  "parity" },
		{ BEHAVIORS "ports: { choose: sequential, range: [1, 4097], step: 2 }\n",
		  "4:37: the range has 4097 ports, 4096 is the most with a step other than 1 or with "
		  "parity" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void a_block_or_a_parity_that_cannot_be_has_its_place(void **state)
{
	static const struct mistake cases[] = {
		{ BEHAVIORS "ports: { choose: block }\n",
		  "4:18: ports in blocks need the size of one (block)" },
		{ BEHAVIORS "tcp: { choose: block }\n",
		  "4:16: ports in blocks need the size of one (block)" },
		{ BEHAVIORS "ports: { choose: random, block: 64 }\n",
		  "4:33: only with \"choose: block\"" },
		{ BEHAVIORS "ports: { choose: random, block: 0 }\n",
		  "4:33: only with \"choose: block\"" },
		{ BEHAVIORS "ports: { choose: block, block: 0 }\n",
		  "4:32: a block has 0 ports, 16 is the least" },
		{ BEHAVIORS "ports: { choose: block, block: 15 }\n",
		  "4:32: a block has 15 ports, 16 is the least" },
		{ BEHAVIORS "ports: { choose: block, range: [6000, 6063], block: 65 }\n",
		  "4:53: the range has 64 ports and cannot hold a block of 65" },
		{ BEHAVIORS "ports: { choose: random, parity: yes, range: [1, 4097] }\n",
		  "4:46: the range has 4097 ports, 4096 is the most with a step other than 1 or with "
		  "parity" },
		{ BEHAVIORS "ports: { choose: sequential, parity: yes, range: [1, 4096] }\n",
		  "4:38: only ports that are drawn at random, or at random on a clash, have a "
		  "parity" },
		{ BEHAVIORS "ports: { on_clash: drop, parity: yes, range: [1, 4096] }\n",
		  "4:34: only ports that are drawn at random, or at random on a clash, have a "
		  "parity" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void a_clash_that_always_drops_or_a_pool_that_cannot_be_has_its_place(void **state)
{
	static const char *const drop = "4:20: drop needs endpoint-independent mapping: else a "
					"socket could talk to one destination only";
	const struct mistake cases[] = {
		{ SYMMETRIC "ports: { on_clash: drop }\n", drop },
		{ "about: x\nmapping: address-dependent\nfiltering: address-dependent\n"
		  "ports: { on_clash: drop }\n",
		  drop },
		{ BEHAVIORS "ports: { on_clash: drop }\ntcp: { mapping: address-dependent }\n",
		  drop },
		{ BEHAVIORS "ports: { on_clash: drop, range: [1025, 65535] }\n",
		  "4:20: drop needs a range with all of 1024-65535 in it: else hosts with other "
		  "ports could talk to nobody" },
		{ BEHAVIORS "ports: { on_clash: drop, range: [1024, 65534] }\n",
		  "4:20: drop needs a range with all of 1024-65535 in it: else hosts with other "
		  "ports could talk to nobody" },
		{ BEHAVIORS "pool: { addresses: 0 }\n",
		  "4:20: a pool has 1 to 8 addresses, and this one 0" },
		{ BEHAVIORS "pool: { addresses: 9 }\n",
		  "4:20: a pool has 1 to 8 addresses, and this one 9" },
		{ BEHAVIORS "pool: { addresses: 2 }\nports: { choose: sequential }\n",
		  "4:7: sequential ports and blocks are of one address, not of a pool" },
		{ BEHAVIORS "pool: { addresses: 2 }\nports: { on_clash: sequential }\n",
		  "4:7: sequential ports and blocks are of one address, not of a pool" },
		{ BEHAVIORS "pool: { addresses: 2 }\nports: { choose: block, block: 16 }\n",
		  "4:7: sequential ports and blocks are of one address, not of a pool" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void ports_that_cannot_be_shared_have_their_place(void **state)
{
	static const char *const whose =
		"4:23: mappings can share a port only where mapping and filtering are "
		"address-and-port-dependent: else nobody knows whom a packet is for";
	const struct mistake cases[] = {
		{ BEHAVIORS "ports: { overloading: yes }\n", whose },
		{ "about: x\nmapping: address-and-port-dependent\nfiltering: address-dependent\n"
		  "ports: { overloading: yes }\n",
		  whose },
		{ "about: x\nmapping: address-dependent\nfiltering: address-and-port-dependent\n"
		  "ports: { overloading: yes }\n",
		  whose },
		{ SYMMETRIC "tcp: { mapping: address-dependent, overloading: yes }\n",
		  "4:49: mappings can share a port only where mapping and filtering are "
		  "address-and-port-dependent: else nobody knows whom a packet is for" },
		{ SYMMETRIC "ports: { overloading: yes, choose: sequential }\n",
		  "4:23: ports that are shared are preserved or random" },
		{ SYMMETRIC "ports: { overloading: yes, choose: block, block: 16 }\n",
		  "4:23: ports that are shared are preserved or random" },
		/* It is what the file says in general that UDP has. */
		{ BEHAVIORS "ports: { overloading: yes }\ntcp: { choose: random }\n", whose },
		{ SYMMETRIC "ports: { overloading: yes, choose: random, parity: yes, "
			    "range: [6000, 7000] }\n",
		  "4:52: a port that is shared has no parity" },
		{ SHARED "hairpin: external-source\n",
		  "5:10: a port that is shared does not tell whom a packet is for" },
		{ SHARED "refresh: outbound\n",
		  "5:10: where ports are shared, packets in both directions refresh" },
		{ SHARED "rst: any\n", "5:6: where ports are shared, resets are ignored" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void what_only_a_router_that_translates_has_is_refused_of_others(void **state)
{
#define NO_MAPPING "a router that does not translate (mapping: none) has no "
	static const struct mistake cases[] = {
		{ UNTRANSLATED "ports: { choose: random }\n",
		  "4:8: " NO_MAPPING "ports to choose" },
		{ UNTRANSLATED "pool: { addresses: 2 }\n", "4:7: " NO_MAPPING "mapping for this" },
		{ UNTRANSLATED "hairpin: none\n", "4:10: " NO_MAPPING "mapping for this" },
		{ UNTRANSLATED "refresh: outbound\n", "4:10: " NO_MAPPING "mapping for this" },
		{ UNTRANSLATED "rst: any\n", "4:6: " NO_MAPPING "mapping for this" },
		{ UNTRANSLATED "forwards: [ { transport: udp, port: 1, host: 2, host_port: 1 } ]\n",
		  "4:11: " NO_MAPPING "mapping for this" },
		{ UNTRANSLATED "udp: { mapping: address-dependent }\n",
		  "4:17: " NO_MAPPING "mapping" },
		{ UNTRANSLATED "tcp: { choose: random }\n", "4:16: " NO_MAPPING "choose" },
		{ UNTRANSLATED "tcp: { on_clash: drop }\n", "4:18: " NO_MAPPING "on_clash" },
		{ UNTRANSLATED "udp: { overloading: no }\n", "4:21: " NO_MAPPING "overloading" },
		{ UNTRANSLATED "unsolicited: { udp: accept }\n",
		  "4:21: " NO_MAPPING "address of its own to accept at" },
		{ UNTRANSLATED "unsolicited: { udp: drop, tcp: accept }\n",
		  "4:32: " NO_MAPPING "address of its own to accept at" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void a_timeout_or_a_forward_that_cannot_be_has_its_place(void **state)
{
#define NO_ANSWERS                                                                                   \
	"only UDP mappings that share ports (overloading) live shorter before an answer: conntrack " \
	"alone keeps them"
#define FORWARD "forwards:\n- { transport: tcp, port: 80, host: 2, host_port: 80 }\n"
	static const struct mistake cases[] = {
		{ BEHAVIORS "timeouts: { udp: 120 }\n",
		  "4:18: \"120\" is no timeout: it is a number of seconds, minutes or hours, as in "
		  "120s, 4m, 2h, and 1000000s at most" },
		{ BEHAVIORS "timeouts: { udp: 1s, tcp_transitory: x }\n",
		  "4:38: \"x\" is no timeout: it is a number of seconds, minutes or hours, as in "
		  "120s, 4m, 2h, and 1000000s at most" },
		{ BEHAVIORS "timeouts: { tcp_established: 4m, tcp_transitory: 241s }\n",
		  "4:11: an established connection cannot be forgotten sooner (240 s) than a "
		  "transitory one (241 s)" },
		{ BEHAVIORS "timeouts: { udp: 60s, udp_unreplied: 30s }\n", "4:38: " NO_ANSWERS },
		{ UNTRANSLATED "timeouts: { udp_unreplied: unknown }\n", "4:28: " NO_ANSWERS },
		{ SYMMETRIC "tcp: { overloading: yes }\ntimeouts: { udp_unreplied: 30s }\n",
		  "5:28: " NO_ANSWERS },
		{ SHARED "timeouts: { udp_unreplied: 1d }\n",
		  "5:28: \"1d\" is no timeout: it is a number of seconds, minutes or hours, as in "
		  "120s, 4m, 2h, and 1000000s at most" },
		{ UNTRANSLATED "timeouts: { tcp_established: 10s }\n",
		  "4:11: an established connection cannot be forgotten sooner (10 s) than a "
		  "transitory one (240 s)" },
		{ BEHAVIORS FORWARD "- { transport: udp, port: 0, host: 2, host_port: 80 }\n",
		  "6:27: port 0 cannot be used" },
		{ BEHAVIORS FORWARD "- { transport: udp, port: 80, host: 2, host_port: 0 }\n",
		  "6:51: port 0 cannot be used" },
		{ BEHAVIORS FORWARD "- { transport: udp, port: 80, host: 1, host_port: 80 }\n",
		  "6:37: hosts behind the router are 2 to 254" },
		{ BEHAVIORS FORWARD "- { transport: udp, port: 80, host: 255, host_port: 80 }\n",
		  "6:37: hosts behind the router are 2 to 254" },
		{ BEHAVIORS FORWARD "- { transport: tcp, port: 80, host: 3, host_port: 81 }\n",
		  "6:27: port 80 is forwarded twice" },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void what_is_just_possible_is_taken(void **state)
{
	static const char *const texts[] = {
		BEHAVIORS "ports: { range: [2000, 2015] }\n",
		BEHAVIORS "ports: { range: [1, 65535] }\n",
		BEHAVIORS "ports: { choose: sequential, range: [1, 65535] }\n",
		BEHAVIORS "ports: { choose: sequential, range: [1, 4096], step: -256 }\n",
		BEHAVIORS "ports: { choose: sequential, range: [6000, 6031], step: 2 }\n",
		BEHAVIORS "ports: { choose: random, range: [1, 4096], parity: yes }\n",
		BEHAVIORS "ports: { on_clash: random, range: [1, 4096], parity: yes }\n",
		BEHAVIORS "ports: { choose: block, range: [6000, 6015], block: 16 }\n",
		BEHAVIORS "ports: { on_clash: same-class, range: [511, 65535] }\n",
		BEHAVIORS "ports: { on_clash: drop }\n",
		BEHAVIORS "pool: { addresses: 8 }\n",
		BEHAVIORS "pool: { addresses: 1 }\nports: { choose: sequential }\n",
		BEHAVIORS "timeouts: { tcp_established: 4m, tcp_transitory: 240s }\n",
		BEHAVIORS FORWARD "- { transport: udp, port: 80, host: 254, host_port: 1 }\n",
		SHARED "timeouts: { udp: 30s, udp_unreplied: 60s }\n",
		SHARED "hairpin: none\nrefresh: both\nrst: ignored\n",
		SYMMETRIC "ports: { overloading: yes, choose: random }\n",
		SYMMETRIC "udp: { overloading: yes }\nrst: any\n",
		UNTRANSLATED "unsolicited: { udp: icmp, tcp: rst }\n",
		SYMMETRIC "ports: { on_clash: drop, overloading: yes }\n"
			  "tcp: { mapping: endpoint-independent }\n",
		BEHAVIORS "ports: { choose: sequential, step: 1 }\n",
		BEHAVIORS "ports: { quota: 1 }\n",
		UNTRANSLATED "tcp: { filtering: endpoint-independent }\n"
			     "unsolicited: { udp: icmp }\ntimeouts: { udp: 30s }\n",
		UNTRANSLATED "tcp: { filtering: endpoint-independent }\n",
		UNTRANSLATED "hairpin: unknown\nblocked: udp\nicmp_errors: dropped\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct nat_model m;
		struct err e = { .text = "" };

		if (parse(texts[i], &m, &e) < 0)
			fail_msg("%s\n%s", texts[i], e.text);
		nat_model_fini(&m);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_or_word_that_is_not_known_has_its_place),
		cmocka_unit_test(a_range_that_cannot_be_has_its_place),
		cmocka_unit_test(a_step_that_cannot_be_has_its_place),
		cmocka_unit_test(a_block_or_a_parity_that_cannot_be_has_its_place),
		cmocka_unit_test(a_clash_that_always_drops_or_a_pool_that_cannot_be_has_its_place),
		cmocka_unit_test(ports_that_cannot_be_shared_have_their_place),
		cmocka_unit_test(what_only_a_router_that_translates_has_is_refused_of_others),
		cmocka_unit_test(a_timeout_or_a_forward_that_cannot_be_has_its_place),
		cmocka_unit_test(what_is_just_possible_is_taken),
		cmocka_unit_test(only_whole_timeouts_are_taken),
	};

	return cmocka_run_group_tests_name("nat_model_check", tests, NULL, NULL);
}

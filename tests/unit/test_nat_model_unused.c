// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/mistake.h"

static void what_would_have_no_effect_has_its_place(void **state)
{
#define NO_CLASH   "only ports that are preserved and not shared can clash"
#define UNFILTERED "about: x\nmapping: none\nfiltering: endpoint-independent\n"
#define NO_MEMORY  "without mapping and filtering, nothing is remembered and nothing is unsolicited"
	static const struct mistake cases[] = {
		{ BEHAVIORS "ports: { choose: random, on_clash: drop }\n", "4:36: " NO_CLASH },
		{ BEHAVIORS "ports: { choose: random, on_clash: unknown }\n", "4:36: " NO_CLASH },
		{ SYMMETRIC "ports: { overloading: yes, on_clash: random }\n", "4:38: " NO_CLASH },
		{ BEHAVIORS "ports: { on_clash: drop }\nudp: { choose: random }\n"
			    "tcp: { choose: sequential }\n",
		  "4:20: " NO_CLASH },
		{ BEHAVIORS
		  "ports: { on_clash: drop }\ntcp: { choose: random, on_clash: random }\n",
		  "5:34: " NO_CLASH },
		/* The one that could clash has its own. */
		{ BEHAVIORS "ports: { choose: random, on_clash: random }\n"
			    "udp: { choose: preserve, on_clash: drop }\n",
		  "4:36: " NO_CLASH },
		{ BEHAVIORS "ports: { on_clash: drop }\nudp: { on_clash: random }\n"
			    "tcp: { on_clash: sequential }\n",
		  "4:20: udp and tcp each have their own on_clash" },
		{ BEHAVIORS "ports: { choose: random }\nudp: { choose: preserve }\n"
			    "tcp: { choose: sequential }\n",
		  "4:18: udp and tcp each have their own choose" },
		{ SYMMETRIC "ports: { overloading: yes }\nudp: { choose: random }\n"
			    "tcp: { overloading: yes }\n",
		  "4:23: udp and tcp each have a section, which says whether they overload" },
		{ BEHAVIORS "ports: { quota: 0 }\n",
		  "4:17: a subscriber has one flow at least; without a quota, any number" },
		{ BEHAVIORS "pool: { addresses: 1, pairing: paired }\n",
		  "4:32: with one address there is nothing to pair" },
		{ BEHAVIORS "pool: { addresses: 1, pairing: unknown }\n",
		  "4:32: with one address there is nothing to pair" },
		{ UNFILTERED "unsolicited: { udp: icmp }\n", "4:21: " NO_MEMORY },
		{ UNFILTERED "unsolicited: { tcp: rst }\n", "4:21: " NO_MEMORY },
		{ UNFILTERED "timeouts: { udp: 30s }\n", "4:18: " NO_MEMORY },
		{ UNFILTERED "timeouts: { tcp_transitory: 30s }\n", "4:29: " NO_MEMORY },
		{ UNFILTERED "timeouts: { tcp_established: 2h }\n", "4:30: " NO_MEMORY },
		{ UNTRANSLATED "udp: { filtering: endpoint-independent }\n"
			       "unsolicited: { tcp: rst, udp: icmp }\n",
		  "5:31: " NO_MEMORY },
	};

	(void)state;
	ASSERT_REFUSED(cases);
}

static void what_is_of_udp_alone_is_not_for_a_router_that_blocks_it(void **state)
{
#define NO_UDP "the router blocks UDP"
	static const struct mistake cases[] = {
		{ BEHAVIORS "blocked: udp\ntimeouts: { tcp_transitory: 300s, udp: 30s }\n",
		  "5:40: " NO_UDP },
		{ SHARED "blocked: udp\ntimeouts: { udp_unreplied: 30s }\n", "6:28: " NO_UDP },
		{ BEHAVIORS "refresh: outbound\nblocked: udp\n", "4:10: " NO_UDP },
		{ BEHAVIORS "refresh: both\nblocked: all-but-tcp-443\n", "4:10: " NO_UDP },
		{ BEHAVIORS "blocked: udp\nudp: { choose: random }\n", "5:6: " NO_UDP },
		{ BEHAVIORS "blocked: udp\nforwards:\n"
			    "  - { transport: tcp, port: 80, host: 2, host_port: 80 }\n"
			    "  - { transport: udp, port: 80, host: 2, host_port: 80 }\n",
		  "7:5: " NO_UDP },
		{ UNTRANSLATED "blocked: udp\ntimeouts: { udp: 30s }\n", "5:18: " NO_UDP },
	};
	static const char *const taken[] = {
		BEHAVIORS "blocked: nothing\nrefresh: outbound\ntimeouts: { udp: 30s }\n",
		BEHAVIORS "blocked: udp\nunsolicited: { udp: icmp }\n",
		BEHAVIORS "blocked: all-but-tcp-443\nhairpin: external-source\nforwards:\n"
			  "  - { transport: tcp, port: 80, host: 2, host_port: 80 }\n",
		UNTRANSLATED "blocked: udp\nudp: { filtering: endpoint-independent }\n"
			     "unsolicited: { tcp: rst }\n",
	};

	(void)state;
	ASSERT_REFUSED(cases);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct nat_model m;
		struct err e = { .text = "" };

		if (parse(taken[i], &m, &e) < 0)
			fail_msg("%s\n%s", taken[i], e.text);
		nat_model_fini(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_would_have_no_effect_has_its_place),
		cmocka_unit_test(what_is_of_udp_alone_is_not_for_a_router_that_blocks_it),
	};

	return cmocka_run_group_tests_name("nat_model_unused", tests, NULL, NULL);
}

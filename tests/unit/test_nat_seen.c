// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tests of RFC 5780 see of a router. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/nat_seen.h"

#define CONE      "mapping: endpoint-independent\nfiltering: address-dependent\n"
#define SYMMETRIC "mapping: address-and-port-dependent\nfiltering: address-and-port-dependent\n"
#define EIM       "endpoint-independent"
#define ADM       "address-dependent"
#define APDM      "address-and-port-dependent"
#define IT_VARIES NULL

/* A model and what is seen of it. */
struct sight {
	const char *yaml;
	struct nat_seen seen;
};

static bool is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *shown(const char *word)
{
	return word == NULL ? "(it varies)" : word;
}

static void assert_seen_over(enum nat_transport t, const struct sight *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct nat_seen *wanted = &cases[i].seen;
		struct nat_model m;
		struct err e = { .text = "" };
		char text[500];

		(void)snprintf(text, sizeof(text), "about: x\n%s\n", cases[i].yaml);
		if (nat_model_parse("x.yaml", text, strlen(text), &m, &e) < 0)
			fail_msg("%s\n%s", text, e.text);
		struct nat_seen seen = nat_seen_as(&m, t);
		if (!is_same(seen.mapping, wanted->mapping) ||
		    !is_same(seen.filtering, wanted->filtering) ||
		    !is_same(seen.ports, wanted->ports) || seen.step != wanted->step)
			fail_msg("%s: %s, %s, %s %d over %s", cases[i].yaml, seen.mapping,
				 seen.filtering, shown(seen.ports), seen.step,
				 nat_transport_name(t));
		nat_model_fini(&m);
	}
}
#define ASSERT_SEEN_OVER(t, cases) assert_seen_over(t, cases, sizeof(cases) / sizeof((cases)[0]))

static void a_router_is_seen_as_what_it_does(void **state)
{
	static const struct sight cases[] = {
		{ CONE, { EIM, ADM, "preserve", 0 } },
		{ SYMMETRIC, { APDM, APDM, "preserve", 0 } },
		{ "mapping: address-dependent\nfiltering: endpoint-independent",
		  { ADM, EIM, "preserve", 0 } },
		{ "mapping: none\nfiltering: address-dependent", { "none", ADM, "preserve", 0 } },
		{ CONE "ports: { choose: random }", { EIM, ADM, "random", 0 } },
		{ CONE "ports: { choose: sequential }", { EIM, ADM, "sequential", 1 } },
		{ CONE "ports: { choose: sequential, range: [6000, 6999], step: -7 }",
		  { EIM, ADM, "sequential", -7 } },
		{ CONE "ports: { choose: block, block: 64 }", { EIM, ADM, "block", 0 } },
		{ CONE "blocked: nothing", { EIM, ADM, "preserve", 0 } },
	};

	(void)state;
	ASSERT_SEEN_OVER(NAT_UDP, cases);
	ASSERT_SEEN_OVER(NAT_TCP, cases);
}

static void random_ports_that_are_near_to_each_other_are_seen_as_a_block(void **state)
{
	static const struct sight cases[] = {
		{ CONE "ports: { choose: random, range: [10001, 14096] }",
		  { EIM, ADM, "block", 0 } },
		{ CONE "ports: { choose: random, range: [10001, 14097] }",
		  { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { choose: random, range: [10001, 26383] }",
		  { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { choose: random, range: [10001, 26384] }",
		  { EIM, ADM, "random", 0 } },
		{ CONE "ports: { choose: block, block: 4096 }", { EIM, ADM, "block", 0 } },
		{ CONE "ports: { choose: block, block: 60000 }", { EIM, ADM, "random", 0 } },
		{ CONE "ports: { range: [1024, 4000] }", { EIM, ADM, "block", 0 } },
		{ SYMMETRIC "ports: { overloading: yes, choose: random, range: [1024, 4000] }",
		  { APDM, APDM, "block", 0 } },
	};

	(void)state;
	ASSERT_SEEN_OVER(NAT_UDP, cases);
}

/* Linux takes ports from 32768 to 60999. */
static void preserved_ports_are_those_of_the_range_only(void **state)
{
	static const struct sight cases[] = {
		{ CONE "ports: { range: [32768, 60999] }", { EIM, ADM, "preserve", 0 } },
		{ CONE "ports: { range: [32769, 60999] }", { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { range: [32768, 60998] }", { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { range: [1024, 32768] }", { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { range: [1024, 32767] }", { EIM, ADM, "random", 0 } },
		{ CONE "ports: { range: [1024, 32767], on_clash: sequential }",
		  { EIM, ADM, "sequential", 1 } },
		{ CONE "ports: { range: [1, 4000], on_clash: sequential, step: -2 }",
		  { EIM, ADM, "sequential", -2 } },
		{ CONE "ports: { range: [61000, 65535] }", { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { range: [60999, 65535] }", { EIM, ADM, IT_VARIES, 0 } },
		{ CONE "ports: { range: [1, 65535], on_clash: same-class }",
		  { EIM, ADM, "preserve", 0 } },
	};

	(void)state;
	ASSERT_SEEN_OVER(NAT_UDP, cases);
}

static void shared_ports_that_are_preserved_look_endpoint_independent(void **state)
{
	static const struct sight cases[] = {
		{ SYMMETRIC "ports: { overloading: yes }", { EIM, APDM, "preserve", 0 } },
		{ SYMMETRIC "ports: { overloading: yes, choose: random }",
		  { APDM, APDM, "random", 0 } },
		{ SYMMETRIC "ports: { overloading: yes, range: [1, 32767] }",
		  { EIM, APDM, "random", 0 } },
	};

	(void)state;
	ASSERT_SEEN_OVER(NAT_UDP, cases);
	ASSERT_SEEN_OVER(NAT_TCP, cases);
}

static void what_is_blocked_is_not_seen(void **state)
{
#define NOTHING                                                         \
	{                                                               \
		NAT_SEEN_BLOCKED, NAT_SEEN_BLOCKED, NAT_SEEN_BLOCKED, 0 \
	}
	static const struct sight nothing[] = {
		{ CONE "blocked: udp", NOTHING },
		{ CONE "blocked: all-but-tcp-443", NOTHING },
		{ "mapping: none\nfiltering: endpoint-independent\nblocked: udp", NOTHING },
	};
	static const struct sight over_tcp[] = {
		{ CONE "blocked: udp", { EIM, ADM, "preserve", 0 } },
		{ CONE "blocked: all-but-tcp-443", NOTHING },
	};

	(void)state;
	ASSERT_SEEN_OVER(NAT_UDP, nothing);
	ASSERT_SEEN_OVER(NAT_TCP, over_tcp);
}

static void each_transport_is_seen_as_what_it_does(void **state)
{
	static const char *const yaml =
		CONE "ports: { range: [6000, 6999], step: 3 }\n"
		     "udp: { mapping: address-dependent, choose: sequential }\n"
		     "tcp: { filtering: endpoint-independent, choose: random }";
	const struct sight udp[] = { { yaml, { ADM, ADM, "sequential", 3 } } };
	const struct sight tcp[] = { { yaml, { EIM, EIM, "block", 0 } } };

	(void)state;
	ASSERT_SEEN_OVER(NAT_UDP, udp);
	ASSERT_SEEN_OVER(NAT_TCP, tcp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_router_is_seen_as_what_it_does),
		cmocka_unit_test(random_ports_that_are_near_to_each_other_are_seen_as_a_block),
		cmocka_unit_test(preserved_ports_are_those_of_the_range_only),
		cmocka_unit_test(shared_ports_that_are_preserved_look_endpoint_independent),
		cmocka_unit_test(what_is_blocked_is_not_seen),
		cmocka_unit_test(each_transport_is_seen_as_what_it_does),
	};

	return cmocka_run_group_tests_name("nat_seen", tests, NULL, NULL);
}

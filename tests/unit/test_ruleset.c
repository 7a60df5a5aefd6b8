// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files a model's ruleset is made of, and that they fit together; test_ruleset_ports.c has
 * the lists that are generated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/ruleset.h"
#include "tests/composed.h"
#include "tests/golden.h"
#include "tests/sound_ruleset.h"

#define CONE      "mapping: endpoint-independent\nfiltering: address-dependent\n"
#define SYMMETRIC "mapping: address-and-port-dependent\nfiltering: address-and-port-dependent\n"

static void the_six_models_make_the_rulesets_on_file(void **state)
{
	static const char *const names[] = { "open",
					     "full-cone",
					     "restricted-cone",
					     "port-restricted-cone",
					     "symmetric-sequential",
					     "symmetric-random" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct nat_model m;
		struct buf text;
		char file[64];

		model_files_nat(names[i], &m);
		composed_of(&m, *state, &text);
		(void)snprintf(file, sizeof(file), "%s.nft", names[i]);
		golden_compare(file, buf_text(&text));
		buf_fini(&text);
		nat_model_fini(&m);
	}
}

/* ---- what fits together */

static void every_combination_of_behaviors_has_its_files(void **state)
{
	static const char *const choices[] = { "choose: preserve", "choose: random",
					       "choose: sequential, range: [6000, 6999]",
					       "choose: sequential", "choose: block, block: 64" };
	static const char *const headings[] = {
		"\n# ports, preserve: ", "\n# ports, random: ", "\n# ports, sequential.",
		"\n# ports, sequential, for", "\n# ports, block: "
	};

	for (int n = 0; n < 3 * 3 * 5; n++) {
		enum nat_behavior mapping = (enum nat_behavior)(n % 3);
		enum nat_behavior filtering = (enum nat_behavior)(n / 3 % 3);
		char yaml[300];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml), "mapping: %s\nfiltering: %s\nports: { %s }",
			       nat_behavior_name(mapping), nat_behavior_name(filtering),
			       choices[n / 9]);
		composed_from(yaml, *state, &text);
		assert_sound(buf_text(&text));
		assert_non_null(strstr(buf_text(&text), headings[n / 9]));
		assert_null(strstr(buf_text(&text), "redefine"));
		buf_fini(&text);
	}
}

/* Over UDP and TCP, all two by two. */
static void any_two_transports_go_together(void **state)
{
	static const char *const own[] = {
		"mapping: endpoint-independent, filtering: endpoint-independent",
		"mapping: address-dependent, filtering: endpoint-independent, choose: random",
		"mapping: address-dependent, filtering: address-dependent, on_clash: sequential",
		"mapping: endpoint-independent, filtering: address-dependent, on_clash: drop",
		"filtering: endpoint-independent, choose: sequential",
		"mapping: endpoint-independent, choose: block",
		"overloading: yes",
		"overloading: yes, choose: random",
	};
	const size_t count = sizeof(own) / sizeof(own[0]);

	for (size_t n = 0; n < count * count; n++) {
		bool blocks = n % count == 5 || n / count == 5;
		char yaml[600];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml), SYMMETRIC "%s\nudp: { %s }\ntcp: { %s }",
			       blocks ? "ports: { block: 64 }" : "", own[n % count],
			       own[n / count]);
		composed_from(yaml, *state, &text);
		assert_sound(buf_text(&text));
		buf_fini(&text);
	}
}

/* ---- which file stands for what */

static void every_value_has_its_file_and_only_it(void **state)
{
	static const struct {
		const char *yaml, *heading;
	} cases[] = {
		{ "ports: { on_clash: sequential }", "# ports, sequential, for" },
		{ "ports: { on_clash: same-class, range: [1, 65535] }", "# ports, same class" },
		{ "ports: { on_clash: drop }", "# ports, drop" },
		{ "ports: { choose: random, parity: yes, range: [6000, 7000] }",
		  "# ports, random with parity" },
		{ "ports: { parity: yes, range: [6000, 7000] }", "# ports, random with parity" },
		{ "ports: { quota: 1 }", "# quota" },
		{ "pool: { addresses: 2 }", "# pool, paired" },
		{ "pool: { addresses: 2, pairing: arbitrary }", "# pool, arbitrary" },
		{ "unsolicited: { udp: icmp }", "# unsolicited udp, icmp" },
		{ "unsolicited: { udp: accept }", "# unsolicited udp, accept" },
		{ "unsolicited: { udp: block }", "# unsolicited udp, block" },
		{ "unsolicited: { tcp: icmp }", "# unsolicited tcp, icmp" },
		{ "unsolicited: { tcp: rst }", "# unsolicited tcp, rst" },
		{ "unsolicited: { tcp: accept }", "# unsolicited tcp, accept" },
		{ "unsolicited: { tcp: block }", "# unsolicited tcp, block" },
		{ "hairpin: internal-source", "# hairpin, internal source" },
		{ "hairpin: external-source", "# hairpin, external source" },
		{ "refresh: outbound", "# refresh, outbound" },
		{ "refresh: inbound", "# refresh, inbound" },
		{ "refresh: nothing", "# refresh, nothing" },
		{ "refresh: nothing", "# expiry" },
		{ "rst: in-window", "# rst" },
		{ "rst: any", "# rst" },
		{ "rst: any", "# expiry" },
		{ "rst: any", "# forget: who owns" },
		{ "rst: any", "# forget: its mapping" },
		{ "icmp_errors: dropped", "# icmp errors, dropped" },
		{ "blocked: udp", "# blocked, udp" },
		{ "blocked: all-but-tcp-443", "# blocked, all but" },
		{ "forwards: [ { transport: udp, port: 9, host: 3, host_port: 8 } ]",
		  "# forwards: outside ports" },
		{ "forwards: [ { transport: udp, port: 9, host: 3, host_port: 8 } ]",
		  "# forwards, owners" },
		{ "forwards: [ { transport: udp, port: 9, host: 3, host_port: 8 } ]",
		  "# forwards, preserve" },
	};
	struct buf plain, text;
	char yaml[300], heading[80];

	composed_from(CONE, *state, &plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(yaml, sizeof(yaml), CONE "%s", cases[i].yaml);
		(void)snprintf(heading, sizeof(heading), "\n%s", cases[i].heading);
		composed_from(yaml, *state, &text);
		assert_sound(buf_text(&text));
		if (strstr(buf_text(&text), heading) == NULL)
			fail_msg("%s: no %s", cases[i].yaml, cases[i].heading);
		if (strstr(buf_text(&plain), heading) != NULL)
			fail_msg("a plain router has %s", cases[i].heading);
		buf_fini(&text);
	}
	buf_fini(&plain);
}

/* What conntrack does by itself has no owners, no mappings and no filter but its own. */
static void where_ports_are_shared_nobody_owns_one(void **state)
{
	static const char *const choices[] = { "preserve", "random" };

	for (size_t i = 0; i < 2; i++) {
		char yaml[200], heading[80];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml),
			       SYMMETRIC "ports: { overloading: yes, choose: %s }", choices[i]);
		(void)snprintf(heading, sizeof(heading),
			       "\n# ports, %s, overloading: ", choices[i]);
		composed_from(yaml, *state, &text);
		assert_sound(buf_text(&text));
		assert_non_null(strstr(buf_text(&text), heading));
		/* On a clash the kernel finds another one itself. */
		assert_null(strstr(buf_text(&text), "\n# ports, random: "));
		assert_null(strstr(buf_text(&text), "@owner_of"));
		assert_null(strstr(buf_text(&text), "\n# filtering, address"));
		assert_non_null(strstr(buf_text(&text), "\n# unsolicited udp, drop"));
		buf_fini(&text);
	}
}

static void a_stack_that_accepts_is_not_silent_over_that_transport(void **state)
{
	static const struct {
		const char *yaml, *redefined;
	} cases[] = {
		{ "{ udp: accept, tcp: drop }", "\nredefine L4 = tcp\n\n# own stack, silent" },
		{ "{ udp: drop, tcp: accept }", "\nredefine L4 = udp\n\n# own stack, silent" },
		{ "{ udp: accept, tcp: accept }", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char yaml[200];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml), CONE "unsolicited: %s", cases[i].yaml);
		composed_from(yaml, *state, &text);
		if (cases[i].redefined != NULL)
			assert_non_null(strstr(buf_text(&text), cases[i].redefined));
		else
			assert_null(strstr(buf_text(&text), "# own stack, silent"));
		buf_fini(&text);
	}
}

/* It has no ports, so nobody owns one. */
static void a_firewall_may_filter_one_transport_only(void **state)
{
	static const char *const transports[] = { "udp", "tcp" };

	for (size_t i = 0; i < 2; i++) {
		char yaml[200], accept[80];
		struct buf text;

		(void)snprintf(yaml, sizeof(yaml),
			       "mapping: none\nfiltering: address-dependent\n"
			       "%s: { filtering: endpoint-independent }",
			       transports[i]);
		(void)snprintf(accept, sizeof(accept), "\t\tmeta l4proto %s accept\n",
			       transports[i]);
		composed_from(yaml, *state, &text);
		assert_sound(buf_text(&text));
		assert_non_null(strstr(buf_text(&text), accept));
		buf_fini(&text);
	}
}

static void assert_in_order(const char *text, const char *const *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *at = strstr(text, parts[i]);

		if (at == NULL)
			fail_msg("no %s after %s", parts[i],
				 i == 0 ? "the beginning" : parts[i - 1]);
		text = at;
	}
}

static void what_differs_stands_for_its_transport_and_sets_that_back(void **state)
{
#define BACK "\nredefine L4 = { tcp, udp }\n"
	static const char *const parts[] = {
		"\ndefine L4 = { tcp, udp }\n",
		"\nredefine L4 = udp\n\n# mapping, address and port-dependent",
		BACK,
		"\nredefine L4 = tcp\n\n# mapping, endpoint-independent",
		"\t\tmeta l4proto tcp snat ip to meta l4proto . ip saddr . th sport map @mapping_of",
		BACK,
		"\nredefine L4 = udp\n\n# ports, random",
		BACK,
		"\nredefine L4 = tcp\n\n# ports, preserve",
		BACK,
		"\nredefine L4 = tcp\n\n# ports, drop",
		BACK,
		"\nredefine L4 = udp\n\n# filtering, address and port-dependent",
		"\t\tmeta l4proto udp meta l4proto . ip daddr . th dport . ip saddr . th sport \\",
		BACK,
		"\nredefine L4 = tcp\n\n# filtering, address-dependent",
		"\t\tmeta l4proto tcp meta l4proto . ip daddr . th dport . ip saddr \\",
		BACK,
		"\n# unsolicited udp, drop",
	};
	struct buf text;
	unsigned own = 0, back = 0;

	composed_from(CONE "ports: { on_clash: drop }\n"
			   "udp: { mapping: address-and-port-dependent, "
			   "filtering: address-and-port-dependent, choose: random }",
		      *state, &text);
	assert_in_order(buf_text(&text), parts, sizeof(parts) / sizeof(parts[0]));
	for (const char *p = buf_text(&text); (p = strstr(p, "\nredefine ")) != NULL; p++) {
		if (strncmp(p, BACK, strlen(BACK)) == 0)
			back++;
		else
			own++;
		assert_in_range(own - back, 0, 1);
	}
	assert_int_equal(own, 7);
	assert_int_equal(back, 7);
	buf_fini(&text);
}

static void a_missing_file_is_named_and_nothing_is_added(void **state)
{
	struct ruleset_files without = *(const struct ruleset_files *)*state;
	struct nat_model m;
	struct buf text = BUF_INIT;
	struct err e = { .text = "" };

	without.count = 0;
	model_files_nat("open", &m);
	assert_true(ruleset_compose(&m, &composed_site, &without, &text, &e) < 0);
	assert_string_equal(e.text, "NAT model open needs rules/base.nft, which is missing");
	assert_int_equal(text.len, 0);
	nat_model_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_six_models_make_the_rulesets_on_file),
		cmocka_unit_test(every_combination_of_behaviors_has_its_files),
		cmocka_unit_test(any_two_transports_go_together),
		cmocka_unit_test(every_value_has_its_file_and_only_it),
		cmocka_unit_test(where_ports_are_shared_nobody_owns_one),
		cmocka_unit_test(a_stack_that_accepts_is_not_silent_over_that_transport),
		cmocka_unit_test(a_firewall_may_filter_one_transport_only),
		cmocka_unit_test(what_differs_stands_for_its_transport_and_sets_that_back),
		cmocka_unit_test(a_missing_file_is_named_and_nothing_is_added),
	};

	return cmocka_run_group_tests_name("ruleset", tests, composed_setup, composed_teardown);
}

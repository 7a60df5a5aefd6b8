// SPDX-License-Identifier: GPL-2.0-or-later
/* Which requirements are not judged, and why; and those of routers that share ports. */
#include <stdio.h>

#include "tests/conformance_router.h"

/* One that shares ports. */
#define SHARES                                            \
	"about: x\nmapping: address-and-port-dependent\n" \
	"filtering: address-and-port-dependent\nports: { overloading: yes }\n"

static const char *const rows[] = {
	"REQ-1",
	"REQ-2",
	"REQ-3",
	"REQ-3a",
	"REQ-4",
	"REQ-5",
	"REQ-5a",
	"REQ-5b",
	"REQ-5c",
	"REQ-6",
	"REQ-6a",
	"REQ-7",
	"REQ-8",
	"REQ-8a",
	"REQ-9",
	"REQ-9a",
	"REQ-10",
	"REQ-10a",
	"REQ-11",
	"REQ-12",
	"REQ-12a",
	"REQ-12b",
	"REQ-13",
	"REQ-13a",
	"REQ-14",
	"REQ-14a",
	/* RFC 5382 */
	"REQ-1",
	"REQ-2",
	"REQ-2a",
	"REQ-3",
	"REQ-3a",
	"REQ-4",
	"REQ-4a",
	"REQ-5",
	"REQ-5",
	"REQ-5a",
	"REQ-6",
	"REQ-7",
	"REQ-8",
	"REQ-8a",
	"REQ-9",
	"REQ-10",
};

static void every_requirement_has_its_row_in_its_place(void **state)
{
	static const char *const models[] = {
		GOOD,
		SHARES,
		GOOD_WITHOUT_UDP "blocked: all-but-tcp-443\n",
		"about: x\nmapping: none\nfiltering: endpoint-independent\n",
		"about: x\nmapping: unknown\nfiltering: unknown\nports: { choose: unknown }\n",
	};
	struct requirement card[REQUIREMENTS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct router r = router_of(models[i]);

		assert_int_equal(conformance_card(&r.model, r.measured, &r.seen, card),
				 sizeof(rows) / sizeof(rows[0]));
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			assert_string_equal(card[k].id, rows[k]);
		nat_model_fini(&r.model);
	}
}

static void what_nobody_knows_is_not_judged(void **state)
{
	static const struct {
		const char *yaml, *rfc, *id, *detail;
	} cases[] = {
		{ "mapping: unknown", "RFC 4787", "REQ-1",
		  "nobody knows; address-and-port-dependent stands in" },
		{ "mapping: unknown", "RFC 5382", "REQ-1",
		  "nobody knows; address-and-port-dependent stands in" },
		{ "mapping: unknown", "RFC 4787", "REQ-11", "nobody knows; " },
		{ "mapping: unknown", "RFC 5382", "REQ-2a", "nobody knows; " },
		{ "filtering: unknown", "RFC 4787", "REQ-8", "nobody knows; " },
		{ "filtering: unknown", "RFC 5382", "REQ-3", "nobody knows; " },
		{ "ports: { choose: unknown }", "RFC 4787", "REQ-3",
		  "nobody knows; preserve stands in" },
		{ "ports: { choose: unknown }", "RFC 4787", "REQ-3a", "nobody knows; " },
		{ "ports: { choose: unknown }", "RFC 4787", "REQ-4", "nobody knows; " },
		{ "ports: { choose: unknown }", "RFC 5382", "REQ-7", "nobody knows; " },
		{ "ports: { on_clash: unknown }", "RFC 4787", "REQ-3a",
		  "nobody knows; random stands in" },
		{ "ports: { on_clash: unknown }", "RFC 4787", "REQ-11", "nobody knows; " },
		{ "pool: { addresses: 2, pairing: unknown }", "RFC 4787", "REQ-2",
		  "nobody knows; " },
		{ "hairpin: unknown", "RFC 4787", "REQ-9a", "nobody knows; none stands in" },
		{ "hairpin: unknown", "RFC 5382", "REQ-8", "nobody knows; none stands in" },
		{ "unsolicited: { tcp: unknown }", "RFC 5382", "REQ-4",
		  "nobody knows; drop stands in" },
		{ "refresh: unknown", "RFC 4787", "REQ-6", "nobody knows; both stands in" },
		{ "icmp_errors: unknown", "RFC 4787", "REQ-12b",
		  "nobody knows; translated stands in" },
		{ "icmp_errors: unknown", "RFC 5382", "REQ-9", "nobody knows; " },
		{ "timeouts: { udp: unknown }", "RFC 4787", "REQ-5",
		  "nobody knows how long; 120 s stand in" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool mapping = strncmp(cases[i].yaml, "mapping", 7) == 0;
		bool filtering = strncmp(cases[i].yaml, "filtering", 9) == 0;
		char text[300];

		(void)snprintf(text, sizeof(text), "about: x\n%s%s%s\n",
			       mapping ? "" : "mapping: endpoint-independent\n",
			       filtering ? "" : "filtering: endpoint-independent\n", cases[i].yaml);
		struct router r = router_of(text);
		if (result_of(&r, cases[i].rfc, cases[i].id) != CONFORMANCE_NOT_MEASURED ||
		    strncmp(row_of(&r, cases[i].rfc, cases[i].id).detail, cases[i].detail,
			    strlen(cases[i].detail)) != 0)
			fail_msg("%s, %s, %s: %s", cases[i].yaml, cases[i].rfc, cases[i].id,
				 row_of(&r, cases[i].rfc, cases[i].id).detail);
		nat_model_fini(&r.model);
	}
}

static void a_row_that_is_not_judged_says_why(void **state)
{
	struct router none = router_of("about: x\nmapping: none\n"
				       "filtering: endpoint-independent\n");
	struct router blocked = router_of(GOOD_WITHOUT_UDP "blocked: udp\n"),
		      kernel = router_of(GOOD);

	(void)state;
	assert_int_equal(result_of(&none, "RFC 4787", "REQ-4"), CONFORMANCE_NOT_APPLICABLE);
	assert_string_equal(row_of(&none, "RFC 5382", "REQ-4").detail, "it does not translate");
	assert_string_equal(row_of(&none, "RFC 4787", "REQ-5").detail, "it remembers nothing");
	assert_int_equal(result_of(&none, "RFC 5382", "REQ-2a"), CONFORMANCE_MET);
	blocked.seen.of[NAT_UDP] = (struct observed_of){ .gets_through = false };
	assert_string_equal(row_of(&blocked, "RFC 4787", "REQ-1").detail, "nothing comes through");
	assert_int_equal(result_of(&blocked, "RFC 5382", "REQ-1"), CONFORMANCE_MET);
	assert_int_equal(result_of(&kernel, "RFC 4787", "REQ-14"), CONFORMANCE_NOT_MEASURED);
	assert_non_null(strstr(row_of(&kernel, "RFC 4787", "REQ-13").detail, "the lab's kernel"));
	assert_string_equal(row_of(&kernel, "RFC 4787", "REQ-2").detail, "it has one address");
	kernel.seen.opens_at_once = NOT_OBSERVED;
	kernel.seen.unopened = UNOPENED_NOT_CROSSED;
	assert_non_null(strstr(row_of(&kernel, "RFC 5382", "REQ-2a").detail, "to cross"));
	nat_model_fini(&none.model);
	nat_model_fini(&blocked.model);
	nat_model_fini(&kernel.model);
}

static void drawn_ports_do_not_show_whether_they_are_shared(void **state)
{
	static const char *const drawn[] = { "random", "sequential", "block, block: 64" };

	(void)state;
	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
		char text[300];

		(void)snprintf(text, sizeof(text), "%sports: { choose: %s }\n", GOOD, drawn[i]);
		struct router r = router_of(text);
		assert_int_equal(result_of(&r, "RFC 4787", "REQ-3"), CONFORMANCE_NOT_MEASURED);
		assert_int_equal(result_of(&r, "RFC 5382", "REQ-7"), CONFORMANCE_NOT_MEASURED);
		nat_model_fini(&r.model);
	}
	/* Unless it is said that they are. */
	struct router r = router_of("about: x\nmapping: address-and-port-dependent\n"
				    "filtering: address-and-port-dependent\n"
				    "ports: { choose: random, overloading: yes }\n");
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-3"), CONFORMANCE_NOT_MET);
	nat_model_fini(&r.model);
}

static void one_endpoint_until_two_hosts_clash_is_not_one_for_all(void **state)
{
	struct router r = router_of(SHARES);

	(void)state;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-1"), CONFORMANCE_MET);
	r.seen.clashing.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-1"), CONFORMANCE_NOT_MET);
	assert_int_equal(result_of(&r, "RFC 5382", "REQ-1"), CONFORMANCE_MET);
	r.seen.of[NAT_TCP].shares_ports = OBSERVED_YES;
	assert_int_equal(result_of(&r, "RFC 5382", "REQ-1"), CONFORMANCE_NOT_MET);
	nat_model_fini(&r.model);
}

static void a_flow_that_is_not_answered_must_live_as_long(void **state)
{
	struct router brief = router_of(SHARES "timeouts: { udp: 300s, udp_unreplied: 30s }\n");
	struct router other = router_of(SHARES "timeouts: { udp: unknown, udp_unreplied: 30s }\n");
	struct router both = router_of(SHARES "timeouts: { udp: 300s, udp_unreplied: 300s }\n");

	(void)state;
	assert_int_equal(result_of(&brief, "RFC 4787", "REQ-5"), CONFORMANCE_NOT_MET);
	assert_non_null(strstr(row_of(&brief, "RFC 4787", "REQ-5").detail, "unanswered: 30 s"));
	assert_int_equal(result_of(&other, "RFC 4787", "REQ-5"), CONFORMANCE_NOT_MET);
	assert_int_equal(result_of(&both, "RFC 4787", "REQ-5"), CONFORMANCE_MET);
	assert_int_equal(result_of(&both, "RFC 4787", "REQ-5c"), CONFORMANCE_MET);
	both.seen.unreplied.gone = OBSERVED_NO;
	assert_int_equal(result_of(&both, "RFC 4787", "REQ-5"), CONFORMANCE_NOT_MET);
	nat_model_fini(&brief.model);
	nat_model_fini(&other.model);
	nat_model_fini(&both.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_requirement_has_its_row_in_its_place),
		cmocka_unit_test(what_nobody_knows_is_not_judged),
		cmocka_unit_test(a_row_that_is_not_judged_says_why),
		cmocka_unit_test(drawn_ports_do_not_show_whether_they_are_shared),
		cmocka_unit_test(one_endpoint_until_two_hosts_clash_is_not_one_for_all),
		cmocka_unit_test(a_flow_that_is_not_answered_must_live_as_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What measurements of a router mean for the requirements of RFC 4787 and RFC 5382. */
#include "tests/conformance_router.h"

/* Of what no key decides, only rules of his own say something of a user's router. */
#define RULES "ruleset: my.nft\n"

static void a_good_router_fails_nothing(void **state)
{
	struct router r = router_of(GOOD RULES);
	struct requirement card[REQUIREMENTS_MAX];
	size_t count = conformance_card(&r.model, r.measured, &r.seen, card), met = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (card[i].result == CONFORMANCE_NOT_MET)
			fail_msg("%s, %s: %s", card[i].rfc, card[i].id, card[i].detail);
		met += card[i].result == CONFORMANCE_MET;
	}
	assert_int_equal(met, 28);
	nat_model_fini(&r.model);
}

/* Each finding turned round fails the requirement it is of. */
static void each_finding_decides_its_requirement(void **state)
{
#define FINDING(member, value, rfc, id)                                             \
	do {                                                                        \
		struct router r = router_of(GOOD RULES);                            \
		r.seen.member = value;                                              \
		assert_int_equal(result_of(&r, rfc, id), CONFORMANCE_NOT_MET);      \
		r.seen.member = 0;                                                  \
		assert_int_equal(result_of(&r, rfc, id), CONFORMANCE_NOT_MEASURED); \
		nat_model_fini(&r.model);                                           \
	} while (0)

	(void)state;
	FINDING(of[NAT_UDP].shares_ports, OBSERVED_YES, "RFC 4787", "REQ-3");
	FINDING(keeps_class, OBSERVED_NO, "RFC 4787", "REQ-3a");
	FINDING(keeps_parity, OBSERVED_NO, "RFC 4787", "REQ-4");
	FINDING(of[NAT_UDP].life.alive, OBSERVED_NO, "RFC 4787", "REQ-5");
	FINDING(of[NAT_UDP].life.gone, OBSERVED_NO, "RFC 4787", "REQ-5");
	FINDING(refreshed_by_outbound, OBSERVED_NO, "RFC 4787", "REQ-6");
	FINDING(hairpin, HAIRPIN_NONE, "RFC 4787", "REQ-9");
	FINDING(hairpin, HAIRPIN_INTERNAL_SOURCE, "RFC 4787", "REQ-9a");
	FINDING(hairpin, HAIRPIN_OTHER_SOURCE, "RFC 4787", "REQ-9a");
	FINDING(of[NAT_UDP].survives_icmp, OBSERVED_NO, "RFC 4787", "REQ-12");
	FINDING(of[NAT_UDP].icmp_gets_in, OBSERVED_NO, "RFC 4787", "REQ-12b");
	FINDING(clashing.comes_about, OBSERVED_NO, "RFC 4787", "REQ-11");
	FINDING(too_big_is_told, OBSERVED_NO, "RFC 4787", "REQ-13");
	FINDING(too_big_is_cut, OBSERVED_NO, "RFC 4787", "REQ-13a");
	FINDING(fragments, OBSERVED_NO, "RFC 4787", "REQ-14");
	FINDING(reversed_in, OBSERVED_NO, "RFC 4787", "REQ-14");
	FINDING(reversed_out, OBSERVED_NO, "RFC 4787", "REQ-14");
	FINDING(opens_at_once, OBSERVED_NO, "RFC 5382", "REQ-2a");
	FINDING(of[NAT_TCP].unsolicited, ANSWER_RST, "RFC 5382", "REQ-4");
	FINDING(of[NAT_TCP].unsolicited, ANSWER_ICMP, "RFC 5382", "REQ-4");
	FINDING(of[NAT_TCP].unsolicited, ANSWER_CONNECTION, "RFC 5382", "REQ-4");
	FINDING(of[NAT_TCP].life.gone, OBSERVED_NO, "RFC 5382", "REQ-5");
	FINDING(of[NAT_TCP].shares_ports, OBSERVED_YES, "RFC 5382", "REQ-7");
	FINDING(hairpins, OBSERVED_NO, "RFC 5382", "REQ-8");
	FINDING(hairpins_from, HAIRPIN_INTERNAL_SOURCE, "RFC 5382", "REQ-8a");
	FINDING(hairpins_from, HAIRPIN_OTHER_SOURCE, "RFC 5382", "REQ-8a");
	FINDING(of[NAT_TCP].icmp_gets_in, OBSERVED_NO, "RFC 5382", "REQ-9");
	FINDING(of[NAT_TCP].survives_icmp, OBSERVED_NO, "RFC 5382", "REQ-10");
}

static void a_router_that_changes_is_not_deterministic(void **state)
{
#define CHANGE(member, value)                                                               \
	do {                                                                                \
		struct router r = router_of(GOOD);                                          \
		r.seen.member = value;                                                      \
		assert_int_equal(result_of(&r, "RFC 4787", "REQ-11"), CONFORMANCE_NOT_MET); \
		nat_model_fini(&r.model);                                                   \
	} while (0)

	(void)state;
	CHANGE(clashing.mapping, NAT_ADDRESS_AND_PORT_DEPENDENT);
	CHANGE(clashing.filtering, NAT_ADDRESS_DEPENDENT);
	CHANGE(again.mapping, NAT_ADDRESS_DEPENDENT);
	CHANGE(again.filtering, NAT_ADDRESS_AND_PORT_DEPENDENT);
	CHANGE(again.keeps_port, true);

	/* Another host's port cannot be kept as well. */
	struct router r = router_of(GOOD);
	r.seen.clashing.keeps_port = true;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-11"), CONFORMANCE_MET);
	nat_model_fini(&r.model);
}

static void what_may_be_cannot_be_missing(void **state)
{
	struct router r = router_of(GOOD);

	(void)state;
	r.seen.refreshed_by_inbound = OBSERVED_NO;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-6a"), CONFORMANCE_NOT_APPLICABLE);
	nat_model_fini(&r.model);
}

/* The second of the two that are called REQ-5. */
static enum conformance result_of_transitory(const struct router *r)
{
	struct requirement card[REQUIREMENTS_MAX];
	size_t count = conformance_card(&r->model, r->measured, &r->seen, card);

	return (find(card, count, "RFC 5382", "REQ-5") + 1)->result;
}

static void a_transitory_life_is_measured_and_long_enough(void **state)
{
	struct router r = router_of(GOOD), brief = router_of(GOOD);

	(void)state;
	brief.model.timeouts.tcp_transitory_ms = 239000;
	assert_int_equal(result_of_transitory(&r), CONFORMANCE_MET);
	assert_int_equal(result_of_transitory(&brief), CONFORMANCE_NOT_MET);
	r.seen.closing.gone = OBSERVED_NO;
	assert_int_equal(result_of_transitory(&r), CONFORMANCE_NOT_MET);
	r.seen.closing.gone = NOT_OBSERVED;
	assert_int_equal(result_of_transitory(&r), CONFORMANCE_NOT_MEASURED);
	nat_model_fini(&r.model);
	nat_model_fini(&brief.model);
}

static void a_life_that_nobody_knows_is_not_judged(void **state)
{
	struct router r = router_of("about: x\nmapping: endpoint-independent\n"
				    "filtering: endpoint-independent\n"
				    "timeouts: { udp: unknown, tcp_established: unknown }\n");

	(void)state;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-5"), CONFORMANCE_NOT_MEASURED);
	assert_int_equal(result_of(&r, "RFC 5382", "REQ-5"), CONFORMANCE_NOT_MEASURED);
	nat_model_fini(&r.model);
}

static void a_short_life_is_too_short_though_it_is_kept(void **state)
{
	struct router r = router_of("about: x\nmapping: endpoint-independent\n"
				    "filtering: endpoint-independent\ntimeouts: { udp: 119s, "
				    "tcp_established: 7439s }\n");

	(void)state;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-5"), CONFORMANCE_NOT_MET);
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-5c"), CONFORMANCE_NOT_MET);
	assert_int_equal(result_of(&r, "RFC 5382", "REQ-5"), CONFORMANCE_NOT_MET);
	nat_model_fini(&r.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_router_fails_nothing),
		cmocka_unit_test(each_finding_decides_its_requirement),
		cmocka_unit_test(a_router_that_changes_is_not_deterministic),
		cmocka_unit_test(a_transitory_life_is_measured_and_long_enough),
		cmocka_unit_test(what_may_be_cannot_be_missing),
		cmocka_unit_test(a_life_that_nobody_knows_is_not_judged),
		cmocka_unit_test(a_short_life_is_too_short_though_it_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

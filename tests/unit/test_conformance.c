// SPDX-License-Identifier: GPL-2.0-or-later
/* What measurements of a router mean, with the measurements made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/experiment/conformance.h"

/* A router that keeps all of RFC 4787 and RFC 5382, as far as it can be measured. */
#define GOOD                                                                         \
	"about: x\nmapping: endpoint-independent\nfiltering: endpoint-independent\n" \
	"timeouts: { udp: 300s, tcp_established: 7440s }\nhairpin: external-source\n"

struct router {
	struct nat_model model;
	struct measurement measured[2];
	struct observations seen;
};

static struct router router_of(const char *yaml)
{
	struct router r = { .seen = { .addresses = 1,
				      .keeps_parity = OBSERVED_YES,
				      .keeps_class = OBSERVED_YES,
				      .hairpin = HAIRPIN_EXTERNAL_SOURCE,
				      .refreshed_by_outbound = OBSERVED_YES,
				      .refreshed_by_inbound = OBSERVED_YES,
				      .hairpins = OBSERVED_YES,
				      .first = { .comes_about = OBSERVED_YES },
				      .again = { .comes_about = OBSERVED_YES },
				      .clashing = { .comes_about = OBSERVED_YES },
				      .fragments = OBSERVED_YES,
				      .reversed_in = OBSERVED_YES,
				      .reversed_out = OBSERVED_YES,
				      .too_big_is_told = OBSERVED_YES,
				      .too_big_is_cut = OBSERVED_YES,
				      .closing = { OBSERVED_YES, OBSERVED_YES },
				      .opens_at_once = OBSERVED_YES } };
	struct err e = { .text = "" };

	if (nat_model_parse("x.yaml", yaml, strlen(yaml), &r.model, &e) < 0)
		fail_msg("%s", e.text);
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		r.measured[t] = (struct measurement){
			.tcp = t == NAT_TCP,
			.complete = true,
			.measured = { "endpoint-independent", "endpoint-independent", "preserve",
				      0 },
		};
		r.seen.of[t] = (struct observed_of){ .shares_ports = OBSERVED_NO,
						     .unsolicited = ANSWER_NONE,
						     .icmp_gets_in = OBSERVED_YES,
						     .survives_icmp = OBSERVED_YES,
						     .life = { OBSERVED_YES, OBSERVED_YES } };
	}
	return r;
}

static const struct requirement *find(const struct requirement *r, size_t count, const char *rfc,
				      const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(r[i].rfc, rfc) == 0 && strcmp(r[i].id, id) == 0)
			return &r[i];
	fail_msg("no %s, %s", rfc, id);
	return NULL;
}

static enum conformance result_of(const struct router *r, const char *rfc, const char *id)
{
	struct requirement card[REQUIREMENTS_MAX];
	size_t count = conformance_card(&r->model, r->measured, &r->seen, card);

	return find(card, count, rfc, id)->result;
}

static void a_good_router_fails_nothing(void **state)
{
	struct router r = router_of(GOOD);
	struct requirement card[REQUIREMENTS_MAX];
	size_t count = conformance_card(&r.model, r.measured, &r.seen, card), met = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (card[i].result == CONFORMANCE_NOT_MET)
			fail_msg("%s, %s: %s", card[i].rfc, card[i].id, card[i].detail);
		met += card[i].result == CONFORMANCE_MET;
	}
	assert_int_equal(met, 27);
	nat_model_fini(&r.model);
}

/* Each finding turned round fails the requirement it is of. */
static void each_finding_decides_its_requirement(void **state)
{
#define FINDING(member, value, rfc, id)                                             \
	do {                                                                        \
		struct router r = router_of(GOOD);                                  \
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
	FINDING(of[NAT_UDP].survives_icmp, OBSERVED_NO, "RFC 4787", "REQ-12");
	FINDING(of[NAT_UDP].icmp_gets_in, OBSERVED_NO, "RFC 4787", "REQ-12b");
	FINDING(clashing.comes_about, OBSERVED_NO, "RFC 4787", "REQ-11");
	FINDING(too_big_is_told, OBSERVED_NO, "RFC 4787", "REQ-13");
	FINDING(too_big_is_cut, OBSERVED_NO, "RFC 4787", "REQ-13a");
	FINDING(fragments, OBSERVED_NO, "RFC 4787", "REQ-14");
	FINDING(reversed_in, OBSERVED_NO, "RFC 4787", "REQ-14");
	FINDING(reversed_out, OBSERVED_NO, "RFC 4787", "REQ-14");
	FINDING(opens_at_once, OBSERVED_NO, "RFC 5382", "REQ-2");
	FINDING(of[NAT_TCP].unsolicited, ANSWER_RST, "RFC 5382", "REQ-4");
	FINDING(of[NAT_TCP].unsolicited, ANSWER_ICMP, "RFC 5382", "REQ-4");
	FINDING(of[NAT_TCP].life.gone, OBSERVED_NO, "RFC 5382", "REQ-5");
	FINDING(of[NAT_TCP].shares_ports, OBSERVED_YES, "RFC 5382", "REQ-7");
	FINDING(hairpins, OBSERVED_NO, "RFC 5382", "REQ-8");
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

static void what_may_be_cannot_be_missing(void **state)
{
	struct router r = router_of(GOOD);

	(void)state;
	r.seen.refreshed_by_inbound = OBSERVED_NO;
	assert_int_equal(result_of(&r, "RFC 4787", "REQ-6a"), CONFORMANCE_NOT_APPLICABLE);
	nat_model_fini(&r.model);
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

static size_t count_of(const struct router *r, enum agreement agreement)
{
	struct aspect aspects[ASPECTS_MAX];
	size_t count = conformance_aspects(&r->model, &r->seen, aspects), found = 0;

	for (size_t i = 0; i < count; i++)
		found += aspects[i].agreement == agreement;
	return found;
}

static size_t differences(const struct router *r)
{
	return count_of(r, ASPECT_DIFFERS);
}

static size_t not_observed(const struct router *r)
{
	return count_of(r, ASPECT_NOT_OBSERVED);
}

static void what_is_as_declared_does_not_differ(void **state)
{
	struct router r = router_of(GOOD);

	(void)state;
	assert_int_equal(differences(&r), 0);
	assert_int_equal(not_observed(&r), 0);
	nat_model_fini(&r.model);
}

static void what_was_not_observed_neither_agrees_nor_differs(void **state)
{
	struct router r = router_of(GOOD);
	struct aspect aspects[ASPECTS_MAX];

	(void)state;
	r.seen = (struct observations){ .addresses = 0 };
	assert_int_equal(differences(&r), 0);
	assert_int_equal(not_observed(&r), conformance_aspects(&r.model, &r.seen, aspects));
	nat_model_fini(&r.model);
}

static void what_a_model_blocks_is_not_missing(void **state)
{
#define OPEN "about: x\nmapping: endpoint-independent\nfiltering: endpoint-independent\n"
	struct router all = router_of(OPEN), udp = router_of(OPEN "blocked: udp\n"),
		      both = router_of(OPEN "blocked: all-but-tcp-443\n");
	struct aspect aspects[ASPECTS_MAX];
	size_t count = conformance_aspects(&all.model, &all.seen, aspects);

	(void)state;
	udp.seen = both.seen = (struct observations){ .addresses = 0 };
	assert_in_range(not_observed(&udp), 1, count - 1);
	assert_int_equal(not_observed(&both), 0);
	nat_model_fini(&all.model);
	nat_model_fini(&udp.model);
	nat_model_fini(&both.model);
}

static void each_aspect_that_differs_is_found(void **state)
{
#define DIFFERENCE(member, value)                     \
	do {                                          \
		struct router r = router_of(GOOD);    \
		r.seen.member = value;                \
		assert_int_equal(differences(&r), 1); \
		nat_model_fini(&r.model);             \
	} while (0)

	(void)state;
	DIFFERENCE(of[NAT_UDP].shares_ports, OBSERVED_YES);
	DIFFERENCE(of[NAT_TCP].shares_ports, OBSERVED_YES);
	DIFFERENCE(addresses, 2);
	DIFFERENCE(hairpin, HAIRPIN_NONE);
	DIFFERENCE(hairpin, HAIRPIN_INTERNAL_SOURCE);
	DIFFERENCE(of[NAT_UDP].unsolicited, ANSWER_ICMP);
	DIFFERENCE(of[NAT_TCP].unsolicited, ANSWER_RST);
	DIFFERENCE(of[NAT_UDP].life.alive, OBSERVED_NO);
	DIFFERENCE(of[NAT_UDP].life.gone, OBSERVED_NO);
	DIFFERENCE(of[NAT_TCP].life.alive, OBSERVED_NO);
	DIFFERENCE(of[NAT_TCP].life.gone, OBSERVED_NO);
	DIFFERENCE(refreshed_by_outbound, OBSERVED_NO);
	DIFFERENCE(refreshed_by_inbound, OBSERVED_NO);
	DIFFERENCE(of[NAT_UDP].icmp_gets_in, OBSERVED_NO);
	DIFFERENCE(of[NAT_TCP].icmp_gets_in, OBSERVED_NO);
	DIFFERENCE(hairpins, OBSERVED_NO);
	DIFFERENCE(closing.alive, OBSERVED_NO);
	DIFFERENCE(closing.gone, OBSERVED_NO);
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
		cmocka_unit_test(what_is_as_declared_does_not_differ),
		cmocka_unit_test(what_was_not_observed_neither_agrees_nor_differs),
		cmocka_unit_test(what_a_model_blocks_is_not_missing),
		cmocka_unit_test(each_aspect_that_differs_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What was observed of a router against what its model declares. */
#include "tests/conformance_router.h"

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
	DIFFERENCE(hairpin, HAIRPIN_OTHER_SOURCE);
	DIFFERENCE(hairpins_from, HAIRPIN_OTHER_SOURCE);
	DIFFERENCE(of[NAT_TCP].unsolicited, ANSWER_CONNECTION);
	DIFFERENCE(closing.alive, OBSERVED_NO);
	DIFFERENCE(closing.gone, OBSERVED_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_as_declared_does_not_differ),
		cmocka_unit_test(what_was_not_observed_neither_agrees_nor_differs),
		cmocka_unit_test(what_a_model_blocks_is_not_missing),
		cmocka_unit_test(each_aspect_that_differs_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

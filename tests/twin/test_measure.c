// SPDX-License-Identifier: GPL-2.0-or-later
/* The twin's routers are measured as the lab's are, and are what their models say; one that is not
 * is found. */
#include "tests/observed.h"

#include "sim/experiment/observe_source.h"
#include "sim/experiment/observe_twin.h"

#define SEEDS 10u

/* No privileges, no namespaces: nobody, and none may be made. */
static void become_nobody(void *arg)
{
	(void)arg;
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		_exit(124);
}

static void all_models_are_what_they_say_in_the_twin(void **state)
{
	CLEANUP(run) struct run r = { .before = become_nobody };

	(void)state;
	run_natsim(&r, "classify", "--all", "--world", "twin", NULL);
	ASSERT_STATUS(&r, 0);
	assert_non_null(strstr(buf_text(&r.out), "\nwinnat "));
}

/* Whatever is drawn. */
static void check_all(const struct catalog *c, const struct catalog_names *names,
		      const struct catalog_nats *models, uint64_t seed)
{
	CLEANUP(measurements)
	struct measurements m =
		observed_in(RUN_IN_TWIN, c, (const char *const *)names->items, names->count, seed);

	for (size_t i = 0; i < 2 * names->count; i++)
		if (!measurement_agrees(&m.items[i]))
			fail_msg("seed %llu: %s is not as declared over %s",
				 (unsigned long long)seed, names->items[i / 2],
				 i % 2 == 0 ? "udp" : "tcp");
	for (size_t i = 0; i < names->count; i++) {
		struct aspect aspects[ASPECTS_MAX];
		size_t count = conformance_aspects(&models->items[i], &m.observed[i], aspects);

		for (size_t k = 0; k < count; k++)
			if (aspects[k].agreement != ASPECT_AGREES)
				fail_msg("seed %llu: %s: %s: %s", (unsigned long long)seed,
					 names->items[i], aspects[k].name, aspects[k].observed);
	}
}

static void all_models_are_what_they_say_with_any_seed(void **state)
{
	CLEANUP(catalog) struct catalog c;
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	CLEANUP(catalog_nats) struct catalog_nats models = { .items = NULL };
	struct err e = { 0 };

	(void)state;
	observed_catalog(&c);
	assert_int_equal(catalog_list(&c, CATALOG_NAT_MODEL, &names, &e), 0);
	assert_int_equal(
		catalog_nats(&c, (const char *const *)names.items, names.count, &models, &e), 0);
	for (uint64_t seed = 2; seed < 2 + SEEDS; seed++)
		check_all(&c, &names, &models, seed);
}

/* ---- routers that are not what they say */

static void open_stage(const struct catalog *c, const char *model, struct stage *ret)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *path = path_in(dir, "model.yaml");
	struct stage_config config = { .topology = OBSERVE_TOPOLOGY,
				       .nats = { { "a", path } },
				       .nats_count = 1 };
	struct err e = { 0 };

	write_bytes(dir, "model.yaml", model, strlen(model));
	if (stage_open(c, &config, ret, &e) < 0)
		fail_msg("%s, with\n%s", e.text, model);
}

/* The aspects of a router that is built as one model and held against another. */
static size_t compare(const struct catalog *c, const char *built_as, const char *declared_as,
		      struct aspect ret[static ASPECTS_MAX])
{
	CLEANUP(stage) struct stage router = { 0 };
	CLEANUP(stage) struct stage stage = { 0 };
	struct observations seen;
	struct err e = { 0 };

	open_stage(c, built_as, &router);
	open_stage(c, declared_as, &stage);
	int node = plan_node(&stage.plan, stage.topology.routers[0].name);
	stage.plan.nodes[node].model = &router.models[0];
	if (observe_in_twin(&stage, 1, &seen, &e) < 0)
		fail_msg("%s", e.text);
	return conformance_aspects(&stage.models[0], &seen, ret);
}

static void check_right(const struct catalog *c, const char *model)
{
	struct aspect aspects[ASPECTS_MAX];
	size_t count = compare(c, model, model, aspects);

	for (size_t i = 0; i < count; i++)
		if (aspects[i].agreement != ASPECT_AGREES)
			fail_msg("%s is %s, with\n%s", aspects[i].name, aspects[i].observed, model);
}

#define HEAD "about: x\n"
#define CONE                                   \
	HEAD "mapping: endpoint-independent\n" \
	     "filtering: address-and-port-dependent\n"
#define SYMMETRIC                                    \
	HEAD "mapping: address-and-port-dependent\n" \
	     "filtering: address-and-port-dependent\n"

#define SHARED SYMMETRIC "ports: { overloading: yes }\n"

static void a_router_that_is_not_what_it_says_is_found(void **state)
{
	static const struct {
		const char *built, *declared, *aspect;
	} lies[] = {
		{ SHARED, SYMMETRIC, "ports shared, udp" },
		{ SHARED, SYMMETRIC, "ports shared, tcp" },
		{ CONE "pool: { addresses: 4, pairing: arbitrary }\n",
		  CONE "pool: { addresses: 4, pairing: paired }\n", "one address a host" },
		{ CONE "ports: { choose: random, range: [2000, 5000] }\n",
		  CONE "ports: { choose: random, range: [2000, 5000], parity: yes }\n", "parity" },
		{ CONE "hairpin: internal-source\n", CONE, "hairpin, udp" },
		{ CONE "hairpin: internal-source\n", CONE "hairpin: external-source\n",
		  "hairpin, udp" },
		{ CONE "hairpin: internal-source\n", CONE "hairpin: external-source\n",
		  "hairpin, tcp" },
		{ CONE "hairpin: external-source\n", CONE, "hairpin, tcp" },
		{ CONE "unsolicited: { udp: icmp }\n", CONE, "answer to strangers, udp" },
		{ CONE, CONE "unsolicited: { udp: accept }\n", "answer to strangers, udp" },
		{ CONE "unsolicited: { tcp: icmp }\n", CONE "unsolicited: { tcp: rst }\n",
		  "answer to strangers, tcp" },
		{ CONE "unsolicited: { tcp: rst }\n", CONE, "answer to strangers, tcp" },
		{ CONE "timeouts: { udp: 100s }\n", CONE, "udp lifetime" },
		{ CONE "timeouts: { udp: 130s }\n", CONE, "udp lifetime" },
		{ SHARED "timeouts: { udp_unreplied: 30s }\n",
		  SHARED "timeouts: { udp_unreplied: 40s }\n", "udp lifetime, unanswered" },
		{ SHARED "timeouts: { udp_unreplied: 50s }\n",
		  SHARED "timeouts: { udp_unreplied: 40s }\n", "udp lifetime, unanswered" },
		{ SHARED "timeouts: { udp: 100s, udp_unreplied: 40s }\n",
		  SHARED "timeouts: { udp: 90s, udp_unreplied: 40s }\n", "udp lifetime" },
		{ CONE "timeouts: { tcp_established: 7000s }\n",
		  CONE "timeouts: { tcp_established: 8000s }\n", "tcp lifetime" },
		{ CONE "timeouts: { tcp_established: 8000s }\n",
		  CONE "timeouts: { tcp_established: 7000s }\n", "tcp lifetime" },
		{ CONE "timeouts: { tcp_transitory: 200s }\n", CONE, "tcp lifetime, closing" },
		{ CONE "timeouts: { tcp_transitory: 300s }\n", CONE, "tcp lifetime, closing" },
		{ CONE "refresh: outbound\n", CONE, "refreshed by" },
		{ CONE "refresh: inbound\n", CONE "refresh: nothing\n", "refreshed by" },
		{ CONE "refresh: nothing\n", CONE "refresh: outbound\n", "refreshed by" },
		{ CONE "icmp_errors: dropped\n", CONE, "icmp errors get in, udp" },
		{ CONE, CONE "icmp_errors: dropped\n", "icmp errors get in, tcp" },
		{ CONE "blocked: udp\n", CONE, "udp lifetime" },
	};
	CLEANUP(catalog) struct catalog c;

	(void)state;
	observed_catalog(&c);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct aspect aspects[ASPECTS_MAX];
		size_t count = compare(&c, lies[i].built, lies[i].declared, aspects), k = 0;

		while (k < count && strcmp(aspects[k].name, lies[i].aspect) != 0)
			k++;
		if (k == count || aspects[k].agreement == ASPECT_AGREES)
			fail_msg("%s is not found, declared as\n%s, built as\n%s", lies[i].aspect,
				 lies[i].declared, lies[i].built);
		check_right(&c, lies[i].built);
		check_right(&c, lies[i].declared);
	}
}

/* ---- what no aspect says */

static void observe(const struct catalog *c, const char *model, struct observations *ret)
{
	CLEANUP(stage) struct stage stage = { 0 };
	struct err e = { 0 };

	open_stage(c, model, &stage);
	if (observe_in_twin(&stage, 1, ret, &e) < 0)
		fail_msg("%s", e.text);
}

static void what_hairpins_comes_from_the_endpoint_that_others_see(void **state)
{
	static const struct {
		const char *model;
		enum observed_hairpin udp, tcp;
	} cases[] = {
		{ CONE, HAIRPIN_NONE, HAIRPIN_NOT_OBSERVED },
		{ CONE "hairpin: internal-source\n", HAIRPIN_INTERNAL_SOURCE,
		  HAIRPIN_NOT_OBSERVED },
		{ CONE "hairpin: external-source\n", HAIRPIN_EXTERNAL_SOURCE,
		  HAIRPIN_EXTERNAL_SOURCE },
		{ SYMMETRIC "hairpin: external-source\npool: { addresses: 4, pairing: arbitrary "
			    "}\nports: { choose: random }\n",
		  HAIRPIN_EXTERNAL_SOURCE, HAIRPIN_EXTERNAL_SOURCE },
	};
	CLEANUP(catalog) struct catalog c;

	(void)state;
	observed_catalog(&c);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct observations seen;

		observe(&c, cases[i].model, &seen);
		if (seen.hairpin != cases[i].udp || seen.hairpins_from != cases[i].tcp)
			fail_msg("%d and %d, with\n%s", seen.hairpin, seen.hairpins_from,
				 cases[i].model);
	}
}

static void what_comes_from_elsewhere_is_no_endpoint_of_the_sender(void **state)
{
	static const struct endpoint inside = { 0x0a010002, 44000 },
				     outside = { 0xc6336402, 44000 };
	const struct observed_sender one = { inside, outside, true },
				     many = { inside, outside, false };
	const struct nat_model m = { .pool = { .count = 2 } };
	const struct {
		const struct observed_sender *sender;
		struct endpoint seen;
		enum observed_hairpin is;
	} cases[] = {
		{ &one, { 0, 0 }, HAIRPIN_NONE },
		{ &one, inside, HAIRPIN_INTERNAL_SOURCE },
		{ &one, outside, HAIRPIN_EXTERNAL_SOURCE },
		{ &one, { outside.addr, 44001 }, HAIRPIN_OTHER_SOURCE },
		{ &one, { outside.addr + 1, 44000 }, HAIRPIN_OTHER_SOURCE },
		{ &many, { outside.addr, 44001 }, HAIRPIN_EXTERNAL_SOURCE },
		{ &many, { outside.addr + 1, 1024 }, HAIRPIN_EXTERNAL_SOURCE },
		{ &many, { outside.addr + 2, 1024 }, HAIRPIN_OTHER_SOURCE },
		{ &many, { inside.addr, 44001 }, HAIRPIN_OTHER_SOURCE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(observed_source(&m, outside.addr, cases[i].sender, cases[i].seen),
				 cases[i].is);
}

static void what_gets_through_and_who_answers_is_seen(void **state)
{
	CLEANUP(catalog) struct catalog c;
	struct observations seen;

	(void)state;
	observed_catalog(&c);
	observe(&c, CONE "blocked: udp\n", &seen);
	assert_false(seen.of[NAT_UDP].gets_through);
	assert_true(seen.of[NAT_TCP].gets_through);
	assert_int_equal(seen.opens_at_once, OBSERVED_YES);
	/* Nobody outside can aim at ports that are drawn for each connection. */
	observe(&c, SYMMETRIC "ports: { choose: random }\n", &seen);
	assert_int_equal(seen.opens_at_once, NOT_OBSERVED);
	assert_int_equal(seen.unopened, UNOPENED_NOT_TRIED);
	observe(&c, CONE "forwards: [ { transport: tcp, port: 9, host: 2, host_port: 9 } ]\n",
		&seen);
	assert_int_equal(seen.of[NAT_TCP].unsolicited, ANSWER_CONNECTION);
	assert_int_equal(seen.of[NAT_UDP].unsolicited, ANSWER_NONE);
}

/* ---- the command */

static void a_card_says_that_the_twin_has_no_fragments(void **state)
{
	static const char *const expected[] = {
		"REQ-5    MUST NOT   met ",         "7440 s (there at 0.9, gone at 1.1)",
		"REQ-13   MUST       not measured", "REQ-14   MUST       not measured",
		"the twin has no fragments",        "here the twin does it: after one: there",
	};
	CLEANUP(run) struct run r = { 0 };

	(void)state;
	run_natsim(&r, "classify", "--card", "--world", "twin", "full-cone", NULL);
	ASSERT_STATUS(&r, 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (strstr(buf_text(&r.out), expected[i]) == NULL)
			RUN_FAIL(&r, "\"%s\" was expected", expected[i]);
	if (strstr(buf_text(&r.out), "in the lab") != NULL)
		RUN_FAIL(&r, "%s", "no lab was expected");
}

static void a_ruleset_of_its_own_is_refused_by_the_twin(void **state)
{
	static const char model[] = HEAD
		"mapping: endpoint-independent\nfiltering: endpoint-independent\nruleset: x.nft\n";
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *path = path_in(dir, "own.yaml");
	CLEANUP(run) struct run r = { 0 };

	(void)state;
	write_bytes(dir, "own.yaml", model, strlen(model));
	write_bytes(dir, "x.nft", "", 0);
	run_natsim(&r, "classify", "--world", "twin", path, NULL);
	assert_refused(&r, 2, "own is a ruleset of its own, which the twin cannot run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_models_are_what_they_say_in_the_twin),
		cmocka_unit_test(all_models_are_what_they_say_with_any_seed),
		cmocka_unit_test(a_router_that_is_not_what_it_says_is_found),
		cmocka_unit_test(what_hairpins_comes_from_the_endpoint_that_others_see),
		cmocka_unit_test(what_comes_from_elsewhere_is_no_endpoint_of_the_sender),
		cmocka_unit_test(what_gets_through_and_who_answers_is_seen),
		cmocka_unit_test(a_card_says_that_the_twin_has_no_fragments),
		cmocka_unit_test(a_ruleset_of_its_own_is_refused_by_the_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

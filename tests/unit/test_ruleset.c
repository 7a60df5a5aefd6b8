// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/ruleset.h"
#include "tests/golden.h"
#include "tests/model_files.h"

static const struct ruleset_site site = {
	.outside_ifname = "wan",
	.outside_addr = 0xc6336402,   /* 198.51.100.2 */
	.inside = { 0x0a010001, 24 }, /* 10.1.0.1/24 */
};

static int setup(void **state)
{
	static struct ruleset_files rules;

	model_files_rules(&rules);
	*state = &rules;
	return 0;
}

static int teardown(void **state)
{
	model_files_rules_free(*state);
	return 0;
}

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
		struct buf text = BUF_INIT;
		char file[64];

		model_files_nat(names[i], &m);
		assert_int_equal(ruleset_compose(&m, &site, *state, &text, NULL), 0);
		(void)snprintf(file, sizeof(file), "%s.nft", names[i]);
		golden_compare(file, buf_text(&text));
		buf_fini(&text);
		nat_model_fini(&m);
	}
}

/* nft takes capital letters as a variable's name; each must have its define before. */
static void assert_names_are_defined(const char *text)
{
	for (const char *p = strchr(text, '$'); p != NULL; p = strchr(p + 1, '$')) {
		size_t len = strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
		char define[64];

		assert_true(len > 0);
		(void)snprintf(define, sizeof(define), "\ndefine %.*s = ", (int)len, p + 1);
		const char *at = strstr(text, define);
		if (at == NULL || at > p)
			fail_msg("%.*s is not defined", (int)len + 1, p);
	}
}

static void compose_and_check(const struct nat_model *m, const struct ruleset_files *rules)
{
	struct buf text = BUF_INIT;
	struct err e = { .text = "" };

	if (ruleset_compose(m, &site, rules, &text, &e) < 0)
		fail_msg("%s", e.text);
	assert_names_are_defined(buf_text(&text));
	assert_null(strstr(buf_text(&text), "SPDX"));
	buf_fini(&text);
}

static void every_combination_of_behaviors_has_its_files(void **state)
{
	struct nat_model m = { .about = (char *)"x",
			       .translates = true,
			       .ports = { .first = 6000, .last = 6015 },
			       .timeouts = { 1, 2, 3 } };

	for (int mapping = 0; mapping < 3; mapping++)
		for (int filtering = 0; filtering < 3; filtering++)
			for (int choose = 0; choose < 3; choose++)
				for (int tcp = 0; tcp < 3; tcp++) {
					m.mapping = (enum nat_behavior)mapping;
					m.filtering = (enum nat_behavior)filtering;
					m.ports.choose = (enum nat_port_choice)choose;
					m.unsolicited.tcp = (enum nat_unsolicited)tcp;
					m.unsolicited.udp =
						tcp == 2 ? NAT_UNSOLICITED_DROP : m.unsolicited.tcp;
					compose_and_check(&m, *state);
				}
	m.translates = false;
	for (int filtering = 0; filtering < 3; filtering++) {
		m.filtering = (enum nat_behavior)filtering;
		compose_and_check(&m, *state);
	}
}

static void timeouts_and_ports_reach_the_text(void **state)
{
	struct nat_model m;
	struct buf text = BUF_INIT;

	model_files_nat("symmetric-sequential", &m);
	m.timeouts.udp_s = 61;
	m.timeouts.tcp_established_s = 62;
	m.timeouts.tcp_transitory_s = 63;
	m.ports.first = 7000;
	m.ports.last = 7016;
	assert_int_equal(ruleset_compose(&m, &site, *state, &text, NULL), 0);
	assert_non_null(strstr(buf_text(&text), "timeout 61s"));
	assert_non_null(strstr(buf_text(&text), "timeout 62s"));
	assert_non_null(strstr(buf_text(&text), "timeout 63s"));
	assert_non_null(strstr(buf_text(&text), "define PORTS = 7000-7016\n"));
	assert_non_null(strstr(buf_text(&text), "numgen inc mod 17 offset 1"));
	assert_non_null(strstr(buf_text(&text), "\t1 : 7000,"));
	assert_non_null(strstr(buf_text(&text), "17 : 7016,\n}"));
	buf_fini(&text);
	nat_model_fini(&m);
}

static void a_missing_file_is_named_and_nothing_is_added(void **state)
{
	struct ruleset_files without = *(const struct ruleset_files *)*state;
	struct nat_model m;
	struct buf text = BUF_INIT;
	struct err e = { .text = "" };

	without.count = 0;
	model_files_nat("open", &m);
	assert_true(ruleset_compose(&m, &site, &without, &text, &e) < 0);
	assert_string_equal(e.text, "NAT model open needs rules/base.nft, which is missing");
	assert_int_equal(text.len, 0);
	nat_model_fini(&m);
}

static void only_a_router_that_neither_translates_nor_filters_remembers_nothing(void **state)
{
	struct nat_model m = { .filtering = NAT_ENDPOINT_INDEPENDENT };

	(void)state;
	assert_false(ruleset_remembers(&m));
	m.filtering = NAT_ADDRESS_DEPENDENT;
	assert_true(ruleset_remembers(&m));
	m = (struct nat_model){ .translates = true };
	assert_true(ruleset_remembers(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_six_models_make_the_rulesets_on_file),
		cmocka_unit_test(every_combination_of_behaviors_has_its_files),
		cmocka_unit_test(timeouts_and_ports_reach_the_text),
		cmocka_unit_test(a_missing_file_is_named_and_nothing_is_added),
		cmocka_unit_test(
			only_a_router_that_neither_translates_nor_filters_remembers_nothing),
	};

	return cmocka_run_group_tests_name("ruleset", tests, setup, teardown);
}

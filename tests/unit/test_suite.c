// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/experiment/contract.h"
#include "sim/experiment/suite.h"

#define BASE "about: x\ntopologies: [two-homes]\nnats: { a: [open, full-cone] }\n"

static int parse(const char *text, struct suite *ret, struct err *e)
{
	return suite_parse("s.yaml", text, strlen(text), ret, e);
}

static void everything_but_topologies_and_nats_has_a_default(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(parse(BASE, &s, &e), 0);
	assert_int_equal(s.nats_b.count, 2);
	assert_string_equal(s.nats_b.items[1], "full-cone");
	assert_int_equal(s.transports.count, 2);
	assert_string_equal(s.strategies.items[0], "punch");
	assert_string_equal(s.links.items[0], "ideal");
	assert_int_equal(s.trials, 20);
	assert_int_equal(s.start_skew_us, 0);
	assert_int_equal(s.give_up_us, 10000000);
	assert_int_equal(s.expect, SUITE_EXPECT_THEORY);
	assert_int_equal(s.peer.count, 0);
}

static void everything_of_a_suite_can_be_set(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
		parse("about: x\ntopologies: [t]\nnats: { a: [m], b: [n, o] }\n"
		      "transports: [tcp]\nstrategies: [mine]\nlinks: [home]\ntrials: 7\n"
		      "start_skew: 1.5ms\ngive_up: 2s\nexpect: 0.25\npeer: [./p, \"{role}\"]\n",
		      &s, &e),
		0);
	assert_int_equal(s.nats_a.count, 1);
	assert_int_equal(s.nats_b.count, 2);
	assert_int_equal(s.trials, 7);
	assert_int_equal(s.start_skew_us, 1500);
	assert_int_equal(s.give_up_us, 2000000);
	assert_int_equal(s.expect, SUITE_EXPECT_RATE);
	assert_true(s.expect_rate == 0.25);
	assert_string_equal(s.peer.items[1], "{role}");
}

static void each_mistake_in_a_suite_is_named_at_its_place(void **state)
{
	static const struct {
		const char *more, *place;
	} cases[] = {
		{ "trials: 0\n", "s.yaml:4:9: " },
		{ "trials: 1000001\n", "s.yaml:4:9: " },
		{ "trials: many\n", "s.yaml:4:9: " },
		{ "trials: -1\n", "s.yaml:4:9: " },
		{ "trials: [1]\n", "s.yaml:4:9: " },
		{ "start_skew: 20\n", "s.yaml:4:13: " },
		{ "start_skew: -1ms\n", "s.yaml:4:13: " },
		{ "start_skew: 0x10ms\n", "s.yaml:4:13: " },
		{ "start_skew: infs\n", "s.yaml:4:13: " },
		{ "start_skew: 1.2.3ms\n", "s.yaml:4:13: " },
		{ "start_skew: 2h\n", "s.yaml:4:13: " },
		{ "give_up: 0s\n", "s.yaml:4:10: " },
		{ "give_up: 3601s\n", "s.yaml:4:10: " },
		{ "expect: hope\n", "s.yaml:4:9: " },
		{ "expect: 1.01\n", "s.yaml:4:9: " },
		{ "expect: nan\n", "s.yaml:4:9: " },
		{ "transports: [udp, sctp]\n", "s.yaml:4:19: " },
		{ "transports: []\n", "s.yaml:4:13: " },
		{ "transports: [udp, tcp, udp]\n", "s.yaml:4:24: " },
		{ "strategies: [classify]\n", "s.yaml:4:14: " },
		{ "strategies: [pray]\n", "s.yaml:4:14: " },
		{ "links: home\n", "s.yaml:4:8: " },
		{ "colour: blue\n", "s.yaml:4:1: " },
		{ "trials: 1\ntrials: 2\n", "s.yaml:5:1: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf) struct buf text = BUF_INIT;
		CLEANUP(suite) struct suite s = { 0 };
		struct err e = { 0 };

		buf_printf(&text, BASE "%s", cases[i].more);
		assert_int_equal(parse(buf_text(&text), &s, &e), -22);
		assert_int_equal(e.kind, ERR_INPUT);
		if (strncmp(e.text, cases[i].place, strlen(cases[i].place)) != 0)
			fail_msg("%s: %s", cases[i].more, e.text);
		assert_null(strchr(e.text, '\n'));
		assert_null(s.about);
	}
}

static void what_is_missing_or_no_suite_at_all_is_refused(void **state)
{
	static const char *const texts[] = { "",
					     "about: x\n",
					     "about: x\ntopologies: [t]\n",
					     "about: x\ntopologies: [t]\nnats: { b: [m] }\n",
					     "about: x\ntopologies: [t]\nnats: { a: [] }\n",
					     "about: x\ntopologies: []\nnats: { a: [m] }\n",
					     "- a\n- b\n",
					     "x",
					     "about: [\n",
					     "\x01\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct suite s = { 0 };
		struct err e = { 0 };

		assert_int_equal(parse(texts[i], &s, &e), -22);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_true(strncmp(e.text, "s.yaml:", 7) == 0);
	}
}

/* A longer one would be cut on its way to the peers. */
static void a_strategy_is_as_long_as_a_peer_can_be_told(void **state)
{
	char name[CONTRACT_TEXT_MAX + 2];

	(void)state;
	for (size_t len = CONTRACT_TEXT_MAX; len <= CONTRACT_TEXT_MAX + 1; len++) {
		CLEANUP(buf) struct buf text = BUF_INIT;
		CLEANUP(suite) struct suite s = { 0 };
		struct contract_env env;
		struct err e = { 0 };

		memset(name, 'x', len);
		name[len] = '\0';
		buf_printf(&text, BASE "peer: [mine]\nstrategies: [%s]\n", name);
		int code = parse(buf_text(&text), &s, &e);
		if (len > CONTRACT_TEXT_MAX) {
			assert_int_equal(code, -22);
			assert_non_null(strstr(e.text, "s.yaml:5:14: "));
			assert_non_null(strstr(e.text, "100"));
			continue;
		}
		assert_int_equal(code, 0);
		contract_env_fill(&(struct contract){ .strategy = name }, &env);
		assert_string_equal(strchr(env.list[0], '=') + 1, name);
	}
}

static void a_suite_of_too_many_cells_is_refused(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct suite s = { 0 };
	struct err e = { 0 };

	(void)state;
	buf_puts(&text, "about: x\ntopologies: [t]\nnats: { a: [m0");
	for (int i = 1; i < 400; i++)
		buf_printf(&text, ", m%d", i);
	buf_puts(&text, "] }\n");
	assert_int_equal(parse(buf_text(&text), &s, &e), -22);
	assert_non_null(strstr(e.text, "more than 100000 cells"));
}

static void the_cells_are_the_product_in_the_order_of_the_lists(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	(void)state;
	assert_int_equal(parse(BASE, &s, &e), 0);
	CLEANUP(free) struct suite_cell *cells = suite_cells(&s, &count);
	assert_int_equal(count, 8);
	assert_string_equal(cells[0].transport, "udp");
	assert_string_equal(cells[0].nat_a, "open");
	assert_string_equal(cells[1].nat_a, "open");
	assert_string_equal(cells[1].nat_b, "full-cone");
	assert_string_equal(cells[2].nat_a, "full-cone");
	assert_string_equal(cells[4].transport, "tcp");
	assert_string_equal(cells[7].topology, "two-homes");
}

/* Returns how many of the eight cells are left, or 0 and *ret_e. */
static size_t filtered(const char *filter, struct err *ret_e)
{
	CLEANUP(suite) struct suite s = { 0 };
	size_t count = 0;

	assert_int_equal(parse(BASE, &s, ret_e), 0);
	CLEANUP(free) struct suite_cell *cells = suite_cells(&s, &count);
	return suite_filter(filter, cells, &count, ret_e) < 0 ? 0 : count;
}

static void a_filter_keeps_the_cells_that_match_every_key_and_any_value(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(filtered("nat_a=open", &e), 4);
	assert_int_equal(filtered("nat_a=open,nat_a=full-cone", &e), 8);
	assert_int_equal(filtered("nat_a=open,nat_b=full-cone", &e), 2);
	assert_int_equal(filtered("nat_a=open,transport=udp,nat_b=open", &e), 1);
	assert_int_equal(filtered("transport=udp,transport=tcp,nat_b=open", &e), 4);
	assert_int_equal(filtered("strategy=punch,link=ideal,topology=two-homes", &e), 8);
}

static void a_filter_that_means_nothing_is_refused(void **state)
{
	static const struct {
		const char *filter, *what;
	} cases[] = {
		{ "nat_a=none-such", "no cell of the suite matches" },
		{ "nat_a=ope", "no cell of the suite matches" },
		{ "nat_c=open", "\"nat_c=open\" is not KEY=VALUE" },
		{ "nat_a", "\"nat_a\" is not KEY=VALUE" },
		{ "nat_a,link=ideal", "\"nat_a\" is not KEY=VALUE" },
		{ "nat_a=", "\"nat_a=\" is not KEY=VALUE" },
		{ "nat_=open", "\"nat_=open\" is not KEY=VALUE" },
		{ "nat_a=open,,link=ideal", "\"\" is not KEY=VALUE" },
		{ "=open", "\"=open\" is not KEY=VALUE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };

		assert_int_equal(filtered(cases[i].filter, &e), 0);
		assert_int_equal(e.kind, ERR_INPUT);
		if (strstr(e.text, cases[i].what) == NULL)
			fail_msg("%s: %s", cases[i].filter, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_but_topologies_and_nats_has_a_default),
		cmocka_unit_test(everything_of_a_suite_can_be_set),
		cmocka_unit_test(each_mistake_in_a_suite_is_named_at_its_place),
		cmocka_unit_test(what_is_missing_or_no_suite_at_all_is_refused),
		cmocka_unit_test(a_strategy_is_as_long_as_a_peer_can_be_told),
		cmocka_unit_test(a_suite_of_too_many_cells_is_refused),
		cmocka_unit_test(the_cells_are_the_product_in_the_order_of_the_lists),
		cmocka_unit_test(a_filter_keeps_the_cells_that_match_every_key_and_any_value),
		cmocka_unit_test(a_filter_that_means_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "sim/experiment/catalog.h"
#include "sim/experiment/contract.h"
#include "sim/experiment/run_world.h"
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

static void no_time_at_all_needs_no_unit(void **state)
{
	static const char *const texts[] = { "0", "0.0", "0us", "0s" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CLEANUP(buf) struct buf text = BUF_INIT;
		CLEANUP(suite) struct suite s = { 0 };
		struct err e = { 0 };

		buf_printf(&text, BASE "start_skew: %s\n", texts[i]);
		if (parse(buf_text(&text), &s, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(s.start_skew_us, 0);
	}
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
		{ "start_skew: 0.4us\n", "s.yaml:4:13: " },
		{ "start_skew: 0x10ms\n", "s.yaml:4:13: " },
		{ "start_skew: infs\n", "s.yaml:4:13: " },
		{ "start_skew: 1.2.3ms\n", "s.yaml:4:13: " },
		{ "start_skew: 2h\n", "s.yaml:4:13: " },
		{ "give_up: 0s\n", "s.yaml:4:10: " },
		{ "give_up: 0\n", "s.yaml:4:10: a trial needs at least 1ms" },
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

/* ---- sweeps */

/* The texts of the sweep's points, as in "20ms 50ms". */
static void points(const char *sweep, struct buf *out)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };

	buf_printf(&text, BASE "sweep: %s\n", sweep);
	if (parse(buf_text(&text), &s, &e) < 0)
		fail_msg("%s: %s", sweep, e.text);
	for (unsigned i = 0; i < s.sweep.count; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : " ", s.sweep.points[i].text);
}

static void a_sweep_is_a_list_or_a_range_of_values(void **state)
{
	static const struct {
		const char *sweep, *points;
	} cases[] = {
		{ "{ parameter: delay, values: [20ms, 1.5s, 0us] }", "20ms 1.5s 0us" },
		{ "{ parameter: delay, from: 0s, to: 50ms, step: 20ms }", "0ms 20ms 40ms" },
		{ "{ parameter: delay, from: 1s, to: 1.5s, step: 250ms }", "1000ms 1250ms 1500ms" },
		{ "{ parameter: loss, from: 0, to: 0.3, step: 0.1 }", "0 0.1 0.2 0.3" },
		{ "{ parameter: loss, from: 0.2, to: 0.2, step: 0.1 }", "0.2" },
		{ "{ parameter: start_skew, values: [0, 1ms] }", "0 1ms" },
		{ "{ parameter: delay, from: 0, to: 20ms, step: 10ms }", "0ms 10ms 20ms" },
		{ "{ parameter: delay, from: 0, to: 1s, steps: 3 }", "0s 0.5s 1s" },
		{ "{ parameter: delay, from: 10us, to: 20us, steps: 4 }", "10us 13us 17us 20us" },
		{ "{ parameter: delay, values: [1.1ms, 0.000007s] }", "1.1ms 0.000007s" },
		{ "{ parameter: loss, from: 0.0000001, to: 0.001, steps: 4, scale: log }",
		  "0.0000001 0.000002154 0.00004642 0.001" },
		{ "{ parameter: loss, from: 0.000000000001234, to: 1, steps: 3, scale: log }",
		  "0.000000000001234 0.000001111 1" },
		{ "{ parameter: loss, from: 0, to: 0.1, steps: 4 }", "0 0.03333 0.06667 0.1" },
		{ "{ parameter: start_skew, from: 1ms, to: 1s, steps: 4, scale: log }",
		  "1ms 10ms 100ms 1000ms" },
		{ "{ parameter: rate, from: 0.1, to: 3, steps: 3, scale: log }", "0.1 0.5477 3" },
		{ "{ parameter: ports, from: 64, to: 64000, steps: 4, scale: log }",
		  "64 640 6400 64000" },
		{ "{ parameter: ports, from: 16, to: 20, steps: 3, scale: linear }", "16 18 20" },
		{ "{ parameter: give_up, values: [500ms] }", "500ms" },
		{ "{ parameter: jitter, values: [1ms] }", "1ms" },
		{ "{ parameter: cross_traffic, values: [0, 100] }", "0 100" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf) struct buf out = BUF_INIT;

		points(cases[i].sweep, &out);
		assert_string_equal(buf_text(&out), cases[i].points);
	}
}

static void a_sweep_has_at_most_a_thousand_values(void **state)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };

	(void)state;
	points("{ parameter: ports, from: 1000, to: 1999, step: 1 }", &out);
	assert_int_equal(out.len, 5 * 1000 - 1);
	assert_int_equal(
		parse(BASE "sweep: { parameter: ports, from: 1000, to: 2000, step: 1 }\n", &s, &e),
		-22);
	assert_string_equal(e.text, "s.yaml:4:56: more than 1000 values");
}

/* A suite that is refused, with this behind the file's name. */
static void assert_mistake(const char *text, const char *what)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };

	assert_int_equal(parse(text, &s, &e), -22);
	assert_int_equal(e.kind, ERR_INPUT);
	if (strncmp(e.text, "s.yaml:", 7) != 0 || strncmp(e.text + 7, what, strlen(what)) != 0)
		fail_msg("%s: %s", text, e.text);
	assert_null(s.about);
}

static void each_mistake_in_a_sweep_is_named_at_its_place(void **state)
{
	static const struct {
		const char *sweep, *what;
	} cases[] = {
		{ "{ parameter: skew, values: [1ms] }", "4:21: no parameter \"skew\"; there are" },
		{ "{ values: [1ms] }", "4:8: key \"parameter\" is missing" },
		{ "{ parameter: delay }", "4:8: a sweep needs values, or from and to" },
		{ "{ parameter: delay, values: [] }", "4:36: " },
		{ "{ parameter: delay, values: [1ms, 2] }", "4:42: \"2\" is no duration" },
		{ "{ parameter: delay, values: [61s] }", "4:37: delay can be 0ms to 60000ms" },
		{ "{ parameter: delay, values: [-1ms] }", "4:37: \"-1ms\" is no duration" },
		{ "{ parameter: delay, values: [20ms, 0.02s] }", "4:43: 0.02s is there twice" },
		{ "{ parameter: loss, values: [0.1, 1.1] }", "4:41: loss can be 0 to 1" },
		{ "{ parameter: loss, values: [5%] }", "4:36: \"5%\" is no number" },
		{ "{ parameter: loss, values: [nan] }", "4:36: \"nan\" is no number" },
		{ "{ parameter: rate, values: [0] }", "4:36: rate can be 0.001 to 100000" },
		{ "{ parameter: ports, values: [8] }", "4:37: ports can be 16 to 65535" },
		{ "{ parameter: ports, values: [16.5] }", "4:37: ports must be whole" },
		{ "{ parameter: give_up, values: [0s] }", "4:39: give_up can be 1ms to" },
		{ "{ parameter: loss, values: [0.1], from: 1 }", "4:35: a sweep has either" },
		{ "{ parameter: loss, from: 0 }", "4:8: a sweep needs values, or from and to" },
		{ "{ parameter: loss, from: 0, to: 1 }", "4:8: a range needs either a step or" },
		{ "{ parameter: loss, from: 0, to: 1, step: 0.1, steps: 3 }",
		  "4:8: a range needs either a step or" },
		{ "{ parameter: loss, from: 1, to: 0, step: 0.1 }", "4:40: the range ends before" },
		{ "{ parameter: loss, from: 0, to: 1, step: 0 }", "4:49: a step of 0" },
		{ "{ parameter: loss, from: 0, to: 1, steps: 1 }", "4:50: 1 is not from 2 to" },
		{ "{ parameter: loss, from: 0, to: 1, steps: 3, scale: log }",
		  "4:33: a log scale cannot begin at 0" },
		{ "{ parameter: loss, from: 0.1, to: 1, step: 0.1, scale: log }",
		  "4:63: a log scale needs a number of steps" },
		{ "{ parameter: loss, from: 0, to: 1, steps: 3, scale: wild }",
		  "4:60: \"wild\" is neither linear nor log" },
		{ "{ parameter: ports, from: 16, to: 20, steps: 9 }",
		  "4:53: from 16 to 20 there are not 9 whole values of at most" },
		{ "{ parameter: cross_traffic, from: 1, to: 100, steps: 50, scale: log }",
		  "4:61: from 1 to 100 there are not 50 whole values of at most four digits by "
		  "equal factors" },
		{ "{ parameter: delay, from: 1us, to: 3us, steps: 4 }",
		  "4:55: from 1us to 3us there are not 4 whole microseconds" },
		{ "{ parameter: loss, from: 0.5, to: 0.50001, steps: 3 }",
		  "4:58: from 0.5 to 0.50001 there are not 3 values of at most four digits" },
		{ "{ parameter: ports, from: 12344, to: 12346, steps: 3 }",
		  "4:59: from 12344 to 12346 there are not 3 whole values of at most four digits" },
		{ "{ parameter: delay, values: [0.4us, 0.6us] }",
		  "4:37: delay must be whole microseconds, but is 0.4us" },
		{ "{ parameter: delay, from: 0, to: 2us, step: 0.5us }",
		  "4:52: delay must be whole microseconds, but is 0.5us" },
		{ "{ parameter: loss, values: [0.1] }\nloss: 1", "5:1: unknown key" },
		{ "{ parameter: give_up, values: [1s] }\ngive_up: 2s",
		  "5:10: the sweep sets this too" },
		{ "[1, 2]", "4:8: sweep must be a group of keys" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf) struct buf text = BUF_INIT;

		buf_printf(&text, BASE "sweep: %s\n", cases[i].sweep);
		assert_mistake(buf_text(&text), cases[i].what);
	}
}

static void each_value_of_a_sweep_makes_cells_of_its_own(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	(void)state;
	assert_int_equal(
		parse(BASE "sweep: { parameter: delay, values: [20ms, 50ms, 80ms] }\n", &s, &e), 0);
	CLEANUP(free) struct suite_cell *cells = suite_cells(&s, &count);
	assert_int_equal(count, 3 * 8);
	assert_string_equal(cells[1].point->text, "50ms");
	assert_true(cells[1].point->value == 50000);
	assert_string_equal(cells[1].nat_b, "open");
	assert_string_equal(cells[3].point->text, "20ms");
	assert_string_equal(cells[3].nat_b, "full-cone");
	assert_int_equal(suite_filter("sweep=50ms,sweep=20ms,nat_a=open", cells, &count, &e), 0);
	assert_int_equal(count, 2 * 4);
	assert_string_equal(cells[0].point->text, "20ms");
	assert_string_equal(cells[1].point->text, "50ms");
	assert_true(suite_filter("sweep=50", cells, &count, &e) < 0);
}

/* A peer of the user's knows strategies that we do not. */
static void a_sweep_can_go_through_a_parameter_of_the_strategies(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };
	struct run_texts texts;
	size_t count = 0;

	(void)state;
	if (parse(BASE "peer: [mine]\nstrategies: [fast, \"slow:b=1\"]\ntransports: [udp]\n"
		       "sweep: { parameter: strategy.ttl, values: [4, auto] }\n",
		  &s, &e) < 0)
		fail_msg("%s", e.text);
	CLEANUP(free) struct suite_cell *names = suite_cells(&s, &count);
	assert_int_equal(count, 2 * 2 * 4);
	assert_string_equal(names[1].strategy, "fast");
	assert_string_equal(suite_point_name(names[1].point), "strategy.ttl");
	assert_false(suite_point_needs_lab(names[1].point));
	struct run_cell cells[2] = { { .names = names[1] }, { .names = names[8] } };
	const struct run_config config = { .suite = &s, .cells = cells, .cells_count = 2 };
	struct run_trial trial = run_draw_trial(&config, 0, 0);
	assert_string_equal(run_trial_config(&config, &trial, &texts).strategy, "fast:ttl=auto");
	trial = run_draw_trial(&config, 1, 0);
	assert_string_equal(run_trial_config(&config, &trial, &texts).strategy, "slow:b=1,ttl=4");
}

static void each_mistake_in_a_sweep_of_strategies_is_named_at_its_place(void **state)
{
	static const struct {
		const char *more, *what;
	} cases[] = {
		{ "sweep: { parameter: strategy.ttl, values: [4] }",
		  "4:21: punch has no parameter \"ttl\"" },
		{ "peer: [x]\nstrategies: [a, \"b:c=1,ttl=3\"]\n"
		  "sweep: { parameter: strategy.ttl, values: [4] }",
		  "5:17: the sweep sets ttl too" },
		{ "peer: [x]\nsweep: { parameter: strategy.ttl, values: [4, \"5,a=6\"] }",
		  "5:47: \"5,a=6\" is no whole number and no word" },
		{ "peer: [x]\nsweep: { parameter: strategy.ttl, values: [on, off, on] }",
		  "5:53: on is there twice" },
		{ "peer: [x]\nsweep: { parameter: strategy.ttl, from: 1, to: 2, step: 0.5 }",
		  "5:57: strategy.KEY must be whole, but is 0.5" },
		{ "peer: [x]\nsweep: { parameter: strategy.ttl, from: 1, to: 3, steps: 5 }",
		  "5:58: from 1 to 3 there are not 5 whole values" },
		{ "peer: [x]\nsweep: { parameter: strategy., values: [1] }",
		  "5:21: no parameter \"strategy.\"; there are: " },
		{ "peer: [x]\nsweep: { parameter: strategy.KEY=, values: [1] }",
		  "5:21: no parameter \"strategy.KEY=\"; there are: " },
		{ "peer: [x]\n"
		  "strategies: [ninety-characters-of-a-name-that-somebody-has-thought-of-for-a-"
		  "strategy-of-their-own-x23456789]\n"
		  "sweep: { parameter: strategy.ttl, values: [1, 123456] }",
		  "6:47: ninety-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf) struct buf text = BUF_INIT;

		buf_printf(&text, BASE "%s\n", cases[i].more);
		assert_mistake(buf_text(&text), cases[i].what);
	}
}

static void a_point_changes_what_it_names_and_nothing_else(void **state)
{
	const struct suite s = { .start_skew_us = 1, .give_up_us = 2 };
	struct link_profile link = { .up.queue_bytes = 7, .down.delay_us = 5 };
	struct suite_point p = { SUITE_START_SKEW, NULL, 300, NULL };

	(void)state;
	assert_int_equal(suite_settings(&s, NULL).start_skew_us, 1);
	assert_int_equal(suite_settings(&s, &p).start_skew_us, 300);
	assert_int_equal(suite_settings(&s, &p).give_up_us, 2);
	p.parameter = SUITE_GIVE_UP;
	assert_int_equal(suite_settings(&s, &p).start_skew_us, 1);
	assert_int_equal(suite_settings(&s, &p).give_up_us, 300);
	p.parameter = SUITE_CROSS_TRAFFIC;
	assert_true(suite_settings(&s, &p).cross_traffic == 300);
	suite_point_set_link(&p, &link);
	assert_int_equal(link.down.delay_us, 5);
	p.parameter = SUITE_DELAY;
	suite_point_set_link(&p, &link);
	assert_int_equal(link.up.delay_us, 300);
	assert_int_equal(link.down.delay_us, 300);
	p.parameter = SUITE_JITTER;
	p.value = 0.25;
	suite_point_set_link(NULL, &link);
	assert_int_equal(link.up.jitter_us, 0);
	p.parameter = SUITE_LOSS;
	suite_point_set_link(&p, &link);
	assert_true(link.up.loss == 0.25 && link.down.loss == 0.25);
	p.parameter = SUITE_RATE;
	suite_point_set_link(&p, &link);
	assert_int_equal(link.up.rate_bps, 250000);
	/* Its own queue, or one that lets packets through at all. */
	assert_int_equal(link.up.queue_bytes, 7);
	assert_int_equal(link.down.queue_bytes, 250000);
	assert_int_equal(link.up.delay_us, 300);
}

static void a_stage_has_the_link_and_the_ports_of_its_point(void **state)
{
	CLEANUP(catalog) struct catalog c = { 0 };
	struct suite_point p = { SUITE_DELAY, NULL, 20000, NULL };
	struct stage_config config = { .topology = "two-homes",
				       .link = "home",
				       .nats = { { "a", "symmetric-random" } },
				       .nats_count = 1,
				       .point = &p };
	struct err e = { 0 };

	(void)state;
	(void)setenv("NATSIM_DATA", ".", 0);
	assert_int_equal(catalog_open(&c, &e), 0);
	for (int ports = 0; ports <= 1; ports++) {
		CLEANUP(stage) struct stage s = { 0 };
		unsigned links = 0;

		p = ports == 0 ? p : (struct suite_point){ SUITE_PORTS, NULL, 500, NULL };
		assert_int_equal(stage_open(&c, &config, &s, &e), 0);
		for (size_t i = 0; i < s.plan.ports_count; i++) {
			if (s.links[i] == NULL)
				continue;
			links++;
			assert_int_equal(s.links[i]->up.delay_us, ports == 0 ? 20000 : 5000);
			assert_int_equal(s.links[i]->down.delay_us, ports == 0 ? 20000 : 5000);
		}
		assert_int_equal(links, 2);
		unsigned a = s.models[0].ports.last - s.models[0].ports.first + 1u;
		assert_true(ports == 0 ? a > 500 : a == 500);
		/* The one that is there by default keeps its own. */
		assert_true(s.models[1].ports.last - s.models[1].ports.first + 1u > 500);
	}
}

/* And nothing but its cell's names and its point: --only does not change it. */
static void a_trial_draws_from_its_point(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct run_cell cells[3] = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	(void)state;
	assert_int_equal(
		parse(BASE "sweep: { parameter: start_skew, values: [0ms, 900ms] }\n", &s, &e), 0);
	CLEANUP(free) struct suite_cell *names = suite_cells(&s, &count);
	cells[0].names = names[0];
	cells[1].names = cells[2].names = names[1];
	cells[2].names.point = NULL;
	const struct run_config all = { .suite = &s, .cells = cells, .cells_count = 3, .seed = 1 };
	const struct run_config one = {
		.suite = &s, .cells = &cells[1], .cells_count = 1, .seed = 1
	};
	const struct run_trial early = run_draw_trial(&all, 0, 7),
			       late = run_draw_trial(&all, 1, 7);
	assert_true(early.seed != late.seed);
	assert_true(run_draw_trial(&all, 2, 7).seed != late.seed);
	assert_true(run_draw_trial(&one, 0, 7).seed == late.seed);
	assert_int_equal(early.delay_us[0] + early.delay_us[1], 0);
	assert_true(late.delay_us[0] + late.delay_us[1] > 0);
}

/* What check_sweep says to a sweep of these NATs and links; "" if nothing. */
static void check_sweep(const char *nats, const char *link, const char *sweep, struct buf *out)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	CLEANUP(catalog) struct catalog c = { 0 };
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };

	buf_printf(&text,
		   "about: x\ntopologies: [two-homes]\nnats: { a: [%s] }\nlinks: [%s]\n"
		   "sweep: %s\n",
		   nats, link, sweep);
	assert_int_equal(parse(buf_text(&text), &s, &e), 0);
	(void)setenv("NATSIM_DATA", ".", 0);
	assert_int_equal(catalog_open(&c, &e), 0);
	int code = suite_check_sweep(&s, &c, "s.yaml", buf_text(&text), text.len, &e);
	if (code < 0)
		assert_int_equal(e.kind, ERR_INPUT);
	buf_puts(out, code < 0 ? e.text : "");
}

static void a_sweep_that_links_or_models_cannot_follow_is_refused(void **state)
{
	static const struct {
		const char *nats, *link, *sweep, *what;
	} cases[] = {
		{ "open", "home", "{ parameter: delay, values: [0ms] }", "" },
		{ "open", "home", "{ parameter: jitter, values: [1ms, 6ms] }",
		  "s.yaml:5:43: with a jitter of 6ms the link home has more jitter than delay" },
		{ "open", "cable", "{ parameter: delay, values: [8ms, 2ms] }",
		  "s.yaml:5:42: with a delay of 2ms the link cable has more jitter than delay" },
		{ "open", "cable", "{ parameter: delay, from: 1ms, to: 9ms, step: 1ms }",
		  "s.yaml:5:8: with a delay of 1ms" },
		{ "open, symmetric-random", "home", "{ parameter: ports, values: [16, 64000] }",
		  "" },
		{ "symmetric-random", "home", "{ parameter: ports, values: [16, 65000] }",
		  "s.yaml:5:41: 65000 ports: symmetric-random: its ports begin at 1024 and can be "
		  "64512 at most" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf) struct buf out = BUF_INIT;

		check_sweep(cases[i].nats, cases[i].link, cases[i].sweep, &out);
		if (strncmp(buf_text(&out), cases[i].what, strlen(cases[i].what)) != 0 ||
		    (cases[i].what[0] == '\0' && out.len > 0))
			fail_msg("%s: %s", cases[i].sweep, buf_text(&out));
	}
}

/* ---- populations */

#define CROWD "about: x\ntopologies: [t]\ntransports: [udp]\n"

static void a_population_is_every_pair_with_the_product_of_its_shares(void **state)
{
	CLEANUP(suite) struct suite s = { 0 };
	struct err e = { 0 };
	size_t count = 0;
	double sum = 0;

	(void)state;
	assert_int_equal(parse(CROWD "population: { open: 1, hard: 0.5, cgn.yaml: 2.5 }\n", &s, &e),
			 0);
	CLEANUP(free) struct suite_cell *cells = suite_cells(&s, &count);
	assert_int_equal(count, 9);
	for (size_t i = 0; i < count; i++)
		sum += cells[i].weight;
	assert_true(sum > 0.999999 && sum < 1.000001);
	assert_string_equal(cells[5].nat_a, "hard");
	assert_string_equal(cells[5].nat_b, "cgn.yaml");
	assert_true(cells[5].weight > 0.078124 && cells[5].weight < 0.078126);
	assert_true(cells[8].weight > 0.390624 && cells[8].weight < 0.390626);
}

static void each_mistake_in_a_population_is_named_at_its_place(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{ "population: { open: 0 }\n", "4:21: \"0\" is no weight" },
		{ "population: { open: 1, hard: -2 }\n", "4:30: \"-2\" is no weight" },
		{ "population: { open: 1, hard: 2% }\n", "4:30: \"2%\" is no weight" },
		{ "population: { open: nan }\n", "4:21: \"nan\" is no weight" },
		{ "population: { open: 9999999999999 }\n", "4:21: " },
		{ "population: { open: 1, open: 2 }\n", "4:24: key \"open\" is here twice" },
		{ "population: { open: [1] }\n", "4:21: open must have a single value" },
		{ "population: { open: }\n", "4:21: open must have a single value" },
		{ "population: { [a]: 1 }\n", "4:15: a key must be a word" },
		{ "population: { \"\": 1 }\n", "4:15: a key must be a word" },
		{ "population: {}\n", "4:13: a population needs a model" },
		{ "population: [open]\n", "4:13: population must be a group of keys" },
		{ "population: open\n", "4:13: population must be a group of keys" },
		{ "population: { open: 1 }\nnats: { a: [open] }\n",
		  "4:13: a suite has either \"nats\" or a population" },
		{ "", "1:1: either \"nats\" or \"population\" must be there" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf) struct buf text = BUF_INIT;

		buf_printf(&text, CROWD "%s", cases[i].text);
		assert_mistake(buf_text(&text), cases[i].what);
	}
}

static void a_population_of_too_many_pairs_is_refused(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct suite s = { 0 };
	struct err e = { 0 };

	(void)state;
	buf_puts(&text, CROWD "population:\n");
	for (int i = 0; i < 400; i++)
		buf_printf(&text, "  m%d: 1\n", i);
	assert_int_equal(parse(buf_text(&text), &s, &e), -22);
	assert_string_equal(e.text, "s.yaml:5:3: more than 100000 cells in all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_but_topologies_and_nats_has_a_default),
		cmocka_unit_test(everything_of_a_suite_can_be_set),
		cmocka_unit_test(no_time_at_all_needs_no_unit),
		cmocka_unit_test(each_mistake_in_a_suite_is_named_at_its_place),
		cmocka_unit_test(what_is_missing_or_no_suite_at_all_is_refused),
		cmocka_unit_test(a_strategy_is_as_long_as_a_peer_can_be_told),
		cmocka_unit_test(a_suite_of_too_many_cells_is_refused),
		cmocka_unit_test(the_cells_are_the_product_in_the_order_of_the_lists),
		cmocka_unit_test(a_filter_keeps_the_cells_that_match_every_key_and_any_value),
		cmocka_unit_test(a_filter_that_means_nothing_is_refused),
		cmocka_unit_test(a_sweep_is_a_list_or_a_range_of_values),
		cmocka_unit_test(a_sweep_has_at_most_a_thousand_values),
		cmocka_unit_test(each_mistake_in_a_sweep_is_named_at_its_place),
		cmocka_unit_test(each_value_of_a_sweep_makes_cells_of_its_own),
		cmocka_unit_test(a_sweep_can_go_through_a_parameter_of_the_strategies),
		cmocka_unit_test(each_mistake_in_a_sweep_of_strategies_is_named_at_its_place),
		cmocka_unit_test(a_point_changes_what_it_names_and_nothing_else),
		cmocka_unit_test(a_stage_has_the_link_and_the_ports_of_its_point),
		cmocka_unit_test(a_trial_draws_from_its_point),
		cmocka_unit_test(a_sweep_that_links_or_models_cannot_follow_is_refused),
		cmocka_unit_test(a_population_is_every_pair_with_the_product_of_its_shares),
		cmocka_unit_test(each_mistake_in_a_population_is_named_at_its_place),
		cmocka_unit_test(a_population_of_too_many_pairs_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

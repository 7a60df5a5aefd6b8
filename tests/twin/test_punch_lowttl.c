// SPDX-License-Identifier: GPL-2.0-or-later
/* Punching with packets that die between the routers, and connecting without a listener: what comes
 * of it behind each pair of routers, and what a peer does until then. */
#include <string.h>

#include "lib/cleanup.h"
#include "peers/core/punch_lowttl.h"
#include "tests/twin_pair.h"
#include "tests/twin_suite.h"

/* ---- every pair of routers */

/* The six classic ones, and two that mind who knocks at them. */
#define MODELS                                                      \
	"[open, full-cone, restricted-cone, port-restricted-cone, " \
	"symmetric-sequential, symmetric-random, " CLASHING ", " BLOCKING "]"
#define CLASHING     "linux-masquerade-input-accept"
#define BLOCKING     "knock-blocks"
#define MODELS_COUNT 8u
#define TRIALS       40u

/* Theory says 0 or 1, or nothing; the number of pairs of which it says something is known, too. */
static void each_pair_of_routers_does_what_theory_says(void **state)
{
	static const struct {
		const char *transport, *strategy;
		unsigned theory; /* of 64 pairs */
	} cases[] = {
		{ "udp", "punch-lowttl:side=a", 52 },    { "udp", "punch-lowttl:side=b", 52 },
		{ "udp", "punch-lowttl:side=both", 60 }, { "udp", "connect-only", 44 },
		{ "tcp", "punch-lowttl:side=a", 63 },    { "tcp", "punch-lowttl:side=b", 63 },
		{ "tcp", "punch-lowttl:side=both", 53 }, { "tcp", "connect-only", 37 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct twin_suite_plan plan = { .nats = MODELS,
						.transport = cases[n].transport,
						.strategy = cases[n].strategy,
						.trials = TRIALS };
		struct twin_suite s;
		unsigned theory = 0;

		twin_suite_run(&plan, &s);
		assert_int_equal(s.count, MODELS_COUNT * MODELS_COUNT);
		twin_suite_assert_exact(&s, &plan);
		for (size_t i = 0; i < s.count; i++)
			theory += s.cells[i].expected == 0 || s.cells[i].expected == 1;
		assert_int_equal(theory, cases[n].theory);
		twin_suite_free(&s);
	}
}

/* How often a strategy connects a touchy router, of peer a, with a common one of b. */
static unsigned connects(const char *touchy, const char *strategy)
{
	CLEANUP(buf) struct buf models = BUF_INIT;
	struct twin_suite s;

	buf_printf(&models, "[%s], b: [port-restricted-cone]", touchy);
	twin_suite_run(&(struct twin_suite_plan){ .nats = buf_text(&models),
						  .transport = "udp",
						  .strategy = strategy,
						  .trials = TRIALS },
		       &s);
	assert_int_equal(s.count, 1);
	unsigned successes = s.cells[0].successes;
	twin_suite_free(&s);
	return successes;
}

static void a_router_that_must_not_be_knocked_at_is_cured_by_its_own_side(void **state)
{
	static const char *const touchy[] = { CLASHING, BLOCKING };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_in_range(connects(touchy[i], "punch"), 1, TRIALS - 1);
		assert_int_equal(connects(touchy[i], "punch-lowttl:side=a"), TRIALS);
		assert_int_equal(connects(touchy[i], "punch-lowttl:side=both"), TRIALS);
		assert_in_range(connects(touchy[i], "punch-lowttl:side=b"), 1, TRIALS - 1);
		/* Dead before it has opened anything, and without the time to. */
		assert_in_range(connects(touchy[i], "punch-lowttl:ttl=1"), 1, TRIALS - 1);
		assert_in_range(connects(touchy[i], "punch-lowttl:wait_ms=0"), 1, TRIALS - 1);
		/* What gets as far as the other router is a knock. */
		assert_int_equal(connects(touchy[i], "punch-lowttl:ttl=255,side=a"), TRIALS);
		assert_int_equal(connects(touchy[i], "punch-lowttl:ttl=255,side=b"), 0);
	}
}

/* ---- what a peer does */

#define WAIT_US (400 * UINT64_C(1000))

/* Peers that begin low, or not, and what their packets look like in the middle of the Internet. */
struct low_pair {
	struct twin_pair *pair;
	struct punch_lowttl peers[2];
	unsigned low[2], full[2];
	uint64_t low_us[2], full_us[2]; /* the last, the first */
	uint64_t deaf_until_us;         /* of the Internet to peer a */
};

static bool watch(void *arg, uint64_t now_us, const struct twin_packet *packet)
{
	struct low_pair *l = arg;
	unsigned from = packet->from.addr - PAIR_OUTSIDE_ADDR(PAIR_A);

	if (from > 1 || pair_is_server(packet->to))
		return false;
	if (packet->ttl < 10) {
		l->low[from]++;
		l->low_us[from] = now_us;
	} else if (l->full[from]++ == 0) {
		l->full_us[from] = now_us;
	}
	return from == PAIR_A && now_us < l->deaf_until_us;
}

static void low_pair_begin(struct low_pair *l, bool tcp, const uint64_t params[static 4])
{
	static const char *const nat = NAT(EI, APD, "sequential");

	*l = (struct low_pair){
		.pair = pair_new(&(struct pair_config){
			.seed = 1, .nats = { nat, nat }, .delays_us = { 5000, 5000, 5000 } })
	};
	l->pair->lose = watch;
	l->pair->lose_arg = l;
	for (int i = 0; i < 2; i++) {
		struct strategy_config config = pair_strategy_config(l->pair, i, tcp);

		memcpy(config.params, params, 4 * sizeof(params[0]));
		punch_lowttl_strategy.init(&l->peers[i], &config);
		pair_set_machine(l->pair, i, punch_lowttl_strategy.step, &l->peers[i],
				 PAIR_START_US);
	}
}

/* Ends the pair, which is to have connected and left nothing. */
static void low_pair_end(struct low_pair *l)
{
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pair_status(l->pair, i), 0);
		assert_int_equal(l->pair->hosts[i].open, 0);
		assert_int_equal(l->peers[i].punch.course.sent, l->pair->hosts[i].sent);
	}
	pair_free(l->pair);
}

static void low_packets_come_first_then_a_pause_then_the_others(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2 * 3; n++) {
		const bool tcp = n % 2 == 1;
		const unsigned side = n / 2;
		struct low_pair l;

		low_pair_begin(&l, tcp, (const uint64_t[4]){ 2, side, 3, WAIT_US / 1000 });
		pair_run(l.pair, PAIR_LONG_US);
		for (unsigned i = 0; i < 2; i++) {
			bool low = side == PUNCH_LOWTTL_BOTH || side == i;
			uint64_t go_us = l.peers[i].punch.course.go_us;

			/* To two candidates each. */
			assert_int_equal(l.low[i], low ? 6 : 0);
			if (low)
				assert_int_equal(l.low_us[i],
						 go_us + 2 * COURSE_INTERVAL_US + 5000);
			assert_true(l.full[i] > 0);
			assert_in_range(l.full_us[i], go_us + 2 * COURSE_INTERVAL_US + WAIT_US,
					go_us + 2 * COURSE_INTERVAL_US + WAIT_US + 30000);
		}
		low_pair_end(&l);
	}
}

/* The other side has no patience. What is lost is sent again as soon as if nobody waited. */
static void what_comes_in_ends_the_waiting(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= 2 * 16; n++) {
		const uint64_t packets = n % 2 == 0 ? 1 : 100;
		struct low_pair l;

		low_pair_begin(&l, false, (const uint64_t[4]){ 2, PUNCH_LOWTTL_A, packets, 5000 });
		struct strategy_config config = pair_strategy_config(l.pair, PAIR_B, false);
		punch_strategy.init(&l.peers[PAIR_B], &config);
		l.pair->lose_at = n / 2;
		pair_run(l.pair, PAIR_LONG_US);
		const struct course *a = &l.peers[PAIR_A].punch.course;
		assert_in_range(a->connected_us - a->go_us, 1, 300000);
		low_pair_end(&l);
	}
}

/* No ICMP error comes back, and nothing else: the port is free all the same when b connects. */
static void a_low_syn_that_nobody_answers_is_given_up_before_the_other_side_connects(void **state)
{
	struct low_pair l;

	(void)state;
	low_pair_begin(&l, true, (const uint64_t[4]){ 64, PUNCH_LOWTTL_A, 1, WAIT_US / 1000 });
	l.deaf_until_us = WAIT_US;
	pair_run(l.pair, WAIT_US / 4);
	assert_true(l.peers[0].punch.attempts[0].open);
	pair_run(l.pair, WAIT_US - 50000);
	assert_false(l.peers[0].punch.attempts[0].open);
	pair_run(l.pair, PAIR_LONG_US);
	low_pair_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_of_routers_does_what_theory_says),
		cmocka_unit_test(a_router_that_must_not_be_knocked_at_is_cured_by_its_own_side),
		cmocka_unit_test(low_packets_come_first_then_a_pause_then_the_others),
		cmocka_unit_test(what_comes_in_ends_the_waiting),
		cmocka_unit_test(
			a_low_syn_that_nobody_answers_is_given_up_before_the_other_side_connects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

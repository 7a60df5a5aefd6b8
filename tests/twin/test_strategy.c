// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/twin_pair.h"

#include <string.h>

#include "lib/cleanup.h"
#include "peers/core/strategy.h"
#include "tests/golden.h"

static void every_strategy_is_found_by_its_name_and_by_no_other(void **state)
{
	const struct strategy *s;
	size_t count = 0;

	(void)state;
	for (; (s = strategy_at(count)) != NULL; count++) {
		assert_ptr_equal(strategy_find(s->name), s);
		assert_true(strlen(s->about) > 0 && s->size > 0);
		assert_true(s->pair == (s->result != NULL));
	}
	assert_int_equal(count, 9);
	assert_false(strategy_find("cross-traffic")->pair);
	assert_true(strategy_find("punch")->pair);
	assert_true(strategy_find("punch-lowttl")->pair);
	assert_true(strategy_find("connect-only")->pair);
	assert_true(strategy_find("preserve")->pair);
	assert_true(strategy_find("relay")->pair);
	assert_true(strategy_find("birthday")->pair);
	assert_true(strategy_find("predict")->pair);
	assert_false(strategy_find("classify")->pair);
	assert_null(strategy_find(""));
	assert_null(strategy_find("Punch"));
	assert_null(strategy_find("punch "));
	assert_null(strategy_at(1000));
}

static void every_strategy_can_report_before_it_has_begun(void **state)
{
	const struct strategy *s;

	(void)state;
	for (size_t i = 0; (s = strategy_at(i)) != NULL; i++) {
		CLEANUP(buf) struct buf line = BUF_INIT;
		CLEANUP(free) void *machine = calloc(1, s->size);

		s->init(machine,
			&(struct strategy_config){
				.role = 'a', .server = { 1, 2 }, .session_len = 1, .nonce = 1 });
		s->report(machine, &line);
		assert_non_null(strstr(buf_text(&line), "\"event\":\"result\""));
		if (s->pair)
			assert_non_null(strstr(buf_text(&line), "\"reason\":\"ended early\""));
		assert_int_equal(line.data[line.len - 1], '\n');
		assert_ptr_equal(strchr(line.data, '\n'), line.data + line.len - 1);
	}
}

/* Both peers' lines, of pairs that end in different ways. */
static void play_pair(bool tcp, const char *a, const char *b, uint64_t until_us, struct buf *out)
{
	struct twin_pair *p = pair_new(&(struct pair_config){
		.seed = 1, .nats = { a, b }, .delays_us = { 5000, 5000, 5000 } });

	pair_start(p, tcp, (const uint64_t[2]){ 0, 12345 });
	pair_run(p, until_us);
	for (size_t i = 0; i < 2; i++)
		punch_strategy.report(&p->peers[i], out);
	pair_free(p);
}

static void the_line_of_a_pairs_peer_is_the_recorded_one(void **state)
{
	static const char *const lax = NAT(EI, EI, "sequential");
	static const char *const strict = NAT(APD, APD, "sequential");
	CLEANUP(buf) struct buf lines = BUF_INIT;

	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		play_pair(tcp, lax, lax, PAIR_LONG_US, &lines);
		play_pair(tcp, lax, strict, PAIR_LONG_US, &lines);
		play_pair(tcp, strict, strict, PAIR_LONG_US, &lines);
		play_pair(tcp, lax, lax, 2000, &lines);
	}
	golden_compare("punch.results", buf_text(&lines));
}

static void a_result_says_what_became_of_the_peer(void **state)
{
	struct twin_pair *p =
		pair_new(&(struct pair_config){ .seed = 1, .delays_us = { 5000, 5000, 5000 } });
	struct strategy_result r;

	(void)state;
	pair_start(p, false, (const uint64_t[2]){ 0, 0 });
	punch_strategy.result(&p->peers[0], &r);
	assert_false(r.connected);
	assert_string_equal(r.reason, "ended early");
	assert_true(endpoint_is_none(r.local) && endpoint_is_none(r.remote));
	assert_true(r.introduced_us == NEVER && r.connect_us == NEVER && r.packets == 0);

	pair_run(p, PAIR_LONG_US);
	punch_strategy.result(&p->peers[0], &r);
	assert_true(r.connected);
	assert_null(r.reason);
	assert_int_equal(r.remote.addr, PAIR_OUTSIDE_ADDR(PAIR_B));
	assert_true(r.nonce == PAIR_NONCE(PAIR_A) && r.peer_nonce == PAIR_NONCE(PAIR_B));
	assert_true(r.introduced_us < PAIR_GIVE_UP_US && r.connect_us < PAIR_GIVE_UP_US);
	assert_true(r.packets > 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_is_found_by_its_name_and_by_no_other),
		cmocka_unit_test(every_strategy_can_report_before_it_has_begun),
		cmocka_unit_test(a_result_says_what_became_of_the_peer),
		cmocka_unit_test(the_line_of_a_pairs_peer_is_the_recorded_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict is the harness's: what peers claim counts only where the taps saw it. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/experiment/verdict.h"
#include "tests/twin_pair.h"

#define RELAY   0xcb007101u
#define NONCE_A 0xaaaaaaaaaaaaaaaau
#define NONCE_B 0xbbbbbbbbbbbbbbbbu

static const struct endpoint outside_a = { 0xc6336401, 6000 }, outside_b = { 0xc6336402, 7000 };
static const struct endpoint inside_a = { 0x0a010002, 40001 }, inside_b = { 0x0a020002, 40002 };

/* A trial in which all is well: a test spoils something. */
struct trial {
	struct verdict_side a, b;
	struct delivery into_a, into_b;
	uint8_t protocol;
};

static struct delivery packet(struct endpoint from, struct endpoint to, uint64_t nonce)
{
	struct delivery p = {
		.protocol = IPPROTO_UDP, .from = from, .to = to, .payload_bytes = 32
	};

	p.len = 32;
	for (size_t i = 0; i < 8; i++)
		p.payload[16 + i] = (uint8_t)(nonce >> (56 - 8 * i));
	return p;
}

static struct verdict_claim claim(struct endpoint local, struct endpoint remote, uint64_t nonce)
{
	return (struct verdict_claim){ .ended_ok = true,
				       .has_line = true,
				       .has_path = true,
				       .local = local,
				       .remote = remote,
				       .nonce = nonce };
}

static void trial_init(struct trial *t)
{
	*t = (struct trial){ .into_a = packet(outside_b, inside_a, NONCE_B),
			     .into_b = packet(outside_a, inside_b, NONCE_A),
			     .protocol = IPPROTO_UDP };
	t->a = (struct verdict_side){ .claim = claim(inside_a, outside_b, NONCE_A),
				      .outside_addr = outside_a.addr,
				      .outside_addrs_count = 1,
				      .host_addr = inside_a.addr,
				      .delivered = &t->into_a,
				      .delivered_count = 1 };
	t->b = (struct verdict_side){ .claim = claim(inside_b, outside_a, NONCE_B),
				      .outside_addr = outside_b.addr,
				      .outside_addrs_count = 1,
				      .host_addr = inside_b.addr,
				      .delivered = &t->into_b,
				      .delivered_count = 1 };
}

static struct verdict judge(const struct trial *t)
{
	static const uint32_t relays[] = { RELAY, RELAY + 1 };

	return verdict_judge(&t->a, &t->b, t->protocol, relays, 2);
}

static void assert_refused(const struct trial *t, const char *reason)
{
	struct verdict v = judge(t);

	assert_false(v.success);
	assert_int_equal(v.path, VERDICT_PATH_NONE);
	if (strstr(v.reason, reason) == NULL)
		fail_msg("\"%s\" is not in: %s", reason, v.reason);
}

static void a_nonce_delivered_both_ways_is_a_success(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	struct verdict v = judge(&t);
	assert_true(v.success);
	assert_int_equal(v.path, VERDICT_PATH_DIRECT);
	assert_string_equal(v.reason, "");
}

static void each_address_of_a_pool_is_the_routers_and_the_next_one_is_not(void **state)
{
	struct trial t;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		trial_init(&t);
		t.b.outside_addrs_count = 3;
		t.into_a.from.addr += i;
		t.a.claim.remote.addr += i;
		assert_int_equal(judge(&t).success, i < 3);
	}
}

static void a_claim_without_delivered_traffic_is_refused(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.a.delivered_count = 0;
	assert_refused(&t, "nothing of b's delivered into a's host");
	trial_init(&t);
	t.b.delivered_count = 0;
	assert_refused(&t, "nothing of a's delivered into b's host");
}

static void the_wrong_nonce_is_no_evidence(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.into_a = packet(outside_b, inside_a, NONCE_B ^ 1);
	assert_refused(&t, "into a's host");
	trial_init(&t);
	t.into_b = packet(outside_a, inside_b, NONCE_B); /* its own, come back */
	assert_refused(&t, "into b's host");
	trial_init(&t);
	t.into_b.len = 20; /* cut within the nonce */
	assert_refused(&t, "into b's host");
}

static void a_nonce_is_all_of_its_eight_bytes_wherever_they_are(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.b.claim.nonce = 0xff;
	t.into_a.payload[0] = 0xff;
	t.into_a.len = 1;
	assert_refused(&t, "into a's host");
	for (size_t at = 0; at <= DELIVERY_PAYLOAD_MAX - 8; at++) {
		memset(t.into_a.payload, 0xff, sizeof(t.into_a.payload));
		memset(t.into_a.payload + at, 0, 7);
		t.into_a.len = at + 8;
		assert_true(judge(&t).success);
		t.into_a.len--;
		assert_refused(&t, "into a's host");
	}
}

static void traffic_from_or_to_elsewhere_is_no_evidence(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.into_a.from.addr = 0xc0000201; /* not b's address, and not what a claims */
	assert_refused(&t, "into a's host");
	t.a.claim.remote = t.into_a.from; /* what a claims, but still not b's */
	assert_refused(&t, "into a's host");
	trial_init(&t);
	t.into_a.from.port++; /* b's address, but not the path that a claims */
	assert_refused(&t, "into a's host");
	trial_init(&t);
	t.into_a.to.port++; /* another socket of a's */
	assert_refused(&t, "into a's host");
}

static void traffic_over_the_wrong_protocol_is_no_evidence(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.protocol = IPPROTO_TCP;
	assert_refused(&t, "into a's host");
	t.into_a.protocol = IPPROTO_TCP;
	assert_refused(&t, "into b's host");
	t.into_b.protocol = IPPROTO_TCP;
	assert_true(judge(&t).success);
}

static void both_must_claim_success(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.a.claim.ended_ok = false;
	assert_refused(&t, "a: it ended without success");
	(void)snprintf(t.a.claim.reason, VERDICT_REASON_SIZE, "no luck");
	assert_refused(&t, "a: no luck");
	t.b.claim.ended_ok = false;
	(void)snprintf(t.b.claim.reason, VERDICT_REASON_SIZE, "no luck");
	assert_string_equal(judge(&t).reason, "no luck");
	t.a.claim.ended_ok = true;
	assert_refused(&t, "b: no luck");
}

/* Through the rendezvous: an observation of its own, and never "direct". */
static void what_the_rendezvous_passes_on_is_relayed_and_never_direct(void **state)
{
	struct trial t;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		trial_init(&t);
		t.into_a.from = t.a.claim.remote = (struct endpoint){ RELAY + i, 3478 };
		struct verdict v = judge(&t);
		assert_true(v.success);
		assert_int_equal(v.path, VERDICT_PATH_RELAYED);
	}
	/* It must hold the other's nonce: the rendezvous itself talks to everybody. */
	t.into_a = packet(t.into_a.from, inside_a, 7);
	assert_refused(&t, "into a's host");
	t.b.claim.nonce = 0;
	assert_refused(&t, "into a's host");
	t.a.claim.has_path = false;
	assert_refused(&t, "into a's host");
	trial_init(&t);
	t.into_a.from = t.a.claim.remote = (struct endpoint){ RELAY + 2, 3478 };
	assert_refused(&t, "into a's host");
}

static void strangers_without_json_need_traffic_from_each_others_address(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t);
	t.a.claim = t.b.claim = (struct verdict_claim){ .ended_ok = true };
	t.into_a.from.port = t.into_b.from.port = 9;
	assert_int_equal(judge(&t).path, VERDICT_PATH_DIRECT);
	t.into_a.from.addr = inside_b.addr; /* untranslated */
	assert_int_equal(judge(&t).path, VERDICT_PATH_DIRECT);
	t.into_a.from.addr = 0xc0000201;
	assert_refused(&t, "into a's host");
	t.into_a.from.addr = outside_a.addr; /* its own router */
	assert_refused(&t, "into a's host");
	t.into_a.from.addr = RELAY;
	assert_refused(&t, "into a's host");
	t.a.delivered_count = 0;
	assert_refused(&t, "into a's host");
}

static void the_evidence_may_come_late_among_other_packets(void **state)
{
	struct delivery packets[3];
	struct trial t;

	(void)state;
	trial_init(&t);
	packets[0] = packet((struct endpoint){ RELAY, 3478 }, inside_a, NONCE_B);
	packets[1] = packet(outside_b, inside_a, 7);
	packets[2] = t.into_a;
	t.a.delivered = packets;
	t.a.delivered_count = 3;
	assert_int_equal(judge(&t).path, VERDICT_PATH_DIRECT);
	t.a.delivered_count = 2;
	assert_refused(&t, "into a's host");
}

/* ---- reading claims */

static struct verdict_claim read_claim(const char *text)
{
	struct verdict_claim c = { .ended_ok = true, .nonce = 99, .has_path = true };

	verdict_read_claim(text, strlen(text), &c);
	assert_true(c.ended_ok);
	return c;
}

static void a_claim_is_read_from_the_last_result_line(void **state)
{
	(void)state;
	struct verdict_claim c = read_claim(
		"hello\n{\"event\":\"result\",\"nonce\":\"1\"}\n"
		"{\"event\":\"result\",\"local\":\"10.1.0.2:40001\",\"remote\":\"198.51.100.2:7000\","
		"\"nonce\":\"00000000000000ff\",\"connect_ms\":21.5,\"packets\":6}\n"
		"{\"event\":\"else\"}\nbye");

	assert_true(c.has_line);
	assert_true(c.has_path);
	assert_true(endpoint_equal(c.local, inside_a));
	assert_true(endpoint_equal(c.remote, outside_b));
	assert_int_equal(c.nonce, 0xff);
	assert_true(c.connect_ms == 21.5);
	assert_int_equal(c.packets, 6);
}

static void output_without_a_result_claims_nothing(void **state)
{
	static const char *const texts[] = { "",           "\n\n",
					     "connected!", "{\"event\":\"result\"",
					     "[1, 2]\n",   "{\"event\":7}",
					     "\"result\"", "null\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct verdict_claim c = read_claim(texts[i]);

		assert_false(c.has_line);
		assert_false(c.has_path);
		assert_int_equal(c.nonce, 0);
		assert_true(c.connect_ms < 0);
	}
}

static void values_of_the_wrong_kind_say_nothing(void **state)
{
	static const char *const nonces[] = {
		"\"\"", "\"-1\"", "\"0x12\"", "\" 12\"", "\"12 \"",
		"12",   "null",   "\"xyz\"",  "[]",      "\"00000000000000001\""
	};

	(void)state;
	for (size_t i = 0; i < sizeof(nonces) / sizeof(nonces[0]); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "{\"event\":\"result\",\"nonce\":%s}",
			       nonces[i]);
		assert_int_equal(read_claim(text).nonce, 0);
	}
	struct verdict_claim c =
		read_claim("{\"event\":\"result\",\"remote\":\"here\",\"packets\":-3,"
			   "\"connect_ms\":\"soon\",\"local\":5,\"reason\":[]}");
	assert_true(c.has_line);
	assert_false(c.has_path);
	assert_true(c.connect_ms < 0);
	assert_int_equal(c.packets, -1);
	assert_string_equal(c.reason, "");
}

static void a_reason_is_one_printable_line_of_whole_characters(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;

	(void)state;
	assert_string_equal(
		read_claim("{\"event\":\"result\",\"reason\":\"\\u001b[2J\\nno\\u007f\"}").reason,
		"?[2J?no?");
	buf_puts(&text, "{\"event\":\"result\",\"reason\":\"");
	for (int i = 0; i < 99; i++)
		buf_puts(&text, "x");
	buf_puts(&text, "\xe2\x82\xac\xe2\x82\xac\"}"); /* euro signs, three bytes each */
	struct verdict_claim c = read_claim(buf_text(&text));
	assert_int_equal(strlen(c.reason), 99);
	assert_int_equal(c.reason[98], 'x');
}

/* ---- taking claims */

static void assert_same_claim(const struct strategy_result *result)
{
	struct strategy_config config = { .role = 'a' };
	CLEANUP(buf) struct buf line = BUF_INIT;
	struct verdict_claim taken = { .ended_ok = true, .nonce = 99 };

	strategy_report_result("punch", &config, result, &line);
	struct verdict_claim read = read_claim(buf_text(&line));
	verdict_take_claim(result, &taken);
	assert_true(taken.ended_ok && taken.has_line);
	assert_string_equal(taken.reason, read.reason);
	assert_int_equal(taken.has_path, read.has_path);
	assert_true(endpoint_equal(taken.local, read.local));
	assert_true(endpoint_equal(taken.remote, read.remote));
	assert_true(taken.nonce == read.nonce);
	assert_true(taken.connect_ms == read.connect_ms);
	assert_true(taken.packets == read.packets);
}

static void a_claim_is_taken_from_a_result_as_it_is_read_from_its_line(void **state)
{
	static const uint64_t times_us[] = { 0, 1, 999, 21412, 86400000000, 86400001000, NEVER };
	static const uint64_t packets[] = { 0, 7, UINT32_MAX, (uint64_t)UINT32_MAX + 1 };
	struct strategy_result result = { .connected = true,
					  .local = inside_a,
					  .remote = outside_b,
					  .nonce = NONCE_A,
					  .peer_nonce = NONCE_B,
					  .introduced_us = NEVER };

	(void)state;
	for (size_t i = 0; i < sizeof(times_us) / sizeof(times_us[0]); i++)
		for (size_t j = 0; j < sizeof(packets) / sizeof(packets[0]); j++) {
			result.connect_us = times_us[i];
			result.packets = packets[j];
			assert_same_claim(&result);
		}
	assert_same_claim(&(struct strategy_result){ .reason = "nothing from the peer came in",
						     .nonce = 1,
						     .introduced_us = NEVER,
						     .connect_us = NEVER });
}

/* What each host was delivered is what a world would have seen. */
static void two_peers_of_one_process_are_judged_without_a_line(void **state)
{
	struct twin_pair *p =
		pair_new(&(struct pair_config){ .seed = 1, .delays_us = { 5000, 5000, 5000 } });
	struct trial t;

	(void)state;
	pair_start(p, false, (const uint64_t[2]){ 0, 0 });
	pair_run(p, PAIR_LONG_US);
	trial_init(&t);
	for (int i = 0; i < 2; i++) {
		struct verdict_side *side = i == 0 ? &t.a : &t.b;
		struct delivery *into = i == 0 ? &t.into_a : &t.into_b;
		struct strategy_result result;

		punch_strategy.result(&p->peers[i], &result);
		verdict_take_claim(&result, &side->claim);
		side->outside_addr = side->host_addr = pair_addr(p, i);
		side->outside_addrs_count = 1;
		*into = packet(result.remote, result.local, PAIR_NONCE(!i));
	}
	assert_true(judge(&t).success);
	t.into_a.payload[16] ^= 1;
	assert_false(judge(&t).success);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nonce_delivered_both_ways_is_a_success),
		cmocka_unit_test(each_address_of_a_pool_is_the_routers_and_the_next_one_is_not),
		cmocka_unit_test(a_claim_without_delivered_traffic_is_refused),
		cmocka_unit_test(the_wrong_nonce_is_no_evidence),
		cmocka_unit_test(a_nonce_is_all_of_its_eight_bytes_wherever_they_are),
		cmocka_unit_test(traffic_from_or_to_elsewhere_is_no_evidence),
		cmocka_unit_test(traffic_over_the_wrong_protocol_is_no_evidence),
		cmocka_unit_test(both_must_claim_success),
		cmocka_unit_test(what_the_rendezvous_passes_on_is_relayed_and_never_direct),
		cmocka_unit_test(strangers_without_json_need_traffic_from_each_others_address),
		cmocka_unit_test(the_evidence_may_come_late_among_other_packets),
		cmocka_unit_test(a_claim_is_read_from_the_last_result_line),
		cmocka_unit_test(output_without_a_result_claims_nothing),
		cmocka_unit_test(values_of_the_wrong_kind_say_nothing),
		cmocka_unit_test(a_reason_is_one_printable_line_of_whole_characters),
		cmocka_unit_test(a_claim_is_taken_from_a_result_as_it_is_read_from_its_line),
		cmocka_unit_test(two_peers_of_one_process_are_judged_without_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

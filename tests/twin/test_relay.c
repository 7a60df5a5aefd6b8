// SPDX-License-Identifier: GPL-2.0-or-later
/* The relay: every pair gets through, no one packet matters, and nobody but the server is heard. */
#include <string.h>

#include "peers/core/course.h"
#include "peers/core/relay.h"
#include "tests/twin_pair.h"
#include "tests/twin_suite.h"

#define TRIALS 20u
#define HARD   NAT(APD, APD, "random")

/* Of every kind; udp-blocked and only-tcp-443 do not let to the rendezvous. */
#define MODELS                                                                              \
	"[open, full-cone, restricted-cone, port-restricted-cone, symmetric-sequential, "   \
	"symmetric-random, firewall, linux-masquerade, linux-masquerade-input-accept, pf, " \
	"pool-arbitrary, gcp-cloud-nat, cellular-cgn, einat, knock-blocks, rst-kills, "     \
	"apdm-apdf, udp-blocked, only-tcp-443]"
#define MODELS_COUNT 19u

static void every_pair_that_reaches_the_server_connects_by_it(void **state)
{
	static const char *const transports[] = { "udp", "tcp" };

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct twin_suite_plan plan = { .nats = MODELS,
						.transport = transports[n],
						.strategy = "relay",
						.trials = TRIALS };
		struct twin_suite s;
		unsigned connected = 0, reach = MODELS_COUNT - 2 + n;

		twin_suite_run(&plan, &s);
		assert_int_equal(s.count, MODELS_COUNT * MODELS_COUNT);
		twin_suite_assert_exact(&s, &plan);
		for (size_t i = 0; i < s.count; i++) {
			assert_true(s.cells[i].expected >= 0);
			assert_int_equal(s.cells[i].relayed, s.cells[i].successes);
			connected += s.cells[i].successes / TRIALS;
		}
		assert_int_equal(connected, reach * reach);
		twin_suite_free(&s);
	}
}

/* ---- two peers */

struct relay_pair {
	struct twin_pair *pair;
	struct course peers[2];
	uint64_t count, lose_at; /* packets, from when a tries on; the one that is lost, from 1 */
};

static bool lose_one(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	struct relay_pair *r = arg;

	(void)now_us;
	assert_false(pair_is_between_peers(p));
	return r->peers[PAIR_A].phase >= COURSE_TRYING && ++r->count == r->lose_at;
}

static const uint64_t b_silent[2] = { 0, 3600000000 };

static void relay_pair_begin(struct relay_pair *r, bool tcp, const uint64_t late_us[static 2])
{
	*r = (struct relay_pair){
		.pair = pair_new(&(struct pair_config){
			.seed = 1, .nats = { HARD, HARD }, .delays_us = { 5000, 9000, 1000 } })
	};
	r->pair->lose = lose_one;
	r->pair->lose_arg = r;
	for (int i = 0; i < 2; i++) {
		struct strategy_config config = pair_strategy_config(r->pair, i, tcp);

		config.start_delay_us = late_us[i];
		relay_strategy.init(&r->peers[i], &config);
		pair_set_machine(r->pair, i, relay_strategy.step, &r->peers[i], PAIR_START_US);
	}
}

static void assert_both_connected(struct relay_pair *r)
{
	for (int i = 0; i < 2; i++) {
		struct strategy_result result;

		relay_strategy.result(&r->peers[i], &result);
		assert_int_equal(pair_status(r->pair, i), 0);
		assert_true(result.connected && result.peer_nonce == PAIR_NONCE(!i));
		assert_true(endpoint_equal(result.remote, pair_server(0, 0)));
		assert_int_equal(r->pair->hosts[i].open, 0);
	}
}

static void any_one_packet_to_or_from_the_server_may_be_lost(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		uint64_t count = 1;

		for (uint64_t lost = 0; lost <= count; lost++) {
			struct relay_pair r;

			relay_pair_begin(&r, tcp, (const uint64_t[2]){ 3000000, 3000000 });
			r.lose_at = lost;
			pair_run(r.pair, PAIR_LONG_US);
			assert_both_connected(&r);
			assert_true(r.peers[0].connected_us - r.peers[0].go_us < 400000);
			if (lost == 0)
				count = r.count;
			pair_free(r.pair);
		}
		assert_in_range(count, 10, 80);
	}
}

/* Both sides together, answers included. */
static void it_stays_below_the_servers_rate(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct relay_pair r;

		relay_pair_begin(&r, tcp, (const uint64_t[2]){ 0, 3000000 });
		pair_run(r.pair, PAIR_LONG_US);
		assert_both_connected(&r);
		assert_in_range(r.peers[0].sent, 60, 3 * RENDEZVOUS_RELAY_RATE / 2);
		pair_free(r.pair);
	}
}

static void a_connection_that_breaks_is_named_as_the_reason(void **state)
{
	struct relay_pair r;
	struct strategy_result result;

	(void)state;
	relay_pair_begin(&r, true, b_silent);
	pair_run(r.pair, 1000000);
	struct actions out = { .count = 0 };
	(void)course_step(
		&r.peers[0], 1000000,
		&(struct event){ .kind = EVENT_CLOSED, .socket = COURSE_SOCKET_MAIN, .error = 104 },
		&out);
	for (uint64_t now_us = 1000000; r.peers[0].phase != COURSE_DONE; now_us += 50000) {
		out.count = out.used = 0;
		(void)course_step(&r.peers[0], now_us, &(struct event){ .kind = EVENT_TIMER },
				  &out);
		assert_true(now_us < PAIR_LONG_US);
	}
	relay_strategy.result(&r.peers[0], &result);
	assert_string_equal(result.reason, "the connection to the rendezvous broke");
	pair_free(r.pair);
}

/* ---- strangers */

/* To peer a, whose peer holds back. Returns how many packets it sends for it. */
static size_t say(struct relay_pair *r, struct endpoint from, const void *data, size_t len)
{
	struct actions out = { .count = 0 };
	size_t sent = 0;

	(void)course_step(&r->peers[PAIR_A], pair_now_us(r->pair),
			  &(struct event){ .kind = EVENT_DATAGRAM,
					   .socket = COURSE_SOCKET_MAIN,
					   .local = r->peers[PAIR_A].introduce.local,
					   .remote = from,
					   .data = data,
					   .len = len },
			  &out);
	for (size_t i = 0; i < out.count; i++) {
		assert_true(pair_is_server(out.items[i].remote));
		sent += out.items[i].kind == ACTION_UDP_SEND;
	}
	return sent;
}

static size_t relay_bytes(struct relay_pair *r, struct endpoint from, uint64_t ticket,
			  const void *data, size_t len)
{
	struct stun_id id = stun_id_make((const uint8_t[12]){ 1 });
	struct stun_writer w;

	stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
	stun_add_u64(&w, STUN_TICKET, ticket);
	stun_add(&w, STUN_DATA, data, len);
	return say(r, from, w.data, w.len);
}

static size_t relay_probe(struct relay_pair *r, struct endpoint from, uint64_t ticket,
			  struct probe probe)
{
	uint8_t data[PROBE_SIZE];

	probe_write(&probe, data);
	return relay_bytes(r, from, ticket, data, sizeof(data));
}

static void only_the_server_with_our_ticket_and_the_peers_probe_is_heard(void **state)
{
	struct endpoint server = pair_server(0, 0), stranger = { 0xc0000201, 3478 };
	struct relay_pair r;
	uint8_t direct[PROBE_SIZE];

	(void)state;
	relay_pair_begin(&r, false, b_silent);
	pair_run(r.pair, 1000000);
	struct course *a = &r.peers[PAIR_A];
	assert_int_equal(a->phase, COURSE_TRYING);
	uint64_t ticket = a->introduce.ticket;
	struct probe good = { PROBE_PROBE, a->handshake.tag, 7, 0 }, bad = good;

	assert_int_equal(relay_probe(&r, stranger, ticket, good), 0);
	assert_int_equal(relay_probe(&r, pair_server(1, 0), ticket, good), 0);
	assert_int_equal(relay_probe(&r, server, ticket ^ 1, good), 0);
	bad.tag ^= 1;
	assert_int_equal(relay_probe(&r, server, ticket, bad), 0);
	bad = (struct probe){ PROBE_PROBE, good.tag, PAIR_NONCE(PAIR_A), 0 };
	assert_int_equal(relay_probe(&r, server, ticket, bad), 0);
	for (size_t len = 1; len <= STUN_DATA_MAX; len++) {
		uint8_t garbage[STUN_DATA_MAX];

		memset(garbage, (int)len, sizeof(garbage));
		assert_int_equal(relay_bytes(&r, server, ticket, garbage, len), 0);
	}
	/* Directly, even from where the peer was seen. */
	probe_write(&good, direct);
	assert_int_equal(say(&r, stranger, direct, sizeof(direct)), 0);
	assert_int_equal(say(&r, a->introduce.peer[0], direct, sizeof(direct)), 0);
	assert_false(a->handshake.heard);

	/* A path that nobody has shown to work is not agreed on. */
	bad = (struct probe){ PROBE_NOMINATE_ACK, good.tag, 7, PAIR_NONCE(PAIR_A) };
	assert_int_equal(relay_probe(&r, server, ticket, bad), 0);
	bad.echo ^= 1;
	assert_int_equal(relay_probe(&r, server, ticket, bad), 0);
	assert_int_equal(a->handshake.state, HANDSHAKE_TRYING);

	assert_int_equal(relay_probe(&r, server, ticket, good), 1);
	assert_true(a->handshake.heard);
	pair_free(r.pair);
}

/* As much as is read at once, by a server that knows no rate. */
static void a_piece_full_of_messages_leaves_room_for_the_rest(void **state)
{
	struct relay_pair r;
	struct buf piece = BUF_INIT;
	uint8_t data[PROBE_SIZE];
	struct actions out = { .count = 0 };

	(void)state;
	relay_pair_begin(&r, true, b_silent);
	pair_run(r.pair, 1000000);
	struct course *a = &r.peers[PAIR_A];
	struct probe probe = { PROBE_PROBE, a->handshake.tag, 7, 0 };
	probe_write(&probe, data);
	for (int i = 0; i < 1000; i++) {
		struct stun_id id = stun_id_make((const uint8_t[12]){ 1 });
		struct stun_writer w;

		stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
		stun_add_u64(&w, STUN_TICKET, a->introduce.ticket);
		stun_add(&w, STUN_DATA, data, sizeof(data));
		buf_add(&piece, w.data, w.len);
	}
	(void)course_step(a, a->go_us + PAIR_GIVE_UP_US,
			  &(struct event){ .kind = EVENT_DATA,
					   .socket = COURSE_SOCKET_MAIN,
					   .data = (const uint8_t *)piece.data,
					   .len = piece.len },
			  &out);
	assert_int_equal(a->phase, COURSE_DONE);
	assert_true(out.count > 10);
	buf_fini(&piece);
	pair_free(r.pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_that_reaches_the_server_connects_by_it),
		cmocka_unit_test(any_one_packet_to_or_from_the_server_may_be_lost),
		cmocka_unit_test(it_stays_below_the_servers_rate),
		cmocka_unit_test(a_connection_that_breaks_is_named_as_the_reason),
		cmocka_unit_test(only_the_server_with_our_ticket_and_the_peers_probe_is_heard),
		cmocka_unit_test(a_piece_full_of_messages_leaves_room_for_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

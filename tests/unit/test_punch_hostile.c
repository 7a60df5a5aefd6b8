// SPDX-License-Identifier: GPL-2.0-or-later
/* What strangers can do to a peer that punches: nothing that matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/toy_pair.h"

#define STRANGER      0xc0000201u /* 192.0.2.1 */
#define NONCE         0x1122334455667788u
#define FIRST_STRANGE (SOCKET_ACCEPTED + 1000u)

/* Peer 'a' is trying; 'b' was introduced but never says a word. */
static struct toy_pair *lonely_pair(bool tcp)
{
	static const uint64_t late_us[2] = { 0, 3600000000 };
	struct toy_pair *p = toy_pair_new(1);

	toy_pair_start(p, tcp, late_us);
	toy_run(p->w, 60000);
	assert_int_equal(p->peers[0].phase, PUNCH_TRYING);
	return p;
}

static struct probe probe_of(const struct toy_pair *p, enum probe_type type, uint64_t echo)
{
	return (struct probe){ type, p->peers[0].handshake.tag, NONCE, echo };
}

/* Returns how many packets 'a' sent in answer. */
static size_t say(struct toy_pair *p, struct endpoint from, const void *data, size_t len)
{
	uint64_t before = p->w->hosts[TOY_A].sent;

	toy_step(p->w, TOY_A,
		 &(struct event){ .kind = EVENT_DATAGRAM,
				  .socket = PUNCH_SOCKET_MAIN,
				  .local = p->peers[0].introduce.local,
				  .remote = from,
				  .data = data,
				  .len = len });
	return p->w->hosts[TOY_A].sent - before;
}

static size_t say_probe(struct toy_pair *p, struct endpoint from, struct probe probe)
{
	uint8_t data[PROBE_SIZE];

	probe_write(&probe, data);
	return say(p, from, data, sizeof(data));
}

static void assert_failed(struct toy_pair *p)
{
	toy_run(p->w, 20000000);
	assert_true(p->w->hosts[TOY_A].done);
	assert_int_equal(p->w->hosts[TOY_A].status, 1);
	assert_true(p->peers[0].connected_us == 0);
	toy_pair_free(p);
}

static void garbage_over_udp_is_not_answered(void **state)
{
	struct toy_pair *p = lonely_pair(false);
	struct endpoint from = { STRANGER, 1 };
	uint8_t data[DATA_MAX];

	(void)state;
	for (size_t n = 0; n < 10000; n++) {
		size_t len = (size_t)prng_below(&p->w->prng, n % 2 == 0 ? DATA_MAX : 64);

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)prng_next(&p->w->prng);
		assert_int_equal(say(p, from, data, len), 0);
	}
	assert_int_equal(p->peers[0].paths_count, p->peers[0].candidates_count);
	assert_false(p->peers[0].handshake.heard);
	assert_failed(p);
}

static void ones_own_probe_turned_round_is_not_the_peers(void **state)
{
	struct toy_pair *p = lonely_pair(false);
	struct probe own = handshake_greeting(&p->peers[0].handshake);

	(void)state;
	assert_int_equal(say_probe(p, p->peers[0].introduce.peer[0], own), 0);
	own.echo = own.nonce;
	assert_int_equal(say_probe(p, p->peers[0].introduce.peer[0], own), 0);
	assert_false(p->peers[0].handshake.heard);
	assert_failed(p);
}

static void another_sessions_tag_is_not_answered(void **state)
{
	struct toy_pair *p = lonely_pair(false);
	struct probe other = probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A));

	(void)state;
	other.tag ^= 1;
	assert_int_equal(say_probe(p, p->peers[0].introduce.peer[0], other), 0);
	assert_failed(p);
}

/* Acknowledgements of nominations that were never made, goodbyes, and nonces made up. */
static void a_wrong_echo_convinces_nobody(void **state)
{
	static const enum probe_type types[] = { PROBE_NOMINATE, PROBE_NOMINATE_ACK, PROBE_BYE };
	struct toy_pair *p = lonely_pair(false);
	struct endpoint from = p->peers[0].introduce.peer[0];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(say_probe(p, from, probe_of(p, types[i], NONCE)), 0);
		assert_int_equal(say_probe(p, from, probe_of(p, types[i], TOY_NONCE(TOY_A))), 0);
	}
	/* A probe is answered, so that its sender may learn our nonce; nothing more. */
	assert_int_equal(say_probe(p, from, probe_of(p, PROBE_PROBE, NONCE)), 1);
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_TRYING);

	/* Nor once a path is nominated. */
	assert_int_equal(say_probe(p, from, probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A))), 1);
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_NOMINATED);
	assert_int_equal(say_probe(p, from, probe_of(p, PROBE_NOMINATE_ACK, NONCE)), 0);
	struct probe other = probe_of(p, PROBE_NOMINATE_ACK, TOY_NONCE(TOY_A));
	other.nonce ^= 1;
	assert_int_equal(say_probe(p, from, other), 0);
	other.nonce = NONCE;
	assert_int_equal(say_probe(p, (struct endpoint){ STRANGER, 1 }, other), 0);
	assert_failed(p);
}

static void ten_thousand_sources_get_an_answer_each_and_no_more(void **state)
{
	struct toy_pair *p = lonely_pair(false);
	size_t candidates = p->peers[0].candidates_count;

	(void)state;
	for (uint16_t i = 1; i <= 10000; i++)
		assert_int_equal(
			say_probe(p, (struct endpoint){ STRANGER, i }, probe_of(p, PROBE_PROBE, 0)),
			1);
	assert_int_equal(p->peers[0].paths_count, PUNCH_PATHS_MAX);
	assert_int_equal(p->peers[0].candidates_count, candidates);

	/* A round sends to the candidates, and to none of those. */
	uint64_t before = p->w->hosts[TOY_A].sent;
	toy_run(p->w, p->w->now_us + 10 * PUNCH_INTERVAL_US);
	assert_in_range(p->w->hosts[TOY_A].sent - before, 9 * candidates, 11 * candidates);

	/* And the peer still comes through from where nobody expected it. */
	struct endpoint peer = { STRANGER + 1, 7 };
	assert_int_equal(say_probe(p, peer, probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A))), 1);
	for (uint16_t i = 1; i <= 100; i++)
		(void)say_probe(p, (struct endpoint){ STRANGER, i }, probe_of(p, PROBE_PROBE, 0));
	assert_int_equal(say_probe(p, peer, probe_of(p, PROBE_NOMINATE_ACK, TOY_NONCE(TOY_A))), 1);
	assert_true(p->w->hosts[TOY_A].done);
	assert_int_equal(p->w->hosts[TOY_A].status, 0);
	assert_true(endpoint_equal(p->peers[0].remote, peer));
	toy_pair_free(p);
}

/* The path is silent after its nomination, another one is not. */
static void another_path_takes_the_place_of_a_silent_one(void **state)
{
	struct toy_pair *p = lonely_pair(false);
	struct endpoint first = { STRANGER, 1 }, second = { STRANGER, 2 };
	struct probe echo = probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A));

	(void)state;
	(void)say_probe(p, first, echo);
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_NOMINATED);
	uint64_t nominated_us = p->w->now_us;
	(void)say_probe(p, second, echo);
	assert_true(endpoint_equal(p->peers[0].paths[p->peers[0].handshake.path], first));

	for (int i = 0; i < 20 && p->peers[0].handshake.state == HANDSHAKE_NOMINATED; i++)
		toy_run(p->w, p->w->hosts[TOY_A].wake_us);
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_TRYING);
	assert_in_range(p->w->now_us - nominated_us, 300000, 400000);
	(void)say_probe(p, second, echo);
	assert_true(endpoint_equal(p->peers[0].paths[p->peers[0].handshake.path], second));
	(void)say_probe(p, second, probe_of(p, PROBE_NOMINATE_ACK, TOY_NONCE(TOY_A)));
	assert_int_equal(p->w->hosts[TOY_A].status, 0);
	assert_true(endpoint_equal(p->peers[0].remote, second));
	toy_pair_free(p);
}

/* ---- TCP */

static void accept_one(struct toy_pair *p, uint32_t n, struct endpoint from)
{
	struct toy_socket s = { .state = TOY_ESTABLISHED,
				.id = FIRST_STRANGE + n,
				.local = p->peers[0].introduce.local,
				.remote = from };

	(void)toy_socket_new(&p->w->hosts[TOY_A], s);
	toy_step(p->w, TOY_A,
		 &(struct event){ .kind = EVENT_ACCEPTED,
				  .socket = s.id,
				  .listener = PUNCH_SOCKET_LISTENER,
				  .local = s.local,
				  .remote = from });
}

static bool is_open(struct toy_pair *p, uint32_t n)
{
	return toy_socket_find(&p->w->hosts[TOY_A], FIRST_STRANGE + n) != NULL;
}

static void pour(struct toy_pair *p, uint32_t n, const void *data, size_t len)
{
	if (is_open(p, n))
		toy_step(p->w, TOY_A,
			 &(struct event){ .kind = EVENT_DATA,
					  .socket = FIRST_STRANGE + n,
					  .data = data,
					  .len = len });
}

static void pour_probe(struct toy_pair *p, uint32_t n, struct probe probe)
{
	uint8_t data[PROBE_SIZE];

	probe_write(&probe, data);
	pour(p, n, data, sizeof(data));
}

static void a_stream_of_garbage_is_reset(void **state)
{
	struct toy_pair *p = lonely_pair(true);
	uint8_t data[2048];

	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		accept_one(p, n, (struct endpoint){ STRANGER, (uint16_t)(n + 1) });
		assert_true(is_open(p, n));
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)prng_next(&p->w->prng);
		pour(p, n, data, PROBE_SIZE + n);
		assert_false(is_open(p, n));
	}
	assert_failed(p);
}

static void a_flood_of_messages_in_one_piece_is_reset(void **state)
{
	struct toy_pair *p = lonely_pair(true);
	struct probe probe = probe_of(p, PROBE_PROBE, 0);
	uint8_t data[64 * PROBE_SIZE];

	(void)state;
	for (size_t i = 0; i < 64; i++)
		probe_write(&probe, data + i * PROBE_SIZE);
	for (size_t count = 1; count <= 64; count++) {
		accept_one(p, (uint32_t)count, (struct endpoint){ STRANGER, (uint16_t)count });
		uint64_t before = p->w->hosts[TOY_A].sent;
		pour(p, (uint32_t)count, data, count * PROBE_SIZE);
		assert_true(p->w->hosts[TOY_A].sent - before <= count);
		assert_true(is_open(p, (uint32_t)count) == (count <= 9));
	}
	assert_failed(p);
}

/* The worst for the room that a step has: a flood, then what ends it all in the same piece. */
static void a_flood_with_the_end_in_it_harms_nobody(void **state)
{
	(void)state;
	for (size_t before = 0; before < 48; before++) {
		struct toy_pair *p = lonely_pair(true);
		struct probe probe = probe_of(p, PROBE_PROBE, 0);
		uint8_t data[64 * PROBE_SIZE];

		for (uint32_t n = 0; n < 2 * PUNCH_PATHS_MAX; n++)
			accept_one(p, n, (struct endpoint){ STRANGER, (uint16_t)(n + 1) });
		for (size_t i = 0; i < before; i++)
			probe_write(&probe, data + i * PROBE_SIZE);
		probe.echo = TOY_NONCE(TOY_A);
		probe_write(&probe, data + before * PROBE_SIZE);
		probe.type = PROBE_NOMINATE_ACK;
		probe_write(&probe, data + (before + 1) * PROBE_SIZE);
		pour(p, 2 * PUNCH_PATHS_MAX - 1, data, (before + 2) * PROBE_SIZE);
		assert_true(p->w->hosts[TOY_A].done == (before + 2 <= 9));
		toy_pair_free(p);
	}
}

static void half_a_message_is_waited_for_and_kept_bounded(void **state)
{
	struct toy_pair *p = lonely_pair(true);
	struct probe probe = probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A));
	uint8_t data[PROBE_SIZE];

	(void)state;
	probe_write(&probe, data);
	accept_one(p, 0, (struct endpoint){ STRANGER, 1 });
	for (size_t i = 0; i + 1 < PROBE_SIZE; i++)
		pour(p, 0, data + i, 1);
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_TRYING);
	pour(p, 0, data + PROBE_SIZE - 1, 1);
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_NOMINATED);
	toy_pair_free(p);
}

static void silent_connections_give_way_to_one_that_speaks(void **state)
{
	struct toy_pair *p = lonely_pair(true);
	unsigned open = 0;

	(void)state;
	accept_one(p, 0, (struct endpoint){ STRANGER + 1, 1 });
	pour_probe(p, 0, probe_of(p, PROBE_PROBE, 0));
	for (uint32_t n = 1; n <= 100; n++)
		accept_one(p, n, (struct endpoint){ STRANGER, (uint16_t)n });
	for (uint32_t n = 0; n <= 100; n++)
		open += is_open(p, n);
	assert_in_range(open, 2, PUNCH_PATHS_MAX);
	assert_true(is_open(p, 0));
	assert_true(is_open(p, 100));
	pour_probe(p, 100, probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A)));
	pour_probe(p, 100, probe_of(p, PROBE_NOMINATE_ACK, TOY_NONCE(TOY_A)));
	assert_true(p->w->hosts[TOY_A].done);
	assert_int_equal(p->w->hosts[TOY_A].status, 0);
	toy_pair_free(p);
}

/* The kernel would refuse a second connection between the same endpoints. */
static void nothing_is_begun_towards_where_a_connection_came_from(void **state)
{
	(void)state;
	for (int accepted = 0; accepted < 2; accepted++) {
		struct toy_pair *p = lonely_pair(true);
		uint64_t retry_us = p->peers[0].attempts[0].retry_us;

		p->w->loss = 1; /* no reset ends it */
		if (accepted == 1)
			accept_one(p, 0, p->peers[0].introduce.peer[0]);
		toy_run(p->w, p->w->now_us + 250000);
		assert_true((p->peers[0].attempts[0].retry_us == retry_us) == (accepted == 1));
		toy_pair_free(p);
	}
}

/* As where only this side believes that it is connected. */
static void a_connection_that_stays_silent_is_begun_afresh(void **state)
{
	struct toy_pair *p = lonely_pair(true);

	(void)state;
	p->w->loss = 1;
	toy_run(p->w, p->w->hosts[TOY_A].wake_us);
	struct toy_socket *s = toy_socket_find(&p->w->hosts[TOY_A], PUNCH_SOCKET_CONNECT);
	assert_non_null(s);
	s->state = TOY_ESTABLISHED;
	uint64_t isn = s->isn;
	toy_step(p->w, TOY_A,
		 &(struct event){ .kind = EVENT_CONNECTED, .socket = s->id, .remote = s->remote });
	toy_run(p->w, p->w->now_us + 290000);
	s = toy_socket_find(&p->w->hosts[TOY_A], PUNCH_SOCKET_CONNECT);
	assert_true(s != NULL && s->isn == isn);
	toy_run(p->w, p->w->now_us + 110000);
	s = toy_socket_find(&p->w->hosts[TOY_A], PUNCH_SOCKET_CONNECT);
	assert_true(s != NULL && s->isn != isn && s->state == TOY_SYN_SENT);
	toy_pair_free(p);
}

/* The same, but the peer had begun it: it must not keep this side from beginning one. */
static void an_accepted_connection_that_stays_silent_is_begun_afresh(void **state)
{
	struct toy_pair *p = lonely_pair(true);
	struct toy_host *a = &p->w->hosts[TOY_A];

	(void)state;
	p->w->loss = 1;
	toy_run(p->w, a->wake_us);
	struct toy_socket *s = toy_socket_find(a, PUNCH_SOCKET_CONNECT);
	assert_non_null(s);
	struct endpoint remote = s->remote;
	s->state = TOY_FREE;
	toy_step(p->w, TOY_A,
		 &(struct event){ .kind = EVENT_CLOSED,
				  .socket = PUNCH_SOCKET_CONNECT,
				  .error = ECONNREFUSED });
	s = toy_socket_new(a, (struct toy_socket){ .state = TOY_ESTABLISHED,
						   .id = a->next_accepted++,
						   .local = p->peers[0].introduce.local,
						   .remote = remote });
	toy_step(p->w, TOY_A,
		 &(struct event){ .kind = EVENT_ACCEPTED,
				  .socket = s->id,
				  .listener = PUNCH_SOCKET_LISTENER,
				  .remote = remote });
	toy_run(p->w, p->w->now_us + 290000);
	assert_null(toy_socket_find(a, PUNCH_SOCKET_CONNECT));
	toy_run(p->w, p->w->now_us + 110000);
	assert_non_null(toy_socket_find(a, PUNCH_SOCKET_CONNECT));
	assert_null(toy_socket_find(a, SOCKET_ACCEPTED));
	toy_pair_free(p);
}

/* Both answered long ago; then the nominated one breaks. */
static void a_nominated_connection_that_breaks_is_replaced_by_the_other(void **state)
{
	struct toy_pair *p = lonely_pair(true);
	struct probe echo = probe_of(p, PROBE_PROBE, TOY_NONCE(TOY_A));

	(void)state;
	for (uint32_t n = 0; n < 2; n++) {
		accept_one(p, n, (struct endpoint){ STRANGER, (uint16_t)(n + 1) });
		pour_probe(p, n, echo);
	}
	assert_int_equal(p->peers[0].handshake.path, FIRST_STRANGE);
	toy_socket_find(&p->w->hosts[TOY_A], FIRST_STRANGE)->state = TOY_FREE;
	toy_step(p->w, TOY_A,
		 &(struct event){
			 .kind = EVENT_CLOSED, .socket = FIRST_STRANGE, .error = ECONNRESET });
	assert_int_equal(p->peers[0].handshake.state, HANDSHAKE_TRYING);

	/* It asks the other one again. */
	bool asked = false;
	toy_run(p->w, p->w->hosts[TOY_A].wake_us);
	for (size_t i = 0; i < p->w->out.count; i++)
		asked |= p->w->out.items[i].kind == ACTION_TCP_SEND &&
			 p->w->out.items[i].socket == FIRST_STRANGE + 1;
	assert_true(asked);
	pour_probe(p, 1, echo);
	assert_int_equal(p->peers[0].handshake.path, FIRST_STRANGE + 1);
	/* The acknowledgement of the broken one no longer counts. */
	pour_probe(p, 1, probe_of(p, PROBE_NOMINATE_ACK, TOY_NONCE(TOY_A)));
	assert_int_equal(p->w->hosts[TOY_A].status, 0);
	assert_int_equal(p->peers[0].remote.port, 2);
	toy_pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage_over_udp_is_not_answered),
		cmocka_unit_test(ones_own_probe_turned_round_is_not_the_peers),
		cmocka_unit_test(another_sessions_tag_is_not_answered),
		cmocka_unit_test(a_wrong_echo_convinces_nobody),
		cmocka_unit_test(ten_thousand_sources_get_an_answer_each_and_no_more),
		cmocka_unit_test(another_path_takes_the_place_of_a_silent_one),
		cmocka_unit_test(a_stream_of_garbage_is_reset),
		cmocka_unit_test(a_flood_of_messages_in_one_piece_is_reset),
		cmocka_unit_test(a_flood_with_the_end_in_it_harms_nobody),
		cmocka_unit_test(half_a_message_is_waited_for_and_kept_bounded),
		cmocka_unit_test(silent_connections_give_way_to_one_that_speaks),
		cmocka_unit_test(nothing_is_begun_towards_where_a_connection_came_from),
		cmocka_unit_test(a_connection_that_stays_silent_is_begun_afresh),
		cmocka_unit_test(an_accepted_connection_that_stays_silent_is_begun_afresh),
		cmocka_unit_test(a_nominated_connection_that_breaks_is_replaced_by_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

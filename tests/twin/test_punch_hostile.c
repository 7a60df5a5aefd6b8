// SPDX-License-Identifier: GPL-2.0-or-later
/* What strangers can do to a peer that punches: nothing that matters. */
#include <string.h>

#include "tests/twin_stranger.h"

#define NONCE         0x1122334455667788u
#define STRANGERS_MAX 256u

/* Peer 'a' is trying; 'b' was introduced but never says a word. Both are directly on the Internet,
 * where packets take no time. */
struct lonely {
	struct twin_pair *pair;
	struct punch *a;
	struct pair_host *host;
	struct stranger b; /* in b's name: hears what b would have heard, if that one is silent */
	bool b_is_silent;
	struct stranger strangers[STRANGERS_MAX];
	size_t count;
};

/* Nothing gets through to strangers: they are not there. */
static bool hear(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	struct lonely *l = arg;

	(void)now_us;
	if (!pair_is_between_peers(p))
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (stranger_is_meant(&l->strangers[i], p))
			stranger_take(&l->strangers[i], p);
	if (l->b_is_silent && stranger_is_meant(&l->b, p))
		stranger_take(&l->b, p);
	return l->b_is_silent || p->to.addr == STRANGER || p->to.addr == STRANGER + 1;
}

static struct lonely *lonely_new(bool tcp)
{
	static const uint64_t late_us[2] = { 0, 3600000000 };
	struct lonely *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->pair = pair_new(&(struct pair_config){ .seed = 1 });
	l->pair->lose = hear;
	l->pair->lose_arg = l;
	l->a = &l->pair->peers[PAIR_A];
	l->host = &l->pair->hosts[PAIR_A];
	pair_start(l->pair, tcp, late_us);
	pair_run(l->pair, 60000);
	assert_int_equal(l->a->course.phase, COURSE_TRYING);
	l->b = stranger_of(l->pair, PAIR_A, l->a->course.introduce.peer[0],
			   l->a->course.introduce.local);
	return l;
}

static void lonely_free(struct lonely *l)
{
	pair_free(l->pair);
	free(l);
}

/* From now on neither b nor b's host says anything. */
static void silence_b(struct lonely *l)
{
	l->b_is_silent = true;
}

static struct probe probe_of(const struct lonely *l, enum probe_type type, uint64_t echo)
{
	return (struct probe){ type, l->a->course.handshake.tag, NONCE, echo };
}

/* Returns how many packets 'a' sent in answer. */
static size_t say(struct lonely *l, struct endpoint from, const void *data, size_t len)
{
	uint64_t before = l->host->sent;
	struct twin_packet p = { .protocol = TWIN_UDP,
				 .ttl = TWIN_TTL,
				 .from = from,
				 .to = l->a->course.introduce.local,
				 .len = (uint16_t)len };

	memcpy(p.data, data, len);
	pair_inject(l->pair, PAIR_A, &p);
	return l->host->sent - before;
}

static size_t say_probe(struct lonely *l, struct endpoint from, struct probe probe)
{
	uint8_t data[PROBE_SIZE];

	probe_write(&probe, data);
	return say(l, from, data, sizeof(data));
}

static void assert_failed(struct lonely *l)
{
	pair_run(l->pair, 20000000);
	assert_int_equal(pair_status(l->pair, PAIR_A), 1);
	assert_true(l->a->course.connected_us == 0);
	lonely_free(l);
}

static void assert_connected(const struct lonely *l)
{
	assert_int_equal(pair_status(l->pair, PAIR_A), 0);
}

static void garbage_over_udp_is_not_answered(void **state)
{
	struct lonely *l = lonely_new(false);
	struct endpoint from = { STRANGER, 1 };
	uint8_t data[DATA_MAX];

	(void)state;
	for (size_t n = 0; n < 10000; n++) {
		size_t len = (size_t)prng_below(&l->pair->prng, n % 2 == 0 ? DATA_MAX : 64);

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)prng_next(&l->pair->prng);
		assert_int_equal(say(l, from, data, len), 0);
	}
	assert_int_equal(l->a->paths_count, l->a->candidates_count);
	assert_false(l->a->course.handshake.heard);
	assert_failed(l);
}

static void ones_own_probe_turned_round_is_not_the_peers(void **state)
{
	struct lonely *l = lonely_new(false);
	struct probe own = handshake_greeting(&l->a->course.handshake);

	(void)state;
	assert_int_equal(say_probe(l, l->a->course.introduce.peer[0], own), 0);
	own.echo = own.nonce;
	assert_int_equal(say_probe(l, l->a->course.introduce.peer[0], own), 0);
	assert_false(l->a->course.handshake.heard);
	assert_failed(l);
}

static void another_sessions_tag_is_not_answered(void **state)
{
	struct lonely *l = lonely_new(false);
	struct probe other = probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A));

	(void)state;
	other.tag ^= 1;
	assert_int_equal(say_probe(l, l->a->course.introduce.peer[0], other), 0);
	assert_failed(l);
}

/* Acknowledgements of nominations that were never made, goodbyes, and nonces made up. */
static void a_wrong_echo_convinces_nobody(void **state)
{
	static const enum probe_type types[] = { PROBE_NOMINATE, PROBE_NOMINATE_ACK, PROBE_BYE };
	struct lonely *l = lonely_new(false);
	struct endpoint from = l->a->course.introduce.peer[0];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(say_probe(l, from, probe_of(l, types[i], NONCE)), 0);
		assert_int_equal(say_probe(l, from, probe_of(l, types[i], PAIR_NONCE(PAIR_A))), 0);
	}
	/* A probe is answered, so that its sender may learn our nonce; nothing more. */
	assert_int_equal(say_probe(l, from, probe_of(l, PROBE_PROBE, NONCE)), 1);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_TRYING);

	/* Nor once a path is nominated. */
	assert_int_equal(say_probe(l, from, probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A))), 1);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_NOMINATED);
	assert_int_equal(say_probe(l, from, probe_of(l, PROBE_NOMINATE_ACK, NONCE)), 0);
	struct probe other = probe_of(l, PROBE_NOMINATE_ACK, PAIR_NONCE(PAIR_A));
	other.nonce ^= 1;
	assert_int_equal(say_probe(l, from, other), 0);
	other.nonce = NONCE;
	assert_int_equal(say_probe(l, (struct endpoint){ STRANGER, 1 }, other), 0);
	assert_failed(l);
}

static void ten_thousand_sources_get_an_answer_each_and_no_more(void **state)
{
	struct lonely *l = lonely_new(false);
	size_t candidates = l->a->candidates_count;

	(void)state;
	for (uint16_t i = 1; i <= 10000; i++)
		assert_int_equal(
			say_probe(l, (struct endpoint){ STRANGER, i }, probe_of(l, PROBE_PROBE, 0)),
			1);
	assert_int_equal(l->a->paths_count, PUNCH_PATHS_MAX);
	assert_int_equal(l->a->candidates_count, candidates);

	/* A round sends to the candidates, and to none of those. */
	uint64_t before = l->host->sent;
	pair_run(l->pair, pair_now_us(l->pair) + 10 * COURSE_INTERVAL_US);
	assert_in_range(l->host->sent - before, 9 * candidates, 11 * candidates);

	/* And the peer still comes through from where nobody expected it. */
	struct endpoint peer = { STRANGER + 1, 7 };
	assert_int_equal(say_probe(l, peer, probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A))), 1);
	for (uint16_t i = 1; i <= 100; i++)
		(void)say_probe(l, (struct endpoint){ STRANGER, i }, probe_of(l, PROBE_PROBE, 0));
	assert_int_equal(say_probe(l, peer, probe_of(l, PROBE_NOMINATE_ACK, PAIR_NONCE(PAIR_A))),
			 1);
	assert_connected(l);
	assert_true(endpoint_equal(l->a->course.remote, peer));
	lonely_free(l);
}

/* The path is silent after its nomination, another one is not. */
static void another_path_takes_the_place_of_a_silent_one(void **state)
{
	struct lonely *l = lonely_new(false);
	struct endpoint first = { STRANGER, 1 }, second = { STRANGER, 2 };
	struct probe echo = probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A));

	(void)state;
	(void)say_probe(l, first, echo);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_NOMINATED);
	uint64_t nominated_us = pair_now_us(l->pair);
	(void)say_probe(l, second, echo);
	assert_true(endpoint_equal(l->a->paths[l->a->course.handshake.path], first));

	for (int i = 0; i < 20 && l->a->course.handshake.state == HANDSHAKE_NOMINATED; i++)
		pair_run_to_timer(l->pair, PAIR_A);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_TRYING);
	assert_in_range(pair_now_us(l->pair) - nominated_us, 300000, 400000);
	(void)say_probe(l, second, echo);
	assert_true(endpoint_equal(l->a->paths[l->a->course.handshake.path], second));
	(void)say_probe(l, second, probe_of(l, PROBE_NOMINATE_ACK, PAIR_NONCE(PAIR_A)));
	assert_connected(l);
	assert_true(endpoint_equal(l->a->course.remote, second));
	lonely_free(l);
}

/* ---- TCP */

static struct stranger *connect_one(struct lonely *l, struct endpoint from)
{
	assert_true(l->count < STRANGERS_MAX);
	struct stranger *s = &l->strangers[l->count++];

	*s = stranger_of(l->pair, PAIR_A, from, l->a->course.introduce.local);
	stranger_connect(s);
	return s;
}

/* The sockets that were accepted have numbers in turn. */
static uint32_t number_of(const struct lonely *l, const struct stranger *s)
{
	return SOCKET_ACCEPTED + (uint32_t)(s - l->strangers);
}

static void say_probe_to(struct stranger *s, struct probe probe)
{
	uint8_t data[PROBE_SIZE];

	probe_write(&probe, data);
	stranger_say(s, data, sizeof(data));
}

static void a_stream_of_garbage_is_reset(void **state)
{
	struct lonely *l = lonely_new(true);
	uint8_t data[DATA_MAX];

	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		struct stranger *s =
			connect_one(l, (struct endpoint){ STRANGER, (uint16_t)(n + 1) });

		assert_true(s->open);
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)prng_next(&l->pair->prng);
		stranger_say(s, data, PROBE_SIZE + n);
		assert_false(s->open);
	}
	assert_failed(l);
}

/* A packet of the twin carries up to 32 of them. */
static void a_flood_of_messages_in_one_piece_is_reset(void **state)
{
	struct lonely *l = lonely_new(true);
	struct probe probe = probe_of(l, PROBE_PROBE, 0);
	uint8_t data[DATA_MAX];

	(void)state;
	for (size_t i = 0; i < DATA_MAX / PROBE_SIZE; i++)
		probe_write(&probe, data + i * PROBE_SIZE);
	for (size_t count = 1; count <= DATA_MAX / PROBE_SIZE; count++) {
		struct stranger *s = connect_one(l, (struct endpoint){ STRANGER, (uint16_t)count });
		uint64_t before = l->host->sent;

		stranger_say(s, data, count * PROBE_SIZE);
		assert_true(l->host->sent - before <= count);
		assert_true(s->open == (count <= 9));
	}
	assert_failed(l);
}

/* The worst for the room that a step has: a flood, then what ends it all in the same piece. */
static void a_flood_with_the_end_in_it_harms_nobody(void **state)
{
	(void)state;
	for (size_t before = 0; before + 2 <= DATA_MAX / PROBE_SIZE; before++) {
		struct lonely *l = lonely_new(true);
		struct probe probe = probe_of(l, PROBE_PROBE, 0);
		struct stranger *last = NULL;
		uint8_t data[DATA_MAX];

		for (uint32_t n = 1; n <= 2 * PUNCH_PATHS_MAX; n++)
			last = connect_one(l, (struct endpoint){ STRANGER, (uint16_t)n });
		for (size_t i = 0; i < before; i++)
			probe_write(&probe, data + i * PROBE_SIZE);
		probe.echo = PAIR_NONCE(PAIR_A);
		probe_write(&probe, data + before * PROBE_SIZE);
		probe.type = PROBE_NOMINATE_ACK;
		probe_write(&probe, data + (before + 1) * PROBE_SIZE);
		stranger_say(last, data, (before + 2) * PROBE_SIZE);
		assert_true(pair_is_done(l->pair, PAIR_A) == (before + 2 <= 9));
		lonely_free(l);
	}
}

static void half_a_message_is_waited_for_and_kept_bounded(void **state)
{
	struct lonely *l = lonely_new(true);
	struct probe probe = probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A));
	uint8_t data[PROBE_SIZE];

	(void)state;
	probe_write(&probe, data);
	struct stranger *s = connect_one(l, (struct endpoint){ STRANGER, 1 });
	for (size_t i = 0; i + 1 < PROBE_SIZE; i++)
		stranger_say(s, data + i, 1);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_TRYING);
	stranger_say(s, data + PROBE_SIZE - 1, 1);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_NOMINATED);
	lonely_free(l);
}

static void silent_connections_give_way_to_one_that_speaks(void **state)
{
	struct lonely *l = lonely_new(true);
	struct stranger *last = NULL;
	unsigned open = 0;

	(void)state;
	struct stranger *first = connect_one(l, (struct endpoint){ STRANGER + 1, 1 });
	say_probe_to(first, probe_of(l, PROBE_PROBE, 0));
	for (uint16_t n = 1; n <= 100; n++)
		last = connect_one(l, (struct endpoint){ STRANGER, (uint16_t)n });
	for (size_t i = 0; i < l->count; i++)
		open += l->strangers[i].open;
	assert_in_range(open, 2, PUNCH_PATHS_MAX);
	assert_true(first->open && last->open);
	say_probe_to(last, probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A)));
	say_probe_to(last, probe_of(l, PROBE_NOMINATE_ACK, PAIR_NONCE(PAIR_A)));
	assert_connected(l);
	lonely_free(l);
}

/* The kernel would refuse a second connection between the same endpoints. */
static void nothing_is_begun_towards_where_a_connection_came_from(void **state)
{
	(void)state;
	for (int accepted = 0; accepted < 2; accepted++) {
		struct lonely *l = lonely_new(true);

		/* b's host has refused the first attempt. */
		assert_false(l->a->attempts[0].open);
		silence_b(l);
		if (accepted == 1)
			stranger_connect(&l->b);
		unsigned syns = l->b.syns;
		pair_run(l->pair, pair_now_us(l->pair) + 250000);
		assert_true((l->b.syns == syns) == (accepted == 1));
		lonely_free(l);
	}
}

/* As where only this side believes that it is connected. */
static void a_connection_that_stays_silent_is_begun_afresh(void **state)
{
	struct lonely *l = lonely_new(true);

	(void)state;
	silence_b(l);
	pair_run_to_timer(l->pair, PAIR_A);
	assert_int_equal(l->b.syns, 1);
	stranger_accept(&l->b);
	pair_run(l->pair, pair_now_us(l->pair) + 290000);
	assert_true(l->b.open && l->b.syns == 1);
	pair_run(l->pair, pair_now_us(l->pair) + 110000);
	assert_true(!l->b.open && l->b.syns == 2);
	lonely_free(l);
}

/* The same, but the peer had begun it: it must not keep this side from beginning one. */
static void an_accepted_connection_that_stays_silent_is_begun_afresh(void **state)
{
	struct lonely *l = lonely_new(true);

	(void)state;
	silence_b(l);
	pair_run_to_timer(l->pair, PAIR_A);
	assert_int_equal(l->b.syns, 1);
	stranger_reset(&l->b);
	stranger_connect(&l->b);
	assert_true(l->b.open && l->b.syns == 2);
	pair_run(l->pair, pair_now_us(l->pair) + 290000);
	assert_true(l->b.open && l->b.syns == 2);
	pair_run(l->pair, pair_now_us(l->pair) + 110000);
	assert_true(!l->b.open && l->b.syns == 3);
	lonely_free(l);
}

/* Both answered long ago; then the nominated one breaks. */
static void a_nominated_connection_that_breaks_is_replaced_by_the_other(void **state)
{
	struct lonely *l = lonely_new(true);
	struct probe echo = probe_of(l, PROBE_PROBE, PAIR_NONCE(PAIR_A));

	(void)state;
	struct stranger *first = connect_one(l, (struct endpoint){ STRANGER, 1 });
	say_probe_to(first, echo);
	struct stranger *second = connect_one(l, (struct endpoint){ STRANGER, 2 });
	say_probe_to(second, echo);
	assert_int_equal(l->a->course.handshake.path, number_of(l, first));
	stranger_reset(first);
	assert_int_equal(l->a->course.handshake.state, HANDSHAKE_TRYING);

	/* It asks the other one again. */
	size_t bytes = second->bytes;
	pair_run(l->pair, pair_now_us(l->pair) + 110000);
	assert_int_equal(second->bytes, bytes + PROBE_SIZE);
	say_probe_to(second, echo);
	assert_int_equal(l->a->course.handshake.path, number_of(l, second));
	/* The acknowledgement of the broken one no longer counts. */
	say_probe_to(second, probe_of(l, PROBE_NOMINATE_ACK, PAIR_NONCE(PAIR_A)));
	assert_connected(l);
	assert_int_equal(l->a->course.remote.port, 2);
	lonely_free(l);
}

/* It has the peer's ticket, and asks in one piece for as many answers as fit into it, at the very
 * moment at which the peer closes everything. */
static void a_rendezvous_that_asks_too_much_gets_few_answers(void **state)
{
	struct twin_pair *p = pair_new(
		&(struct pair_config){ .seed = 1,
				       .nats = { NAT(APD, APD, "random"), NAT(APD, APD, "random") },
				       .delays_us = { 5000, 5000, 5000 } });
	struct course *a = &p->peers[0].course;
	struct actions out = { .count = 0 };
	struct buf piece = BUF_INIT;

	(void)state;
	pair_start(p, true, (const uint64_t[2]){ 0, 3600000000u });
	pair_run(p, 1000000);
	while (piece.len + 100 <= 2048) {
		struct stun_id id = stun_id_make((const uint8_t[12]){ 1 });
		struct stun_writer w;

		stun_begin(&w, STUN_INDICATION, STUN_INTRODUCE, &id);
		stun_add(&w, STUN_SESSION, a->config.session, a->config.session_len);
		stun_add_u64(&w, STUN_TICKET, a->introduce.ticket);
		stun_add(&w, STUN_CONFIRM, "", 0);
		buf_add(&piece, w.data, w.len);
	}
	(void)course_step(a, a->go_us + PAIR_GIVE_UP_US,
			  &(struct event){ .kind = EVENT_DATA,
					   .socket = COURSE_SOCKET_MAIN,
					   .data = (const uint8_t *)piece.data,
					   .len = piece.len },
			  &out);
	assert_in_range(out.count, 1, 16);
	buf_fini(&piece);
	pair_free(p);
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
		cmocka_unit_test(a_rendezvous_that_asks_too_much_gets_few_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

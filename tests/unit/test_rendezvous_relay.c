// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rendezvous tells and passes on between two peers, and what strangers get of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/bytes.h"
#include "peers/core/rendezvous.h"

#define CONN_A (SOCKET_ACCEPTED + 1)
#define CONN_B (SOCKET_ACCEPTED + 2)
#define CONN_C (SOCKET_ACCEPTED + 3)

static const struct endpoint alice = { 0xc6336401, 40001 }; /* 198.51.100.1 */
static const struct endpoint bob = { 0xc6336402, 40002 };
static const struct endpoint carol = { 0xc6336403, 40003 };
static const uint8_t transaction[] = "transaction!";

struct fixture {
	struct rendezvous r;
	struct actions out;
	uint64_t now_us;
	bool tcp;
};

/* Where a message comes from, or goes to. */
struct place {
	uint32_t socket;
	struct endpoint at;
};

static void step(struct fixture *f, const struct event *event)
{
	f->out.count = f->out.used = 0;
	(void)rendezvous_step(&f->r, f->now_us, event, &f->out);
}

static void start(struct fixture *f, bool tcp)
{
	const struct endpoint who[] = { alice, bob, carol };

	rendezvous_init(&f->r, &(struct rendezvous_config){
				       { 0xcb007101, 0xcb007102 }, { 3478, 3479 }, 1 });
	f->now_us = 7;
	f->tcp = tcp;
	for (uint32_t i = 0; tcp && i < 3; i++)
		step(f, &(struct event){ .kind = EVENT_ACCEPTED,
					 .socket = CONN_A + i,
					 .listener = RENDEZVOUS_LISTENER,
					 .remote = who[i] });
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	assert_non_null(*state);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct place place_of(const struct fixture *f, char role)
{
	if (f->tcp)
		return (struct place){ role == 'a'   ? CONN_A
				       : role == 'b' ? CONN_B
						     : CONN_C,
				       { 0, 0 } };
	return (struct place){ role == 'c', role == 'a' ? alice : role == 'b' ? bob : carol };
}

static void send_from(struct fixture *f, struct place from, const struct stun_writer *w)
{
	step(f, &(struct event){ .kind = from.socket < 4 ? EVENT_DATAGRAM : EVENT_DATA,
				 .socket = from.socket,
				 .remote = from.at,
				 .data = w->data,
				 .len = w->len });
}

/* Action number i is a message to there. */
static struct stun_message sent(const struct fixture *f, size_t i, struct place to)
{
	struct stun_message m;

	assert_in_range(i, 0, f->out.count - 1);
	const struct action *a = &f->out.items[i];
	assert_int_equal(a->kind, to.socket < 4 ? ACTION_UDP_SEND : ACTION_TCP_SEND);
	assert_int_equal(a->socket, to.socket);
	assert_true(to.socket >= 4 || endpoint_equal(a->remote, to.at));
	assert_true(stun_read(f->out.bytes + a->at, a->len, &m));
	return m;
}

static void begin(struct stun_writer *w, const char *session, char role)
{
	struct stun_id id = stun_id_make(transaction);

	stun_begin(w, STUN_REQUEST, STUN_INTRODUCE, &id);
	stun_add(w, STUN_SESSION, session, strlen(session));
	stun_add(w, STUN_ROLE, &role, 1);
}

static void add_note(struct stun_writer *w, const char *note)
{
	uint8_t value[STUN_NOTE_SIZE] = { 0 };

	value[0] = (uint8_t)strlen(note);
	memcpy(value + 1, note, strlen(note));
	stun_add(w, STUN_NOTE, value, sizeof(value));
}

/* Registers, with a note unless it is NULL; returns the ticket. */
static uint64_t join(struct fixture *f, struct place from, char role, const char *note)
{
	struct stun_writer w;
	uint64_t ticket;

	begin(&w, "s", role);
	if (note != NULL)
		add_note(&w, note);
	send_from(f, from, &w);
	struct stun_message m = sent(f, 0, from);
	assert_int_equal(m.class, STUN_SUCCESS);
	assert_true(stun_get_u64(&m, STUN_TICKET, &ticket));
	return ticket;
}

static void assert_note(const struct stun_message *m, const char *wanted)
{
	const uint8_t *note;
	size_t len;

	assert_int_equal(stun_get(m, STUN_PEER_NOTE, &note, &len), wanted != NULL);
	if (wanted == NULL)
		return;
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(note, wanted, len);
}

static uint32_t change(const struct stun_message *m)
{
	uint32_t number = 0;

	assert_true(stun_get_u32(m, STUN_PEER_CHANGE, &number));
	return number;
}

/* ---- notes */

static void notes_are_passed_on_and_a_new_one_is_told(struct fixture *f, bool tcp)
{
	start(f, tcp);
	struct place a = place_of(f, 'a'), b = place_of(f, 'b');

	(void)join(f, a, 'a', "one");
	(void)join(f, b, 'b', "two");
	assert_int_equal(f->out.count, 2);
	struct stun_message m = sent(f, 0, b);
	assert_note(&m, "one");
	m = sent(f, 1, a);
	assert_int_equal(m.class, STUN_INDICATION);
	assert_note(&m, "two");
	assert_int_equal(change(&m), 1);

	(void)join(f, b, 'b', "two again");
	assert_int_equal(f->out.count, 2);
	m = sent(f, 1, a);
	assert_note(&m, "two again");
	assert_int_equal(change(&m), 2);
	(void)join(f, b, 'b', "two again");
	assert_int_equal(f->out.count, 1);
	(void)join(f, b, 'b', "");
	m = sent(f, 1, a);
	assert_note(&m, "");
}

static void notes_are_passed_on_over_udp(void **state)
{
	notes_are_passed_on_and_a_new_one_is_told(*state, false);
}

static void notes_are_passed_on_over_tcp(void **state)
{
	notes_are_passed_on_and_a_new_one_is_told(*state, true);
}

static void who_sends_no_note_is_told_none(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	struct place a = place_of(f, 'a'), b = place_of(f, 'b');
	(void)join(f, a, 'a', NULL);
	(void)join(f, b, 'b', "a long note for a forged address");
	struct stun_message m = sent(f, 1, a);
	assert_note(&m, NULL);
	(void)join(f, a, 'a', NULL);
	m = sent(f, 0, a);
	assert_note(&m, NULL);
	(void)join(f, a, 'a', "");
	m = sent(f, 0, a);
	assert_note(&m, "a long note for a forged address");
}

static void notes_of_wrong_lengths_are_refused(void **state)
{
	static const size_t lens[] = {
		0, 1, STUN_NOTE_MAX, STUN_NOTE_SIZE + 1, 300, STUN_NOTE_SIZE
	};
	struct fixture *f = *state;
	struct stun_writer w;

	start(f, false);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t value[300] = { lens[i] == STUN_NOTE_SIZE ? STUN_NOTE_MAX + 1 : 0 };
		unsigned code;

		begin(&w, "s", 'a');
		stun_add(&w, STUN_NOTE, value, lens[i]);
		send_from(f, place_of(f, 'a'), &w);
		assert_int_equal(f->out.count, 1);
		struct stun_message m = sent(f, 0, place_of(f, 'a'));
		assert_true(stun_get_error(&m, &code));
		assert_int_equal(code, STUN_BAD_REQUEST);
		assert_int_equal(f->r.sessions.used, 0);
	}
}

static void a_peer_is_told_again_until_it_has_seen_the_change(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	start(f, false);
	struct place a = place_of(f, 'a'), b = place_of(f, 'b');
	(void)join(f, b, 'b', "");
	(void)join(f, a, 'a', "one");
	begin(&w, "s", 'a');
	add_note(&w, "two");
	stun_add(&w, STUN_CONFIRM, "", 0);
	for (unsigned i = 0; i < 3; i++) {
		send_from(f, a, &w);
		assert_int_equal(f->out.count, 2);
		struct stun_message m = sent(f, 0, a);
		assert_false(stun_has(&m, STUN_CONFIRM));
		m = sent(f, 1, b);
		assert_note(&m, "two");
		assert_true(stun_has(&m, STUN_CONFIRM));
		assert_int_equal(change(&m), 2);
		/* That it has heard of an older one is not enough. */
		if (i == 1) {
			struct stun_writer seen;

			begin(&seen, "s", 'b');
			add_note(&seen, "");
			stun_add_u32(&seen, STUN_SEEN, 1);
			send_from(f, b, &seen);
			assert_int_equal(f->out.count, 1);
		}
	}
	struct stun_writer seen;
	begin(&seen, "s", 'b');
	add_note(&seen, "");
	stun_add_u32(&seen, STUN_SEEN, 2);
	send_from(f, b, &seen);
	assert_int_equal(f->out.count, 1);
	send_from(f, a, &w);
	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, a);
	assert_true(stun_has(&m, STUN_CONFIRM));
}

/* It may have been started again, and then it knows nothing. */
static void what_a_peer_has_seen_is_forgotten_when_it_moves(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	start(f, false);
	struct place a = place_of(f, 'a'), b = place_of(f, 'b'), c = place_of(f, 'c');
	(void)join(f, a, 'a', "");
	begin(&w, "s", 'b');
	add_note(&w, "");
	stun_add_u32(&w, STUN_SEEN, 1);
	send_from(f, b, &w);
	begin(&w, "s", 'a');
	add_note(&w, "");
	stun_add(&w, STUN_CONFIRM, "", 0);
	send_from(f, a, &w);
	struct stun_message m = sent(f, 0, a);
	assert_true(stun_has(&m, STUN_CONFIRM));
	(void)join(f, c, 'b', "");
	send_from(f, a, &w);
	m = sent(f, 0, a);
	assert_false(stun_has(&m, STUN_CONFIRM));
	assert_int_equal(f->out.count, 2);
	(void)sent(f, 1, c);
}

static void the_longest_of_everything_fits(void **state)
{
	struct fixture *f = *state;
	static const char session[STUN_SESSION_MAX];
	uint8_t note[STUN_NOTE_SIZE] = { STUN_NOTE_MAX };
	struct stun_writer w;
	struct stun_id id = stun_id_make(transaction);

	start(f, false);
	for (unsigned i = 0; i < 3; i++) {
		stun_begin(&w, STUN_REQUEST, STUN_INTRODUCE, &id);
		stun_add(&w, STUN_SESSION, session, sizeof(session));
		stun_add(&w, STUN_ROLE, i % 2 == 0 ? "a" : "b", 1);
		note[1] = (uint8_t)i;
		stun_add(&w, STUN_NOTE, note, sizeof(note));
		for (unsigned n = 0; n < STUN_LOCAL_ENDPOINTS_MAX; n++)
			stun_add_xor_address(&w, STUN_LOCAL_ENDPOINT, alice);
		stun_add(&w, STUN_CONFIRM, "", 0);
		stun_add_fingerprint(&w);
		send_from(f, place_of(f, i % 2 == 0 ? 'a' : 'b'), &w);
	}
	assert_int_equal(f->out.count, 2);
	struct stun_message m = sent(f, 1, place_of(f, 'b'));
	const uint8_t *value;
	size_t len;
	assert_true(stun_get(&m, STUN_PEER_NOTE, &value, &len));
	assert_int_equal(len, STUN_NOTE_MAX);
	assert_int_equal(value[0], 2);
}

/* To an address that may be forged goes no more, for each request, than three times as much. */
static void a_request_with_a_note_is_no_amplifier(void **state)
{
	struct fixture *f = *state;
	char note[STUN_NOTE_MAX + 1] = { 0 };

	start(f, false);
	memset(note, 'x', STUN_NOTE_MAX);
	(void)join(f, place_of(f, 'a'), 'a', note);
	(void)join(f, place_of(f, 'b'), 'b', note);
	for (unsigned i = 0; i < 100; i++) {
		note[i] = 'y';
		(void)join(f, place_of(f, 'b'), 'b', note);
		assert_int_equal(f->out.count, 2);
		assert_in_range(f->out.used, 0, 3 * (20 + 8 + 8 + 4 + STUN_NOTE_SIZE));
	}
}

/* ---- drawn ports */

static void drawn_ports(struct fixture *f, char role, uint16_t ret[static 2])
{
	const uint8_t *value;
	size_t len;

	(void)join(f, place_of(f, role), role, NULL);
	struct stun_message m = sent(f, 0, place_of(f, role));
	assert_true(stun_get(&m, STUN_DRAWN_PORTS, &value, &len));
	assert_int_equal(len, 4);
	ret[0] = (uint16_t)(value[0] << 8 | value[1]);
	ret[1] = (uint16_t)(value[2] << 8 | value[3]);
	assert_in_range(ret[0], 1024, 65535);
	assert_in_range(ret[1], 1024, 65535);
}

static void both_sides_are_told_the_same_drawn_ports(void **state)
{
	struct fixture *f = *state;
	uint16_t a[2], b[2], again[2];

	start(f, false);
	drawn_ports(f, 'a', a);
	drawn_ports(f, 'b', b);
	drawn_ports(f, 'a', again);
	assert_int_equal(a[0], b[1]);
	assert_int_equal(a[1], b[0]);
	assert_int_equal(a[0], again[0]);
	f->now_us += SESSION_IDLE_US;
	drawn_ports(f, 'a', again);
	assert_true(again[0] != a[0] || again[1] != a[1]);
}

static void drawn_ports_are_spread_over_all_of_them(void **state)
{
	struct fixture *f = *state;
	unsigned low = 0, high = 0;

	start(f, false);
	for (unsigned i = 0; i < 1000; i++) {
		uint16_t ports[2];

		f->now_us += SESSION_IDLE_US;
		drawn_ports(f, 'a', ports);
		low += ports[0] < 1024 + 6451;    /* a tenth */
		high += ports[1] >= 65536 - 6451; /* a tenth */
	}
	assert_in_range(low, 60, 140);
	assert_in_range(high, 60, 140);
}

/* ---- relaying */

static void relay(struct fixture *f, struct place from, uint64_t ticket, size_t len)
{
	struct stun_id id = stun_id_make(transaction);
	uint8_t data[STUN_DATA_MAX + 1];
	struct stun_writer w;

	memset(data, 'd', sizeof(data));
	stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
	stun_add_u64(&w, STUN_TICKET, ticket);
	stun_add(&w, STUN_DATA, data, len);
	send_from(f, from, &w);
	assert_in_range(f->out.used, 0, w.len);
}

static void assert_relayed(struct fixture *f, struct place to, uint64_t ticket, size_t wanted)
{
	const uint8_t *data;
	uint64_t shown;
	size_t len;

	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, to);
	assert_int_equal(m.class, STUN_INDICATION);
	assert_int_equal(m.method, STUN_RELAY);
	assert_true(stun_get_u64(&m, STUN_TICKET, &shown));
	assert_true(shown == ticket);
	assert_true(stun_get(&m, STUN_DATA, &data, &len));
	assert_int_equal(len, wanted);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(data[i], 'd');
}

struct pair {
	struct place a, b;
	uint64_t ticket_a, ticket_b;
};

/* Two who may relay: both have shown their tickets. */
static struct pair start_pair(struct fixture *f, bool tcp)
{
	start(f, tcp);
	struct pair p = { place_of(f, 'a'), place_of(f, 'b'), 0, 0 };

	p.ticket_a = join(f, p.a, 'a', NULL);
	p.ticket_b = join(f, p.b, 'b', NULL);
	relay(f, p.a, p.ticket_a, 1);
	assert_int_equal(f->out.count, tcp);
	relay(f, p.b, p.ticket_b, 1);
	assert_relayed(f, p.a, p.ticket_a, 1);
	f->now_us += 1000000;
	return p;
}

static void relay_both_ways(struct fixture *f, bool tcp)
{
	static const size_t lens[] = { 1, 3, 32, 511, STUN_DATA_MAX };
	struct pair p = start_pair(f, tcp);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		relay(f, p.a, p.ticket_a, lens[i]);
		assert_relayed(f, p.b, p.ticket_b, lens[i]);
		relay(f, p.b, p.ticket_b, lens[i]);
		assert_relayed(f, p.a, p.ticket_a, lens[i]);
	}
	relay(f, p.a, p.ticket_a, 0);
	assert_int_equal(f->out.count, 0);
}

static void data_is_relayed_over_udp(void **state)
{
	relay_both_ways(*state, false);
}

static void data_is_relayed_over_tcp(void **state)
{
	relay_both_ways(*state, true);
}

static void nobody_else_has_anything_relayed(struct fixture *f, bool tcp)
{
	struct pair p = start_pair(f, tcp);
	struct place c = place_of(f, 'c');

	relay(f, c, p.ticket_a, 8); /* the right ticket from elsewhere */
	assert_int_equal(f->out.count, 0);
	relay(f, p.a, p.ticket_b, 8); /* the other's */
	assert_int_equal(f->out.count, 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		relay(f, p.a, p.ticket_a ^ UINT64_C(1) << bit, 8);
		assert_int_equal(f->out.count, 0);
	}
	relay(f, (struct place){ tcp ? 0 : CONN_A, alice }, p.ticket_a, 8); /* other transport */
	assert_int_equal(f->out.count, 0);
	if (!tcp) {
		relay(f, (struct place){ 1, alice }, p.ticket_a, 8); /* another endpoint of ours */
		assert_int_equal(f->out.count, 0);
	}
	if (tcp) /* a session does not outlive its connections */
		return;
	f->now_us += SESSION_IDLE_US;
	relay(f, p.a, p.ticket_a, 8);
	assert_int_equal(f->out.count, 0);
}

static void strangers_relay_nothing_over_udp(void **state)
{
	nobody_else_has_anything_relayed(*state, false);
}

static void strangers_relay_nothing_over_tcp(void **state)
{
	nobody_else_has_anything_relayed(*state, true);
}

/* Somebody registers both roles, one of them, and be it late, as if from bob's address: without
 * the ticket that goes to bob nothing is relayed to him. */
static void nothing_is_relayed_to_whom_somebody_else_registered(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	struct place a = place_of(f, 'a'), b = place_of(f, 'b'), c = place_of(f, 'c');
	uint64_t ticket_a = join(f, a, 'a', NULL), ticket_c = join(f, c, 'b', NULL);
	relay(f, c, ticket_c, 1);
	relay(f, a, ticket_a, 1);
	assert_relayed(f, c, ticket_c, 1);
	uint64_t ticket_b = join(f, b, 'b', NULL);
	assert_true(ticket_b != ticket_c);
	relay(f, b, ticket_c, 1); /* forged */
	assert_int_equal(f->out.count, 0);
	relay(f, a, ticket_a, 1);
	assert_int_equal(f->out.count, 0);
	relay(f, b, ticket_b, 1);
	assert_relayed(f, a, ticket_a, 1);
	relay(f, a, ticket_a, 1);
	assert_relayed(f, b, ticket_b, 1);
}

static void a_flood_is_cut_to_the_rate(struct fixture *f, bool tcp)
{
	struct pair p = start_pair(f, tcp);
	unsigned passed = 0;

	for (unsigned i = 0; i < 1000; i++) {
		relay(f, i % 2 == 0 ? p.a : p.b, i % 2 == 0 ? p.ticket_a : p.ticket_b, 100);
		passed += (unsigned)f->out.count;
	}
	assert_int_equal(passed, RENDEZVOUS_RELAY_BURST);
	for (unsigned ms = 0; ms < 10000; ms++) {
		f->now_us += 1000;
		relay(f, p.a, p.ticket_a, 100);
		passed += (unsigned)f->out.count;
	}
	assert_in_range(passed, RENDEZVOUS_RELAY_BURST + 10 * RENDEZVOUS_RELAY_RATE - 1,
			RENDEZVOUS_RELAY_BURST + 10 * RENDEZVOUS_RELAY_RATE);
}

static void a_flood_of_datagrams_is_cut_to_the_rate(void **state)
{
	a_flood_is_cut_to_the_rate(*state, false);
}

static void a_flood_on_a_connection_is_cut_to_the_rate(void **state)
{
	a_flood_is_cut_to_the_rate(*state, true);
}

static void what_is_relayed_keeps_the_session(void **state)
{
	struct fixture *f = *state;
	struct pair p = start_pair(f, false);

	for (unsigned i = 0; i < 5; i++) {
		f->now_us += SESSION_IDLE_US / 10 * 9;
		relay(f, p.a, p.ticket_a, 9);
		assert_relayed(f, p.b, p.ticket_b, 9);
	}
}

/* A burst in one piece is relayed as far as there is room; the connection stays. */
static void a_burst_in_one_piece_cuts_nobody_off(void **state)
{
	struct fixture *f = *state;
	struct pair p = start_pair(f, true);
	struct stun_id id = stun_id_make(transaction);
	uint8_t bytes[100 * 40];
	struct stun_writer w;

	stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
	stun_add_u64(&w, STUN_TICKET, p.ticket_a);
	stun_add(&w, STUN_DATA, "data", 4);
	assert_int_equal(w.len, 40);
	for (size_t i = 0; i < 100; i++)
		memcpy(bytes + i * w.len, w.data, w.len);
	step(f,
	     &(struct event){
		     .kind = EVENT_DATA, .socket = CONN_A, .data = bytes, .len = sizeof(bytes) });
	assert_in_range(f->out.count, 20, ACTIONS_MAX);
	for (size_t i = 0; i < f->out.count; i++)
		(void)sent(f, i, p.b);
	f->now_us += 1000000;
	relay(f, p.a, p.ticket_a, 5);
	assert_relayed(f, p.b, p.ticket_b, 5);
}

static void malformed_relays_are_met_with_silence(void **state)
{
	struct fixture *f = *state;
	struct pair p = start_pair(f, false);
	struct stun_id id = stun_id_make(transaction);
	uint8_t ticket[9] = { 0 };

	for (unsigned i = 0; i < 8; i++)
		ticket[i] = (uint8_t)(p.ticket_a >> (56 - 8 * i));
	for (unsigned kind = 0; kind < 6; kind++) {
		struct stun_writer w;

		if (kind == 5)
			id.bytes[0] ^= 1; /* classic */
		stun_begin(&w, kind == 4 ? STUN_REQUEST : STUN_INDICATION, STUN_RELAY, &id);
		if (kind != 0)
			stun_add(&w, STUN_TICKET, ticket, kind == 1 ? 7 : kind == 2 ? 9 : 8);
		if (kind == 3)
			stun_add(&w, 0x6000, "", 0);
		stun_add(&w, STUN_DATA, "data", 4);
		send_from(f, p.a, &w);
		assert_int_equal(f->out.count, 0);
	}
	relay(f, p.a, p.ticket_a, 4); /* it is not for anything else that they failed */
	assert_relayed(f, p.b, p.ticket_b, 4);
}

/* Longer than we would write it, and it would not fit what we write. */
static void too_much_data_is_not_relayed(void **state)
{
	struct fixture *f = *state;
	struct pair p = start_pair(f, false);
	uint8_t message[STUN_HEADER_SIZE + 12 + 4 + 1000];

	for (size_t len = STUN_DATA_MAX - 3; len <= 1000; len++) {
		size_t whole = STUN_HEADER_SIZE + 12 + 4 + ((len + 3) & ~(size_t)3);
		struct stun_id id = stun_id_make(transaction);
		struct stun_writer w;

		stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
		stun_add_u64(&w, STUN_TICKET, p.ticket_a);
		stun_add(&w, STUN_DATA, "", 0);
		memset(message, 0, sizeof(message));
		memcpy(message, w.data, w.len);
		put_u16(message + 2, (uint16_t)(whole - STUN_HEADER_SIZE));
		put_u16(message + w.len - 2, (uint16_t)len);
		f->now_us += 5000;
		step(f, &(struct event){ .kind = EVENT_DATAGRAM,
					 .socket = p.a.socket,
					 .remote = p.a.at,
					 .data = message,
					 .len = whole });
		assert_int_equal(f->out.count, len <= STUN_DATA_MAX);
	}
}

/* ---- moving */

static void another_place_counts_from_its_registration_on(struct fixture *f, bool tcp)
{
	struct pair p = start_pair(f, tcp);
	struct place c = place_of(f, 'c');
	struct endpoint observed;

	uint64_t ticket_c = join(f, c, 'a', NULL);
	assert_true(ticket_c != p.ticket_a);
	assert_int_equal(f->out.count, 2);
	struct stun_message m = sent(f, 1, p.b);
	assert_int_equal(m.class, STUN_INDICATION);
	assert_int_equal(change(&m), 2);
	assert_true(stun_get_xor_address(&m, STUN_PEER_OBSERVED, &observed));
	assert_true(endpoint_equal(observed, carol));
	relay(f, p.a, p.ticket_a, 8); /* the old one is out */
	assert_int_equal(f->out.count, 0);
	relay(f, c, ticket_c, 8);
	assert_relayed(f, p.b, p.ticket_b, 8);
	relay(f, p.b, p.ticket_b, 8);
	assert_relayed(f, c, ticket_c, 8);
	if (!tcp)
		return;
	/* That the old connection ends says nothing about the new one. */
	step(f, &(struct event){ .kind = EVENT_CLOSED, .socket = CONN_A });
	relay(f, p.b, p.ticket_b, 8);
	assert_relayed(f, c, ticket_c, 8);
	step(f, &(struct event){ .kind = EVENT_CLOSED, .socket = CONN_C });
	relay(f, p.b, p.ticket_b, 8);
	assert_int_equal(f->out.count, 0);
}

static void a_peer_moves_over_udp(void **state)
{
	another_place_counts_from_its_registration_on(*state, false);
}

static void a_peer_moves_over_tcp(void **state)
{
	another_place_counts_from_its_registration_on(*state, true);
}

/* ---- crowds */

static void ten_thousand_sessions_leave_those_in_use(void **state)
{
	struct fixture *f = *state;
	struct pair p = start_pair(f, false);

	for (uint32_t i = 0; i < 10000; i++) {
		char name[] = "crowd 0000";
		struct stun_writer w;

		for (unsigned d = 0; d < 4; d++)
			name[6 + d] = (char)('a' + (i >> 4 * d & 15));
		f->now_us++;
		begin(&w, name, 'a');
		add_note(&w, name);
		send_from(f, place_of(f, 'c'), &w);
		assert_int_equal(f->out.count, 1);
		if (i % 1000 == 0) {
			relay(f, p.a, p.ticket_a, 9);
			assert_relayed(f, p.b, p.ticket_b, 9);
		}
	}
	assert_int_equal(f->r.sessions.used, SESSIONS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(notes_are_passed_on_over_udp),
		TEST(notes_are_passed_on_over_tcp),
		TEST(who_sends_no_note_is_told_none),
		TEST(notes_of_wrong_lengths_are_refused),
		TEST(a_peer_is_told_again_until_it_has_seen_the_change),
		TEST(what_a_peer_has_seen_is_forgotten_when_it_moves),
		TEST(the_longest_of_everything_fits),
		TEST(a_request_with_a_note_is_no_amplifier),
		TEST(both_sides_are_told_the_same_drawn_ports),
		TEST(drawn_ports_are_spread_over_all_of_them),
		TEST(data_is_relayed_over_udp),
		TEST(data_is_relayed_over_tcp),
		TEST(strangers_relay_nothing_over_udp),
		TEST(strangers_relay_nothing_over_tcp),
		TEST(nothing_is_relayed_to_whom_somebody_else_registered),
		TEST(a_flood_of_datagrams_is_cut_to_the_rate),
		TEST(a_flood_on_a_connection_is_cut_to_the_rate),
		TEST(what_is_relayed_keeps_the_session),
		TEST(a_burst_in_one_piece_cuts_nobody_off),
		TEST(malformed_relays_are_met_with_silence),
		TEST(too_much_data_is_not_relayed),
		TEST(a_peer_moves_over_udp),
		TEST(a_peer_moves_over_tcp),
		TEST(ten_thousand_sessions_leave_those_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

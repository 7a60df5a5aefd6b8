// SPDX-License-Identifier: GPL-2.0-or-later
/* Two clients of the real rendezvous, that go on talking once they have been introduced. Between
 * them is a world of this file's, which loses what it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/introduce.h"
#include "peers/core/rendezvous.h"

#define SOCKET  3u
#define MOVED   4u
#define WAY_US  10000u /* one way between a client and the server */
#define MAIL_US 1000000u

static const struct endpoint server = { 0xcb007101, 3478 }; /* 203.0.113.1 */

struct client {
	struct introduce in;
	uint32_t connection;         /* at the server; over TCP */
	struct endpoint observed;    /* as the server sees it */
	unsigned sent, lose;         /* messages so far; how many of the next ones get lost */
	unsigned relayed;            /* packets that came */
	uint8_t data[STUN_DATA_MAX]; /* the last of them */
	size_t len;
	bool answers; /* every packet that comes with one of its own */
};

struct world {
	struct rendezvous r;
	struct client clients[2];
	struct actions out;
	uint64_t now_us;
	bool tcp;
	unsigned lose_indications; /* from the server, of the next ones */
	uint32_t accepted;
};

static void deliver(struct world *w, unsigned who, const struct event *event);

static void client_relayed(void *context, uint64_t now_us, const uint8_t *data, size_t len,
			   struct actions *out)
{
	struct client *c = context;
	(void)now_us;

	c->relayed++;
	memcpy(c->data, data, len);
	c->len = len;
	if (c->answers)
		assert_true(introduce_relay(&c->in, "answer", 6, out));
}

/* What the server wants sent. */
static void from_server(struct world *w, const struct actions *out)
{
	w->now_us += WAY_US;
	for (size_t i = 0; i < out->count; i++) {
		const struct action *a = &out->items[i];
		struct stun_message m;
		bool tcp = a->kind == ACTION_TCP_SEND;

		if (!tcp && a->kind != ACTION_UDP_SEND)
			continue;
		assert_true(stun_read(out->bytes + a->at, a->len, &m));
		if (m.class == STUN_INDICATION && w->lose_indications > 0) {
			w->lose_indications--;
			continue;
		}
		for (unsigned who = 0; who < 2; who++) {
			struct client *c = &w->clients[who];

			if (tcp ? c->connection == a->socket
				: endpoint_equal(c->observed, a->remote))
				deliver(w, who,
					&(struct event){ .kind = tcp ? EVENT_DATA : EVENT_DATAGRAM,
							 .socket = c->in.config.socket,
							 .remote = server,
							 .data = out->bytes + a->at,
							 .len = a->len });
		}
	}
}

static void to_server(struct world *w, const struct event *event)
{
	struct actions out = { .count = 0 };

	w->now_us += WAY_US;
	(void)rendezvous_step(&w->r, w->now_us, event, &out);
	from_server(w, &out);
}

static void open_up(struct world *w, unsigned who, const struct action *a)
{
	struct client *c = &w->clients[who];

	/* The router gives each socket another endpoint. */
	c->observed = (struct endpoint){ 0xc6336401 + who, (uint16_t)(6000 + ++w->accepted) };
	c->connection = SOCKET_ACCEPTED + w->accepted;
	if (w->tcp)
		to_server(w, &(struct event){ .kind = EVENT_ACCEPTED,
					      .socket = c->connection,
					      .listener = RENDEZVOUS_LISTENER,
					      .remote = c->observed });
	deliver(w, who,
		&(struct event){ .kind = w->tcp ? EVENT_CONNECTED : EVENT_OPENED,
				 .socket = a->socket,
				 .local = { 0x0a010002, a->local.port },
				 .remote = server });
}

/* Carries out what a client wants. */
static void carry_out(struct world *w, unsigned who, const struct actions *out)
{
	struct client *c = &w->clients[who];

	for (size_t i = 0; i < out->count; i++) {
		const struct action *a = &out->items[i];

		switch (a->kind) {
		case ACTION_UDP_OPEN:
		case ACTION_TCP_CONNECT:
			open_up(w, who, a);
			break;
		case ACTION_UDP_SEND:
		case ACTION_TCP_SEND:
			c->sent++;
			if (c->lose > 0) {
				c->lose--;
				break;
			}
			to_server(w, &(struct event){ .kind = w->tcp ? EVENT_DATA : EVENT_DATAGRAM,
						      .socket = w->tcp ? c->connection : 0,
						      .remote = c->observed,
						      .data = out->bytes + a->at,
						      .len = a->len });
			break;
		default:
			to_server(w,
				  &(struct event){ .kind = EVENT_CLOSED, .socket = c->connection });
		}
	}
}

static void deliver(struct world *w, unsigned who, const struct event *event)
{
	struct actions out = { .count = 0 };

	(void)introduce_step(&w->clients[who].in, w->now_us, event, &out);
	carry_out(w, who, &out);
}

/* Lets so much time pass. */
static void pass(struct world *w, uint64_t us)
{
	uint64_t until_us = w->now_us + us;

	for (unsigned turn = 0; turn < 1000; turn++) {
		uint64_t a_us = introduce_wake_us(&w->clients[0].in);
		uint64_t b_us = introduce_wake_us(&w->clients[1].in);
		uint64_t next_us = a_us < b_us ? a_us : b_us;

		if (next_us > until_us)
			break;
		if (next_us > w->now_us)
			w->now_us = next_us;
		deliver(w, next_us == a_us ? 0 : 1, &(struct event){ .kind = EVENT_TIMER });
	}
	if (w->now_us < until_us)
		w->now_us = until_us;
}

static void set_note(struct world *w, unsigned who, const char *note)
{
	struct actions out = { .count = 0 };

	introduce_set_note(&w->clients[who].in, w->now_us, note, strlen(note), &out);
	carry_out(w, who, &out);
}

static bool relay(struct world *w, unsigned who, const void *data, size_t len)
{
	struct actions out = { .count = 0 };
	bool sent = introduce_relay(&w->clients[who].in, data, len, &out);

	assert_int_equal(out.count, sent);
	carry_out(w, who, &out);
	return sent;
}

static void start_client(struct world *w, unsigned who)
{
	struct client *c = &w->clients[who];

	introduce_init(&c->in, &(struct introduce_config){
				       .transport = w->tcp ? INTRODUCE_TCP : INTRODUCE_UDP,
				       .socket = SOCKET,
				       .server = server,
				       .local = { 0, 40001 },
				       .session = (const uint8_t *)"session",
				       .session_len = 7,
				       .role = (char)('a' + who),
				       .seed = 42 + who,
				       .announce = { { 0x0a010002, 0 } },
				       .announce_count = 1,
				       .relayed = client_relayed,
				       .relayed_context = c,
			       });
}

static struct world *new_world(bool tcp)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->tcp = tcp;
	w->now_us = 1000;
	rendezvous_init(&w->r, &(struct rendezvous_config){ { server.addr, server.addr + 1 },
							    { server.port, 3479 },
							    1 });
	start_client(w, 0);
	start_client(w, 1);
	return w;
}

static void introduce_both(struct world *w)
{
	deliver(w, 0, &(struct event){ .kind = EVENT_START });
	deliver(w, 1, &(struct event){ .kind = EVENT_START });
	pass(w, MAIL_US);
	assert_int_equal(w->clients[0].in.state, INTRODUCE_READY);
	assert_int_equal(w->clients[1].in.state, INTRODUCE_READY);
}

static void assert_note(const struct world *w, unsigned who, const char *wanted)
{
	const struct introduce *in = &w->clients[who].in;

	assert_int_equal(in->peer_note_len, strlen(wanted));
	assert_memory_equal(in->peer_note, wanted, strlen(wanted));
}

/* ---- notes */

static void without_notes_nothing_more_is_said(struct world *w)
{
	introduce_both(w);
	assert_in_range(w->clients[0].sent + w->clients[1].sent, 2, 3);
	unsigned sent = w->clients[0].sent;
	pass(w, 10 * MAIL_US);
	assert_int_equal(w->clients[0].sent, sent);
	assert_int_equal(w->clients[0].in.peer_changes, 1);
	assert_true(introduce_wake_us(&w->clients[0].in) == NEVER);
}

static void notes_set_before_come_with_the_introduction(struct world *w)
{
	set_note(w, 0, "of a");
	set_note(w, 1, "of b");
	introduce_both(w);
	assert_note(w, 0, "of b");
	assert_note(w, 1, "of a");
	assert_int_equal(w->clients[0].in.peer_changes, 1);
	assert_int_equal(w->clients[1].in.peer_changes, 1);
	assert_in_range(w->clients[0].sent + w->clients[1].sent, 2, 3);
}

static void notes_go_to_and_fro(struct world *w)
{
	introduce_both(w);
	set_note(w, 1, "");
	pass(w, MAIL_US);
	for (uint32_t i = 1; i <= 5; i++) {
		char note[] = "note 0";

		note[5] = (char)('0' + i);
		set_note(w, 0, note);
		assert_note(w, 1, note); /* at once */
		pass(w, MAIL_US);
		assert_true(w->clients[0].in.confirmed);
		assert_int_equal(w->clients[1].in.peer_changes, 1 + i);
		note[0] = 'N';
		set_note(w, 1, note);
		pass(w, MAIL_US);
		assert_note(w, 0, note);
		assert_true(w->clients[1].in.confirmed);
	}
	unsigned sent = w->clients[0].sent + w->clients[1].sent;
	pass(w, 10 * MAIL_US);
	assert_int_equal(w->clients[0].sent + w->clients[1].sent, sent);
	assert_int_equal(w->clients[0].in.peer_count, 2);
}

static void a_note_survives_what_gets_lost(struct world *w)
{
	introduce_both(w);
	set_note(w, 1, "");
	pass(w, MAIL_US);
	w->clients[0].lose = 2;
	set_note(w, 0, "lost requests");
	assert_false(w->clients[0].in.confirmed);
	pass(w, MAIL_US);
	assert_note(w, 1, "lost requests");
	assert_true(w->clients[0].in.confirmed);

	w->lose_indications = 3;
	set_note(w, 0, "lost indications");
	pass(w, 3 * MAIL_US);
	assert_note(w, 1, "lost indications");
	assert_true(w->clients[0].in.confirmed);

	w->clients[1].lose = 3;
	set_note(w, 0, "lost confirmations");
	assert_note(w, 1, "lost confirmations");
	pass(w, 100000);
	assert_false(w->clients[0].in.confirmed);
	pass(w, 3 * MAIL_US);
	assert_true(w->clients[0].in.confirmed);
	assert_int_equal(w->clients[1].in.peer_changes, 4);
}

static void nobody_repeats_for_ever(struct world *w)
{
	introduce_both(w);
	w->clients[1].lose = 1000000;
	set_note(w, 0, "to nobody");
	unsigned sent = w->clients[0].sent;
	pass(w, 100 * MAIL_US);
	assert_false(w->clients[0].in.confirmed);
	assert_in_range(w->clients[0].sent - sent, 10, 60);
	assert_true(introduce_wake_us(&w->clients[0].in) == NEVER);
	assert_int_equal(w->clients[0].in.state, INTRODUCE_READY);
}

/* That the note before was confirmed says nothing about this one. */
static void an_older_answer_confirms_nothing(struct world *w)
{
	struct introduce *in = &w->clients[0].in;
	struct actions out = { .count = 0 };
	struct stun_message m;
	struct stun_writer answer;

	introduce_both(w);
	w->clients[1].lose = 1000; /* nobody confirms */
	introduce_set_note(in, w->now_us, "one", 3, &out);
	introduce_set_note(in, w->now_us, "two", 3, &out);
	assert_int_equal(out.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(stun_read(out.bytes + out.items[i].at, out.items[i].len, &m));
		stun_begin(&answer, STUN_SUCCESS, STUN_INTRODUCE, &m.id);
		stun_add(&answer, STUN_CONFIRM, "", 0);
		deliver(w, 0,
			&(struct event){ .kind = EVENT_DATAGRAM,
					 .socket = SOCKET,
					 .remote = server,
					 .data = answer.data,
					 .len = answer.len });
		assert_int_equal(in->confirmed, i == 1);
	}
}

/* It counts from one again; what was known before is not newer for that. */
static void a_server_that_forgot_is_believed(struct world *w)
{
	introduce_both(w);
	for (unsigned i = 0; i < 4; i++) {
		set_note(w, 1, i % 2 == 0 ? "even" : "odd");
		set_note(w, 0, i % 2 == 0 ? "even" : "odd");
		pass(w, MAIL_US);
	}
	assert_note(w, 0, "odd");
	rendezvous_restart(&w->r, 99);
	set_note(w, 1, "news");
	set_note(w, 0, "");
	assert_note(w, 0, "news");
	pass(w, MAIL_US);
	assert_true(w->clients[0].in.confirmed && w->clients[1].in.confirmed);
}

/* ---- drawn ports */

static void both_know_the_drawn_ports(struct world *w)
{
	introduce_both(w);
	const struct introduce *a = &w->clients[0].in, *b = &w->clients[1].in;
	assert_in_range(a->drawn_port, 1024, 65535);
	assert_in_range(b->drawn_port, 1024, 65535);
	assert_int_equal(a->drawn_port, b->peer_drawn_port);
	assert_int_equal(b->drawn_port, a->peer_drawn_port);
}

/* ---- moving */

static void move(struct world *w, unsigned who, uint32_t socket)
{
	struct actions out = { .count = 0 };

	introduce_move(&w->clients[who].in, w->now_us, socket, (struct endpoint){ 0, 50000 }, &out);
	carry_out(w, who, &out);
}

static void who_moves_is_introduced_anew(struct world *w)
{
	introduce_both(w);
	const struct introduce *a = &w->clients[0].in, *b = &w->clients[1].in;
	struct endpoint before = b->peer[0];

	w->lose_indications = 1;
	w->clients[0].lose = 1;
	move(w, 0, MOVED);
	assert_int_equal(a->state, INTRODUCE_WAITING);
	assert_int_equal(a->peer_count, 0);
	pass(w, MAIL_US);
	assert_int_equal(a->state, INTRODUCE_READY);
	assert_true(a->confirmed);
	assert_true(endpoint_equal(a->observed, w->clients[0].observed));
	assert_int_equal(a->local.port, 50000);
	assert_int_equal(a->peer_count, 2);
	assert_int_equal(a->peer_changes, 1);
	/* The other's paths keep their numbers. */
	assert_true(endpoint_equal(b->peer[0], before));
	assert_true(endpoint_equal(b->latest[0], w->clients[0].observed));
	assert_int_equal(b->latest[1].port, 50000);
	assert_int_equal(b->peer_changes, 2);
	set_note(w, 1, "after");
	set_note(w, 0, "all");
	pass(w, MAIL_US);
	assert_note(w, 0, "after");
	assert_note(w, 1, "all");
}

/* ---- relaying */

static void they_relay(struct world *w)
{
	static const uint8_t most[STUN_DATA_MAX] = { 1, 2, 3 };

	assert_false(relay(w, 0, "early", 5));
	introduce_both(w);
	(void)relay(w, 0, "x", 1); /* shows the ticket */
	assert_true(relay(w, 1, "hello", 5));
	assert_int_equal(w->clients[0].relayed, 1);
	assert_int_equal(w->clients[0].len, 5);
	assert_memory_equal(w->clients[0].data, "hello", 5);
	w->clients[1].answers = true;
	assert_true(relay(w, 0, most, sizeof(most)));
	assert_int_equal(w->clients[1].len, sizeof(most));
	assert_memory_equal(w->clients[1].data, most, sizeof(most));
	assert_int_equal(w->clients[0].relayed, 2);
	assert_memory_equal(w->clients[0].data, "answer", 6);

	uint8_t more[STUN_DATA_MAX + 1] = { 0 };
	assert_false(relay(w, 0, more, sizeof(more)));
	assert_false(relay(w, 0, more, 0));
	struct actions out = { .count = 0 };
	introduce_close(&w->clients[0].in, &out);
	assert_false(relay(w, 0, "late", 4));
}

/* ---- who may say so */

static void forge(struct world *w, uint16_t method, uint64_t ticket, struct endpoint from)
{
	struct stun_id id = stun_id_make((const uint8_t *)"transaction!");
	struct stun_writer m;

	stun_begin(&m, STUN_INDICATION, method, &id);
	stun_add(&m, STUN_SESSION, "session", 7);
	stun_add_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, server);
	stun_add_xor_address(&m, STUN_PEER_OBSERVED, (struct endpoint){ 0xc6336463, 99 });
	stun_add_u32(&m, STUN_PEER_CHANGE, 99);
	stun_add_u64(&m, STUN_TICKET, ticket);
	stun_add(&m, STUN_PEER_NOTE, "forged", 6);
	stun_add(&m, STUN_DATA, "forged", 6);
	stun_add(&m, STUN_CONFIRM, "", 0);
	deliver(w, 0,
		&(struct event){ .kind = EVENT_DATAGRAM,
				 .socket = SOCKET,
				 .remote = from,
				 .data = m.data,
				 .len = m.len });
}

static void without_the_ticket_nothing_is_believed(struct world *w)
{
	struct introduce *in = &w->clients[0].in;
	const struct endpoint elsewhere = { server.addr, (uint16_t)(server.port + 9) };

	introduce_both(w);
	unsigned sent = w->clients[0].sent;
	forge(w, STUN_INTRODUCE, in->ticket ^ 1, server);
	forge(w, STUN_RELAY, in->ticket ^ 1, server);
	forge(w, STUN_INTRODUCE, in->ticket, elsewhere);
	forge(w, STUN_RELAY, in->ticket, elsewhere);
	assert_int_equal(in->peer_changes, 1);
	assert_int_equal(w->clients[0].relayed, 0);
	assert_int_equal(w->clients[0].sent, sent);
	/* It is for the ticket that they were not. */
	forge(w, STUN_RELAY, in->ticket, server);
	forge(w, STUN_INTRODUCE, in->ticket, server);
	assert_int_equal(in->peer_changes, 2);
	assert_int_equal(w->clients[0].relayed, 1);
	assert_int_equal(w->clients[0].sent, sent + 1);
}

/* An older word that comes late does not undo a newer one. */
static void what_was_overtaken_is_old(struct world *w)
{
	struct introduce *in = &w->clients[0].in;

	introduce_both(w);
	forge(w, STUN_INTRODUCE, in->ticket, server);
	assert_note(w, 0, "forged");
	set_note(w, 0, "");
	set_note(w, 1, "old");
	assert_note(w, 0, "forged");
	assert_int_equal(in->latest[0].port, 99);
}

#define OVER(transport, name)                                      \
	static void name##_over_##transport(void **state)          \
	{                                                          \
		struct world *w = new_world(#transport[0] == 't'); \
		(void)state;                                       \
		name(w);                                           \
		free(w);                                           \
	}

OVER(udp, without_notes_nothing_more_is_said)
OVER(tcp, without_notes_nothing_more_is_said)
OVER(udp, notes_set_before_come_with_the_introduction)
OVER(tcp, notes_set_before_come_with_the_introduction)
OVER(udp, notes_go_to_and_fro)
OVER(tcp, notes_go_to_and_fro)
OVER(udp, a_note_survives_what_gets_lost)
OVER(tcp, a_note_survives_what_gets_lost)
OVER(udp, nobody_repeats_for_ever)
OVER(tcp, nobody_repeats_for_ever)
OVER(udp, an_older_answer_confirms_nothing)
OVER(udp, a_server_that_forgot_is_believed)
OVER(udp, both_know_the_drawn_ports)
OVER(tcp, both_know_the_drawn_ports)
OVER(udp, who_moves_is_introduced_anew)
OVER(tcp, who_moves_is_introduced_anew)
OVER(udp, they_relay)
OVER(tcp, they_relay)
OVER(udp, without_the_ticket_nothing_is_believed)
OVER(udp, what_was_overtaken_is_old)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_notes_nothing_more_is_said_over_udp),
		cmocka_unit_test(without_notes_nothing_more_is_said_over_tcp),
		cmocka_unit_test(notes_set_before_come_with_the_introduction_over_udp),
		cmocka_unit_test(notes_set_before_come_with_the_introduction_over_tcp),
		cmocka_unit_test(notes_go_to_and_fro_over_udp),
		cmocka_unit_test(notes_go_to_and_fro_over_tcp),
		cmocka_unit_test(a_note_survives_what_gets_lost_over_udp),
		cmocka_unit_test(a_note_survives_what_gets_lost_over_tcp),
		cmocka_unit_test(nobody_repeats_for_ever_over_udp),
		cmocka_unit_test(nobody_repeats_for_ever_over_tcp),
		cmocka_unit_test(an_older_answer_confirms_nothing_over_udp),
		cmocka_unit_test(a_server_that_forgot_is_believed_over_udp),
		cmocka_unit_test(both_know_the_drawn_ports_over_udp),
		cmocka_unit_test(both_know_the_drawn_ports_over_tcp),
		cmocka_unit_test(who_moves_is_introduced_anew_over_udp),
		cmocka_unit_test(who_moves_is_introduced_anew_over_tcp),
		cmocka_unit_test(they_relay_over_udp),
		cmocka_unit_test(they_relay_over_tcp),
		cmocka_unit_test(without_the_ticket_nothing_is_believed_over_udp),
		cmocka_unit_test(what_was_overtaken_is_old_over_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

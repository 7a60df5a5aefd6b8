// SPDX-License-Identifier: GPL-2.0-or-later
/* Introduce on its own, and against the real rendezvous. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/introduce.h"
#include "peers/core/rendezvous.h"

#define SOCKET    3u
#define RTO_US    200000u
#define CONN_A    (SOCKET_ACCEPTED + 1)
#define CONN_B    (SOCKET_ACCEPTED + 2)
#define SECOND_US 1000000u

static const struct endpoint server = { 0xcb007101, 3478 };  /* 203.0.113.1 */
static const struct endpoint local = { 0x0a010002, 40001 };  /* 10.1.0.2 */
static const struct endpoint outside = { 0xc6336401, 6000 }; /* 198.51.100.1 */
static const struct endpoint peer = { 0xc6336402, 7000 };
static const struct endpoint peer_local = { 0x0a020002, 40002 };

struct fixture {
	struct introduce in;
	struct actions out;
	uint64_t now_us, wake_us;
};

static void step(struct fixture *f, const struct event *event)
{
	bool before = introduce_is_for(&f->in, event);

	f->out.count = 0;
	f->out.used = 0;
	f->wake_us = introduce_step(&f->in, f->now_us, event, &f->out);
	assert_true(f->wake_us > f->now_us);
	assert_int_equal(introduce_is_for(&f->in, event), before);
}

static void step_timer(struct fixture *f)
{
	f->now_us = f->wake_us;
	step(f, &(struct event){ .kind = EVENT_TIMER });
}

static struct introduce_config default_config(enum introduce_transport transport)
{
	return (struct introduce_config){
		.transport = transport,
		.socket = SOCKET,
		.server = server,
		.local = local,
		.session = (const uint8_t *)"session",
		.session_len = 7,
		.role = 'a',
		.give_up_us = 10 * SECOND_US,
		.seed = 42,
		.announce = { { 0x0a010002, 0 }, { 0xac100002, 5 } },
		.announce_count = 2,
	};
}

static void start_with(struct fixture *f, struct introduce_config config)
{
	*f = (struct fixture){ .now_us = 1000 };
	introduce_init(&f->in, &config);
	step(f, &(struct event){ .kind = EVENT_START });
	assert_int_equal(f->out.count, 1);
}

static void start(struct fixture *f, enum introduce_transport transport)
{
	start_with(f, default_config(transport));
}

/* Opened or connected: the first request goes out. */
static void open_up(struct fixture *f)
{
	bool tcp = f->in.config.transport == INTRODUCE_TCP;

	step(f, &(struct event){ .kind = tcp ? EVENT_CONNECTED : EVENT_OPENED,
				 .socket = SOCKET,
				 .local = local,
				 .remote = server });
	assert_int_equal(f->out.count, 1);
}

static struct stun_message request(const struct fixture *f)
{
	struct stun_message m;

	assert_int_equal(f->out.count, 1);
	const struct action *a = &f->out.items[0];
	assert_true(a->kind == ACTION_UDP_SEND || a->kind == ACTION_TCP_SEND);
	assert_int_equal(a->socket, SOCKET);
	assert_true(stun_read(f->out.bytes + a->at, a->len, &m));
	assert_int_equal(m.class, STUN_REQUEST);
	assert_int_equal(m.method, STUN_INTRODUCE);
	return m;
}

static void write_news(struct stun_writer *w, enum stun_class class, const struct stun_id *id,
		       const char *session, bool with_peer)
{
	stun_begin(w, class, STUN_INTRODUCE, id);
	stun_add(w, STUN_SESSION, session, strlen(session));
	stun_add_xor_address(w, STUN_XOR_MAPPED_ADDRESS, outside);
	if (!with_peer)
		return;
	stun_add_xor_address(w, STUN_PEER_OBSERVED, peer);
	stun_add_xor_address(w, STUN_PEER_LOCAL, peer_local);
}

static void receive(struct fixture *f, struct endpoint from, const struct stun_writer *w)
{
	bool tcp = f->in.config.transport == INTRODUCE_TCP;

	step(f, &(struct event){ .kind = tcp ? EVENT_DATA : EVENT_DATAGRAM,
				 .socket = SOCKET,
				 .local = local,
				 .remote = from,
				 .data = w->data,
				 .len = w->len });
}

static void the_request_says_who_and_where(void **state)
{
	struct fixture f;
	struct endpoint locals[5];
	const uint8_t *value;
	size_t len;
	(void)state;

	start(&f, INTRODUCE_UDP);
	assert_int_equal(f.out.items[0].kind, ACTION_UDP_OPEN);
	assert_true(endpoint_equal(f.out.items[0].local, local));
	open_up(&f);
	assert_true(endpoint_equal(f.out.items[0].remote, server));
	struct stun_message m = request(&f);
	assert_true(stun_get(&m, STUN_SESSION, &value, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(value, "session", 7);
	assert_true(stun_get(&m, STUN_ROLE, &value, &len));
	assert_int_equal(len, 1);
	assert_int_equal(value[0], 'a');
	assert_int_equal(stun_get_xor_addresses(&m, STUN_LOCAL_ENDPOINT, locals, 5), 2);
	assert_true(endpoint_equal(locals[0], local)); /* port 0 became the bound one */
	assert_true(endpoint_equal(locals[1], (struct endpoint){ 0xac100002, 5 }));
}

static void over_udp_the_request_is_repeated_until_the_peer_is_known(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(f.wake_us, f.now_us + RTO_US);
		step_timer(&f);
		struct stun_message m = request(&f);
		write_news(&w, STUN_SUCCESS, &m.id, "session", false);
		receive(&f, server, &w);
		assert_int_equal(f.in.state, INTRODUCE_WAITING);
	}
	step_timer(&f);
	struct stun_message m = request(&f);
	f.now_us += 1234;
	write_news(&w, STUN_SUCCESS, &m.id, "session", true);
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_READY);
	assert_int_equal(f.out.count, 0);
	assert_int_equal(f.wake_us, NEVER);
	assert_int_equal(f.in.ready_us, f.now_us);
	assert_int_equal(f.in.rtt_us, 0); /* that of the answers before */
	assert_true(endpoint_equal(f.in.local, local));
	assert_true(endpoint_equal(f.in.observed, outside));
	assert_int_equal(f.in.peer_count, 2);
	assert_true(endpoint_equal(f.in.peer[0], peer));
	assert_true(endpoint_equal(f.in.peer[1], peer_local));
}

static void every_answer_is_timed_by_its_own_request(void **state)
{
	struct fixture f;
	struct stun_writer first, second;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	struct stun_message m = request(&f);
	write_news(&first, STUN_SUCCESS, &m.id, "session", false);
	step_timer(&f);
	m = request(&f);
	write_news(&second, STUN_SUCCESS, &m.id, "session", false);
	f.now_us += 100000;
	receive(&f, server, &first); /* 300 ms under way */
	assert_int_equal(f.in.rtt_us, RTO_US + 100000);
	receive(&f, server, &second);
	assert_int_equal(f.in.rtt_us, 100000);
}

static void only_requests_that_were_sent_lately_have_answers(void **state)
{
	struct fixture f, ahead;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	start(&ahead, INTRODUCE_UDP);
	open_up(&ahead);
	struct stun_message m = request(&f);
	struct stun_id first = m.id;
	step_timer(&ahead);
	m = request(&ahead); /* the same seed: the second request of both */
	write_news(&w, STUN_SUCCESS, &m.id, "session", true);
	receive(&f, server, &w);
	assert_int_equal(f.in.rtt_us, NEVER);
	receive(&ahead, server, &w);
	assert_int_equal(ahead.in.state, INTRODUCE_READY);

	for (unsigned i = 0; i < INTRODUCE_IN_FLIGHT_MAX; i++)
		step_timer(&f);
	write_news(&w, STUN_SUCCESS, &first, "session", true);
	receive(&f, server, &w);
	assert_int_equal(f.in.rtt_us, NEVER);
	assert_int_equal(f.in.state, INTRODUCE_WAITING);
}

static void once_closed_it_does_nothing_more(void **state)
{
	struct fixture f;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	f.out.count = 0;
	introduce_close(&f.in, &f.out);
	assert_int_equal(f.out.count, 1);
	assert_int_equal(f.out.items[0].kind, ACTION_CLOSE);
	f.now_us += 20 * SECOND_US;
	step(&f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f.out.count, 0);
	assert_int_equal(f.wake_us, NEVER);
	assert_int_equal(f.in.state, INTRODUCE_WAITING);
}

static void the_word_to_start_makes_it_ready(void **state)
{
	struct fixture f;
	struct stun_id id = stun_id_make((const uint8_t *)"anything goes");
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	write_news(&w, STUN_INDICATION, &id, "session", true);
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_READY);
	assert_true(endpoint_equal(f.in.observed, outside));
	assert_true(endpoint_equal(f.in.peer[0], peer));
}

static void nobody_else_can_make_it_ready(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	struct stun_message m = request(&f);
	struct stun_id id = m.id, wrong = m.id;

	write_news(&w, STUN_SUCCESS, &id, "session", true);
	receive(&f, (struct endpoint){ server.addr, 3479 }, &w);
	receive(&f, (struct endpoint){ peer.addr, server.port }, &w);
	write_news(&w, STUN_INDICATION, &id, "session", true);
	receive(&f, peer, &w);
	write_news(&w, STUN_INDICATION, &id, "session2", true);
	receive(&f, server, &w);
	write_news(&w, STUN_INDICATION, &id, "sess", true);
	receive(&f, server, &w);
	write_news(&w, STUN_INDICATION, &id, "sessioM", true);
	receive(&f, server, &w);
	for (size_t i = 0; i < STUN_ID_SIZE; i++) {
		wrong = id;
		wrong.bytes[i] ^= 1;
		write_news(&w, STUN_SUCCESS, &wrong, "session", true);
		receive(&f, server, &w);
	}
	write_news(&w, STUN_REQUEST, &id, "session", true);
	receive(&f, server, &w);
	write_news(&w, STUN_SUCCESS, &id, "session", true);
	stun_add(&w, 0x7fff, "", 0); /* RFC 8489, section 6.3.3 */
	receive(&f, server, &w);
	w.len--;
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_WAITING);
	assert_true(endpoint_is_none(f.in.observed));
	assert_int_equal(f.in.rtt_us, NEVER);
}

static void candidates_are_given_once_and_without_holes(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	struct stun_message m = request(&f);
	stun_begin(&w, STUN_SUCCESS, STUN_INTRODUCE, &m.id);
	stun_add_xor_address(&w, STUN_XOR_MAPPED_ADDRESS, outside);
	stun_add_xor_address(&w, STUN_PEER_OBSERVED, peer);
	stun_add_xor_address(&w, STUN_PEER_LOCAL, peer);
	stun_add_xor_address(&w, STUN_PEER_LOCAL, (struct endpoint){ 0x0a020002, 0 });
	stun_add_xor_address(&w, STUN_PEER_LOCAL, peer_local);
	stun_add_xor_address(&w, STUN_PEER_LOCAL, peer_local);
	stun_add_xor_address(&w, STUN_PEER_LOCAL, outside); /* the fifth: over the limit */
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_READY);
	assert_int_equal(f.in.peer_count, 2);
	assert_true(endpoint_equal(f.in.peer[0], peer));
	assert_true(endpoint_equal(f.in.peer[1], peer_local));
}

static void a_peer_without_any_candidate_is_not_there_yet(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	struct stun_message m = request(&f);
	write_news(&w, STUN_SUCCESS, &m.id, "session", false);
	stun_add_xor_address(&w, STUN_PEER_OBSERVED, (struct endpoint){ peer.addr, 0 });
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_WAITING);
	assert_int_equal(f.in.rtt_us, 0);
}

static void the_strategy_gets_the_peers_datagrams_from_the_start(void **state)
{
	struct fixture f;
	struct event event = { .kind = EVENT_DATAGRAM, .socket = SOCKET, .remote = peer };
	struct event closed = { .kind = EVENT_CLOSED, .socket = SOCKET };
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	assert_false(introduce_is_for(&f.in, &event));
	event.remote = server;
	assert_true(introduce_is_for(&f.in, &event));
	assert_true(introduce_is_for(&f.in, &closed));
	struct stun_message m = request(&f);
	write_news(&w, STUN_SUCCESS, &m.id, "session", true);
	receive(&f, server, &w);
	assert_true(introduce_is_for(&f.in, &event));
	assert_false(introduce_is_for(&f.in, &closed)); /* the socket is the strategy's now */
	event.socket++;
	assert_false(introduce_is_for(&f.in, &event));
	assert_false(introduce_is_for(&f.in, &(struct event){ .kind = EVENT_TIMER }));

	f.out.count = 0;
	introduce_close(&f.in, &f.out);
	assert_int_equal(f.out.count, 0);
	event.socket = SOCKET;
	assert_false(introduce_is_for(&f.in, &event));
}

static void it_gives_up_in_time_and_says_why(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	for (unsigned i = 0; f.in.state == INTRODUCE_WAITING && i < 1000; i++)
		step_timer(&f);
	assert_int_equal(f.in.state, INTRODUCE_FAILED);
	assert_int_equal(f.now_us, 1000 + 10 * SECOND_US);
	assert_string_equal(f.in.reason, "no answer from 203.0.113.1:3478");
	assert_int_equal(f.out.count, 1);
	assert_int_equal(f.out.items[0].kind, ACTION_CLOSE);
	assert_int_equal(f.wake_us, NEVER);

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	struct stun_message m = request(&f);
	write_news(&w, STUN_SUCCESS, &m.id, "session", false);
	receive(&f, server, &w);
	f.now_us += 10 * SECOND_US;
	step(&f, &(struct event){ .kind = EVENT_TIMER });
	assert_string_equal(f.in.reason, "the peer never came to 203.0.113.1:3478");
}

static void it_waits_for_ever_when_told_to(void **state)
{
	struct fixture f;
	struct introduce_config config = default_config(INTRODUCE_UDP);
	(void)state;

	config.give_up_us = 0;
	start_with(&f, config);
	assert_int_equal(f.wake_us, NEVER);
	open_up(&f);
	f.now_us += 1000000u * (uint64_t)SECOND_US;
	step(&f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f.in.state, INTRODUCE_WAITING);
}

static void a_refusal_is_final(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_UDP);
	open_up(&f);
	struct stun_message m = request(&f);
	stun_begin(&w, STUN_ERROR, STUN_INTRODUCE, &m.id);
	stun_add_error(&w, 400, "Bad Request");
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_FAILED);
	assert_string_equal(f.in.reason, "the rendezvous refused with error 400");
	assert_int_equal(f.out.items[0].kind, ACTION_CLOSE);
}

static void a_socket_that_cannot_be_opened_is_final(void **state)
{
	struct fixture f;
	(void)state;

	start(&f, INTRODUCE_UDP);
	step(&f, &(struct event){ .kind = EVENT_CLOSED, .socket = SOCKET, .error = EADDRINUSE });
	assert_int_equal(f.in.state, INTRODUCE_FAILED);
	assert_string_equal(f.in.reason, "cannot open 10.1.0.2:40001: Address already in use");
	assert_int_equal(f.out.count, 0);
	assert_int_equal(f.wake_us, NEVER);
}

/* ---- TCP */

static void a_connection_that_fails_is_tried_again(void **state)
{
	struct fixture f;
	(void)state;

	start(&f, INTRODUCE_TCP);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f.out.items[0].kind, ACTION_TCP_CONNECT);
		assert_true(endpoint_equal(f.out.items[0].local, local));
		assert_true(endpoint_equal(f.out.items[0].remote, server));
		step(&f, &(struct event){
				 .kind = EVENT_CLOSED, .socket = SOCKET, .error = ECONNREFUSED });
		assert_int_equal(f.out.count, 0);
		assert_int_equal(f.wake_us, f.now_us + 200000);
		step_timer(&f);
		assert_int_equal(f.out.count, 1);
	}
	open_up(&f);
	(void)request(&f);
	step(&f, &(struct event){ .kind = EVENT_CLOSED, .socket = SOCKET });
	step_timer(&f);
	assert_int_equal(f.out.items[0].kind, ACTION_TCP_CONNECT);
	f.now_us = 1000 + 10 * SECOND_US;
	step(&f, &(struct event){ .kind = EVENT_TIMER });
	assert_string_equal(f.in.reason,
			    "cannot connect to 203.0.113.1:3478: Connection reset by peer");
	assert_int_equal(f.out.items[0].kind, ACTION_CLOSE);
}

static void over_tcp_the_request_is_sent_once_and_the_answer_comes_in_pieces(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_TCP);
	open_up(&f);
	struct stun_message m = request(&f);
	assert_int_equal(f.wake_us, 1000 + 10 * SECOND_US);
	write_news(&w, STUN_SUCCESS, &m.id, "session", false);
	f.now_us += 5000;
	for (size_t i = 0; i < w.len; i++)
		step(&f,
		     &(struct event){
			     .kind = EVENT_DATA, .socket = SOCKET, .data = w.data + i, .len = 1 });
	assert_int_equal(f.in.rtt_us, 5000);
	assert_true(endpoint_equal(f.in.observed, outside));

	write_news(&w, STUN_INDICATION, &m.id, "session", true);
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_READY);
	assert_int_equal(f.out.count, 0);
	assert_true(
		introduce_is_for(&f.in, &(struct event){ .kind = EVENT_CLOSED, .socket = SOCKET }));

	introduce_close(&f.in, &f.out);
	assert_int_equal(f.out.count, 1);
	assert_int_equal(f.out.items[0].kind, ACTION_CLOSE);
	step(&f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f.out.count, 0);
}

static void a_new_connection_is_a_new_stream(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_TCP);
	open_up(&f);
	step(&f, &(struct event){ .kind = EVENT_DATA,
				  .socket = SOCKET,
				  .data = (const uint8_t *)"\x01\x01\x00",
				  .len = 3 });
	step(&f, &(struct event){ .kind = EVENT_CLOSED, .socket = SOCKET, .error = ECONNRESET });
	step_timer(&f);
	open_up(&f);
	struct stun_message m = request(&f);
	write_news(&w, STUN_SUCCESS, &m.id, "session", true);
	receive(&f, server, &w);
	assert_int_equal(f.in.state, INTRODUCE_READY);
}

static void a_stream_that_is_not_stun_is_left_and_tried_again(void **state)
{
	struct fixture f;
	(void)state;

	start(&f, INTRODUCE_TCP);
	open_up(&f);
	step(&f, &(struct event){ .kind = EVENT_DATA,
				  .socket = SOCKET,
				  .data = (const uint8_t *)"HTTP/1.1",
				  .len = 8 });
	assert_int_equal(f.out.count, 1);
	assert_int_equal(f.out.items[0].kind, ACTION_CLOSE);
	step_timer(&f);
	assert_int_equal(f.out.items[0].kind, ACTION_TCP_CONNECT);
	assert_int_equal(f.in.state, INTRODUCE_WAITING);
}

static void a_connection_that_ends_after_the_word_is_no_failure(void **state)
{
	struct fixture f;
	struct stun_writer w;
	(void)state;

	start(&f, INTRODUCE_TCP);
	open_up(&f);
	struct stun_message m = request(&f);
	write_news(&w, STUN_SUCCESS, &m.id, "session", true);
	receive(&f, server, &w);
	step(&f, &(struct event){ .kind = EVENT_CLOSED, .socket = SOCKET });
	assert_int_equal(f.in.state, INTRODUCE_READY);
	assert_int_equal(f.wake_us, NEVER);
	introduce_close(&f.in, &f.out);
	assert_int_equal(f.out.count, 0);
}

/* ---- with the real rendezvous */

static void serve(struct rendezvous *r, uint64_t now_us, const struct event *event,
		  struct actions *ret_out)
{
	ret_out->count = 0;
	ret_out->used = 0;
	(void)rendezvous_step(r, now_us, event, ret_out);
}

/* What the client sent arrives at the rendezvous as if from there. */
static void pass_on(struct rendezvous *r, const struct fixture *f, uint32_t connection,
		    struct endpoint from, struct actions *ret_out)
{
	const struct action *a = &f->out.items[0];
	bool tcp = a->kind == ACTION_TCP_SEND;

	assert_int_equal(f->out.count, 1);
	serve(r, f->now_us,
	      &(struct event){ .kind = tcp ? EVENT_DATA : EVENT_DATAGRAM,
			       .socket = tcp ? connection : RENDEZVOUS_UDP,
			       .remote = from,
			       .data = f->out.bytes + a->at,
			       .len = a->len },
	      ret_out);
}

static void pass_back(struct fixture *f, const struct actions *sent, size_t i)
{
	const struct action *a = &sent->items[i];

	assert_in_range(i, 0, sent->count - 1);
	step(f, &(struct event){ .kind = a->kind == ACTION_TCP_SEND ? EVENT_DATA : EVENT_DATAGRAM,
				 .socket = SOCKET,
				 .remote = server,
				 .data = sent->bytes + a->at,
				 .len = a->len });
}

static void introduce_two(enum introduce_transport transport)
{
	struct rendezvous *r = malloc(sizeof(*r));
	struct actions sent;
	struct fixture a, b;
	struct introduce_config config = default_config(transport);

	assert_non_null(r);
	rendezvous_init(r, &(struct rendezvous_config){
				   { server.addr, server.addr + 1 }, { server.port, 3479 }, 1 });
	serve(r, 0, &(struct event){ .kind = EVENT_START }, &sent);
	for (uint32_t i = 0; i < 2; i++)
		serve(r, 0,
		      &(struct event){ .kind = EVENT_ACCEPTED,
				       .socket = i == 0 ? CONN_A : CONN_B,
				       .listener = RENDEZVOUS_LISTENER,
				       .remote = i == 0 ? outside : peer },
		      &sent);
	start_with(&a, config);
	config.role = 'b';
	start_with(&b, config);

	open_up(&a);
	pass_on(r, &a, CONN_A, outside, &sent);
	assert_int_equal(sent.count, 1);
	pass_back(&a, &sent, 0);
	assert_int_equal(a.in.state, INTRODUCE_WAITING);
	open_up(&b);
	pass_on(r, &b, CONN_B, peer, &sent);
	assert_int_equal(sent.count, 2);
	pass_back(&b, &sent, 0);
	pass_back(&a, &sent, 1);
	assert_int_equal(a.in.state, INTRODUCE_READY);
	assert_int_equal(b.in.state, INTRODUCE_READY);
	assert_true(endpoint_equal(a.in.observed, outside));
	assert_true(endpoint_equal(b.in.observed, peer));
	assert_true(endpoint_equal(a.in.peer[0], peer));
	assert_true(endpoint_equal(b.in.peer[0], outside));
	assert_int_equal(a.in.peer_count, 3);
	free(r);
}

static void two_clients_are_introduced_over_udp(void **state)
{
	(void)state;
	introduce_two(INTRODUCE_UDP);
}

static void two_clients_are_introduced_over_tcp(void **state)
{
	(void)state;
	introduce_two(INTRODUCE_TCP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_says_who_and_where),
		cmocka_unit_test(over_udp_the_request_is_repeated_until_the_peer_is_known),
		cmocka_unit_test(every_answer_is_timed_by_its_own_request),
		cmocka_unit_test(only_requests_that_were_sent_lately_have_answers),
		cmocka_unit_test(once_closed_it_does_nothing_more),
		cmocka_unit_test(the_word_to_start_makes_it_ready),
		cmocka_unit_test(nobody_else_can_make_it_ready),
		cmocka_unit_test(candidates_are_given_once_and_without_holes),
		cmocka_unit_test(a_peer_without_any_candidate_is_not_there_yet),
		cmocka_unit_test(the_strategy_gets_the_peers_datagrams_from_the_start),
		cmocka_unit_test(it_gives_up_in_time_and_says_why),
		cmocka_unit_test(it_waits_for_ever_when_told_to),
		cmocka_unit_test(a_refusal_is_final),
		cmocka_unit_test(a_socket_that_cannot_be_opened_is_final),
		cmocka_unit_test(a_connection_that_fails_is_tried_again),
		cmocka_unit_test(over_tcp_the_request_is_sent_once_and_the_answer_comes_in_pieces),
		cmocka_unit_test(a_new_connection_is_a_new_stream),
		cmocka_unit_test(a_stream_that_is_not_stun_is_left_and_tried_again),
		cmocka_unit_test(a_connection_that_ends_after_the_word_is_no_failure),
		cmocka_unit_test(two_clients_are_introduced_over_udp),
		cmocka_unit_test(two_clients_are_introduced_over_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

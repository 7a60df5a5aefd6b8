// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/rendezvous.h"

#define SECOND_US 1000000u

#define ADDR_1 0xcb007101u /* 203.0.113.1 */
#define ADDR_2 0xcb007102u
#define PORT_1 3478u
#define PORT_2 3479u

static const struct endpoint alice = { 0xc6336401, 40001 }; /* 198.51.100.1 */
static const struct endpoint bob = { 0xc6336402, 40002 };

/* A rendezvous, and what its last step asked for. */
struct fixture {
	struct rendezvous r;
	struct actions out;
	uint64_t now_us, wake_us;
};

static void step(struct fixture *f, const struct event *event)
{
	f->out.count = 0;
	f->out.used = 0;
	f->wake_us = rendezvous_step(&f->r, f->now_us, event, &f->out);
	assert_true(f->wake_us > f->now_us || f->out.count == ACTIONS_MAX);
}

static void start(struct fixture *f, struct rendezvous_config config)
{
	rendezvous_init(&f->r, &config);
	f->now_us = 7;
	step(f, &(struct event){ .kind = EVENT_START });
	struct actions opened = f->out;
	for (size_t i = 0; i < opened.count; i++) {
		assert_false(rendezvous_is_open(&f->r));
		step(f, &(struct event){ .kind = EVENT_OPENED,
					 .socket = opened.items[i].socket,
					 .local = opened.items[i].local });
	}
	assert_true(rendezvous_is_open(&f->r));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	start(f, (struct rendezvous_config){ { ADDR_1, ADDR_2 }, { PORT_1, PORT_2 }, 1 });
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* ---- messages */

static const uint8_t transaction[] = "transaction!";

static void begin(struct stun_writer *w, uint16_t method)
{
	struct stun_id id = stun_id_make(transaction);

	stun_begin(w, STUN_REQUEST, method, &id);
}

static void send_udp(struct fixture *f, uint32_t socket, struct endpoint from,
		     const struct stun_writer *w)
{
	step(f, &(struct event){ .kind = EVENT_DATAGRAM,
				 .socket = socket,
				 .remote = from,
				 .data = w->data,
				 .len = w->len });
}

static void send_tcp(struct fixture *f, uint32_t socket, const void *data, size_t len)
{
	step(f, &(struct event){ .kind = EVENT_DATA, .socket = socket, .data = data, .len = len });
}

static void accept_from(struct fixture *f, uint32_t socket, uint32_t listener, struct endpoint from)
{
	step(f, &(struct event){ .kind = EVENT_ACCEPTED,
				 .socket = socket,
				 .listener = listener,
				 .remote = from });
}

/* Action number i is a message on that socket (to that endpoint, over UDP). */
static struct stun_message sent(const struct fixture *f, size_t i, uint32_t socket,
				struct endpoint to)
{
	struct stun_message m;

	assert_in_range(i, 0, f->out.count - 1);
	const struct action *a = &f->out.items[i];
	assert_int_equal(a->kind, socket < 4 ? ACTION_UDP_SEND : ACTION_TCP_SEND);
	assert_int_equal(a->socket, socket);
	assert_true(socket >= 4 || endpoint_equal(a->remote, to));
	assert_true(stun_read(f->out.bytes + a->at, a->len, &m));
	return m;
}

static void assert_address(const struct stun_message *m, uint16_t type, uint32_t addr,
			   uint16_t port)
{
	struct endpoint ep;

	assert_true(stun_get_address(m, type, &ep));
	assert_int_equal(ep.addr, addr);
	assert_int_equal(ep.port, port);
}

static void assert_xor_address(const struct stun_message *m, uint16_t type, struct endpoint wanted)
{
	struct endpoint ep;

	assert_true(stun_get_xor_address(m, type, &ep));
	assert_int_equal(ep.addr, wanted.addr);
	assert_int_equal(ep.port, wanted.port);
}

static bool has(const struct stun_message *m, uint16_t type)
{
	const uint8_t *value;
	size_t len;

	return stun_get(m, type, &value, &len);
}

/* The only action is an error answer with that code; for 420, it lists those attributes. */
static void assert_refused(const struct fixture *f, uint32_t socket, struct endpoint to,
			   unsigned wanted, const char *listed, size_t listed_len)
{
	struct stun_message m = sent(f, 0, socket, to);
	const uint8_t *value;
	unsigned code;
	size_t len;

	assert_int_equal(f->out.count, 1);
	assert_int_equal(m.class, STUN_ERROR);
	assert_true(stun_get_error(&m, &code));
	assert_int_equal(code, wanted);
	assert_int_equal(stun_get(&m, STUN_UNKNOWN_ATTRIBUTES, &value, &len), listed != NULL);
	if (listed != NULL) {
		assert_int_equal(len, listed_len);
		assert_memory_equal(value, listed, len);
	}
}

/* ---- opening */

static void it_opens_two_addresses_and_two_ports_over_udp_and_tcp(void **state)
{
	struct fixture *f = *state;
	unsigned seen = 0;

	rendezvous_init(&f->r,
			&(struct rendezvous_config){ { ADDR_1, ADDR_2 }, { PORT_1, PORT_2 }, 1 });
	step(f, &(struct event){ .kind = EVENT_START });
	assert_int_equal(f->out.count, 8);
	for (size_t i = 0; i < 8; i++) {
		const struct action *a = &f->out.items[i];

		assert_int_equal(a->kind, a->socket < 4 ? ACTION_UDP_OPEN : ACTION_TCP_LISTEN);
		assert_int_equal(a->local.addr, a->socket / 2 % 2 == 0 ? ADDR_1 : ADDR_2);
		assert_int_equal(a->local.port, a->socket % 2 == 0 ? PORT_1 : PORT_2);
		seen |= 1u << a->socket;
	}
	assert_int_equal(seen, 0xff);
}

static void a_socket_that_cannot_be_opened_ends_it(void **state)
{
	struct fixture *f = *state;

	step(f, &(struct event){ .kind = EVENT_CLOSED, .socket = 6, .error = EADDRINUSE });
	assert_int_equal(f->out.count, 1);
	assert_int_equal(f->out.items[0].kind, ACTION_DONE);
	assert_int_equal(f->out.items[0].status, 1);
	assert_int_equal(f->r.error, EADDRINUSE);
	assert_true(f->r.failed_tcp);
	assert_true(endpoint_equal(f->r.failed, (struct endpoint){ ADDR_2, PORT_1 }));
}

/* ---- Binding */

static void binding_tells_both_kinds_of_mapped_address_and_the_other_address(void **state)
{
	struct fixture *f = *state;
	struct stun_id id = stun_id_make(transaction);
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	for (uint32_t at = 0; at < 4; at++) {
		send_udp(f, at, alice, &w);
		assert_int_equal(f->out.count, 1);
		struct stun_message m = sent(f, 0, at, alice);
		uint32_t addr = at < 2 ? ADDR_1 : ADDR_2, other_addr = at < 2 ? ADDR_2 : ADDR_1;
		uint16_t port = at % 2 == 0 ? PORT_1 : PORT_2,
			 other_port = at % 2 == 0 ? PORT_2 : PORT_1;

		assert_int_equal(m.class, STUN_SUCCESS);
		assert_int_equal(m.method, STUN_BINDING);
		assert_true(stun_id_equal(&m.id, &id));
		assert_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, alice);
		assert_address(&m, STUN_MAPPED_ADDRESS, alice.addr, alice.port);
		assert_address(&m, STUN_RESPONSE_ORIGIN, addr, port);
		assert_address(&m, STUN_OTHER_ADDRESS, other_addr, other_port);
		assert_false(has(&m, STUN_CHANGED_ADDRESS));
		assert_false(has(&m, STUN_FINGERPRINT));
	}
}

static void change_request_decides_where_the_answer_comes_from(void **state)
{
	struct fixture *f = *state;

	for (uint32_t at = 0; at < 4; at++)
		for (uint32_t flags = 0; flags < 8; flags += 2) {
			struct stun_writer w;
			uint32_t from = at;

			if ((flags & STUN_CHANGE_IP) != 0)
				from = (from + 2) % 4;
			if ((flags & STUN_CHANGE_PORT) != 0)
				from = from % 2 == 0 ? from + 1 : from - 1;
			begin(&w, STUN_BINDING);
			stun_add_u32(&w, STUN_CHANGE_REQUEST, flags);
			send_udp(f, at, alice, &w);
			assert_int_equal(f->out.count, 1);
			struct stun_message m = sent(f, 0, from, alice);
			assert_address(&m, STUN_RESPONSE_ORIGIN, from < 2 ? ADDR_1 : ADDR_2,
				       from % 2 == 0 ? PORT_1 : PORT_2);
			/* RFC 5780, table 1: relative to where the request came to. */
			assert_address(&m, STUN_OTHER_ADDRESS, at < 2 ? ADDR_2 : ADDR_1,
				       at % 2 == 0 ? PORT_2 : PORT_1);
		}
}

static void response_port_sends_the_answer_to_another_port_of_the_same_address(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	stun_add_u16(&w, STUN_RESPONSE_PORT, 12345);
	send_udp(f, 0, alice, &w);
	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, 0, (struct endpoint){ alice.addr, 12345 });
	assert_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, alice);
}

static void malformed_wishes_are_refused(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	stun_add_u16(&w, STUN_RESPONSE_PORT, 0);
	send_udp(f, 0, alice, &w);
	assert_refused(f, 0, alice, 400, NULL, 0);
	begin(&w, STUN_BINDING);
	stun_add(&w, STUN_RESPONSE_PORT, "abc", 3);
	send_udp(f, 0, alice, &w);
	assert_refused(f, 0, alice, 400, NULL, 0);
	begin(&w, STUN_BINDING);
	stun_add(&w, STUN_CHANGE_REQUEST, "\x06\x06", 2);
	send_udp(f, 3, alice, &w);
	assert_refused(f, 3, alice, 400, NULL, 0);
}

static void a_fingerprint_is_answered_with_one(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	stun_add_fingerprint(&w);
	send_udp(f, 0, alice, &w);
	struct stun_message m = sent(f, 0, 0, alice);
	assert_true(has(&m, STUN_FINGERPRINT));
}

static void a_classic_client_gets_the_attributes_of_rfc_3489_and_its_own_id(void **state)
{
	struct fixture *f = *state;

	for (uint32_t flags = 0; flags < 8; flags += 2) {
		struct stun_id id;
		struct stun_writer w;
		uint32_t from = flags / 2;

		memcpy(id.bytes, "sixteen bytes ID", STUN_ID_SIZE);
		stun_begin(&w, STUN_REQUEST, STUN_BINDING, &id);
		stun_add_u32(&w, STUN_CHANGE_REQUEST, flags);
		send_udp(f, 0, alice, &w);
		assert_int_equal(f->out.count, 1);
		struct stun_message m = sent(f, 0, from, alice);
		assert_true(stun_id_equal(&m.id, &id));
		assert_address(&m, STUN_MAPPED_ADDRESS, alice.addr, alice.port);
		assert_address(&m, STUN_SOURCE_ADDRESS, from < 2 ? ADDR_1 : ADDR_2,
			       from % 2 == 0 ? PORT_1 : PORT_2);
		assert_address(&m, STUN_CHANGED_ADDRESS, ADDR_2, PORT_2);
		assert_int_equal(m.attributes_len, 3 * 12);
	}
}

static void classic_clients_know_nothing_of_our_methods(void **state)
{
	struct fixture *f = *state;
	struct stun_id id = { "sixteen bytes I" };
	struct stun_writer w;

	stun_begin(&w, STUN_REQUEST, STUN_INTRODUCE, &id);
	send_udp(f, 0, alice, &w);
	assert_int_equal(f->out.count, 0);
}

static void unknown_attributes_are_refused_and_listed(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	stun_add(&w, 0x7778, "x", 1);
	stun_add(&w, 0x8777, "optional", 8);
	stun_add(&w, 0x0002, "addresss", 8); /* RESPONSE-ADDRESS of RFC 3489: an amplifier */
	send_udp(f, 2, alice, &w);
	assert_refused(f, 2, alice, 420, "\x77\x78\x00\x02", 4);
}

static void any_number_of_unknown_attributes_gets_an_answer_that_fits(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	for (uint16_t type = 0x6000; w.len + 4 <= STUN_MESSAGE_MAX; type++)
		stun_add(&w, type, "", 0);
	send_udp(f, 0, alice, &w);
	assert_int_equal(f->out.count, 1);
	(void)sent(f, 0, 0, alice);
	assert_true(f->out.items[0].len < w.len);
}

static void without_a_second_address_nothing_of_rfc_5780_is_offered(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	start(f, (struct rendezvous_config){ { ADDR_1, 0 }, { PORT_1, PORT_2 }, 1 });
	assert_int_equal(f->r.wanted, 4);
	begin(&w, STUN_BINDING);
	send_udp(f, 0, alice, &w);
	struct stun_message m = sent(f, 0, 0, alice);
	assert_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, alice);
	assert_false(has(&m, STUN_OTHER_ADDRESS));
	assert_false(has(&m, STUN_RESPONSE_ORIGIN));

	for (uint32_t flags = 0; flags < 8; flags += 2) {
		begin(&w, STUN_BINDING);
		stun_add_u32(&w, STUN_CHANGE_REQUEST, flags);
		send_udp(f, 0, alice, &w);
		assert_refused(f, 0, alice, 420, "\x00\x03", 2);
	}
}

static void what_is_no_request_for_a_known_method_is_met_with_silence(void **state)
{
	struct fixture *f = *state;
	struct stun_id id = stun_id_make(transaction);
	struct stun_writer w;

	for (unsigned class = STUN_INDICATION; class <= STUN_ERROR; class ++) {
		stun_begin(&w, (enum stun_class) class, STUN_BINDING, &id);
		send_udp(f, 0, alice, &w);
		assert_int_equal(f->out.count, 0);
	}
	for (uint16_t method = 0; method <= 0xfff; method++) {
		if (method == STUN_BINDING || method == STUN_INTRODUCE ||
		    method == STUN_CONNECT_BACK)
			continue;
		begin(&w, method);
		send_udp(f, 0, alice, &w);
		assert_int_equal(f->out.count, 0);
	}
	begin(&w, STUN_BINDING);
	w.len--;
	send_udp(f, 0, alice, &w);
	assert_int_equal(f->out.count, 0);
	w.len++;
	send_udp(f, 0, (struct endpoint){ alice.addr, 0 }, &w);
	assert_int_equal(f->out.count, 0);
}

/* ---- INTRODUCE */

static const struct endpoint alice_local = { 0x0a010002, 40001 }; /* 10.1.0.2 */
static const struct endpoint bob_local = { 0x0a020002, 40002 };

static void introduce(struct stun_writer *w, const char *session, char role, struct endpoint local)
{
	begin(w, STUN_INTRODUCE);
	stun_add(w, STUN_SESSION, session, strlen(session));
	stun_add(w, STUN_ROLE, &role, 1);
	stun_add_xor_address(w, STUN_LOCAL_ENDPOINT, local);
}

static void register_udp(struct fixture *f, uint32_t socket, const char *session, char role)
{
	struct stun_writer w;

	introduce(&w, session, role, role == 'a' ? alice_local : bob_local);
	send_udp(f, socket, role == 'a' ? alice : bob, &w);
}

static void assert_introduction(const struct stun_message *m, enum stun_class class,
				const char *session, struct endpoint self, struct endpoint peer,
				struct endpoint peer_local)
{
	const uint8_t *value;
	size_t len;

	assert_int_equal(m->class, class);
	assert_int_equal(m->method, STUN_INTRODUCE);
	assert_true(stun_get(m, STUN_SESSION, &value, &len));
	assert_int_equal(len, strlen(session));
	assert_memory_equal(value, session, len);
	assert_xor_address(m, STUN_XOR_MAPPED_ADDRESS, self);
	if (endpoint_is_none(peer)) {
		assert_false(has(m, STUN_PEER_OBSERVED));
		assert_false(has(m, STUN_PEER_LOCAL));
		return;
	}
	assert_xor_address(m, STUN_PEER_OBSERVED, peer);
	assert_xor_address(m, STUN_PEER_LOCAL, peer_local);
}

static void the_second_peer_is_answered_and_the_first_one_told(void **state)
{
	struct fixture *f = *state;
	struct endpoint none = { 0, 0 };

	register_udp(f, 0, "s", 'a');
	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, 0, alice);
	assert_introduction(&m, STUN_SUCCESS, "s", alice, none, none);

	register_udp(f, 3, "s", 'b');
	assert_int_equal(f->out.count, 2);
	m = sent(f, 0, 3, bob);
	assert_introduction(&m, STUN_SUCCESS, "s", bob, alice, alice_local);
	m = sent(f, 1, 0, alice); /* from where it asked, so that its router lets it in */
	assert_introduction(&m, STUN_INDICATION, "s", alice, bob, bob_local);
}

static void a_repeated_request_is_answered_but_tells_the_peer_nothing_new(void **state)
{
	struct fixture *f = *state;

	register_udp(f, 0, "s", 'a');
	register_udp(f, 0, "s", 'b');
	register_udp(f, 0, "s", 'a');
	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, 0, alice);
	assert_introduction(&m, STUN_SUCCESS, "s", alice, bob, bob_local);
}

static void another_registration_of_a_role_replaces_it_and_is_news(void **state)
{
	struct fixture *f = *state;
	const struct endpoint moved = { 0xc6336463, 999 };
	struct stun_writer w;

	register_udp(f, 0, "s", 'a');
	register_udp(f, 0, "s", 'b');
	introduce(&w, "s", 'a', alice_local);
	send_udp(f, 0, moved, &w);
	assert_int_equal(f->out.count, 2);
	struct stun_message m = sent(f, 0, 0, moved);
	assert_introduction(&m, STUN_SUCCESS, "s", moved, bob, bob_local);
	m = sent(f, 1, 0, bob);
	assert_introduction(&m, STUN_INDICATION, "s", bob, moved, alice_local);

	introduce(&w, "s", 'a', bob_local);
	send_udp(f, 0, moved, &w);
	assert_int_equal(f->out.count, 2);
	m = sent(f, 1, 0, bob);
	assert_introduction(&m, STUN_INDICATION, "s", bob, moved, bob_local);
}

static void sessions_of_other_names_and_transports_are_strangers(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	register_udp(f, 0, "s", 'a');
	register_udp(f, 0, "t", 'b');
	assert_int_equal(f->out.count, 1);
	register_udp(f, 0, "ss", 'b');
	assert_int_equal(f->out.count, 1);
	accept_from(f, SOCKET_ACCEPTED, 4, bob);
	introduce(&w, "s", 'b', bob_local);
	send_tcp(f, SOCKET_ACCEPTED, w.data, w.len);
	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, SOCKET_ACCEPTED, bob);
	assert_false(has(&m, STUN_PEER_OBSERVED));
}

static void a_session_without_requests_is_forgotten_after_a_minute(void **state)
{
	struct fixture *f = *state;

	register_udp(f, 0, "s", 'a');
	register_udp(f, 0, "t", 'a');
	f->now_us += SESSION_IDLE_US - 1;
	register_udp(f, 0, "s", 'b');
	assert_int_equal(f->out.count, 2);
	f->now_us += 1;
	register_udp(f, 0, "t", 'b');
	assert_int_equal(f->out.count, 1);
}

static void a_new_session_takes_the_place_of_the_oldest(void **state)
{
	struct fixture *f = *state;
	char name[] = "session 0000";

	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		memcpy(name + 8,
		       (const char[]){ (char)('a' + i / 256), (char)('a' + i / 16 % 16),
				       (char)('a' + i % 16), 'x' },
		       4);
		register_udp(f, 0, name, 'a');
		f->now_us++;
	}
	register_udp(f, 0, "session aaax", 'a'); /* now the second is the oldest */
	register_udp(f, 0, "one more", 'a');
	register_udp(f, 0, "session aaax", 'b');
	assert_int_equal(f->out.count, 2);
	register_udp(f, 0, "session aacx", 'b');
	assert_int_equal(f->out.count, 2);
	register_udp(f, 0, "session aabx", 'b');
	assert_int_equal(f->out.count, 1);
}

static void malformed_introductions_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char long_session[STUN_SESSION_MAX + 1];
	struct stun_writer w;

	for (unsigned kind = 0; kind < 7; kind++) {
		begin(&w, STUN_INTRODUCE);
		if (kind != 0)
			stun_add(&w, STUN_SESSION, long_session,
				 kind == 1   ? 0
				 : kind == 2 ? 65
					     : 64);
		if (kind != 3)
			stun_add(&w, STUN_ROLE, kind == 4 ? "c" : "ab", kind == 5 ? 2 : 1);
		for (unsigned i = 0; kind == 6 && i <= STUN_LOCAL_ENDPOINTS_MAX; i++)
			stun_add_xor_address(&w, STUN_LOCAL_ENDPOINT, alice_local);
		send_udp(f, 0, alice, &w);
		assert_refused(f, 0, alice, 400, NULL, 0);
	}
}

static void the_largest_introduction_fits(void **state)
{
	struct fixture *f = *state;
	static const char session[STUN_SESSION_MAX];
	struct endpoint locals[STUN_LOCAL_ENDPOINTS_MAX + 1];
	struct stun_writer w;

	for (unsigned role = 0; role < 2; role++) {
		begin(&w, STUN_INTRODUCE);
		stun_add(&w, STUN_SESSION, session, STUN_SESSION_MAX);
		stun_add(&w, STUN_ROLE, role == 0 ? "a" : "b", 1);
		for (uint16_t i = 0; i < STUN_LOCAL_ENDPOINTS_MAX; i++)
			stun_add_xor_address(&w, STUN_LOCAL_ENDPOINT, (struct endpoint){ 9, i });
		stun_add_fingerprint(&w);
		send_udp(f, 0, role == 0 ? alice : bob, &w);
	}
	assert_int_equal(f->out.count, 2);
	for (size_t i = 0; i < 2; i++) {
		struct stun_message m = sent(f, i, 0, i == 0 ? bob : alice);

		assert_int_equal(stun_get_xor_addresses(&m, STUN_PEER_LOCAL, locals, 5), 4);
		for (uint16_t n = 0; n < 4; n++)
			assert_true(endpoint_equal(locals[n], (struct endpoint){ 9, n }));
		assert_true(has(&m, STUN_FINGERPRINT));
	}
}

/* ---- TCP */

#define CONN (SOCKET_ACCEPTED + 5)

static void binding_over_tcp_works_byte_by_byte_and_in_one_piece(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;
	uint8_t three[3 * STUN_MESSAGE_MAX];

	begin(&w, STUN_BINDING);
	accept_from(f, CONN, 7, alice);
	for (size_t i = 0; i < w.len; i++) {
		send_tcp(f, CONN, w.data + i, 1);
		assert_int_equal(f->out.count, i + 1 == w.len ? 1 : 0);
	}
	struct stun_message m = sent(f, 0, CONN, alice);
	assert_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, alice);
	assert_address(&m, STUN_RESPONSE_ORIGIN, ADDR_2, PORT_2);
	assert_address(&m, STUN_OTHER_ADDRESS, ADDR_1, PORT_1);

	for (size_t i = 0; i < 3; i++)
		memcpy(three + i * w.len, w.data, w.len);
	send_tcp(f, CONN, three, 3 * w.len);
	assert_int_equal(f->out.count, 3);
	send_tcp(f, CONN, three, 2 * w.len + 3);
	assert_int_equal(f->out.count, 2);
	send_tcp(f, CONN, three + 3, w.len - 3);
	assert_int_equal(f->out.count, 1);
}

static void over_tcp_an_answer_cannot_come_from_or_go_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	accept_from(f, CONN, 4, alice);
	begin(&w, STUN_BINDING);
	stun_add_u32(&w, STUN_CHANGE_REQUEST, STUN_CHANGE_PORT);
	stun_add_u16(&w, STUN_RESPONSE_PORT, 99);
	send_tcp(f, CONN, w.data, w.len);
	assert_refused(f, CONN, alice, 420, "\x00\x03\x00\x27", 4);
}

static void a_client_that_does_not_speak_stun_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	accept_from(f, CONN, 4, alice);
	send_tcp(f, CONN, "GET / HTTP/1.1\r\n", 16);
	assert_int_equal(f->out.count, 1);
	assert_int_equal(f->out.items[0].kind, ACTION_ABORT);
	assert_int_equal(f->out.items[0].socket, CONN);
	begin(&w, STUN_BINDING);
	send_tcp(f, CONN, w.data, w.len);
	assert_int_equal(f->out.count, 0);
}

static void a_flood_in_one_piece_is_cut_off_and_overruns_nothing(void **state)
{
	struct fixture *f = *state;
	static uint8_t flood[200 * STUN_HEADER_SIZE];
	struct stun_writer w;

	begin(&w, STUN_BINDING);
	for (size_t i = 0; i < 200; i++)
		memcpy(flood + i * w.len, w.data, w.len);
	accept_from(f, CONN, 4, alice);
	send_tcp(f, CONN, flood, 40 * w.len);
	assert_int_equal(f->out.count, 40);
	send_tcp(f, CONN, flood, sizeof(flood));
	assert_int_equal(f->out.items[f->out.count - 1].kind, ACTION_ABORT);
	assert_null(connection_table_find(&f->r.connections, CONN));
}

static void peers_are_introduced_over_tcp(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	accept_from(f, CONN, 4, alice);
	accept_from(f, CONN + 1, 7, bob);
	introduce(&w, "s", 'a', alice_local);
	send_tcp(f, CONN, w.data, w.len);
	introduce(&w, "s", 'b', bob_local);
	send_tcp(f, CONN + 1, w.data, w.len);
	assert_int_equal(f->out.count, 2);
	struct stun_message m = sent(f, 0, CONN + 1, bob);
	assert_introduction(&m, STUN_SUCCESS, "s", bob, alice, alice_local);
	m = sent(f, 1, CONN, alice);
	assert_introduction(&m, STUN_INDICATION, "s", alice, bob, bob_local);
}

static void nobody_is_introduced_to_a_peer_whose_connection_is_gone(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	accept_from(f, CONN, 4, alice);
	accept_from(f, CONN + 1, 4, bob);
	introduce(&w, "s", 'a', alice_local);
	send_tcp(f, CONN, w.data, w.len);
	step(f, &(struct event){ .kind = EVENT_CLOSED, .socket = CONN });
	introduce(&w, "s", 'b', bob_local);
	send_tcp(f, CONN + 1, w.data, w.len);
	assert_int_equal(f->out.count, 1);
	struct stun_message m = sent(f, 0, CONN + 1, bob);
	assert_false(has(&m, STUN_PEER_OBSERVED));
}

static void a_silent_connection_is_closed_after_a_minute(void **state)
{
	struct fixture *f = *state;

	accept_from(f, CONN, 4, alice);
	assert_int_equal(f->wake_us, f->now_us + CONNECTION_IDLE_US);
	f->now_us += SECOND_US;
	accept_from(f, CONN + 1, 4, bob);
	send_tcp(f, CONN, "\0", 1);
	assert_int_equal(f->wake_us, f->now_us + CONNECTION_IDLE_US);
	f->now_us = f->wake_us;
	step(f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f->out.count, 2);
	assert_int_equal(f->out.items[0].kind, ACTION_CLOSE);
	assert_int_equal(f->wake_us, NEVER);
}

static void all_connections_can_expire_at_once(void **state)
{
	struct fixture *f = *state;
	size_t closed = 0;

	for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
		accept_from(f, CONN + i, 4, alice);
	f->now_us += CONNECTION_IDLE_US;
	do {
		step(f, &(struct event){ .kind = EVENT_TIMER });
		closed += f->out.count;
	} while (f->wake_us == f->now_us);
	assert_int_equal(closed, CONNECTIONS_MAX);
}

static void what_one_step_has_no_room_for_is_done_in_the_next(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	begin(&w, STUN_CONNECT_BACK);
	stun_add_u32(&w, STUN_CHANGE_REQUEST, STUN_CHANGE_IP);
	for (uint32_t i = 0; i < ACTIONS_MAX; i++)
		accept_from(f, CONN + i, 4, alice);
	send_tcp(f, CONN, w.data, w.len);
	f->now_us += CONNECTION_IDLE_US;
	step(f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f->out.count, ACTIONS_MAX);
	assert_int_equal(f->wake_us, f->now_us);
	step(f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f->out.count, 1);
	assert_int_equal(f->out.items[0].socket, RENDEZVOUS_BACK);
	assert_int_equal(f->wake_us, NEVER);
}

static void one_connection_too_many_ends_the_one_silent_for_longest(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
		accept_from(f, CONN + i, 4, alice);
		assert_int_equal(f->out.count, 0);
		f->now_us++;
	}
	send_tcp(f, CONN, "\0", 1);
	accept_from(f, CONN + CONNECTIONS_MAX, 4, bob);
	assert_int_equal(f->out.count, 1);
	assert_int_equal(f->out.items[0].kind, ACTION_ABORT);
	assert_int_equal(f->out.items[0].socket, CONN + 1);
	assert_non_null(connection_table_find(&f->r.connections, CONN + CONNECTIONS_MAX));
}

/* ---- CONNECT-BACK */

static void connect_back(struct fixture *f, uint32_t socket, uint32_t flags)
{
	struct stun_writer w;

	begin(&w, STUN_CONNECT_BACK);
	stun_add_u32(&w, STUN_CHANGE_REQUEST, flags);
	send_tcp(f, socket, w.data, w.len);
}

static void connect_back_connects_from_where_it_is_asked_to_the_asker(void **state)
{
	struct fixture *f = *state;

	accept_from(f, CONN, 6, alice); /* the second address, the first port */
	for (uint32_t flags = 2; flags < 8; flags += 2) {
		connect_back(f, CONN, flags);
		assert_int_equal(f->out.count, 2);
		const struct action *a = &f->out.items[0];
		assert_int_equal(a->kind, ACTION_TCP_CONNECT);
		assert_true(endpoint_equal(a->remote, alice));
		assert_int_equal(a->local.addr, (flags & STUN_CHANGE_IP) != 0 ? ADDR_1 : ADDR_2);
		assert_int_equal(a->local.port, (flags & STUN_CHANGE_PORT) != 0 ? PORT_2 : PORT_1);
		assert_in_range(a->socket, RENDEZVOUS_BACK, RENDEZVOUS_BACK + 15);
		struct stun_message m = sent(f, 1, CONN, alice);
		assert_int_equal(m.class, STUN_SUCCESS);
		assert_int_equal(m.method, STUN_CONNECT_BACK);
		assert_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, alice);
	}
}

static void a_connection_back_ends_when_established_refused_or_late(void **state)
{
	struct fixture *f = *state;

	accept_from(f, CONN, 4, alice);
	connect_back(f, CONN, STUN_CHANGE_IP);
	uint32_t first = f->out.items[0].socket;
	connect_back(f, CONN, STUN_CHANGE_PORT);
	uint32_t second = f->out.items[0].socket;
	connect_back(f, CONN, STUN_CHANGE_PORT);
	uint32_t third = f->out.items[0].socket;

	step(f, &(struct event){ .kind = EVENT_CONNECTED, .socket = first });
	assert_int_equal(f->out.count, 1);
	assert_int_equal(f->out.items[0].kind, ACTION_ABORT);
	assert_int_equal(f->out.items[0].socket, first);
	step(f, &(struct event){ .kind = EVENT_CLOSED, .socket = second, .error = ECONNREFUSED });
	assert_int_equal(f->out.count, 0);
	assert_int_equal(f->wake_us, f->now_us + RENDEZVOUS_BACK_US);
	f->now_us = f->wake_us;
	step(f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f->out.count, 1);
	assert_int_equal(f->out.items[0].kind, ACTION_ABORT);
	assert_int_equal(f->out.items[0].socket, third);
}

static void connections_back_are_bounded(void **state)
{
	struct fixture *f = *state;

	accept_from(f, CONN, 4, alice);
	for (unsigned i = 0; i < RENDEZVOUS_BACKS_MAX; i++) {
		connect_back(f, CONN, STUN_CHANGE_IP);
		assert_int_equal(f->out.count, 2);
	}
	connect_back(f, CONN, STUN_CHANGE_IP);
	assert_refused(f, CONN, alice, 500, NULL, 0);
	f->now_us += RENDEZVOUS_BACK_US;
	step(f, &(struct event){ .kind = EVENT_TIMER });
	assert_int_equal(f->out.count, RENDEZVOUS_BACKS_MAX);
	connect_back(f, CONN, STUN_CHANGE_IP);
	assert_int_equal(f->out.count, 2);
}

static void connect_back_is_for_tcp_and_for_a_change(void **state)
{
	struct fixture *f = *state;
	struct stun_writer w;

	accept_from(f, CONN, 4, alice);
	connect_back(f, CONN, 0);
	assert_refused(f, CONN, alice, 400, NULL, 0);
	begin(&w, STUN_CONNECT_BACK);
	send_tcp(f, CONN, w.data, w.len);
	assert_refused(f, CONN, alice, 400, NULL, 0);
	stun_add_u32(&w, STUN_CHANGE_REQUEST, STUN_CHANGE_IP);
	send_udp(f, 0, alice, &w);
	assert_refused(f, 0, alice, 400, NULL, 0);

	start(f, (struct rendezvous_config){ { ADDR_1, 0 }, { PORT_1, 0 }, 1 });
	accept_from(f, CONN, 4, alice);
	connect_back(f, CONN, STUN_CHANGE_IP);
	assert_refused(f, CONN, alice, 420, "\x00\x03", 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_opens_two_addresses_and_two_ports_over_udp_and_tcp),
		TEST(a_socket_that_cannot_be_opened_ends_it),
		TEST(binding_tells_both_kinds_of_mapped_address_and_the_other_address),
		TEST(change_request_decides_where_the_answer_comes_from),
		TEST(response_port_sends_the_answer_to_another_port_of_the_same_address),
		TEST(malformed_wishes_are_refused),
		TEST(a_fingerprint_is_answered_with_one),
		TEST(a_classic_client_gets_the_attributes_of_rfc_3489_and_its_own_id),
		TEST(classic_clients_know_nothing_of_our_methods),
		TEST(unknown_attributes_are_refused_and_listed),
		TEST(any_number_of_unknown_attributes_gets_an_answer_that_fits),
		TEST(without_a_second_address_nothing_of_rfc_5780_is_offered),
		TEST(what_is_no_request_for_a_known_method_is_met_with_silence),
		TEST(the_second_peer_is_answered_and_the_first_one_told),
		TEST(a_repeated_request_is_answered_but_tells_the_peer_nothing_new),
		TEST(another_registration_of_a_role_replaces_it_and_is_news),
		TEST(sessions_of_other_names_and_transports_are_strangers),
		TEST(a_session_without_requests_is_forgotten_after_a_minute),
		TEST(a_new_session_takes_the_place_of_the_oldest),
		TEST(malformed_introductions_are_refused),
		TEST(the_largest_introduction_fits),
		TEST(binding_over_tcp_works_byte_by_byte_and_in_one_piece),
		TEST(over_tcp_an_answer_cannot_come_from_or_go_elsewhere),
		TEST(a_client_that_does_not_speak_stun_is_cut_off),
		TEST(a_flood_in_one_piece_is_cut_off_and_overruns_nothing),
		TEST(peers_are_introduced_over_tcp),
		TEST(nobody_is_introduced_to_a_peer_whose_connection_is_gone),
		TEST(a_silent_connection_is_closed_after_a_minute),
		TEST(all_connections_can_expire_at_once),
		TEST(what_one_step_has_no_room_for_is_done_in_the_next),
		TEST(one_connection_too_many_ends_the_one_silent_for_longest),
		TEST(connect_back_connects_from_where_it_is_asked_to_the_asker),
		TEST(a_connection_back_ends_when_established_refused_or_late),
		TEST(connections_back_are_bounded),
		TEST(connect_back_is_for_tcp_and_for_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

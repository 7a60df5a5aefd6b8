// SPDX-License-Identifier: GPL-2.0-or-later
/* A rendezvous that starts again remembers nothing: it is byte for byte a fresh one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/rendezvous.h"

#define CLIENTS  300u /* more than it has places for connections */
#define SESSIONS 1500u
#define TICKETS  64u

static const struct rendezvous_config config = { .addr = { 0xcb007101, 0xcb007102 },
						 .port = { 3478, 3479 },
						 .seed = 7 };

/* A ticket, and where it was told. */
struct told {
	uint64_t ticket;
	uint32_t socket;
	struct endpoint to;
};

struct fixture {
	struct rendezvous at_work, fresh;
	struct actions out;
	struct prng prng;
	uint64_t now_us;
	uint32_t accepted;
	/* What there was of it. */
	size_t most_connections, most_sessions;
	unsigned answers, backs, failures, relayed;
	struct told tickets[TICKETS]; /* the last ones */
	size_t told;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rendezvous_init(&f->at_work, &config);
	prng_init(&f->prng, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static uint32_t below(struct fixture *f, uint32_t count)
{
	return (uint32_t)prng_below(&f->prng, count);
}

static struct endpoint client(uint32_t i)
{
	return (struct endpoint){ 0xc6336400 + i, (uint16_t)(1000 + i) };
}

/* Keeps the ticket, if it tells one. */
static void look_at(struct fixture *f, const struct action *a)
{
	struct stun_message m;
	uint64_t ticket;

	if (!stun_read(f->out.bytes + a->at, a->len, &m) || !stun_get_u64(&m, STUN_TICKET, &ticket))
		return;
	f->relayed += m.method == STUN_RELAY;
	f->tickets[f->told++ % TICKETS] = (struct told){ ticket, a->socket, a->remote };
}

static void step(struct fixture *f, const struct event *event)
{
	f->out.count = f->out.used = 0;
	(void)rendezvous_step(&f->at_work, f->now_us, event, &f->out);
	for (size_t i = 0; i < f->out.count; i++) {
		enum action_kind kind = f->out.items[i].kind;

		f->answers += kind == ACTION_UDP_SEND || kind == ACTION_TCP_SEND;
		f->backs += kind == ACTION_TCP_CONNECT;
		f->failures += kind == ACTION_DONE;
		if (kind == ACTION_UDP_SEND || kind == ACTION_TCP_SEND)
			look_at(f, &f->out.items[i]);
	}
	if (f->at_work.connections.used > f->most_connections)
		f->most_connections = f->at_work.connections.used;
	if (f->at_work.sessions.used > f->most_sessions)
		f->most_sessions = f->at_work.sessions.used;
}

static void start(struct fixture *f)
{
	step(f, &(struct event){ .kind = EVENT_START });
	for (uint32_t i = 0; i < RENDEZVOUS_BACK; i++)
		step(f, &(struct event){ .kind = EVENT_OPENED, .socket = i });
	assert_true(rendezvous_is_open(&f->at_work));
}

static void make_request(struct fixture *f, struct stun_writer *w)
{
	static const uint16_t methods[] = { STUN_BINDING, STUN_INTRODUCE, STUN_CONNECT_BACK };
	const uint16_t method = methods[below(f, 3)],
		       session = (uint16_t)below(f, below(f, 4) ? SESSIONS : 4);
	const uint8_t role = (uint8_t)('a' + below(f, 2));
	uint8_t note[STUN_NOTE_SIZE] = { (uint8_t)below(f, STUN_NOTE_MAX + 1) };
	const struct stun_id id = stun_id_make((const uint8_t *)"transaction!");

	stun_begin(w, STUN_REQUEST, method, &id);
	if (method == STUN_INTRODUCE) {
		stun_add(w, STUN_SESSION, &session, sizeof(session));
		stun_add(w, STUN_ROLE, &role, 1);
		stun_add_xor_address(w, STUN_LOCAL_ENDPOINT, client(below(f, CLIENTS)));
		note[1] = role;
		if (below(f, 2) == 0)
			stun_add(w, STUN_NOTE, note, sizeof(note));
		stun_add_u32(w, STUN_SEEN, below(f, 3));
	} else {
		stun_add_u32(w, STUN_CHANGE_REQUEST,
			     below(f, 2) * STUN_CHANGE_IP + below(f, 2) * STUN_CHANGE_PORT);
	}
}

/* A whole request, or a piece of one that leaves a stream in the middle. */
static void send_something(struct fixture *f, bool tcp)
{
	struct stun_writer w;
	struct event event = { .kind = EVENT_DATAGRAM,
			       .socket = below(f, RENDEZVOUS_LISTENER),
			       .remote = client(below(f, CLIENTS)) };

	make_request(f, &w);
	event.data = w.data;
	event.len = below(f, 4) == 0 ? below(f, (uint32_t)w.len) : w.len;
	if (tcp) {
		event.kind = EVENT_DATA;
		event.socket = SOCKET_ACCEPTED + below(f, f->accepted + 1);
	}
	step(f, &event);
}

/* From where the ticket was told. */
static void relay_something(struct fixture *f)
{
	const struct told *t = &f->tickets[below(f, TICKETS)];
	const struct stun_id id = stun_id_make((const uint8_t *)"transaction!");
	struct stun_writer w;

	stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
	stun_add_u64(&w, STUN_TICKET, t->ticket);
	stun_add(&w, STUN_DATA, "data", 4);
	step(f,
	     &(struct event){ .kind = t->socket < RENDEZVOUS_LISTENER ? EVENT_DATAGRAM : EVENT_DATA,
			      .socket = t->socket,
			      .remote = t->to,
			      .data = w.data,
			      .len = w.len });
}

static void do_something(struct fixture *f)
{
	f->now_us += below(f, 2000);
	switch (below(f, 8)) {
	case 0:
		step(f, &(struct event){ .kind = EVENT_ACCEPTED,
					 .socket = SOCKET_ACCEPTED + f->accepted++,
					 .listener = RENDEZVOUS_LISTENER + below(f, 4),
					 .remote = client(below(f, CLIENTS)) });
		break;
	case 1:
		step(f, &(struct event){ .kind = below(f, 2) ? EVENT_CONNECTED : EVENT_CLOSED,
					 .socket = RENDEZVOUS_BACK + below(f, RENDEZVOUS_BACKS_MAX),
					 .error = 1 });
		break;
	case 2:
		if (below(f, 8) == 0)
			step(f, &(struct event){ .kind = EVENT_CLOSED,
						 .socket = SOCKET_ACCEPTED +
							   below(f, f->accepted + 1) });
		break;
	case 3:
		relay_something(f);
		break;
	default:
		send_something(f, below(f, 2) == 0);
	}
}

/* Its configuration is compared by fields: what is between them came from its maker. */
static void assert_fresh_after_restart(struct fixture *f, uint64_t seed)
{
	const struct rendezvous_config *is = &f->at_work.config;
	struct rendezvous_config other = config;

	other.seed = seed;
	rendezvous_init(&f->fresh, &other);
	rendezvous_restart(&f->at_work, seed);
	assert_true(is->seed == seed);
	assert_memory_equal(is->addr, config.addr, sizeof(config.addr));
	assert_memory_equal(is->port, config.port, sizeof(config.port));
	memcpy(&f->fresh.config, is, sizeof(*is));
	assert_memory_equal(&f->at_work, &f->fresh, sizeof(f->fresh));
}

static void a_restarted_rendezvous_is_as_a_fresh_one_after_any_activity(void **state)
{
	struct fixture *f = *state;

	for (uint32_t run = 0; run < 60; run++) {
		f->now_us = f->accepted = 0;
		start(f);
		for (uint32_t n = below(f, run < 55 ? 300 : 40000); n > 0; n--)
			do_something(f);
		assert_fresh_after_restart(f, run);
	}
	/* All that it has room for was in use, and all that it can do was done. */
	assert_int_equal(f->most_connections, CONNECTIONS_MAX);
	assert_int_equal(f->most_sessions, SESSIONS_MAX);
	assert_true(f->answers > 1000 && f->backs > 100 && f->relayed > 100);
}

static void a_rendezvous_that_failed_can_be_restarted(void **state)
{
	struct fixture *f = *state;

	for (uint32_t socket = 0; socket < RENDEZVOUS_BACK; socket++) {
		start(f);
		step(f, &(struct event){ .kind = EVENT_CLOSED, .socket = socket, .error = 98 });
		assert_int_equal(f->failures, socket + 1);
		assert_fresh_after_restart(f, socket);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_restarted_rendezvous_is_as_a_fresh_one_after_any_activity, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_rendezvous_that_failed_can_be_restarted, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

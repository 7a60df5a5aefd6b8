// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tests, with A and B the server's addresses, p and q its ports:
 *
 *  - Port choice: a Binding request to A:p from each of ten fresh sockets, one after another.
 * Nothing else is sent meanwhile, so a sequential router shows its step.
 *  - Mapping (RFC 5780, section 4.3): requests to A:p, A:q, B:p and B:q from one socket.
 *  - Filtering (RFC 5780, section 4.4): from a fresh socket a request to A:p that asks to be
 * answered from B:q, and from another one that asks for A:q. Fresh ones, because the mapping test
 * has opened the filter of its socket to all four.
 *
 * Over TCP a request is answered on its own connection, so RFC 5780 has no filtering test for it.
 * Ours: listen, connect to A:p from the listener's port, and ask the server to connect back
 * (docs/protocol.md).
 *
 * A filtering test whose answer does not come within give_up_us counts as refused by the router;
 * for answers that must come there is more time.
 * One that is answered from any other address than the one that was asked for counts for nothing:
 * that would make every router before a server without RFC 5780 look wide open, or shut.
 */
#include "peers/core/classify.h"

#include <assert.h>
#include <string.h>

/* RFC 8489, section 6.2.1 has 500 ms; here a lost request only delays, and waiting costs more. */
#define RETRY_US 100000u

/* How long at least an answer that must come may take. A router that draws its ports may drop a SYN
 * whose draw was bad; the next ones go out after one second and after three (RFC 6298, section 2).
 */
#define ANSWER_US 3500000u

enum {
	SOCKET_QUERY = 1,      /* + index of the query */
	SOCKET_LISTENER = 100, /* + index of the query */
};

static struct classify_query *mapping_query(struct classify *c, size_t i)
{
	return &c->queries[CLASSIFY_MAPPING_FIRST + i];
}

static size_t query_index(const struct classify *c, const struct classify_query *q)
{
	return (size_t)(q - c->queries);
}

static bool is_filtering(const struct classify *c, const struct classify_query *q)
{
	return query_index(c, q) >= CLASSIFY_FILTERING_FIRST;
}

static void classify_init(void *state, const struct strategy_config *config)
{
	struct classify *c = state;

	memset(c, 0, sizeof(*c));
	c->config = *config;
	prng_init(&c->prng, config->seed);
	for (size_t i = 0; i < CLASSIFY_QUERIES; i++) {
		c->queries[i].socket = SOCKET_QUERY + (uint32_t)i;
		c->queries[i].to = config->server;
	}
	/* The four mapping queries share a UDP socket; over TCP each is a connection. */
	for (size_t i = 0; i < 4 && !config->tcp; i++)
		mapping_query(c, i)->socket = mapping_query(c, 0)->socket;
	c->queries[CLASSIFY_FILTERING_FIRST].change = STUN_CHANGE_IP | STUN_CHANGE_PORT;
	c->queries[CLASSIFY_FILTERING_FIRST + 1].change = STUN_CHANGE_PORT;
}

static void send_request(struct classify *c, struct classify_query *q, struct actions *out)
{
	bool back = c->config.tcp && is_filtering(c, q);
	struct stun_writer w;

	stun_begin(&w, STUN_REQUEST, back ? STUN_CONNECT_BACK : STUN_BINDING, &q->id);
	if (q->change != 0)
		stun_add_u32(&w, STUN_CHANGE_REQUEST, q->change);
	if (c->config.tcp)
		act_tcp_send(out, q->socket, w.data, w.len);
	else
		act_udp_send(out, q->socket, q->to, w.data, w.len);
}

static uint64_t answer_until_us(const struct classify *c, uint64_t now_us)
{
	return now_us + (c->config.give_up_us > ANSWER_US ? c->config.give_up_us : ANSWER_US);
}

/* The socket is there: ask. Only over UDP is a filtering test answered, or not, by the answer
 * itself. */
static void ask(struct classify *c, struct classify_query *q, uint64_t now_us, struct actions *out)
{
	uint8_t id[12];

	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (uint8_t)prng_next(&c->prng);
	q->id = stun_id_make(id);
	q->state = QUERY_ASKING;
	q->retry_us = c->config.tcp ? NEVER : now_us + RETRY_US;
	q->deadline_us = is_filtering(c, q) && !c->config.tcp ? now_us + c->config.give_up_us
							      : answer_until_us(c, now_us);
	send_request(c, q, out);
}

static void open_query(struct classify *c, struct classify_query *q, struct endpoint local,
		       uint64_t now_us, struct actions *out)
{
	q->state = QUERY_OPENING;
	q->deadline_us = answer_until_us(c, now_us);
	if (!c->config.tcp)
		act_udp_open(out, q->socket, local);
	else if (is_filtering(c, q))
		act_tcp_listen(out, SOCKET_LISTENER + (uint32_t)query_index(c, q), local);
	else
		act_tcp_connect(out, q->socket, local, q->to);
}

static void finish(struct classify *c, const char *reason, struct actions *out)
{
	c->phase = CLASSIFY_DONE;
	c->reason = reason;
	act_done(out, reason == NULL ? 0 : 1);
}

/* The samples are in: the rest can be asked all at once. */
static void ask_the_rest(struct classify *c, uint64_t now_us, struct actions *out)
{
	struct endpoint any = { c->config.local_addr, 0 };

	if (endpoint_is_none(c->other))
		c->other = c->config.server_alt;
	if (endpoint_is_none(c->other)) {
		finish(c, "the server has no second address", out);
		return;
	}
	c->phase = CLASSIFY_ASKING;
	mapping_query(c, 1)->to.port = c->other.port;
	mapping_query(c, 2)->to.addr = c->other.addr;
	mapping_query(c, 3)->to = c->other;
	open_query(c, mapping_query(c, 0), any, now_us, out);
	for (size_t i = 1; i < 4; i++) {
		mapping_query(c, i)->state = QUERY_OPENING;
		mapping_query(c, i)->deadline_us = answer_until_us(c, answer_until_us(c, now_us));
	}
	open_query(c, &c->queries[CLASSIFY_FILTERING_FIRST], any, now_us, out);
	open_query(c, &c->queries[CLASSIFY_FILTERING_FIRST + 1], any, now_us, out);
}

static void answered(struct classify *c, struct classify_query *q, uint64_t now_us,
		     struct actions *out)
{
	q->state = QUERY_ANSWERED;
	/* Over TCP the other mapping connections start from the first one's port. */
	if (c->config.tcp && q == mapping_query(c, 0))
		for (size_t i = 1; i < 4; i++)
			open_query(c, mapping_query(c, i), q->local, now_us, out);
}

/* Where the answer to a query comes from. */
static struct endpoint answer_from(const struct classify *c, const struct classify_query *q)
{
	return (struct endpoint){ q->change & STUN_CHANGE_IP ? c->other.addr : q->to.addr,
				  q->change & STUN_CHANGE_PORT ? c->other.port : q->to.port };
}

static void take_answer(struct classify *c, struct classify_query *q, const struct stun_message *m,
			uint64_t now_us, struct actions *out)
{
	struct endpoint mapped = { 0 };

	if (!stun_id_equal(&m->id, &q->id) || q->state != QUERY_ASKING)
		return;
	if (m->class == STUN_ERROR) {
		q->refused = true;
		q->state = QUERY_SILENT;
	}
	if (m->class != STUN_SUCCESS)
		return;
	if (m->method == STUN_CONNECT_BACK) {
		q->told = true; /* the connection itself is the answer */
		q->deadline_us = now_us + c->config.give_up_us;
		return;
	}
	if (!stun_get_mapped(m, &mapped))
		return;
	q->mapped = mapped;
	/* RFC 5780, section 7.4: it is the other one of the address that was asked, here A:p. */
	if (c->phase == CLASSIFY_SAMPLING)
		(void)stun_get_address(m, STUN_OTHER_ADDRESS, &c->other);
	answered(c, q, now_us, out);
}

/* The server itself says that it cannot, or does not know what it was asked for. */
static bool is_refusal(const struct classify_query *q, const struct event *ev,
		       const struct stun_message *m)
{
	return q->change != 0 && q->state == QUERY_ASKING && stun_id_equal(&m->id, &q->id) &&
	       endpoint_equal(q->to, ev->remote);
}

static void datagram(struct classify *c, uint64_t now_us, const struct event *ev,
		     struct actions *out)
{
	struct stun_message m;

	if (!stun_read(ev->data, ev->len, &m))
		return;
	for (size_t i = 0; i < CLASSIFY_QUERIES; i++) {
		struct classify_query *q = &c->queries[i];

		if (q->socket != ev->socket)
			continue;
		if (is_refusal(q, ev, &m)) {
			q->refused = true;
			q->state = QUERY_SILENT;
		} else if (endpoint_equal(answer_from(c, q), ev->remote)) {
			take_answer(c, q, &m, now_us, out);
		}
	}
}

static void stream_data(struct classify *c, struct classify_query *q, uint64_t now_us,
			const struct event *ev, struct actions *out)
{
	struct stun_message m;
	size_t room = sizeof(q->in) - q->in_len, len = ev->len < room ? ev->len : room;

	memcpy(q->in + q->in_len, ev->data, len);
	q->in_len += len;
	int size = stun_frame(q->in, q->in_len);
	if (size > 0 && stun_read(q->in, (size_t)size, &m))
		take_answer(c, q, &m, now_us, out);
}

/* NULL: the number is no listener's of ours. */
static struct classify_query *query_of_listener(struct classify *c, uint32_t listener)
{
	return listener >= SOCKET_LISTENER && listener < SOCKET_LISTENER + CLASSIFY_QUERIES
		       ? &c->queries[listener - SOCKET_LISTENER]
		       : NULL;
}

static void opened(struct classify *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	const struct classify_query *listening = query_of_listener(c, ev->socket);

	if (listening != NULL) {
		act_tcp_connect(out, listening->socket, ev->local, listening->to);
		return;
	}
	for (size_t i = 0; i < CLASSIFY_QUERIES; i++) {
		struct classify_query *q = &c->queries[i];

		if (q->socket == ev->socket && q->state == QUERY_OPENING) {
			q->local = ev->local;
			ask(c, q, now_us, out);
		}
	}
}

static void stream_event(struct classify *c, uint64_t now_us, const struct event *ev,
			 struct actions *out)
{
	if (ev->socket < SOCKET_QUERY || ev->socket >= SOCKET_QUERY + CLASSIFY_QUERIES)
		return;
	struct classify_query *q = &c->queries[ev->socket - SOCKET_QUERY];

	if (ev->kind == EVENT_CONNECTED && q->state == QUERY_OPENING) {
		q->local = ev->local;
		ask(c, q, now_us, out);
	} else if (ev->kind == EVENT_DATA) {
		stream_data(c, q, now_us, ev, out);
	} else if (ev->kind == EVENT_CLOSED && !q->told &&
		   (q->state == QUERY_OPENING || q->state == QUERY_ASKING)) {
		q->state = QUERY_SILENT;
	}
}

static void handle(struct classify *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	switch (ev->kind) {
	case EVENT_OPENED:
		opened(c, now_us, ev, out);
		break;
	case EVENT_DATAGRAM:
		datagram(c, now_us, ev, out);
		break;
	case EVENT_ACCEPTED: {
		struct classify_query *q = query_of_listener(c, ev->listener);

		if (q != NULL && q->state == QUERY_ASKING &&
		    endpoint_equal(answer_from(c, q), ev->remote))
			q->state = QUERY_ANSWERED;
		act_abort(out, ev->socket);
		break;
	}
	case EVENT_CONNECTED:
	case EVENT_DATA:
	case EVENT_CLOSED:
		stream_event(c, now_us, ev, out);
		break;
	case EVENT_START:
	case EVENT_TIMER:
		break;
	}
}

/* Sends again, or gives up, whatever is due. Returns when the next query is. */
static uint64_t keep_time(struct classify *c, uint64_t now_us, struct actions *out)
{
	uint64_t wake_us = NEVER;

	for (size_t i = 0; i < CLASSIFY_QUERIES; i++) {
		struct classify_query *q = &c->queries[i];

		if (q->state != QUERY_OPENING && q->state != QUERY_ASKING)
			continue;
		if (now_us >= q->deadline_us) {
			q->state = QUERY_SILENT;
			continue;
		}
		if (q->state == QUERY_ASKING && now_us >= q->retry_us) {
			q->retry_us = now_us + RETRY_US;
			send_request(c, q, out);
		}
		if (q->state == QUERY_ASKING && q->retry_us < wake_us)
			wake_us = q->retry_us;
		if (q->deadline_us < wake_us)
			wake_us = q->deadline_us;
	}
	return wake_us;
}

static void sample_next(struct classify *c, uint64_t now_us, struct actions *out)
{
	for (size_t i = 0; i < CLASSIFY_SAMPLES; i++) {
		struct classify_query *q = &c->queries[i];

		if (q->state == QUERY_SILENT) {
			finish(c, CLASSIFY_NO_ANSWER, out);
			return;
		}
		if (q->state == QUERY_IDLE)
			open_query(c, q, (struct endpoint){ c->config.local_addr, 0 }, now_us, out);
		if (q->state != QUERY_ANSWERED)
			return;
	}
	ask_the_rest(c, now_us, out);
}

/* Done once no question is open any more. */
static void conclude(struct classify *c, struct actions *out)
{
	const char *reason = NULL;

	for (size_t i = CLASSIFY_MAPPING_FIRST; i < CLASSIFY_QUERIES; i++) {
		const struct classify_query *q = &c->queries[i];

		if (q->state == QUERY_OPENING || q->state == QUERY_ASKING)
			return;
		if (!is_filtering(c, q) && q->state != QUERY_ANSWERED)
			reason = "not every address of the rendezvous answers";
		if (is_filtering(c, q) && c->config.tcp && q->state == QUERY_SILENT && !q->told)
			reason = "the rendezvous does not connect back";
		else if (q->refused)
			reason = "the rendezvous does not answer from another address";
	}
	finish(c, reason, out);
}

static uint64_t classify_step(void *state, uint64_t now_us, const struct event *ev,
			      struct actions *out)
{
	struct classify *c = state;
	uint64_t wake_us = NEVER;

	if (c->phase == CLASSIFY_DONE)
		return NEVER;
	handle(c, now_us, ev, out);
	(void)keep_time(c, now_us, out);
	if (c->phase == CLASSIFY_SAMPLING)
		sample_next(c, now_us, out);
	if (c->phase == CLASSIFY_ASKING)
		conclude(c, out);
	if (c->phase != CLASSIFY_DONE)
		wake_us = keep_time(c, now_us, out);
	return wake_us;
}

const struct strategy classify_strategy = {
	.name = "classify",
	.about = "measure the router: mapping, filtering, port choice (one peer alone)",
	.pair = false,
	.size = sizeof(struct classify),
	.init = classify_init,
	.step = classify_step,
	.report = classify_report,
};

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Over UDP the request is repeated until the peer is known: that makes up for loss of requests,
 * answers and of the server's word to start alike, and keeps the router's mapping fresh. Each
 * repetition is a transaction of its own, so that every answer names the request it belongs to and
 * the round-trip time is exact.
 */
#include "peers/core/introduce.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "peers/core/bytes.h"

/* RFC 8489, section 6.2.1, begins with 500 ms and doubles it, so as not to burden the Internet. A
 * lab may ask more often, and a lost word to start should cost little. */
#define REPEAT_US 200000u

/* Until the next try after a connection failed or broke. */
#define RECONNECT_US 200000u

void introduce_init(struct introduce *in, const struct introduce_config *config)
{
	assert(config->session_len >= 1 && config->session_len <= STUN_SESSION_MAX);
	assert(config->role == 'a' || config->role == 'b');
	assert(config->announce_count <= STUN_LOCAL_ENDPOINTS_MAX);
	*in = (struct introduce){
		.state = INTRODUCE_WAITING,
		.rtt_us = NEVER,
		.config = *config,
		.give_up_at_us = NEVER,
		.retry_at_us = NEVER,
	};
	memcpy(in->session, config->session, config->session_len);
	in->config.session = NULL; /* the caller's may be gone by the time it is needed */
}

static bool is_tcp(const struct introduce *in)
{
	return in->config.transport == INTRODUCE_TCP;
}

static void open_socket(struct introduce *in, struct actions *out)
{
	in->open = true;
	in->retry_at_us = NEVER;
	in->stream = (struct stun_stream){ 0 };
	if (is_tcp(in))
		act_tcp_connect(out, in->config.socket, in->config.local, in->config.server);
	else
		act_udp_open(out, in->config.socket, in->config.local);
}

/* The id of request number n. */
static struct stun_id request_id(const struct introduce *in, uint32_t n)
{
	uint8_t transaction[12];

	put_u64(transaction, prng_derive(in->config.seed, n, 0));
	put_u32(transaction + 8, n);
	return stun_id_make(transaction);
}

/* The number of the request that id answers. */
static bool find_request(const struct introduce *in, const struct stun_id *id, uint32_t *ret)
{
	uint32_t n = get_u32(id->bytes + 12);

	if (n >= in->requests || in->requests - n > INTRODUCE_IN_FLIGHT_MAX)
		return false;
	struct stun_id expected = request_id(in, n);
	if (!stun_id_equal(id, &expected))
		return false;
	*ret = n;
	return true;
}

static void send_request(struct introduce *in, uint64_t now_us, struct actions *out)
{
	const struct introduce_config *config = &in->config;
	struct stun_id id = request_id(in, in->requests);
	struct stun_writer w;

	stun_begin(&w, STUN_REQUEST, STUN_INTRODUCE, &id);
	stun_add(&w, STUN_SESSION, in->session, config->session_len);
	stun_add(&w, STUN_ROLE, &config->role, 1);
	for (size_t i = 0; i < config->announce_count; i++) {
		struct endpoint ep = config->announce[i];

		if (ep.port == 0)
			ep.port = in->local.port;
		stun_add_xor_address(&w, STUN_LOCAL_ENDPOINT, ep);
	}
	stun_add_fingerprint(&w);

	in->sent_us[in->requests++ % INTRODUCE_IN_FLIGHT_MAX] = now_us;
	if (is_tcp(in)) {
		act_tcp_send(out, config->socket, w.data, w.len);
	} else {
		act_udp_send(out, config->socket, config->server, w.data, w.len);
		in->retry_at_us = now_us + REPEAT_US;
	}
}

static void drop_socket(struct introduce *in, struct actions *out)
{
	if (in->open)
		act_close(out, in->config.socket);
	in->open = false;
	in->retry_at_us = NEVER;
}

static void fail(struct introduce *in, struct actions *out)
{
	drop_socket(in, out);
	in->state = INTRODUCE_FAILED;
	in->give_up_at_us = NEVER;
}

static void give_up(struct introduce *in, struct actions *out)
{
	char server[ENDPOINT_TEXT_SIZE];

	endpoint_format(in->config.server, server);
	if (in->rtt_us != NEVER)
		(void)snprintf(in->reason, sizeof(in->reason), "the peer never came to %s", server);
	else if (in->last_error != 0)
		(void)snprintf(in->reason, sizeof(in->reason), "cannot connect to %s: %s", server,
			       strerror(in->last_error));
	else
		(void)snprintf(in->reason, sizeof(in->reason), "no answer from %s", server);
	fail(in, out);
}

/* ---- what the server says */

static void add_candidate(struct introduce *in, struct endpoint ep)
{
	if (ep.addr == 0 || ep.port == 0)
		return;
	for (size_t i = 0; i < in->peer_count; i++)
		if (endpoint_equal(in->peer[i], ep))
			return;
	in->peer[in->peer_count++] = ep;
}

/* An answer or a push: where we were seen and, if the server knows it, the peer. */
static void take_news(struct introduce *in, uint64_t now_us, const struct stun_message *m)
{
	struct endpoint locals[STUN_LOCAL_ENDPOINTS_MAX], peer;

	if (!stun_get_xor_address(m, STUN_XOR_MAPPED_ADDRESS, &in->observed) ||
	    !stun_get_xor_address(m, STUN_PEER_OBSERVED, &peer))
		return;
	add_candidate(in, peer);
	size_t count = stun_get_xor_addresses(m, STUN_PEER_LOCAL, locals, STUN_LOCAL_ENDPOINTS_MAX);
	for (size_t i = 0; i < count; i++)
		add_candidate(in, locals[i]);
	if (in->peer_count == 0)
		return;
	in->state = INTRODUCE_READY;
	in->ready_us = now_us;
	in->give_up_at_us = NEVER;
	in->retry_at_us = NEVER;
}

static bool names_our_session(const struct introduce *in, const struct stun_message *m)
{
	const uint8_t *session;
	size_t len;

	return stun_get(m, STUN_SESSION, &session, &len) && len == in->config.session_len &&
	       memcmp(session, in->session, len) == 0;
}

static void take_answer(struct introduce *in, uint64_t now_us, const struct stun_message *m,
			struct actions *out)
{
	uint32_t n;
	unsigned code;

	if (!find_request(in, &m->id, &n))
		return;
	if (m->class == STUN_SUCCESS) {
		uint64_t rtt_us = now_us - in->sent_us[n % INTRODUCE_IN_FLIGHT_MAX];

		if (rtt_us < in->rtt_us)
			in->rtt_us = rtt_us;
		take_news(in, now_us, m);
	} else if (stun_get_error(m, &code)) {
		(void)snprintf(in->reason, sizeof(in->reason),
			       "the rendezvous refused with error %u", code);
		fail(in, out);
	}
}

static void take_message(struct introduce *in, uint64_t now_us, const struct stun_message *m,
			 struct actions *out)
{
	uint16_t unknown;

	/* RFC 8489, section 6.3.3: an answer with unknown comprehension-required attributes counts
	 * for nothing. */
	if (m->classic || m->method != STUN_INTRODUCE || stun_get_unknown(m, &unknown, 1) > 0)
		return;
	if (m->class == STUN_SUCCESS || m->class == STUN_ERROR)
		take_answer(in, now_us, m, out);
	else if (m->class == STUN_INDICATION && names_our_session(in, m))
		take_news(in, now_us, m);
}

static void take_datagram(struct introduce *in, uint64_t now_us, const struct event *event,
			  struct actions *out)
{
	struct stun_message m;

	if (in->state == INTRODUCE_WAITING && stun_read(event->data, event->len, &m))
		take_message(in, now_us, &m, out);
}

static void take_stream(struct introduce *in, uint64_t now_us, const struct event *event,
			struct actions *out)
{
	const uint8_t *data = event->data;
	size_t len = event->len;
	struct stun_message m;
	int found = 1;

	while (found > 0 && in->state == INTRODUCE_WAITING && in->open) {
		found = stun_stream_read(&in->stream, &data, &len, &m);
		if (found > 0)
			take_message(in, now_us, &m, out);
	}
	if (found < 0) {
		drop_socket(in, out);
		in->last_error = -found;
		in->retry_at_us = now_us + RECONNECT_US;
	}
}

/* ---- events */

static void take_closed(struct introduce *in, uint64_t now_us, int error)
{
	char local[ENDPOINT_TEXT_SIZE];

	in->open = false;
	if (in->state != INTRODUCE_WAITING)
		return;
	if (is_tcp(in)) {
		in->last_error = error != 0 ? error : ECONNRESET;
		in->retry_at_us = now_us + RECONNECT_US;
		return;
	}
	(void)snprintf(in->reason, sizeof(in->reason), "cannot open %s: %s",
		       endpoint_format(in->config.local, local), strerror(error));
	in->state = INTRODUCE_FAILED;
	in->give_up_at_us = NEVER;
	in->retry_at_us = NEVER;
}

bool introduce_is_for(const struct introduce *in, const struct event *event)
{
	if (in->released || event->kind == EVENT_START || event->kind == EVENT_TIMER ||
	    event->socket != in->config.socket)
		return false;
	if (is_tcp(in))
		return true;
	if (event->kind == EVENT_DATAGRAM)
		return endpoint_equal(event->remote, in->config.server);
	return in->state != INTRODUCE_READY;
}

static void take_event(struct introduce *in, uint64_t now_us, const struct event *event,
		       struct actions *out)
{
	switch (event->kind) {
	case EVENT_OPENED:
	case EVENT_CONNECTED:
		in->local = event->local;
		if (in->state == INTRODUCE_WAITING)
			send_request(in, now_us, out);
		break;
	case EVENT_DATAGRAM:
		take_datagram(in, now_us, event, out);
		break;
	case EVENT_DATA:
		take_stream(in, now_us, event, out);
		break;
	case EVENT_CLOSED:
		take_closed(in, now_us, event->error);
		break;
	case EVENT_START:
	case EVENT_TIMER:
	case EVENT_ACCEPTED:
		break;
	}
}

static void look_at_clock(struct introduce *in, uint64_t now_us, struct actions *out)
{
	if (now_us >= in->give_up_at_us)
		give_up(in, out);
	else if (now_us >= in->retry_at_us && in->open)
		send_request(in, now_us, out);
	else if (now_us >= in->retry_at_us)
		open_socket(in, out);
}

uint64_t introduce_step(struct introduce *in, uint64_t now_us, const struct event *event,
			struct actions *out)
{
	if (in->released)
		return NEVER;
	if (!in->started) {
		in->started = true;
		if (in->config.give_up_us != 0)
			in->give_up_at_us = now_us + in->config.give_up_us;
		open_socket(in, out);
	}
	if (introduce_is_for(in, event))
		take_event(in, now_us, event, out);
	if (in->state == INTRODUCE_WAITING)
		look_at_clock(in, now_us, out);
	return in->give_up_at_us < in->retry_at_us ? in->give_up_at_us : in->retry_at_us;
}

void introduce_close(struct introduce *in, struct actions *out)
{
	if (is_tcp(in) || in->state != INTRODUCE_READY)
		drop_socket(in, out);
	in->released = true;
}

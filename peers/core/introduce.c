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

#include "peers/core/introduce_message.h"

/* RFC 8489, section 6.2.1, begins with 500 ms and doubles it, so as not to burden the Internet. A
 * lab may ask more often, and a lost word to start should cost little. */
#define REPEAT_US 200000u

/* Until the next try after a connection failed or broke. */
#define RECONNECT_US 200000u

/* For so many repetitions a peer that is ready waits for the other to confirm: 10 s. A peer that
 * is not there any more never does. */
#define CONFIRM_TRIES_MAX 50u

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

bool introduce_is_tcp(const struct introduce *in)
{
	return in->config.transport == INTRODUCE_TCP;
}

void introduce_open_socket(struct introduce *in, struct actions *out)
{
	in->open = true;
	in->up = false;
	in->retry_at_us = NEVER;
	in->stream = (struct stun_stream){ 0 };
	if (introduce_is_tcp(in))
		act_tcp_connect(out, in->config.socket, in->config.local, in->config.server);
	else
		act_udp_open(out, in->config.socket, in->config.local);
}

/* Over TCP nothing is lost on its way to the server, but may be on the server's to the peer. */
static bool repeats(const struct introduce *in)
{
	return in->confirming || (!introduce_is_tcp(in) && in->state == INTRODUCE_WAITING);
}

void introduce_send(const struct introduce *in, const struct stun_writer *w, struct actions *out)
{
	if (introduce_is_tcp(in))
		act_tcp_send(out, in->config.socket, w->data, w->len);
	else
		act_udp_send(out, in->config.socket, in->config.server, w->data, w->len);
}

void introduce_send_request(struct introduce *in, uint64_t now_us, struct actions *out)
{
	struct stun_writer w;

	introduce_write_request(in, &w);
	in->sent_us[in->requests++ % INTRODUCE_IN_FLIGHT_MAX] = now_us;
	introduce_send(in, &w, out);
	in->retry_at_us = repeats(in) ? now_us + REPEAT_US : NEVER;
}

void introduce_drop_socket(struct introduce *in, struct actions *out)
{
	if (in->open)
		act_close(out, in->config.socket);
	in->open = in->up = false;
	in->retry_at_us = NEVER;
}

static void fail(struct introduce *in, struct actions *out)
{
	introduce_drop_socket(in, out);
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

static void become_ready(struct introduce *in, uint64_t now_us)
{
	in->state = INTRODUCE_READY;
	memcpy(in->peer, in->latest, sizeof(in->peer));
	in->peer_count = in->latest_count;
	in->ready_us = now_us;
	in->give_up_at_us = NEVER;
	if (!in->confirming)
		in->retry_at_us = NEVER;
}

static void take_news(struct introduce *in, uint64_t now_us, const struct stun_message *m)
{
	if (introduce_take_news(in, m) && in->state == INTRODUCE_WAITING)
		become_ready(in, now_us);
}

static void stop_confirming(struct introduce *in)
{
	in->confirming = false;
	if (in->state == INTRODUCE_READY)
		in->retry_at_us = NEVER;
}

static void take_answer(struct introduce *in, uint64_t now_us, const struct stun_message *m,
			struct actions *out)
{
	uint32_t n;
	unsigned code;

	if (!introduce_find_request(in, &m->id, &n))
		return;
	if (m->class == STUN_SUCCESS) {
		uint64_t rtt_us = now_us - in->sent_us[n % INTRODUCE_IN_FLIGHT_MAX];

		/* Once ready it stays as it is: a strategy may go by it. */
		if (rtt_us < in->rtt_us && in->state == INTRODUCE_WAITING)
			in->rtt_us = rtt_us;
		take_news(in, now_us, m);
		if (in->confirming && n >= in->confirm_from && stun_has(m, STUN_CONFIRM)) {
			in->confirmed = true;
			stop_confirming(in);
		}
	} else if (in->state == INTRODUCE_READY) {
		stop_confirming(in);
	} else if (stun_get_error(m, &code)) {
		(void)snprintf(in->reason, sizeof(in->reason),
			       "the rendezvous refused with error %u", code);
		fail(in, out);
	}
}

/* How many actions of a step may be there for one more confirmation to be made: whoever embeds
 * introduce needs the rest, and a server that asks for more in one piece means harm. */
#define CONFIRMS_MAX 2u

/* One request confirms; if it is lost, the peer repeats and so does the server. */
static void take_indication(struct introduce *in, uint64_t now_us, const struct stun_message *m,
			    struct actions *out)
{
	take_news(in, now_us, m);
	if (stun_has(m, STUN_CONFIRM) && in->state == INTRODUCE_READY && in->up &&
	    out->count < CONFIRMS_MAX)
		introduce_send_request(in, now_us, out);
}

static void take_message(struct introduce *in, uint64_t now_us, const struct stun_message *m,
			 struct actions *out)
{
	const uint8_t *data;
	uint16_t unknown;
	size_t len;

	/* RFC 8489, section 6.3.3: an answer with unknown comprehension-required attributes counts
	 * for nothing. */
	if (m->classic || stun_get_unknown(m, &unknown, 1) > 0)
		return;
	if (in->state == INTRODUCE_READY && introduce_read_relayed(in, m, &data, &len)) {
		if (in->config.relayed != NULL)
			in->config.relayed(in->config.relayed_context, now_us, data, len, out);
	} else if (m->method != STUN_INTRODUCE) {
		return;
	} else if (m->class == STUN_SUCCESS || m->class == STUN_ERROR) {
		take_answer(in, now_us, m, out);
	} else if (m->class == STUN_INDICATION && introduce_trusts(in, m)) {
		take_indication(in, now_us, m, out);
	}
}

static void take_datagram(struct introduce *in, uint64_t now_us, const struct event *event,
			  struct actions *out)
{
	struct stun_message m;

	if (in->state != INTRODUCE_FAILED && stun_read(event->data, event->len, &m))
		take_message(in, now_us, &m, out);
}

static void take_stream(struct introduce *in, uint64_t now_us, const struct event *event,
			struct actions *out)
{
	const uint8_t *data = event->data;
	size_t len = event->len;
	struct stun_message m;
	int found = 1;

	while (found > 0 && in->state != INTRODUCE_FAILED && in->up && !in->released) {
		found = stun_stream_read(&in->stream, &data, &len, &m);
		if (found > 0)
			take_message(in, now_us, &m, out);
	}
	if (found < 0) {
		introduce_drop_socket(in, out);
		in->last_error = -found;
		if (in->state == INTRODUCE_WAITING)
			in->retry_at_us = now_us + RECONNECT_US;
	}
}

/* ---- events */

static void take_closed(struct introduce *in, uint64_t now_us, int error)
{
	char local[ENDPOINT_TEXT_SIZE];

	in->open = in->up = false;
	if (in->state != INTRODUCE_WAITING) {
		in->retry_at_us = NEVER;
		return;
	}
	if (introduce_is_tcp(in)) {
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
	if (introduce_is_tcp(in))
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
		in->up = true;
		if (in->state == INTRODUCE_WAITING)
			introduce_send_request(in, now_us, out);
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
	else if (now_us < in->retry_at_us)
		return;
	else if (in->state == INTRODUCE_READY && in->confirm_tries++ == CONFIRM_TRIES_MAX)
		stop_confirming(in);
	else if (in->open)
		introduce_send_request(in, now_us, out);
	else
		introduce_open_socket(in, out);
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
		introduce_open_socket(in, out);
	}
	if (introduce_is_for(in, event))
		take_event(in, now_us, event, out);
	if (in->state != INTRODUCE_FAILED && !in->released)
		look_at_clock(in, now_us, out);
	return introduce_wake_us(in);
}

uint64_t introduce_wake_us(const struct introduce *in)
{
	if (in->released)
		return NEVER;
	return in->give_up_at_us < in->retry_at_us ? in->give_up_at_us : in->retry_at_us;
}

void introduce_close(struct introduce *in, struct actions *out)
{
	if (introduce_is_tcp(in) || in->state != INTRODUCE_READY)
		introduce_drop_socket(in, out);
	in->released = true;
}

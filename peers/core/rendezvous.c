// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/rendezvous.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "peers/core/rendezvous_serve.h"

#define ENDPOINTS 4u

void rendezvous_init(struct rendezvous *r, const struct rendezvous_config *config)
{
	assert(config->addr[0] != 0 && config->port[0] != 0);
	assert(config->addr[0] != config->addr[1] && config->port[0] != config->port[1]);
	memset(r, 0, sizeof(*r)); /* half a megabyte: too much for a literal on the stack */
	r->config = *config;
	prng_init(&r->prng, config->seed);
}

void rendezvous_restart(struct rendezvous *r, uint64_t seed)
{
	r->config.seed = seed;
	r->opened = r->wanted = 0;
	r->failed = (struct endpoint){ 0, 0 };
	r->failed_tcp = false;
	r->error = 0;
	prng_init(&r->prng, seed);
	memset(r->back_until_us, 0, sizeof(r->back_until_us));
	connection_table_clear(&r->connections);
	session_table_clear(&r->sessions);
}

bool rendezvous_is_open(const struct rendezvous *r)
{
	return r->wanted > 0 && r->opened == r->wanted;
}

static void open_sockets(struct rendezvous *r, struct actions *out)
{
	for (unsigned at = 0; at < ENDPOINTS; at++) {
		struct endpoint ep = rendezvous_endpoint(r, at);

		if (ep.addr == 0 || ep.port == 0)
			continue;
		act_udp_open(out, RENDEZVOUS_UDP + at, ep);
		act_tcp_listen(out, RENDEZVOUS_LISTENER + at, ep);
		r->wanted += 2;
	}
}

/* ---- connections */

static void end_connection(struct rendezvous *r, struct connection *c)
{
	session_table_forget(&r->sessions, c->socket);
	c->socket = 0;
}

static void accepted(struct rendezvous *r, uint64_t now_us, const struct event *event,
		     struct actions *out)
{
	struct connection *c = connection_table_place(&r->connections);

	assert(event->listener - RENDEZVOUS_LISTENER < ENDPOINTS);
	if (c->socket != 0) {
		act_abort(out, c->socket);
		end_connection(r, c);
	}
	*c = (struct connection){
		.socket = event->socket,
		.listener = event->listener,
		.remote = event->remote,
		.used_us = now_us,
	};
}

/* A client that says what is not STUN, or more in one piece than one step can answer, is cut off.
 */
static void received(struct rendezvous *r, uint64_t now_us, const struct event *event,
		     struct actions *out)
{
	struct connection *c = connection_table_find(&r->connections, event->socket);
	const uint8_t *data = event->data;
	size_t len = event->len;
	struct stun_message m;
	int found;

	if (c == NULL)
		return;
	c->used_us = now_us;
	while ((found = stun_stream_read(&c->stream, &data, &len, &m)) > 0) {
		if (!actions_have_room(out, RENDEZVOUS_SERVE_ACTIONS + 1, RENDEZVOUS_SERVE_BYTES)) {
			if (m.class == STUN_INDICATION)
				continue; /* a relay may lose what is too much */
			found = -ENOBUFS;
			break;
		}
		rendezvous_serve(r, now_us,
				 &(struct rendezvous_request){
					 .message = &m,
					 .tcp = true,
					 .at = c->listener - RENDEZVOUS_LISTENER,
					 .socket = c->socket,
					 .from = c->remote,
				 },
				 out);
	}
	if (found < 0) {
		act_abort(out, c->socket);
		end_connection(r, c);
	}
}

/* ---- connections back: that they are established is all their asker wants to see. They end with
 * an RST, because TIME_WAIT would be in the way of the next one to the same endpoint. */

static bool is_back(const struct rendezvous *r, uint32_t socket)
{
	return socket >= RENDEZVOUS_BACK && socket < RENDEZVOUS_BACK + RENDEZVOUS_BACKS_MAX &&
	       r->back_until_us[socket - RENDEZVOUS_BACK] != 0;
}

static void end_back(struct rendezvous *r, uint32_t socket, struct actions *out)
{
	act_abort(out, socket);
	r->back_until_us[socket - RENDEZVOUS_BACK] = 0;
}

/* ---- */

static void closed(struct rendezvous *r, const struct event *event, struct actions *out)
{
	struct connection *c = connection_table_find(&r->connections, event->socket);

	if (c != NULL) {
		end_connection(r, c);
	} else if (is_back(r, event->socket)) {
		r->back_until_us[event->socket - RENDEZVOUS_BACK] = 0;
	} else if (event->socket < RENDEZVOUS_BACK && r->error == 0) {
		r->failed = rendezvous_endpoint(r, event->socket % ENDPOINTS);
		r->failed_tcp = event->socket >= RENDEZVOUS_LISTENER;
		r->error = event->error != 0 ? event->error : EIO;
		act_done(out, 1);
	}
}

static void datagram(struct rendezvous *r, uint64_t now_us, const struct event *event,
		     struct actions *out)
{
	struct stun_message m;

	if (event->socket >= ENDPOINTS || event->remote.port == 0 ||
	    !stun_read(event->data, event->len, &m))
		return;
	rendezvous_serve(r, now_us,
			 &(struct rendezvous_request){
				 .message = &m,
				 .at = event->socket - RENDEZVOUS_UDP,
				 .socket = event->socket,
				 .from = event->remote,
			 },
			 out);
}

static void take_event(struct rendezvous *r, uint64_t now_us, const struct event *event,
		       struct actions *out)
{
	switch (event->kind) {
	case EVENT_START:
		open_sockets(r, out);
		break;
	case EVENT_OPENED:
		r->opened++;
		break;
	case EVENT_DATAGRAM:
		datagram(r, now_us, event, out);
		break;
	case EVENT_CONNECTED:
		if (is_back(r, event->socket))
			end_back(r, event->socket, out);
		break;
	case EVENT_ACCEPTED:
		accepted(r, now_us, event, out);
		break;
	case EVENT_DATA:
		received(r, now_us, event, out);
		break;
	case EVENT_CLOSED:
		closed(r, event, out);
		break;
	case EVENT_TIMER:
		break;
	}
}

/* Ends what has been there for too long, as far as out has room; returns when to look again. */
static uint64_t look_at_clock(struct rendezvous *r, uint64_t now_us, struct actions *out)
{
	struct connection *c;
	uint64_t wake_us = NEVER;

	while ((c = connection_table_expired(&r->connections, now_us, &wake_us)) != NULL) {
		if (!actions_have_room(out, 1, 0))
			return now_us;
		act_close(out, c->socket);
		end_connection(r, c);
	}
	for (uint32_t i = 0; i < RENDEZVOUS_BACKS_MAX; i++) {
		uint64_t until_us = r->back_until_us[i];

		if (until_us == 0)
			continue;
		if (until_us > now_us) {
			wake_us = until_us < wake_us ? until_us : wake_us;
			continue;
		}
		if (!actions_have_room(out, 1, 0))
			return now_us;
		end_back(r, RENDEZVOUS_BACK + i, out);
	}
	return wake_us;
}

uint64_t rendezvous_step(void *state, uint64_t now_us, const struct event *event,
			 struct actions *out)
{
	struct rendezvous *r = state;

	take_event(r, now_us, event, out);
	return look_at_clock(r, now_us, out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP: a listener and connecting sockets share the port that the rendezvous saw. A SYN of ours
 * opens our router for the peer; what then comes about is either a connection the listener accepts,
 * or a simultaneous open of the two connecting sockets (RFC 9293, section 3.5).
 *
 * A SYN that a router swallows would be sent again only after a second (RFC 6298, section 2), so an
 * attempt that has not come through is given up and begun afresh sooner: but not before an answer
 * could have come, or no connection would ever come about over a long path.
 */
#include "peers/core/punch.h"

/* Fresh connects follow each other by two intervals, or by three round-trips where those are
 * longer. */
static uint64_t retry_after_us(const struct punch *p)
{
	uint64_t rtt_us = p->introduce.rtt_us == NEVER ? 0 : p->introduce.rtt_us;
	uint64_t shortest_us = 2u * PUNCH_INTERVAL_US;

	return 3 * rtt_us > shortest_us ? 3 * rtt_us : shortest_us;
}

static struct punch_stream *stream_find(struct punch *p, uint32_t socket)
{
	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++)
		if (p->streams[i].open && p->streams[i].socket == socket)
			return &p->streams[i];
	return NULL;
}

static void send_probe(struct punch *p, uint32_t socket, const struct probe *probe,
		       struct actions *out)
{
	uint8_t data[PROBE_SIZE];

	probe_write(probe, data);
	act_tcp_send(out, socket, data, sizeof(data));
	p->sent++;
}

static void start_attempt(struct punch *p, size_t candidate, uint64_t now_us, struct actions *out)
{
	struct punch_attempt *attempt = &p->attempts[candidate];

	attempt->open = true;
	attempt->retry_us = now_us + retry_after_us(p);
	act_tcp_connect(out, PUNCH_SOCKET_CONNECT + (uint32_t)candidate, p->introduce.local,
			p->introduce.peer[candidate]);
	p->sent++;
}

static bool is_attempt(const struct punch *p, uint32_t socket)
{
	return socket >= PUNCH_SOCKET_CONNECT &&
	       socket < PUNCH_SOCKET_CONNECT + p->introduce.peer_count;
}

static void tcp_begin(struct punch *p, uint64_t now_us, struct actions *out)
{
	act_tcp_listen(out, PUNCH_SOCKET_LISTENER, p->introduce.local);
	p->next_round_us = now_us;
}

/* A connection is there, whichever side began it. */
static void stream_begin(struct punch *p, const struct event *ev, struct actions *out)
{
	struct probe greeting = handshake_greeting(&p->handshake);

	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++) {
		if (p->streams[i].open)
			continue;
		p->streams[i] = (struct punch_stream){ true, ev->socket, ev->remote, { 0 } };
		send_probe(p, ev->socket, &greeting, out);
		return;
	}
	act_abort(out, ev->socket);
}

static void stream_lost(struct punch *p, struct punch_stream *stream)
{
	stream->open = false;
	handshake_path_lost(&p->handshake, stream->socket);
}

static void stream_data(struct punch *p, struct punch_stream *stream, const struct event *ev,
			struct actions *out)
{
	const uint8_t *data = ev->data;
	size_t len = ev->len;
	struct probe in, answer;
	int code;

	while ((code = probe_stream_read(&stream->in, &data, &len, &in)) == 1) {
		/* A flood of messages in one piece is no peer of ours. */
		if (!actions_have_room(out, 4, 4 * PROBE_SIZE)) {
			code = -1;
			break;
		}
		if (handshake_receive(&p->handshake, stream->socket, &in, &answer))
			send_probe(p, stream->socket, &answer, out);
	}
	if (code < 0) {
		act_abort(out, stream->socket);
		stream_lost(p, stream);
	}
}

static void tcp_event(struct punch *p, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct punch_stream *stream = stream_find(p, ev->socket);

	(void)now_us;
	if (ev->kind == EVENT_CONNECTED || ev->kind == EVENT_ACCEPTED)
		stream_begin(p, ev, out);
	else if (ev->kind == EVENT_DATA && stream != NULL)
		stream_data(p, stream, ev, out);
	else if (ev->kind == EVENT_CLOSED && stream != NULL)
		stream_lost(p, stream);
	if (ev->kind == EVENT_CLOSED && is_attempt(p, ev->socket))
		p->attempts[ev->socket - PUNCH_SOCKET_CONNECT].open = false;
}

/* Begins afresh what has not come through in its time. */
static void tcp_round(struct punch *p, uint64_t now_us, struct actions *out)
{
	uint64_t next_us = now_us + retry_after_us(p);

	for (size_t i = 0; i < p->introduce.peer_count; i++) {
		uint32_t socket = PUNCH_SOCKET_CONNECT + (uint32_t)i;

		if (stream_find(p, socket) != NULL)
			continue;
		if (now_us >= p->attempts[i].retry_us) {
			if (p->attempts[i].open)
				act_abort(out, socket);
			start_attempt(p, i, now_us, out);
		}
		if (p->attempts[i].retry_us < next_us)
			next_us = p->attempts[i].retry_us;
	}
	p->next_round_us = next_us;
}

static struct endpoint tcp_remote(const struct punch *p, uint32_t path)
{
	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++)
		if (p->streams[i].socket == path)
			return p->streams[i].remote;
	return (struct endpoint){ 0 };
}

/* The agreed connection ends in order; the others leave nothing that could outlive the attempt. */
static void tcp_close(struct punch *p, struct actions *out)
{
	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++) {
		if (!p->streams[i].open)
			continue;
		if (p->connected_us != 0 && p->streams[i].socket == p->handshake.path)
			act_close(out, p->streams[i].socket);
		else
			act_abort(out, p->streams[i].socket);
	}
	for (size_t i = 0; i < p->introduce.peer_count; i++) {
		uint32_t socket = PUNCH_SOCKET_CONNECT + (uint32_t)i;

		if (p->attempts[i].open && stream_find(p, socket) == NULL)
			act_abort(out, socket);
	}
	if (p->go_us != 0)
		act_close(out, PUNCH_SOCKET_LISTENER);
}

const struct punch_transport punch_tcp = { tcp_begin, tcp_event, tcp_round, tcp_remote, tcp_close };

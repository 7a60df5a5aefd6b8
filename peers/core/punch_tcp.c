// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP: a listener and connecting sockets share the port that the rendezvous saw. A SYN of ours
 * opens our router for the peer; what then comes about is either a connection the listener accepts,
 * or a simultaneous open of the two connecting sockets (RFC 9293, section 3.5).
 *
 * A SYN that a router swallows would be sent again only after a second (RFC 6298, section 2), so an
 * attempt that has not come through is given up and begun afresh sooner: but not before an answer
 * could have come, or no connection would ever come about over a long path. How long the path to
 * the peer is nobody knows beforehand, so each attempt is given more time than the one before.
 *
 * Where SYNs cross there can be two connections, and each side may greet on both. 'a' nominates one
 * of them, and both sides see which, since it is nominated on itself; the other one is aborted.
 */
#include "peers/core/punch.h"

/* What is lost on a connection is sent again after a time that depends on the path; RFC 6298,
 * section 2, wants it to be a second at least, Linux and others make do with this. */
#define RETRANSMIT_MIN_US 200000u

/* The first attempt lasts two intervals, or three round-trips to the rendezvous where those are
 * longer. */
static uint64_t first_lasts_us(const struct punch *p)
{
	uint64_t rtt_us = p->course.introduce.rtt_us == NEVER ? 0 : p->course.introduce.rtt_us;
	uint64_t shortest_us = 2u * COURSE_INTERVAL_US;

	return 3 * rtt_us > shortest_us ? 3 * rtt_us : shortest_us;
}

/* How long a connection may be silent. One of which nothing was heard for longer than a lost
 * greeting takes to come again is dead on the other side: there it was given up just as it came
 * about, and the RST did not get here. The path is at most as long as the longest attempt so far,
 * or else the next one will be. */
static uint64_t silence_us(const struct punch *p)
{
	uint64_t longest_us = first_lasts_us(p);

	for (size_t i = 0; i < p->course.introduce.peer_count; i++)
		if (p->attempts[i].lasts_us > longest_us)
			longest_us = p->attempts[i].lasts_us;
	return RETRANSMIT_MIN_US + longest_us;
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
	p->course.sent++;
}

static void start_attempt(struct punch *p, size_t candidate, uint64_t now_us, struct actions *out)
{
	struct punch_attempt *attempt = &p->attempts[candidate];

	attempt->open = true;
	attempt->lasts_us = attempt->lasts_us == 0 ? first_lasts_us(p)
						   : attempt->lasts_us + attempt->lasts_us / 2;
	attempt->retry_us = now_us + attempt->lasts_us;
	act_tcp_connect(out, PUNCH_SOCKET_CONNECT + (uint32_t)candidate, p->course.introduce.local,
			p->course.introduce.peer[candidate]);
	p->course.sent++;
}

/* The attempt that a socket belongs to, or NULL. */
static struct punch_attempt *attempt_find(struct punch *p, uint32_t socket)
{
	return socket >= PUNCH_SOCKET_CONNECT &&
			       socket < PUNCH_SOCKET_CONNECT + p->course.introduce.peer_count
		       ? &p->attempts[socket - PUNCH_SOCKET_CONNECT]
		       : NULL;
}

void punch_tcp_begin(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch *p = punch_of(c);

	p->listening = true;
	p->connects = true;
	act_tcp_listen(out, PUNCH_SOCKET_LISTENER, p->course.introduce.local);
	p->course.next_round_us = now_us;
}

/* The socket is gone, or about to be. */
static void stream_lost(struct punch *p, struct punch_stream *stream)
{
	struct punch_attempt *attempt = attempt_find(p, stream->socket);

	stream->open = false;
	if (attempt != NULL)
		attempt->open = false;
	handshake_path_lost(&p->course.handshake, stream->socket);
}

static void stream_abort(struct punch *p, struct punch_stream *stream, struct actions *out)
{
	act_abort(out, stream->socket);
	stream_lost(p, stream);
}

/* A place for one more; where there is none, the oldest connection that was accepted and said
 * nothing gives way, for it could be anybody's. NULL: there is no such one. */
static struct punch_stream *stream_place(struct punch *p, struct actions *out)
{
	struct punch_stream *oldest = NULL;

	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++) {
		struct punch_stream *s = &p->streams[i];

		if (!s->open)
			return s;
		if (!s->heard && s->socket >= SOCKET_ACCEPTED &&
		    (oldest == NULL || s->socket < oldest->socket))
			oldest = s;
	}
	if (oldest != NULL)
		stream_abort(p, oldest, out);
	return oldest;
}

/* A connection is there, whichever side began it. */
static void stream_begin(struct punch *p, uint64_t now_us, const struct event *ev,
			 struct actions *out)
{
	struct probe greeting = handshake_greeting(&p->course.handshake);
	struct punch_attempt *attempt = attempt_find(p, ev->socket);
	struct punch_stream *stream = stream_place(p, out);

	if (stream == NULL) {
		act_abort(out, ev->socket);
		if (attempt != NULL)
			attempt->open = false;
		return;
	}
	*stream = (struct punch_stream){ .open = true,
					 .socket = ev->socket,
					 .remote = ev->remote,
					 .silent_until_us = now_us + silence_us(p) };
	send_probe(p, ev->socket, &greeting, out);
}

static void stream_data(struct punch *p, struct punch_stream *stream, uint64_t now_us,
			const struct event *ev, struct actions *out)
{
	const uint8_t *data = ev->data;
	size_t len = ev->len;
	struct probe in, answer;
	int code;

	while ((code = probe_stream_read(&stream->in, &data, &len, &in)) == 1) {
		/* A flood of messages in one piece is no peer of ours. */
		if (!handshake_is_peers(&p->course.handshake, &in) ||
		    !actions_have_room(out, PUNCH_ACTIONS_SPARE + 1, PROBE_SIZE)) {
			code = -1;
			break;
		}
		stream->heard = true;
		p->course.heard_us = now_us;
		if (handshake_receive(&p->course.handshake, stream->socket, &in, &answer))
			send_probe(p, stream->socket, &answer, out);
	}
	if (code < 0)
		stream_abort(p, stream, out);
}

static void closed(struct punch *p, uint32_t socket, struct punch_stream *stream)
{
	struct punch_attempt *attempt = attempt_find(p, socket);

	if (stream != NULL)
		stream_lost(p, stream);
	else if (attempt != NULL)
		attempt->open = false;
	else if (socket == PUNCH_SOCKET_LISTENER)
		p->listening = false;
}

void punch_tcp_event(struct course *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct punch *p = punch_of(c);
	struct punch_stream *stream = stream_find(p, ev->socket);

	if (ev->kind == EVENT_CONNECTED || ev->kind == EVENT_ACCEPTED)
		stream_begin(p, now_us, ev, out);
	else if (ev->kind == EVENT_DATA && stream != NULL)
		stream_data(p, stream, now_us, ev, out);
	else if (ev->kind == EVENT_CLOSED)
		closed(p, ev->socket, stream);
}

static void abort_silent(struct punch *p, uint64_t now_us, struct actions *out)
{
	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++) {
		struct punch_stream *s = &p->streams[i];

		if (s->open && !s->heard && now_us >= s->silent_until_us)
			stream_abort(p, s, out);
	}
}

/* The kernel would refuse a second connection between the same endpoints, whoever began it. */
static bool has_stream(const struct punch *p, struct endpoint remote)
{
	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++)
		if (p->streams[i].open && endpoint_equal(p->streams[i].remote, remote))
			return true;
	return false;
}

/* Begins afresh what has not come through in its time. */
static void retry(struct punch *p, size_t candidate, uint64_t now_us, struct actions *out)
{
	if (now_us < p->attempts[candidate].retry_us ||
	    has_stream(p, p->course.introduce.peer[candidate]))
		return;
	if (p->attempts[candidate].open)
		act_abort(out, PUNCH_SOCKET_CONNECT + (uint32_t)candidate);
	start_attempt(p, candidate, now_us, out);
}

/*
 * 'a' has answers on every path that works, and nominates the first. If it has to choose again,
 * those on the others have long come and gone; so it asks anew.
 */
static void greet_again(struct punch *p, struct actions *out)
{
	struct probe greeting = handshake_greeting(&p->course.handshake);

	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++)
		if (p->streams[i].open && p->streams[i].heard)
			send_probe(p, p->streams[i].socket, &greeting, out);
}

void punch_tcp_round(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch *p = punch_of(c);

	abort_silent(p, now_us, out);
	p->course.next_round_us = now_us + first_lasts_us(p);
	for (size_t i = 0; p->connects && i < p->course.introduce.peer_count; i++) {
		retry(p, i, now_us, out);
		if (p->attempts[i].retry_us > now_us &&
		    p->attempts[i].retry_us < p->course.next_round_us)
			p->course.next_round_us = p->attempts[i].retry_us;
	}
	if (p->course.handshake.controlling && p->course.handshake.state == HANDSHAKE_TRYING)
		greet_again(p, out);
}

struct endpoint punch_tcp_remote(const struct course *c, uint32_t path)
{
	const struct punch *p = (const struct punch *)c;

	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++)
		if (p->streams[i].open && p->streams[i].socket == path)
			return p->streams[i].remote;
	return (struct endpoint){ 0 };
}

void punch_tcp_give_up(struct punch *p, struct actions *out)
{
	for (size_t i = 0; i < p->course.introduce.peer_count; i++) {
		uint32_t socket = PUNCH_SOCKET_CONNECT + (uint32_t)i;

		if (!p->attempts[i].open || stream_find(p, socket) != NULL)
			continue;
		act_abort(out, socket);
		p->attempts[i].open = false;
	}
}

/* The agreed connection ends in order; the others leave nothing that could outlive the attempt. */
void punch_tcp_close(struct course *c, struct actions *out)
{
	struct punch *p = punch_of(c);

	for (size_t i = 0; i < PUNCH_PATHS_MAX; i++) {
		if (!p->streams[i].open)
			continue;
		if (p->course.connected_us != 0 && p->streams[i].socket == p->course.path)
			act_close(out, p->streams[i].socket);
		else
			act_abort(out, p->streams[i].socket);
	}
	punch_tcp_give_up(p, out);
	if (p->listening)
		act_close(out, PUNCH_SOCKET_LISTENER);
}

const struct course_means punch_tcp = { .begin = punch_tcp_begin,
					.event = punch_tcp_event,
					.round = punch_tcp_round,
					.remote = punch_tcp_remote,
					.close = punch_tcp_close };

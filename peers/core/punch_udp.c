// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP: one socket does everything. Each round sends a probe to every candidate that the rendezvous
 * named. What comes in is answered to where it came from, which is how a peer behind a symmetric
 * router is reached; nothing is sent there unasked, so that nobody can have us send more to a third
 * party than they sent themselves.
 */
#include "peers/core/punch.h"

static void send_probe(struct punch *p, struct endpoint to, const struct probe *probe,
		       struct actions *out)
{
	uint8_t data[PROBE_SIZE];

	probe_write(probe, data);
	act_udp_send(out, COURSE_SOCKET_MAIN, to, data, sizeof(data));
	p->course.sent++;
}

/* The next number for a path that only the peer knew of. The table is small; what gives way is the
 * oldest, but never the nominated one. */
static uint32_t next_reflexive(struct punch *p)
{
	bool nominated = p->course.handshake.peer_nonce != 0;
	uint32_t i = (uint32_t)p->next_reflexive;

	if (nominated && i == p->course.handshake.path)
		i = i + 1 < PUNCH_PATHS_MAX ? i + 1 : (uint32_t)p->candidates_count;
	p->next_reflexive = i + 1 < PUNCH_PATHS_MAX ? i + 1 : p->candidates_count;
	return i;
}

/* The number of the path to ep. */
static uint32_t path_to(struct punch *p, struct endpoint ep)
{
	for (uint32_t i = 0; i < p->paths_count; i++)
		if (endpoint_equal(p->paths[i], ep))
			return i;
	uint32_t path = next_reflexive(p);

	p->paths[path] = ep;
	if (path >= p->paths_count)
		p->paths_count = path + 1;
	return path;
}

void punch_udp_begin(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch *p = punch_of(c);

	(void)out;
	for (size_t i = 0; i < p->course.introduce.peer_count; i++)
		p->paths[i] = p->course.introduce.peer[i];
	p->candidates_count = p->paths_count = p->next_reflexive = p->course.introduce.peer_count;
	p->course.next_round_us = now_us;
}

void punch_udp_event(struct course *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct punch *p = punch_of(c);
	struct probe in, answer;

	if (ev->kind != EVENT_DATAGRAM || !probe_read(ev->data, ev->len, &in) ||
	    !handshake_is_peers(&p->course.handshake, &in))
		return;
	p->course.heard_us = now_us;
	if (handshake_receive(&p->course.handshake, path_to(p, ev->remote), &in, &answer))
		send_probe(p, ev->remote, &answer, out);
}

void punch_udp_round(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch *p = punch_of(c);

	p->course.next_round_us = now_us + COURSE_INTERVAL_US;
	if (p->course.handshake.state == HANDSHAKE_NOMINATED) {
		struct probe nomination = handshake_nomination(&p->course.handshake);

		send_probe(p, p->paths[p->course.handshake.path], &nomination, out);
		return;
	}
	struct probe greeting = handshake_greeting(&p->course.handshake);
	for (size_t i = 0; i < p->candidates_count; i++)
		send_probe(p, p->paths[i], &greeting, out);
	/* A path that worked once may work again; no candidate need lead there. */
	if (p->course.handshake.peer_nonce != 0 && p->course.handshake.path >= p->candidates_count)
		send_probe(p, p->paths[p->course.handshake.path], &greeting, out);
}

struct endpoint punch_udp_remote(const struct course *c, uint32_t path)
{
	const struct punch *p = (const struct punch *)c;

	return p->paths[path];
}

void punch_udp_close(struct course *c, struct actions *out)
{
	struct punch *p = punch_of(c);

	if (p->course.introduce.state == INTRODUCE_READY)
		act_close(out, COURSE_SOCKET_MAIN);
}

const struct course_means punch_udp = { .begin = punch_udp_begin,
					.event = punch_udp_event,
					.round = punch_udp_round,
					.remote = punch_udp_remote,
					.close = punch_udp_close };

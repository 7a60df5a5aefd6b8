// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP: one socket does everything. Each round sends a probe to every path known so far: the
 * candidates the rendezvous named, and the sources of valid probes (peer-reflexive candidates in
 * the words of RFC 8445), which is how a peer behind a symmetric router is answered.
 */
#include "peers/core/punch.h"

static void send_probe(struct punch *p, struct endpoint to, const struct probe *probe,
		       struct actions *out)
{
	uint8_t data[PROBE_SIZE];

	probe_write(probe, data);
	act_udp_send(out, PUNCH_SOCKET_MAIN, to, data, sizeof(data));
	p->sent++;
}

/* The number of the path to ep, a new one if need be; PUNCH_PATHS_MAX when there is no room. */
static uint32_t path_to(struct punch *p, struct endpoint ep)
{
	uint32_t i = 0;

	while (i < p->paths_count && !endpoint_equal(p->paths[i], ep))
		i++;
	if (i == p->paths_count && i < PUNCH_PATHS_MAX)
		p->paths[p->paths_count++] = ep;
	return i;
}

static void udp_begin(struct punch *p, uint64_t now_us, struct actions *out)
{
	(void)out;
	for (size_t i = 0; i < p->introduce.peer_count; i++)
		(void)path_to(p, p->introduce.peer[i]);
	p->next_round_us = now_us;
}

static void udp_event(struct punch *p, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct probe in, answer;

	(void)now_us;
	if (ev->kind != EVENT_DATAGRAM || !probe_read(ev->data, ev->len, &in) ||
	    in.tag != p->handshake.tag)
		return;
	uint32_t path = path_to(p, ev->remote);
	if (path < PUNCH_PATHS_MAX && handshake_receive(&p->handshake, path, &in, &answer))
		send_probe(p, ev->remote, &answer, out);
}

static void udp_round(struct punch *p, uint64_t now_us, struct actions *out)
{
	p->next_round_us = now_us + PUNCH_INTERVAL_US;
	if (p->handshake.state == HANDSHAKE_NOMINATED) {
		struct probe nomination = handshake_nomination(&p->handshake);

		send_probe(p, p->paths[p->handshake.path], &nomination, out);
		return;
	}
	struct probe greeting = handshake_greeting(&p->handshake);
	for (size_t i = 0; i < p->paths_count; i++)
		send_probe(p, p->paths[i], &greeting, out);
}

static struct endpoint udp_remote(const struct punch *p, uint32_t path)
{
	return p->paths[path];
}

static void udp_close(struct punch *p, struct actions *out)
{
	if (p->introduce.state == INTRODUCE_READY)
		act_close(out, PUNCH_SOCKET_MAIN);
}

const struct punch_transport punch_udp = { udp_begin, udp_event, udp_round, udp_remote, udp_close };

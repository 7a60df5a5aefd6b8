// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP, the side that sends: what the machine asks for. host_tcp_time.c has what time brings,
 * host_tcp_loss.c what acknowledgements tell, host_tcp_in.c what arrives. All do as Linux 6.18 was
 * seen to do.
 *
 * All that takes up sequence numbers, SYN and FIN too, is a segment in the connection's queue until
 * it is acknowledged. One that is sent again takes those along that follow it and are not there
 * yet, as far as they fit in.
 *
 * - What is new is held back after an acknowledgement or the RTO has had something sent again,
 *   until the next acknowledgement: then, so little being under way, the congestion window is full.
 *   What was held back goes in one segment.
 * - A closed socket's number is free at once while its connection lives on.
 * - Initial sequence numbers of one pair of endpoints grow with time, by one each 64 ns (RFC 6528).
 *
 * Not modelled: windows (the receiver's is taken for 65535 where one matters), congestion control
 * but for the above, delayed acknowledgements, urgent data, keepalive, fast open, options other
 * than SACK, reuse of what is in TIME_WAIT by a connect, what a kernel remembers of a destination.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/twin/host_socket.h"

/* RFC 6298, section 2.1. */
#define FIRST_RTO_US 1000000u

/* ---- segments */

/* The blocks of what came early, that with sequence first and the others in order (RFC 2018,
 * section 4). */
static void list_early(const struct host_socket *s, uint32_t sequence, struct twin_packet *p)
{
	struct twin_sack block;
	unsigned recent = p->sacks_count;

	for (const struct segment *early = s->early; early != NULL;) {
		block = (struct twin_sack){ early->sequence, segment_end(early) };
		for (early = early->next;
		     early != NULL && !sequence_before(block.end, early->sequence);
		     early = early->next)
			if (sequence_before(block.end, segment_end(early)))
				block.end = segment_end(early);
		if (!sequence_before(sequence, block.first) &&
		    sequence_before(sequence, block.end) && recent < p->sacks_count) {
			struct twin_sack other = p->sacks[recent];

			p->sacks[recent] = block;
			block = other;
		}
		if (p->sacks_count < TWIN_SACKS_MAX)
			p->sacks[p->sacks_count++] = block;
	}
}

static void transmit(struct twin_host *h, struct host_socket *s, struct segment *segment)
{
	struct twin_packet *p = host_packet(h, TWIN_TCP, s->ttl, s->local, s->remote);

	segment->sent_us = h->now_us;
	p->flags = segment->flags;
	p->sequence = segment->sequence;
	if (s->state != SOCKET_SYN_SENT) {
		p->flags |= TWIN_ACK;
		p->acknowledgement = s->receive_next;
		list_early(s, s->receive_next, p);
	}
	p->len = segment->len;
	memcpy(p->data, segment->data, segment->len);
	host_send(h);
}

static void send_bare(struct twin_host *h, const struct host_socket *s, uint8_t flags)
{
	struct twin_packet *p = host_packet(h, TWIN_TCP, s->ttl, s->local, s->remote);

	p->flags = flags;
	p->sequence = s->send_next;
	p->acknowledgement = s->receive_next;
	if (!(flags & TWIN_RST))
		list_early(s, s->receive_next, p);
	host_send(h);
}

void tcp_send_ack(struct twin_host *h, const struct host_socket *s)
{
	send_bare(h, s, TWIN_ACK);
}

void tcp_send_sack(struct twin_host *h, const struct host_socket *s, const struct twin_packet *p)
{
	uint32_t sequence = p->sequence, end = packet_end(p);
	struct twin_packet *ack = host_packet(h, TWIN_TCP, s->ttl, s->local, s->remote);

	ack->flags = TWIN_ACK;
	ack->sequence = s->send_next;
	ack->acknowledgement = s->receive_next;
	if (!sequence_before(s->receive_next, end)) /* RFC 2883 */
		ack->sacks[ack->sacks_count++] = (struct twin_sack){ sequence, end };
	list_early(s, sequence, ack);
	host_send(h);
}

/* What follows goes along, as far as it fits in. */
static void take_along(struct twin_host *h, struct host_socket *s, struct segment *segment)
{
	struct segment *next;

	while (!(segment->flags & (TWIN_SYN | TWIN_FIN)) && (next = segment->next) != NULL &&
	       !next->sacked && segment->len + next->len <= (int)DATA_MAX) {
		memcpy(segment->data + segment->len, next->data, next->len);
		segment->len = (uint16_t)(segment->len + next->len);
		segment->flags |= next->flags;
		segment->next = next->next;
		if (s->last_sent == next)
			s->last_sent = segment;
		host_segment_free(h, next);
	}
}

void tcp_send_again(struct twin_host *h, struct host_socket *s, struct segment *segment)
{
	take_along(h, s, segment);
	segment->again = true;
	segment->lost = false;
	transmit(h, s, segment);
}

static void send_first(struct twin_host *h, struct host_socket *s, struct segment *segment)
{
	segment->sequence = s->send_next;
	s->send_next = segment_end(segment);
	if (s->sent == NULL)
		s->sent = segment;
	else
		s->last_sent->next = segment;
	s->last_sent = segment;
	transmit(h, s, segment);
}

static struct segment *segment_of(struct twin_host *h, uint8_t flags, const uint8_t *data,
				  size_t len)
{
	struct segment *segment = host_segment_new(h);

	segment->flags = flags;
	segment->len = (uint16_t)len;
	if (len > 0)
		memcpy(segment->data, data, len);
	return segment;
}

static void hold_back(struct twin_host *h, struct host_socket *s, uint8_t flags,
		      const uint8_t *data, size_t len)
{
	struct segment *last = s->last_held;

	if (s->held != NULL && last->len + len <= DATA_MAX) {
		if (len > 0)
			memcpy(last->data + last->len, data, len);
		last->len = (uint16_t)(last->len + len);
		last->flags |= flags;
		return;
	}
	s->last_held = segment_of(h, flags, data, len);
	if (s->held == NULL)
		s->held = s->last_held;
	else
		last->next = s->last_held;
}

void tcp_send_held(struct twin_host *h, struct host_socket *s)
{
	struct segment *segment;

	while ((segment = s->held) != NULL) {
		s->held = segment->next;
		segment->next = NULL;
		send_first(h, s, segment);
	}
}

/* New data does not put off what is being sent again. */
static void send_new(struct twin_host *h, struct host_socket *s, uint8_t flags, const uint8_t *data,
		     size_t len)
{
	if (s->holding) {
		hold_back(h, s, flags, data, len);
		return;
	}
	send_first(h, s, segment_of(h, flags, data, len));
	tcp_start_timer(h, s, false);
}

/* ---- actions */

/* Of the pair and the seed, and growing with time. */
static uint32_t initial_sequence(const struct twin_host *h, const struct host_socket *s)
{
	uint64_t local = (uint64_t)s->local.addr << 16 | s->local.port;
	uint64_t remote = (uint64_t)s->remote.addr << 16 | s->remote.port;

	return (uint32_t)(prng_derive(h->seed, local, remote) + h->now_us * 125 / 8);
}

void tcp_begin(struct twin_host *h, struct host_socket *s, enum socket_state state)
{
	s->state = state;
	s->first_sent = s->unacknowledged = s->send_next = initial_sequence(h, s);
	s->rto_us = FIRST_RTO_US;
	host_socket_insert(h, s);
	send_first(h, s, segment_of(h, TWIN_SYN, NULL, 0));
	tcp_set_timer(h, s, TIMER_RTO, h->now_us + s->rto_us);
}

int tcp_connect(struct twin_host *h, const struct action *a)
{
	struct endpoint local = a->local;
	int error = host_bind(h, SOCKET_SYN_SENT, &local);

	if (error != 0)
		return error;
	if (local.addr == 0)
		local.addr = h->config.addrs[0];
	if (host_find_pair(h, local, a->remote) != NULL)
		return EADDRNOTAVAIL;
	struct host_socket *s = host_socket_new(h);
	s->local = local;
	s->remote = a->remote;
	s->ttl = a->ttl == 0 ? TWIN_TTL : a->ttl;
	host_socket_own(h, s, a->socket);
	tcp_begin(h, s, SOCKET_SYN_SENT);
	return 0;
}

void tcp_put(struct twin_host *h, struct host_socket *s, const uint8_t *data, size_t len)
{
	if (len > 0)
		send_new(h, s, 0, data, len);
}

void tcp_send_fin(struct twin_host *h, struct host_socket *s)
{
	send_new(h, s, TWIN_FIN, NULL, 0);
}

void tcp_close(struct twin_host *h, struct host_socket *s)
{
	if (s->state == SOCKET_SYN_SENT) {
		host_socket_end(h, s);
		return;
	}
	host_socket_disown(h, s);
	s->state = SOCKET_FIN_WAIT_1;
	tcp_send_fin(h, s);
}

/* The RST is asked for (SO_LINGER) only where peers/loop.c knows of a connection; before that it
 * just closes. */
void tcp_abort(struct twin_host *h, struct host_socket *s)
{
	if (s->state != SOCKET_ESTABLISHED) {
		tcp_close(h, s);
		return;
	}
	send_bare(h, s, TWIN_RST | TWIN_ACK);
	host_socket_end(h, s);
}

void tcp_fail(struct twin_host *h, struct host_socket *s, int error)
{
	if (s->owned)
		host_tell(h, &(struct event){
				     .kind = EVENT_CLOSED, .socket = s->number, .error = error });
	host_socket_end(h, s);
}

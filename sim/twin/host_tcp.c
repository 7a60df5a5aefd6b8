// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP, the side that sends: what the machine asks for, and what time brings. host_tcp_in.c has what
 * arrives. Both do as Linux 6.18 was seen to do.
 *
 * All that takes up sequence numbers, SYN and FIN too, is a segment in the connection's queue until
 * it is acknowledged, and its first is sent again when the timer strikes. Two segments are never
 * made into one, as the kernel would when it sends them again.
 *
 * - A SYN is sent again after 1 s, then 4 times more a second apart
 * (net.ipv4.tcp_syn_linear_timeouts, Linux 6.5), then after 2, 4, 8, 16 and 32 s; 64 s later the
 * attempt ends in ETIMEDOUT. Where SYNs cross, the timer goes on and its next resending is a
 * SYN-ACK. A listener's SYN-ACK is sent 5 times more, after 1, 2, 4, 8 and 16 s.
 * - The RTO is the smoothed round-trip time and, on top, 4 times its variation or 200 ms, whichever
 *   is more (RFC 6298 has a second in all). It doubles each time. Before it strikes for the first
 *   time the last segment is sent once more (tail loss probe, RFC 8985, section 7): after two
 *   round-trips, and 200 ms more where it is the only one, but not after the RTO would. So what is
 *   lost alone comes again after one RTO, one more, two more, four more and so on.
 * - A round-trip is measured from the last sending of what filled the gap, as timestamps (RFC 7323,
 *   section 4) would show it, and not from that of what had come long before and waited for it.
 * - A closed socket's number is free at once while its connection lives on, at most 8 resendings;
 *   one that the machine still has is given up after 15.
 * - Initial sequence numbers of one pair of endpoints grow with time, by one each 64 ns (RFC 6528).
 *
 * Not modelled: windows (the receiver's is taken for 65535 where one matters), congestion control,
 * SACK and so recovery before the RTO, delayed acknowledgements, urgent data, keepalive, fast open,
 * options and their sizes, reuse of what is in TIME_WAIT by a connect.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/twin/host_socket.h"

/* RFC 6298, section 2.1. */
#define FIRST_RTO_US 1000000u

/* Linux, include/net/tcp.h. */
#define MIN_VARIATION_US 200000u /* TCP_RTO_MIN */
#define MAX_RTO_US       120000000u
#define PROBE_SLACK_US   8000u /* TCP_TIMEOUT_MIN, two ticks of a clock of 250 Hz */

/* net.ipv4.tcp_syn_retries, tcp_synack_retries, tcp_retries2; 8: tcp_orphan_retries() */
#define SYN_LINEAR     4u
#define SYN_RETRIES    6u
#define SYNACK_RETRIES 5u
#define DATA_RETRIES   15u
#define ORPHAN_RETRIES 8u

/* ---- segments */

void tcp_set_timer(struct twin_host *h, struct host_socket *s, uint64_t at_us)
{
	s->timer_us = at_us;
	if (at_us < h->tcp_timer_us)
		h->tcp_timer_us = at_us;
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
	host_send(h);
}

void tcp_send_ack(struct twin_host *h, const struct host_socket *s)
{
	send_bare(h, s, TWIN_ACK);
}

void tcp_send_again(struct twin_host *h, struct host_socket *s)
{
	transmit(h, s, s->sent);
}

static void append(struct twin_host *h, struct host_socket *s, uint8_t flags, const uint8_t *data,
		   size_t len)
{
	struct segment *segment = host_segment_new(h);

	segment->sequence = s->send_next;
	segment->flags = flags;
	segment->len = (uint16_t)len;
	if (len > 0)
		memcpy(segment->data, data, len);
	s->send_next = segment_end(segment);
	if (s->sent == NULL)
		s->sent = segment;
	else
		s->last_sent->next = segment;
	s->last_sent = segment;
	transmit(h, s, segment);
}

static bool syn_is_acknowledged(const struct host_socket *s)
{
	return s->unacknowledged != s->first_sent;
}

static uint64_t min_us(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* After something new was sent or acknowledged. */
static void start_timer(struct twin_host *h, struct host_socket *s)
{
	if (s->sent == NULL) {
		s->timer_us = NEVER;
		return;
	}
	bool alone = s->sent->next == NULL;
	uint64_t probe_us = 2 * s->srtt_us + (alone ? MIN_VARIATION_US : PROBE_SLACK_US);

	tcp_set_timer(h, s, min_us(h->now_us + probe_us, s->sent->sent_us + s->rto_us));
}

/* New data does not put off what is being sent again. */
static void send_new(struct twin_host *h, struct host_socket *s, uint8_t flags, const uint8_t *data,
		     size_t len)
{
	append(h, s, flags, data, len);
	if (syn_is_acknowledged(s) && !s->probed && s->retries == 0)
		start_timer(h, s);
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
	append(h, s, TWIN_SYN, NULL, 0);
	tcp_set_timer(h, s, h->now_us + s->rto_us);
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

/* ---- acknowledgements */

/* RFC 6298, section 2; of the minimum see above. */
static void measure(struct host_socket *s, uint64_t rtt_us)
{
	if (s->srtt_us == 0) {
		s->srtt_us = rtt_us > 0 ? rtt_us : 1;
		s->rttvar_us = rtt_us / 2;
	} else {
		uint64_t off_us = s->srtt_us > rtt_us ? s->srtt_us - rtt_us : rtt_us - s->srtt_us;

		s->rttvar_us = (3 * s->rttvar_us + off_us) / 4;
		s->srtt_us = (7 * s->srtt_us + rtt_us) / 8;
	}
	uint64_t variation_us = 4 * s->rttvar_us;
	if (variation_us < MIN_VARIATION_US)
		variation_us = MIN_VARIATION_US;
	s->rto_us = min_us(s->srtt_us + variation_us, MAX_RTO_US);
}

void tcp_acknowledged(struct twin_host *h, struct host_socket *s, uint32_t acknowledgement)
{
	bool recovering = s->retries > 0 && syn_is_acknowledged(s);
	const struct segment *first = s->sent;
	uint64_t sent_us = 0;

	while (s->sent != NULL && !sequence_before(acknowledgement, segment_end(s->sent))) {
		struct segment *next = s->sent->next;

		if (s->sent->sent_us > sent_us)
			sent_us = s->sent->sent_us;
		host_segment_free(h, s->sent);
		s->sent = next;
	}
	s->unacknowledged = acknowledgement;
	if (s->sent != first)
		measure(s, h->now_us - sent_us);
	s->retries = s->doublings = 0;
	s->probed = false;
	/* What was under way together with what was lost is most likely lost too. */
	if (recovering && s->sent != NULL && sequence_before(acknowledgement, s->recover)) {
		tcp_send_again(h, s);
		s->retries = 1;
		tcp_set_timer(h, s, h->now_us + s->rto_us);
		return;
	}
	start_timer(h, s);
}

/* ---- time */

static unsigned retries_max(const struct host_socket *s)
{
	if (s->state == SOCKET_SYN_SENT)
		return SYN_LINEAR + SYN_RETRIES;
	if (s->state == SOCKET_REQUEST)
		return SYNACK_RETRIES;
	if (s->state == SOCKET_SYN_RECEIVED)
		return SYN_RETRIES;
	return s->owned ? DATA_RETRIES : ORPHAN_RETRIES;
}

static void probe_tail(struct twin_host *h, struct host_socket *s)
{
	s->probed = true;
	transmit(h, s, s->last_sent);
	tcp_set_timer(h, s, h->now_us + s->rto_us);
}

static void send_late(struct twin_host *h, struct host_socket *s)
{
	if (s->retries == retries_max(s) || tcp_is_stray_request(s)) {
		tcp_fail(h, s, ETIMEDOUT);
		return;
	}
	s->retries++;
	s->recover = s->send_next;
	tcp_send_again(h, s);
	if (s->state != SOCKET_SYN_SENT || s->retries > SYN_LINEAR)
		s->doublings++;
	tcp_set_timer(h, s, h->now_us + min_us(s->rto_us << s->doublings, MAX_RTO_US));
}

static void time_is_up(struct twin_host *h, struct host_socket *s)
{
	if (s->sent == NULL)
		host_socket_end(h, s); /* TIME_WAIT, or FIN_WAIT_2 of a closed socket */
	else if (syn_is_acknowledged(s) && !s->probed && s->retries == 0)
		probe_tail(h, s);
	else
		send_late(h, s);
}

void tcp_timers(struct twin_host *h)
{
	struct host_socket *next;

	h->tcp_timer_us = NEVER;
	for (struct host_socket *s = h->connections; s != NULL; s = next) {
		next = s->later;
		if (s->timer_us <= h->now_us)
			time_is_up(h, s);
		else if (s->timer_us < h->tcp_timer_us)
			h->tcp_timer_us = s->timer_us;
	}
}

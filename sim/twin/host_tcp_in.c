// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP, the side that receives; host_tcp.c opens with what both do.
 *
 * A segment is looked up among connections, requests and what is in TIME_WAIT first, and goes to a
 * listener only where there is none of these. What fits nowhere is answered with an RST, and what
 * does not fit into a connection with an ACK at most twice a second (RFC 5961, sections 3 and 4;
 * net.ipv4.tcp_invalid_ratelimit): the other side, if it is not of this connection, answers that
 * with an RST that does fit.
 *
 * Of ICMP errors the first ends an attempt to connect, whichever it is: "time exceeded" too. A
 * request minds only those that are about the path, and a connection none.
 */
#include <errno.h>

#include "sim/twin/host_socket.h"

#define WINDOW       65535u
#define ODD_EACH_US  500000u /* net.ipv4.tcp_invalid_ratelimit */
#define SYN_AGAIN_US 8000u   /* TCP_TIMEOUT_MIN, two ticks of a clock of 250 Hz */

/* ---- answers */

/* RFC 9293, section 3.10.7.1. */
void tcp_answer_reset(struct twin_host *h, const struct twin_packet *p)
{
	if (p->flags & TWIN_RST)
		return;
	struct twin_packet *answer = host_packet(h, TWIN_TCP, TWIN_TTL, p->to, p->from);

	answer->flags = TWIN_RST;
	if (p->flags & TWIN_ACK) {
		answer->sequence = p->acknowledgement;
	} else {
		answer->flags |= TWIN_ACK;
		answer->acknowledgement = packet_end(p);
	}
	host_send(h);
}

static bool may_answer(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	if (p->len > 0 && !(p->flags & TWIN_SYN))
		return true;
	if (h->now_us < s->limited_us)
		return false;
	s->limited_us = h->now_us + ODD_EACH_US;
	return true;
}

static void answer_odd(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	bool known = packet_end(p) != p->sequence && sequence_before(p->sequence, s->receive_next);

	if (!may_answer(h, s, p))
		return;
	if (known)
		tcp_send_sack(h, s, p);
	else
		tcp_send_ack(h, s);
}

/* ---- by state */

static void come_about(struct twin_host *h, struct host_socket *s, enum event_kind kind)
{
	s->state = SOCKET_ESTABLISHED;
	s->ttl = TWIN_TTL;
	host_tell(h, &(struct event){ .kind = kind,
				      .socket = s->number,
				      .listener = kind == EVENT_ACCEPTED ? s->listener->number : 0,
				      .local = s->local,
				      .remote = s->remote });
}

static void receive_alone(struct twin_host *h, const struct twin_packet *p)
{
	struct host_socket *listener = host_find_local(h, SOCKET_LISTENER, p->to);

	if (p->flags & TWIN_RST)
		return;
	if (listener == NULL || p->flags & TWIN_ACK) {
		tcp_answer_reset(h, p);
		return;
	}
	if (!(p->flags & TWIN_SYN))
		return;
	struct host_socket *s = host_socket_new(h);
	s->local = p->to;
	s->remote = p->from;
	s->listener = listener;
	s->listener_serial = listener->serial;
	s->first_received = p->sequence;
	s->receive_next = p->sequence + 1;
	tcp_begin(h, s, SOCKET_REQUEST);
}

static bool is_of_sent(const struct host_socket *s, uint32_t acknowledgement)
{
	return sequence_before(s->unacknowledged, acknowledgement) &&
	       !sequence_before(s->send_next, acknowledgement);
}

/* RFC 9293, section 3.10.7.3. An acknowledgement of something else comes from a connection that is
 * no more: the RST ends it, and the SYN is worth another try at once. */
static void receive_syn_sent(struct twin_host *h, struct host_socket *s,
			     const struct twin_packet *p)
{
	bool acknowledges = p->flags & TWIN_ACK;

	if (acknowledges && !is_of_sent(s, p->acknowledgement)) {
		if (s->retries == 0)
			tcp_set_timer(h, s, TIMER_RTO, h->now_us + SYN_AGAIN_US);
		tcp_answer_reset(h, p);
		return;
	}
	if (p->flags & TWIN_RST) {
		if (acknowledges)
			tcp_fail(h, s, ECONNREFUSED);
		return;
	}
	if (!(p->flags & TWIN_SYN))
		return;
	s->first_received = p->sequence;
	s->receive_next = p->sequence + 1;
	if (!acknowledges) {
		s->state = SOCKET_SYN_RECEIVED;
		tcp_send_again(h, s, s->sent);
		return;
	}
	tcp_acknowledged(h, s, p);
	come_about(h, s, EVENT_CONNECTED);
	tcp_send_ack(h, s);
}

static bool is_in_window(const struct host_socket *s, const struct twin_packet *p)
{
	return !sequence_before(packet_end(p), s->receive_next) &&
	       !sequence_before(s->receive_next + WINDOW, p->sequence);
}

/* As tcp_check_req() in Linux. */
static void receive_request(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	bool again = p->sequence == s->first_received; /* the SYN, or a SYN-ACK with its number */

	if ((p->flags & (TWIN_SYN | TWIN_ACK | TWIN_RST)) == TWIN_SYN && again) {
		if (may_answer(h, s, p))
			tcp_send_again(h, s, s->sent);
	} else if (p->flags & TWIN_ACK && p->acknowledgement != s->send_next) {
		tcp_answer_reset(h, p);
	} else if (again || !is_in_window(s, p)) {
		if (!(p->flags & TWIN_RST))
			answer_odd(h, s, p);
	} else if (p->flags & (TWIN_RST | TWIN_SYN)) {
		tcp_answer_reset(h, p);
		host_socket_end(h, s);
	} else if (p->flags & TWIN_ACK) {
		tcp_acknowledged(h, s, p);
		host_socket_own(h, s, h->next_accepted++);
		come_about(h, s, EVENT_ACCEPTED);
		tcp_receive_text(h, s, p);
	}
}

static void receive_time_wait(struct twin_host *h, struct host_socket *s,
			      const struct twin_packet *p)
{
	bool is_next = p->sequence == s->receive_next;

	if (p->flags & TWIN_RST) {
		if (is_next)
			host_socket_end(h, s);
		return;
	}
	if (p->flags & TWIN_ACK)
		tcp_set_timer(h, s, TIMER_RTO, h->now_us + TCP_TIME_WAIT_US);
	if (!is_next || packet_end(p) != p->sequence)
		answer_odd(h, s, p);
}

/* The FIN, if there is one, is acknowledged. Returns false if that was the end. */
static bool end_sending(struct twin_host *h, struct host_socket *s)
{
	if (s->state == SOCKET_FIN_WAIT_1) {
		s->state = SOCKET_FIN_WAIT_2;
		tcp_set_timer(h, s, TIMER_RTO, h->now_us + TCP_TIME_WAIT_US);
	} else if (s->state == SOCKET_CLOSING) {
		tcp_wait_for_strays(h, s);
	} else if (s->state == SOCKET_LAST_ACK) {
		host_socket_end(h, s);
		return false;
	}
	return true;
}

/* Returns false if there is no more to look at. */
static bool receive_acknowledgement(struct twin_host *h, struct host_socket *s,
				    const struct twin_packet *p)
{
	if (is_of_sent(s, p->acknowledgement)) {
		tcp_acknowledged(h, s, p);
		if (s->state == SOCKET_SYN_RECEIVED)
			come_about(h, s, EVENT_CONNECTED);
		return s->sent != NULL || end_sending(h, s);
	}
	if (s->state == SOCKET_SYN_RECEIVED) {
		tcp_answer_reset(h, p);
		return false;
	}
	if (sequence_before(s->send_next, p->acknowledgement))
		return false;
	if (p->sacks_count > 0 && s->sent != NULL)
		tcp_acknowledged(h, s, p);
	return true;
}

/* The SYN-ACK of the other side of a simultaneous open: its SYN is known, and it acknowledges ours.
 * Linux takes it so since 6.11; before, the answer it gave was what the other side went on with. */
static bool is_second_half(const struct host_socket *s, const struct twin_packet *p)
{
	return s->state == SOCKET_SYN_RECEIVED && p->flags & TWIN_ACK && p->len == 0 &&
	       packet_end(p) == s->receive_next && p->acknowledgement == s->send_next;
}

/* RFC 9293, section 3.10.7.4. */
static void receive_connected(struct twin_host *h, struct host_socket *s,
			      const struct twin_packet *p)
{
	bool reset = p->flags & TWIN_RST;

	if (!is_in_window(s, p)) {
		if (!reset)
			answer_odd(h, s, p);
		return;
	}
	if (reset && p->sequence == s->receive_next) {
		tcp_fail(h, s, ECONNRESET);
		return;
	}
	if (reset || (p->flags & TWIN_SYN && !is_second_half(s, p))) {
		answer_odd(h, s, p);
		return;
	}
	if (p->flags & TWIN_ACK && receive_acknowledgement(h, s, p))
		tcp_receive_text(h, s, p);
}

/* ---- what arrives */

/* A SYN may take the place of what is in TIME_WAIT (RFC 6191; timestamps would show that it is a
 * new one), and nobody misses a request without its listener. */
static bool gives_way(struct twin_host *h, const struct host_socket *s, const struct twin_packet *p)
{
	if (s->state != SOCKET_TIME_WAIT)
		return tcp_is_stray_request(s);
	return (p->flags & (TWIN_SYN | TWIN_ACK | TWIN_RST)) == TWIN_SYN &&
	       p->sequence != s->first_received &&
	       host_find_local(h, SOCKET_LISTENER, p->to) != NULL;
}

void tcp_receive(struct twin_host *h, const struct twin_packet *p)
{
	struct host_socket *s = host_find_pair(h, p->to, p->from);

	if (s != NULL && gives_way(h, s, p)) {
		host_socket_end(h, s);
		s = NULL;
	}
	if (s == NULL)
		receive_alone(h, p);
	else if (s->state == SOCKET_SYN_SENT)
		receive_syn_sent(h, s, p);
	else if (s->state == SOCKET_REQUEST)
		receive_request(h, s, p);
	else if (s->state == SOCKET_TIME_WAIT)
		receive_time_wait(h, s, p);
	else
		receive_connected(h, s, p);
}

static int error_of(enum twin_error error)
{
	if (error == TWIN_NET_UNREACHABLE)
		return ENETUNREACH;
	return error == TWIN_PORT_UNREACHABLE ? ECONNREFUSED : EHOSTUNREACH;
}

void tcp_receive_error(struct twin_host *h, const struct twin_quote *quote)
{
	struct host_socket *s = host_find_pair(h, quote->from, quote->to);

	if (s == NULL)
		return;
	if (s->state == SOCKET_SYN_SENT || s->state == SOCKET_SYN_RECEIVED)
		tcp_fail(h, s, error_of(quote->error));
	else if (s->state == SOCKET_REQUEST && quote->error != TWIN_PORT_UNREACHABLE)
		host_socket_end(h, s);
}

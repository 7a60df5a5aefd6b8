// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP's streams as they come in: brought into order, acknowledged, and read by the machine. */
#include <string.h>

#include "sim/twin/host_socket.h"

void tcp_wait_for_strays(struct twin_host *h, struct host_socket *s)
{
	s->state = SOCKET_TIME_WAIT;
	tcp_set_timer(h, s, TIMER_RTO, h->now_us + TCP_TIME_WAIT_US);
}

/* The other side has closed. */
static void end_stream(struct twin_host *h, struct host_socket *s)
{
	if (s->state == SOCKET_FIN_WAIT_1) {
		s->state = SOCKET_CLOSING;
	} else if (s->state == SOCKET_FIN_WAIT_2) {
		tcp_wait_for_strays(h, s);
	} else {
		host_tell(h, &(struct event){ .kind = EVENT_CLOSED, .socket = s->number });
		host_socket_disown(h, s);
		s->state = SOCKET_LAST_ACK;
		tcp_send_fin(h, s);
	}
}

static void tell_stream(struct twin_host *h, const struct host_socket *s, const uint8_t *data,
			size_t len)
{
	if (s->owned && len > 0)
		host_tell_data(h, &(struct event){ .kind = EVENT_DATA,
						   .socket = s->number,
						   .local = s->local,
						   .remote = s->remote,
						   .data = data,
						   .len = len });
}

/* Keeps what came too early, in order; of two that begin at the same place the longer one. */
static void keep(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	struct segment **at = &s->early;

	while (*at != NULL && sequence_before((*at)->sequence, p->sequence))
		at = &(*at)->next;
	struct segment *segment = *at;
	if (segment == NULL || segment->sequence != p->sequence) {
		segment = host_segment_new(h);
		segment->sequence = p->sequence;
		segment->next = *at;
		*at = segment;
	} else if (!sequence_before(segment_end(segment), packet_end(p))) {
		return;
	}
	segment->flags = p->flags & TWIN_FIN;
	segment->len = p->len;
	memcpy(segment->data, p->data, p->len);
}

/* Takes what has come early and is due now, or NULL. */
static struct segment *take_due(struct twin_host *h, struct host_socket *s)
{
	struct segment *segment;

	while ((segment = s->early) != NULL &&
	       !sequence_before(s->receive_next, segment->sequence)) {
		s->early = segment->next;
		if (sequence_before(s->receive_next, segment_end(segment)))
			return segment;
		host_segment_free(h, segment);
	}
	return NULL;
}

/*
 * Takes p's data and all that waited for it, acknowledges them in one, and then gives them to the
 * machine, which may end the connection at any piece.
 */
static void take_in(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	uint32_t known = s->receive_next - p->sequence;
	struct segment *due = NULL, **due_end = &due, *segment;
	uint64_t serial = s->serial;
	bool fin = p->flags & TWIN_FIN;

	s->receive_next = packet_end(p);
	while (!fin && (segment = take_due(h, s)) != NULL) {
		uint32_t overlap = s->receive_next - segment->sequence;

		s->receive_next = segment_end(segment);
		segment->len = (uint16_t)(segment->len - overlap);
		memmove(segment->data, segment->data + overlap, segment->len);
		fin = segment->flags & TWIN_FIN;
		segment->next = NULL;
		*due_end = segment;
		due_end = &segment->next;
	}
	tcp_send_ack(h, s);
	host_tell_all(h);
	if (s->serial == serial)
		tell_stream(h, s, p->data + known, p->len - known);
	while ((segment = due) != NULL) {
		due = segment->next;
		if (s->serial == serial)
			tell_stream(h, s, segment->data, segment->len);
		host_segment_free(h, segment);
	}
	if (fin && s->serial == serial)
		end_stream(h, s);
}

void tcp_receive_text(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	uint32_t end = packet_end(p);

	if (end == p->sequence)
		return;
	if (!sequence_before(s->receive_next, end)) {
		tcp_send_sack(h, s, p);
	} else if (!s->owned && p->len > 0) {
		tcp_answer_reset(h, p); /* nobody is there to read it */
		host_socket_end(h, s);
	} else if (sequence_before(s->receive_next, p->sequence)) {
		keep(h, s, p);
		tcp_send_sack(h, s, p);
	} else {
		take_in(h, s, p);
	}
}

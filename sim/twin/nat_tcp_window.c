// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a segment's numbers are those of its connection, as conntrack judges them: it may not
 * begin beyond what the other end has said that it takes, nor acknowledge what was not sent. One
 * from the past is ignored.
 */
#include "sim/twin/nat.h"

/* The kernel's MAXACKWINCONST. */
#define ACK_WINDOW 66000u

static bool after(uint32_t a, uint32_t b)
{
	return twin_tcp_before(b, a);
}

/* The first segment from an end, or a SYN that begins anew. Returns true if it need not be judged.
 */
static bool note_beginning(struct twin_tcp *tcp, enum twin_way way, const struct twin_packet *p)
{
	struct twin_tcp_end *sender = &tcp->ends[way], *receiver = &tcp->ends[!way];
	bool syn = (p->flags & TWIN_SYN) != 0, ack = (p->flags & TWIN_ACK) != 0;

	if (sender->max_window == 0) {
		if (syn) {
			*sender = twin_tcp_end_begun_at(twin_tcp_end_of(p));
			return !ack;
		}
		sender->end = twin_tcp_end_of(p);
		sender->max_window = TWIN_TCP_WINDOW;
		sender->max_end = sender->end + TWIN_TCP_WINDOW;
		if (receiver->max_window == 0)
			receiver->end = receiver->max_end = p->acknowledgement;
		else if (p->acknowledgement == receiver->end + 1)
			receiver->end++;
	} else if (syn && twin_tcp_end_of(p) != sender->end &&
		   (tcp->state == TWIN_TCP_SYN_SENT || tcp->state == TWIN_TCP_SYN_RECV)) {
		bool closes_first = sender->closes_first;

		*sender = twin_tcp_end_begun_at(twin_tcp_end_of(p));
		sender->closes_first = closes_first;
		return way == TWIN_REPLY && !ack;
	}
	return false;
}

static void note_segment(struct twin_tcp *tcp, enum twin_way way, const struct twin_packet *p,
			 uint32_t ack)
{
	struct twin_tcp_end *sender = &tcp->ends[way], *receiver = &tcp->ends[!way];
	uint32_t end = twin_tcp_end_of(p);

	if (after(end, sender->end)) {
		sender->end = end;
		sender->unacknowledged = true;
	}
	if ((p->flags & TWIN_ACK) != 0 && (!sender->has_ack || after(ack, sender->max_ack))) {
		sender->max_ack = ack;
		sender->has_ack = true;
	}
	if (receiver->max_window != 0 && after(end, sender->max_end))
		receiver->max_window += end - sender->max_end;
	if (after(ack + TWIN_TCP_WINDOW, receiver->max_end - 1))
		receiver->max_end = ack + TWIN_TCP_WINDOW;
	if (ack == receiver->end)
		receiver->unacknowledged = false;
}

enum twin_tcp_verdict twin_tcp_judge_numbers(struct twin_tcp *tcp, enum twin_way way,
					     const struct twin_packet *p)
{
	struct twin_tcp_end *sender = &tcp->ends[way], *receiver = &tcp->ends[!way];
	uint32_t ack = p->acknowledgement, sequence = p->sequence, end = twin_tcp_end_of(p);
	bool rst = (p->flags & TWIN_RST) != 0;

	if (note_beginning(tcp, way, p))
		return TWIN_TCP_VALID;
	if ((p->flags & TWIN_ACK) == 0 || (rst && ack == 0))
		ack = receiver->end;
	/* A reset that answers a SYN. */
	if (rst && sequence == 0 && tcp->state == TWIN_TCP_SYN_SENT)
		sequence = end = sender->end;

	uint32_t ack_window = sender->max_window > ACK_WINDOW ? sender->max_window : ACK_WINDOW;
	/* Linux begins connections between the same two endpoints at ever higher numbers. */
	bool begins_anew =
		p->flags == TWIN_SYN && tcp->state == TWIN_TCP_SYN_SENT2 && end != sender->end;
	if (begins_anew || after(sequence, sender->max_end) || after(ack, receiver->end))
		return TWIN_TCP_INVALID;
	if ((receiver->max_window != 0 && !after(end, sender->end - receiver->max_window - 1)) ||
	    !after(ack, receiver->end - ack_window - 1))
		return TWIN_TCP_IGNORED;
	note_segment(tcp, way, p, ack);
	return TWIN_TCP_VALID;
}

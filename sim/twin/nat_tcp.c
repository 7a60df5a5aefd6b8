// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conntrack's view of TCP, as Linux 6.x has it in nf_conntrack_proto_tcp.c. It stands between the
 * ends and guesses their state from what passes: next[] says from which state a segment leads
 * where; nat_tcp_window.c says whether its numbers are those of the connection.
 *
 * A segment may be ignored: it passes and changes nothing, since it may be right while conntrack is
 * wrong, and its answer will tell. A SYN of a fresh attempt is such a one in most states, but not
 * where SYNs have crossed: there it is judged by its number, and if numbers are judged at all it is
 * invalid, for as long as the flow is remembered.
 */
#include "sim/twin/nat.h"

enum segment { SYN, SYN_ACK, FIN, ACK, RST, ODD };

/* Short names for the table, as in the kernel's. */
enum { NO, SS, SR, ES, FW, CW, LA, TW, CL, S2, IG, IV };

static const uint8_t next[2][ODD][S2 + 1] = {
	[TWIN_ORIGINAL] = {
		/*	      NO, SS, SR, ES, FW, CW, LA, TW, CL, S2 */
		[SYN]     = { SS, SS, IG, IG, IG, IG, IG, SS, SS, S2 },
		[SYN_ACK] = { IV, IV, SR, IV, IV, IV, IV, IV, IV, SR },
		[FIN]     = { IV, IV, FW, FW, LA, LA, LA, TW, CL, IV },
		[ACK]     = { IV, IV, ES, ES, CW, CW, TW, TW, CL, IV },
		[RST]     = { IV, CL, CL, CL, CL, CL, CL, CL, CL, CL },
	},
	[TWIN_REPLY] = {
		[SYN]     = { IV, S2, IV, IV, IV, IV, IV, SS, IV, S2 },
		[SYN_ACK] = { IV, SR, IG, IG, IG, IG, IG, IG, IG, SR },
		[FIN]     = { IV, IV, FW, FW, LA, LA, LA, TW, CL, IV },
		[ACK]     = { IV, IG, SR, ES, CW, CW, TW, TW, CL, IG },
		[RST]     = { IV, CL, CL, CL, CL, CL, CL, CL, CL, CL },
	},
};

/* The kernel's defaults, which no sysctl that natsim sets changes. */
#define SYN_SENT2_US      120000000u
#define UNACKNOWLEDGED_US 300000000u

/* The flags that come with others in no segment of a real host. */
static enum segment segment_of(const struct twin_packet *p)
{
	switch (p->flags) {
	case TWIN_SYN:
		return SYN;
	case TWIN_SYN | TWIN_ACK:
		return SYN_ACK;
	case TWIN_FIN | TWIN_ACK:
		return FIN;
	case TWIN_ACK:
		return ACK;
	case TWIN_RST:
	case TWIN_RST | TWIN_ACK:
		return RST;
	default:
		return ODD;
	}
}

static bool is_liberal(const struct nat_model *m)
{
	return !m->of[NAT_TCP].overloads && m->rst != NAT_RST_IN_WINDOW;
}

bool twin_tcp_begin(struct twin_flow *flow, const struct twin_packet *p)
{
	if (segment_of(p) != SYN)
		return false;
	flow->tcp = (struct twin_tcp){ .state = TWIN_TCP_SYN_SENT, .last_segment = SYN };
	flow->tcp.ends[TWIN_ORIGINAL] = twin_tcp_end_begun_at(twin_tcp_end_of(p));
	flow->tcp.ends[TWIN_REPLY].max_end = TWIN_TCP_WINDOW;
	return true;
}

/* What is ignored is noted, so that its answer is known for one. A SYN-ACK that answers such a SYN
 * shows that the ends are right: returns true for it. */
static bool note_ignored(struct twin_tcp *tcp, enum twin_way way, enum segment segment,
			 const struct twin_packet *p)
{
	if (segment == SYN_ACK && tcp->last_segment == SYN && tcp->last_way != way &&
	    p->acknowledgement == tcp->last_end) {
		tcp->ends[!way] = twin_tcp_end_begun_at(tcp->last_end);
		tcp->ends[way] = (struct twin_tcp_end){ .end = 0 };
		tcp->challenged = false;
		tcp->state = TWIN_TCP_SYN_SENT;
		return true;
	}
	tcp->last_segment = (uint8_t)segment;
	tcp->last_way = way;
	tcp->last_end = twin_tcp_end_of(p);
	if (segment == SYN && way == TWIN_ORIGINAL)
		tcp->challenged = tcp->state == TWIN_TCP_LAST_ACK;
	if (segment == ACK && way == TWIN_REPLY && tcp->state == TWIN_TCP_SYN_SENT)
		tcp->last_ack = p->acknowledgement;
	return false;
}

static bool is_closing(enum twin_tcp_state state)
{
	return state >= TWIN_TCP_FIN_WAIT && state <= TWIN_TCP_CLOSE;
}

enum reset { RESET_JUDGED, RESET_RIGHT, RESET_CHALLENGED, RESET_WRONG };

/* RFC 5961: only a reset with the number that is expected next resets; another one in the window is
 * challenged. */
static enum reset judge_reset(const struct twin_flow *flow, const struct nat_model *m,
			      enum twin_way way, const struct twin_packet *p)
{
	const struct twin_tcp *tcp = &flow->tcp;
	const struct twin_tcp_end *receiver = &tcp->ends[!way];
	bool established = tcp->state == TWIN_TCP_ESTABLISHED && flow->is_assured;

	if (is_closing(tcp->state))
		return RESET_RIGHT;
	if (receiver->has_ack && tcp->last_segment != SYN) {
		if (p->sequence == 0 && !established)
			return RESET_JUDGED;
		if (twin_tcp_before(p->sequence, receiver->max_ack) && m->rst != NAT_RST_ANY)
			return RESET_WRONG;
		if (!established || p->sequence == receiver->max_ack ||
		    (tcp->last_segment == ACK && tcp->last_way == way &&
		     p->sequence == tcp->last_end))
			return RESET_JUDGED;
		return RESET_CHALLENGED;
	}
	/* The answer to what was ignored. */
	if (((flow->is_answered && tcp->last_segment == SYN && tcp->last_way != way) ||
	     (!flow->is_assured && tcp->last_segment == ACK)) &&
	    p->acknowledgement == tcp->last_end)
		return RESET_RIGHT;
	if (tcp->state == TWIN_TCP_SYN_SENT && tcp->last_segment == ACK &&
	    tcp->last_way == TWIN_REPLY && p->sequence == tcp->last_ack)
		return RESET_RIGHT;
	return RESET_JUDGED;
}

/* The segment is one of the connection. */
static enum twin_tcp_verdict note_valid(struct twin_flow *flow, enum twin_way way,
					enum segment segment, enum twin_tcp_state to)
{
	struct twin_tcp *tcp = &flow->tcp;
	enum twin_tcp_state was = tcp->state;

	tcp->last_segment = (uint8_t)segment;
	tcp->last_way = way;
	tcp->state = to;
	if (was != to && to == TWIN_TCP_FIN_WAIT)
		tcp->ends[way].closes_first = true;
	if (!flow->is_answered) {
		if (segment == RST)
			return TWIN_TCP_ENDS;
		/* One that is sent again and again does not live for ever. */
		if (segment == SYN && was == TWIN_TCP_SYN_SENT)
			return TWIN_TCP_IGNORED;
	} else if ((was == TWIN_TCP_SYN_RECV || was == TWIN_TCP_ESTABLISHED) &&
		   to == TWIN_TCP_ESTABLISHED) {
		flow->is_assured = true;
	}
	return TWIN_TCP_VALID;
}

/* What the table does not say. */
static uint8_t adjust(struct twin_tcp *tcp, enum twin_way way, enum segment segment, uint8_t to)
{
	if (to == S2)
		tcp->crossed = true;
	if (to == SR && way == TWIN_REPLY && segment == ACK && tcp->crossed)
		return ES;
	/* The answer to a SYN that was ignored does not acknowledge the last FIN. */
	if (to == TW && tcp->state == TWIN_TCP_LAST_ACK && segment == ACK &&
	    tcp->last_segment == SYN && tcp->last_way != way && tcp->challenged) {
		tcp->challenged = false;
		return IG;
	}
	return to;
}

enum twin_tcp_verdict twin_tcp_judge(struct twin_flow *flow, const struct nat_model *m,
				     enum twin_way way, const struct twin_packet *p)
{
	struct twin_tcp *tcp = &flow->tcp;
	enum segment segment = segment_of(p);
	uint8_t to = segment == ODD ? IV : next[way][segment][tcp->state];

	if (to == IV)
		return TWIN_TCP_INVALID;
	if (to == SS && tcp->state >= TWIN_TCP_TIME_WAIT &&
	    (tcp->ends[0].closes_first || tcp->ends[1].closes_first ||
	     (tcp->last_way == way && tcp->last_segment == RST)))
		return TWIN_TCP_REOPENS;
	if (to == IG || (to == SS && tcp->state >= TWIN_TCP_TIME_WAIT)) {
		if (!note_ignored(tcp, way, segment, p))
			return TWIN_TCP_IGNORED;
		to = SR;
	} else {
		to = adjust(tcp, way, segment, to);
		if (to == IG)
			return TWIN_TCP_IGNORED;
	}

	enum reset reset = segment == RST ? judge_reset(flow, m, way, p) : RESET_JUDGED;
	if (reset == RESET_WRONG)
		return TWIN_TCP_INVALID;
	if (reset == RESET_CHALLENGED)
		to = (uint8_t)tcp->state;
	if (reset != RESET_RIGHT) {
		enum twin_tcp_verdict verdict = twin_tcp_judge_numbers(tcp, way, p);

		if (verdict != TWIN_TCP_VALID && !is_liberal(m))
			return verdict;
	}
	return note_valid(flow, way, segment, (enum twin_tcp_state)to);
}

/* conntrack knows no less than seconds. */
static uint64_t seconds_up(uint32_t ms)
{
	return (ms + 999) / 1000 * UINT64_C(1000000);
}

uint64_t twin_tcp_lifetime_us(const struct twin_flow *flow, const struct nat_model *m)
{
	const struct twin_tcp *tcp = &flow->tcp;
	uint64_t life_us = seconds_up(m->timeouts.tcp_transitory_ms);

	if (tcp->last_segment == RST)
		return life_us;
	if (tcp->state == TWIN_TCP_ESTABLISHED)
		life_us = seconds_up(m->timeouts.tcp_established_ms);
	else if (tcp->state == TWIN_TCP_SYN_SENT2)
		life_us = SYN_SENT2_US;
	if ((tcp->ends[0].unacknowledged || tcp->ends[1].unacknowledged) &&
	    life_us > UNACKNOWLEDGED_US)
		life_us = UNACKNOWLEDGED_US;
	return life_us;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP: what acknowledgements tell of what has come, and of what is lost; host_tcp.c opens with the
 * whole.
 *
 * - What was sent before something that has come, be it acknowledged or only there (SACK of
 *   RFC 2018), is lost once it was under way for the round-trip of that and a reordering window
 *   longer: a quarter of the shortest round-trip, and nothing once three are there or something was
 *   lost already (RACK, RFC 8985, section 6.2). What is lost is sent again at once, for each that
 *   has come one, so the network never has more of them than it gave back.
 * - The RTO is the smoothed round-trip time and, on top, 4 times its variation or 200 ms, whichever
 *   is more (RFC 6298 has a second in all).
 * - A round-trip is measured from the last sending of what filled the gap, as timestamps (RFC 7323,
 *   section 4) would show it, and not from that of what had come long before and waited for it.
 *   What is only there counts where it was sent but once.
 *
 * Not modelled: that the reordering window grows with reordering that was seen.
 */
#include "sim/twin/host_socket.h"

#define MIN_VARIATION_US  200000u /* Linux: TCP_RTO_MIN */
#define MAX_RTO_US        120000000u
#define DUPLICATES_ENOUGH 3u /* net.ipv4.tcp_reordering */

/* What one packet tells. */
struct news {
	unsigned count;   /* of segments that have come and were not known to have */
	bool measures;    /* the round-trip, */
	uint64_t sent_us; /* from the last of them that do */
	bool duplicate;   /* the other side had it already (RFC 2883) */
};

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
	s->rto_us = s->srtt_us + variation_us;
	if (s->rto_us > MAX_RTO_US)
		s->rto_us = MAX_RTO_US;
}

static bool sent_after(uint64_t a_us, uint32_t a_end, uint64_t b_us, uint32_t b_end)
{
	return a_us > b_us || (a_us == b_us && sequence_before(b_end, a_end));
}

/* One that was sent twice may have come the first time, if it seems too fast (RFC 8985, section
 * 6.2, step 2). */
static void has_come(const struct twin_host *h, struct host_socket *s,
		     const struct segment *segment, struct news *news)
{
	uint64_t rtt_us = h->now_us - segment->sent_us;
	uint32_t end = segment_end(segment);

	news->count++;
	if (!segment->again && (s->min_rtt_us == 0 || rtt_us < s->min_rtt_us))
		s->min_rtt_us = rtt_us;
	if (segment->again && rtt_us < s->min_rtt_us)
		return;
	s->rack_rtt_us = rtt_us;
	if (sent_after(segment->sent_us, end, s->rack_sent_us, s->rack_end)) {
		s->rack_sent_us = segment->sent_us;
		s->rack_end = end;
	}
}

static void take_time(const struct segment *segment, struct news *news)
{
	news->measures = true;
	if (segment->sent_us > news->sent_us)
		news->sent_us = segment->sent_us;
}

static void take_acknowledged(struct twin_host *h, struct host_socket *s, uint32_t acknowledgement,
			      struct news *news)
{
	while (s->sent != NULL && !sequence_before(acknowledgement, segment_end(s->sent))) {
		struct segment *next = s->sent->next;

		if (!s->sent->sacked) {
			has_come(h, s, s->sent, news);
			take_time(s->sent, news);
		}
		host_segment_free(h, s->sent);
		s->sent = next;
	}
	s->unacknowledged = acknowledgement;
}

static void take_sack(struct twin_host *h, struct host_socket *s, struct twin_sack sack,
		      struct news *news)
{
	if (!sequence_before(s->unacknowledged, sack.end)) {
		news->duplicate = true;
		return;
	}
	for (struct segment *segment = s->sent; segment != NULL; segment = segment->next) {
		if (segment->sacked || sequence_before(segment->sequence, sack.first) ||
		    sequence_before(sack.end, segment_end(segment)))
			continue;
		segment->sacked = true;
		segment->lost = false;
		has_come(h, s, segment, news);
		if (!segment->again)
			take_time(segment, news);
	}
}

static uint64_t reordering_us(const struct host_socket *s)
{
	unsigned there = 0;

	for (const struct segment *segment = s->sent; segment != NULL; segment = segment->next)
		there += segment->sacked;
	if (s->recovery != RECOVERY_NONE || there >= DUPLICATES_ENOUGH)
		return 0;
	return s->min_rtt_us / 4 < s->srtt_us ? s->min_rtt_us / 4 : s->srtt_us;
}

/* Returns how long what may only be late has yet to come. */
static uint64_t find_lost(const struct twin_host *h, struct host_socket *s)
{
	uint64_t wait_us = 0, allowed_us = s->rack_rtt_us + reordering_us(s);

	for (struct segment *segment = s->sent; segment != NULL; segment = segment->next) {
		if (segment->sacked || segment->lost ||
		    !sent_after(s->rack_sent_us, s->rack_end, segment->sent_us,
				segment_end(segment)))
			continue;
		uint64_t lost_us = segment->sent_us + allowed_us;
		segment->lost = lost_us <= h->now_us;
		if (!segment->lost && lost_us - h->now_us > wait_us)
			wait_us = lost_us - h->now_us;
	}
	return wait_us;
}

uint64_t tcp_send_lost(struct twin_host *h, struct host_socket *s, unsigned budget,
		       unsigned *ret_sent)
{
	uint64_t wait_us = find_lost(h, s);
	unsigned sent = 0;

	for (struct segment *segment = s->sent; segment != NULL && sent < budget;
	     segment = segment->next) {
		if (!segment->lost)
			continue;
		if (s->recovery == RECOVERY_NONE) {
			s->recovery = RECOVERY_FAST;
			s->recover = s->send_next;
		}
		tcp_send_again(h, s, segment);
		sent++;
	}
	*ret_sent = sent;
	return wait_us;
}

/* See host_tcp_time.c. */
static void end_probe(struct host_socket *s, uint32_t acknowledgement, const struct news *news)
{
	if (s->probed && !sequence_before(acknowledgement, s->probe_end) &&
	    (news->duplicate || acknowledgement != s->probe_end))
		s->probed = false;
}

static void go_on(struct twin_host *h, struct host_socket *s, unsigned budget, bool advanced)
{
	unsigned sent = 0;
	uint64_t wait_us = 0;

	if (s->sent != NULL)
		wait_us = tcp_send_lost(h, s, budget, &sent);
	s->holding = sent > 0;
	if (!s->holding)
		tcp_send_held(h, s);
	if (sent > 0)
		tcp_set_timer(h, s, TIMER_RTO, h->now_us + s->rto_us);
	else if (wait_us > 0)
		tcp_wait_for_late(h, s, wait_us);
	else if (advanced)
		tcp_start_timer(h, s, true);
}

void tcp_acknowledged(struct twin_host *h, struct host_socket *s, const struct twin_packet *p)
{
	bool advanced = sequence_before(s->unacknowledged, p->acknowledgement);
	struct news news = { 0 };

	if (advanced)
		take_acknowledged(h, s, p->acknowledgement, &news);
	for (unsigned i = 0; i < p->sacks_count; i++)
		take_sack(h, s, p->sacks[i], &news);
	end_probe(s, p->acknowledgement, &news);
	if (news.count == 0)
		return;
	if (news.measures)
		measure(s, h->now_us - news.sent_us);
	if (advanced)
		s->retries = s->doublings = 0;
	if (s->recovery != RECOVERY_NONE && !sequence_before(p->acknowledgement, s->recover))
		s->recovery = RECOVERY_NONE;
	go_on(h, s, news.count + advanced, advanced);
}

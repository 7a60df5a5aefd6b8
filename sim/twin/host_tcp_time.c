// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP's timers. A connection has one; host_tcp.c opens with the whole.
 *
 * - A SYN is sent again after 1 s, then 4 times more a second apart (Linux 6.5 on, sysctl
 *   net.ipv4.tcp_syn_linear_timeouts), then after 2, 4, 8, 16 and 32 s; 64 s later the attempt ends
 *   in ETIMEDOUT. Where SYNs cross, the timer goes on and its next resending is a SYN-ACK. A
 *   listener's SYN-ACK is sent 5 times more, after 1, 2, 4, 8 and 16 s.
 * - The RTO doubles each time. Before it strikes for the first time the last segment is sent once
 *   more (tail loss probe, RFC 8985, section 7): after two round-trips, and 200 ms more where it is
 *   the only one, but not after the RTO would. So what is lost alone comes again after one RTO, one
 *   more, two more, four more and so on. A probe is not followed by another before something that
 *   was sent after it is acknowledged, or the other side tells that it had all already.
 * - There is no probe once something has come out of order. Either it is lost at once, or after a
 *   reordering window (host_tcp_loss.c), or the RTO strikes.
 * - A closed connection is given up after 8 resendings, one that the machine still has after 15.
 */
#include <errno.h>

#include "sim/twin/host_socket.h"

/* Linux, include/net/tcp.h. */
#define MIN_VARIATION_US 200000u /* TCP_RTO_MIN */
#define MAX_RTO_US       120000000u
/* TCP_TIMEOUT_MIN_US is 2 ms; a timer is rounded up to ticks of 250 Hz and begins within one, which
 * is 4 ms more in the mean. */
#define TIMER_SLACK_US   6000u
#define TICK_US          4000u

/* net.ipv4.tcp_syn_retries, tcp_synack_retries, tcp_retries2; 8: tcp_orphan_retries() */
#define SYN_LINEAR     4u
#define SYN_RETRIES    6u
#define SYNACK_RETRIES 5u
#define DATA_RETRIES   15u
#define ORPHAN_RETRIES 8u

static uint64_t min_us(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool syn_is_acknowledged(const struct host_socket *s)
{
	return s->unacknowledged != s->first_sent;
}

void tcp_set_timer(struct twin_host *h, struct host_socket *s, enum tcp_timer timer, uint64_t at_us)
{
	s->timer = timer;
	s->timer_us = at_us;
	if (at_us < h->tcp_timer_us)
		h->tcp_timer_us = at_us;
}

/* As tcp_schedule_loss_probe() in Linux. */
static void start_probe(struct twin_host *h, struct host_socket *s, bool advanced)
{
	bool alone = s->sent->next == NULL;
	uint64_t probe_us =
		h->now_us + 2 * s->srtt_us + (alone ? MIN_VARIATION_US : TIMER_SLACK_US);
	uint64_t rto_us = (advanced ? h->now_us : s->sent->sent_us) + s->rto_us;

	tcp_set_timer(h, s, TIMER_PROBE, rto_us > h->now_us ? min_us(probe_us, rto_us) : probe_us);
}

void tcp_start_timer(struct twin_host *h, struct host_socket *s, bool advanced)
{
	if (s->sent == NULL)
		s->timer_us = NEVER;
	else if (!syn_is_acknowledged(s) || s->retries > 0)
		return; /* what is sent again goes on */
	else if (advanced && s->recovery != RECOVERY_NONE)
		tcp_set_timer(h, s, TIMER_RTO, h->now_us + s->rto_us);
	else if (s->recovery == RECOVERY_NONE &&
		 (advanced || s->timer != TIMER_REORDER || s->sent->next == NULL))
		start_probe(h, s, advanced);
}

void tcp_wait_for_late(struct twin_host *h, struct host_socket *s, uint64_t wait_us)
{
	tcp_set_timer(h, s, TIMER_REORDER, h->now_us + wait_us + TIMER_SLACK_US);
}

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

/* The one outstanding probe is enough: then it is the RTO's turn. */
static void probe_tail(struct twin_host *h, struct host_socket *s)
{
	if (s->probed) {
		uint64_t rto_us = s->sent->sent_us + s->rto_us;
		uint64_t soonest_us = h->now_us + TICK_US;

		tcp_set_timer(h, s, TIMER_RTO, rto_us > soonest_us ? rto_us : soonest_us);
		return;
	}
	s->probed = true;
	s->probe_end = s->send_next;
	tcp_send_again(h, s, s->last_sent);
	tcp_set_timer(h, s, TIMER_RTO, h->now_us + s->rto_us);
}

/* All that is not known to be there is taken for lost. */
static void lose_all(struct host_socket *s)
{
	s->recovery = RECOVERY_RTO;
	s->recover = s->send_next;
	s->holding = true;
	s->probed = false;
	for (struct segment *segment = s->sent; segment != NULL; segment = segment->next)
		segment->lost = !segment->sacked;
}

static void send_late(struct twin_host *h, struct host_socket *s)
{
	if (s->retries == retries_max(s) || tcp_is_stray_request(s)) {
		tcp_fail(h, s, ETIMEDOUT);
		return;
	}
	s->retries++;
	if (syn_is_acknowledged(s))
		lose_all(s);
	tcp_send_again(h, s, s->sent);
	if (s->state != SOCKET_SYN_SENT || s->retries > SYN_LINEAR)
		s->doublings++;
	tcp_set_timer(h, s, TIMER_RTO, h->now_us + min_us(s->rto_us << s->doublings, MAX_RTO_US));
}

/* It is not late but lost. */
static void reordering_is_over(struct twin_host *h, struct host_socket *s)
{
	unsigned sent;

	(void)tcp_send_lost(h, s, 1, &sent);
	tcp_set_timer(h, s, TIMER_RTO, h->now_us + s->rto_us);
}

static void time_is_up(struct twin_host *h, struct host_socket *s)
{
	if (s->sent == NULL)
		host_socket_end(h, s); /* TIME_WAIT, or FIN_WAIT_2 of a closed socket */
	else if (s->timer == TIMER_PROBE)
		probe_tail(h, s);
	else if (s->timer == TIMER_REORDER)
		reordering_is_over(h, s);
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

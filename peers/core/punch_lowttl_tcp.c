// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP: a SYN with a low TTL. Linux ends the attempt when it hears of the SYN's death (ICMP time
 * exceeded makes EHOSTUNREACH of it); where nobody says so, it is ended after half the waiting, for
 * a SYN of the peer's that met it would be answered with that TTL. From then on it is for the
 * listener, which is there from the start, to wait; or for both sides to punch, as punch_tcp.c
 * does.
 */
#include "peers/core/punch_lowttl.h"

static void send_low(struct punch *p, struct actions *out)
{
	struct course *c = &p->course;

	for (size_t i = 0; i < c->introduce.peer_count; i++) {
		if (p->attempts[i].open)
			continue;
		p->attempts[i].open = true;
		act_tcp_connect(out, PUNCH_SOCKET_CONNECT + (uint32_t)i, c->introduce.local,
				c->introduce.peer[i]);
		act_set_ttl(out, (uint8_t)c->config.params[PUNCH_LOWTTL_TTL]);
		c->sent++;
	}
}

static void begin_tcp(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch_lowttl *l = punch_lowttl_of(c);

	punch_tcp_begin(c, now_us, out);
	punch_lowttl_begin(l, now_us);
	l->punch.connects =
		c->config.params[PUNCH_LOWTTL_SIDE] == PUNCH_LOWTTL_BOTH || l->left == 0;
	l->low = l->left > 0;
}

/* The attempts that nobody has ended. */
static void end_low(struct punch_lowttl *l, struct actions *out)
{
	l->low = false;
	punch_tcp_give_up(&l->punch, out);
	l->punch.course.next_round_us = l->full_us;
}

static void round_tcp(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch_lowttl *l = punch_lowttl_of(c);

	if (l->left > 0) {
		uint64_t half_us = c->config.params[PUNCH_LOWTTL_WAIT_MS] * 500;

		send_low(&l->punch, out);
		l->left--;
		c->next_round_us = l->left > 0 ? now_us + COURSE_INTERVAL_US : l->full_us - half_us;
	} else if (l->low) {
		end_low(l, out);
	} else {
		punch_tcp_round(c, now_us, out);
	}
}

const struct course_means punch_lowttl_tcp = {
	.begin = begin_tcp,
	.event = punch_tcp_event,
	.round = round_tcp,
	.remote = punch_tcp_remote,
	.close = punch_tcp_close,
};

// SPDX-License-Identifier: GPL-2.0-or-later
/* UDP: greetings with a low TTL, a pause, and then all goes on as in punch_udp.c. What comes in in
 * the meantime ends the waiting: the peer's router is open then, or it would not have come. */
#include "peers/core/punch_lowttl.h"

static void send_low(struct course *c, struct actions *out)
{
	const struct introduce *in = &c->introduce;
	struct probe greeting = handshake_greeting(&c->handshake);
	uint8_t data[PROBE_SIZE];

	probe_write(&greeting, data);
	for (size_t i = 0; i < in->peer_count; i++) {
		act_udp_send(out, COURSE_SOCKET_MAIN, in->peer[i], data, sizeof(data));
		act_set_ttl(out, (uint8_t)c->config.params[PUNCH_LOWTTL_TTL]);
		c->sent++;
	}
}

static void begin_udp(struct course *c, uint64_t now_us, struct actions *out)
{
	punch_udp_begin(c, now_us, out);
	punch_lowttl_begin(punch_lowttl_of(c), now_us);
}

static void event_udp(struct course *c, uint64_t now_us, const struct event *ev,
		      struct actions *out)
{
	struct punch_lowttl *l = punch_lowttl_of(c);

	punch_udp_event(c, now_us, ev, out);
	if (!c->handshake.heard || now_us >= l->full_us)
		return;
	l->left = 0;
	l->full_us = now_us;
	c->next_round_us = now_us + COURSE_INTERVAL_US;
}

static void round_udp(struct course *c, uint64_t now_us, struct actions *out)
{
	struct punch_lowttl *l = punch_lowttl_of(c);

	if (l->left == 0) {
		punch_udp_round(c, now_us, out);
		return;
	}
	send_low(c, out);
	l->left--;
	c->next_round_us = l->left > 0 ? now_us + COURSE_INTERVAL_US : l->full_us;
}

const struct course_means punch_lowttl_udp = {
	.begin = begin_udp,
	.event = event_udp,
	.round = round_udp,
	.remote = punch_udp_remote,
	.close = punch_udp_close,
};

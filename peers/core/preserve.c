// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: most routers give a flow the outside port that it has inside, if that is free. So
 * nobody has to find out a mapping: the server draws a port for each side, which both are told;
 * each binds its own, aims at the other's on the address that the rendezvous saw, and punches. The
 * port is fresh: no flow has left it before, not even to the rendezvous, so it is free on the
 * router, and one that is symmetric but preserves ports keeps it as well as any.
 *
 * Source: the port prediction for routers that preserve ports, of S. Guha and P. Francis,
 * "Characterization and Measurement of TCP Traversal through NATs and Firewalls" (IMC 2005); frp's
 * and Gole's punching between ports agreed upon beforehand.
 *
 * Parameters: none; the drawn ports are those of docs/protocol.md.
 *
 * It works where both routers keep the port: preserving ones, whatever their mapping, whose range
 * holds it; and where only one does, if that one's filtering does not mind from which port the
 * other comes. sim/model/oracle_preserve.c has the rule. A router that draws ports, or whose new
 * mapping may have another public address, is lost on it even where its mapping is
 * endpoint-independent.
 */
#include "peers/core/preserve.h"

#include <string.h>

static struct preserve *preserve_of(struct course *c)
{
	return (struct preserve *)c;
}

/* Ends the attempt at once. */
static void despair(struct course *c, const char *why)
{
	preserve_of(c)->why = why;
	c->config.give_up_us = 0;
	c->next_round_us = NEVER;
}

/* The addresses stay what they are, the ports are the drawn ones: introduce has done its part, and
 * what it found is where punching goes by. Returns false if there are no drawn ports. */
static bool aim(struct course *c)
{
	struct introduce *in = &c->introduce;
	size_t count = 0;

	if (in->drawn_port == 0 || in->peer_drawn_port == 0) {
		despair(c, "the rendezvous drew no ports");
		return false;
	}
	for (size_t i = 0; i < in->peer_count; i++) {
		struct endpoint to = { in->peer[i].addr, in->peer_drawn_port };
		bool known = false;

		for (size_t k = 0; k < count; k++)
			known = known || endpoint_equal(in->peer[k], to);
		if (!known)
			in->peer[count++] = to;
	}
	in->peer_count = count;
	in->local = (struct endpoint){ c->config.local_addr, in->drawn_port };
	return true;
}

/* ---- UDP */

static void meet_udp(struct course *c, struct introduce_config *meeting)
{
	(void)c;
	meeting->socket = PRESERVE_SOCKET_MEETING;
}

/* The socket to the rendezvous gives way first: it might be on the very port. */
static void begin_udp(struct course *c, uint64_t now_us, struct actions *out)
{
	introduce_close(&c->introduce, out);
	act_close(out, PRESERVE_SOCKET_MEETING);
	if (!aim(c))
		return;
	punch_udp_begin(c, now_us, out);
	c->next_round_us = NEVER; /* until the socket is there */
	preserve_of(c)->open = true;
	act_udp_open(out, COURSE_SOCKET_MAIN, c->introduce.local);
}

static void event_udp(struct course *c, uint64_t now_us, const struct event *ev,
		      struct actions *out)
{
	if (ev->socket != COURSE_SOCKET_MAIN)
		return;
	if (ev->kind == EVENT_OPENED) {
		c->next_round_us = now_us;
	} else if (ev->kind == EVENT_CLOSED) {
		preserve_of(c)->open = false;
		despair(c, "the drawn port cannot be bound");
	} else {
		punch_udp_event(c, now_us, ev, out);
	}
}

static void close_udp(struct course *c, struct actions *out)
{
	if (preserve_of(c)->open)
		act_close(out, COURSE_SOCKET_MAIN);
}

static const char *failure(const struct course *c)
{
	return ((const struct preserve *)c)->why;
}

static const struct course_means preserve_udp = {
	.meet = meet_udp,
	.begin = begin_udp,
	.event = event_udp,
	.round = punch_udp_round,
	.remote = punch_udp_remote,
	.close = close_udp,
	.failure = failure,
};

/* ---- TCP */

static void begin_tcp(struct course *c, uint64_t now_us, struct actions *out)
{
	if (aim(c))
		punch_tcp_begin(c, now_us, out);
}

static const struct course_means preserve_tcp = {
	.begin = begin_tcp,
	.event = punch_tcp_event,
	.round = punch_tcp_round,
	.remote = punch_tcp_remote,
	.close = punch_tcp_close,
	.failure = failure,
};

static void init(void *state, const struct strategy_config *config)
{
	struct preserve *p = state;

	memset(p, 0, sizeof(*p));
	punch_init(&p->punch, &preserve_strategy, config->tcp ? &preserve_tcp : &preserve_udp,
		   config);
}

const struct strategy preserve_strategy = {
	.name = "preserve",
	.about = "as punch, between ports that the rendezvous drew and the routers are to keep",
	.pair = true,
	.size = sizeof(struct preserve),
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

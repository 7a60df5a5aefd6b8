// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: whoever can reach the rendezvous can have it pass on what is meant for the peer. It is
 * what remains where nothing else gets through, and the measure of what a direct path saves: each
 * message takes the way to the server and from there to the peer.
 *
 * Source: RFC 8656 (TURN), whose relay is one for everybody; DERP of Tailscale and the relay of
 * HyperDHT, which are the rendezvous as well. The messages are docs/protocol.md's RELAY.
 *
 * Parameters: none. Each side sends one message in COURSE_INTERVAL_US, and at most one for each
 * that comes in: the server passes on RENDEZVOUS_RELAY_RATE in a second.
 *
 * It works wherever both sides can reach the rendezvous, over this transport.
 */
#include "peers/core/relay.h"

#include <string.h>

#include "peers/core/course.h"

/* There is one, to the server. */
#define PATH 0u

/* What a step may do besides answering: introduce's own request, a round's message, close, be done.
 * Answers leave room for that. */
#define SPARE_ACTIONS 6u
#define SPARE_BYTES   (3u * STUN_MESSAGE_MAX)

static void send_probe(struct course *c, const struct probe *probe, struct actions *out)
{
	uint8_t data[PROBE_SIZE];

	probe_write(probe, data);
	if (introduce_relay(&c->introduce, data, sizeof(data), out))
		c->sent++;
}

/* What does not come from the server, or not with our ticket, does not get here. */
static void relayed(void *context, uint64_t now_us, const uint8_t *data, size_t len,
		    struct actions *out)
{
	struct course *c = context;
	struct probe in, answer;

	if ((c->phase != COURSE_TRYING && c->phase != COURSE_LINGERING) ||
	    !probe_read(data, len, &in) || !handshake_is_peers(&c->handshake, &in) ||
	    !actions_have_room(out, SPARE_ACTIONS + 1, SPARE_BYTES + STUN_MESSAGE_MAX))
		return;
	c->heard_us = now_us;
	if (handshake_receive(&c->handshake, PATH, &in, &answer))
		send_probe(c, &answer, out);
}

static void meet(struct course *c, struct introduce_config *meeting)
{
	meeting->relayed = relayed;
	meeting->relayed_context = c;
}

static void begin(struct course *c, uint64_t now_us, struct actions *out)
{
	(void)out;
	c->next_round_us = now_us;
}

/* Others than the server have nothing to say to us. */
static void event(struct course *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	(void)c;
	(void)now_us;
	(void)ev;
	(void)out;
}

/* Over TCP, too, the server may drop what it is to relay. */
static void round_relay(struct course *c, uint64_t now_us, struct actions *out)
{
	struct probe probe = c->handshake.state == HANDSHAKE_NOMINATED
				     ? handshake_nomination(&c->handshake)
				     : handshake_greeting(&c->handshake);

	send_probe(c, &probe, out);
	c->next_round_us = now_us + COURSE_INTERVAL_US;
}

static struct endpoint remote(const struct course *c, uint32_t path)
{
	(void)path;
	return c->introduce.config.server;
}

/* Over UDP the socket is ours once introduce is ready. */
static void close_relay(struct course *c, struct actions *out)
{
	if (!c->config.tcp && c->introduce.state == INTRODUCE_READY)
		act_close(out, COURSE_SOCKET_MAIN);
}

static const char *failure(const struct course *c)
{
	return c->config.tcp && !c->introduce.up ? "the connection to the rendezvous broke" : NULL;
}

static const struct course_means means = {
	.meet = meet,
	.begin = begin,
	.event = event,
	.round = round_relay,
	.remote = remote,
	.close = close_relay,
	.failure = failure,
};

static void init(void *state, const struct strategy_config *config)
{
	struct course *c = state;

	memset(c, 0, sizeof(*c));
	course_init(c, &relay_strategy, &means, config);
}

const struct strategy relay_strategy = {
	.name = "relay",
	.about = "through the rendezvous, which passes on what the sides say",
	.pair = true,
	.size = sizeof(struct course),
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

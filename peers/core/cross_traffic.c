// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: a router that hands out ports in sequence hands them out to everybody behind it. Who
 * predicts the next one has to reckon with those whom others took meanwhile. This is such another:
 * it opens UDP flows at random times, on average so many a second (a Poisson process), each from a
 * socket of its own by one datagram of one byte to the rendezvous, which ignores it.
 *
 * Source: the model of O. Klinec and V. Matyas, "UDP hole punching through symmetric NATs" (2014),
 * where C_i = C_(i-1) + 1 + Poisson(lambda T).
 *
 * Its sockets have ports of their own below those that the system gives to others, one after the
 * other, so that no flow is an old one of the router's until all 20,000 ports were used. It goes on
 * until it has given up. The logarithm is the C library's: with the same one the times are the
 * same.
 */
#include "peers/core/cross_traffic.h"

#include <math.h>
#include <string.h>

#include "lib/prng.h"

/* Below 32768, where Linux' own begin (net.ipv4.ip_local_port_range). */
#define PORT_FIRST 10000u
#define PORT_COUNT 20000u

enum { PARAM_RATE };

static const struct strategy_param params[] = {
	[PARAM_RATE] = { "rate", "flows a second, on average", 1, CROSS_TRAFFIC_RATE_MAX, 100,
			 NULL },
	{ .name = NULL },
};

struct cross_traffic {
	struct strategy_config config;
	struct prng prng;
	uint64_t next_us, end_us;
	uint64_t flows; /* so far; the number of the socket that is open, if one is */
	uint16_t port;  /* of the first */
	bool done;
};

static void cross_traffic_init(void *state, const struct strategy_config *config)
{
	struct cross_traffic *c = state;

	memset(c, 0, sizeof(*c));
	c->config = *config;
	prng_init(&c->prng, config->seed);
	c->port = (uint16_t)prng_below(&c->prng, PORT_COUNT);
}

/* The time between two events of a Poisson process is exponential. */
static uint64_t gap_us(struct cross_traffic *c)
{
	return (uint64_t)(-log1p(-prng_unit(&c->prng)) * 1e6 /
			  (double)c->config.params[PARAM_RATE]);
}

/* The socket is open as long as a step. */
static void open_flow(struct cross_traffic *c, struct actions *out)
{
	static const uint8_t nothing[1];
	uint32_t socket = (uint32_t)(++c->flows % SOCKET_ACCEPTED);
	struct endpoint local = { c->config.local_addr,
				  (uint16_t)(PORT_FIRST + (c->port + c->flows) % PORT_COUNT) };

	act_udp_open(out, socket, local);
	act_udp_send(out, socket, c->config.server, nothing, sizeof(nothing));
	act_close(out, socket);
}

static uint64_t cross_traffic_step(void *state, uint64_t now_us, const struct event *ev,
				   struct actions *out)
{
	struct cross_traffic *c = state;

	if (c->done)
		return NEVER;
	if (ev->kind == EVENT_START) {
		c->next_us = now_us + gap_us(c);
		c->end_us = now_us + c->config.give_up_us;
	}
	while (c->next_us <= now_us && c->next_us < c->end_us) {
		if (!actions_have_room(out, 4, 1))
			return now_us;
		open_flow(c, out);
		c->next_us += gap_us(c);
	}
	if (now_us >= c->end_us) {
		c->done = true;
		act_done(out, 0);
		return NEVER;
	}
	return c->next_us < c->end_us ? c->next_us : c->end_us;
}

static void cross_traffic_report(const void *state, struct buf *out)
{
	const struct cross_traffic *c = state;

	buf_printf(out,
		   "{\"event\":\"result\",\"strategy\":\"" CROSS_TRAFFIC_NAME
		   "\",\"flows\":%llu}\n",
		   (unsigned long long)c->flows);
}

const struct strategy cross_traffic_strategy = {
	.name = CROSS_TRAFFIC_NAME,
	.about = "opens UDP flows at random times, as a neighbour behind the same router does",
	.size = sizeof(struct cross_traffic),
	.params = params,
	.init = cross_traffic_init,
	.step = cross_traffic_step,
	.report = cross_traffic_report,
};

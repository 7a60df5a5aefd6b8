// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: nobody knows which port a router that draws them at random will use for the peer. But
 * m sockets behind it have m such ports, and who tries k ports finds one of them sooner than one
 * would think: as two of a few people share a birthday.
 *
 * So the hard side opens many sockets and sends from each to the other's known endpoint, which
 * makes a mapping and opens it for that endpoint alone. The easy side waits for that, and then
 * tries random ports of the hard side's address. A hit is answered, and the handshake goes on
 * between that socket and that endpoint.
 *
 * Source: frp, pkg/nathole, mode 2: 256 sockets, 1000 ports at 15 ms. EasyTier: 84 sockets, 600 to
 * 800 ports at 1 ms. HyperDHT: 256 sockets, 1750 ports at 20 ms.
 *
 * Parameters: sockets of the hard side, the main one among them; probes, that is to how many ports,
 * all different, from first to last; rate, packets a second; hard, who opens sockets while the
 * other probes (both: each does both, for where nobody knows); wait_ms, from when the sockets
 * should all have sent to the first probe, for peers that start apart. With the defaults the
 * sockets have sent after 0.6 s, and all ports are tried after 3 s.
 *
 * Limits: no second has more packets to the peer than the rate says, of whatever kind; answers that
 * would be too many are not given. To an endpoint that we have not been told of nothing is sent
 * unasked, but for the probes to one address.
 *
 * It works with probability 1 - C(R-m, k) / C(R, k), R the number of ports that are drawn from,
 * where the other side's mapping is endpoint-independent: 0.98 with the defaults. Where both sides
 * are hard, both have to be lucky at once. What punching connects connects here at once, for the
 * main socket punches all the while. Over TCP nothing else is done so far.
 */
#include "peers/core/birthday.h"

#include <string.h>

/* Then each socket sends again: for as long any router remembers one that has (the shortest time
 * that is known is 2 s), and what was lost gets its second chance. */
#define REFRESH_US 1500000u

/* At most one in so many packets is a greeting on a path that is known already. */
#define GREETINGS_SHARE 8u

/* And an answer, in the long run, so that a flood does not keep us from the rest. */
#define ANSWERS_SHARE 4u

/* What a step may do besides closing: a socket, a packet, be done. */
#define ACTIONS_SPARE 8u

static struct birthday *birthday_of(struct course *c)
{
	return (struct birthday *)c;
}

bool birthday_opens(const uint64_t params[static STRATEGY_PARAMS_MAX], char role)
{
	uint64_t hard = params[BIRTHDAY_HARD];

	return hard == BIRTHDAY_HARD_BOTH || (hard == BIRTHDAY_HARD_A) == (role == 'a');
}

bool birthday_probes(const uint64_t params[static STRATEGY_PARAMS_MAX], char role)
{
	return birthday_opens(params, role == 'a' ? 'b' : 'a');
}

/*
 * Between two packets, where none is early. Packet i may leave at v(i), v(i+1) >= v(i) + gap, or up
 * to BIRTHDAY_EARLY gaps sooner. So n of them within a second mean that (n-1) gap is no more than a
 * second and the gaps that the last one is early.
 */
static uint64_t gap_us(const struct course *c)
{
	uint64_t rate = c->config.params[BIRTHDAY_RATE] - BIRTHDAY_EARLY - 1;

	return (1000000 + rate - 1) / rate;
}

/* ---- paths */

/* The next number for a path that only the peer knew of; what gives way is the oldest, but never
 * the nominated one. */
static uint32_t next_reflexive(struct birthday *b)
{
	const struct handshake *h = &b->punch.course.handshake;
	uint32_t span = BIRTHDAY_PATHS_MAX - b->candidates_count;
	uint32_t path = b->candidates_count + b->next_reflexive++ % span;

	if (h->peer_nonce != 0 && path == h->path)
		path = b->candidates_count + b->next_reflexive++ % span;
	if (path >= b->paths_count)
		b->paths_count = path + 1;
	return path;
}

static uint32_t path_of(struct birthday *b, uint32_t socket, struct endpoint remote)
{
	for (uint32_t i = 0; i < b->paths_count; i++)
		if (b->paths[i].socket == socket && endpoint_equal(b->paths[i].remote, remote))
			return i;
	uint32_t path = next_reflexive(b);

	b->paths[path] = (struct birthday_path){ .socket = socket, .remote = remote };
	return path;
}

static void begin(struct course *c, uint64_t now_us, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	const uint64_t *params = c->config.params;

	(void)out;
	for (size_t i = 0; i < c->introduce.peer_count; i++)
		b->paths[i] = (struct birthday_path){ .socket = COURSE_SOCKET_MAIN,
						      .remote = c->introduce.peer[i] };
	b->candidates_count = b->paths_count = (uint32_t)c->introduce.peer_count;
	b->send_us = b->greet_us = b->opening_us = c->next_round_us = now_us;
	/* Greetings take their share. */
	b->probing_us =
		now_us +
		params[BIRTHDAY_SOCKETS] * gap_us(c) * GREETINGS_SHARE / (GREETINGS_SHARE - 1) +
		params[BIRTHDAY_WAIT_MS] * 1000;
}

/* ---- packets, one at a time */

static void send_probe(struct course *c, uint32_t socket, struct endpoint to,
		       const struct probe *probe, struct actions *out)
{
	uint8_t data[PROBE_SIZE];

	probe_write(probe, data);
	act_udp_send(out, socket, to, data, sizeof(data));
	c->sent++;
}

static void send_on_path(struct course *c, uint32_t path, const struct probe *probe,
			 struct actions *out)
{
	const struct birthday_path *p = &birthday_of(c)->paths[path];

	send_probe(c, p->socket, p->remote, probe, out);
}

static void send_answer(struct course *c, uint64_t now_us, uint32_t path,
			const struct probe *answer, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	uint64_t early_us = BIRTHDAY_EARLY * gap_us(c);
	uint64_t turn_us = b->send_us > now_us ? b->send_us : now_us;
	uint64_t answer_us = b->answer_us > now_us ? b->answer_us : now_us;

	if (turn_us > now_us + early_us || answer_us > now_us + early_us * ANSWERS_SHARE)
		return;
	b->send_us = turn_us + gap_us(c);
	b->answer_us = answer_us + ANSWERS_SHARE * gap_us(c);
	send_on_path(c, path, answer, out);
}

static void event(struct course *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	uint32_t index = ev->socket - COURSE_SOCKET_MAIN;
	struct probe in, answer;

	if (ev->kind == EVENT_CLOSED && index > 0 && index < BIRTHDAY_SOCKETS_MAX)
		b->open[index] = false;
	if (ev->kind != EVENT_DATAGRAM || !probe_read(ev->data, ev->len, &in) ||
	    !handshake_is_peers(&c->handshake, &in))
		return;
	c->heard_us = now_us;
	uint32_t path = path_of(b, ev->socket, ev->remote);
	b->paths[path].local = ev->local;
	if (handshake_receive(&c->handshake, path, &in, &answer))
		send_answer(c, now_us, path, &answer, out);
}

/* The next path whose turn it is to be greeted: the candidates, and one that worked once. */
static bool greet(struct course *c, uint64_t now_us, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	struct probe greeting = handshake_greeting(&c->handshake);
	uint64_t turn_us = GREETINGS_SHARE * b->candidates_count * gap_us(c);

	if (now_us < b->greet_us)
		return false;
	while (b->greeted < b->paths_count) {
		uint32_t path = b->greeted++;

		if (path >= b->candidates_count &&
		    (c->handshake.peer_nonce == 0 || path != c->handshake.path))
			continue;
		send_on_path(c, path, &greeting, out);
		return true;
	}
	b->greeted = 0;
	b->greet_us = now_us + (turn_us > COURSE_INTERVAL_US ? turn_us : COURSE_INTERVAL_US);
	return false;
}

/* From the next socket of the hard side, which is opened the first time. The main one has greeted
 * the peer. */
static bool open_next(struct course *c, uint64_t now_us, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	struct probe greeting = handshake_greeting(&c->handshake);

	if (!birthday_opens(c->config.params, c->config.role) || now_us < b->opening_us)
		return false;
	if (b->opened + 1 >= c->config.params[BIRTHDAY_SOCKETS]) {
		b->opened = 0;
		b->opening_us = now_us + REFRESH_US;
		return false;
	}
	uint64_t index = ++b->opened;
	uint32_t socket = COURSE_SOCKET_MAIN + (uint32_t)index;
	if (!b->open[index])
		act_udp_open(out, socket, (struct endpoint){ c->config.local_addr, 0 });
	b->open[index] = true;
	send_probe(c, socket, b->paths[0].remote, &greeting, out);
	return true;
}

static uint16_t draw_port(struct birthday *b, const uint64_t *params)
{
	uint64_t ports = params[BIRTHDAY_LAST] - params[BIRTHDAY_FIRST] + 1;

	for (;;) {
		uint64_t port = params[BIRTHDAY_FIRST] + prng_below(&b->prng, ports);
		uint8_t bit = (uint8_t)(1u << port % 8);

		if (b->tried[port / 8] & bit)
			continue;
		b->tried[port / 8] |= bit;
		return (uint16_t)port;
	}
}

/* How many there are in all: no port comes twice. */
static uint64_t probes_count(const uint64_t *params)
{
	uint64_t first = params[BIRTHDAY_FIRST], last = params[BIRTHDAY_LAST];
	uint64_t ports = last < first ? 0 : last - first + 1;

	return params[BIRTHDAY_PROBES] < ports ? params[BIRTHDAY_PROBES] : ports;
}

static bool probe_next(struct course *c, uint64_t now_us, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	const uint64_t *params = c->config.params;
	struct probe greeting = handshake_greeting(&c->handshake);

	if (!birthday_probes(params, c->config.role) || now_us < b->probing_us ||
	    b->probed >= probes_count(params))
		return false;
	b->probed++;
	send_probe(c, COURSE_SOCKET_MAIN,
		   (struct endpoint){ b->paths[0].remote.addr, draw_port(b, params) }, &greeting,
		   out);
	return true;
}

static bool nominate(struct course *c, uint64_t now_us, struct actions *out)
{
	struct birthday *b = birthday_of(c);
	struct probe nomination = handshake_nomination(&c->handshake);

	if (now_us < b->greet_us)
		return false;
	b->greet_us = now_us + COURSE_INTERVAL_US;
	send_on_path(c, c->handshake.path, &nomination, out);
	return true;
}

static bool send_next(struct course *c, uint64_t now_us, struct actions *out)
{
	if (c->handshake.state == HANDSHAKE_NOMINATED)
		return nominate(c, now_us, out);
	if (c->handshake.state != HANDSHAKE_TRYING)
		return false;
	return greet(c, now_us, out) || open_next(c, now_us, out) || probe_next(c, now_us, out);
}

/* When there is something to send again, if nothing comes in. */
static uint64_t next_us(const struct course *c)
{
	const struct birthday *b = (const struct birthday *)c;
	const uint64_t *params = c->config.params;
	bool trying = c->handshake.state == HANDSHAKE_TRYING;
	uint64_t next_us = b->greet_us;

	if (trying && birthday_opens(params, c->config.role) && b->opening_us < next_us)
		next_us = b->opening_us;
	if (trying && birthday_probes(params, c->config.role) && b->probed < probes_count(params) &&
	    b->probing_us < next_us)
		next_us = b->probing_us;
	return next_us < b->send_us ? b->send_us : next_us;
}

static void round_of(struct course *c, uint64_t now_us, struct actions *out)
{
	struct birthday *b = birthday_of(c);

	if (now_us >= b->send_us && send_next(c, now_us, out))
		b->send_us = now_us + gap_us(c);
	c->next_round_us = next_us(c);
}

/* ---- the course */

static struct endpoint remote(const struct course *c, uint32_t path)
{
	return ((const struct birthday *)c)->paths[path].remote;
}

static struct endpoint local(const struct course *c, uint32_t path)
{
	return ((const struct birthday *)c)->paths[path].local;
}

/* One step has no room to close them all. */
static bool release(struct course *c, struct actions *out)
{
	struct birthday *b = birthday_of(c);

	for (uint32_t i = 1; i < BIRTHDAY_SOCKETS_MAX; i++) {
		if (!b->open[i])
			continue;
		if (!actions_have_room(out, ACTIONS_SPARE, 0))
			return false;
		act_close(out, COURSE_SOCKET_MAIN + i);
		b->open[i] = false;
	}
	return true;
}

static const struct course_means birthday_udp = { .begin = begin,
						  .event = event,
						  .round = round_of,
						  .remote = remote,
						  .local = local,
						  .release = release,
						  .close = punch_udp_close };

static void init(void *state, const struct strategy_config *config)
{
	struct birthday *b = state;

	memset(b, 0, sizeof(*b));
	prng_init(&b->prng, prng_derive(config->seed, BIRTHDAY_PROBES, 0));
	punch_init(&b->punch, &birthday_strategy, config->tcp ? &punch_tcp : &birthday_udp, config);
}

static const char *const hard_words[] = {
	[BIRTHDAY_HARD_A] = "a",
	[BIRTHDAY_HARD_B] = "b",
	[BIRTHDAY_HARD_BOTH] = "both",
	NULL,
};

static const struct strategy_param params[] = {
	[BIRTHDAY_SOCKETS] = { "sockets", "of the hard side", 1, BIRTHDAY_SOCKETS_MAX, 256, NULL },
	[BIRTHDAY_PROBES] = { "probes", "to different ports of the hard side", 0, 65535, 1024,
			      NULL },
	[BIRTHDAY_FIRST] = { "first", "port of those that are tried", 1, 65535, 1024, NULL },
	[BIRTHDAY_LAST] = { "last", "port of those that are tried", 1, 65535, 65535, NULL },
	[BIRTHDAY_RATE] = { "rate", "packets a second, at most", BIRTHDAY_RATE_MIN,
			    BIRTHDAY_RATE_MAX, 500, NULL },
	[BIRTHDAY_HARD] = { "hard", "who opens the sockets, while the other probes", 0, 2,
			    BIRTHDAY_HARD_BOTH, hard_words },
	[BIRTHDAY_WAIT_MS] = { "wait_ms", "from the last socket to the first probe", 0, 60000, 200,
			       NULL },
	{ .name = NULL },
};

const struct strategy birthday_strategy = {
	.name = "birthday",
	.about = "many sockets behind a router that draws its ports, many ports tried by the peer",
	.pair = true,
	.size = sizeof(struct birthday),
	.params = params,
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

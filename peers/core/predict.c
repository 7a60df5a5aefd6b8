// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: a router that hands out one port after another can be asked for a few, and then it is
 * known which comes next. Each side asks the rendezvous how it sees it at its other address, from
 * the main socket, and from fresh sockets besides; tells the other by a note which port is next and
 * how far the ports are apart; and aims at a window of those ahead.
 *
 * Source: frp, pkg/nathole: the last port and up to 10 around. EasyTier: 50 ahead, either way. O.
 * Klinec and V. Matyas, "UDP hole punching through symmetric NATs" (2014): the step is the greatest
 * common divisor of what samples differ by; the ports of others that were handed out in the
 * meantime are multiples of it.
 *
 * Parameters: samples; window, how many ports ahead are aimed at. Twenty times a second at most
 * that many packets go out.
 *
 * It works where a sequential router meets one with endpoint-independent mapping, under cross
 * traffic as long as others take fewer ports than the window between the samples and the shot; and
 * between two sequential ones: there packet i of each leaves from the port that packet i of the
 * other is aimed at, as long as nobody else takes one. A sequence that ends just then is not seen
 * to end. Where one side draws its ports and the other is hard, too, nothing helps. What punching
 * connects connects here; over TCP nothing else is done so far.
 */
#include "peers/core/predict.h"

#include <stdlib.h>
#include <string.h>

#include "peers/core/bytes.h"

/* More than so many ports apart, two samples say nothing: one of them wrapped around, or is drawn.
 */
#define DIFFERENCE_MAX 1000

/* A lost sample is asked for again, twice at most. */
#define REPEAT_US   200000u
#define SAMPLING_US 500000u

#define NOTE_SIZE 6u

static struct predict *predict_of(struct course *c)
{
	return (struct predict *)c;
}

/* ---- samples */

static int gcd(int a, int b)
{
	while (b != 0) {
		int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int predict_step(const uint16_t *ports, size_t count)
{
	int up = 0, down = 0, ups = 0, downs = 0;

	for (size_t i = 1; i < count; i++) {
		int difference = ports[i] - ports[i - 1];

		if (difference > 0 && difference <= DIFFERENCE_MAX) {
			up = gcd(up, difference);
			ups++;
		} else if (difference < 0 && difference >= -DIFFERENCE_MAX) {
			down = gcd(down, -difference);
			downs++;
		}
	}
	/* All but one, which may have wrapped around. */
	int needed = count > 2 ? (int)count - 2 : 1;
	if (ups >= needed)
		return up;
	return downs >= needed ? -down : 0;
}

static uint32_t socket_of(size_t sample)
{
	return COURSE_SOCKET_MAIN + (uint32_t)sample;
}

static struct stun_id sample_id(const struct course *c, size_t sample)
{
	uint8_t transaction[12] = { 0 };

	put_u64(transaction, c->config.seed ^ UINT64_C(0x9e3779b97f4a7c15) * (sample + 1));
	put_u32(transaction + 8, (uint32_t)sample);
	return stun_id_make(transaction);
}

static void ask(struct course *c, size_t sample, struct actions *out)
{
	struct stun_id id = sample_id(c, sample);
	struct stun_writer w;

	stun_begin(&w, STUN_REQUEST, STUN_BINDING, &id);
	act_udp_send(out, socket_of(sample), c->config.server_alt, w.data, w.len);
}

static void ask_all(struct course *c, uint64_t now_us, struct actions *out)
{
	struct predict *p = predict_of(c);

	p->repeat_us = now_us + REPEAT_US;
	for (size_t i = 0; i < c->config.params[PREDICT_SAMPLES]; i++) {
		if (p->samples[i].answered)
			continue;
		if (i > 0 && !p->samples[i].open) {
			act_udp_open(out, socket_of(i),
				     (struct endpoint){ c->config.local_addr, 0 });
			p->samples[i].open = true;
		}
		ask(c, i, out);
	}
}

static bool all_answered(const struct predict *p)
{
	for (size_t i = 0; i < p->punch.course.config.params[PREDICT_SAMPLES]; i++)
		if (!p->samples[i].answered)
			return false;
	return true;
}

static void close_samples(struct predict *p, struct actions *out)
{
	for (size_t i = 1; i < PREDICT_SAMPLES_MAX; i++) {
		if (p->samples[i].open)
			act_close(out, socket_of(i));
		p->samples[i].open = false;
	}
}

/* ---- notes */

static void conclude(struct predict *p)
{
	uint16_t ports[PREDICT_SAMPLES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < PREDICT_SAMPLES_MAX; i++)
		if (p->samples[i].answered)
			ports[count++] = p->samples[i].mapped.port;
	p->own.known = true;
	p->own.hard = p->samples[0].answered &&
		      !endpoint_equal(p->samples[0].mapped, p->punch.course.introduce.observed);
	p->own.step = (int16_t)(p->own.hard ? predict_step(ports, count) : 0);
	if (p->own.step != 0)
		p->own.next = (uint16_t)(ports[count - 1] + p->own.step);
}

static void tell(struct course *c, uint64_t now_us, struct actions *out)
{
	const struct predict_note *own = &predict_of(c)->own;
	uint8_t note[NOTE_SIZE] = { 'P', own->hard };

	put_u16(note + 2, own->next);
	put_u16(note + 4, (uint16_t)own->step);
	introduce_set_note(&c->introduce, now_us, note, sizeof(note), out);
}

static void listen_to_peer(struct course *c)
{
	struct predict *p = predict_of(c);
	const uint8_t *note = c->introduce.peer_note;

	if (p->peer.known || c->introduce.peer_note_len != NOTE_SIZE || note[0] != 'P')
		return;
	p->peer.known = true;
	p->peer.hard = note[1] != 0;
	p->peer.next = get_u16(note + 2);
	p->peer.step = (int16_t)get_u16(note + 4);
}

/* ---- the shot */

/*
 * How many ports ahead packet i is aimed. Between two hard sides packet i of a leaves dx + i ports
 * ahead and packet j of b dy + j, where others took dx and dy meanwhile. They meet where a's is
 * aimed dy + j ahead and b's dx + i. If both counted up, only dx = dy = 0 would do. As b counts
 * down from K, i = (K - dx + dy) / 2 and j = (K - dx - dy) / 2 meet: whenever dx + dy is even, as K
 * is, and no more than K.
 */
static int ahead(const struct course *c, uint64_t i)
{
	const struct predict *p = (const struct predict *)c;
	int last = (int)((c->config.params[PREDICT_WINDOW] - 1) & ~UINT64_C(1));

	return p->own.hard && p->peer.hard && c->config.role == 'b' ? last - (int)i : (int)i;
}

/* Each packet of a hard side's takes a port, so nothing else may go out before. */
static void shoot(struct course *c, struct actions *out)
{
	struct predict *p = predict_of(c);
	struct probe greeting = handshake_greeting(&c->handshake);
	struct endpoint to = c->introduce.peer[0];
	uint8_t data[PROBE_SIZE];

	probe_write(&greeting, data);
	for (uint64_t i = 0; i < c->config.params[PREDICT_WINDOW]; i++) {
		int port = p->peer.next + ahead(c, i) * p->peer.step;

		if (ahead(c, i) < 0 || port < 1 || port > UINT16_MAX)
			return;
		to.port = (uint16_t)port;
		act_udp_send(out, COURSE_SOCKET_MAIN, to, data, sizeof(data));
		c->sent++;
	}
}

static void begin(struct course *c, uint64_t now_us, struct actions *out)
{
	struct predict *p = predict_of(c);

	punch_udp_begin(c, now_us, out);
	p->sampled_by_us = now_us + SAMPLING_US;
	ask_all(c, now_us, out);
	c->next_round_us = p->repeat_us;
}

static void take_sample(struct course *c, uint64_t now_us, const struct event *ev)
{
	struct predict *p = predict_of(c);
	size_t sample = ev->socket - COURSE_SOCKET_MAIN;
	struct stun_message m;
	struct endpoint mapped;

	if (sample >= PREDICT_SAMPLES_MAX || !stun_read(ev->data, ev->len, &m))
		return;
	struct stun_id id = sample_id(c, sample);
	if (m.class != STUN_SUCCESS || m.method != STUN_BINDING || !stun_id_equal(&m.id, &id) ||
	    !stun_get_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, &mapped))
		return;
	p->samples[sample].answered = true;
	p->samples[sample].mapped = mapped;
	if (!p->own.known && all_answered(p))
		c->next_round_us = now_us;
}

static void event(struct course *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	uint32_t sample = ev->socket - COURSE_SOCKET_MAIN;

	if (ev->kind == EVENT_CLOSED && sample > 0 && sample < PREDICT_SAMPLES_MAX)
		predict_of(c)->samples[sample].open = false;
	else if (ev->kind == EVENT_DATAGRAM && endpoint_equal(ev->remote, c->config.server_alt))
		take_sample(c, now_us, ev);
	else if (ev->socket == COURSE_SOCKET_MAIN)
		punch_udp_event(c, now_us, ev, out);
}

/* Returns true as soon as it is known what the own router does. */
static bool sample(struct course *c, uint64_t now_us, struct actions *out)
{
	struct predict *p = predict_of(c);

	if (p->own.known)
		return true;
	if (!all_answered(p) && now_us < p->sampled_by_us) {
		if (now_us >= p->repeat_us)
			ask_all(c, now_us, out);
		c->next_round_us =
			p->repeat_us < p->sampled_by_us ? p->repeat_us : p->sampled_by_us;
		return false;
	}
	conclude(p);
	tell(c, now_us, out);
	close_samples(p, out);
	return true;
}

static void round_of(struct course *c, uint64_t now_us, struct actions *out)
{
	struct predict *p = predict_of(c);

	if (!sample(c, now_us, out))
		return;
	listen_to_peer(c);
	c->next_round_us = now_us + COURSE_INTERVAL_US;
	if (p->own.hard && !p->peer.known)
		return;
	/* A round each in turn: they would not fit one step. */
	if (p->peer.hard && p->peer.step != 0 && c->handshake.state == HANDSHAKE_TRYING &&
	    !p->shot) {
		shoot(c, out);
		p->shot = true;
		c->next_round_us = now_us + COURSE_INTERVAL_US / 2;
		return;
	}
	p->shot = false;
	punch_udp_round(c, now_us, out);
	c->next_round_us = now_us + COURSE_INTERVAL_US / (p->peer.hard ? 2 : 1);
}

static void close_all(struct course *c, struct actions *out)
{
	close_samples(predict_of(c), out);
	punch_udp_close(c, out);
}

static const struct course_means predict_udp = { .begin = begin,
						 .event = event,
						 .round = round_of,
						 .remote = punch_udp_remote,
						 .close = close_all };

static void init(void *state, const struct strategy_config *config)
{
	struct predict *p = state;

	memset(p, 0, sizeof(*p));
	punch_init(&p->punch, &predict_strategy, config->tcp ? &punch_tcp : &predict_udp, config);
}

static const struct strategy_param params[] = {
	[PREDICT_SAMPLES] = { "samples", "of the own router's ports", 2, PREDICT_SAMPLES_MAX, 4,
			      NULL },
	[PREDICT_WINDOW] = { "window", "ports ahead that are aimed at", 1, PREDICT_WINDOW_MAX, 16,
			     NULL },
	{ .name = NULL },
};

const struct strategy predict_strategy = {
	.name = "predict",
	.about = "as punch, aimed at the ports that a sequential router will take next",
	.pair = true,
	.size = sizeof(struct predict),
	.params = params,
	.init = init,
	.step = course_step,
	.result = course_result,
	.report = course_report,
};

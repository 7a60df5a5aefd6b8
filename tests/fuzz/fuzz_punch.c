// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An input is a play for one machine, of those below, over UDP or TCP: a byte says what happens
 * next (a datagram, a connection, bytes on it, its end, time passing), and some more say how. The
 * rendezvous is honest, so that the machine gets as far as trying; everybody else is not. Whatever
 * is played, the machine uses only sockets that it has, sends over UDP to nobody but the server,
 * the candidates it was given and those who have sent to it, and never claims a peer that did not
 * send its nonce back.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "peers/core/classify.h"
#include "peers/core/connect_only.h"
#include "peers/core/punch_lowttl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum scene {
	SCENE_PROBE,
	SCENE_RAW,
	SCENE_STUN,
	SCENE_ACCEPT,
	SCENE_OPENED,
	SCENE_CLOSE,
	SCENE_WAIT
};
#define SCENES 7u

#define NONCE       0x1111111111111111u
#define PEER_NONCE  0x2222222222222222u
#define ACCEPTS_MAX 256u
#define OWN_MAX     128u /* the machines' own numbers are below */
#define SOURCES     8u

/* What the machine may use. */
enum use { USE_NONE, USE_OPENING, USE_CONNECTING, USE_UDP, USE_LISTENER, USE_STREAM };

struct stage {
	const struct strategy *strategy;
	bool tcp, done;
	bool liars;  /* nobody knows our nonce */
	bool echoed; /* somebody sent it */
	void *state;
	uint64_t now_us, tag;
	struct actions out;
	enum use own[OWN_MAX], accepted[ACCEPTS_MAX];
	uint32_t accepts, last; /* last: the socket it opened or used last */
	struct stun_id last_id; /* of its last request */
	uint16_t last_method;
	bool heard[SOURCES];
};

struct play {
	const uint8_t *data;
	size_t len;
};

static const struct endpoint server = { 0xcb007101, 3478 }, local = { 0x0a010002, 40001 };

static uint8_t take_byte(struct play *p)
{
	if (p->len == 0)
		return 0;
	p->len--;
	return *p->data++;
}

/* The first two are the candidates that the rendezvous names. */
static struct endpoint source(unsigned i)
{
	return (struct endpoint){ 0xc6336400u + i % SOURCES, (uint16_t)(1000 + i % SOURCES) };
}

static enum use *use_of(struct stage *s, uint32_t socket)
{
	if (socket >= SOCKET_ACCEPTED) {
		assert(socket < SOCKET_ACCEPTED + s->accepts);
		return &s->accepted[socket - SOCKET_ACCEPTED];
	}
	assert(socket < OWN_MAX);
	return &s->own[socket];
}

/* Keeps what is needed to answer a request. */
static void note_request(struct stage *s, const struct action *a)
{
	struct stun_message m;

	if (!stun_read(s->out.bytes + a->at, a->len, &m))
		return;
	s->last_id = m.id;
	s->last_method = m.method;
}

static void check_datagram(const struct stage *s, const struct action *a)
{
	if (endpoint_equal(a->remote, server) || a->remote.addr == server.addr + 1 ||
	    a->remote.addr == server.addr)
		return;
	unsigned i = a->remote.addr - source(0).addr;

	assert(i < SOURCES && endpoint_equal(a->remote, source(i)));
	assert(i < 2 || s->heard[i]);
}

static void check_action(struct stage *s, const struct action *a)
{
	enum use *use = a->kind == ACTION_DONE ? NULL : use_of(s, a->socket);

	switch (a->kind) {
	case ACTION_UDP_OPEN:
	case ACTION_TCP_LISTEN:
	case ACTION_TCP_CONNECT:
		assert(*use == USE_NONE && a->socket < OWN_MAX);
		*use = a->kind == ACTION_TCP_CONNECT ? USE_CONNECTING : USE_OPENING;
		break;
	case ACTION_UDP_SEND:
		assert(*use == USE_UDP);
		check_datagram(s, a);
		note_request(s, a);
		break;
	case ACTION_TCP_SEND:
		assert(*use == USE_STREAM);
		note_request(s, a);
		break;
	case ACTION_CLOSE:
	case ACTION_ABORT:
		assert(*use != USE_NONE);
		*use = USE_NONE;
		break;
	case ACTION_DONE:
		assert(!s->done);
		s->done = true;
		assert(a->status != 0 || s->echoed || s->strategy == &classify_strategy);
		break;
	}
	if (a->kind != ACTION_DONE)
		s->last = a->socket;
}

static void step(struct stage *s, const struct event *event)
{
	if (s->done)
		return;
	s->out.count = 0;
	s->out.used = 0;
	(void)s->strategy->step(s->state, s->now_us, event, &s->out);
	for (size_t i = 0; i < s->out.count; i++)
		check_action(s, &s->out.items[i]);
}

/* Bytes for a socket: as a datagram from whoever, or on its stream. */
static void deliver(struct stage *s, uint32_t socket, struct endpoint from, const uint8_t *data,
		    size_t len)
{
	enum use use = socket < OWN_MAX || socket - SOCKET_ACCEPTED < s->accepts
			       ? *use_of(s, socket)
			       : USE_NONE;

	if (len == 0 || (use != USE_UDP && use != USE_STREAM))
		return;
	if (from.addr - source(0).addr < SOURCES)
		s->heard[from.addr - source(0).addr] = true;
	step(s, &(struct event){ .kind = use == USE_UDP ? EVENT_DATAGRAM : EVENT_DATA,
				 .socket = socket,
				 .local = local,
				 .remote = from,
				 .data = data,
				 .len = len });
}

/* A socket that exists, more often than not. */
static uint32_t pick(struct stage *s, struct play *p)
{
	uint8_t which = take_byte(p);

	if (which < 64)
		return s->last;
	if (which < 128)
		return which % 32;
	return SOCKET_ACCEPTED + (s->accepts == 0 ? 0 : which % s->accepts);
}

static void play_probe(struct stage *s, struct play *p)
{
	uint32_t socket = pick(s, p);
	uint8_t how = take_byte(p) & (s->liars ? 0xbf : 0xff);
	struct probe probe = { .type = (enum probe_type)(PROBE_PROBE + how % 4),
			       .tag = how & 0x10 ? s->tag ^ 1 : s->tag,
			       .nonce = how & 0x20 ? NONCE : PEER_NONCE,
			       .echo = how & 0x40 ? NONCE : NONCE + 1 };
	uint8_t data[PROBE_SIZE];

	if ((how & 0x70) == 0x40)
		s->echoed = true;
	probe_write(&probe, data);
	deliver(s, socket, source(take_byte(p)), data, sizeof(data));
}

static void play_raw(struct stage *s, struct play *p)
{
	uint32_t socket = pick(s, p);
	struct endpoint from = source(take_byte(p));
	size_t len = (size_t)take_byte(p) * 8;

	len = len < p->len ? len : p->len;
	/* Raw bytes may hold the nonce as well. */
	s->echoed = s->echoed || memmem(p->data, len, "NSPR", 4) != NULL;
	deliver(s, socket, from, p->data, len);
	p->data += len;
	p->len -= len;
}

/* The server answers the last request, rightly unless a bit says otherwise. */
static void play_stun(struct stage *s, struct play *p)
{
	uint8_t how = take_byte(p);
	struct endpoint from = { server.addr + (how & 1),
				 (uint16_t)(server.port + (how >> 1 & 1)) };
	struct stun_writer w;

	stun_begin(&w, how & 0x80 ? STUN_ERROR : STUN_SUCCESS, s->last_method, &s->last_id);
	stun_add_xor_address(&w, STUN_XOR_MAPPED_ADDRESS, source(how));
	stun_add_address(&w, STUN_OTHER_ADDRESS,
			 (struct endpoint){ server.addr + 1, (uint16_t)(server.port + 1) });
	if (s->last_method == STUN_INTRODUCE) {
		stun_add_xor_address(&w, STUN_PEER_OBSERVED, source(0));
		stun_add_xor_address(&w, STUN_PEER_LOCAL, source(1));
	}
	deliver(s, s->last, from, w.data, w.len);
}

static void play_accept(struct stage *s, struct play *p)
{
	uint8_t who = take_byte(p);

	for (uint32_t i = 0; i < OWN_MAX && s->accepts < ACCEPTS_MAX; i++)
		if (s->own[i] == USE_LISTENER) {
			uint32_t socket = SOCKET_ACCEPTED + s->accepts++;

			*use_of(s, socket) = USE_STREAM;
			step(s, &(struct event){ .kind = EVENT_ACCEPTED,
						 .socket = socket,
						 .listener = i,
						 .local = local,
						 .remote = source(who) });
		}
}

/* What was asked for comes about. */
static void play_opened(struct stage *s)
{
	for (uint32_t i = 0; i < OWN_MAX; i++) {
		enum use *use = &s->own[i];
		struct event ev = { .socket = i, .local = local, .remote = source(i) };

		if (*use == USE_CONNECTING) {
			*use = USE_STREAM;
			ev.kind = EVENT_CONNECTED;
		} else if (*use == USE_OPENING) {
			*use = s->tcp ? USE_LISTENER : USE_UDP;
			ev.kind = EVENT_OPENED;
		} else {
			continue;
		}
		step(s, &ev);
	}
}

static void play_close(struct stage *s, struct play *p)
{
	uint32_t socket = pick(s, p);
	int error = take_byte(p) % 2 == 0 ? 0 : ECONNRESET;

	if (socket >= OWN_MAX && socket - SOCKET_ACCEPTED >= s->accepts)
		return;
	enum use *use = use_of(s, socket);
	if (*use == USE_NONE || *use == USE_UDP || *use == USE_LISTENER)
		return;
	*use = USE_NONE;
	step(s, &(struct event){ .kind = EVENT_CLOSED, .socket = socket, .error = error });
}

static void play_scene(struct stage *s, struct play *p)
{
	switch ((enum scene)(take_byte(p) % SCENES)) {
	case SCENE_PROBE:
		play_probe(s, p);
		break;
	case SCENE_RAW:
		play_raw(s, p);
		break;
	case SCENE_STUN:
		play_stun(s, p);
		break;
	case SCENE_ACCEPT:
		play_accept(s, p);
		break;
	case SCENE_OPENED:
		play_opened(s);
		break;
	case SCENE_CLOSE:
		play_close(s, p);
		break;
	case SCENE_WAIT:
		s->now_us += (uint64_t)take_byte(p) * 5000u;
		step(s, &(struct event){ .kind = EVENT_TIMER });
		break;
	}
}

static const struct strategy *const machines[] = { &punch_strategy, &punch_lowttl_strategy,
						   &connect_only_strategy, &classify_strategy };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct play p = { data, len };
	struct buf line = BUF_INIT;

	assert(s != NULL);
	uint8_t how = take_byte(&p);
	s->tcp = how & 1;
	s->liars = how & 0x10;
	s->strategy = machines[how >> 1 & 3];
	s->state = calloc(1, s->strategy->size);
	assert(s->state != NULL);
	s->tag = probe_tag("s", 1);
	s->strategy->init(s->state,
			  &(struct strategy_config){ .tcp = s->tcp,
						     .role = how & 8 ? 'a' : 'b',
						     .server = server,
						     .session = "s",
						     .session_len = 1,
						     .local_addr = local.addr,
						     .nonce = NONCE,
						     .seed = 1,
						     .give_up_us = 2000000,
						     .params = { 2, (how >> 5) % 3, 2, 100 } });
	step(s, &(struct event){ .kind = EVENT_START });
	play_opened(s);
	while (p.len > 0)
		play_scene(s, &p);
	s->strategy->report(s->state, &line);
	assert(line.len > 0 && line.data[line.len - 1] == '\n');
	buf_fini(&line);
	free(s->state);
	free(s);
	return 0;
}

#ifndef LIBFUZZER
/* The machine is introduced, then anything happens. */
static size_t fuzz_make(struct prng *prng, uint8_t *data, size_t size)
{
	static const uint8_t introduced[] = { SCENE_STUN, 0, SCENE_WAIT, 1, SCENE_OPENED };
	size_t len = 1;

	data[0] = (uint8_t)prng_next(prng);
	memcpy(data + len, introduced, sizeof(introduced));
	len += sizeof(introduced);
	for (uint64_t i = prng_below(prng, 200); i > 0 && size - len >= 64; i--) {
		bool probe = prng_chance(prng, 0.5);
		enum scene scene = probe ? SCENE_PROBE : (enum scene)prng_below(prng, SCENES);

		data[len++] = (uint8_t)scene;
		for (int k = 0; k < 3 && scene != SCENE_OPENED; k++)
			data[len++] = (uint8_t)prng_next(prng);
		/* Mostly of the right session, to a socket that is there. */
		if (probe && prng_chance(prng, 0.7)) {
			data[len - 3] = prng_chance(prng, 0.5) ? 0 : data[len - 3] | 0x80;
			data[len - 2] &= 0x43;
		}
	}
	return len;
}
#endif

#include "tests/fuzz/fuzz_main.h"

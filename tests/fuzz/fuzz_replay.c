// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text given as a trace is run, or refused in one line that names the file. The well-formed
 * ones are records of a strategy in a world that keeps no rule: sockets that nobody opened, events
 * in any order, long waits.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = { .kind = ERR_NONE };
	struct buf out = BUF_INIT;
	int code = replay_run("any.trace", (const char *)data, len, &out, &e);

	if (code < 0) {
		assert(e.kind == ERR_INPUT);
		assert(strncmp(e.text, "any.trace:", strlen("any.trace:")) == 0);
		assert(strchr(e.text, '\n') == NULL);
	} else {
		assert(code == 0 || code == ERR_RESULT);
		assert(out.len > 0);
		buf_clear(&out);
		assert(replay_print("any.trace", (const char *)data, len, &out, &e) == 0);
	}
	buf_fini(&out);
	return 0;
}

#ifndef LIBFUZZER
#include "lib/prng.h"
#include "peers/core/probe.h"
#include "peers/core/stun.h"

#define START_US 5u
#define NONCE    0x1111111111111111u

static const struct endpoint server = { 0xcb007101, 3478 };

struct record {
	const struct strategy *strategy;
	struct strategy_config config;
	void *state;
	uint64_t now_us;
	struct actions out;
	struct stun_id last_id; /* of its last request */
	uint16_t last_method;
	uint8_t data[STUN_MESSAGE_MAX];
	struct buf text;
};

static void note_requests(struct record *r)
{
	for (size_t i = 0; i < r->out.count; i++) {
		const struct action *a = &r->out.items[i];
		struct stun_message m;

		if (a->len > 0 && stun_read(r->out.bytes + a->at, a->len, &m)) {
			r->last_id = m.id;
			r->last_method = m.method;
		}
	}
}

static void step(struct record *r, const struct event *ev)
{
	r->out.count = r->out.used = 0;
	trace_event(START_US, r->now_us, ev, &r->text);
	uint64_t wake_us = r->strategy->step(r->state, r->now_us, ev, &r->out);
	trace_actions(&r->out, trace_wake_us(START_US, wake_us), &r->text);
	note_requests(r);
}

static size_t make_answer(struct record *r, struct prng *prng)
{
	struct stun_writer w;

	stun_begin(&w, prng_chance(prng, 0.9) ? STUN_SUCCESS : STUN_ERROR, r->last_method,
		   &r->last_id);
	stun_add_xor_address(&w, STUN_XOR_MAPPED_ADDRESS, (struct endpoint){ 1, 2 });
	stun_add_address(&w, STUN_OTHER_ADDRESS,
			 (struct endpoint){ server.addr + 1, (uint16_t)(server.port + 1) });
	if (r->last_method == STUN_INTRODUCE)
		stun_add_xor_address(&w, STUN_PEER_OBSERVED, (struct endpoint){ 3, 4 });
	memcpy(r->data, w.data, w.len);
	return w.len;
}

static size_t make_probe(struct record *r, struct prng *prng)
{
	probe_write(&(struct probe){ .type = (enum probe_type)(1 + prng_below(prng, 4)),
				     .tag = probe_tag("s", 1),
				     .nonce = 2,
				     .echo = NONCE },
		    r->data);
	return PROBE_SIZE;
}

/* The sockets that strategies have, mostly. */
static uint32_t any_socket(struct prng *prng)
{
	static const uint32_t sockets[] = { 1, 1, 1, 2, 3, 16, 17, 20, 65535 };

	return sockets[prng_below(prng, sizeof(sockets) / sizeof(sockets[0]))];
}

static void step_any(struct record *r, struct prng *prng)
{
	struct event ev = { .kind = (enum event_kind)(1 + prng_below(prng, EVENT_CLOSED)),
			    .socket = any_socket(prng),
			    .local = { 0x0a010002, 40001 },
			    .remote = prng_chance(prng, 0.5) ? server : (struct endpoint){ 3, 4 },
			    .data = r->data };
	bool accepted = ev.kind == EVENT_ACCEPTED || prng_chance(prng, 0.2);

	if (ev.kind == EVENT_ACCEPTED ||
	    (accepted && (ev.kind == EVENT_DATA || ev.kind == EVENT_CLOSED)))
		ev.socket = SOCKET_ACCEPTED + (uint32_t)prng_below(prng, 3);
	if (ev.kind == EVENT_ACCEPTED)
		ev.listener = any_socket(prng);
	if (ev.kind == EVENT_CLOSED && prng_chance(prng, 0.5))
		ev.error = ECONNRESET;
	if (ev.kind == EVENT_DATAGRAM || ev.kind == EVENT_DATA)
		ev.len = endpoint_equal(ev.remote, server) ? make_answer(r, prng)
							   : make_probe(r, prng);
	r->now_us += prng_below(prng, prng_chance(prng, 0.1) ? REPLAY_TIME_MAX_US >> 6 : 100000);
	step(r, &ev);
}

/* What is asked for comes about, and is answered. */
static void begin(struct record *r, struct prng *prng)
{
	struct event ev = { .kind = EVENT_OPENED,
			    .socket = 1,
			    .local = { 0x0a010002, 40001 },
			    .remote = server,
			    .data = r->data };

	step(r, &(struct event){ .kind = EVENT_START });
	if (r->config.tcp)
		ev.kind = EVENT_CONNECTED;
	step(r, &ev);
	ev.kind = r->config.tcp ? EVENT_DATA : EVENT_DATAGRAM;
	ev.len = make_answer(r, prng);
	step(r, &ev);
}

static size_t fuzz_make(struct prng *prng, uint8_t *data, size_t size)
{
	struct record r = { .strategy = strategy_at(prng_below(prng, 2)), .now_us = START_US };

	r.config = (struct strategy_config){ .tcp = prng_chance(prng, 0.5),
					     .role = prng_chance(prng, 0.5) ? 'a' : 'b',
					     .server = server,
					     .session = "s",
					     .session_len = 1,
					     .local_addr = 0x0a010002,
					     .nonce = NONCE,
					     .give_up_us = prng_below(prng, 10000000) };
	r.state = calloc(1, r.strategy->size);
	assert(r.state != NULL);
	r.strategy->init(r.state, &r.config);
	trace_begin(r.strategy->name, &r.config, START_US, &r.text);
	size_t len = r.text.len;
	begin(&r, prng);
	while (r.text.len <= size && prng_chance(prng, 0.97)) {
		len = r.text.len;
		step_any(&r, prng);
	}
	memcpy(data, r.text.data, len);
	buf_fini(&r.text);
	free(r.state);
	return len;
}
#endif

#include "tests/fuzz/fuzz_main.h"

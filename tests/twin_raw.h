/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host of the twin, a, that talks TCP with the raw place, which has numbers from 5000 on. */
#ifndef NATSIM_TESTS_TWIN_RAW_H
#define NATSIM_TESTS_TWIN_RAW_H

#include "tests/twin_hosts.h"

#define MS  1000u
#define SEC 1000000u

enum { SYNACK = TWIN_SYN | TWIN_ACK };

static const struct endpoint a = { A_ADDR, 1000 }, raw = { RAW_ADDR, 9 };

static inline void segment_to_a(struct hosts *t, uint8_t flags, uint32_t sequence,
				uint32_t acknowledgement, const char *text)
{
	struct twin_packet p = { .protocol = TWIN_TCP,
				 .from = raw,
				 .to = a,
				 .flags = flags,
				 .sequence = sequence,
				 .acknowledgement = acknowledgement };

	p.len = (uint16_t)strlen(text);
	memcpy(p.data, text, p.len);
	raw_send(t, p);
	hosts_run(t, twin_world_now_us(t->world) + 1);
}

/* A test may plan more before it starts. */
static inline void plan_attempt(struct hosts *t)
{
	hosts_reset(t, 1);
	plan_connect(&t->on_a, 0, 1, a, raw);
}

/* Returns a's initial sequence number. */
static inline uint32_t start(struct hosts *t)
{
	hosts_run(t, 20 * MS);
	assert_int_equal(t->raw.count, 1);
	assert_int_equal(raw_last(t)->flags, TWIN_SYN);
	return raw_last(t)->sequence;
}

static inline uint32_t connecting(struct hosts *t)
{
	plan_attempt(t);
	return start(t);
}

static inline void expect(struct hosts *t, uint8_t flags, uint32_t sequence,
			  uint32_t acknowledgement)
{
	const struct twin_packet *p = raw_last(t);

	assert_int_equal(p->flags, flags);
	assert_int_equal(p->sequence, sequence);
	assert_int_equal(p->acknowledgement, acknowledgement);
}

static inline void error_to_a(struct hosts *t, enum twin_error error)
{
	raw_send(t, (struct twin_packet){ .protocol = TWIN_ICMP,
					  .from = { RAW_ADDR, 0 },
					  .to = { A_ADDR, 0 },
					  .quote = { error, TWIN_TCP, a, raw } });
	hosts_run(t, twin_world_now_us(t->world) + 1);
}

static inline void expect_sent_at(const struct hosts *t, size_t first, const unsigned *at_ms,
				  size_t count)
{
	assert_int_equal(t->raw.count, first + count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(t->raw.captured_us[first + i] / MS, at_ms[i]);
}

/* With 20 ms of round-trip. */
static inline uint32_t start_connected(struct hosts *t)
{
	uint32_t iss = start(t);

	segment_to_a(t, SYNACK, 5000, iss + 1, "");
	expect(t, TWIN_ACK, iss + 1, 5001);
	assert_int_equal(count_events(&t->on_a, EVENT_CONNECTED), 1);
	return iss;
}

static inline uint32_t connected(struct hosts *t)
{
	plan_attempt(t);
	return start_connected(t);
}

#endif

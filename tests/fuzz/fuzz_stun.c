// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes as a datagram and as a stream: whatever they are, reading stays inside them, what was read
 * holds together, and the stream gives what the datagram gives.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/prng.h"
#include "peers/core/probe.h"
#include "peers/core/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint16_t types[] = {
	STUN_MAPPED_ADDRESS,
	STUN_CHANGE_REQUEST,
	STUN_SOURCE_ADDRESS,
	STUN_CHANGED_ADDRESS,
	STUN_ERROR_CODE,
	STUN_UNKNOWN_ATTRIBUTES,
	STUN_XOR_MAPPED_ADDRESS,
	STUN_RESPONSE_PORT,
	STUN_SOFTWARE,
	STUN_FINGERPRINT,
	STUN_RESPONSE_ORIGIN,
	STUN_OTHER_ADDRESS,
	STUN_SESSION,
	STUN_ROLE,
	STUN_LOCAL_ENDPOINT,
	STUN_PEER_OBSERVED,
	STUN_PEER_LOCAL,
	STUN_NOTE,
	STUN_PEER_NOTE,
	STUN_PEER_CHANGE,
	STUN_SEEN,
	STUN_CONFIRM,
	STUN_DRAWN_PORTS,
	STUN_TICKET,
	STUN_DATA,
	0x0006,
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static void use(const struct stun_message *m, const uint8_t *data, size_t len)
{
	struct endpoint eps[4];
	uint16_t unknown[4], u16;
	uint32_t u32, sum = 0;
	uint64_t u64;
	unsigned code;

	assert(m->attributes == data + STUN_HEADER_SIZE);
	assert(m->attributes_len == len - STUN_HEADER_SIZE);
	for (size_t i = 0; i < TYPES; i++) {
		const uint8_t *value;
		size_t value_len;

		if (stun_get(m, types[i], &value, &value_len)) {
			assert(value >= data && value + value_len <= data + len);
			for (size_t at = 0; at < value_len; at++)
				sum += value[at];
		}
		(void)stun_get_u16(m, types[i], &u16);
		(void)stun_get_u32(m, types[i], &u32);
		(void)stun_get_u64(m, types[i], &u64);
		assert(stun_has(m, types[i]) == stun_get(m, types[i], &value, &value_len));
		(void)stun_get_address(m, types[i], eps);
		assert(stun_get_xor_addresses(m, types[i], eps, 4) <= 4);
	}
	assert(sum < UINT32_MAX);
	if (stun_get_error(m, &code))
		assert(code >= 300 && code <= 699);
	assert(stun_get_unknown(m, unknown, 4) <= 4);
	(void)stun_get_mapped(m, eps);
}

/* The stream in pieces of that size; returns how many messages it gave. */
static size_t read_stream(const uint8_t *data, size_t len, size_t piece)
{
	struct stun_stream s = { 0 };
	size_t count = 0;

	for (size_t at = 0; at < len; at += piece) {
		const uint8_t *p = data + at;
		size_t left = len - at < piece ? len - at : piece;
		struct stun_message m;
		int found;

		while ((found = stun_stream_read(&s, &p, &left, &m)) > 0) {
			use(&m, s.data, s.len);
			count++;
		}
		if (found < 0) {
			assert(found == -EBADMSG);
			break;
		}
	}
	return count;
}

static void read_probes(const uint8_t *data, size_t len)
{
	struct probe_stream s = { 0 };
	struct probe p;

	(void)probe_read(data, len, &p);
	while (probe_stream_read(&s, &data, &len, &p) > 0) {
		uint8_t written[PROBE_SIZE];

		probe_write(&p, written);
		assert(memcmp(written, s.data, PROBE_SIZE) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct stun_message m;

	if (stun_read(data, len, &m)) {
		use(&m, data, len);
		if (!m.classic && len <= STUN_MESSAGE_MAX)
			assert(stun_frame(data, len) == (int)len);
	}
	size_t whole = read_stream(data, len, len > 0 ? len : 1);
	assert(read_stream(data, len, 1) == whole);
	assert(read_stream(data, len, 7) == whole);
	read_probes(data, len);
	return 0;
}

static void add_something(struct prng *prng, struct stun_writer *w)
{
	static const uint8_t zeros[32];
	uint16_t type = types[prng_below(prng, TYPES)];
	struct endpoint ep = { (uint32_t)prng_next(prng), (uint16_t)prng_next(prng) };

	switch (prng_below(prng, 6)) {
	case 0:
		stun_add(w, type, zeros, (size_t)prng_below(prng, sizeof(zeros)));
		break;
	case 1:
		stun_add_u16(w, type, ep.port);
		break;
	case 2:
		stun_add_address(w, type, ep);
		break;
	case 3:
		stun_add_error(w, 300 + (unsigned)prng_below(prng, 400), "a reason");
		break;
	case 4:
		stun_add_unknown(w, types, 1 + (size_t)prng_below(prng, TYPES - 1));
		break;
	default:
		stun_add_xor_address(w, type, ep);
		break;
	}
}

static size_t make_probe(struct prng *prng, uint8_t *data)
{
	probe_write(&(struct probe){ (enum probe_type)(1 + prng_below(prng, 4)), prng_next(prng),
				     prng_next(prng) | 1, prng_next(prng) | 1 },
		    data);
	return PROBE_SIZE;
}

static size_t make_message(struct prng *prng, uint8_t *data)
{
	struct stun_writer w;
	struct stun_id id;
	uint64_t words[2] = { prng_next(prng), prng_next(prng) };

	memcpy(id.bytes, words, sizeof(words));
	if (!prng_chance(prng, 0.1))
		id = stun_id_make(id.bytes);
	stun_begin(&w, (enum stun_class)prng_below(prng, 4), (uint16_t)prng_below(prng, 0x1000),
		   &id);
	for (uint64_t i = prng_below(prng, 6); i > 0; i--)
		add_something(prng, &w);
	if (prng_chance(prng, 0.5))
		stun_add_fingerprint(&w);
	memcpy(data, w.data, w.len);
	return w.len;
}

static size_t fuzz_make(struct prng *prng, uint8_t *data, size_t size)
{
	size_t len = 0;

	for (uint64_t i = prng_below(prng, 4); i > 0 && size - len >= STUN_MESSAGE_MAX; i--)
		len += prng_chance(prng, 0.1) ? make_probe(prng, data + len)
					      : make_message(prng, data + len);
	return len;
}

#include "tests/fuzz/fuzz_main.h"

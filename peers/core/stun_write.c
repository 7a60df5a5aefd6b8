// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The writing half of stun.h. A writer holds a whole message after each call, so that the length in
 * the header never needs a last step.
 *
 * RFC 3489 knows no padding: where a classic answer needs a value whose length is no multiple of
 * four, the value itself is filled up (sections 11.2.9 and 11.2.10).
 */
#include "peers/core/stun.h"

#include <assert.h>
#include <string.h>

#include "peers/core/bytes.h"

#define REASON_MAX  60u
#define UNKNOWN_MAX 32u

static void set_length(struct stun_writer *w, size_t len)
{
	put_u16(w->data + 2, (uint16_t)(len - STUN_HEADER_SIZE));
}

static bool is_classic(const struct stun_writer *w)
{
	return get_u32(w->data + 4) != STUN_COOKIE;
}

void stun_begin(struct stun_writer *w, enum stun_class class, uint16_t method,
		const struct stun_id *id)
{
	unsigned c = class, m = method;

	assert(m <= 0xfff);
	put_u16(w->data, (uint16_t)((m & 0xf) | (c & 1) << 4 | (m & 0x70) << 1 | (c & 2) << 7 |
				    (m & 0xf80) << 2));
	memcpy(w->data + 4, id->bytes, STUN_ID_SIZE);
	w->len = STUN_HEADER_SIZE;
	set_length(w, w->len);
}

void stun_add(struct stun_writer *w, uint16_t type, const void *value, size_t len)
{
	size_t padded = (len + 3) & ~(size_t)3;

	assert(len <= STUN_MESSAGE_MAX && w->len + 4 + padded <= STUN_MESSAGE_MAX);
	uint8_t *p = w->data + w->len;
	put_u16(p, type);
	put_u16(p + 2, (uint16_t)len);
	if (len > 0)
		memcpy(p + 4, value, len);
	memset(p + 4 + len, 0, padded - len);
	w->len += 4 + padded;
	set_length(w, w->len);
}

void stun_add_u16(struct stun_writer *w, uint16_t type, uint16_t number)
{
	uint8_t value[4] = { 0 };

	put_u16(value, number);
	stun_add(w, type, value, sizeof(value));
}

void stun_add_u32(struct stun_writer *w, uint16_t type, uint32_t number)
{
	uint8_t value[4];

	put_u32(value, number);
	stun_add(w, type, value, sizeof(value));
}

void stun_add_u64(struct stun_writer *w, uint16_t type, uint64_t number)
{
	uint8_t value[8];

	put_u64(value, number);
	stun_add(w, type, value, sizeof(value));
}

void stun_add_address(struct stun_writer *w, uint16_t type, struct endpoint ep)
{
	uint8_t value[8] = { 0, 1 /* IPv4: RFC 8489, section 14.1 */ };

	put_u16(value + 2, ep.port);
	put_u32(value + 4, ep.addr);
	stun_add(w, type, value, sizeof(value));
}

void stun_add_xor_address(struct stun_writer *w, uint16_t type, struct endpoint ep)
{
	ep.port ^= (uint16_t)(STUN_COOKIE >> 16);
	ep.addr ^= STUN_COOKIE;
	stun_add_address(w, type, ep);
}

void stun_add_error(struct stun_writer *w, unsigned code, const char *reason)
{
	uint8_t value[4 + REASON_MAX];
	size_t len = strlen(reason);

	assert(code >= 300 && code <= 699 && len <= REASON_MAX);
	put_u16(value, 0);
	value[2] = (uint8_t)(code / 100);
	value[3] = (uint8_t)(code % 100);
	memset(value + 4, ' ', REASON_MAX);
	memcpy(value + 4, reason, len);
	if (is_classic(w))
		len = (len + 3) & ~(size_t)3;
	stun_add(w, STUN_ERROR_CODE, value, 4 + len);
}

void stun_add_unknown(struct stun_writer *w, const uint16_t *types, size_t count)
{
	uint8_t value[2 * UNKNOWN_MAX];

	assert(count > 0 && count < UNKNOWN_MAX);
	for (size_t i = 0; i < count; i++)
		put_u16(value + 2 * i, types[i]);
	if (is_classic(w) && count % 2 != 0) {
		put_u16(value + 2 * count, types[count - 1]);
		count++;
	}
	stun_add(w, STUN_UNKNOWN_ATTRIBUTES, value, 2 * count);
}

void stun_add_fingerprint(struct stun_writer *w)
{
	set_length(w, w->len + 8); /* the CRC is over a header that already counts it */
	stun_add_u32(w, STUN_FINGERPRINT, stun_fingerprint(w->data, w->len));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A message is a header of 20 bytes, then attributes of type, length and value, each value padded
 * to four bytes (RFC 8489, sections 5 and 14):
 *
 *	0 0 M11..M7 C1 M6..M4 C0 M3..M0   message type: method and class, their bits interleaved
 *	length                            of all attributes, without the header
 *	0x2112A442                        magic cookie; in RFC 3489 part of the transaction ID
 *	transaction ID                    12 bytes
 *
 * stun_read() walks the attributes once and so proves that they are whole; what reads them later
 * relies on it.
 */
#include "peers/core/stun.h"

#include <string.h>

#include <zlib.h>

#include "peers/core/bytes.h"

#define FAMILY_IPV4  1u /* RFC 8489, section 14.1 */
#define ADDRESS_SIZE 8u /* of an IPv4 address attribute's value */

uint32_t stun_fingerprint(const uint8_t *data, size_t len)
{
	return (uint32_t)crc32(0, data, (uInt)len) ^
	       0x5354554eu; /* "STUN", so that it is not another protocol's CRC */
}

struct stun_id stun_id_make(const uint8_t transaction[static 12])
{
	struct stun_id id;

	put_u32(id.bytes, STUN_COOKIE);
	memcpy(id.bytes + 4, transaction, 12);
	return id;
}

bool stun_id_equal(const struct stun_id *a, const struct stun_id *b)
{
	return memcmp(a->bytes, b->bytes, STUN_ID_SIZE) == 0;
}

/* ---- attributes */

struct attribute {
	uint16_t type;
	size_t len;
	const uint8_t *value;
};

/* Reads the attribute at *at and moves *at behind its padding. Returns false at the end, and where
 * an attribute is not whole, with *at short of the end. */
static bool next(const uint8_t *data, size_t len, size_t *at, struct attribute *ret)
{
	if (len - *at < 4)
		return false;
	size_t value_len = get_u16(data + *at + 2), padded = (value_len + 3) & ~(size_t)3;
	if (len - *at - 4 < padded)
		return false;
	*ret = (struct attribute){ get_u16(data + *at), value_len, data + *at + 4 };
	*at += 4 + padded;
	return true;
}

static bool find(const struct stun_message *m, uint16_t type, struct attribute *ret)
{
	struct attribute a;

	for (size_t at = 0; next(m->attributes, m->attributes_len, &at, &a);)
		if (a.type == type) {
			*ret = a;
			return true;
		}
	return false;
}

bool stun_has(const struct stun_message *m, uint16_t type)
{
	struct attribute a;

	return find(m, type, &a);
}

bool stun_get(const struct stun_message *m, uint16_t type, const uint8_t **ret_value,
	      size_t *ret_len)
{
	struct attribute a;

	if (!find(m, type, &a))
		return false;
	*ret_value = a.value;
	*ret_len = a.len;
	return true;
}

bool stun_get_u16(const struct stun_message *m, uint16_t type, uint16_t *ret)
{
	struct attribute a;

	if (!find(m, type, &a) || (a.len != 2 && a.len != 4))
		return false;
	*ret = get_u16(a.value);
	return true;
}

bool stun_get_u32(const struct stun_message *m, uint16_t type, uint32_t *ret)
{
	struct attribute a;

	if (!find(m, type, &a) || a.len != 4)
		return false;
	*ret = get_u32(a.value);
	return true;
}

bool stun_get_u64(const struct stun_message *m, uint16_t type, uint64_t *ret)
{
	struct attribute a;

	if (!find(m, type, &a) || a.len != 8)
		return false;
	*ret = get_u64(a.value);
	return true;
}

static bool read_address(const struct attribute *a, struct endpoint *ret)
{
	/* The first byte "MUST be ignored by receivers" (RFC 8489, section 14.1). */
	if (a->len != ADDRESS_SIZE || a->value[1] != FAMILY_IPV4)
		return false;
	*ret = (struct endpoint){ get_u32(a->value + 4), get_u16(a->value + 2) };
	return true;
}

static bool read_xor_address(const struct attribute *a, struct endpoint *ret)
{
	if (!read_address(a, ret))
		return false;
	ret->addr ^= STUN_COOKIE;
	ret->port ^= (uint16_t)(STUN_COOKIE >> 16);
	return true;
}

bool stun_get_address(const struct stun_message *m, uint16_t type, struct endpoint *ret)
{
	struct attribute a;

	return find(m, type, &a) && read_address(&a, ret);
}

bool stun_get_xor_address(const struct stun_message *m, uint16_t type, struct endpoint *ret)
{
	struct attribute a;

	return find(m, type, &a) && read_xor_address(&a, ret);
}

size_t stun_get_xor_addresses(const struct stun_message *m, uint16_t type, struct endpoint *ret,
			      size_t max)
{
	struct attribute a;
	size_t count = 0;

	for (size_t at = 0; count < max && next(m->attributes, m->attributes_len, &at, &a);)
		if (a.type == type && read_xor_address(&a, &ret[count]))
			count++;
	return count;
}

bool stun_get_mapped(const struct stun_message *m, struct endpoint *ret)
{
	return stun_get_xor_address(m, STUN_XOR_MAPPED_ADDRESS, ret) ||
	       stun_get_address(m, STUN_MAPPED_ADDRESS, ret);
}

bool stun_get_error(const struct stun_message *m, unsigned *ret_code)
{
	struct attribute a;

	if (!find(m, STUN_ERROR_CODE, &a) || a.len < 4)
		return false;
	unsigned hundreds = a.value[2] & 7u, rest = a.value[3];
	if (hundreds < 3 || hundreds > 6 || rest > 99) /* RFC 8489, section 14.8 */
		return false;
	*ret_code = hundreds * 100 + rest;
	return true;
}

static bool is_known(uint16_t type)
{
	switch ((enum stun_attribute)type) {
	case STUN_MAPPED_ADDRESS:
	case STUN_CHANGE_REQUEST:
	case STUN_SOURCE_ADDRESS:
	case STUN_CHANGED_ADDRESS:
	case STUN_ERROR_CODE:
	case STUN_UNKNOWN_ATTRIBUTES:
	case STUN_XOR_MAPPED_ADDRESS:
	case STUN_RESPONSE_PORT:
	case STUN_SOFTWARE:
	case STUN_FINGERPRINT:
	case STUN_RESPONSE_ORIGIN:
	case STUN_OTHER_ADDRESS:
	case STUN_SESSION:
	case STUN_ROLE:
	case STUN_LOCAL_ENDPOINT:
	case STUN_PEER_OBSERVED:
	case STUN_PEER_LOCAL:
	case STUN_NOTE:
	case STUN_PEER_NOTE:
	case STUN_PEER_CHANGE:
	case STUN_SEEN:
	case STUN_CONFIRM:
	case STUN_DRAWN_PORTS:
	case STUN_TICKET:
	case STUN_DATA:
		return true;
	}
	return false;
}

static bool contains(const uint16_t *types, size_t count, uint16_t type)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

size_t stun_get_unknown(const struct stun_message *m, uint16_t *ret, size_t max)
{
	struct attribute a;
	size_t count = 0;

	for (size_t at = 0; count < max && next(m->attributes, m->attributes_len, &at, &a);)
		if (a.type < STUN_OPTIONAL_FIRST && !is_known(a.type) &&
		    !contains(ret, count, a.type))
			ret[count++] = a.type;
	return count;
}

/* ---- messages */

/* True if every attribute is whole and FINGERPRINT, if it is there, is right and the last. A
 * classic message has none: to RFC 3489 that number is an unknown, optional attribute. */
static bool check_attributes(const uint8_t *data, size_t len, bool classic)
{
	struct attribute a;
	size_t at = STUN_HEADER_SIZE;

	for (size_t start = at; next(data, len, &at, &a); start = at)
		if (a.type == STUN_FINGERPRINT && !classic)
			return a.len == 4 && at == len &&
			       get_u32(a.value) == stun_fingerprint(data, start);
	return at == len;
}

bool stun_read(const uint8_t *data, size_t len, struct stun_message *ret)
{
	if (len < STUN_HEADER_SIZE || (data[0] & 0xc0) != 0)
		return false;
	if (len % 4 != 0 || get_u16(data + 2) != len - STUN_HEADER_SIZE)
		return false;
	bool classic = get_u32(data + 4) != STUN_COOKIE;
	if (!check_attributes(data, len, classic))
		return false;

	unsigned type = get_u16(data);
	*ret = (struct stun_message){
		.class = (enum stun_class)((type >> 4 & 1) | (type >> 7 & 2)),
		.method = (uint16_t)((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80)),
		.classic = classic,
		.attributes = data + STUN_HEADER_SIZE,
		.attributes_len = len - STUN_HEADER_SIZE,
	};
	memcpy(ret->id.bytes, data + 4, STUN_ID_SIZE);
	return true;
}

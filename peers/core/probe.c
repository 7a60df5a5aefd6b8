// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *	0   "NSPR"    the first byte is no STUN message's (RFC 7983: 0 to 3)
 *	4   version   1
 *	5   type
 *	6   0 0
 *	8   tag
 *	16  nonce
 *	24  echo
 *
 * All numbers are in network byte order.
 */
#include "peers/core/probe.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "peers/core/bytes.h"

#define MAGIC   0x4e535052u
#define VERSION 1u

/* 64-bit FNV-1a (Fowler, Noll, Vo). */
uint64_t probe_tag(const void *session, size_t len)
{
	const uint8_t *bytes = session;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

static bool is_valid(const struct probe *p)
{
	switch (p->type) {
	case PROBE_PROBE:
	case PROBE_BYE:
		return p->nonce != 0;
	case PROBE_NOMINATE:
	case PROBE_NOMINATE_ACK:
		return p->nonce != 0 && p->echo != 0;
	}
	return false;
}

void probe_write(const struct probe *p, uint8_t ret[static PROBE_SIZE])
{
	assert(is_valid(p));
	put_u32(ret, MAGIC);
	ret[4] = VERSION;
	ret[5] = (uint8_t)p->type;
	put_u16(ret + 6, 0);
	put_u64(ret + 8, p->tag);
	put_u64(ret + 16, p->nonce);
	put_u64(ret + 24, p->echo);
}

bool probe_read(const uint8_t *data, size_t len, struct probe *ret)
{
	if (len != PROBE_SIZE || get_u32(data) != MAGIC || data[4] != VERSION ||
	    get_u16(data + 6) != 0)
		return false;
	struct probe p = {
		.type = (enum probe_type)data[5],
		.tag = get_u64(data + 8),
		.nonce = get_u64(data + 16),
		.echo = get_u64(data + 24),
	};
	if (!is_valid(&p))
		return false;
	*ret = p;
	return true;
}

int probe_stream_read(struct probe_stream *s, const uint8_t **data, size_t *len, struct probe *ret)
{
	size_t take = PROBE_SIZE - s->len < *len ? PROBE_SIZE - s->len : *len;

	if (take > 0)
		memcpy(s->data + s->len, *data, take);
	s->len += take;
	*data += take;
	*len -= take;
	if (s->len < PROBE_SIZE)
		return 0;
	s->len = 0;
	return probe_read(s->data, PROBE_SIZE, ret) ? 1 : -EBADMSG;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/stun.h"

#include <errno.h>
#include <string.h>

#include "peers/core/bytes.h"

int stun_frame(const uint8_t *data, size_t len)
{
	if (len >= 1 && (data[0] & 0xc0) != 0)
		return -EBADMSG;
	if (len < 4)
		return 0;
	size_t whole = STUN_HEADER_SIZE + get_u16(data + 2);
	if (whole % 4 != 0 || whole > STUN_MESSAGE_MAX)
		return -EBADMSG;
	if (len >= 8 && get_u32(data + 4) != STUN_COOKIE)
		return -EBADMSG;
	return len >= whole ? (int)whole : 0;
}

/* Moves bytes into s until it holds the header, or else the message the header announces. */
static void take(struct stun_stream *s, const uint8_t **data, size_t *len)
{
	size_t want = STUN_HEADER_SIZE;

	if (s->len >= STUN_HEADER_SIZE)
		want += get_u16(s->data + 2); /* stun_frame() has found it short enough */
	size_t count = want - s->len < *len ? want - s->len : *len;
	memcpy(s->data + s->len, *data, count);
	s->len += count;
	*data += count;
	*len -= count;
}

int stun_stream_read(struct stun_stream *s, const uint8_t **data, size_t *len,
		     struct stun_message *ret)
{
	if (s->whole)
		s->len = 0;
	s->whole = false;
	while (*len > 0) {
		take(s, data, len);
		int frame = stun_frame(s->data, s->len);
		if (frame < 0)
			return frame;
		if (frame == 0)
			continue;
		if (stun_read(s->data, s->len, ret)) {
			s->whole = true;
			return 1;
		}
		s->len = 0;
	}
	return 0;
}

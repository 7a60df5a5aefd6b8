/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody on the Internet who speaks TCP to a peer by hand: what they send gets to the peer's host
 * at once, and what comes back is looked at on its way (pair_lose) and gets no further.
 */
#ifndef NATSIM_TESTS_TWIN_STRANGER_H
#define NATSIM_TESTS_TWIN_STRANGER_H

#include "tests/twin_pair.h"

#define STRANGER 0xc0000201u /* 192.0.2.1 */

struct stranger {
	struct twin_pair *pair;
	int host; /* whom they speak to */
	struct endpoint self, peer;
	bool open;                          /* the connection is there */
	uint32_t sequence, acknowledgement; /* of the next segment to the peer */
	/* What came from the peer. */
	unsigned syns;
	uint32_t syn_sequence; /* of the last SYN */
	size_t bytes;
};

static inline struct stranger stranger_of(struct twin_pair *p, int host, struct endpoint self,
					  struct endpoint peer)
{
	return (struct stranger){
		.pair = p, .host = host, .self = self, .peer = peer, .sequence = 5000
	};
}

/* A packet to them. */
static inline void stranger_take(struct stranger *s, const struct twin_packet *p)
{
	if (p->flags & TWIN_SYN) {
		s->syns++;
		s->syn_sequence = p->sequence;
		s->acknowledgement = p->sequence + 1;
	} else {
		s->acknowledgement = p->sequence + p->len + ((p->flags & TWIN_FIN) != 0);
	}
	s->bytes += p->len;
	if (p->flags & (TWIN_RST | TWIN_FIN))
		s->open = false;
}

static inline bool stranger_is_meant(const struct stranger *s, const struct twin_packet *p)
{
	return p->protocol == TWIN_TCP && endpoint_equal(p->to, s->self);
}

/* Everything that it causes at once has happened then. */
static inline void stranger_send(struct stranger *s, uint8_t flags, const void *data, size_t len)
{
	struct twin_packet p = { .protocol = TWIN_TCP,
				 .ttl = TWIN_TTL,
				 .from = s->self,
				 .to = s->peer,
				 .flags = flags,
				 .sequence = s->sequence,
				 .acknowledgement = s->acknowledgement,
				 .len = (uint16_t)len };

	assert_true(len <= DATA_MAX);
	if (len > 0)
		memcpy(p.data, data, len);
	s->sequence += (uint32_t)len + ((flags & TWIN_SYN) != 0);
	pair_inject(s->pair, s->host, &p);
	pair_run(s->pair, pair_now_us(s->pair));
}

/* A connection to whoever listens there. */
static inline void stranger_connect(struct stranger *s)
{
	unsigned syns = s->syns;

	stranger_send(s, TWIN_SYN, NULL, 0);
	assert_int_equal(s->syns, syns + 1);
	s->open = true;
	stranger_send(s, TWIN_ACK, NULL, 0);
}

/* Answers the SYN that came last, which is not known to the peer to be a stranger's. */
static inline void stranger_accept(struct stranger *s)
{
	assert_true(s->syns > 0);
	s->open = true;
	stranger_send(s, TWIN_SYN | TWIN_ACK, NULL, 0);
}

static inline void stranger_reset(struct stranger *s)
{
	s->open = false;
	stranger_send(s, TWIN_RST | TWIN_ACK, NULL, 0);
}

/* Nothing, if the connection is gone. */
static inline void stranger_say(struct stranger *s, const void *data, size_t len)
{
	if (s->open)
		stranger_send(s, TWIN_ACK, data, len);
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/handshake.h"

void handshake_init(struct handshake *h, bool controlling, uint64_t tag, uint64_t nonce)
{
	*h = (struct handshake){ .controlling = controlling, .tag = tag, .nonce = nonce };
}

static struct probe message(const struct handshake *h, enum probe_type type, uint64_t echo)
{
	return (struct probe){ .type = type, .tag = h->tag, .nonce = h->nonce, .echo = echo };
}

struct probe handshake_greeting(const struct handshake *h)
{
	return message(h, PROBE_PROBE, 0);
}

struct probe handshake_nomination(const struct handshake *h)
{
	return message(h, PROBE_NOMINATE, h->peer_nonce);
}

static void choose(struct handshake *h, uint32_t path, uint64_t peer_nonce)
{
	h->path = path;
	h->peer_nonce = peer_nonce;
}

/* An answer to every probe that teaches the other something, and to no other: two peers that only
 * answered each other would never stop. */
static bool receive_probe(struct handshake *h, uint32_t path, const struct probe *in,
			  struct probe *ret_answer)
{
	if (in->echo != h->nonce) {
		*ret_answer = message(h, PROBE_PROBE, in->nonce);
		return true;
	}
	h->echoed = true;
	if (!h->controlling) {
		*ret_answer = message(h, PROBE_PROBE, in->nonce);
		return h->state == HANDSHAKE_TRYING;
	}
	if (h->state != HANDSHAKE_TRYING)
		return false;
	choose(h, path, in->nonce);
	h->state = HANDSHAKE_NOMINATED;
	*ret_answer = handshake_nomination(h);
	return true;
}

bool handshake_is_peers(const struct handshake *h, const struct probe *in)
{
	return in->tag == h->tag && in->nonce != h->nonce;
}

bool handshake_receive(struct handshake *h, uint32_t path, const struct probe *in,
		       struct probe *ret_answer)
{
	if (!handshake_is_peers(h, in) || h->state == HANDSHAKE_OVER)
		return false;
	h->heard = true;
	if (in->type == PROBE_PROBE)
		return receive_probe(h, path, in, ret_answer);
	if (in->echo != h->nonce)
		return false;
	h->echoed = true;

	if (in->type == PROBE_NOMINATE && !h->controlling) {
		choose(h, path, in->nonce);
		h->state = HANDSHAKE_AGREED;
		*ret_answer = message(h, PROBE_NOMINATE_ACK, in->nonce);
		return true;
	}
	if (path != h->path || in->nonce != h->peer_nonce)
		return false;
	if (in->type == PROBE_NOMINATE_ACK && h->controlling) {
		h->state = HANDSHAKE_OVER;
		*ret_answer = message(h, PROBE_BYE, in->nonce);
		return true;
	}
	if (in->type == PROBE_BYE && h->state == HANDSHAKE_AGREED)
		h->state = HANDSHAKE_OVER;
	return false;
}

void handshake_reconsider(struct handshake *h)
{
	if (h->state == HANDSHAKE_NOMINATED)
		h->state = HANDSHAKE_TRYING;
}

void handshake_path_lost(struct handshake *h, uint32_t path)
{
	if (path != h->path || !h->controlling || h->state == HANDSHAKE_OVER)
		return;
	h->state = HANDSHAKE_TRYING;
	h->peer_nonce = 0;
}

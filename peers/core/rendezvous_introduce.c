// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the two peers of a session learn of each other, and what they send each other through us.
 *
 * Over UDP a source address can be forged, so whoever is written in it must not get much that it
 * did not ask for. A note is told only to a peer that sends notes, and a request with a note is as
 * long as the longest one. Relayed data goes only to a peer that has shown its ticket, which was
 * sent to where that peer registered from and nowhere else; over TCP the connection is the proof.
 */
#include "peers/core/rendezvous_serve.h"

#include <string.h>

#include "peers/core/bytes.h"

#define DRAWN_MIN 1024u
#define DRAWN_MAX 65535u

#define RELAY_INTERVAL_US (1000000u / RENDEZVOUS_RELAY_RATE)

/* ---- INTRODUCE */

struct registration {
	struct session_key key;
	unsigned role;
	struct session_peer peer;
	const uint8_t *note; /* STUN_NOTE_SIZE bytes, or NULL */
};

static bool read_note(const struct stun_message *m, const uint8_t **ret)
{
	const uint8_t *value;
	size_t len;

	if (!stun_get(m, STUN_NOTE, &value, &len)) {
		*ret = NULL;
		return true;
	}
	*ret = value;
	return len == STUN_NOTE_SIZE && value[0] <= STUN_NOTE_MAX;
}

static bool read_registration(const struct rendezvous_request *req, struct registration *ret)
{
	struct endpoint locals[STUN_LOCAL_ENDPOINTS_MAX + 1];
	const uint8_t *session, *role;
	size_t session_len, role_len;

	if (!stun_get(req->message, STUN_SESSION, &session, &session_len) || session_len < 1 ||
	    session_len > STUN_SESSION_MAX)
		return false;
	if (!stun_get(req->message, STUN_ROLE, &role, &role_len) || role_len != 1 ||
	    (role[0] != 'a' && role[0] != 'b'))
		return false;
	size_t count = stun_get_xor_addresses(req->message, STUN_LOCAL_ENDPOINT, locals,
					      STUN_LOCAL_ENDPOINTS_MAX + 1);
	if (count > STUN_LOCAL_ENDPOINTS_MAX || !read_note(req->message, &ret->note))
		return false;

	ret->key = (struct session_key){ .tcp = req->tcp, .len = (uint8_t)session_len };
	memcpy(ret->key.id, session, session_len);
	ret->role = (unsigned)(role[0] - 'a');
	ret->peer = (struct session_peer){ .present = true,
					   .noted = ret->note != NULL,
					   .proven = req->tcp,
					   .socket = req->socket,
					   .observed = req->from,
					   .local_count = count };
	memcpy(ret->peer.locals, locals, count * sizeof(locals[0]));
	return true;
}

static uint16_t draw_port(struct rendezvous *r)
{
	return (uint16_t)(DRAWN_MIN + prng_below(&r->prng, DRAWN_MAX - DRAWN_MIN + 1));
}

/* The note is kept apart from the peer, which is copied and compared with every request. */
static bool change_note(struct session *s, const struct registration *reg)
{
	uint8_t *note = s->notes[reg->role];

	if (reg->note == NULL || memcmp(note, reg->note, STUN_NOTE_SIZE) == 0)
		return false;
	memcpy(note, reg->note, STUN_NOTE_SIZE);
	return true;
}

/* Enters the registration into its session. Returns true if it is news to the other peer. */
static bool enter(struct rendezvous *r, struct session *s, struct registration *reg)
{
	struct session_peer *self = &s->peers[reg->role];
	bool is_news = !session_peer_equal(self, &reg->peer) || self->noted != reg->peer.noted;

	if (session_peer_is_at(self, reg->peer.socket, reg->peer.observed)) {
		reg->peer.ticket = self->ticket;
		reg->peer.proven = self->proven;
	} else {
		reg->peer.ticket =
			session_table_ticket(&r->sessions, s, reg->role, prng_next(&r->prng));
		s->seen[reg->role] = 0; /* it may have been started again and know nothing */
	}
	*self = reg->peer;
	if (change_note(s, reg))
		is_news = true;
	if (is_news)
		s->changes[reg->role]++;
	return is_news;
}

/* What both the answer and the word to start say to that role: where it was seen, and its peer. */
static void add_introduction(struct stun_writer *w, const struct session *s, unsigned role)
{
	const struct session_peer *self = &s->peers[role], *peer = &s->peers[role ^ 1];
	const uint8_t *note = s->notes[role ^ 1];
	uint8_t ports[4];

	put_u16(ports, s->drawn[role]);
	put_u16(ports + 2, s->drawn[role ^ 1]);
	stun_add(w, STUN_SESSION, s->key.id, s->key.len);
	stun_add_xor_address(w, STUN_XOR_MAPPED_ADDRESS, self->observed);
	stun_add_u64(w, STUN_TICKET, self->ticket);
	stun_add(w, STUN_DRAWN_PORTS, ports, sizeof(ports));
	if (!peer->present)
		return;
	stun_add_xor_address(w, STUN_PEER_OBSERVED, peer->observed);
	for (size_t i = 0; i < peer->local_count; i++)
		stun_add_xor_address(w, STUN_PEER_LOCAL, peer->locals[i]);
	stun_add_u32(w, STUN_PEER_CHANGE, s->changes[role ^ 1]);
	if (peer->noted && self->noted)
		stun_add(w, STUN_PEER_NOTE, note + 1, note[0]);
}

static void begin_indication(struct rendezvous *r, struct stun_writer *w, uint16_t method)
{
	uint8_t transaction[12];

	put_u64(transaction, prng_next(&r->prng));
	put_u32(transaction + 8, (uint32_t)prng_next(&r->prng));
	struct stun_id id = stun_id_make(transaction);
	stun_begin(w, STUN_INDICATION, method, &id);
}

static void send_to_peer(const struct session *s, const struct session_peer *to,
			 const struct stun_writer *w, struct actions *out)
{
	if (s->key.tcp)
		act_tcp_send(out, to->socket, w->data, w->len);
	else
		act_udp_send(out, to->socket, to->observed, w->data, w->len);
}

/* The word to start, or of a change, for that role. */
static void push(struct rendezvous *r, const struct session *s, unsigned role, bool confirm,
		 struct actions *out)
{
	struct stun_writer w;

	begin_indication(r, &w, STUN_INTRODUCE);
	add_introduction(&w, s, role);
	if (confirm)
		stun_add(&w, STUN_CONFIRM, "", 0);
	stun_add_fingerprint(&w);
	send_to_peer(s, &s->peers[role], &w, out);
}

void rendezvous_introduce(struct rendezvous *r, uint64_t now_us,
			  const struct rendezvous_request *req, struct actions *out)
{
	struct registration reg;
	struct stun_writer w;

	if (!read_registration(req, &reg)) {
		rendezvous_refuse(req, STUN_BAD_REQUEST, "Bad Request", out);
		return;
	}
	struct session *s = session_table_take(&r->sessions, now_us, &reg.key);
	unsigned role = reg.role, other = role ^ 1;
	if (s->drawn[0] == 0) {
		s->drawn[0] = draw_port(r);
		s->drawn[1] = draw_port(r);
	}
	bool is_news = enter(r, s, &reg), confirm = stun_has(req->message, STUN_CONFIRM);
	(void)stun_get_u32(req->message, STUN_SEEN, &s->seen[role]);
	bool has_seen = s->peers[other].present && s->seen[other] == s->changes[role];

	rendezvous_answer_begin(&w, req, STUN_SUCCESS);
	add_introduction(&w, s, role);
	if (confirm && has_seen)
		stun_add(&w, STUN_CONFIRM, "", 0);
	rendezvous_answer_send(&w, req, out);
	if (s->peers[other].present && (is_news || (confirm && !has_seen)))
		push(r, s, other, confirm, out);
}

/* ---- RELAY */

/* Takes one packet from the session's share of the rate. False if there is none left: what was
 * passed on lies on the clock at its interval, and not further ahead than a burst. */
static bool take_share(struct session *s, uint64_t now_us)
{
	uint64_t from_us = s->relay_paid_us > now_us ? s->relay_paid_us : now_us;

	if (from_us - now_us > (uint64_t)(RENDEZVOUS_RELAY_BURST - 1) * RELAY_INTERVAL_US)
		return false;
	s->relay_paid_us = from_us + RELAY_INTERVAL_US;
	return true;
}

void rendezvous_relay(struct rendezvous *r, uint64_t now_us, const struct rendezvous_request *req,
		      struct actions *out)
{
	struct stun_writer w;
	const uint8_t *data;
	uint64_t ticket;
	uint16_t unknown;
	unsigned role;
	size_t len;

	if (req->message->classic || stun_get_unknown(req->message, &unknown, 1) > 0 ||
	    !stun_get_u64(req->message, STUN_TICKET, &ticket) ||
	    !stun_get(req->message, STUN_DATA, &data, &len) || len < 1 || len > STUN_DATA_MAX)
		return;
	struct session *s = session_table_find(&r->sessions, now_us, ticket, &role);
	if (s == NULL || s->key.tcp != req->tcp ||
	    !session_peer_is_at(&s->peers[role], req->socket, req->from))
		return;
	s->peers[role].proven = true;
	const struct session_peer *peer = &s->peers[role ^ 1];
	if (!peer->present || !peer->proven || !take_share(s, now_us))
		return;
	s->used_us = now_us;
	begin_indication(r, &w, STUN_RELAY);
	stun_add_u64(&w, STUN_TICKET, peer->ticket);
	stun_add(&w, STUN_DATA, data, len);
	send_to_peer(s, peer, &w, out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/introduce_message.h"

#include <string.h>

#include "lib/prng.h"
#include "peers/core/bytes.h"

#define DRAWN_MIN 1024u /* a server that draws what takes privileges to bind is not believed */

/* The id of request number n. */
static struct stun_id request_id(const struct introduce *in, uint32_t n)
{
	uint8_t transaction[12];

	put_u64(transaction, prng_derive(in->config.seed, n, 0));
	put_u32(transaction + 8, n);
	return stun_id_make(transaction);
}

bool introduce_find_request(const struct introduce *in, const struct stun_id *id, uint32_t *ret)
{
	uint32_t n = get_u32(id->bytes + 12);

	if (n >= in->requests || in->requests - n > INTRODUCE_IN_FLIGHT_MAX)
		return false;
	struct stun_id expected = request_id(in, n);
	if (!stun_id_equal(id, &expected))
		return false;
	*ret = n;
	return true;
}

void introduce_write_request(const struct introduce *in, struct stun_writer *w)
{
	const struct introduce_config *config = &in->config;
	struct stun_id id = request_id(in, in->requests);

	stun_begin(w, STUN_REQUEST, STUN_INTRODUCE, &id);
	stun_add(w, STUN_SESSION, in->session, config->session_len);
	stun_add(w, STUN_ROLE, &config->role, 1);
	for (size_t i = 0; i < config->announce_count; i++) {
		struct endpoint ep = config->announce[i];

		if (ep.port == 0)
			ep.port = in->local.port;
		stun_add_xor_address(w, STUN_LOCAL_ENDPOINT, ep);
	}
	if (in->noted)
		stun_add(w, STUN_NOTE, in->note, sizeof(in->note));
	if (in->seen != 0)
		stun_add_u32(w, STUN_SEEN, in->seen);
	if (in->confirming)
		stun_add(w, STUN_CONFIRM, "", 0);
	stun_add_fingerprint(w);
}

/* ---- what the server says */

static bool names_our_session(const struct introduce *in, const struct stun_message *m)
{
	const uint8_t *session;
	size_t len;

	return stun_get(m, STUN_SESSION, &session, &len) && len == in->config.session_len &&
	       memcmp(session, in->session, len) == 0;
}

static bool shows_our_ticket(const struct introduce *in, const struct stun_message *m)
{
	uint64_t ticket;

	return in->ticket != 0 && stun_get_u64(m, STUN_TICKET, &ticket) && ticket == in->ticket;
}

/* Whoever waits takes the word to start although it may know no ticket yet. Later, only the ticket
 * tells the server from those who forge its address. */
bool introduce_trusts(const struct introduce *in, const struct stun_message *m)
{
	return names_our_session(in, m) &&
	       (in->state == INTRODUCE_WAITING || shows_our_ticket(in, m));
}

static void take_drawn_ports(struct introduce *in, const struct stun_message *m)
{
	const uint8_t *value;
	size_t len;

	if (!stun_get(m, STUN_DRAWN_PORTS, &value, &len) || len != 4 ||
	    get_u16(value) < DRAWN_MIN || get_u16(value + 2) < DRAWN_MIN)
		return;
	in->drawn_port = get_u16(value);
	in->peer_drawn_port = get_u16(value + 2);
}

/* Candidates in their order: the observed one first, each once. */
struct candidates {
	struct endpoint list[INTRODUCE_CANDIDATES_MAX];
	size_t count;
};

static void add_candidate(struct candidates *c, struct endpoint ep)
{
	if (ep.addr == 0 || ep.port == 0)
		return;
	for (size_t i = 0; i < c->count; i++)
		if (endpoint_equal(c->list[i], ep))
			return;
	c->list[c->count++] = ep;
}

static struct candidates read_candidates(const struct stun_message *m)
{
	struct candidates c = { .count = 0 };
	struct endpoint peer, locals[STUN_LOCAL_ENDPOINTS_MAX];

	if (!stun_get_xor_address(m, STUN_PEER_OBSERVED, &peer))
		return c;
	add_candidate(&c, peer);
	size_t count = stun_get_xor_addresses(m, STUN_PEER_LOCAL, locals, STUN_LOCAL_ENDPOINTS_MAX);
	for (size_t i = 0; i < count; i++)
		add_candidate(&c, locals[i]);
	return c;
}

static bool take_candidates(struct introduce *in, const struct candidates *c)
{
	bool is_new = c->count != in->latest_count;

	for (size_t i = 0; i < c->count && !is_new; i++)
		is_new = !endpoint_equal(c->list[i], in->latest[i]);
	memcpy(in->latest, c->list, c->count * sizeof(c->list[0]));
	in->latest_count = c->count;
	return is_new;
}

/* Without PEER-NOTE there is nothing to say: a peer does not take a note back. */
static bool take_note(struct introduce *in, const struct stun_message *m)
{
	const uint8_t *note;
	size_t len;

	if (!stun_get(m, STUN_PEER_NOTE, &note, &len) || len > STUN_NOTE_MAX ||
	    (len == in->peer_note_len && memcmp(note, in->peer_note, len) == 0))
		return false;
	memcpy(in->peer_note, note, len);
	in->peer_note_len = len;
	return true;
}

/* Messages may overtake each other: one about an older change than that known is passed over. With
 * another ticket the server counts anew, for all we know. */
bool introduce_take_news(struct introduce *in, const struct stun_message *m)
{
	uint64_t ticket = in->ticket;
	uint32_t change = 0;

	if (!stun_get_xor_address(m, STUN_XOR_MAPPED_ADDRESS, &in->observed))
		return false;
	(void)stun_get_u64(m, STUN_TICKET, &ticket);
	(void)stun_get_u32(m, STUN_PEER_CHANGE, &change);
	take_drawn_ports(in, m);
	if (ticket != in->ticket)
		in->seen = 0;
	in->ticket = ticket;
	struct candidates c = read_candidates(m);
	if (c.count == 0 || change < in->seen)
		return false;
	in->seen = change;
	bool moved = take_candidates(in, &c), noted = take_note(in, m);
	if (moved || noted)
		in->peer_changes++;
	return true;
}

bool introduce_read_relayed(const struct introduce *in, const struct stun_message *m,
			    const uint8_t **ret_data, size_t *ret_len)
{
	const uint8_t *data;
	size_t len;

	if (m->method != STUN_RELAY || m->class != STUN_INDICATION || !shows_our_ticket(in, m) ||
	    !stun_get(m, STUN_DATA, &data, &len) || len < 1 || len > STUN_DATA_MAX)
		return false;
	*ret_data = data;
	*ret_len = len;
	return true;
}

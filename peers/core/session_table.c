// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table that is searched from its start to what was ever used of it: a thousand comparisons of a
 * length byte cost less than the system call that brought the request, and there is no hash for a
 * stranger to attack.
 */
#include "peers/core/session_table.h"

#include <string.h>

static bool is_live(const struct session *s, uint64_t now_us)
{
	return s->key.len != 0 && now_us - s->used_us < SESSION_IDLE_US;
}

static bool key_equal(const struct session_key *a, const struct session_key *b)
{
	return a->tcp == b->tcp && a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

/* The better slot to give to a new session: a dead one, or else the one used least recently. */
static struct session *better(struct session *a, struct session *b, uint64_t now_us)
{
	if (!is_live(a, now_us))
		return a;
	if (!is_live(b, now_us))
		return b;
	return b->used_us < a->used_us ? b : a;
}

struct session *session_table_take(struct session_table *t, uint64_t now_us,
				   const struct session_key *key)
{
	struct session *place = &t->slots[0];

	for (size_t i = 0; i < t->used; i++) {
		struct session *s = &t->slots[i];

		if (is_live(s, now_us) && key_equal(&s->key, key)) {
			s->used_us = now_us;
			return s;
		}
		place = better(place, s, now_us);
	}
	if (is_live(place, now_us) && t->used < SESSIONS_MAX)
		place = &t->slots[t->used];
	if (place == &t->slots[t->used])
		t->used++;
	*place = (struct session){ .key = *key, .used_us = now_us };
	return place;
}

/* A ticket is 1, random bits, one of the role and ten of the place in the table. */
#define PLACE_MASK  (SESSIONS_MAX - 1u)
#define ROLE_BIT    SESSIONS_MAX
#define TICKET_BIT  (UINT64_C(1) << 63)
#define TICKET_TAIL ((uint64_t)(ROLE_BIT | PLACE_MASK))

_Static_assert((SESSIONS_MAX & PLACE_MASK) == 0, "a place is a whole number of bits");

uint64_t session_table_ticket(const struct session_table *t, const struct session *s, unsigned role,
			      uint64_t random)
{
	uint64_t place = (uint64_t)(s - t->slots);

	return TICKET_BIT | (random & ~TICKET_TAIL) | (role != 0 ? ROLE_BIT : 0u) | place;
}

struct session *session_table_find(struct session_table *t, uint64_t now_us, uint64_t ticket,
				   unsigned *ret_role)
{
	struct session *s = &t->slots[ticket & PLACE_MASK];
	unsigned role = (ticket & ROLE_BIT) != 0;

	if (!is_live(s, now_us) || !s->peers[role].present || s->peers[role].ticket != ticket)
		return NULL;
	*ret_role = role;
	return s;
}

void session_table_clear(struct session_table *t)
{
	memset(t->slots, 0, t->used * sizeof(t->slots[0]));
	t->used = 0;
}

void session_table_forget(struct session_table *t, uint32_t connection)
{
	for (size_t i = 0; i < t->used; i++) {
		struct session *s = &t->slots[i];

		for (size_t role = 0; s->key.tcp && role < 2; role++)
			if (s->peers[role].socket == connection)
				s->peers[role] = (struct session_peer){ 0 };
	}
}

bool session_peer_is_at(const struct session_peer *p, uint32_t socket, struct endpoint observed)
{
	return p->present && p->socket == socket && endpoint_equal(p->observed, observed);
}

bool session_peer_equal(const struct session_peer *a, const struct session_peer *b)
{
	if (!session_peer_is_at(a, b->socket, b->observed) || a->local_count != b->local_count)
		return false;
	for (size_t i = 0; i < a->local_count; i++)
		if (!endpoint_equal(a->locals[i], b->locals[i]))
			return false;
	return true;
}

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

bool session_peer_equal(const struct session_peer *a, const struct session_peer *b)
{
	if (a->present != b->present || a->socket != b->socket ||
	    !endpoint_equal(a->observed, b->observed) || a->local_count != b->local_count)
		return false;
	for (size_t i = 0; i < a->local_count; i++)
		if (!endpoint_equal(a->locals[i], b->locals[i]))
			return false;
	return true;
}

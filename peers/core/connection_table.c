// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/connection_table.h"

#include <string.h>

void connection_table_clear(struct connection_table *t)
{
	memset(t->slots, 0, t->used * sizeof(t->slots[0]));
	t->used = 0;
}

struct connection *connection_table_find(struct connection_table *t, uint32_t socket)
{
	for (size_t i = 0; socket != 0 && i < t->used; i++)
		if (t->slots[i].socket == socket)
			return &t->slots[i];
	return NULL;
}

struct connection *connection_table_place(struct connection_table *t)
{
	struct connection *place = &t->slots[0];

	for (size_t i = 0; i < t->used; i++) {
		struct connection *c = &t->slots[i];

		if (c->socket == 0)
			return c;
		if (c->used_us < place->used_us)
			place = c;
	}
	return t->used < CONNECTIONS_MAX ? &t->slots[t->used++] : place;
}

struct connection *connection_table_expired(struct connection_table *t, uint64_t now_us,
					    uint64_t *ret_next_us)
{
	uint64_t next_us = UINT64_MAX;

	for (size_t i = 0; i < t->used; i++) {
		struct connection *c = &t->slots[i];

		if (c->socket == 0)
			continue;
		uint64_t until_us = c->used_us + CONNECTION_IDLE_US;
		if (until_us <= now_us)
			return c;
		if (until_us < next_us)
			next_us = until_us;
	}
	*ret_next_us = next_us;
	return NULL;
}

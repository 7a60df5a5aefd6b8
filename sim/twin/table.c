// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open addressing with linear probing, half full at most. An element that has expired stays until
 * one of its key takes its place or the table is made anew. One that is removed leaves no mark:
 * those behind it that could be nearer to their place move up.
 */
#include "sim/twin/table.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct twin_element {
	struct twin_key key;
	uint64_t value, until_us;
	uint32_t epoch;
};

#define ROOM_MIN 32u

/* Two rounds of multiplying by 2^64 over the golden ratio (Knuth, 6.4) and folding. */
static uint32_t place_of(const struct twin_table *t, struct twin_key key)
{
	uint64_t h = key.a * 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 32 ^ key.b) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32) & t->mask;
}

static bool is_used(const struct twin_table *t, uint32_t place)
{
	return t->elements[place].epoch == t->epoch;
}

/* Where the key is, or where it is to go. */
static struct twin_element *seek(const struct twin_table *t, struct twin_key key)
{
	uint32_t place = place_of(t, key);

	while (is_used(t, place) &&
	       (t->elements[place].key.a != key.a || t->elements[place].key.b != key.b))
		place = (place + 1) & t->mask;
	return &t->elements[place];
}

void twin_table_fini(struct twin_table *t)
{
	free(t->elements);
	*t = (struct twin_table){ .elements = NULL };
}

void twin_table_clear(struct twin_table *t)
{
	if (t->used == 0)
		return;
	t->used = 0;
	if (++t->epoch != 0)
		return;
	/* It has come round: nothing may be left of when it was the same. */
	memset(t->elements, 0, (size_t)(t->mask + 1) * sizeof(*t->elements));
	t->epoch = 1;
}

uint64_t *twin_table_find(const struct twin_table *t, struct twin_key key, uint64_t now_us)
{
	if (t->used == 0)
		return NULL;

	struct twin_element *e = seek(t, key);
	return e->epoch == t->epoch && now_us < e->until_us ? &e->value : NULL;
}

static uint32_t count_living(const struct twin_table *t, uint64_t now_us)
{
	uint32_t count = 0;

	for (uint32_t i = 0; t->elements != NULL && i <= t->mask; i++)
		count += is_used(t, i) && now_us < t->elements[i].until_us;
	return count;
}

/* Makes room for one more and drops what has expired. */
static void make_room(struct twin_table *t, uint64_t now_us)
{
	struct twin_table old = *t;
	uint32_t room = old.elements == NULL ? ROOM_MIN : old.mask + 1;

	while (room < 4 * (count_living(t, now_us) + 1))
		room *= 2;
	t->elements = calloc(room, sizeof(*t->elements));
	assert(t->elements != NULL);
	t->mask = room - 1;
	t->used = 0;
	t->epoch = 1;
	for (uint32_t i = 0; old.elements != NULL && i <= old.mask; i++) {
		if (!is_used(&old, i) || now_us >= old.elements[i].until_us)
			continue;
		struct twin_element *e = seek(t, old.elements[i].key);
		*e = old.elements[i];
		e->epoch = t->epoch;
		t->used++;
	}
	free(old.elements);
}

static struct twin_element *seek_or_make(struct twin_table *t, struct twin_key key, uint64_t value,
					 uint64_t now_us, bool *ret_made)
{
	if (t->elements == NULL || 2 * (t->used + 1) > t->mask + 1)
		make_room(t, now_us);

	struct twin_element *e = seek(t, key);
	bool is_there = e->epoch == t->epoch;
	*ret_made = !is_there || now_us >= e->until_us;
	if (*ret_made) {
		t->used += !is_there;
		*e = (struct twin_element){ .key = key, .value = value, .epoch = t->epoch };
	}
	return e;
}

bool twin_table_put(struct twin_table *t, struct twin_key key, uint64_t value, uint64_t now_us,
		    uint64_t until_us)
{
	bool made;

	seek_or_make(t, key, value, now_us, &made)->until_us = until_us;
	return made;
}

bool twin_table_add(struct twin_table *t, struct twin_key key, uint64_t value, uint64_t now_us,
		    uint64_t until_us)
{
	bool made;
	struct twin_element *e = seek_or_make(t, key, value, now_us, &made);

	if (made)
		e->until_us = until_us;
	return made;
}

void twin_table_remove(struct twin_table *t, struct twin_key key)
{
	if (t->used == 0)
		return;

	uint32_t hole = (uint32_t)(seek(t, key) - t->elements);
	if (!is_used(t, hole))
		return;
	t->used--;
	for (uint32_t i = (hole + 1) & t->mask; is_used(t, i); i = (i + 1) & t->mask) {
		uint32_t place = place_of(t, t->elements[i].key);

		/* It may not go before its place. */
		if (((i - place) & t->mask) < ((i - hole) & t->mask))
			continue;
		t->elements[hole] = t->elements[i];
		hole = i;
	}
	t->elements[hole].epoch = t->epoch - 1;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/timerqueue.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIRST_SIZE 64u

static bool before(const struct timerqueue_entry *a, const struct timerqueue_entry *b)
{
	if (a->time_us != b->time_us)
		return a->time_us < b->time_us;
	return a->sequence < b->sequence;
}

static void make_room(struct timerqueue *q)
{
	if (q->count < q->size)
		return;
	size_t size = q->size == 0 ? FIRST_SIZE : q->size * 2;
	q->entries = realloc(q->entries, size * sizeof(*q->entries));
	assert(q->entries != NULL);
	q->size = size;
}

/* Both sifts move a hole, not the entry, to where the entry belongs. */
static void sift_up(struct timerqueue *q, size_t hole, struct timerqueue_entry entry)
{
	while (hole > 0) {
		size_t parent = (hole - 1) / 2;

		if (!before(&entry, &q->entries[parent]))
			break;
		q->entries[hole] = q->entries[parent];
		hole = parent;
	}
	q->entries[hole] = entry;
}

static void sift_down(struct timerqueue *q, size_t hole, struct timerqueue_entry entry)
{
	for (size_t child = 1; child < q->count; child = 2 * hole + 1) {
		if (child + 1 < q->count && before(&q->entries[child + 1], &q->entries[child]))
			child++;
		if (!before(&q->entries[child], &entry))
			break;
		q->entries[hole] = q->entries[child];
		hole = child;
	}
	q->entries[hole] = entry;
}

void timerqueue_fini(struct timerqueue *q)
{
	free(q->entries);
	*q = (struct timerqueue){ 0 };
}

void timerqueue_add(struct timerqueue *q, uint64_t time_us, void *item)
{
	assert(item != NULL && time_us < TIMERQUEUE_NEVER);
	make_room(q);
	struct timerqueue_entry entry = { time_us, q->next_sequence++, item };
	sift_up(q, q->count++, entry);
}

uint64_t timerqueue_next_us(const struct timerqueue *q)
{
	return q->count > 0 ? q->entries[0].time_us : TIMERQUEUE_NEVER;
}

void *timerqueue_take(struct timerqueue *q, uint64_t now_us)
{
	if (q->count == 0 || q->entries[0].time_us > now_us)
		return NULL;
	void *item = q->entries[0].item;
	q->count--;
	if (q->count > 0)
		sift_down(q, 0, q->entries[q->count]);
	return item;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of things to do at a time, earliest first. What is due at the same time comes out in the
 * order in which it went in, so that two runs with the same input do the same. Zeroed memory is an
 * empty queue; items belong to the caller. Adding and taking cost O(log n); running out of memory
 * ends the program (assert), and nothing here can fail in another way.
 */
#ifndef NATSIM_LIB_TIMERQUEUE_H
#define NATSIM_LIB_TIMERQUEUE_H

#include <stddef.h>
#include <stdint.h>

#define TIMERQUEUE_NEVER UINT64_MAX

struct timerqueue_entry {
	uint64_t time_us;
	uint64_t sequence;
	void *item;
};

struct timerqueue {
	struct timerqueue_entry *entries; /* a binary heap */
	size_t count;
	size_t size;
	uint64_t next_sequence;
};

/* Frees the queue, not the items still in it, and leaves it empty and ready for use. */
void timerqueue_fini(struct timerqueue *q);

/* item is not NULL; time_us is before TIMERQUEUE_NEVER. */
void timerqueue_add(struct timerqueue *q, uint64_t time_us, void *item);

/* When the first item is due, TIMERQUEUE_NEVER if there is none. */
uint64_t timerqueue_next_us(const struct timerqueue *q);

/* Takes out the first item that is due at or before now_us; NULL if there is none. */
void *timerqueue_take(struct timerqueue *q, uint64_t now_us);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a router remembers for a while: values by keys of two words, each until its time, like nft's
 * sets and maps with timeouts. Emptying one costs nothing, and memory is asked for only when more
 * elements live at a time than ever before.
 */
#ifndef NATSIM_SIM_TWIN_TABLE_H
#define NATSIM_SIM_TWIN_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct twin_key {
	uint64_t a, b;
};

struct twin_element;

/* Zeroed memory is an empty table. */
struct twin_table {
	struct twin_element *elements;
	uint32_t mask;  /* how many there is room for, less one */
	uint32_t used;  /* those that have expired included */
	uint32_t epoch; /* elements of another one are none */
};

void twin_table_fini(struct twin_table *t);
void twin_table_clear(struct twin_table *t);

/* The value, until elements are made or removed; NULL: there is none, or its time is over. */
uint64_t *twin_table_find(const struct twin_table *t, struct twin_key key, uint64_t now_us);

/* The next two make an element that lives before until_us, and return true, if there is none of the
 * key. If there is one, it keeps its value; put() gives it the new time, and add() lets it be. */
bool twin_table_put(struct twin_table *t, struct twin_key key, uint64_t value, uint64_t now_us,
		    uint64_t until_us);
bool twin_table_add(struct twin_table *t, struct twin_key key, uint64_t value, uint64_t now_us,
		    uint64_t until_us);

/* Nothing happens if there is none of the key. */
void twin_table_remove(struct twin_table *t, struct twin_key key);

#endif

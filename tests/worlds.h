/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every model with every model, in either world, and the table of what is to come of it:
 * tests/expected/punch.txt.
 *
 * The table has a line for each model as peer a's router, and in it a character for each as peer
 * b's, in the order of the lines: 1, they connect; 0, they do not; ~, delays and draws decide.
 */
#ifndef NATSIM_TESTS_WORLDS_H
#define NATSIM_TESTS_WORLDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/run.h"
#include "tests/model_files.h"
#include "tests/natsim_run.h"

#define WORLDS_TABLE "tests/expected/punch.txt"

struct worlds {
	struct catalog catalog;
	struct catalog_names models;
	struct suite suite;
};

/* All models but those that are rulesets of their own. */
static inline void worlds_open(struct worlds *w)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct err e = { 0 };

	*w = (struct worlds){ 0 };
	(void)setenv("NATSIM_DATA", ".", 0);
	assert_int_equal(catalog_open(&w->catalog, &e), 0);
	free(w->catalog.peer);
	free(w->catalog.rendezvous);
	w->catalog.peer = built("peer");
	w->catalog.rendezvous = built("rendezvous");
	assert_int_equal(catalog_list(&w->catalog, CATALOG_NAT_MODEL, &w->models, &e), 0);
	buf_puts(&text, "about: x\ntopologies: [two-homes]\nnats: { a: [");
	for (size_t i = 0; i < w->models.count; i++)
		buf_printf(&text, "%s%s", i == 0 ? "" : ", ", w->models.items[i]);
	buf_puts(&text, "] }\nlinks: [home]\nstart_skew: 20ms\ngive_up: 800ms\n");
	if (suite_parse("x", buf_text(&text), text.len, &w->suite, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void worlds_close(struct worlds *w)
{
	suite_fini(&w->suite);
	catalog_names_free(&w->models);
	catalog_close(&w->catalog);
}

/* The character of a cell, from the text of the table. */
static inline char worlds_expected(const struct worlds *w, const char *table,
				   const struct suite_cell *cell)
{
	char heading[16], line[NAT_NAME_SIZE + 2];
	size_t column = 0;

	(void)snprintf(heading, sizeof(heading), "\n%s\n", cell->transport);
	const char *at = strstr(table, heading);
	if (at == NULL)
		fail_msg(WORLDS_TABLE " has no part for %s", cell->transport);
	(void)snprintf(line, sizeof(line), "\n%s ", cell->nat_a);
	at = strstr(at, line);
	if (at == NULL)
		fail_msg(WORLDS_TABLE " has no line for %s", cell->nat_a);
	at += strlen(line);
	at += strspn(at, " ");
	while (strcmp(w->models.items[column], cell->nat_b) != 0)
		column++;
	if (column >= strcspn(at, "\n"))
		fail_msg(WORLDS_TABLE " has no column for %s", cell->nat_b);
	return at[column];
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/matrix.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define COLUMN_WIDTH 8
#define ROW_NUMBER   6 /* "a:  1 " */

/* The cells of one table: all with the same names but for the two NATs. */
struct table {
	struct run_cell **cells;
	size_t count;
	const char **rows, **columns; /* the names in their order */
	size_t rows_count, columns_count;
};

static bool same_table(const struct suite_cell *a, const struct suite_cell *b)
{
	return strcmp(a->topology, b->topology) == 0 && strcmp(a->transport, b->transport) == 0 &&
	       strcmp(a->strategy, b->strategy) == 0 && strcmp(a->link, b->link) == 0;
}

static void add_name(const char **names, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(names[i], name) == 0)
			return;
	names[(*count)++] = name;
}

/* The cells from the first on that belong into its table. */
static void table_init(struct table *t, struct run_cell *cells, size_t first, size_t count)
{
	*t = (struct table){ .cells = calloc(count, sizeof(struct run_cell *)),
			     .rows = calloc(count, sizeof(char *)),
			     .columns = calloc(count, sizeof(char *)) };
	assert(t->cells != NULL && t->rows != NULL && t->columns != NULL);
	for (size_t i = first; i < count; i++) {
		if (!same_table(&cells[first].names, &cells[i].names))
			continue;
		t->cells[t->count++] = &cells[i];
		add_name(t->rows, &t->rows_count, cells[i].names.nat_a);
		add_name(t->columns, &t->columns_count, cells[i].names.nat_b);
	}
}

static void table_fini(struct table *t)
{
	free(t->cells);
	free(t->rows);
	free(t->columns);
}

static const struct run_cell *table_cell(const struct table *t, const char *row, const char *column)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->cells[i]->names.nat_a, row) == 0 &&
		    strcmp(t->cells[i]->names.nat_b, column) == 0)
			return t->cells[i];
	return NULL;
}

bool matrix_is_flagged(const struct run_cell *cell)
{
	return cell->verdict == VERDICT_TOO_LOW || cell->verdict == VERDICT_TOO_HIGH;
}

const char *matrix_color(const struct run_cell *cell, const struct style *style)
{
	return matrix_is_flagged(cell) ? style->bad
	       : cell->successes == 0  ? style->dim
				       : style->good;
}

/* "100/100": measured and expected, in percent. */
static void print_cell(const struct run_cell *cell, const struct style *style, struct buf *out)
{
	char text[32], expected[16] = "-";

	if (cell == NULL || cell->trials == 0) {
		buf_printf(out, " %*s", COLUMN_WIDTH, "");
		return;
	}
	if (cell->expected >= 0)
		(void)snprintf(expected, sizeof(expected), "%.0f", cell->expected * 100);
	(void)snprintf(text, sizeof(text), "%.0f/%s",
		       100.0 * (double)cell->successes / (double)cell->trials, expected);
	buf_printf(out, " %s%*s%s", matrix_color(cell, style), COLUMN_WIDTH, text, style->reset);
}

static void print_rates(const struct table *t, const struct style *style, struct buf *out)
{
	int width = 0;

	for (size_t r = 0; r < t->rows_count; r++)
		if ((int)strlen(t->rows[r]) > width)
			width = (int)strlen(t->rows[r]);
	width += ROW_NUMBER + 1;
	buf_printf(out, "%*s", width, "b:");
	for (size_t c = 0; c < t->columns_count; c++)
		buf_printf(out, " %*zu", COLUMN_WIDTH, c + 1);
	buf_puts(out, "\n");
	for (size_t r = 0; r < t->rows_count; r++) {
		buf_printf(out, "%s %2zu %-*s", r == 0 ? "a:" : "  ", r + 1, width - ROW_NUMBER,
			   t->rows[r]);
		for (size_t c = 0; c < t->columns_count; c++)
			print_cell(table_cell(t, t->rows[r], t->columns[c]), style, out);
		buf_puts(out, "\n");
	}
	/* The columns are numbered like the rows; where they differ they need names of their own.
	 */
	bool same = t->rows_count == t->columns_count;
	for (size_t i = 0; same && i < t->rows_count; i++)
		same = strcmp(t->rows[i], t->columns[i]) == 0;
	for (size_t c = 0; !same && c < t->columns_count; c++)
		buf_printf(out, "%s %2zu %s\n", c == 0 ? "b:" : "  ", c + 1, t->columns[c]);
}

/* The times and packets of all successes of the table. */
static void print_cost(const struct table *t, struct buf *out)
{
	size_t times = 0, packets = 0;

	for (size_t i = 0; i < t->count; i++) {
		times += t->cells[i]->connect_count;
		packets += t->cells[i]->packets_count;
	}
	CLEANUP(free) double *ms = calloc(times + 1, sizeof(*ms));
	CLEANUP(free) double *sent = calloc(packets + 1, sizeof(*sent));
	assert(ms != NULL && sent != NULL);
	times = packets = 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct run_cell *cell = t->cells[i];

		for (size_t k = 0; k < cell->connect_count; k++)
			ms[times++] = cell->connect_ms[k];
		for (size_t k = 0; k < cell->packets_count; k++)
			sent[packets++] = cell->packets[k];
	}
	/* A peer need not say either. */
	if (times > 0)
		buf_printf(out, "connected in %.1f ms (median), %.1f ms (95 %%)",
			   statistics_percentile(ms, times, 0.5),
			   statistics_percentile(ms, times, 0.95));
	if (packets > 0)
		buf_printf(out, "%s%.0f packets (median)", times > 0 ? "; " : "",
			   statistics_percentile(sent, packets, 0.5));
	if (times > 0 || packets > 0)
		buf_puts(out, "\n");
}

void matrix_print_differences(struct run_cell *const *cells, size_t count,
			      const struct style *style, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct run_cell *cell = cells[i];
		const struct suite_point *point = cell->names.point;

		if (!matrix_is_flagged(cell))
			continue;
		buf_printf(out, "%s%s%s: %s with %s over %s", style->bad,
			   statistics_verdict_name(cell->verdict), style->reset, cell->names.nat_a,
			   cell->names.nat_b, cell->names.transport);
		if (point != NULL)
			buf_printf(out, ", %s %s", suite_point_name(point), point->text);
		buf_printf(out, ": %u of %u, interval %.0f to %.0f %%, expected %.0f %%\n",
			   cell->successes, cell->trials, 100 * cell->ci95.low,
			   100 * cell->ci95.high, 100 * cell->expected);
		for (size_t k = 0; k < RUN_REASONS_MAX && cell->reasons[k].count > 0; k++)
			buf_printf(out, "    %u times: %s\n", cell->reasons[k].count,
				   cell->reasons[k].text);
	}
}

/* Why those fail that may: the reasons of the whole table, added up. */
static void print_failures(struct run_cell *const *all, size_t count, struct buf *out)
{
	struct run_cell sum = { 0 };
	unsigned failures = 0, cells = 0;
	bool expected = true;

	for (size_t i = 0; i < count; i++) {
		const struct run_cell *cell = all[i];

		if (matrix_is_flagged(cell) || cell->successes == cell->trials)
			continue;
		cells++;
		expected &= cell->expected >= 0 && cell->verdict == VERDICT_AS_EXPECTED;
		failures += cell->trials - cell->successes;
		for (size_t k = 0; k < RUN_REASONS_MAX && cell->reasons[k].count > 0; k++)
			run_add_reason(&sum, cell->reasons[k].text, cell->reasons[k].count);
	}
	if (cells == 0)
		return;
	const char *noun = all[0]->names.point == NULL ? "pair" : "value";
	buf_printf(out, "%u %s%s did not always connect%s; why (of %u trial%s):\n", cells, noun,
		   cells == 1 ? "" : "s", expected ? ", as expected" : "", failures,
		   failures == 1 ? "" : "s");
	for (size_t k = 0; k < RUN_REASONS_MAX && sum.reasons[k].count > 0; k++)
		buf_printf(out, "  %5u  %s\n", sum.reasons[k].count, sum.reasons[k].text);
}

void matrix_print_notes(struct run_cell *const *cells, size_t count, const struct style *style,
			struct buf *out)
{
	print_failures(cells, count, out);
	matrix_print_differences(cells, count, style, out);
}

/* Less than that only in a run that was interrupted. */
static unsigned most_trials(const struct table *t)
{
	unsigned most = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->cells[i]->trials > most)
			most = t->cells[i]->trials;
	return most;
}

void matrix_print(struct run_cell *cells, size_t count, const struct style *style, struct buf *out)
{
	CLEANUP(free) bool *printed = calloc(count + 1, sizeof(*printed));

	assert(printed != NULL);
	for (size_t i = 0; i < count; i++) {
		const struct suite_cell *names = &cells[i].names;
		struct table t;

		if (printed[i])
			continue;
		table_init(&t, cells, i, count);
		unsigned trials = most_trials(&t);
		for (size_t k = 0; k < t.count; k++)
			printed[t.cells[k] - cells] = true;
		buf_printf(out,
			   "%s%s%s, %s, %s, link %s: connected/expected in %%, of %u trial%s\n",
			   style->bold, strcmp(names->transport, "tcp") == 0 ? "TCP" : "UDP",
			   style->reset, names->strategy, names->topology, names->link, trials,
			   trials == 1 ? "" : "s");
		print_rates(&t, style, out);
		print_cost(&t, out);
		matrix_print_notes(t.cells, t.count, style, out);
		buf_puts(out, "\n");
		table_fini(&t);
	}
}

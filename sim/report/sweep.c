// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The picture is a line from 0 to 100 %: the rate is where its mark is, and around it is the
 * interval in which the true rate lies with 95 %. So two values differ by more than chance if their
 * intervals lie apart, as far as the eye can tell.
 */
#include "sim/report/sweep.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/report/matrix.h"

#define WIDTH    80
#define PLOT_MIN 16
#define PLOT_MAX 51

/* From so many trials on, a tenth of a percent says something. */
#define TRIALS_OF_TENTHS 1000u

/* What each cell of the picture is made of. */
struct glyphs {
	const char *edge, *below, *low, *rate, *high, *above;
};

static const struct glyphs ascii = { "|", "-", "=", "o", "=", "-" };
static const struct glyphs blocks = { "│", "█", "▓", "┃", "░", " " };

struct widths {
	int value, counts, rate, interval, plot;
	int digits; /* of percents, behind the point */
};

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

static struct widths measure(const char *parameter, const char *counts,
			     const struct sweep_line *lines, size_t count)
{
	struct widths w = { .value = (int)strlen(parameter), .counts = (int)strlen(counts) };

	for (size_t i = 0; i < count; i++) {
		w.value = max_int(w.value, (int)strlen(lines[i].value));
		w.counts = max_int(w.counts, (int)strlen(lines[i].counts));
		if (lines[i].trials >= TRIALS_OF_TENTHS)
			w.digits = 1;
	}
	w.rate = 6;
	w.interval = w.digits > 0 ? 10 : 8;
	/* Two columns of a fixed width more, what is between them, and the edges. */
	w.plot = WIDTH - (w.value + w.counts + w.rate + w.interval + 6 + 9 + 6 * 1 + 2);
	w.plot = w.plot < PLOT_MIN ? PLOT_MIN : w.plot > PLOT_MAX ? PLOT_MAX : w.plot;
	return w;
}

static int place(double rate, int width)
{
	return (int)(rate * (width - 1) + 0.5);
}

static void print_plot(const struct sweep_line *line, int width, const struct glyphs *g,
		       struct buf *out)
{
	int low = place(line->ci95.low, width), rate = place(line->rate, width);
	int high = place(line->ci95.high, width);

	buf_puts(out, g->edge);
	for (int i = 0; i < width; i++)
		buf_puts(out, line->trials == 0 ? " "
			      : i == rate       ? g->rate
			      : i < low         ? g->below
			      : i < rate        ? g->low
			      : i <= high       ? g->high
						: g->above);
	buf_puts(out, g->edge);
}

static void print_percent(double rate, int width, int digits, struct buf *out)
{
	if (rate < 0)
		buf_printf(out, " %*s", width, "-");
	else
		buf_printf(out, " %*.*f", width, digits, 100 * rate);
}

static void print_line(const struct sweep_line *line, const struct widths *w,
		       const struct style *style, struct buf *out)
{
	char interval[32] = "-";

	if (line->trials > 0)
		(void)snprintf(interval, sizeof(interval), "%.*f-%.*f", w->digits,
			       100 * line->ci95.low, w->digits, 100 * line->ci95.high);
	buf_printf(out, "%*s %*s%s", w->value, line->value, w->counts, line->counts, line->color);
	print_percent(line->trials == 0 ? -1 : line->rate, w->rate, w->digits, out);
	buf_printf(out, "%s %*s", style->reset, w->interval, interval);
	print_percent(line->expected, 6, w->digits, out);
	if (line->median_ms < 0)
		buf_printf(out, " %9s %s", "-", line->color);
	else
		buf_printf(out, " %9.1f %s", line->median_ms, line->color);
	print_plot(line, w->plot, style->utf8 ? &blocks : &ascii, out);
	buf_printf(out, "%s\n", style->reset);
}

void sweep_print_lines(const char *parameter, const char *counts, const struct sweep_line *lines,
		       size_t count, const struct style *style, struct buf *out)
{
	struct widths w = measure(parameter, counts, lines, count);

	buf_printf(out, "%*s %*s %*s %*s %6s %9s 0 %%%*s\n", w.value, parameter, w.counts, counts,
		   w.rate, "rate %", w.interval, "95 %", "theory", "median ms", w.plot + 2 - 3,
		   "100 %");
	for (size_t i = 0; i < count; i++)
		print_line(&lines[i], &w, style, out);
}

/* ---- the tables of a suite */

static struct sweep_line line_of(struct run_cell *cell, const struct style *style)
{
	struct sweep_line line = {
		.value = cell->names.point->text,
		.trials = cell->trials,
		.ci95 = cell->ci95,
		.expected = cell->expected,
		.median_ms = -1,
		.color = matrix_color(cell, style),
	};

	(void)snprintf(line.counts, sizeof(line.counts), "%u/%u", cell->successes, cell->trials);
	if (cell->trials > 0)
		line.rate = (double)cell->successes / cell->trials;
	if (cell->connect_count > 0)
		line.median_ms = statistics_percentile(cell->connect_ms, cell->connect_count, 0.5);
	return line;
}

static bool same_table(const struct suite_cell *a, const struct suite_cell *b)
{
	return strcmp(a->topology, b->topology) == 0 && strcmp(a->transport, b->transport) == 0 &&
	       strcmp(a->strategy, b->strategy) == 0 && strcmp(a->link, b->link) == 0 &&
	       strcmp(a->nat_a, b->nat_a) == 0 && strcmp(a->nat_b, b->nat_b) == 0;
}

static void print_table(struct run_cell *cells, size_t count, const struct style *style,
			struct buf *out)
{
	const struct suite_cell *names = &cells[0].names;
	CLEANUP(free) struct sweep_line *lines = calloc(count, sizeof(*lines));
	CLEANUP(free) struct run_cell **all = calloc(count, sizeof(struct run_cell *));

	assert(lines != NULL && all != NULL);
	for (size_t i = 0; i < count; i++) {
		all[i] = &cells[i];
		lines[i] = line_of(&cells[i], style);
	}
	buf_printf(out, "%s%s%s, %s, %s, link %s: %s with %s\n", style->bold,
		   strcmp(names->transport, "tcp") == 0 ? "TCP" : "UDP", style->reset,
		   names->strategy, names->topology, names->link, names->nat_a, names->nat_b);
	sweep_print_lines(suite_point_name(names->point), "connected", lines, count, style, out);
	matrix_print_notes(all, count, style, out);
	buf_puts(out, "\n");
}

void sweep_print(struct run_cell *cells, size_t count, const struct style *style, struct buf *out)
{
	for (size_t first = 0, end; first < count; first = end) {
		end = first + 1;
		while (end < count && same_table(&cells[first].names, &cells[end].names))
			end++;
		print_table(&cells[first], end - first, style, out);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A population for a person: a line for each point of its sweep or, without one, for each
 * combination of the suite's other lists; and the pairs at which it loses most.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/report/matrix.h"
#include "sim/report/population.h"
#include "sim/report/sweep.h"

/* Below it a weight is rounding. */
#define WEIGHT_EPSILON 1e-9

static const struct suite_cell *names_of(const struct population *p)
{
	return &p->cells[0]->names;
}

static const char *transport_name(const struct suite_cell *names)
{
	return strcmp(names->transport, "tcp") == 0 ? "TCP" : "UDP";
}

/* What has a table in common. */
static bool same_table(const struct suite_cell *a, const struct suite_cell *b)
{
	if (strcmp(a->topology, b->topology) != 0)
		return false;
	return a->point == NULL ||
	       (strcmp(a->transport, b->transport) == 0 && strcmp(a->strategy, b->strategy) == 0 &&
		strcmp(a->link, b->link) == 0);
}

/* What tells its line from the others of the table. */
static void describe(const struct suite_cell *names, struct buf *out)
{
	if (names->point != NULL)
		buf_puts(out, names->point->text);
	else
		buf_printf(out, "%s, %s, %s", transport_name(names), names->strategy, names->link);
}

static bool is_flagged(const struct population *p)
{
	bool flagged = false;

	for (size_t i = 0; i < p->cells_count; i++)
		flagged |= matrix_is_flagged(p->cells[i]);
	return flagged;
}

static struct sweep_line line_of(const struct population *p, const char *value,
				 const struct style *style)
{
	struct sweep_line line = {
		.value = value,
		.trials = p->trials,
		.rate = p->share,
		.ci95 = p->ci95,
		.expected = p->expected,
		.median_ms = p->median_ms,
		.color = is_flagged(p) ? style->bad : style->good,
	};

	(void)snprintf(line.counts, sizeof(line.counts), "%u", p->trials);
	return line;
}

static void print_worst(const struct population *p, const char *what, struct buf *out)
{
	if (p->worst_count > 0)
		buf_printf(out, "%s: the pairs that lose most, in %% of all pairs:\n", what);
	for (size_t i = 0; i < p->worst_count; i++) {
		const struct population_pair *pair = &p->worst[i];

		buf_printf(out, "  %5.2f of %5.2f  %s and %s\n", 100 * pair->lost,
			   100 * pair->weight, pair->nat_a, pair->nat_b);
	}
}

/* Of a sweep, only those of the value at which most is lost: the first such. */
static void print_all_worst(const struct population *p, size_t count, char *const *values,
			    struct buf *out)
{
	size_t worst = 0;

	for (size_t i = 1; i < count; i++)
		if (p[i].trials > 0 && p[i].share < p[worst].share)
			worst = i;
	for (size_t i = 0; i < count; i++)
		if (names_of(p)->point == NULL || i == worst)
			print_worst(&p[i], values[i], out);
}

static void print_untried(const struct population *p, size_t count, struct buf *out)
{
	double tried = 1;

	for (size_t i = 0; i < count; i++)
		if (p[i].tried < tried)
			tried = p[i].tried;
	if (tried < 1 - WEIGHT_EPSILON)
		buf_printf(out,
			   "Not all pairs were tried: shares are of those that were, %.1f %%.\n",
			   100 * tried);
}

static void print_table(const struct population *p, size_t count, const struct style *style,
			struct buf *out)
{
	const struct suite_cell *names = names_of(p);
	CLEANUP(free) struct sweep_line *lines = calloc(count, sizeof(*lines));
	CLEANUP(free) char **values = calloc(count, sizeof(char *));

	assert(lines != NULL && values != NULL);
	for (size_t i = 0; i < count; i++) {
		struct buf text = BUF_INIT;

		describe(names_of(&p[i]), &text);
		values[i] = buf_steal(&text);
		lines[i] = line_of(&p[i], values[i], style);
	}
	buf_printf(out, "%sPopulation%s, ", style->bold, style->reset);
	if (names->point != NULL)
		buf_printf(out, "%s, %s, ", transport_name(names), names->strategy);
	buf_puts(out, names->topology);
	if (names->point != NULL)
		buf_printf(out, ", link %s", names->link);
	buf_puts(out, ": the share of pairs that connect\n");
	sweep_print_lines(names->point == NULL ? "" : suite_point_name(names->point), "trials",
			  lines, count, style, out);
	print_untried(p, count, out);
	print_all_worst(p, count, values, out);
	for (size_t i = 0; names->point != NULL && i < count; i++)
		matrix_print_differences(p[i].cells, p[i].cells_count, style, out);
	buf_puts(out, "\n");
	for (size_t i = 0; i < count; i++)
		free(values[i]);
}

void population_print(struct run_cell *cells, size_t count, const struct style *style,
		      struct buf *out)
{
	size_t found = 0;
	struct population *populations = population_measure(cells, count, &found);

	for (size_t first = 0, end; first < found; first = end) {
		end = first + 1;
		while (end < found &&
		       same_table(names_of(&populations[first]), names_of(&populations[end])))
			end++;
		print_table(&populations[first], end - first, style, out);
	}
	population_free(populations, found);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/bench/figure.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/statistics.h"

struct summary summary_of(double *values, size_t count)
{
	assert(count > 0);
	double median = statistics_percentile(values, count, 0.5);

	return (struct summary){ median, values[0], values[count - 1], count };
}

void figures_fini(struct figures *f)
{
	free(f->items);
	*f = (struct figures){ 0 };
}

void figures_add(struct figures *f, const struct figure *figure)
{
	f->items = realloc(f->items, (f->count + 1) * sizeof(*f->items));
	assert(f->items != NULL);
	f->items[f->count++] = *figure;
}

static double judged(const struct figure *f)
{
	return f->ratio > 0 ? f->ratio : f->value.median;
}

bool figure_met(const struct figure *f)
{
	bool least = f->aim == AIM_AT_LEAST || f->aim == AIM_BETWEEN;
	bool most = f->aim == AIM_AT_MOST || f->aim == AIM_BETWEEN;

	return (!least || judged(f) >= f->aim_low) && (!most || judged(f) <= f->aim_high);
}

/* ---- for a person */

#define NUMBER_SIZE 24

/* Three digits that mean something. */
static const char *number(double value, char buf[static NUMBER_SIZE])
{
	double size = fabs(value);
	int digits = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;

	(void)snprintf(buf, NUMBER_SIZE, "%.*f", digits, value);
	return buf;
}

static void add_spread(const struct figure *f, struct buf *row)
{
	char least[NUMBER_SIZE], most[NUMBER_SIZE];

	if (f->value.count > 1)
		buf_printf(row, " %7s .. %-5s", number(f->value.least, least),
			   number(f->value.most, most));
	else
		buf_printf(row, "%17s", "");
}

static void add_ratio(const struct figure *f, struct buf *row)
{
	char ratio[NUMBER_SIZE] = "";

	buf_printf(row, "  %5s %-14s  ", f->ratio > 0 ? number(f->ratio, ratio) : "",
		   f->ratio > 0 ? f->ratio_is : "");
}

static void add_aim(const struct figure *f, const struct style *style, struct buf *row)
{
	char low[NUMBER_SIZE], high[NUMBER_SIZE];
	bool met = figure_met(f);

	/* In three digits, of which none is an exponent. */
	(void)snprintf(low, sizeof(low), f->aim_low < 1000 ? "%.3g" : "%.0f", f->aim_low);
	(void)snprintf(high, sizeof(high), f->aim_high < 1000 ? "%.3g" : "%.0f", f->aim_high);
	if (f->aim == AIM_AT_MOST)
		buf_printf(row, "at most %s:", high);
	else if (f->aim == AIM_AT_LEAST)
		buf_printf(row, "at least %s:", low);
	else if (f->aim == AIM_BETWEEN)
		buf_printf(row, "%s to %s:", low, high);
	if (f->aim != AIM_NONE)
		buf_printf(row, " %s%s%s", met ? style->good : style->bad, met ? "met" : "missed",
			   style->reset);
}

static void add_row(const struct figure *f, const char *name, const struct style *style,
		    struct buf *out)
{
	CLEANUP(buf) struct buf row = BUF_INIT;
	char median[NUMBER_SIZE];

	buf_printf(&row, "  %-22s %-22s%6s %-6s", name, f->subject, number(f->value.median, median),
		   f->unit);
	add_spread(f, &row);
	add_ratio(f, &row);
	add_aim(f, style, &row);
	while (row.len > 0 && row.data[row.len - 1] == ' ')
		row.len--;
	buf_add(out, row.data, row.len);
	buf_puts(out, "\n");
}

/* A heading or a name is printed where it is not that of the row above. */
void figures_print(const struct figures *f, size_t first, const struct style *style,
		   struct buf *out)
{
	const char *group = "", *name = "";

	for (size_t i = first; i < f->count; i++) {
		const struct figure *figure = &f->items[i];

		if (strcmp(group, figure->group) != 0) {
			buf_printf(out, "\n%s%s%s\n", style->bold, figure->group, style->reset);
			name = "";
		}
		add_row(figure, strcmp(name, figure->name) != 0 ? figure->name : "", style, out);
		group = figure->group;
		name = figure->name;
	}
}

/* ---- for a program */

static void add_number(json_t *object, const char *key, double value, bool known)
{
	(void)json_object_set_new(object, key, known ? json_real(value) : json_null());
}

static json_t *to_json(const struct figure *f)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:I}", "group", f->group,
				   "name", f->name, "subject", f->subject, "unit", f->unit,
				   "median", f->value.median, "min", f->value.least, "max",
				   f->value.most, "samples", (json_int_t)f->value.count);

	add_number(object, "ratio", f->ratio, f->ratio > 0);
	add_number(object, "at_least", f->aim_low, f->aim == AIM_AT_LEAST || f->aim == AIM_BETWEEN);
	add_number(object, "at_most", f->aim_high, f->aim == AIM_AT_MOST || f->aim == AIM_BETWEEN);
	(void)json_object_set_new(object, "met",
				  f->aim == AIM_NONE ? json_null() : json_boolean(figure_met(f)));
	return object;
}

void figures_to_json(const struct figures *f, struct buf *out)
{
	struct utsname system = { .release = "" };
	json_t *array = json_array();

	(void)uname(&system);
	for (size_t i = 0; i < f->count; i++)
		(void)json_array_append_new(array, to_json(&f->items[i]));
	json_t *root = json_pack("{s:i, s:s, s:s, s:I, s:o}", "format", 1, "natsim", NATSIM_VERSION,
				 "kernel", system.release, "processors",
				 (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "figures", array);
	CLEANUP(free) char *text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	buf_printf(out, "%s\n", text);
}

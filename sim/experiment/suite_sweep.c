// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A sweep's values, as a list or as a range. A value of a range is made a text first, as a person
 * would write it, and then read like any other: so the same value in a list makes the same trials.
 */
#include "peers/core/cross_traffic.h"
#include "sim/experiment/suite_sweep.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/experiment/suite_text.h"
#include "sim/model/nat_model.h"

#define TEXT_MAX     32u
#define DECIMALS_MAX 45

/* A range of whole numbers is made with floating-point ones. */
#define WORD_NUMBER_MAX 1e15

#define TEXT(key, optional)                                                                    \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | (optional), struct suite_sweep_text, \
			       key, 1, TEXT_MAX)

static const struct cyaml_schema_value value_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX),
};

const struct cyaml_schema_field suite_sweep_fields[] = {
	TEXT(parameter, 0),
	CYAML_FIELD_SEQUENCE_COUNT("values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct suite_sweep_text, values.items, values.count,
				   &value_schema, 1, SUITE_POINTS_MAX),
	TEXT(from, CYAML_FLAG_OPTIONAL),
	TEXT(to, CYAML_FLAG_OPTIONAL),
	TEXT(step, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_UINT_PTR("steps", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct suite_sweep_text, steps),
	TEXT(scale, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

/* ---- parameters */

enum kind { DURATION, NUMBER, WHOLE, WORD };

/* In the order of enum suite_parameter. Durations are in microseconds. */
static const struct parameter {
	const char *name;
	enum kind kind;
	double min, max;
} parameters[] = {
	{ "start_skew", DURATION, 0, SUITE_DURATION_MAX_US },
	{ "give_up", DURATION, 1000, SUITE_DURATION_MAX_US },
	{ "delay", DURATION, 0, 60e6 }, /* the bounds of a link are those of links.yaml */
	{ "jitter", DURATION, 0, 60e6 },
	{ "loss", NUMBER, 0, 1 },
	{ "rate", NUMBER, 0.001, 100000 }, /* Mbit/s */
	{ "ports", WHOLE, NAT_PORTS_MIN, UINT16_MAX },
	{ "cross_traffic", WHOLE, 0, CROSS_TRAFFIC_RATE_MAX }, /* flows a second */
	{ "strategy.KEY", WORD, 0, 0 }, /* the strategies know what it can be */
};
#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

const char *suite_point_name(const struct suite_point *p)
{
	return p->key != NULL ? p->key : parameters[p->parameter].name;
}

static int find_parameter(const struct yaml_source *src, const char *name,
			  enum suite_parameter *ret, struct err *e)
{
	CLEANUP(buf) struct buf known = BUF_INIT;

	if (suite_strategy_key(name) != NULL) {
		*ret = SUITE_STRATEGY;
		return 0;
	}
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (parameters[i].kind != WORD && strcmp(parameters[i].name, name) == 0) {
			*ret = (enum suite_parameter)i;
			return 0;
		}
		buf_printf(&known, "%s%s", i == 0 ? "" : ", ", parameters[i].name);
	}
	return yaml_error(src, e, "sweep.parameter", "no parameter \"%s\"; there are: %s", name,
			  buf_text(&known));
}

/* ---- values */

struct reader {
	const struct yaml_source *src;
	const struct parameter *parameter;
	struct err *e;
};

/* A number with its unit, in the parameter's own unit: how much, and how much the unit is. */
struct quantity {
	double value, unit;
	const char *unit_text;
};

static int read_quantity(const struct reader *r, const char *path, const char *text,
			 struct quantity *ret)
{
	struct quantity q = { .unit = 1 };
	double number = 0;

	q.unit_text = suite_take_decimal(text, &number);
	if (r->parameter->kind == DURATION)
		q.unit = q.unit_text == NULL ? 0 : suite_unit_us(number, q.unit_text);
	else if (q.unit_text != NULL && *q.unit_text != '\0')
		q.unit_text = NULL;
	if (q.unit_text == NULL || q.unit == 0)
		return yaml_error(r->src, r->e, path, "\"%s\" is no %s", text,
				  r->parameter->kind == DURATION ? "duration, such as 20ms or 1.5s"
								 : "number without a unit");
	q.value = number * q.unit;
	if (r->parameter->kind >= WHOLE && q.value != floor(q.value))
		return yaml_error(r->src, r->e, path, "%s must be whole, but is %s",
				  r->parameter->name, text);
	uint64_t us;
	if (r->parameter->kind == DURATION && q.value <= SUITE_DURATION_MAX_US) {
		if (!suite_round_us(q.value, &us))
			return yaml_error(r->src, r->e, path,
					  "%s must be whole microseconds, but is %s",
					  r->parameter->name, text);
		q.value = (double)us;
	}
	*ret = q;
	return 0;
}

static int read_value(const struct reader *r, const char *path, const char *text,
		      struct quantity *ret)
{
	const struct parameter *p = r->parameter;
	const char *unit = p->kind == DURATION ? "ms" : "";
	double scale = p->kind == DURATION ? 1e3 : 1;
	int code = read_quantity(r, path, text, ret);

	if (code == 0 && p->kind == WORD)
		return ret->value <= WORD_NUMBER_MAX
			       ? 0
			       : yaml_error(r->src, r->e, path, "%s is more than %.0f", text,
					    WORD_NUMBER_MAX);
	if (code == 0 && !(ret->value >= p->min && ret->value <= p->max))
		return yaml_error(r->src, r->e, path, "%s can be %.9g%s to %.9g%s, but is %s",
				  p->name, p->min / scale, unit, p->max / scale, unit, text);
	return code;
}

/* What does not end a value in a strategy's text. */
static int read_word(const struct reader *r, const char *path, const char *text)
{
	return strcspn(text, ":,= ") == strlen(text)
		       ? 0
		       : yaml_error(r->src, r->e, path, "\"%s\" is no whole number and no word",
				    text);
}

static int add_point(const struct reader *r, const char *path, const char *text,
		     struct suite_sweep *s)
{
	struct quantity q = { 0 };
	bool word = r->parameter->kind == WORD;
	int code = word ? read_word(r, path, text) : read_value(r, path, text, &q);

	if (code < 0)
		return code;
	for (unsigned i = 0; i < s->count; i++)
		if (word ? strcmp(s->points[i].text, text) == 0 : s->points[i].value == q.value)
			return yaml_error(r->src, r->e, path, "%s is there twice: as %s", text,
					  s->points[i].text);
	char *copy = strdup(text);
	assert(copy != NULL && s->count < SUITE_POINTS_MAX);
	s->points[s->count++] = (struct suite_point){
		.parameter = (enum suite_parameter)(r->parameter - parameters),
		.text = copy,
		.value = q.value,
		.key = s->key,
	};
	return 0;
}

/* ---- ranges */

struct range {
	struct quantity from, to, unit; /* unit: in which the values are written */
	double step;
	unsigned count;
	bool divided, log; /* divided: into a number of steps */
};

static int read_scale(const struct reader *r, const struct suite_sweep_text *t, struct range *ret)
{
	ret->log = t->scale != NULL && strcmp(t->scale, "log") == 0;
	if (t->scale != NULL && !ret->log && strcmp(t->scale, "linear") != 0)
		return yaml_error(r->src, r->e, "sweep.scale", "\"%s\" is neither linear nor log",
				  t->scale);
	if (ret->log && t->steps == NULL)
		return yaml_error(r->src, r->e, "sweep.scale",
				  "a log scale needs a number of steps (steps)");
	if (ret->log && ret->from.value <= 0)
		return yaml_error(r->src, r->e, "sweep.from", "a log scale cannot begin at 0");
	return 0;
}

static int read_steps(const struct reader *r, const struct suite_sweep_text *t, struct range *ret)
{
	double length = ret->to.value - ret->from.value;

	if (t->steps != NULL) {
		if (*t->steps < 2 || *t->steps > SUITE_POINTS_MAX)
			return yaml_error(r->src, r->e, "sweep.steps", "%u is not from 2 to %u",
					  *t->steps, SUITE_POINTS_MAX);
		ret->count = *t->steps;
		ret->divided = true;
		ret->step = length / (ret->count - 1);
		ret->unit = ret->from.value > 0 ? ret->from : ret->to;
		return 0;
	}
	int code = read_quantity(r, "sweep.step", t->step, &ret->unit);
	if (code < 0)
		return code;
	ret->step = ret->unit.value;
	if (ret->step <= 0)
		return yaml_error(r->src, r->e, "sweep.step", "a step of 0 leads nowhere");
	/* The last value counts also where rounding puts it a little beyond the end. */
	double steps = floor(length / ret->step + 1e-6);
	if (steps >= SUITE_POINTS_MAX)
		return yaml_error(r->src, r->e, "sweep.step", "more than %u values",
				  SUITE_POINTS_MAX);
	ret->count = (unsigned)steps + 1;
	return 0;
}

/* Four digits of what has any number of them. */
static double rounded(double value)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%.3e", value);
	return strtod(text, NULL);
}

/* The ends, and what is a whole number of steps away, are exact. */
static double range_value(const struct range *range, enum kind kind, unsigned i)
{
	double from = range->from.value, to = range->to.value;

	if (i == 0 || !range->divided)
		return from + i * range->step;
	if (i + 1 == range->count)
		return to;
	double value = rounded(range->log ? from * pow(to / from, (double)i / (range->count - 1))
					  : from + i * range->step);
	return kind == NUMBER ? value : floor(value + 0.5);
}

/* A division can come to more values than there are. */
static int check_division(const struct reader *r, const struct suite_sweep_text *t,
			  const struct range *range)
{
	/* In the order of enum kind. */
	static const char *const nouns[] = { "whole microseconds", "values", "whole values",
					     "whole values" };
	enum kind kind = r->parameter->kind;

	for (unsigned i = 1; range->divided && i < range->count; i++)
		if (!(range_value(range, kind, i) > range_value(range, kind, i - 1)))
			return yaml_error(r->src, r->e, "sweep.steps",
					  "from %s to %s there are not %u %s of at most four "
					  "digits%s",
					  t->from, t->to, range->count, nouns[kind],
					  range->log ? " by equal factors" : "");
	return 0;
}

/* So many decimals that a value has twelve digits, and at least nine: more than a person writes,
 * and fewer than show what is wrong with a sum of binary fractions. */
static int decimals_of(double value)
{
	int decimals = value > 0 ? 11 - (int)floor(log10(value)) : 0;

	return decimals < 9 ? 9 : decimals > DECIMALS_MAX ? DECIMALS_MAX : decimals;
}

/* In the range's unit, without exponent and needless zeros. */
static void format_value(const struct range *range, enum kind kind, unsigned i, struct buf *out)
{
	char text[64];
	double value = range_value(range, kind, i) / range->unit.unit;

	(void)snprintf(text, sizeof(text), "%.*f", kind >= WHOLE ? 0 : decimals_of(value), value);
	size_t len = strlen(text);
	if (strchr(text, '.') != NULL) {
		while (text[len - 1] == '0')
			len--;
		len -= text[len - 1] == '.';
	}
	buf_add(out, text, len);
	buf_puts(out, range->unit.unit_text);
}

static int read_range(const struct reader *r, const struct suite_sweep_text *t,
		      struct suite_sweep *s)
{
	struct range range = { 0 };

	if (t->from == NULL || t->to == NULL)
		return yaml_error(r->src, r->e, "sweep", "a sweep needs values, or from and to");
	if ((t->step == NULL) == (t->steps == NULL))
		return yaml_error(r->src, r->e, "sweep",
				  "a range needs either a step or a number of steps (steps)");
	int code = read_value(r, "sweep.from", t->from, &range.from);
	if (code == 0)
		code = read_value(r, "sweep.to", t->to, &range.to);
	if (code == 0 && range.to.value < range.from.value)
		code = yaml_error(r->src, r->e, "sweep.to", "the range ends before it begins");
	if (code == 0)
		code = read_scale(r, t, &range);
	if (code == 0)
		code = read_steps(r, t, &range);
	if (code == 0)
		code = check_division(r, t, &range);
	for (unsigned i = 0; code == 0 && i < range.count; i++) {
		CLEANUP(buf) struct buf text = BUF_INIT;

		format_value(&range, r->parameter->kind, i, &text);
		code = add_point(r, t->steps != NULL ? "sweep.steps" : "sweep.step",
				 buf_text(&text), s);
	}
	return code;
}

static int read_values(const struct reader *r, const struct suite_sweep_text *t,
		       struct suite_sweep *s)
{
	int code = 0;

	if (t->from != NULL || t->to != NULL || t->step != NULL || t->steps != NULL ||
	    t->scale != NULL)
		return yaml_error(r->src, r->e, "sweep.values",
				  "a sweep has either values or a range");
	for (unsigned i = 0; code == 0 && i < t->values.count; i++)
		code = add_point(r, yaml_path("sweep.values[%u]", i).text, t->values.items[i], s);
	return code;
}

int suite_sweep_read(const struct yaml_source *src, const struct suite_sweep_text *text,
		     struct suite_sweep *ret, struct err *e)
{
	struct suite_sweep s = { .count = 0 };
	enum suite_parameter parameter = SUITE_START_SKEW;
	int code = find_parameter(src, text->parameter, &parameter, e);

	if (code < 0)
		return code;
	const struct reader r = { src, &parameters[parameter], e };
	if (parameter != SUITE_STRATEGY && yaml_has(src, r.parameter->name))
		return yaml_error(src, e, r.parameter->name, "the sweep sets this too");
	s.key = parameter == SUITE_STRATEGY ? strdup(text->parameter) : NULL;
	assert(parameter != SUITE_STRATEGY || s.key != NULL);
	s.points = calloc(SUITE_POINTS_MAX, sizeof(*s.points));
	assert(s.points != NULL);
	code = text->values.count > 0 ? read_values(&r, text, &s) : read_range(&r, text, &s);
	if (code < 0)
		suite_sweep_fini(&s);
	else
		*ret = s;
	return code;
}

void suite_sweep_fini(struct suite_sweep *s)
{
	for (unsigned i = 0; i < s->count; i++)
		free(s->points[i].text);
	free(s->points);
	free(s->key);
	*s = (struct suite_sweep){ .count = 0 };
}

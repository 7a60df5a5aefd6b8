// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/measurements.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/cleanup.h"
#include "sim/report/card.h"
#include "sim/report/style.h"

/* The model's own name: of its file, if it was given by that. */
struct name {
	const char *text;
	int len;
};

static struct name name_of(const char *given)
{
	const char *slash = strrchr(given, '/');
	const char *text = slash == NULL ? given : slash + 1;
	size_t len = strlen(text), suffix = strlen(".yaml");

	if (len > suffix && strcmp(text + len - suffix, ".yaml") == 0)
		len -= suffix;
	return (struct name){ text, (int)len };
}

static const char *transport_name(const struct measurement *m)
{
	return m->tcp ? "tcp" : "udp";
}

/* "sequential +1" */
static void format_ports(const struct measure_behavior *b, struct buf *out)
{
	buf_puts(out, b->ports);
	if (b->step != 0)
		buf_printf(out, " %+d", b->step);
}

static void cell(const char *text, int width, bool agrees, const struct style *style,
		 struct buf *out)
{
	buf_printf(out, "%s%-*s%s ", agrees ? "" : style->bad, width, text,
		   agrees ? "" : style->reset);
}

static void print_line(const struct measurement *m, struct name name, int width,
		       const struct style *style, struct buf *out)
{
	CLEANUP(buf) struct buf ports = BUF_INIT;
	bool agrees = measurement_agrees(m);

	buf_printf(out, "%-*.*s %-4s ", width, name.len, name.text, transport_name(m));
	if (!m->complete) {
		buf_printf(out, "%snot measured: %s%s\n", style->bad, m->reason, style->reset);
		return;
	}
	format_ports(&m->measured, &ports);
	cell(m->measured.mapping, 26, measurement_mapping_agrees(m), style, out);
	cell(m->measured.filtering, 26, measurement_filtering_agrees(m), style, out);
	cell(buf_text(&ports), 13, measurement_ports_agree(m), style, out);
	buf_printf(out, "%s%s%s\n", agrees ? style->good : style->bad,
		   agrees ? "as declared" : "DIFFERS", style->reset);
}

void measurements_print(const struct measurement *m, size_t count, const char *const *names,
			struct buf *out)
{
	struct style style = style_for(STDOUT_FILENO);
	int width = (int)strlen("MODEL");

	for (size_t i = 0; i < count; i++) {
		struct name name = name_of(names[m[i].model]);

		width = name.len > width ? name.len : width;
	}
	buf_printf(out, "%s%-*s      %-26s %-26s PORTS%s\n", style.bold, width, "MODEL", "MAPPING",
		   "FILTERING", style.reset);
	for (size_t i = 0; i < count; i++)
		print_line(&m[i], name_of(names[m[i].model]), width, &style, out);
	measurements_print_differences(m, count, names, out);
}

static void differs(const struct measurement *m, struct name name, const char *what,
		    const char *measured, const char *declared, struct buf *out)
{
	buf_printf(out, "%.*s over %s: %s measured as %s, declared as %s\n", name.len, name.text,
		   transport_name(m), what, measured, declared);
}

void measurements_print_differences(const struct measurement *m, size_t count,
				    const char *const *names, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		struct name name = name_of(names[m[i].model]);
		CLEANUP(buf) struct buf measured = BUF_INIT;
		CLEANUP(buf) struct buf declared = BUF_INIT;

		if (!m[i].complete) {
			buf_printf(out, "%.*s over %s: not measured: %s\n", name.len, name.text,
				   transport_name(&m[i]), m[i].reason);
			continue;
		}
		if (!measurement_mapping_agrees(&m[i]))
			differs(&m[i], name, "mapping", m[i].measured.mapping,
				m[i].declared.mapping, out);
		if (!measurement_filtering_agrees(&m[i]))
			differs(&m[i], name, "filtering", m[i].measured.filtering,
				m[i].declared.filtering, out);
		format_ports(&m[i].measured, &measured);
		format_ports(&m[i].declared, &declared);
		if (!measurement_ports_agree(&m[i]))
			differs(&m[i], name, "port choice", buf_text(&measured),
				buf_text(&declared), out);
	}
}

static json_t *behavior_to_json(const struct measure_behavior *b)
{
	return json_pack("{s:s, s:s, s:s, s:i}", "mapping", b->mapping, "filtering", b->filtering,
			 "ports", b->ports, "step", b->step);
}

static json_t *measurement_to_json(const struct measurement *m)
{
	json_t *object = json_pack("{s:b, s:o}", "as_declared", measurement_agrees(m), "declared",
				   behavior_to_json(&m->declared));

	if (m->complete)
		(void)json_object_set_new(object, "measured", behavior_to_json(&m->measured));
	else
		(void)json_object_set_new(object, "reason", json_string(m->reason));
	return object;
}

static void add_observed(json_t *object, const struct nat_model *m, const struct observations *seen)
{
	json_t *aspects = card_aspects_to_json(m, seen);
	json_int_t missing = 0;

	for (size_t i = 0; i < json_array_size(aspects); i++)
		missing += json_is_null(json_object_get(json_array_get(aspects, i), "as_declared"));
	(void)json_object_set_new(object, "observed", aspects);
	(void)json_object_set_new(object, "not_observed", json_integer(missing));
}

void measurements_to_json(const struct measurements *m, const struct nat_model *models,
			  size_t count, bool card, struct buf *out)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct measurement *both = &m->items[2 * i];
		json_t *object = json_pack("{s:s, s:o, s:o}", "model", models[i].name, "udp",
					   measurement_to_json(&both[0]), "tcp",
					   measurement_to_json(&both[1]));

		if (m->observed != NULL)
			add_observed(object, &models[i], &m->observed[i]);
		if (card)
			(void)json_object_set_new(object, "card",
						  card_to_json(&models[i], both, &m->observed[i]));
		(void)json_array_append_new(array, object);
	}
	CLEANUP(free) char *text = json_dumps(array, JSON_INDENT(2));
	json_decref(array);
	buf_printf(out, "%s\n", text);
}

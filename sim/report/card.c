// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/card.h"

#include <string.h>
#include <unistd.h>

#include "sim/report/style.h"

static void print_not_observed(const char *name, const struct aspect *aspects, size_t count,
			       size_t missing, struct buf *out)
{
	const char *before = " ";

	buf_printf(out, "%s: %zu of %zu not observed:", name, missing, count);
	for (size_t i = 0; i < count; i++) {
		if (aspects[i].agreement != ASPECT_NOT_OBSERVED)
			continue;
		buf_printf(out, "%s%s", before, aspects[i].name);
		before = "; ";
	}
	buf_puts(out, "\n");
}

bool card_print_differences(const char *name, const struct nat_model *m,
			    const struct observations *seen, struct buf *out)
{
	struct aspect aspects[ASPECTS_MAX];
	size_t count = conformance_aspects(m, seen, aspects), differ = 0, missing = 0;

	for (size_t i = 0; i < count; i++) {
		missing += aspects[i].agreement == ASPECT_NOT_OBSERVED;
		if (aspects[i].agreement != ASPECT_DIFFERS)
			continue;
		buf_printf(out, "%s: %s observed as %s, declared as %s\n", name, aspects[i].name,
			   aspects[i].observed, aspects[i].declared);
		differ++;
	}
	if (missing > 0)
		print_not_observed(name, aspects, count, missing, out);
	return differ + missing == 0;
}

static const char *colour(const struct style *style, enum conformance result)
{
	switch (result) {
	case CONFORMANCE_MET:
		return style->good;
	case CONFORMANCE_NOT_MET:
		return style->bad;
	case CONFORMANCE_NOT_APPLICABLE:
	case CONFORMANCE_NOT_MEASURED:
		break;
	}
	return style->dim;
}

static void print_totals(const struct requirement *r, size_t count, struct buf *out)
{
	unsigned totals[CONFORMANCE_NOT_MEASURED + 1] = { 0 };

	for (size_t i = 0; i < count; i++)
		totals[r[i].result]++;
	buf_printf(out, "\n%u met, %u not met, %u not applicable, %u not measured\n",
		   totals[CONFORMANCE_MET], totals[CONFORMANCE_NOT_MET],
		   totals[CONFORMANCE_NOT_APPLICABLE], totals[CONFORMANCE_NOT_MEASURED]);
}

void card_print(const struct nat_model *m, const struct measurement measured[static 2],
		const struct observations *seen, struct buf *out)
{
	struct style style = style_for(STDOUT_FILENO);
	struct requirement r[REQUIREMENTS_MAX];
	size_t count = conformance_card(m, measured, seen, r);
	const char *rfc = "";

	buf_printf(out, "%s%s%s: %s\n", style.bold, m->name, style.reset, m->about);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rfc, r[i].rfc) != 0)
			buf_printf(out, "\n%s%s%s\n", style.bold, r[i].rfc, style.reset);
		rfc = r[i].rfc;
		buf_printf(out, "  %-8s %-10s %s%-15s%s %s\n", r[i].id, r[i].level,
			   colour(&style, r[i].result), conformance_name(r[i].result), style.reset,
			   r[i].text);
		buf_printf(out, "  %35s %s%s%s\n", "", style.dim, r[i].detail, style.reset);
	}
	print_totals(r, count, out);
}

json_t *card_aspects_to_json(const struct nat_model *m, const struct observations *seen)
{
	struct aspect aspects[ASPECTS_MAX];
	size_t count = conformance_aspects(m, seen, aspects);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *agrees = aspects[i].agreement == ASPECT_NOT_OBSERVED
					 ? json_null()
					 : json_boolean(aspects[i].agreement == ASPECT_AGREES);

		(void)json_array_append_new(
			array, json_pack("{s:s, s:s, s:s, s:o}", "aspect", aspects[i].name,
					 "declared", aspects[i].declared, "observed",
					 aspects[i].observed, "as_declared", agrees));
	}
	return array;
}

json_t *card_to_json(const struct nat_model *m, const struct measurement measured[static 2],
		     const struct observations *seen)
{
	struct requirement r[REQUIREMENTS_MAX];
	size_t count = conformance_card(m, measured, seen, r);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "rfc", r[i].rfc, "id", r[i].id,
				  "level", r[i].level, "requirement", r[i].text, "result",
				  conformance_name(r[i].result), "detail", r[i].detail));
	return array;
}

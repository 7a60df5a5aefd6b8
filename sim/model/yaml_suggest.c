// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/yaml_suggest.h"

#include <string.h>

/* A key further than this many edits from what was written is not worth suggesting. */
#define SUGGEST_EDITS_MAX 2u

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The Levenshtein distance of two short words; of long ones, more than anyone would suggest. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[33];
	size_t len = strlen(b);

	if (len >= sizeof(row) / sizeof(row[0]))
		return SUGGEST_EDITS_MAX + 1;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t above = row[j + 1];
			size_t changed = diagonal + (a[i] != b[j]);

			row[j + 1] = min_size(changed, min_size(above, row[j]) + 1);
			diagonal = above;
		}
	}
	return row[len];
}

const char *yaml_suggest_key(const struct cyaml_schema_field *fields, const char *word)
{
	size_t best = SUGGEST_EDITS_MAX + 1;
	const char *key = NULL;

	for (; fields->key != NULL; fields++) {
		size_t distance = edit_distance(word, fields->key);

		/* Half of a short word being wrong is no resemblance. */
		if (distance < best && 2 * distance < strlen(fields->key)) {
			best = distance;
			key = fields->key;
		}
	}
	return key;
}

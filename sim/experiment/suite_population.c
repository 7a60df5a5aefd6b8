// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/suite_population.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "sim/experiment/suite_text.h"
#include "sim/model/yaml_map.h"

/* Percents, or how many there are in a country. */
#define WEIGHT_MAX 1e12

static int read_weight(const struct yaml_source *src, const struct yaml_map_entry *entry,
		       double *ret, struct err *e)
{
	double weight = 0;
	const char *end = suite_take_decimal(entry->value, &weight);

	if (end == NULL || *end != '\0' || !(weight > 0 && weight <= WEIGHT_MAX))
		return err_set_input_at(e, src->file, entry->line, entry->column,
					"\"%.60s\" is no weight, which is a number above 0",
					entry->value);
	*ret = weight;
	return 0;
}

int suite_population_read(const struct yaml_source *src, struct suite_names *ret_models,
			  double **ret_shares, struct err *e)
{
	CLEANUP(yaml_map) struct yaml_map map = { .count = 0 };
	int code = yaml_map_read(src, "population", &map, e);
	double sum = 0;

	if (code < 0)
		return code;
	if (map.count == 0)
		return yaml_error(src, e, "population", "a population needs a model");
	CLEANUP(free) double *shares = calloc(map.count, sizeof(*shares));
	assert(shares != NULL);
	for (size_t i = 0; code == 0 && i < map.count; i++) {
		code = read_weight(src, &map.entries[i], &shares[i], e);
		sum += shares[i];
	}
	if (code < 0)
		return code;
	struct suite_names models = { calloc(map.count, sizeof(char *)), 0 };
	assert(models.items != NULL);
	for (; models.count < map.count; models.count++) {
		shares[models.count] /= sum;
		models.items[models.count] = steal_ptr(&map.entries[models.count].key);
	}
	*ret_models = models;
	*ret_shares = steal_ptr(&shares);
	return 0;
}

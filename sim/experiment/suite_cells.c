// SPDX-License-Identifier: GPL-2.0-or-later
/* What a suite's lists multiply to, and which of it the user wants. */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment/suite.h"

struct suite_cell *suite_cells(const struct suite *s, size_t *ret_count)
{
	const struct suite_names *lists[] = { &s->topologies, &s->links,  &s->strategies,
					      &s->transports, &s->nats_a, &s->nats_b };
	size_t points = s->sweep.count > 0 ? s->sweep.count : 1, total = points;

	for (size_t i = 0; i < 6; i++)
		total *= lists[i]->count;
	struct suite_cell *cells = calloc(total + 1, sizeof(*cells));
	assert(cells != NULL);
	for (size_t n = 0; n < total; n++) {
		const char *names[6];
		size_t index[6];
		size_t rest = n / points;

		for (size_t i = 6; i-- > 0; rest /= lists[i]->count) {
			index[i] = rest % lists[i]->count;
			names[i] = lists[i]->items[index[i]];
		}
		cells[n] = (struct suite_cell){ .topology = names[0],
						.link = names[1],
						.strategy = names[2],
						.transport = names[3],
						.nat_a = names[4],
						.nat_b = names[5] };
		if (s->shares != NULL)
			cells[n].weight = s->shares[index[4]] * s->shares[index[5]];
		if (s->sweep.count > 0)
			cells[n].point = &s->sweep.points[n % points];
	}
	*ret_count = total;
	return cells;
}

/* The value of a key as in summary.json, or NULL. */
static const char *cell_value(const struct suite_cell *cell, const char *key, size_t len)
{
	const struct {
		const char *key, *value;
	} table[] = {
		{ "topology", cell->topology },
		{ "nat_a", cell->nat_a },
		{ "nat_b", cell->nat_b },
		{ "transport", cell->transport },
		{ "strategy", cell->strategy },
		{ "link", cell->link },
		{ "sweep", cell->point == NULL ? NULL : cell->point->text },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].key) == len && strncmp(table[i].key, key, len) == 0)
			return table[i].value;
	return NULL;
}

/* One KEY=VALUE of the filter, up to its comma. */
struct term {
	const char *key, *value;
	size_t key_len, value_len;
};

static bool next_term(const char **filter, struct term *ret)
{
	if (**filter == '\0')
		return false;
	size_t len = strcspn(*filter, ",");
	const char *equals = memchr(*filter, '=', len);

	ret->key = *filter;
	ret->key_len = equals == NULL ? len : (size_t)(equals - *filter);
	ret->value = equals == NULL ? *filter + len : equals + 1;
	ret->value_len = len - ret->key_len - (equals != NULL);
	*filter += len + ((*filter)[len] == ',');
	return true;
}

/* For each key that the filter names, one of the values it gives must be the cell's. */
static bool cell_matches(const struct suite_cell *cell, const char *filter)
{
	struct term term, other;

	for (const char *rest = filter; next_term(&rest, &term);) {
		const char *value = cell_value(cell, term.key, term.key_len);
		bool matched = false;

		for (const char *again = filter; next_term(&again, &other);)
			if (other.key_len == term.key_len &&
			    memcmp(other.key, term.key, term.key_len) == 0 &&
			    strlen(value) == other.value_len &&
			    memcmp(value, other.value, other.value_len) == 0)
				matched = true;
		if (!matched)
			return false;
	}
	return true;
}

int suite_filter(const char *filter, struct suite_cell *cells, size_t *count, struct err *e)
{
	size_t kept = 0;
	struct term term;

	for (const char *rest = filter; *count > 0 && next_term(&rest, &term);)
		if (cell_value(&cells[0], term.key, term.key_len) == NULL || term.value_len == 0)
			return err_set_input(
				e,
				"--only %s: \"%.*s\" is not KEY=VALUE with a key of topology, "
				"nat_a, nat_b, transport, strategy, link%s",
				filter, (int)(term.value + term.value_len - term.key), term.key,
				cells[0].point == NULL ? "" : ", sweep");
	for (size_t i = 0; i < *count; i++)
		if (cell_matches(&cells[i], filter))
			cells[kept++] = cells[i];
	if (kept == 0)
		return err_set_input(e, "--only %s: no cell of the suite matches", filter);
	*count = kept;
	return 0;
}

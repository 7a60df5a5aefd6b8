// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/population.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

static bool same_population(const struct suite_cell *a, const struct suite_cell *b)
{
	return a->point == b->point && strcmp(a->topology, b->topology) == 0 &&
	       strcmp(a->transport, b->transport) == 0 && strcmp(a->strategy, b->strategy) == 0 &&
	       strcmp(a->link, b->link) == 0;
}

/* ---- the share */

static void measure_share(struct population *p)
{
	CLEANUP(free) struct stratum *strata = calloc(p->cells_count, sizeof(*strata));
	size_t count = 0;
	double sum = 0, expected = 0;
	bool theory = true;

	assert(strata != NULL);
	p->ci95 = (struct interval){ 0, 1 };
	p->expected = -1;
	for (size_t i = 0; i < p->cells_count; i++) {
		const struct run_cell *cell = p->cells[i];
		double weight = cell->names.weight;

		if (cell->trials == 0)
			continue;
		strata[count++] = (struct stratum){ weight, cell->successes, cell->trials };
		p->trials += cell->trials;
		p->tried += weight;
		sum += weight * cell->successes / cell->trials;
		expected += weight * cell->expected;
		theory &= cell->expected >= 0;
	}
	if (count == 0)
		return;
	p->share = sum / p->tried;
	p->ci95 = statistics_stratified(strata, count);
	if (theory)
		p->expected = expected / p->tried;
}

/* Each time counts as much as the part of the population that its trial stands for. */
static void measure_median(struct population *p)
{
	size_t count = 0;

	p->median_ms = -1;
	for (size_t i = 0; i < p->cells_count; i++)
		count += p->cells[i]->connect_count;
	if (count == 0)
		return;
	CLEANUP(free) struct weighted *times = calloc(count, sizeof(*times));
	assert(times != NULL);
	count = 0;
	for (size_t i = 0; i < p->cells_count; i++) {
		const struct run_cell *cell = p->cells[i];

		for (size_t k = 0; k < cell->connect_count; k++)
			times[count++] = (struct weighted){ cell->connect_ms[k],
							    cell->names.weight / cell->trials };
	}
	p->median_ms = statistics_weighted_percentile(times, count, 0.5);
}

/* ---- the pairs */

static int compare_names(const void *a, const void *b)
{
	const struct population_pair *x = a, *y = b;
	int order = strcmp(x->nat_a, y->nat_a);

	return order != 0 ? order : strcmp(x->nat_b, y->nat_b);
}

static int compare_lost(const void *a, const void *b)
{
	const struct population_pair *x = a, *y = b;

	if (x->lost != y->lost)
		return x->lost > y->lost ? -1 : 1;
	return compare_names(a, b);
}

static struct population_pair pair_of(const struct run_cell *cell)
{
	const char *a = cell->names.nat_a, *b = cell->names.nat_b;
	bool swap = strcmp(a, b) > 0;

	return (struct population_pair){
		.nat_a = swap ? b : a,
		.nat_b = swap ? a : b,
		.weight = cell->names.weight,
		.lost = cell->names.weight * (cell->trials - cell->successes) / cell->trials,
	};
}

static void find_worst(struct population *p)
{
	CLEANUP(free) struct population_pair *pairs = calloc(p->cells_count, sizeof(*pairs));
	size_t count = 0, merged = 0;

	assert(pairs != NULL);
	for (size_t i = 0; i < p->cells_count; i++)
		if (p->cells[i]->trials > 0)
			pairs[count++] = pair_of(p->cells[i]);
	if (count == 0)
		return;
	qsort(pairs, count, sizeof(*pairs), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (compare_names(&pairs[merged], &pairs[i]) != 0) {
			pairs[++merged] = pairs[i];
			continue;
		}
		pairs[merged].weight += pairs[i].weight;
		pairs[merged].lost += pairs[i].lost;
	}
	qsort(pairs, merged + 1, sizeof(*pairs), compare_lost);
	while (p->worst_count <= merged && p->worst_count < POPULATION_WORST_MAX &&
	       pairs[p->worst_count].lost > 0) {
		p->worst[p->worst_count] = pairs[p->worst_count];
		p->worst_count++;
	}
}

/* ---- all of them */

static struct population *population_of(struct population *populations, size_t *count,
					const struct suite_cell *names)
{
	for (size_t i = 0; i < *count; i++)
		if (same_population(&populations[i].cells[0]->names, names))
			return &populations[i];
	return &populations[(*count)++];
}

struct population *population_measure(struct run_cell *cells, size_t count, size_t *ret_count)
{
	struct population *populations = calloc(count + 1, sizeof(*populations));
	size_t found = 0;

	assert(populations != NULL);
	for (size_t i = 0; i < count; i++) {
		struct population *p = population_of(populations, &found, &cells[i].names);

		/* A power of two is when the room is used up. */
		if ((p->cells_count & (p->cells_count - 1)) == 0) {
			size_t size = p->cells_count == 0 ? 1 : 2 * p->cells_count;

			p->cells = realloc(p->cells, size * sizeof(struct run_cell *));
			assert(p->cells != NULL);
		}
		p->cells[p->cells_count++] = &cells[i];
	}
	for (size_t i = 0; i < found; i++) {
		measure_share(&populations[i]);
		measure_median(&populations[i]);
		find_worst(&populations[i]);
	}
	*ret_count = found;
	return populations;
}

void population_free(struct population *populations, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(populations[i].cells);
	free(populations);
}

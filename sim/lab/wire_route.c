// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/wire_route.h"

#include <assert.h>
#include <stdlib.h>

/* A longer prefix has the greater mask. */
static int by_length(const void *a, const void *b)
{
	uint32_t mask_a = ((const struct wire_route *)a)->mask;
	uint32_t mask_b = ((const struct wire_route *)b)->mask;

	return mask_a < mask_b ? 1 : mask_a > mask_b ? -1 : 0;
}

void wire_routes_init(struct wire_routes *routes, const struct plan *plan)
{
	*routes = (struct wire_routes){ .count = plan->routes_count };
	if (routes->count == 0)
		return;
	routes->items = calloc(routes->count, sizeof(*routes->items));
	assert(routes->items != NULL);
	for (size_t i = 0; i < routes->count; i++) {
		const struct plan_route *r = &plan->routes[i];
		uint32_t mask = prefix_mask(r->prefix);

		assert(r->port < plan->ports_count);
		routes->items[i] = (struct wire_route){ r->prefix.addr & mask, mask, r->port };
	}
	qsort(routes->items, routes->count, sizeof(*routes->items), by_length);
}

void wire_routes_fini(struct wire_routes *routes)
{
	free(routes->items);
	*routes = (struct wire_routes){ 0 };
}

/* A lab has some ten routes: walking them is faster than a trie. */
unsigned wire_routes_find(const struct wire_routes *routes, uint32_t addr)
{
	for (size_t i = 0; i < routes->count; i++)
		if ((addr & routes->items[i].mask) == routes->items[i].network)
			return routes->items[i].port;
	return WIRE_NO_PORT;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire's routing table: which port a destination is behind. Longest prefix wins. */
#ifndef NATSIM_SIM_LAB_WIRE_ROUTE_H
#define NATSIM_SIM_LAB_WIRE_ROUTE_H

#include <stdint.h>

#include "sim/model/plan.h"

#define WIRE_NO_PORT UINT32_MAX

struct wire_route {
	uint32_t network, mask;
	unsigned port;
};

struct wire_routes {
	struct wire_route *items; /* longest prefix first */
	size_t count;
};

void wire_routes_init(struct wire_routes *routes, const struct plan *plan);
void wire_routes_fini(struct wire_routes *routes);

/* The port towards addr, or WIRE_NO_PORT. */
unsigned wire_routes_find(const struct wire_routes *routes, uint32_t addr);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections that a router translates, as a table for a person. */
#ifndef NATSIM_SIM_REPORT_NAT_TABLE_H
#define NATSIM_SIM_REPORT_NAT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "sim/lab/conntrack.h"

/* Appends the table of the entries, in their order. One begun from outside shows the inside host
 * under FROM HOST too, and is marked. */
void nat_table_print(const char *router, uint32_t router_addr,
		     const struct conntrack_entry *entries, size_t count, struct buf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host behind a router sees of it with the tests of RFC 5780. That is not always what the
 * router does: one that shares ports between destinations (RFC 4787, section 4.2.1) and preserves
 * them looks endpoint-independent until two hosts clash.
 */
#ifndef NATSIM_SIM_MODEL_NAT_SEEN_H
#define NATSIM_SIM_MODEL_NAT_SEEN_H

#include "sim/model/nat_model.h"

#define NAT_SEEN_BLOCKED "blocked"

struct nat_seen {
	/* NAT_SEEN_BLOCKED in all three: nothing gets through. */
	const char *mapping, *filtering;
	const char *ports; /* NULL: it depends on the inside port */
	int step;          /* of sequential ports; else 0 */
};

struct nat_seen nat_seen_as(const struct nat_model *m, enum nat_transport t);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two hosts with nothing between them but the wire, or the kernel of the node "internet" in its
 * place; and a router, if one is asked for.
 */
#ifndef NATSIM_SIM_BENCH_SITES_H
#define NATSIM_SIM_BENCH_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "sim/experiment/catalog.h"
#include "sim/lab/nodes.h"
#include "sim/lab/wire.h"
#include "sim/model/plan.h"

enum site { SITE_FROM, SITE_TO, SITES };

#define SITE_PORT 9000u /* where SITE_TO listens */

struct sites {
	struct topology topology;
	struct plan plan;
	struct nodes nodes;
	struct wire *wire;               /* NULL: none at work */
	unsigned index[SITES], internet; /* of the plan's nodes */
	const struct link_profile *links[SITES];
};

/* SITE_FROM is behind a router of that model, or (NULL) straight on the Internet. The sites stay
 * where they are until sites_close(), and so does the model. Nothing forwards between them yet. */
int sites_open(const struct catalog *c, const struct nat_model *router, struct sites *sites,
	       struct err *e);
void sites_close(struct sites *sites); /* of zeroed ones, too */
static inline void sites_cleanup(struct sites *sites)
{
	sites_close(sites);
}

/* Has the wire forward, over the link up (or NULL: an ideal one) from SITE_FROM; or the kernel. One
 * ends the other. */
int sites_use_wire(struct sites *sites, const struct link_profile *up, struct err *e);
int sites_use_kernel(struct sites *sites, struct err *e);

/* A socket (SOCK_DGRAM or SOCK_STREAM) in SITE_FROM that is connected to SITE_PORT of SITE_TO, and
 * one in SITE_TO that is bound to it. */
int sites_connect(const struct sites *sites, int type, int *ret_fd, struct err *e);
int sites_bind(const struct sites *sites, int type, int *ret_fd, struct err *e);

#endif

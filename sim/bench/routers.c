// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processor that sends a packet also carries it through every namespace up to the receiver's
 * socket, since a veth hands it on at once. So what a router takes for a packet lowers what is
 * sent, beside a fixed share for sending and for being routed twice; a router that only routes
 * shows how large that share is.
 */
#include <assert.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/masquerade.h"
#include "sim/bench/sites.h"
#include "sim/bench/traffic.h"

/* Short ones, so that whatever else the machine does meanwhile is shared by all. */
#define ROUNDS   13u
#define ROUND_US 100000u

/* What the others are compared with comes first; "open" is the one that only routes. */
static const char *const models[] = {
	NULL, /* masquerade_model() */
	"open",    "eim-eif",  "eim-adf",  "eim-apdf", "adm-eif",
	"adm-adf", "adm-apdf", "apdm-eif", "apdm-adf", "apdm-apdf",
};

#define SUBJECTS (sizeof(models) / sizeof(models[0]))

static const char *subject(size_t i)
{
	return models[i] == NULL ? MASQUERADE_NAME : models[i];
}

/* All zero before it is opened. */
struct router {
	struct nat_model model;
	struct sites sites;
	double rates_kpkt_s[ROUNDS];
};

struct routers {
	struct router *items; /* heap; SUBJECTS of them */
};

static void routers_cleanup(struct routers *r)
{
	for (size_t i = 0; i < SUBJECTS; i++) {
		sites_close(&r->items[i].sites);
		nat_model_fini(&r->items[i].model);
	}
	free(r->items);
}

static int open_router(const struct catalog *c, const char *model, struct router *r, struct err *e)
{
	int rc = model == NULL ? masquerade_model(&r->model, e)
			       : catalog_nat(c, model, &r->model, e);

	if (rc == 0)
		rc = sites_open(c, &r->model, &r->sites, e);
	return rc < 0 ? rc : sites_use_kernel(&r->sites, e);
}

static int measure(struct router *r, unsigned round, struct err *e)
{
	return traffic_packets(&r->sites, ROUND_US, &r->rates_kpkt_s[round], e);
}

static void add(struct bench *b, struct routers *r)
{
	double masquerade_kpkt_s = 0;

	for (size_t i = 0; i < SUBJECTS; i++) {
		struct figure f = { .group = "What a router forwards of a flow it knows, against a "
					     "router of " MASQUERADE_NAME,
				    .name = TRAFFIC_PACKETS,
				    .subject = subject(i),
				    .unit = "kpkt/s",
				    .value = summary_of(r->items[i].rates_kpkt_s, ROUNDS) };

		if (i == 0) {
			masquerade_kpkt_s = f.value.median;
		} else {
			f.ratio = f.value.median / masquerade_kpkt_s;
			f.ratio_is = "times as much";
		}
		figures_add(&b->figures, &f);
	}
}

int bench_routers(struct bench *b, struct err *e)
{
	CLEANUP(routers) struct routers r = { calloc(SUBJECTS, sizeof(*r.items)) };
	int rc = 0;

	assert(r.items != NULL);
	for (size_t i = 0; rc == 0 && i < SUBJECTS; i++) {
		rc = open_router(b->catalog, models[i], &r.items[i], e);
		if (rc == 0)
			rc = measure(&r.items[i], 0, e); /* to warm up; it is written over */
		if (rc < 0)
			err_prefix(e, "the router \"%s\"", subject(i));
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t i = 0; rc == 0 && i < SUBJECTS; i++)
			rc = measure(&r.items[i], round, e);
	if (rc == 0)
		add(b, &r);
	return rc;
}

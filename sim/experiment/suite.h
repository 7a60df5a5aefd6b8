/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A suite: what to try, how often, and what to expect; read from YAML. docs/suites.md lists the
 * keys. The product of its lists, in their order, is the list of cells.
 */
#ifndef NATSIM_SIM_EXPERIMENT_SUITE_H
#define NATSIM_SIM_EXPERIMENT_SUITE_H

#include <stdint.h>

#include "lib/err.h"

struct suite_names {
	char **items;
	unsigned count;
};

enum suite_expect { SUITE_EXPECT_THEORY, SUITE_EXPECT_RATE, SUITE_EXPECT_NOTHING };

#define SUITE_TRIALS_MAX 1000000u
#define SUITE_CELLS_MAX  100000u

struct suite {
	char *about;
	struct suite_names topologies, nats_a, nats_b, transports, strategies, links;
	unsigned trials;
	uint64_t start_skew_us; /* one side starts later by a uniform share of this */
	uint64_t give_up_us;
	enum suite_expect expect;
	double expect_rate;      /* SUITE_EXPECT_RATE */
	struct suite_names peer; /* the command to run as a peer; empty: natsim's own */
};

int suite_parse(const char *file, const char *data, size_t len, struct suite *ret, struct err *e);
void suite_fini(struct suite *s);
static inline void suite_cleanup(struct suite *s)
{
	suite_fini(s);
}

/* Refuses a suite, read from this text, whose peer is no program that can be executed. */
int suite_check_peer(const struct suite *s, const char *file, const char *data, size_t len,
		     struct err *e);

/* One cell, by names that the suite owns. */
struct suite_cell {
	const char *topology, *nat_a, *nat_b, *transport, *strategy, *link;
};

/* The cells in order, on the heap. */
struct suite_cell *suite_cells(const struct suite *s, size_t *ret_count);

/*
 * Keeps the cells that match filter, "KEY=VALUE,...", with the keys as in summary.json (topology,
 * nat_a, nat_b, transport, strategy, link). A key given twice matches either value.
 */
int suite_filter(const char *filter, struct suite_cell *cells, size_t *count, struct err *e);

#endif

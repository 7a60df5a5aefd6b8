/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A suite: what to try, how often, and what to expect; read from YAML. docs/suites.md lists the
 * keys. The product of its lists, in their order, is the list of cells.
 */
#ifndef NATSIM_SIM_EXPERIMENT_SUITE_H
#define NATSIM_SIM_EXPERIMENT_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "sim/experiment/contract.h"

struct suite_names {
	char **items;
	unsigned count;
};

enum suite_expect { SUITE_EXPECT_THEORY, SUITE_EXPECT_RATE, SUITE_EXPECT_NOTHING };

/* What a sweep can go through. */
enum suite_parameter {
	SUITE_START_SKEW, /* microseconds, as all durations */
	SUITE_GIVE_UP,
	SUITE_DELAY, /* one way, of each site's link in each direction; the same for these: */
	SUITE_JITTER,
	SUITE_LOSS,          /* a probability */
	SUITE_RATE,          /* Mbit/s */
	SUITE_PORTS,         /* how many the routers' ranges have, from their first on */
	SUITE_CROSS_TRAFFIC, /* flows a second that another host behind each router opens */
	SUITE_STRATEGY,      /* a parameter that all the strategies have */
};

/* One value of a sweep. */
struct suite_point {
	enum suite_parameter parameter;
	char *text;      /* as in the file: "20ms" */
	double value;    /* SUITE_STRATEGY: 0, for the text says it */
	const char *key; /* SUITE_STRATEGY: "strategy.KEY", which the sweep owns; else NULL */
};
const char *suite_point_name(const struct suite_point *p);

struct suite_sweep {
	struct suite_point *points;
	unsigned count; /* 0: there is no sweep */
	char *key;      /* or NULL */
};

#define SUITE_POINTS_MAX 1000u
#define SUITE_TRIALS_MAX 1000000u
#define SUITE_CELLS_MAX  100000u

struct suite {
	char *about;
	struct suite_names topologies, nats_a, nats_b, transports, strategies, links;
	unsigned trials;
	uint64_t start_skew_us; /* one side starts later by a uniform share of this */
	uint64_t give_up_us;
	uint64_t cross_traffic; /* flows a second that something beside each peer opens */
	enum suite_expect expect;
	double expect_rate;      /* SUITE_EXPECT_RATE */
	struct suite_names peer; /* the command to run as a peer; empty: natsim's own */
	struct suite_sweep sweep;
	double *shares; /* of a population, of the models of nats_a, which nats_b are too; or NULL
			 */
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

struct catalog;
struct link_profile;
struct nat_model;

/* Refuses a suite, read from this text, that names a file or link that is not there. */
int suite_check_names(const struct suite *s, const struct catalog *c, const char *file,
		      const char *data, size_t len, struct err *e);

/* Refuses it if one of its cells that match the filter (or NULL) has a model that the twin cannot
 * run. */
int suite_check_twin_models(const struct suite *s, const struct catalog *c, const char *filter,
			    const char *file, const char *data, size_t len, struct err *e);

/* Refuses a suite, read from this text, with a sweep that its links or models cannot follow. */
int suite_check_sweep(const struct suite *s, const struct catalog *c, const char *file,
		      const char *data, size_t len, struct err *e);

/* Refuses a suite, read from this text, of which the twin can do nothing. */
int suite_check_twin(const struct suite *s, const char *file, const char *data, size_t len,
		     struct err *e);

/* One cell, by names that the suite owns. */
struct suite_cell {
	const char *topology, *nat_a, *nat_b, *transport, *strategy, *link;
	const struct suite_point *point; /* NULL: the suite has no sweep */
	double weight;                   /* its share of a population's pairs; 0: there is none */
};

/* The strategy as a peer is told it, with what the point gives it. */
struct suite_strategy {
	char text[CONTRACT_TEXT_MAX + 1];
};
struct suite_strategy suite_strategy(const char *strategy, const struct suite_point *point);

/* The cells in order, on the heap. */
struct suite_cell *suite_cells(const struct suite *s, size_t *ret_count);

/* What a trial of a cell is told: as the suite says, but for what its point changes. */
struct suite_settings {
	uint64_t start_skew_us, give_up_us;
	uint64_t cross_traffic; /* flows a second */
};
struct suite_settings suite_settings(const struct suite *s, const struct suite_point *point);

/* What a point changes in a lab. NULL is allowed, and changes nothing. */
bool suite_point_needs_lab(const struct suite_point *p);
void suite_point_set_link(const struct suite_point *p, struct link_profile *link);
/* Leaves alone a model that has no ports of its own. Fails, with the reason, if the model cannot be
 * with such a range. */
int suite_point_set_model(const struct suite_point *p, struct nat_model *m, struct err *e);

/*
 * Keeps the cells that match filter, "KEY=VALUE,...", with the keys as in summary.json (topology,
 * nat_a, nat_b, transport, strategy, link, sweep). A key given twice matches either value.
 */
int suite_filter(const char *filter, struct suite_cell *cells, size_t *count, struct err *e);

#endif

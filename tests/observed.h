/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routers as either world observes them, from the models that natsim comes with or from text. */
#ifndef NATSIM_TESTS_OBSERVED_H
#define NATSIM_TESTS_OBSERVED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/conformance.h"
#include "sim/experiment/measure.h"
#include "tests/natsim_run.h"

/* The project's own files, and the programs of the build folder. */
static inline void observed_catalog(struct catalog *ret)
{
	struct err e = { 0 };

	(void)setenv("NATSIM_DATA", ".", 0);
	assert_int_equal(catalog_open(ret, &e), 0);
	free(ret->peer);
	free(ret->rendezvous);
	ret->peer = built("peer");
	ret->rendezvous = built("rendezvous");
}

static inline struct measurements observed_in(enum run_world world, const struct catalog *c,
					      const char *const *models, size_t count,
					      uint64_t seed)
{
	struct measurements results = { .items = NULL };
	struct err e = { 0 };
	int signal = 0;
	struct measure_config config = {
		.catalog = c,
		.world = world,
		.observes = true,
		.models = models,
		.models_count = count,
		.workers = world == RUN_IN_LAB ? 80 : 2,
		.seed = seed,
	};

	if (measure_run(&config, &results, &signal, &e) != 0)
		fail_msg("%s", e.text);
	return results;
}

#endif

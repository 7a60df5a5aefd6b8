/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key "sweep" of a suite, for suite.c alone. */
#ifndef NATSIM_SIM_EXPERIMENT_SUITE_SWEEP_H
#define NATSIM_SIM_EXPERIMENT_SUITE_SWEEP_H

#include "sim/experiment/suite.h"
#include "sim/model/yaml.h"

/* As the file says it. */
struct suite_sweep_text {
	char *parameter;
	struct suite_names values;
	char *from, *to, *step, *scale;
	unsigned *steps; /* NULL: not given */
};

extern const struct cyaml_schema_field suite_sweep_fields[];

int suite_sweep_read(const struct yaml_source *src, const struct suite_sweep_text *text,
		     struct suite_sweep *ret, struct err *e);
/* KEY of "strategy.KEY", or NULL. */
const char *suite_strategy_key(const char *parameter);

/* Whether the strategies are there, and can follow the sweep. */
int suite_check_strategies(const struct yaml_source *src, const struct suite *s, struct err *e);

void suite_sweep_fini(struct suite_sweep *s);

#endif

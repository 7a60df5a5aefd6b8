/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key "population" of a suite, for suite.c alone. */
#ifndef NATSIM_SIM_EXPERIMENT_SUITE_POPULATION_H
#define NATSIM_SIM_EXPERIMENT_SUITE_POPULATION_H

#include "sim/experiment/suite.h"
#include "sim/model/yaml.h"

/* The models, and a share for each, which add up to 1; both on the heap. */
int suite_population_read(const struct yaml_source *src, struct suite_names *ret_models,
			  double **ret_shares, struct err *e);

#endif

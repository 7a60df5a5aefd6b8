/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the values of a NAT model can be, and which cannot go together. */
#ifndef NATSIM_SIM_MODEL_NAT_MODEL_CHECK_H
#define NATSIM_SIM_MODEL_NAT_MODEL_CHECK_H

#include "sim/model/nat_model.h"
#include "sim/model/yaml.h"

/* Fails with -EINVAL and the place in src of the value that cannot be. */
int nat_model_check(const struct yaml_source *src, const struct nat_model *m, struct err *e);

#endif

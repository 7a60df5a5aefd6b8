/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which keys of a NAT model's file have no effect beside others: whoever wrote them would wait for
 * it in vain. */
#ifndef NATSIM_SIM_MODEL_NAT_MODEL_UNUSED_H
#define NATSIM_SIM_MODEL_NAT_MODEL_UNUSED_H

#include "sim/model/nat_model.h"
#include "sim/model/yaml.h"

/* Fails with -EINVAL and the place in src of a key without effect. */
int nat_model_unused(const struct yaml_source *src, const struct nat_model *m, struct err *e);

#endif

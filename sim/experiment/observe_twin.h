/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What natsim sees of a router of the twin from both sides of it, as observe.h says of a lab's. */
#ifndef NATSIM_SIM_EXPERIMENT_OBSERVE_TWIN_H
#define NATSIM_SIM_EXPERIMENT_OBSERVE_TWIN_H

#include "sim/experiment/observe.h"

/* Virtual time costs nothing, so lifetimes are the model's own. Refuses what the twin cannot do, as
 * twin_open. */
int observe_in_twin(const struct stage *stage, uint64_t seed, struct observations *ret,
		    struct err *e);

#endif

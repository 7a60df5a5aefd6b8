/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What theory says of a pair of routers and a strategy, to be held against what was measured. */
#ifndef NATSIM_SIM_MODEL_ORACLE_H
#define NATSIM_SIM_MODEL_ORACLE_H

#include "sim/model/nat_model.h"

/* The probability in [0, 1] that the strategy connects peers behind a and b, or a negative
 * number where there is no theory: for a strategy or transport it does not know, and where delays
 * decide. transport is "udp" or "tcp". */
double oracle_rate(const struct nat_model *a, const struct nat_model *b, const char *transport,
		   const char *strategy);

#endif

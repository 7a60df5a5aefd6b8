/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule for "predict", as those in oracle_punch.h. */
#ifndef NATSIM_SIM_MODEL_ORACLE_PREDICT_H
#define NATSIM_SIM_MODEL_ORACLE_PREDICT_H

#include "sim/model/oracle_punch.h"

double oracle_predict(const struct oracle_pair *p);

#endif

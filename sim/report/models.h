/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a NAT model says, for people and for programs. */
#ifndef NATSIM_SIM_REPORT_MODELS_H
#define NATSIM_SIM_REPORT_MODELS_H

#include <jansson.h>

#include "lib/buf.h"
#include "sim/model/nat_model.h"
#include "sim/report/style.h"

/* A table of models, a line each, or two if the transports differ; * is what nobody knows. */
void models_print(const struct nat_model *models, size_t count, const struct style *style,
		  struct buf *out);

/* The same as the rows of nat_models/README.md. */
void models_print_markdown(const struct nat_model *models, size_t count, struct buf *out);

/* All of one model; what nobody knows is marked so. */
void model_print(const struct nat_model *m, struct buf *out);

/* As in the model's file: nothing of what the router does not have. What nobody knows is listed
 * under "unknown", in the part for the transport it is of. The caller owns it. */
json_t *model_to_json(const struct nat_model *m);

#endif

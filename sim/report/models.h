/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a NAT model says, for people and for programs. */
#ifndef NATSIM_SIM_REPORT_MODELS_H
#define NATSIM_SIM_REPORT_MODELS_H

#include <jansson.h>

#include "lib/buf.h"
#include "sim/model/nat_model.h"

/* A table of models, a line each. */
void models_print_head(struct buf *out);
void models_print_line(const struct nat_model *m, struct buf *out);

/* The same as the rows of nat_models/README.md. */
void models_print_markdown(const struct nat_model *models, size_t count, struct buf *out);

/* All of one model; what nobody knows is marked so. */
void model_print(const struct nat_model *m, struct buf *out);

/* As in the model's file: nothing of what the router does not have. The caller owns it. */
json_t *model_to_json(const struct nat_model *m);

#endif

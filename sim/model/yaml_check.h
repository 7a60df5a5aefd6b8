/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds a parsed YAML document against a libcyaml schema before libcyaml reads it. libcyaml would
 * find the same mistakes, but it does not say where a key is missing, what keys or words it would
 * have taken, or that a key is there twice; and it takes any word for a boolean.
 */
#ifndef NATSIM_SIM_MODEL_YAML_CHECK_H
#define NATSIM_SIM_MODEL_YAML_CHECK_H

#include <yaml.h>

#include "sim/model/yaml.h"

/* Returns 0, or sets e to the first mistake in the order of the text. */
int yaml_check(const struct yaml_source *src, yaml_document_t *document,
	       const struct cyaml_schema_value *schema, struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "did you mean ...?" */
#ifndef NATSIM_SIM_MODEL_YAML_SUGGEST_H
#define NATSIM_SIM_MODEL_YAML_SUGGEST_H

#include <cyaml/cyaml.h>

/* The one of the fields' keys that the word resembles, or NULL. */
const char *yaml_suggest_key(const struct cyaml_schema_field *fields, const char *word);

#endif

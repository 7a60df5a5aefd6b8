/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a text is YAML as we use it, whatever it says. */
#ifndef NATSIM_SIM_MODEL_YAML_TEXT_H
#define NATSIM_SIM_MODEL_YAML_TEXT_H

#include <yaml.h>

#include "sim/model/yaml.h"

/* UTF-8 without control characters, of at most YAML_SIZE_MAX bytes. */
int yaml_check_text(const struct yaml_source *src, struct err *e);

/* One document, at most YAML_DEPTH_MAX deep, without anchors, aliases and tags. */
int yaml_check_events(const struct yaml_source *src, struct err *e);

/* Starts a parser of the text, to be ended with yaml_parser_delete. */
void yaml_parser_open(yaml_parser_t *parser, const struct yaml_source *src);

#endif

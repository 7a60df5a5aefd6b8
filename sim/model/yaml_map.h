/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group of keys that the user makes up, which no schema can name: in the schema such a key is a
 * CYAML_FIELD_IGNORE. */
#ifndef NATSIM_SIM_MODEL_YAML_MAP_H
#define NATSIM_SIM_MODEL_YAML_MAP_H

#include "sim/model/yaml.h"

struct yaml_map_entry {
	char *key, *value;
	size_t key_line, key_column; /* counted from 1 */
	size_t line, column;         /* of the value */
};

struct yaml_map {
	struct yaml_map_entry *entries; /* in the order of the file */
	size_t count;
};

/* Reads what the top of the text has under key, which must be there. Each key in it is a word and
 * there once, each value a single one. The text must be one that yaml_load took. */
int yaml_map_read(const struct yaml_source *src, const char *key, struct yaml_map *ret,
		  struct err *e);
void yaml_map_fini(struct yaml_map *m);
static inline void yaml_map_cleanup(struct yaml_map *m)
{
	yaml_map_fini(m);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML to structs through libcyaml, with errors a person can act on: one line, file:line:col: what.
 *
 * A file is one document of plain UTF-8 text of at most YAML_SIZE_MAX bytes. Anchors, aliases, tags
 * and duplicate keys are refused: our files need none, and what they mean is easily mistaken.
 */
#ifndef NATSIM_SIM_MODEL_YAML_H
#define NATSIM_SIM_MODEL_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include <cyaml/cyaml.h>

#include "lib/err.h"

#define YAML_SIZE_MAX  (256u * 1024u)
#define YAML_DEPTH_MAX 16u

/* A YAML text. file is its name in errors; nothing is opened. */
struct yaml_source {
	const char *file;
	const char *data;
	size_t len;
};

/*
 * Reads the text into structs as schema says. The top of the schema is a CYAML_MAPPING or a
 * CYAML_SEQUENCE, with CYAML_FLAG_POINTER; for a sequence *ret_count is its number of entries, else
 * ret_count is NULL. On success *ret goes to yaml_unload, with the same schema and count; it is
 * NULL for a list of no entries and for a mapping in which nothing is required and nothing is
 * given.
 */
int yaml_load(const struct yaml_source *src, const struct cyaml_schema_value *schema, void **ret,
	      unsigned *ret_count, struct err *e);

/* NULL is allowed. count is 0 for a mapping. (libyaml has a yaml_free of its own.) */
void yaml_unload(const struct cyaml_schema_value *schema, void *data, unsigned count);

/*
 * Sets e to "file:line:col: what", at the place of a value: path names it as in
 * "routers[1].ports.range", "[2].name", or "" for the whole document. Where the path leads nowhere
 * (an optional key that is not there), the place is that of its last part that exists. The text
 * must be one that yaml_load took. Returns -EINVAL.
 */
int yaml_error(const struct yaml_source *src, struct err *e, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Whether the path leads to a value. The text must be one that yaml_load took. */
bool yaml_has(const struct yaml_source *src, const char *path);

/* The name of what the file describes: its own, without directory and ".yaml". Fails unless that is
 * 1 to size - 1 characters long. */
int yaml_source_name(const struct yaml_source *src, char *ret, size_t size, struct err *e);

/* A path with numbers in it, as in yaml_path("routers[%u].name", i).text. */
struct yaml_path {
	char text[128];
};
struct yaml_path yaml_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A text goes through four sieves, each of which needs the one before:
 *
 *	1. it is text: UTF-8 without control characters, and not too long (yaml_text.c);
 *	2. it is YAML as we use it: one document, not too deep, no anchors, aliases or tags (the
 *same);
 *	3. it is what the schema describes (yaml_check.c);
 *	4. libcyaml makes structs of it.
 *
 * Whatever gets past the third and is refused by the fourth is reported in libcyaml's own words.
 */
#include "sim/model/yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/cleanup.h"
#include "sim/model/yaml_check.h"
#include "sim/model/yaml_text.h"

int yaml_source_name(const struct yaml_source *src, char *ret, size_t size, struct err *e)
{
	const char *slash = strrchr(src->file, '/');
	const char *base = slash == NULL ? src->file : slash + 1;
	const char *dot = strrchr(base, '.');
	size_t len = dot != NULL && strcmp(dot, ".yaml") == 0 ? (size_t)(dot - base) : strlen(base);

	if (len == 0 || len >= size)
		return err_set_input_at(e, src->file, 0, 0,
					"a file's name has 1 to %zu characters before .yaml",
					size - 1);
	memcpy(ret, base, len);
	ret[len] = '\0';
	return 0;
}

/* ---- the schema, and places */

/* Loads what yaml_check_events took. Returns false, with nothing to delete, if it cannot be. */
static bool document_load(const struct yaml_source *src, yaml_document_t *ret)
{
	yaml_parser_t parser;

	yaml_parser_open(&parser, src);
	bool ok = yaml_parser_load(&parser, ret) == 1;
	yaml_parser_delete(&parser);
	if (!ok)
		return false;
	if (yaml_document_get_root_node(ret) == NULL) {
		yaml_document_delete(ret);
		return false;
	}
	return true;
}

static int check_schema(const struct yaml_source *src, const struct cyaml_schema_value *schema,
			struct err *e)
{
	yaml_document_t document;

	if (!document_load(src, &document))
		return err_set_input_at(e, src->file, 0, 0, "the file cannot be read as YAML");
	int r = yaml_check(src, &document, schema, e);
	yaml_document_delete(&document);
	return r;
}

/* The value of the key (len characters of it) in a mapping, or NULL. */
static yaml_node_t *mapping_get(yaml_document_t *document, const yaml_node_t *node, const char *key,
				size_t len)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++) {
		const yaml_node_t *k = yaml_document_get_node(document, p->key);

		if (k->type == YAML_SCALAR_NODE && k->data.scalar.length == len &&
		    memcmp(k->data.scalar.value, key, len) == 0)
			return yaml_document_get_node(document, p->value);
	}
	return NULL;
}

static yaml_node_t *sequence_get(yaml_document_t *document, const yaml_node_t *node, size_t index)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;

	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - items);

	return index < count ? yaml_document_get_node(document, items[index]) : NULL;
}

/* Follows path as far as it leads, to the place in *ret. Returns false if that is not its end. */
static bool find_mark(yaml_document_t *document, const char *path, yaml_mark_t *ret)
{
	yaml_node_t *node = yaml_document_get_root_node(document);

	*ret = node->start_mark;
	while (node != NULL && *path != '\0') {
		if (*path == '[') {
			char *end = NULL;
			size_t index = strtoul(path + 1, &end, 10);

			assert(*end == ']');
			node = sequence_get(document, node, index);
			path = end + 1;
		} else {
			size_t len = strcspn(path += *path == '.', ".[");

			node = mapping_get(document, node, path, len);
			path += len;
		}
		if (node != NULL)
			*ret = node->start_mark;
	}
	return node != NULL;
}

/* False if the last key of the path is nowhere in the text, which is found out sooner than where it
 * is. Where there are escapes it may be spelt in other ways. */
static bool may_have(const struct yaml_source *src, const char *path)
{
	const char *dot = strrchr(path, '.'), *key = dot == NULL ? path : dot + 1;

	return strchr(key, '[') != NULL || memchr(src->data, '\\', src->len) != NULL ||
	       memmem(src->data, src->len, key, strlen(key)) != NULL;
}

bool yaml_has(const struct yaml_source *src, const char *path)
{
	yaml_document_t document;
	yaml_mark_t mark;

	if (!may_have(src, path) || !document_load(src, &document))
		return false;
	bool found = find_mark(&document, path, &mark);
	yaml_document_delete(&document);
	return found;
}

struct yaml_path yaml_path(const char *fmt, ...)
{
	struct yaml_path path;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(path.text, sizeof(path.text), fmt, ap);
	va_end(ap);
	return path;
}

int yaml_error(const struct yaml_source *src, struct err *e, const char *path, const char *fmt, ...)
{
	struct err what;
	yaml_document_t document;
	yaml_mark_t mark;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what.text, sizeof(what.text), fmt, ap);
	va_end(ap);
	if (!document_load(src, &document))
		return err_set_input_at(e, src->file, 0, 0, "%s", what.text);
	(void)find_mark(&document, path, &mark);
	yaml_document_delete(&document);
	return err_set_input_at(e, src->file, mark.line + 1, mark.column + 1, "%s", what.text);
}

/* ---- structs */

/* Keeps the first error libcyaml logs; what follows is its way back to the top. */
__attribute__((format(printf, 3, 0))) static void keep_first_error(cyaml_log_t level, void *ctx,
								   const char *fmt, va_list args)
{
	struct err *first = ctx;

	if (level != CYAML_LOG_ERROR || first->text[0] != '\0')
		return;
	(void)vsnprintf(first->text, sizeof(first->text), fmt, args);
	first->text[strcspn(first->text, "\n")] = '\0';
}

static struct cyaml_config make_config(struct err *first)
{
	return (struct cyaml_config){
		.log_fn = keep_first_error,
		.log_ctx = first,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

int yaml_load(const struct yaml_source *src, const struct cyaml_schema_value *schema, void **ret,
	      unsigned *ret_count, struct err *e)
{
	struct err first = { .text = "" };
	struct cyaml_config config = make_config(&first);
	void *data = NULL;
	unsigned count = 0;
	bool list = schema->type == CYAML_SEQUENCE;
	int r;

	assert(list == (ret_count != NULL));
	r = yaml_check_text(src, e);
	if (r == 0)
		r = yaml_check_events(src, e);
	if (r == 0)
		r = check_schema(src, schema, e);
	if (r < 0)
		return r;

	cyaml_err_t status = cyaml_load_data((const uint8_t *)src->data, src->len, &config, schema,
					     &data, list ? &count : NULL);
	if (status != CYAML_OK)
		return err_set_input_at(e, src->file, 0, 0, "%s",
					first.text[0] != '\0' ? first.text
							      : cyaml_strerror(status));
	if (list)
		*ret_count = count;
	*ret = data;
	return 0;
}

void yaml_unload(const struct cyaml_schema_value *schema, void *data, unsigned count)
{
	struct err first = { .text = "" };
	struct cyaml_config config = make_config(&first);

	(void)cyaml_free(&config, schema, data, count);
}

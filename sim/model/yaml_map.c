// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/yaml_map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model/yaml_text.h"

struct reader {
	const struct yaml_source *src;
	yaml_document_t *document;
	struct err *e;
};

#define FAIL(r, node, ...)                                                     \
	err_set_input_at((r)->e, (r)->src->file, (node)->start_mark.line + 1u, \
			 (node)->start_mark.column + 1u, __VA_ARGS__)

/* The text of a node that is a single value without NUL characters, or NULL. */
static const char *text_of(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)
		return NULL;
	const char *text = (const char *)node->data.scalar.value;
	return strlen(text) == node->data.scalar.length ? text : NULL;
}

static char *copy(const char *text)
{
	char *copied = strdup(text);

	assert(copied != NULL);
	return copied;
}

static int read_entry(const struct reader *r, const yaml_node_pair_t *pair, struct yaml_map *m)
{
	yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
	yaml_node_t *value = yaml_document_get_node(r->document, pair->value);

	if (text_of(key) == NULL)
		return FAIL(r, key, "a key must be a word");
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->entries[i].key, text_of(key)) == 0)
			return FAIL(r, key, "key \"%.60s\" is here twice", text_of(key));
	if (text_of(value) == NULL)
		return FAIL(r, value, "%.60s must have a single value", text_of(key));
	m->entries[m->count++] = (struct yaml_map_entry){
		.key = copy(text_of(key)),
		.value = copy(text_of(value)),
		.key_line = key->start_mark.line + 1u,
		.key_column = key->start_mark.column + 1u,
		.line = value->start_mark.line + 1u,
		.column = value->start_mark.column + 1u,
	};
	return 0;
}

static int read_mapping(const struct reader *r, const char *name, const yaml_node_t *node,
			struct yaml_map *m)
{
	if (node->type != YAML_MAPPING_NODE)
		return FAIL(r, node, "%s must be a group of keys (\"key: value\")", name);
	const yaml_node_pair_t *start = node->data.mapping.pairs.start;
	const yaml_node_pair_t *end = node->data.mapping.pairs.top;
	int code = 0;

	m->entries = calloc((size_t)(end - start) + 1, sizeof(*m->entries));
	assert(m->entries != NULL);
	for (const yaml_node_pair_t *p = start; code == 0 && p < end; p++)
		code = read_entry(r, p, m);
	return code;
}

static const yaml_node_t *find(yaml_document_t *document, const char *key)
{
	const yaml_node_t *root = yaml_document_get_root_node(document);

	assert(root->type == YAML_MAPPING_NODE);
	for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
	     p < root->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(document, p->key);

		if (text_of(k) != NULL && strcmp(text_of(k), key) == 0)
			return yaml_document_get_node(document, p->value);
	}
	return NULL;
}

int yaml_map_read(const struct yaml_source *src, const char *key, struct yaml_map *ret,
		  struct err *e)
{
	struct yaml_map m = { .count = 0 };
	yaml_document_t document;
	yaml_parser_t parser;

	yaml_parser_open(&parser, src);
	bool ok = yaml_parser_load(&parser, &document) == 1;
	yaml_parser_delete(&parser);
	assert(ok);
	const struct reader r = { src, &document, e };
	const yaml_node_t *node = find(&document, key);
	assert(node != NULL);
	int code = read_mapping(&r, key, node, &m);
	yaml_document_delete(&document);
	if (code < 0)
		yaml_map_fini(&m);
	else
		*ret = m;
	return code;
}

void yaml_map_fini(struct yaml_map *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->entries[i].key);
		free(m->entries[i].value);
	}
	free(m->entries);
	*m = (struct yaml_map){ .count = 0 };
}

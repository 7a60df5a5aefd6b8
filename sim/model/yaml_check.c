// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/yaml_check.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/model/yaml_suggest.h"

struct check {
	const struct yaml_source *src;
	yaml_document_t *document;
	struct err *e;
};

#define FAIL(c, node, ...)                                                     \
	err_set_input_at((c)->e, (c)->src->file, (node)->start_mark.line + 1u, \
			 (node)->start_mark.column + 1u, __VA_ARGS__)

static int check_value(struct check *c, const char *name, yaml_node_t *node,
		       const struct cyaml_schema_value *schema);

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static const char *kind_of(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_MAPPING_NODE:
		return "a group of keys";
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_SCALAR_NODE:
		return node->data.scalar.length == 0 ? "empty" : "a single value";
	case YAML_NO_NODE:
		break;
	}
	return "nothing";
}

static int fail_unknown_key(struct check *c, const yaml_node_t *node,
			    const struct cyaml_schema_field *fields)
{
	const char *nearest = yaml_suggest_key(fields, text_of(node));
	CLEANUP(buf) struct buf known = BUF_INIT;

	if (nearest != NULL)
		return FAIL(c, node, "unknown key \"%.60s\"; did you mean \"%s\"?", text_of(node),
			    nearest);
	for (; fields->key != NULL; fields++)
		buf_printf(&known, "%s%s", known.len == 0 ? "" : ", ", fields->key);
	return FAIL(c, node, "unknown key \"%.60s\"; known here: %s", text_of(node),
		    buf_text(&known));
}

static const struct cyaml_schema_field *find_field(const struct cyaml_schema_field *fields,
						   const char *key)
{
	for (; fields->key != NULL; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

/* The pair of mapping node before end whose key is the word, or NULL. */
static const yaml_node_pair_t *find_pair(struct check *c, const yaml_node_t *node,
					 const yaml_node_pair_t *end, const char *word)
{
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < end; p++) {
		yaml_node_t *key = yaml_document_get_node(c->document, p->key);

		if (key->type == YAML_SCALAR_NODE && strcmp(text_of(key), word) == 0)
			return p;
	}
	return NULL;
}

static int check_pair(struct check *c, const yaml_node_t *node, const yaml_node_pair_t *pair,
		      const struct cyaml_schema_field *fields)
{
	yaml_node_t *key = yaml_document_get_node(c->document, pair->key);

	if (key->type != YAML_SCALAR_NODE)
		return FAIL(c, key, "a key must be a word, but this is %s", kind_of(key));

	const struct cyaml_schema_field *field = find_field(fields, text_of(key));

	if (field == NULL)
		return fail_unknown_key(c, key, fields);
	if (find_pair(c, node, pair, text_of(key)) != NULL)
		return FAIL(c, key, "key \"%s\" is here twice", field->key);
	return check_value(c, field->key, yaml_document_get_node(c->document, pair->value),
			   &field->value);
}

static int check_mapping(struct check *c, const char *name, yaml_node_t *node,
			 const struct cyaml_schema_value *schema)
{
	if (node->type != YAML_MAPPING_NODE)
		return FAIL(c, node, "%s must be a group of keys (\"key: value\"), but is %s", name,
			    kind_of(node));

	const yaml_node_pair_t *end = node->data.mapping.pairs.top;

	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < end; p++) {
		int r = check_pair(c, node, p, schema->mapping.fields);

		if (r < 0)
			return r;
	}
	for (const struct cyaml_schema_field *f = schema->mapping.fields; f->key != NULL; f++)
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) && !find_pair(c, node, end, f->key))
			return FAIL(c, node, "key \"%s\" is missing in %s", f->key, name);
	return 0;
}

static int check_sequence(struct check *c, const char *name, yaml_node_t *node,
			  const struct cyaml_schema_value *schema)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return FAIL(c, node, "%s must be a list, but is %s", name, kind_of(node));

	const yaml_node_item_t *start = node->data.sequence.items.start;
	const yaml_node_item_t *end = node->data.sequence.items.top;
	size_t count = (size_t)(end - start);

	if (count < schema->sequence.min)
		return FAIL(c, node, "%s has %zu entries, %u is the least", name, count,
			    (unsigned)schema->sequence.min);
	if (count > schema->sequence.max)
		return FAIL(c, node, "%s has %zu entries, %u is the most", name, count,
			    (unsigned)schema->sequence.max);
	for (const yaml_node_item_t *item = start; item < end; item++) {
		yaml_node_t *entry = yaml_document_get_node(c->document, *item);
		int r = check_value(c, name, entry, schema->sequence.entry);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Plain decimal only: libcyaml alone would read 010 as eight. */
static bool is_decimal(const char *text, bool sign)
{
	if (sign && text[0] == '-')
		text++;
	if (text[0] == '0' && text[1] != '\0')
		return false;
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static int check_uint(struct check *c, const char *name, const yaml_node_t *node,
		      const struct cyaml_schema_value *schema)
{
	unsigned long long max = UINT64_MAX >> (64 - 8 * schema->data_size);

	if (!is_decimal(text_of(node), false))
		return FAIL(c, node, "%s must be a whole number, but is \"%.60s\"", name,
			    text_of(node));
	errno = 0;
	if (strtoull(text_of(node), NULL, 10) > max || errno != 0)
		return FAIL(c, node, "%s is %.60s, but can be %llu at most", name, text_of(node),
			    max);
	return 0;
}

static int check_int(struct check *c, const char *name, const yaml_node_t *node,
		     const struct cyaml_schema_value *schema)
{
	long long max = INT64_MAX >> (64 - 8 * schema->data_size);

	if (!is_decimal(text_of(node), true))
		return FAIL(c, node, "%s must be a whole number, but is \"%.60s\"", name,
			    text_of(node));
	errno = 0;
	long long value = strtoll(text_of(node), NULL, 10);
	if (value > max || value < -max - 1 || errno != 0)
		return FAIL(c, node, "%s is %.60s, but can be %lld to %lld", name, text_of(node),
			    -max - 1, max);
	return 0;
}

static int check_float(struct check *c, const char *name, const yaml_node_t *node)
{
	char *end = NULL;
	double value = strtod(text_of(node), &end);

	if (*end != '\0' || !isfinite(value) || strpbrk(text_of(node), "xX") != NULL)
		return FAIL(c, node, "%s must be a number, but is \"%.60s\"", name, text_of(node));
	return 0;
}

static int check_bool(struct check *c, const char *name, const yaml_node_t *node)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text_of(node), words[i]) == 0)
			return 0;
	return FAIL(c, node, "%s must be yes or no, but is \"%.60s\"", name, text_of(node));
}

static int check_enum(struct check *c, const char *name, const yaml_node_t *node,
		      const struct cyaml_schema_value *schema)
{
	CLEANUP(buf) struct buf words = BUF_INIT;

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		const char *word = schema->enumeration.strings[i].str;

		if (strcmp(text_of(node), word) == 0)
			return 0;
		buf_printf(&words, "%s%s", i == 0 ? "" : ", ", word);
	}
	return FAIL(c, node, "%s cannot be \"%.60s\"; it is one of %s", name, text_of(node),
		    buf_text(&words));
}

static int check_string(struct check *c, const char *name, const yaml_node_t *node,
			const struct cyaml_schema_value *schema)
{
	size_t len = node->data.scalar.length;

	if (len > schema->string.max)
		return FAIL(c, node, "%s is %zu characters long, %u is the most", name, len,
			    (unsigned)schema->string.max);
	if (len < schema->string.min)
		return FAIL(c, node, "%s is %zu characters long, %u is the least", name, len,
			    (unsigned)schema->string.min);
	return 0;
}

static int check_scalar(struct check *c, const char *name, const yaml_node_t *node,
			const struct cyaml_schema_value *schema)
{
	if (node->type != YAML_SCALAR_NODE)
		return FAIL(c, node, "%s must be a single value, but is %s", name, kind_of(node));
	if (node->data.scalar.length == 0)
		return FAIL(c, node, "%s has no value", name);
	if (strlen(text_of(node)) != node->data.scalar.length)
		return FAIL(c, node, "%s holds a NUL character", name);
	switch (schema->type) {
	case CYAML_INT:
		return check_int(c, name, node, schema);
	case CYAML_UINT:
		return check_uint(c, name, node, schema);
	case CYAML_FLOAT:
		return check_float(c, name, node);
	case CYAML_BOOL:
		return check_bool(c, name, node);
	case CYAML_ENUM:
		return check_enum(c, name, node, schema);
	case CYAML_STRING:
		return check_string(c, name, node, schema);
	default:
		return 0; /* libcyaml will say */
	}
}

static int check_value(struct check *c, const char *name, yaml_node_t *node,
		       const struct cyaml_schema_value *schema)
{
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_mapping(c, name, node, schema);
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return check_sequence(c, name, node, schema);
	case CYAML_IGNORE:
		return 0;
	default:
		return check_scalar(c, name, node, schema);
	}
}

int yaml_check(const struct yaml_source *src, yaml_document_t *document,
	       const struct cyaml_schema_value *schema, struct err *e)
{
	struct check c = { .src = src, .document = document, .e = e };
	yaml_node_t *root = yaml_document_get_root_node(document);

	assert(root != NULL);
	return check_value(&c, "the file", root, schema);
}

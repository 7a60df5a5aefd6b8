// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/yaml_text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* ---- text */

/* The length of the UTF-8 sequence at s of at most len bytes, or 0. RFC 3629, section 4; what it
 * and YAML forbid beyond that (surrogates, more control characters) libyaml finds. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (need == 0 || need > len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

int yaml_check_text(const struct yaml_source *src, struct err *e)
{
	const unsigned char *s = (const unsigned char *)src->data;
	size_t line = 1, col = 1, step;

	for (size_t i = 0; i < src->len; i += step) {
		bool control = (s[i] < 0x20 && strchr("\t\n\r", s[i]) == NULL) || s[i] == 0x7f;

		step = utf8_length(s + i, src->len - i);
		if (step == 0 || control || s[i] == 0)
			return err_set_input_at(e, src->file, line, col,
						"this is not text: byte 0x%02x", s[i]);
		col++;
		if (s[i] == '\n') {
			line++;
			col = 1;
		}
		if (i + step > YAML_SIZE_MAX)
			return err_set_input_at(e, src->file, line, col,
						"the file is too long: %u bytes are the most",
						YAML_SIZE_MAX);
	}
	return 0;
}

/* ---- YAML */

void yaml_parser_open(yaml_parser_t *parser, const struct yaml_source *src)
{
	int ok = yaml_parser_initialize(parser);

	assert(ok == 1); /* fails only without memory */
	yaml_parser_set_input_string(parser, (const unsigned char *)src->data, src->len);
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
}

static int fail_at(const struct yaml_source *src, struct err *e, yaml_mark_t mark, const char *what)
{
	return err_set_input_at(e, src->file, mark.line + 1, mark.column + 1, "%s", what);
}

/* Where the byte at offset stands; columns count characters. */
static yaml_mark_t mark_of(const struct yaml_source *src, size_t offset)
{
	yaml_mark_t mark = { .index = offset };

	for (size_t i = 0; i < offset && i < src->len; i++) {
		if (src->data[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((src->data[i] & 0xc0) != 0x80) { /* not a character's later byte */
			mark.column++;
		}
	}
	return mark;
}

static int fail_parser(const struct yaml_source *src, struct err *e, const yaml_parser_t *parser)
{
	yaml_mark_t mark = parser->problem_mark;

	assert(parser->error != YAML_MEMORY_ERROR);
	if (parser->error == YAML_READER_ERROR)
		return fail_at(src, e, mark_of(src, parser->problem_offset),
			       "this is not text: a character that YAML does not allow");
	if (mark.index < src->len && src->data[mark.index] == '\t')
		return fail_at(src, e, mark, "YAML does not allow a tab here; indent with spaces");
	if (parser->context != NULL)
		return err_set_input_at(e, src->file, mark.line + 1, mark.column + 1,
					"%s %s (from line %zu on)", parser->context,
					parser->problem, parser->context_mark.line + 1);
	return fail_at(src, e, mark, parser->problem);
}

/* What of YAML we do not take, or NULL. depth is that inside the event. */
static const char *refuse_event(const yaml_event_t *event, unsigned depth, unsigned documents)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "aliases (*name) are not supported";
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	case YAML_DOCUMENT_START_EVENT:
		return documents > 1 ? "a second document (---) is not supported" : NULL;
	default:
		return NULL;
	}
	if (anchor != NULL)
		return "anchors (&name) are not supported";
	if (tag != NULL)
		return "tags (!name) are not supported";
	return depth > YAML_DEPTH_MAX ? "this is nested too deeply" : NULL;
}

static int scan_events(const struct yaml_source *src, yaml_parser_t *parser, struct err *e)
{
	unsigned depth = 0, documents = 0;
	bool end = false;

	while (!end) {
		yaml_event_t event;

		if (yaml_parser_parse(parser, &event) != 1)
			return fail_parser(src, e, parser);
		if (event.type == YAML_SEQUENCE_START_EVENT ||
		    event.type == YAML_MAPPING_START_EVENT)
			depth++;
		else if (event.type == YAML_SEQUENCE_END_EVENT ||
			 event.type == YAML_MAPPING_END_EVENT)
			depth--;
		else if (event.type == YAML_DOCUMENT_START_EVENT)
			documents++;
		end = event.type == YAML_STREAM_END_EVENT;

		const char *refused = refuse_event(&event, depth, documents);
		yaml_mark_t mark = event.start_mark;

		yaml_event_delete(&event);
		if (refused != NULL)
			return fail_at(src, e, mark, refused);
	}
	if (documents == 0)
		return err_set_input_at(e, src->file, 1, 1, "the file is empty");
	return 0;
}

int yaml_check_events(const struct yaml_source *src, struct err *e)
{
	yaml_parser_t parser;

	yaml_parser_open(&parser, src);
	int r = scan_events(src, &parser, e);
	yaml_parser_delete(&parser);
	return r;
}

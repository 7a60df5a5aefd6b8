// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/prng.h"
#include "sim/model/yaml.h"

struct item {
	char *name;
	uint16_t port;
};

struct file {
	char *title;
	int color;
	bool flag;
	double ratio;
	int8_t offset;
	struct item *items;
	unsigned items_count;
};

static const struct cyaml_strval colors[] = { { "red", 1 }, { "green", 2 } };

static const struct cyaml_schema_field item_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct item, name, 1, 8),
	CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct item, port),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value item_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct item, item_fields) };
static const struct cyaml_schema_field file_fields[] = {
	CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct file, title, 1, 1000),
	CYAML_FIELD_ENUM("color", CYAML_FLAG_OPTIONAL, struct file, color, colors, 2),
	CYAML_FIELD_BOOL("flag", CYAML_FLAG_OPTIONAL, struct file, flag),
	CYAML_FIELD_FLOAT("ratio", CYAML_FLAG_OPTIONAL, struct file, ratio),
	CYAML_FIELD_INT("offset", CYAML_FLAG_OPTIONAL, struct file, offset),
	CYAML_FIELD_SEQUENCE("items", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, items,
			     &item_schema, 0, 3),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value file_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct file, file_fields) };

static int load(const char *data, size_t len, struct err *e)
{
	struct yaml_source src = { "f.yaml", data, len };
	void *loaded = NULL;
	int r = yaml_load(&src, &file_schema, &loaded, NULL, e);

	if (r == 0)
		yaml_unload(&file_schema, loaded, 0);
	else
		assert_null(loaded);
	return r;
}

static void assert_error(const char *text, const char *expected)
{
	struct err e = { .kind = ERR_NONE };

	assert_true(load(text, strlen(text), &e) < 0);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_string_equal(e.text, expected);
}

static void a_whole_file_becomes_a_struct(void **state)
{
	const char *text = "# comment\ntitle: a title\ncolor: green\nflag: yes\nratio: 0.5\n"
			   "offset: -3\nitems:\n  - { name: x, port: 65535 }\n  - name: y\n";
	struct yaml_source src = { "f.yaml", text, strlen(text) };
	struct err e;
	void *loaded = NULL;

	(void)state;
	assert_int_equal(yaml_load(&src, &file_schema, &loaded, NULL, &e), 0);
	struct file *f = loaded;
	assert_string_equal(f->title, "a title");
	assert_int_equal(f->color, 2);
	assert_true(f->flag);
	assert_true(f->ratio == 0.5);
	assert_int_equal(f->offset, -3);
	assert_int_equal(f->items_count, 2);
	assert_string_equal(f->items[0].name, "x");
	assert_int_equal(f->items[0].port, 65535);
	assert_int_equal(f->items[1].port, 0);
	yaml_unload(&file_schema, loaded, 0);
}

static void a_list_at_the_top_has_a_count(void **state)
{
	static const struct cyaml_schema_value schema = { CYAML_VALUE_SEQUENCE(
		CYAML_FLAG_POINTER, struct item, &item_schema, 0, 5) };
	const char *text = "- name: x\n- name: y\n";
	struct yaml_source src = { "f.yaml", text, strlen(text) };
	struct err e;
	void *loaded = NULL;
	unsigned count = 0;

	(void)state;
	assert_int_equal(yaml_load(&src, &schema, &loaded, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(((struct item *)loaded)[1].name, "y");
	yaml_unload(&schema, loaded, count);
}

static void a_mistake_is_said_with_line_and_column(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "title: a\ncolour: red\n",
		  "f.yaml:2:1: unknown key \"colour\"; did you mean \"color\"?" },
		{ "title: a\nzebra: red\n",
		  "f.yaml:2:1: unknown key \"zebra\"; known here: title, color, flag, ratio, "
		  "offset, items" },
		{ "color: red\n", "f.yaml:1:1: key \"title\" is missing in the file" },
		{ "title: a\nitems:\n  - port: 1\n",
		  "f.yaml:3:5: key \"name\" is missing in items" },
		{ "title: a\ntitle: b\n", "f.yaml:2:1: key \"title\" is here twice" },
		{ "title: [a]\n", "f.yaml:1:8: title must be a single value, but is a list" },
		{ "title:\n", "f.yaml:1:7: title has no value" },
		{ "title: a\nitems: 5\n",
		  "f.yaml:2:8: items must be a list, but is a single value" },
		{ "title: a\nitems: [5]\n",
		  "f.yaml:2:9: items must be a group of keys (\"key: value\"), but is a single "
		  "value" },
		{ "title: a\nitems: [{name: a}, {name: b}, {name: c}, {name: d}]\n",
		  "f.yaml:2:8: items has 4 entries, 3 is the most" },
		{ "title: a\nitems: [{name: a, port: 65536}]\n",
		  "f.yaml:2:25: port is 65536, but can be 65535 at most" },
		{ "title: a\nitems: [{name: a, port: -1}]\n",
		  "f.yaml:2:25: port must be a whole number, but is \"-1\"" },
		{ "title: a\nitems: [{name: a, port: 010}]\n",
		  "f.yaml:2:25: port must be a whole number, but is \"010\"" },
		{ "title: a\nitems: [{name: a, port: 99999999999999999999999}]\n",
		  "f.yaml:2:25: port is 99999999999999999999999, but can be 65535 at most" },
		{ "title: a\nitems: [{name: abcdefghi}]\n",
		  "f.yaml:2:16: name is 9 characters long, 8 is the most" },
		{ "title: a\ncolor: blue\n",
		  "f.yaml:2:8: color cannot be \"blue\"; it is one of red, green" },
		{ "title: a\nflag: maybe\n",
		  "f.yaml:2:7: flag must be yes or no, but is \"maybe\"" },
		{ "title: a\nratio: nan\n", "f.yaml:2:8: ratio must be a number, but is \"nan\"" },
		{ "title: a\noffset: 128\n", "f.yaml:2:9: offset is 128, but can be -128 to 127" },
		{ "title: a\n[x]: 1\n", "f.yaml:2:1: a key must be a word, but this is a list" },
		{ "5\n", "f.yaml:1:1: the file must be a group of keys (\"key: value\"), but is a "
			 "single value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_error(cases[i].text, cases[i].expected);
}

static void what_is_no_yaml_is_said_with_line_and_column(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "f.yaml:1:1: the file is empty" },
		{ "# only\n# comments\n", "f.yaml:1:1: the file is empty" },
		{ "title: a\n\titems: 5\n",
		  "f.yaml:2:1: YAML does not allow a tab here; indent with spaces" },
		{ "title: 'a\n",
		  "f.yaml:2:1: while scanning a quoted scalar found unexpected end of stream (from "
		  "line 1 on)" },
		{ "title: a\n  color: red\n",
		  "f.yaml:2:8: mapping values are not allowed in this context" },
		{ "title: a\n---\ntitle: b\n",
		  "f.yaml:2:1: a second document (---) is not supported" },
		{ "title: &x a\n", "f.yaml:1:8: anchors (&name) are not supported" },
		{ "title: *x\n", "f.yaml:1:8: aliases (*name) are not supported" },
		{ "title: !!str a\n", "f.yaml:1:8: tags (!name) are not supported" },
		{ "title: a\001\n", "f.yaml:1:9: this is not text: byte 0x01" },
		{ "title: \xff\n", "f.yaml:1:8: this is not text: byte 0xff" },
		{ "title: \xc3\xa4 \xc0\x80\n", "f.yaml:1:10: this is not text: byte 0xc0" },
		{ "a\ntitle: \xc3\xa4 \xed\xa0\x80\n",
		  "f.yaml:2:10: this is not text: a character that YAML does not allow" },
		{ "title: \"a\\0b\"\n", "f.yaml:1:8: title holds a NUL character" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_error(cases[i].text, cases[i].expected);
}

static void a_nul_is_not_the_end_of_the_text(void **state)
{
	static const char text[] = "title: a\n\0color: red\n";
	struct err e;

	(void)state;
	assert_true(load(text, sizeof(text) - 1, &e) < 0);
	assert_string_equal(e.text, "f.yaml:2:1: this is not text: byte 0x00");
}

static void a_megabyte_of_noise_is_one_line(void **state)
{
	size_t len = 1u << 20;
	unsigned char *noise = malloc(len);
	struct prng prng;
	struct err e;

	(void)state;
	prng_init(&prng, 1);
	for (size_t i = 0; i < len; i++)
		noise[i] = (unsigned char)prng_next(&prng);
	assert_true(load((const char *)noise, len, &e) < 0);
	assert_memory_equal(e.text, "f.yaml:1:", 9);
	assert_null(strchr(e.text, '\n'));
	free(noise);
}

/* As many as fit, of each thing that has been known to make YAML readers slow or deep. */
static void repetition_ends_in_a_moment(void **state)
{
	static const char *const pieces[] = { "[",    "{",     "- ",   "? ",       "!a ",
					      "a: ",  "\"",    "a\n",  "-\n",      "{a: ",
					      "[a, ", "&a [ ", "*a, ", "key: v\n", "# \n" };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct buf text = BUF_INIT;
		struct err e = { .text = "" };

		while (text.len + 8 < YAML_SIZE_MAX)
			buf_puts(&text, pieces[i]);
		assert_true(load(text.data, text.len, &e) < 0);
		assert_memory_equal(e.text, "f.yaml:", 7);
		buf_fini(&text);
	}
}

static void a_file_longer_than_the_limit_is_refused(void **state)
{
	struct buf text = BUF_INIT;
	struct err e;

	(void)state;
	buf_puts(&text, "title: a\n");
	while (text.len <= YAML_SIZE_MAX)
		buf_puts(&text, "#\n");
	assert_true(load(text.data, text.len, &e) < 0);
	assert_non_null(strstr(e.text, "the file is too long: 262144 bytes are the most"));
	buf_fini(&text);
}

static void every_prefix_of_a_file_is_read_or_refused(void **state)
{
	const char *text = "title: \"\xc3\xa4\"\ncolor: green\nitems:\n- {name: x, port: 6}\n";
	struct err e;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		char *exact = malloc(len + 1); /* what lies behind is not to be read */

		memcpy(exact, text, len);
		exact = realloc(exact, len == 0 ? 1 : len);
		(void)load(exact, len, &e);
		free(exact);
	}
}

static void yaml_error_finds_the_place_of_a_path(void **state)
{
	const char *text = "title: a\nitems:\n  - name: x\n  - { name: y, port: 7 }\n";
	struct yaml_source src = { "f.yaml", text, strlen(text) };
	static const struct {
		const char *path, *expected;
	} cases[] = {
		{ "", "f.yaml:1:1: bad 5" },
		{ "title", "f.yaml:1:8: bad 5" },
		{ "items", "f.yaml:3:3: bad 5" },
		{ "items[0]", "f.yaml:3:5: bad 5" },
		{ "items[1].port", "f.yaml:4:22: bad 5" },
		{ "items[0].port", "f.yaml:3:5: bad 5" },
		{ "items[2].port", "f.yaml:3:3: bad 5" },
		{ "title[0].x", "f.yaml:1:8: bad 5" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(yaml_error(&src, &e, cases[i].path, "bad %d", 5) < 0);
		assert_string_equal(e.text, cases[i].expected);
	}
	assert_string_equal(yaml_path("items[%u].name", 3u).text, "items[3].name");
}

static void a_name_is_the_files_own(void **state)
{
	struct yaml_source src = { "a/b.c/full-cone.yaml", "", 0 };
	char name[10];
	struct err e;

	(void)state;
	assert_int_equal(yaml_source_name(&src, name, sizeof(name), &e), 0);
	assert_string_equal(name, "full-cone");
	assert_true(yaml_source_name(&src, name, 9, &e) < 0);
	src.file = "a/.yaml";
	assert_true(yaml_source_name(&src, name, sizeof(name), &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_becomes_a_struct),
		cmocka_unit_test(a_list_at_the_top_has_a_count),
		cmocka_unit_test(a_mistake_is_said_with_line_and_column),
		cmocka_unit_test(what_is_no_yaml_is_said_with_line_and_column),
		cmocka_unit_test(a_nul_is_not_the_end_of_the_text),
		cmocka_unit_test(a_megabyte_of_noise_is_one_line),
		cmocka_unit_test(repetition_ends_in_a_moment),
		cmocka_unit_test(a_file_longer_than_the_limit_is_refused),
		cmocka_unit_test(every_prefix_of_a_file_is_read_or_refused),
		cmocka_unit_test(yaml_error_finds_the_place_of_a_path),
		cmocka_unit_test(a_name_is_the_files_own),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/jsonl.h"

#include <string.h>

#include "lib/buf.h"
#include "peers/core/bytes.h"

/* Puts a brace behind. */
static json_t *mend(const char *text, size_t len)
{
	struct buf mended = BUF_INIT;

	buf_add(&mended, text, len);
	buf_puts(&mended, "}");
	json_t *json = json_loadb(mended.data, mended.len, JSON_REJECT_DUPLICATES, NULL);
	buf_fini(&mended);
	return json;
}

int jsonl_next(struct jsonl_file *f, struct jsonl *ret, struct err *e)
{
	const char *newline = f->len == 0 ? NULL : memchr(f->text, '\n', f->len);
	size_t len = newline == NULL ? f->len : (size_t)(newline - f->text);
	json_error_t why = { .line = 0 };

	if (f->len == 0)
		return 0;
	*ret = (struct jsonl){ f->name, ++f->line, NULL, e };
	json_t *json = json_loadb(f->text, len, JSON_REJECT_DUPLICATES, &why);
	f->mended = json == NULL && newline == NULL;
	if (f->mended)
		json = mend(f->text, len);
	if (json == NULL)
		return JSONL_BAD(ret, "not a line of JSON: %s", why.text);
	ret->json = json;
	len += newline != NULL;
	f->text += len;
	f->len -= len;
	if (json_is_object(json))
		return 1;
	jsonl_release(ret);
	return JSONL_BAD(ret, "not an object of JSON");
}

void jsonl_release(struct jsonl *line)
{
	json_decref((json_t *)(uintptr_t)line->json);
	line->json = NULL;
}

int jsonl_get_object(const struct jsonl *o, const char *key, struct jsonl *ret)
{
	const json_t *json = json_object_get(o->json, key);

	if (!json_is_object(json))
		return JSONL_BAD(o, "\"%s\" is missing, or not an object", key);
	*ret = (struct jsonl){ o->file, o->line, json, o->e };
	return 0;
}

int jsonl_get_text(const struct jsonl *o, const char *key, const char **ret)
{
	const char *text = json_string_value(json_object_get(o->json, key));

	if (text == NULL)
		return JSONL_BAD(o, "\"%s\" is missing, or not a text", key);
	*ret = text;
	return 0;
}

int jsonl_get_number(const struct jsonl *o, const char *key, uint64_t max, uint64_t *ret)
{
	const json_t *json = json_object_get(o->json, key);
	json_int_t number = json_integer_value(json);

	if (!json_is_integer(json))
		return JSONL_BAD(o, "\"%s\" is missing, or not a whole number", key);
	if (number < 0 || (uint64_t)number > max)
		return JSONL_BAD(o, "\"%s\" is not in 0 to %llu", key, (unsigned long long)max);
	*ret = (uint64_t)number;
	return 0;
}

int jsonl_get_int(const struct jsonl *o, const char *key, unsigned max, int *ret)
{
	uint64_t number = 0;
	int code = jsonl_get_number(o, key, max, &number);

	*ret = (int)number;
	return code;
}

int jsonl_get_u32(const struct jsonl *o, const char *key, uint32_t *ret)
{
	uint64_t number = 0;
	int code = jsonl_get_number(o, key, UINT32_MAX, &number);

	*ret = (uint32_t)number;
	return code;
}

int jsonl_get_endpoint(const struct jsonl *o, const char *key, struct endpoint *ret)
{
	const char *text = NULL;
	int code = jsonl_get_text(o, key, &text);

	if (code == 0 && !endpoint_parse(text, ret))
		return JSONL_BAD(o, "\"%s\" is not ADDRESS:PORT", key);
	return code;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int jsonl_get_bytes(const struct jsonl *o, const char *key, size_t max, uint8_t *ret,
		    size_t *ret_len)
{
	const char *text = NULL;
	int code = jsonl_get_text(o, key, &text);

	if (code < 0)
		return code;
	size_t digits = strlen(text);
	if (digits > 2 * max)
		return JSONL_BAD(o, "\"%s\" has more than %zu bytes", key, max);
	if (digits % 2 != 0)
		return JSONL_BAD(o, "\"%s\" has half a byte", key);
	for (size_t i = 0; i < digits / 2; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return JSONL_BAD(o, "\"%s\" is not in digits 0 to 9 and a to f", key);
		ret[i] = (uint8_t)(high << 4 | low);
	}
	*ret_len = digits / 2;
	return 0;
}

int jsonl_get_word(const struct jsonl *o, const char *key, uint64_t *ret)
{
	uint8_t bytes[8];
	size_t len = 0;
	int code = jsonl_get_bytes(o, key, sizeof(bytes), bytes, &len);

	if (code == 0 && len != sizeof(bytes))
		return JSONL_BAD(o, "\"%s\" has not 16 digits", key);
	if (code == 0)
		*ret = get_u64(bytes);
	return code;
}

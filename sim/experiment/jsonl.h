/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file with an object of JSON on each line, of which nothing is believed. What cannot be read is
 * an error of the input that names the line and the key.
 */
#ifndef NATSIM_SIM_EXPERIMENT_JSONL_H
#define NATSIM_SIM_EXPERIMENT_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/endpoint.h"
#include "lib/err.h"

struct jsonl_file {
	const char *name; /* for error texts */
	const char *text; /* what is left of it */
	size_t len;
	size_t line; /* of the last line read, from 1 */
	bool mended; /* that line is the last one, without an end, and lacked one brace */
};

/* A line's object, or one within it. */
struct jsonl {
	const char *file;
	size_t line;
	const json_t *json;
	struct err *e;
};

/* Returns -EINVAL with the error set. */
#define JSONL_BAD(o, ...) err_set_input_at((o)->e, (o)->file, (o)->line, 0, __VA_ARGS__)

/* Returns 1 and the next line, to be released; 0 behind the last; or a negative errno. */
int jsonl_next(struct jsonl_file *f, struct jsonl *ret, struct err *e);
void jsonl_release(struct jsonl *line);

/* Each of these returns 0 and the value of the key, or a negative errno: it is not there, or not
 * of that shape. A text lives as long as its line. */
int jsonl_get_object(const struct jsonl *o, const char *key, struct jsonl *ret);
int jsonl_get_text(const struct jsonl *o, const char *key, const char **ret);
int jsonl_get_number(const struct jsonl *o, const char *key, uint64_t max, uint64_t *ret);
int jsonl_get_int(const struct jsonl *o, const char *key, unsigned max, int *ret);
int jsonl_get_u32(const struct jsonl *o, const char *key, uint32_t *ret);
int jsonl_get_endpoint(const struct jsonl *o, const char *key, struct endpoint *ret);

/* At most max bytes as pairs of hexadecimal digits. */
int jsonl_get_bytes(const struct jsonl *o, const char *key, size_t max, uint8_t *ret,
		    size_t *ret_len);

/* All 64 bits as 16 hexadecimal digits. */
int jsonl_get_word(const struct jsonl *o, const char *key, uint64_t *ret);

#endif

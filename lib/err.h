/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error as words. Whoever first knows what went wrong calls err_set*() once; callers pass the
 * negative errno on and main prints the text. Where a function takes a struct err, NULL is allowed.
 */
#ifndef NATSIM_LIB_ERR_H
#define NATSIM_LIB_ERR_H

#include <stddef.h>

/* Whose fault it is, which decides natsim's exit status. */
enum err_kind {
	ERR_NONE = 0,
	ERR_RESULT = 1,  /* a result is not as expected */
	ERR_INPUT = 2,   /* what the user gave is wrong */
	ERR_MACHINE = 3, /* this machine cannot, or failed on the way */
};

struct err {
	enum err_kind kind;
	char text[768]; /* one line, no newline at the end */
};

/* Each of these returns code, a negative errno, and replaces what e held. */

/* The machine or the kernel failed: the reason of code is appended. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same without the reason, for a text that is complete in itself. */
int err_set_plain(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The user's input is wrong. Returns -EINVAL. */
int err_set_input(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same at a place in a file: "file:line:col: what". A column of 0 is left out, as is a line. */
int err_set_input_at(struct err *e, const char *file, size_t line, size_t col, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Puts "what: " before the text e holds. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Control characters would break the promise that an error is one line on a terminal. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void err_vset(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
static void err_vset(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	e->kind = kind;
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	make_printable(e->text);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	err_vset(e, ERR_MACHINE, fmt, ap);
	va_end(ap);
	size_t used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", strerror(-code));
	return code;
}

int err_set_plain(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	err_vset(e, ERR_MACHINE, fmt, ap);
	va_end(ap);
	return code;
}

int err_set_input(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -EINVAL;
	va_start(ap, fmt);
	err_vset(e, ERR_INPUT, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int err_set_input_at(struct err *e, const char *file, size_t line, size_t col, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -EINVAL;
	va_start(ap, fmt);
	err_vset(e, ERR_INPUT, fmt, ap);
	va_end(ap);
	if (line != 0 && col != 0)
		err_prefix(e, "%s:%zu:%zu", file, line, col);
	else if (line != 0)
		err_prefix(e, "%s:%zu", file, line);
	else
		err_prefix(e, "%s", file);
	return -EINVAL;
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char rest[sizeof(e->text)];
	va_list ap;

	if (e == NULL)
		return;
	memcpy(rest, e->text, sizeof(rest));
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	make_printable(e->text);
	size_t used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", rest);
}

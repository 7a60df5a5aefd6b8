/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growable byte buffer, used for text and for packets. BUF_INIT or zeroed memory is an empty one.
 * Running out of memory ends the program (assert): nothing here can fail in another way.
 */
#ifndef NATSIM_LIB_BUF_H
#define NATSIM_LIB_BUF_H

#include <stddef.h>

struct buf {
	char *data; /* NULL, or len bytes and a NUL behind them */
	size_t len;
	size_t size;
};

#define BUF_INIT           \
	{                  \
		NULL, 0, 0 \
	}

void buf_fini(struct buf *b); /* and leaves it empty, ready for use */
static inline void buf_cleanup(struct buf *b)
{
	buf_fini(b);
}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), nonnull(2)));
void buf_clear(struct buf *b);

/* The text so far, never NULL; valid until the next call that changes b. */
const char *buf_text(const struct buf *b);

/* The bytes on the heap, NUL-terminated, now the caller's to free(); b is empty again. */
char *buf_steal(struct buf *b);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

char *file_path(const char *fmt, ...)
{
	char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	int len = vasprintf(&path, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	return path;
}

bool file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int file_read(const char *path, size_t enough, struct buf *ret, struct err *e)
{
	/* Not to wait for whoever writes into a FIFO. */
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct stat st;
	char chunk[16384];
	ssize_t len = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_input(e, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set_input(e, "%s: %s", path, strerror(EISDIR));
	if (!S_ISREG(st.st_mode))
		return err_set_input(e, "%s: not a regular file", path);
	while (len > 0 && text.len < enough) {
		len = read(fd, chunk, sizeof(chunk));
		if (len > 0)
			buf_add(&text, chunk, (size_t)len);
	}
	if (len < 0)
		return err_set_input(e, "%s: %s", path, strerror(errno));
	buf_fini(ret);
	*ret = (struct buf){ text.data, text.len, text.size };
	(void)steal_ptr(&text.data);
	return 0;
}

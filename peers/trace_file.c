// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "peers/core/trace.h"
#include "peers/loop.h"

/* Writes the text, and leaves none. */
static void flush(struct trace_file *t)
{
	const char *data = buf_text(&t->text);
	size_t rest = t->text.len;

	while (t->error == 0 && rest > 0) {
		ssize_t len = write(t->fd, data, rest);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0) {
			t->error = errno;
			break;
		}
		data += len;
		rest -= (size_t)len;
	}
	buf_clear(&t->text);
}

int trace_file_open(const char *path, const struct trace_subject *subject, struct trace_file *ret,
		    struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_set(e, -errno, "open %s", path);
	*ret = (struct trace_file){ .strategy = subject->strategy,
				    .state = subject->state,
				    .fd = fd,
				    .start_us = loop_now_us() };
	trace_begin(subject->text, subject->config, ret->start_us, &ret->text);
	flush(ret);
	return 0;
}

uint64_t trace_file_step(void *state, uint64_t now_us, const struct event *event,
			 struct actions *out)
{
	struct trace_file *t = state;

	trace_event(t->start_us, now_us, event, &t->text);
	flush(t);
	uint64_t wake_us = t->strategy->step(t->state, now_us, event, out);
	trace_actions(out, trace_wake_us(t->start_us, wake_us), &t->text);
	flush(t);
	return wake_us;
}

int trace_file_close(struct trace_file *t, const char *path, struct err *e)
{
	int code = -t->error;

	if (close(t->fd) < 0 && code == 0)
		code = -errno;
	buf_fini(&t->text);
	return code == 0 ? 0 : err_set(e, code, "write %s", path);
}

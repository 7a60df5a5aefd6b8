// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"

int output_start(const struct process_config *config, struct output *ret, struct err *e)
{
	struct process_config own = *config;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe");
	/* Only our end: a program expects that writing to its standard output blocks. */
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ret = (struct output)OUTPUT_NONE;
	own.stdout_fd = fds[1];
	int code = process_start(&own, &ret->process, e);
	(void)close(fds[1]);
	if (code == 0)
		ret->fd = fds[0];
	else
		(void)close(fds[0]);
	return code;
}

/* All that a program which has ended can have left in the pipe (pipe(7), pipe-max-size), and not
 * more at a time, should one write faster than this reads. */
#define TURN_BYTES (1024u * 1024u)

/* A program says last what came of it, so it is the first bytes that are let go. */
static void keep(struct output *o, const char *data, size_t len)
{
	struct buf last = BUF_INIT;

	buf_add(&o->text, data, len);
	if (o->text.len <= 2 * OUTPUT_MAX)
		return;
	buf_add(&last, o->text.data + o->text.len - OUTPUT_MAX, OUTPUT_MAX);
	buf_fini(&o->text);
	o->text = last;
}

static void read_some(struct output *o)
{
	char chunk[4096];
	ssize_t len = 1;

	for (size_t done = 0; len > 0 && done < TURN_BYTES; done += sizeof(chunk)) {
		len = read(o->fd, chunk, sizeof(chunk));
		if (len > 0)
			keep(o, chunk, (size_t)len);
	}
	if (len == 0) { /* nobody holds the other end any more */
		(void)close(o->fd);
		o->fd = -1;
	}
}

static bool all_ended(const struct output *outputs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!outputs[i].ended)
			return false;
	return true;
}

static void look(struct output *o, const struct pollfd fds[static 2])
{
	if (fds[0].revents != 0 && o->fd >= 0)
		read_some(o);
	if (fds[1].revents == 0 || o->ended)
		return;
	o->ended = process_wait(&o->process, 0, &o->status, NULL) == 0;
	/* What it wrote last may have come between the two. */
	if (o->ended && o->fd >= 0)
		read_some(o);
}

int output_wait(struct output *outputs, size_t count, uint64_t deadline_us, struct err *e)
{
	CLEANUP(free) struct pollfd *fds = calloc(2 * count + 1, sizeof(*fds));
	uint64_t now_us;

	if (fds == NULL)
		return err_set(e, -ENOMEM, "wait for programs");
	while (!all_ended(outputs, count) && (now_us = process_now_us()) < deadline_us) {
		uint64_t rest_ms = (deadline_us - now_us) / 1000 + 1;

		for (size_t i = 0; i < count; i++) {
			const struct output *o = &outputs[i];

			fds[2 * i] = (struct pollfd){ .fd = o->fd, .events = POLLIN };
			fds[2 * i + 1] = (struct pollfd){ .fd = o->ended ? -1 : o->process.pidfd,
							  .events = POLLIN };
		}
		if (poll(fds, 2 * count, rest_ms > 60000 ? 60000 : (int)rest_ms) < 0)
			return err_set(e, -errno, "wait for programs");
		for (size_t i = 0; i < count; i++)
			look(&outputs[i], &fds[2 * i]);
	}
	return 0;
}

void output_end(struct output *o)
{
	process_end(&o->process);
	if (o->fd >= 0)
		(void)close(o->fd);
	buf_fini(&o->text);
	*o = (struct output)OUTPUT_NONE;
}

int output_of(const struct process_config *config, uint64_t deadline_us, struct buf *ret_text,
	      int *ret_status, struct err *e)
{
	struct output o = OUTPUT_NONE;
	int code = output_start(config, &o, e);

	if (code == 0)
		code = output_wait(&o, 1, deadline_us, e);
	if (code == 0 && !o.ended)
		code = err_set_plain(e, -ETIMEDOUT, "%s did not end in time", config->argv[0]);
	if (code == 0) {
		*ret_status = o.status;
		buf_clear(ret_text);
		buf_add(ret_text, buf_text(&o.text), o.text.len);
	}
	output_end(&o);
	return code;
}

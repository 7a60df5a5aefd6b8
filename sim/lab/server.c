// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/server.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"

/* It starts in some milliseconds; more than this, and it never will. */
#define READY_US 5000000u

/* What it may say before that. */
#define PREAMBLE_BYTES_MAX 65536u

int server_start(const char *path, const char *const *env, int netns_fd, struct server *ret,
		 struct err *e)
{
	const char *const argv[] = { path, NULL };
	struct server server = SERVER_NONE;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(e, -errno, "make a pipe");
	server.path = path;
	server.output_fd = ends[0];
	CLEANUP(fd) int write_end = ends[1];
	struct process_config config = { .argv = argv,
					 .env = env,
					 .netns_fd = netns_fd,
					 .stdin_fd = -1,
					 .stdout_fd = write_end,
					 .stderr_fd = STDERR_FILENO,
					 .own_group = true };
	int rc = fcntl(write_end, F_SETFL, 0) < 0 ? err_set(e, -errno, "set up a pipe")
						  : process_start(&config, &server.process, e);
	if (rc < 0) {
		server_end(&server);
		return rc;
	}
	*ret = server;
	return 0;
}

static int ended(const struct server *server, const char *when, struct err *e)
{
	char text[PROCESS_STATUS_SIZE];
	int status = 0;

	/* Its output is closed, so it is about to end, if it has not done so. */
	int rc = process_wait(&server->process, process_now_us() + READY_US, &status, e);
	if (rc < 0) {
		err_prefix(e, "%s closed its output%s", server->path, when);
		return rc;
	}
	return err_set_plain(e, -ECHILD, "%s %s%s", server->path, process_status_text(status, text),
			     when);
}

static bool says_ready(const char *line, size_t len)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	const char *event = json_string_value(json_object_get(root, "event"));
	bool ready = event != NULL && strcmp(event, "ready") == 0;

	json_decref(root);
	return ready;
}

/* Takes whole lines from the front of said until one says ready. */
static bool take_ready(struct buf *said)
{
	for (;;) {
		const char *newline = said->len == 0 ? NULL : memchr(said->data, '\n', said->len);

		if (newline == NULL)
			return false;
		size_t line = (size_t)(newline - said->data);
		bool ready = says_ready(said->data, line);
		said->len -= line + 1;
		memmove(said->data, newline + 1, said->len);
		if (ready)
			return true;
	}
}

/* Waits for output and adds it to said. */
static int read_output(const struct server *server, uint64_t deadline_us, struct buf *said,
		       struct err *e)
{
	struct pollfd output = { .fd = server->output_fd, .events = POLLIN };
	uint64_t now_us = process_now_us();
	char piece[4096];

	if (now_us >= deadline_us || said->len > PREAMBLE_BYTES_MAX)
		return err_set_plain(e, -ETIMEDOUT,
				     "%s did not print {\"event\":\"ready\"} within %u s",
				     server->path, READY_US / 1000000u);
	(void)poll(&output, 1, (int)((deadline_us - now_us + 999) / 1000));
	ssize_t got = read(server->output_fd, piece, sizeof(piece));
	if (got == 0)
		return ended(server, " before it was ready", e);
	if (got > 0)
		buf_add(said, piece, (size_t)got);
	return 0;
}

int server_await_ready(struct server *server, struct err *e)
{
	CLEANUP(buf) struct buf said = BUF_INIT;
	uint64_t deadline_us = process_now_us() + READY_US;

	while (!take_ready(&said)) {
		int rc = read_output(server, deadline_us, &said, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int server_check(struct server *server, struct err *e)
{
	char piece[4096];
	ssize_t got = -1;

	if (server->path == NULL)
		return 0;
	/* Bounded, should it print faster than this reads. */
	for (int i = 0; i < 64; i++) {
		got = read(server->output_fd, piece, sizeof(piece));
		if (got <= 0)
			break;
	}
	return got == 0 ? ended(server, " while it was needed", e) : 0;
}

void server_end(struct server *server)
{
	process_end(&server->process);
	fd_cleanup(&server->output_fd);
	*server = (struct server)SERVER_NONE;
}

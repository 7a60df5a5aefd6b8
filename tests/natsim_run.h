/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting natsim, and other programs, as a user would: what they print, how they end, and a
 * deadline. Programs that were built are found beside the test that runs: it is
 * build/VARIANT/tests/lab/test_X, they are build/VARIANT/X.
 */
#ifndef NATSIM_TESTS_NATSIM_RUN_H
#define NATSIM_TESTS_NATSIM_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cleanup.h"

/* What a program may take: far more than any of them needs on a busy machine, under sanitisers. */
#define RUN_LIMIT_MS 60000

struct run {
	/* Asked for. Zeroed: in this directory, without input, as the caller, for RUN_LIMIT_MS. */
	const char *dir;
	const char *input;
	const char *const *env;    /* NAME=VALUE that replace and add; ended by NULL */
	void (*before)(void *arg); /* in the child, last; it may end the child */
	void *arg;
	int limit_ms;

	/* What came of it. */
	struct buf out, err;
	int status; /* the exit status; 128 + N if signal N ended it; -1: it did not end in time */
	pid_t pid;
	int out_fd, err_fd; /* until run_finish() */
};

/* The path of a program of the build folder, on the heap. */
static inline char *built(const char *name)
{
	char exe[PATH_MAX], *path = NULL;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	assert_true(len > 0);
	exe[len] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(exe, '/') = '\0';
	assert_true(asprintf(&path, "%s/%s", exe, name) > 0);
	return path;
}

static inline uint64_t run_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline int run_input(const char *text)
{
	if (text == NULL)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fflush(file) == 0);
	int fd = dup(fileno(file));
	(void)fclose(file);
	assert_true(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Whoever fails here has no one to tell but by its exit status. */
__attribute__((noreturn)) static inline void run_child(const struct run *r, char *const argv[],
						       int in, int out, int err)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(125);
	if (r->dir != NULL && chdir(r->dir) < 0)
		_exit(125);
	for (size_t i = 0; r->env != NULL && r->env[i] != NULL; i++)
		(void)putenv((char *)(uintptr_t)r->env[i]);
	if (r->before != NULL)
		r->before(r->arg);
	(void)execvp(argv[0], argv);
	_exit(126);
}

/* Starts argv, which is ended by NULL. */
static inline void run_start(struct run *r, const char *const *argv)
{
	int out[2], err[2];
	CLEANUP(fd) int in = run_input(r->input);

	assert_true(in >= 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	(void)fflush(NULL);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		run_child(r, (char *const *)(uintptr_t)argv, in, out[1], err[1]);
	(void)close(out[1]);
	(void)close(err[1]);
	r->out_fd = out[0];
	r->err_fd = err[0];
}

static inline void run_read(struct pollfd *from, struct buf *to)
{
	char chunk[16384];

	if (from->revents == 0)
		return;
	ssize_t len = read(from->fd, chunk, sizeof(chunk));
	if (len > 0)
		buf_add(to, chunk, (size_t)len);
	else
		from->fd = -1; /* poll() passes it over */
}

/* Reads what it prints, until it and all who hold its outputs have ended, or it is too late. */
static inline void run_finish(struct run *r)
{
	struct pollfd fds[] = { { .fd = r->out_fd, .events = POLLIN },
				{ .fd = r->err_fd, .events = POLLIN } };
	uint64_t deadline_ms =
		run_now_ms() + (uint64_t)(r->limit_ms > 0 ? r->limit_ms : RUN_LIMIT_MS);
	int status = 0;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		uint64_t now_ms = run_now_ms();

		if (now_ms >= deadline_ms || poll(fds, 2, (int)(deadline_ms - now_ms)) == 0)
			break;
		run_read(&fds[0], &r->out);
		run_read(&fds[1], &r->err);
	}
	bool late = fds[0].fd >= 0 || fds[1].fd >= 0;
	if (late)
		(void)kill(r->pid, SIGKILL);
	(void)close(r->out_fd);
	(void)close(r->err_fd);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->status = late ? -1 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void run_fini(struct run *r)
{
	buf_fini(&r->out);
	buf_fini(&r->err);
}

static inline void run_cleanup(struct run *r)
{
	run_fini(r);
}

static inline void run_argv(struct run *r, const char *const *argv)
{
	run_fini(r);
	run_start(r, argv);
	run_finish(r);
}

#define RUN_ARGS_MAX 64u

/* The path and the arguments of natsim, or of another program of the build folder. */
struct run_args {
	const char *items[RUN_ARGS_MAX + 2];
	char *path;
};

static inline void run_args_cleanup(struct run_args *args)
{
	free(args->path);
}

static inline struct run_args run_args_of(const char *program, va_list ap)
{
	struct run_args args = { .path = built(program) };
	size_t count = 0;

	args.items[count++] = args.path;
	while ((args.items[count] = va_arg(ap, const char *)) != NULL)
		assert_true(++count <= RUN_ARGS_MAX);
	return args;
}

/* Runs natsim with these arguments, ended by NULL. */
static inline void run_natsim(struct run *r, ...) __attribute__((sentinel));
static inline void run_natsim(struct run *r, ...)
{
	va_list ap;

	va_start(ap, r);
	CLEANUP(run_args) struct run_args args = run_args_of("natsim", ap);
	va_end(ap);
	run_argv(r, args.items);
}

/* The same, not waiting for its end: run_finish() does. */
static inline void run_natsim_start(struct run *r, ...) __attribute__((sentinel));
static inline void run_natsim_start(struct run *r, ...)
{
	va_list ap;

	va_start(ap, r);
	CLEANUP(run_args) struct run_args args = run_args_of("natsim", ap);
	va_end(ap);
	run_start(r, args.items);
}

/* Fails with all that it printed: cmocka's own messages are cut off after 1 kB. */
#define RUN_FAIL(r, fmt, ...)                                                                   \
	do {                                                                                    \
		(void)fprintf(stderr, fmt "; status %d\nstdout: %s\nstderr: %s\n", __VA_ARGS__, \
			      (r)->status, buf_text(&(r)->out), buf_text(&(r)->err));           \
		fail();                                                                         \
	} while (0)

#define ASSERT_STATUS(r, expected)                                         \
	do {                                                               \
		if ((r)->status != (expected))                             \
			RUN_FAIL(r, "status %d was expected", (expected)); \
	} while (0)

/* Asserts that natsim gave up as it should: with this status, one line on stderr that has part in
 * it, and nothing on stdout. */
static inline void assert_refused(const struct run *r, int status, const char *part)
{
	const char *text = buf_text(&r->err), *newline = strchr(text, '\n');

	if (r->status != status)
		RUN_FAIL(r, "%s: status %d was expected", part, status);
	if (strncmp(text, "natsim: ", 8) != 0 || newline == NULL || newline[1] != '\0')
		RUN_FAIL(r, "%s: one line \"natsim: ...\" was expected", part);
	if (strstr(text, part) == NULL)
		RUN_FAIL(r, "\"%s\" was expected", part);
	if (r->out.len != 0)
		RUN_FAIL(r, "%s: nothing was expected on stdout", part);
}

/* Whether there is such a command; says why the test is skipped if not. */
static inline bool have_command(const char *name)
{
	CLEANUP(run) struct run r = { .arg = NULL };
	const char *argv[] = { "sh", "-c", "command -v \"$0\"", name, NULL };

	run_argv(&r, argv);
	if (r.status != 0)
		print_message("skip: %s is not installed\n", name);
	return r.status == 0;
}

/* ---- files */

/* A new directory, on the heap; tree_remove() takes it away with all that is in it. */
static inline char *temporary_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	assert_true(asprintf(&path, "%s/natsim-test.XXXXXX", base != NULL ? base : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline int tree_remove_entry(const char *path, const struct stat *st, int type,
				    struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void tree_remove(const char *path)
{
	(void)nftw(path, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A temporary directory that goes with its scope. */
static inline void temporary_cleanup(char **path)
{
	if (*path != NULL)
		tree_remove(*path);
	free(*path);
}

/* "dir/name", on the heap. */
static inline char *path_in(const char *dir, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static inline void write_bytes(const char *dir, const char *name, const void *data, size_t len)
{
	CLEANUP(free) char *path = path_in(dir, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *dir, const char *name, const char *text)
{
	write_bytes(dir, name, text, strlen(text));
}

/* Appends a file; fails if it cannot be read. */
static inline void read_text(const char *dir, const char *name, struct buf *out)
{
	CLEANUP(free) char *path = path_in(dir, name);
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t len;

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	while ((len = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)len);
	assert_int_equal(len, 0);
}

/* text with its first occurrence of from replaced, on the heap; from must be there. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *result = NULL;

	if (at == NULL)
		fail_msg("\"%s\" is not in the text", from);
	assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >=
		    0);
	return result;
}

#endif

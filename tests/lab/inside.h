/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the lab's tests share: each program goes through enter_namespaces() first, so that it may
 * change what it likes and leaves nothing, as root or as anyone.
 */
#ifndef NATSIM_TESTS_LAB_INSIDE_H
#define NATSIM_TESTS_LAB_INSIDE_H

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/lab/enter.h"
#include "sim/lab/process.h"

/* What a test waits for happens at once or never. */
#define SOON_US 5000000u

static inline uint64_t soon_us(void)
{
	return process_now_us() + SOON_US;
}

static inline void go_inside(void)
{
	struct err e = { .kind = ERR_NONE };

	if (enter_namespaces(&e) == 0)
		return;
	(void)fprintf(stderr, "%s\n", e.text);
	exit(1);
}

static inline unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

/* Zombies count. */
static inline bool have_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Waits for a condition that the kernel or a lingering thread brings about. */
#define ASSERT_SOON(condition)                                    \
	do {                                                      \
		uint64_t until_us = soon_us();                    \
		while (!(condition)) {                            \
			assert_true(process_now_us() < until_us); \
			(void)poll(NULL, 0, 1);                   \
		}                                                 \
	} while (0)

static inline ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* The calling thread's network namespace. */
static inline ino_t here(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static inline void assert_text(const struct err *e, const char *part)
{
	if (strstr(e->text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, e->text);
}

/* Fails with what e says. */
#define ASSERT_OK(call)                         \
	do {                                    \
		if ((call) < 0)                 \
			fail_msg("%s", e.text); \
	} while (0)

#endif

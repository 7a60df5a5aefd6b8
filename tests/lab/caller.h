/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of entering stay outside themselves: each forks a caller, which enters, and judges what it
 * says and how it ends. cmocka's asserts are for the test's own process only.
 */
#ifndef NATSIM_TESTS_LAB_CALLER_H
#define NATSIM_TESTS_LAB_CALLER_H

#include <sys/mman.h>
#include <sys/socket.h>

#include "tests/lab/inside.h"

/* What a forked caller and this program share. */
struct shared {
	struct err err;
	int code;
	int socket[2]; /* this end, the caller's; datagrams carry the sender's pid */
};

/* Forks a caller that runs body and exits with what it returns. */
static inline pid_t fork_caller(int (*body)(struct shared *s), struct shared *s)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(s->socket[0]);
		_exit(body(s));
	}
	return pid;
}

static inline int wait_for(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Runs body to its end; returns its exit status. */
static inline int run(int (*body)(struct shared *s), struct shared *s)
{
	int status = wait_for(fork_caller(body, s));

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int set_up(void **state)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int on = 1;

	assert_true(s != MAP_FAILED);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s->socket), 0);
	assert_int_equal(setsockopt(s->socket[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	*state = s;
	return 0;
}

static inline int tear_down(void **state)
{
	struct shared *s = *state;

	(void)close(s->socket[0]);
	(void)close(s->socket[1]);
	(void)munmap(s, sizeof(*s));
	return 0;
}

static inline int enter(struct shared *s)
{
	s->code = enter_namespaces(&s->err);
	return s->code;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs started inside a node, watched through a pidfd, and ended with it. */
#ifndef NATSIM_SIM_LAB_PROCESS_H
#define NATSIM_SIM_LAB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "lib/err.h"

struct process_config {
	const char *const *argv; /* argv[0] is looked up in PATH unless it holds a slash */
	const char *const *env;  /* NULL-terminated NAME=VALUE list, added to natsim's own */
	int netns_fd;
	/* Descriptors to become 0, 1 and 2; -1: /dev/null. */
	int stdin_fd, stdout_fd, stderr_fd;
};

struct process {
	pid_t pid; /* -1 once reaped */
	int pidfd;
};

#define PROCESS_NONE   \
	{              \
		-1, -1 \
	}

/* Starts a program. Every other descriptor of natsim is closed in it, signal handling is the
 * default, and it dies with natsim. A program that cannot be executed is reported here, with its
 * name, as the user's mistake. */
int process_start(const struct process_config *config, struct process *ret, struct err *e);

/* Waits for the end until deadline_us (CLOCK_MONOTONIC; UINT64_MAX: for ever). Returns 0 and the
 * status as waitpid() gives it, -ETIMEDOUT, or -EINTR when a signal came. */
int process_wait(struct process *p, uint64_t deadline_us, int *ret_status, struct err *e);

/* SIGKILL and reap, if it still runs; closes the pidfd. */
void process_end(struct process *p);

/* Now, CLOCK_MONOTONIC in microseconds. */
uint64_t process_now_us(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs started inside a node, watched through a pidfd, and ended with what they left behind.
 *
 * Whoever starts a process calls process_end() on it in the end, also after its own end has been
 * seen: that reaps it. What it leaves behind becomes the child of the calling process, which
 * process_start() makes the reaper of its descendants; process_end() ends and reaps those that
 * stayed in the process' own group. One that left it (a daemon) lives on until natsim ends.
 */
#ifndef NATSIM_SIM_LAB_PROCESS_H
#define NATSIM_SIM_LAB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

struct process_config {
	const char *const *argv; /* argv[0] is looked up in PATH unless it holds a slash */
	const char *const *env;  /* NAME=VALUE list ended by NULL that replaces and adds to
				  * natsim's own; NULL is none */
	int netns_fd;
	/* Descriptors to become 0, 1 and 2; -1: /dev/null. */
	int stdin_fd, stdout_fd, stderr_fd;
	/* True: a process group of its own, out of reach of the terminal's signals. False: natsim's
	 * own, as a program that talks to the terminal needs. */
	bool own_group;
};

struct process {
	pid_t pid;
	int pidfd; /* readable (POLLIN) once the process has ended */
	bool own_group;
};

#define PROCESS_NONE                                   \
	{                                              \
		.pid = -1, .pidfd = -1, .own_group = 0 \
	}

/* Starts a program. Every other descriptor of natsim is closed in it, signal handling is the
 * default, and it dies with the calling thread. A program that cannot be executed is reported here,
 * with its name, as the user's mistake. */
int process_start(const struct process_config *config, struct process *ret, struct err *e);

/* Waits for the end until deadline_us (process_now_us(); UINT64_MAX: for ever). Returns 0 and the
 * status as waitpid() gives it, -ETIMEDOUT, or -EINTR when a signal was handled. May be called
 * again. */
int process_wait(const struct process *p, uint64_t deadline_us, int *ret_status, struct err *e);

/* SIGKILL if it still runs, and for the rest of its own group; reaps, closes the pidfd and leaves
 * PROCESS_NONE, for which it does nothing. */
void process_end(struct process *p);

/* What a status of process_wait() means, for a sentence: "exited with status 3", "was killed by
 * signal 9 (Killed)". */
#define PROCESS_STATUS_SIZE 64
const char *process_status_text(int status, char buf[static PROCESS_STATUS_SIZE]);

/* Now, CLOCK_MONOTONIC in microseconds. */
uint64_t process_now_us(void);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/linger.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

struct task {
	void (*fn)(void *arg);
	void *arg;
};

static void *run(void *arg)
{
	struct task task = *(struct task *)arg;

	free(arg);
	task.fn(task.arg);
	return NULL;
}

/* The thread inherits the mask of who makes it. */
static int start_masked(struct task *task)
{
	sigset_t all, old;
	pthread_attr_t detached;
	pthread_t thread;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	int failed = pthread_create(&thread, &detached, run, task);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&detached);
	return failed;
}

void linger(void (*fn)(void *arg), void *arg)
{
	struct task *task = malloc(sizeof(*task));

	if (task != NULL) {
		*task = (struct task){ fn, arg };
		if (start_masked(task) == 0)
			return;
		free(task);
	}
	fn(arg);
}

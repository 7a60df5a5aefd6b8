// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/linger.h"

#include <stddef.h>
#include <stdlib.h>

#include "sim/lab/thread.h"

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

void linger(void (*fn)(void *arg), void *arg)
{
	struct task *task = malloc(sizeof(*task));
	pthread_t thread;

	if (task != NULL) {
		*task = (struct task){ fn, arg };
		if (thread_start(run, task, &thread) == 0) {
			(void)pthread_detach(thread);
			return;
		}
		free(task);
	}
	fn(arg);
}

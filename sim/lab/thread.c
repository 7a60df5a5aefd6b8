// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/thread.h"

#include <signal.h>
#include <stddef.h>

/* The thread inherits the mask of who makes it. */
int thread_start(void *(*fn)(void *arg), void *arg, pthread_t *ret)
{
	sigset_t all, old;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	int failed = pthread_create(ret, NULL, fn, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -failed;
}

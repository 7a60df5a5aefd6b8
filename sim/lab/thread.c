// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/thread.h"

#include <sched.h>
#include <signal.h>

/*
 * The scheduler goes by averages of the past, and by who wakes whom: it often puts a thread on the
 * processor of its maker, though another is idle, and until it sees that, work of a few
 * milliseconds is done. Where there is another processor, the thread keeps to the others.
 */
static void keep_elsewhere(pthread_attr_t *attr)
{
	cpu_set_t allowed;
	int here = sched_getcpu();

	if (here < 0 || sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	CPU_CLR((size_t)here, &allowed);
	if (CPU_COUNT(&allowed) > 0)
		(void)pthread_attr_setaffinity_np(attr, sizeof(allowed), &allowed);
}

/* The thread inherits the mask of who makes it. */
int thread_start(void *(*fn)(void *arg), void *arg, pthread_t *ret)
{
	pthread_attr_t attr;
	sigset_t all, old;

	(void)pthread_attr_init(&attr);
	keep_elsewhere(&attr);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	int failed = pthread_create(ret, &attr, fn, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return -failed;
}

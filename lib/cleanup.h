/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locals that release themselves when they leave scope, and how their ownership leaves by name.
 *
 *	CLEANUP(fd) int fd = open(...);
 *	...
 *	*ret_fd = steal_fd(&fd);
 *
 * CLEANUP(fn) calls fn_cleanup(&variable).
 */
#ifndef NATSIM_LIB_CLEANUP_H
#define NATSIM_LIB_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn##_cleanup)))

static inline void free_cleanup(void *p)
{
	free(*(void **)p);
}

/* A descriptor; a negative one is none. It leaves -1, so that it may be called again. */
static inline void fd_cleanup(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Returns *fd and leaves -1 in its place. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Returns *(void **)p and leaves NULL in its place. */
static inline void *steal_ptr(void *p)
{
	void *taken = *(void **)p;

	*(void **)p = NULL;
	return taken;
}

#endif

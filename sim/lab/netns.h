/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network namespaces that only descriptors keep alive. A namespace belongs to a thread, so these
 * move the calling thread and no other.
 */
#ifndef NATSIM_SIM_LAB_NETNS_H
#define NATSIM_SIM_LAB_NETNS_H

#include "lib/err.h"

/* A new network namespace. The caller closes *ret_fd; with its last user it is gone. The calling
 * thread is in its old namespace again when this returns. */
int netns_new(int *ret_fd, struct err *e);

/* The same, but the calling thread stays in the new namespace, also if it fails half-way: for who
 * has more to do there and knows the way back. */
int netns_unshare(int *ret_fd, struct err *e);

/* The calling thread's own namespace. */
int netns_self(int *ret_fd, struct err *e);

/* Moves the calling thread into namespace fd. */
int netns_enter(int fd, struct err *e);

/* Moves the calling thread back to where it came from. Ends the program (abort) if the way back is
 * gone: what follows would change a network it was not meant for. */
void netns_return(int home_fd);

/* Runs fn(arg, e) inside namespace fd and comes back (netns_return); returns what fn returned. */
int netns_run(int fd, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/* Writes value to /proc/sys/<key> of the calling thread's namespace. */
int netns_sysctl(const char *key, const char *value, struct err *e);

#endif

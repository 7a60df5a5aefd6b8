/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces that only descriptors keep alive. */
#ifndef NATSIM_SIM_LAB_NETNS_H
#define NATSIM_SIM_LAB_NETNS_H

#include "lib/err.h"

/* A new network namespace. The caller closes *ret_fd; with its last user it is gone. The calling
 * thread is in its old namespace again when this returns. */
int netns_new(int *ret_fd, struct err *e);

/* The calling thread's own namespace. */
int netns_self(int *ret_fd, struct err *e);

/* Moves the calling thread into namespace fd. */
int netns_enter(int fd, struct err *e);

/* Runs fn(arg, e) inside namespace fd and comes back; returns what fn returned. Ends the program
 * (abort) if the way back is gone. */
int netns_run(int fd, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/* Writes value to /proc/sys/<key> of the calling thread's namespace. */
int netns_sysctl(const char *key, const char *value, struct err *e);

#endif

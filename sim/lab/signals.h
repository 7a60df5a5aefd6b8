/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signals by which natsim is told to end: SIGINT, SIGTERM, SIGHUP and SIGQUIT, but for those
 * that it was started to ignore, as by nohup(1).
 *
 * To process 1 the kernel delivers no signal that has its default action, not even later. So they
 * are blocked before enter_namespaces(), and wait until somebody reads them.
 */
#ifndef NATSIM_SIM_LAB_SIGNALS_H
#define NATSIM_SIM_LAB_SIGNALS_H

#include <signal.h>

#include "lib/err.h"

/* Those of them that are not ignored now. */
void signals_get(sigset_t *ret);

/* For the calling thread and what it forks; process_start() undoes it for programs. */
void signals_block(void);

/* Blocks them too. *ret_fd is a non-blocking signalfd (struct signalfd_siginfo). */
int signals_open(int *ret_fd, struct err *e);

#endif

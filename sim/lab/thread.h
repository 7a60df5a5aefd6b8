/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread for work beside that of the one which natsim otherwise is. */
#ifndef NATSIM_SIM_LAB_THREAD_H
#define NATSIM_SIM_LAB_THREAD_H

#include <pthread.h>

/* Starts fn(arg) in a thread to which no signal is delivered, in the network namespace the calling
 * thread is in. Returns 0, or a negative errno if there can be no thread. */
int thread_start(void *(*fn)(void *arg), void *arg, pthread_t *ret);

#endif

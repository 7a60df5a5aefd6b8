/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor time and processes, as benchmarks need them. */
#ifndef NATSIM_SIM_BENCH_USAGE_H
#define NATSIM_SIM_BENCH_USAGE_H

#include <stdint.h>

#include "lib/err.h"

/* User and system time so far of this process and of all that it has reaped. */
uint64_t usage_cpu_us(void);

/* Runs a program to its end in the calling thread's network namespace, with its standard error at
 * stderr_fd (-1: nowhere) and its standard output nowhere. Fails unless it exits with status 0. */
int usage_run_program(const char *const *argv, const char *const *env, int stderr_fd,
		      struct err *e);

/* Waits until the kernel is done with everything that has ended: all children are reaped and all
 * network namespaces without a user are gone. */
int usage_settle(struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool of worker processes. Each is a fork of the caller, so a worker knows all that the caller
 * knew, and a job is only a number. Workers send their results as messages of a fixed size; jobs
 * are handed out in order, one at a time, to whoever is free.
 */
#ifndef NATSIM_SIM_EXPERIMENT_POOL_H
#define NATSIM_SIM_EXPERIMENT_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* In a worker: sends one result to the caller of pool_run. */
struct pool_channel;
void pool_send(struct pool_channel *channel, const void *message);

struct pool_config {
	size_t workers; /* at most as many as there are jobs are started */
	size_t jobs;
	size_t message_size; /* at most POOL_MESSAGE_MAX */

	/* In the worker. start makes what the worker keeps over its jobs and may be NULL, as may
	 * stop. A failure of work ends the run. */
	int (*work)(void *arg, void *kept, size_t job, struct pool_channel *channel, struct err *e);
	void *(*start)(void *arg);
	void (*stop)(void *kept);

	/* In the caller: a message came; it is valid during the call. And about every interval_us,
	 * and after each message. */
	void (*message)(void *arg, const void *message);
	void (*tick)(void *arg);
	uint64_t interval_us;
	void *arg;
};

#define POOL_MESSAGE_MAX 4096u

/*
 * Runs all jobs. Returns 0; or the first failure of a worker, with its words; or -EINTR when a
 * signal came that is to end natsim (signals.h), which *ret_signal then names. No worker is left in
 * any case.
 */
int pool_run(const struct pool_config *config, int *ret_signal, struct err *e);

#endif

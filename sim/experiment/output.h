/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs whose standard output is read while they run. */
#ifndef NATSIM_SIM_EXPERIMENT_OUTPUT_H
#define NATSIM_SIM_EXPERIMENT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "sim/lab/process.h"

/* The last bytes of a program that are kept at least; earlier ones are read and let go. */
#define OUTPUT_MAX (64u * 1024u)

/* A program at work. OUTPUT_NONE, or what output_start made of it; output_end() gives it all back.
 */
struct output {
	struct process process;
	int fd;
	struct buf text;
	int status; /* as waitpid() gives it, once ended */
	bool ended;
};

#define OUTPUT_NONE                                                 \
	{                                                           \
		.process = PROCESS_NONE, .fd = -1, .text = BUF_INIT \
	}

/* As process_start; config's stdout_fd is ignored. */
int output_start(const struct process_config *config, struct output *ret, struct err *e);

/* Reads until all of them have ended or the deadline has come; ended tells which. -EINTR: a signal
 * was handled. */
int output_wait(struct output *outputs, size_t count, uint64_t deadline_us, struct err *e);

/* Kills what still runs. */
void output_end(struct output *o);

/* The whole life of one program. Fails with -ETIMEDOUT if it does not end by the deadline. */
int output_of(const struct process_config *config, uint64_t deadline_us, struct buf *ret_text,
	      int *ret_status, struct err *e);

#endif

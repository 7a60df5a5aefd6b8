/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records a machine: stands between it and the loop, and writes a trace (peers/core/trace.h) of
 * what passes. Each half of a step is in the file before the next thing happens.
 */
#ifndef NATSIM_PEERS_TRACE_FILE_H
#define NATSIM_PEERS_TRACE_FILE_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "peers/core/strategy.h"

struct trace_file {
	const struct strategy *strategy;
	void *state; /* its own, initialised; the caller's */
	int fd;
	uint64_t start_us;
	struct buf text;
	int error; /* the first errno of writing; nothing more was written then */
};

/* What is traced: a strategy as it was chosen, and its state, initialised. */
struct trace_subject {
	const char *text;
	const struct strategy *strategy;
	const struct strategy_config *config;
	void *state;
};

/* Makes the file, or empties it, and writes the first line. */
int trace_file_open(const char *path, const struct trace_subject *subject, struct trace_file *ret,
		    struct err *e);

/* To be run in the strategy's place; the state is the struct trace_file. */
machine_step_fn trace_file_step;

/* Fails if not all could be written. */
int trace_file_close(struct trace_file *t, const char *path, struct err *e);

#endif

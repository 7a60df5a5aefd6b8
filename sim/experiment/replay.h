/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces (peers/core/trace.h) read again: a strategy is given the same events at the same times,
 * and has to ask for the same. A file that is no trace is the user's mistake, and the error names
 * its line.
 */
#ifndef NATSIM_SIM_EXPERIMENT_REPLAY_H
#define NATSIM_SIM_EXPERIMENT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "peers/core/trace.h"
#include "sim/experiment/jsonl.h"

/* Longer than any trace of one attempt: an hour of them has some 40 MB. */
#define REPLAY_SIZE_MAX (64u << 20)

/* 2^53 us are 285 years, and what all readers of JSON take for exact; sums of a few such times are
 * far from NEVER. */
#define REPLAY_TIME_MAX_US (UINT64_C(1) << 53)

#define REPLAY_VERSION_SIZE 32

/* The first line. */
struct replay_head {
	const struct strategy *strategy;
	struct strategy_config config;
	char version[REPLAY_VERSION_SIZE]; /* of the natsim that wrote it */
	uint64_t start_us;
};

/* Each other line. */
struct replay_step {
	size_t line;
	uint64_t at_us;     /* since the start */
	struct event event; /* points to the data below */
	bool whole; /* false: the peer ended within it, and what it asked for is not known */
	struct actions actions;
	uint64_t wake_us; /* since the start, or NEVER */
	uint8_t data[TRACE_DATA_MAX];
};

struct replay_reader {
	struct jsonl_file file;
	uint64_t last_at_us; /* of the last step */
};

int replay_get_head(const struct jsonl *o, struct replay_head *ret);

/* name and text outlive the reader. */
int replay_open(const char *name, const char *text, size_t len, struct replay_reader *ret_reader,
		struct replay_head *ret_head, struct err *e);

/* Returns 1, 0 behind the last step, or a negative errno. */
int replay_next(struct replay_reader *r, struct replay_step *ret, struct err *e);

/* Says in out whether the strategy does what it did. Returns 0, or ERR_RESULT where it does not, or
 * a negative errno. */
int replay_run(const char *name, const char *text, size_t len, struct buf *out, struct err *e);

/* The trace as a time line. Strategies are not run. */
int replay_print(const char *name, const char *text, size_t len, struct buf *out, struct err *e);

/* An event or action in words. shortened: of long data only the start. */
void replay_words(const struct trace_item *item, bool shortened, struct buf *out);

/* "12.345 ms" */
void replay_ms(uint64_t us, struct buf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * natsim held against the bare system, each in turns with what it is compared with. The caller has
 * gone through sim/lab/enter.h and is process 1 of its PID namespace with no child left: what a
 * measurement waits for is that there is none again.
 */
#ifndef NATSIM_SIM_BENCH_BENCH_H
#define NATSIM_SIM_BENCH_BENCH_H

#include "lib/err.h"
#include "sim/bench/figure.h"
#include "sim/experiment/catalog.h"

struct bench {
	const struct catalog *catalog;
	const char *scratch_dir; /* for files that nobody needs afterwards */
	struct figures figures;
};

/* A lab brought up and taken down, against the bare system calls and against the script that
 * `natsim plan --script` prints. */
int bench_lab(struct bench *b, struct err *e);

/* Rulesets loaded, against that of one rule. */
int bench_rulesets(struct bench *b, struct err *e);

/* Processor time of a trial, against starting two programs that do nothing. */
int bench_trial(struct bench *b, struct err *e);

/* Trials a second of the twin, against the lab. */
int bench_twin(struct bench *b, struct err *e);

/* What the wire forwards, against the kernel. */
int bench_throughput(struct bench *b, struct err *e);

/* What routers forward, each mapping with each filtering, against one of one rule. */
int bench_routers(struct bench *b, struct err *e);

/* How exactly the wire keeps the delay and the loss it was told. */
int bench_exactness(struct bench *b, struct err *e);

/* `natsim run all`, as a whole. */
int bench_run(struct bench *b, struct err *e);

#endif

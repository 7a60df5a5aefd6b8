/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the command. Each is one file here; sim/natsim.c has the table. */
#ifndef NATSIM_SIM_VERBS_VERB_H
#define NATSIM_SIM_VERBS_VERB_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "sim/experiment/run.h"

struct verb {
	const char *name;
	const char *synopsis; /* what follows "natsim NAME" */
	const char *about;    /* one line */
	const char *help;     /* the rest of the help text, or "" */
	bool parallel;        /* takes -j N */

	/* argv[0] is the verb's name. Returns the exit status, or a negative errno with e set. */
	int (*run)(int argc, char **argv, struct err *e);
};

extern const struct verb verb_run, verb_classify, verb_models, verb_model, verb_topologies,
	verb_exec, verb_plan, verb_replay, verb_bench;

/* Labs at once: one that waits costs nothing, so there may be many more than processors. The twin
 * never waits. */
#define VERB_WORKERS_MAX 256u
uint64_t verb_default_workers(enum run_world world);

/* lab or twin. */
int verb_parse_world(const char *text, enum run_world *ret, struct err *e);

/* Makes the process one in which that world can be: labs need namespaces, and a machine that can
 * what they need; the twin needs nothing. Signals that end natsim wait for pool_run. */
int verb_enter_world(enum run_world world, struct err *e);

void verb_print_help(const struct verb *v);

/*
 * The next option, by getopt_long: operands may stand between options and are at argv[optind]
 * onwards in the end. Returns the option's val, -1 when there are no more, or -EINVAL with e set.
 * Prints the verb's help and exits at -h and --help, which need not be listed. -j N, of a verb that
 * is parallel, is the val 'j'.
 */
int verb_option(const struct verb *v, int argc, char **argv, const struct option *options,
		struct err *e);

/* What remains after the options must be this many operands. */
int verb_operands(const struct verb *v, int argc, int least, int most, struct err *e);

/* ROLE=MODEL, split in place. */
int verb_parse_nat(char *text, struct stage_config *config, struct err *e);

/* A whole number in [least, most]; what names it in the error. */
int verb_parse_number(const char *what, const char *text, uint64_t least, uint64_t most,
		      uint64_t *ret, struct err *e);

#endif

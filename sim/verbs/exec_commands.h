/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands in the command line of `natsim exec`: NODE -- COMMAND..., once, and --with NODE --
 * COMMAND..., as often as one likes and in any order. A command ends where the next one begins.
 */
#ifndef NATSIM_SIM_VERBS_EXEC_COMMANDS_H
#define NATSIM_SIM_VERBS_EXEC_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "sim/model/plan.h"

#define EXEC_COMMANDS_MAX 32u

struct exec_command {
	unsigned node; /* of the plan */
	char **argv;   /* within natsim's own, ended by NULL */
	bool beside;   /* --with */
};

struct exec_commands {
	struct exec_command items[EXEC_COMMANDS_MAX];
	size_t count;
};

/* The index of the first "[--with] NODE --", or argc. What stands before it are options and the
 * topology. */
int exec_commands_begin(int argc, char **argv);

/* Reads the commands from argv[at] on; exactly one is without --with. Writes the NULLs into argv.
 */
int exec_commands_read(const struct plan *plan, int argc, char **argv, int at,
		       struct exec_commands *ret, struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer contract: what a program that the lab starts is told, as environment variables NATSIM_*
 * and as {placeholders} in its command line. docs/peer-contract.md is its text.
 */
#ifndef NATSIM_SIM_EXPERIMENT_CONTRACT_H
#define NATSIM_SIM_EXPERIMENT_CONTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"

/* What does not apply is left zero, and is then not told. */
struct contract {
	const char *role, *session, *strategy, *transport;
	struct endpoint rendezvous, rendezvous_alt;
	uint64_t seed;
	uint64_t give_up_us, start_delay_us; /* told in whole milliseconds */
};

#define CONTRACT_VARIABLES_MAX 12u
#define CONTRACT_VALUE_SIZE    128u

/* The longest text that may be told: with the name of any variable it fits. */
#define CONTRACT_TEXT_MAX 100u

/* The variables as NAME=VALUE, ended by NULL. */
struct contract_env {
	char text[CONTRACT_VARIABLES_MAX][CONTRACT_VALUE_SIZE];
	const char *list[CONTRACT_VARIABLES_MAX + 1];
};
void contract_env_fill(const struct contract *c, struct contract_env *ret);

/*
 * The command line with each {name} replaced, where name is that of a variable without NATSIM_ and
 * in small letters; other braces are left alone. On the heap, ended by NULL.
 */
char **contract_command(const struct contract_env *env, const char *const *argv);
void contract_command_free(char **argv);
static inline void contract_command_cleanup(char ***argv)
{
	contract_command_free(*argv);
}

#endif

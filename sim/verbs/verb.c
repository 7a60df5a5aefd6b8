// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/verbs/verb.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/enter.h"
#include "sim/lab/signals.h"

uint64_t verb_default_workers(enum run_world world)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t workers = processors > 0 ? (uint64_t)processors : 1u;

	if (world == RUN_IN_LAB)
		workers *= 40;
	return workers < VERB_WORKERS_MAX ? workers : VERB_WORKERS_MAX;
}

int verb_parse_world(const char *text, enum run_world *ret, struct err *e)
{
	for (enum run_world w = RUN_IN_LAB; w <= RUN_IN_TWIN; w++)
		if (strcmp(text, run_world_name(w)) == 0) {
			*ret = w;
			return 0;
		}
	return err_set_input(e, "--world: no world \"%s\"; there are: lab, twin", text);
}

int verb_enter_world(enum run_world world, struct err *e)
{
	signals_block();
	if (world == RUN_IN_TWIN)
		return 0;
	int code = enter_namespaces(e);
	return code < 0 ? code : enter_check_machine(e);
}

void verb_print_help(const struct verb *v)
{
	(void)printf("usage: natsim %s%s%s\n\n%s.\n", v->name, v->synopsis[0] != '\0' ? " " : "",
		     v->synopsis, v->about);
	if (v->help[0] != '\0')
		(void)printf("\n%s", v->help);
}

/* Of letters in one word, as in -xy, only the letter is known; the word may not be over yet. */
static int no_option(const struct verb *v, char **argv, struct err *e)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	bool short_option = optopt > 0 && optopt <= UCHAR_MAX;

	return err_set_input(e, "%s has no option %s; see natsim help %s", v->name,
			     short_option ? letter : argv[optind - 1], v->name);
}

int verb_option(const struct verb *v, int argc, char **argv, const struct option *options,
		struct err *e)
{
	opterr = 0;
	int val = getopt_long(argc, argv, v->parallel ? ":hj:" : ":h", options, NULL);

	switch (val) {
	case 'h':
		verb_print_help(v);
		exit(fflush(stdout) == EOF ? ERR_MACHINE : 0);
	case ':':
		return err_set_input(e, "%s %s needs a value; see natsim help %s", v->name,
				     argv[optind - 1], v->name);
	case '?':
		return no_option(v, argv, e);
	default:
		return val;
	}
}

int verb_operands(const struct verb *v, int argc, int least, int most, struct err *e)
{
	int count = argc - optind;

	if (count >= least && count <= most)
		return 0;
	return err_set_input(e, "%s; usage: natsim %s %s",
			     count < least ? "something is missing" : "that is too much", v->name,
			     v->synopsis);
}

int verb_parse_nat(char *text, struct stage_config *config, struct err *e)
{
	char *equals = strchr(text, '=');

	if (equals == NULL || equals == text || equals[1] == '\0')
		return err_set_input(e, "--nat %s: not ROLE=MODEL", text);
	if (config->nats_count == STAGE_NATS_MAX)
		return err_set_input(e, "--nat is given more than %u times", STAGE_NATS_MAX);
	*equals = '\0';
	config->nats[config->nats_count++] = (struct stage_nat){ text, equals + 1 };
	return 0;
}

int verb_parse_number(const char *what, const char *text, uint64_t least, uint64_t most,
		      uint64_t *ret, struct err *e)
{
	char *end;

	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || number < least ||
	    number > most)
		return err_set_input(e, "%s %s: not a whole number from %llu to %llu", what, text,
				     (unsigned long long)least, (unsigned long long)most);
	*ret = number;
	return 0;
}

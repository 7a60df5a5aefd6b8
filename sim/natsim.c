// SPDX-License-Identifier: GPL-2.0-or-later
/* The command: a table of verbs. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "sim/verbs/verb.h"

static const struct verb *const verbs[] = {
	&verb_run,  &verb_classify, &verb_models, &verb_model, &verb_topologies,
	&verb_exec, &verb_plan,     &verb_replay, &verb_bench,
};

#define VERBS_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERBS_COUNT; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static void print_usage(void)
{
	(void)puts("usage: natsim VERB [ARGUMENT]...\n\n"
		   "A lab for NAT traversal: a small Internet inside this machine.\n");
	for (size_t i = 0; i < VERBS_COUNT; i++)
		(void)printf("  %-11s %s\n", verbs[i]->name, verbs[i]->about);
	(void)puts(
		"\n`natsim help VERB` says more. Exit status: 0 all as expected, 1 a result is not\n"
		"as expected, 2 the input is wrong, 3 this machine cannot.");
}

static int no_verb(const char *name, struct err *e)
{
	return err_set_input(e, "no verb \"%s\"; see natsim help", name);
}

static int help(int argc, char **argv, struct err *e)
{
	if (argc < 3 || strcmp(argv[2], "help") == 0) {
		print_usage();
		return 0;
	}
	const struct verb *v = find_verb(argv[2]);
	if (v == NULL)
		return no_verb(argv[2], e);
	verb_print_help(v);
	return 0;
}

static int dispatch(int argc, char **argv, struct err *e)
{
	if (argc < 2)
		return err_set_input(e, "which verb? see natsim help");
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return help(argc, argv, e);
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("natsim " NATSIM_VERSION);
		return 0;
	}
	const struct verb *v = find_verb(argv[1]);
	return v == NULL ? no_verb(argv[1], e) : v->run(argc - 1, argv + 1, e);
}

/* A standard descriptor that is closed would be the number of the next thing opened: a table would
 * go into a file of results, and a command would read one of our sockets. What takes its place here
 * is open the wrong way round, so that using it fails as before. */
static bool fill_standard_descriptors(void)
{
	static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags[fd]) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (!fill_standard_descriptors())
		return ERR_MACHINE; /* and nowhere to say so */
	int status = dispatch(argc, argv, &e);

	if (status < 0) {
		(void)fprintf(stderr, "natsim: %s\n", e.text);
		status = (int)e.kind;
	}
	/* A full disk behind a redirected table is a failure too. A write that failed earlier, when
	 * the buffer was full, has left its mark on the stream alone. */
	errno = 0;
	if ((fflush(stdout) == EOF || ferror(stdout) != 0) && status == 0) {
		(void)fprintf(stderr, "natsim: standard output: %s\n",
			      errno != 0 ? strerror(errno) : "not all of it could be written");
		status = ERR_MACHINE;
	}
	return status;
}

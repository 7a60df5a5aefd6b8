// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/verbs/exec_commands.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/cleanup.h"

int exec_commands_begin(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return strcmp(argv[i - 2], "--with") == 0 ? i - 2 : i - 1;
	return argc;
}

/* A node's name may be a command's own word. "--with NAME --" is not taken for that, lest a name
 * that is not there should go unseen. */
static bool begins_command(const struct plan *plan, char **argv, int argc, int at)
{
	if (strcmp(argv[at], "--with") == 0)
		return at + 2 < argc && strcmp(argv[at + 2], "--") == 0;
	return at + 1 < argc && strcmp(argv[at + 1], "--") == 0 && plan_node(plan, argv[at]) >= 0;
}

static int no_node(const struct plan *plan, const char *name, struct err *e)
{
	CLEANUP(buf) struct buf list = BUF_INIT;

	for (size_t i = 0; i < plan->nodes_count; i++)
		buf_printf(&list, "%s%s", i == 0 ? "" : ", ", plan->nodes[i].name);
	return err_set_input(e, "no node \"%s\"; there are: %s", name, buf_text(&list));
}

/* Reads one command at argv[*at] and moves *at behind it. */
static int read_command(const struct plan *plan, int argc, char **argv, int *at,
			struct exec_command *ret, struct err *e)
{
	bool beside = strcmp(argv[*at], "--with") == 0;

	*at += beside;
	int node = plan_node(plan, argv[*at]), command = *at + 2;
	if (node < 0)
		return no_node(plan, argv[*at], e);
	if (command >= argc || begins_command(plan, argv, argc, command))
		return err_set_input(e, "which command in %s?", argv[*at]);
	*ret = (struct exec_command){ (unsigned)node, argv + command, beside };
	for (*at = command; *at < argc && !begins_command(plan, argv, argc, *at);)
		++*at;
	return 0;
}

/* The slot behind a command held "--with" or a node's name, both of which have been read by then,
 * and takes the NULL that ends it. */
int exec_commands_read(const struct plan *plan, int argc, char **argv, int at,
		       struct exec_commands *ret, struct err *e)
{
	int ends[EXEC_COMMANDS_MAX];
	struct exec_commands commands = { .count = 0 };
	size_t mains = 0;

	while (at < argc) {
		if (commands.count == EXEC_COMMANDS_MAX)
			return err_set_input(e, "more than %u commands", EXEC_COMMANDS_MAX);
		struct exec_command *c = &commands.items[commands.count];
		int code = read_command(plan, argc, argv, &at, c, e);
		if (code < 0)
			return code;
		mains += !c->beside;
		ends[commands.count++] = at;
	}
	if (mains != 1)
		return err_set_input(e, mains == 0 ? "which NODE -- COMMAND? see natsim help exec"
						   : "only one command can be without --with");
	for (size_t i = 0; i < commands.count; i++)
		argv[ends[i]] = NULL;
	*ret = commands;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "lib/cleanup.h"
#include "sim/experiment/file.h"
#include "sim/experiment/replay.h"
#include "sim/verbs/verb.h"

enum { OPT_PRINT = 256 };

static const struct option options[] = {
	{ "print", no_argument, NULL, OPT_PRINT },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Returns the exit status, or a negative errno. */
static int replay(const char *path, bool print, struct err *e)
{
	CLEANUP(buf) struct buf text = BUF_INIT;
	CLEANUP(buf) struct buf out = BUF_INIT;
	int code = file_read(path, REPLAY_SIZE_MAX + 1u, &text, e);

	if (code < 0)
		return code;
	if (text.len > REPLAY_SIZE_MAX)
		return err_set_input_at(e, path, 0, 0, "is longer than %u bytes", REPLAY_SIZE_MAX);
	code = print ? replay_print(path, buf_text(&text), text.len, &out, e)
		     : replay_run(path, buf_text(&text), text.len, &out, e);
	(void)fputs(buf_text(&out), stdout);
	return code;
}

static int run(int argc, char **argv, struct err *e)
{
	bool print = false;
	int val, code;

	while ((val = verb_option(&verb_replay, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		print = true;
	}
	code = verb_operands(&verb_replay, argc, 1, 1, e);
	return code < 0 ? code : replay(argv[optind], print, e);
}

const struct verb verb_replay = {
	.name = "replay",
	.synopsis = "FILE [--print]",
	.about = "Run the trace of a peer again",
	.help = "Its strategy gets the same events at the same times; the first step in which it does\n"
		"anything else is reported, with exit status 1.\n\n"
		"  --print  show the trace as a time line, without running anything\n",
	.run = run,
};

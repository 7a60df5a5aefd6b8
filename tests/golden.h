/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that are compared with a file in tests/golden/. GOLDEN_UPDATE=1 in the environment writes
 * the files instead; what changed is then for `git diff` to show and for a person to judge.
 */
#ifndef NATSIM_TESTS_GOLDEN_H
#define NATSIM_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "tests/model_files.h"

static inline void golden_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		fail_msg("%s cannot be written", path);
}

static inline unsigned golden_line_of_difference(const char *a, const char *b)
{
	unsigned line = 1;

	for (; *a != '\0' && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

static inline void golden_compare(const char *name, const char *text)
{
	char path[128];
	struct buf expected = BUF_INIT;

	(void)snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("GOLDEN_UPDATE") != NULL) {
		golden_write(path, text);
		return;
	}
	if (!model_files_read(path, &expected))
		fail_msg("%s is missing; GOLDEN_UPDATE=1 writes it", path);
	if (strcmp(buf_text(&expected), text) != 0)
		fail_msg("differs from line %u of %s on; GOLDEN_UPDATE=1 writes it anew",
			 golden_line_of_difference(buf_text(&expected), text), path);
	buf_fini(&expected);
}

#endif

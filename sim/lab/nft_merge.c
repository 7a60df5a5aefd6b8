// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/nft_merge.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct line {
	char *text;
	size_t len;
};

static bool is(struct line line, const char *text)
{
	return line.len == strlen(text) && memcmp(line.text, text, line.len) == 0;
}

static bool same(struct line a, struct line b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static bool opens_table(struct line line)
{
	static const char start[] = "table ";
	size_t len = strlen(start);

	return line.len > len && memcmp(line.text, start, len) == 0 &&
	       line.text[line.len - 1] == '{';
}

static bool says_nothing(struct line line)
{
	return line.len == 0 || line.text[0] == '#';
}

static void blank(struct line line)
{
	memset(line.text, ' ', line.len);
}

char *nft_merge_tables(const char *text)
{
	char *merged = strdup(text);
	struct line opener = { NULL, 0 }, closer = { NULL, 0 };

	assert(merged != NULL);
	for (char *p = merged; *p != '\0'; p += *p == '\n') {
		struct line line = { p, strcspn(p, "\n") };

		p += line.len;
		if (says_nothing(line))
			continue;
		if (opens_table(line)) {
			if (closer.text != NULL && same(line, opener)) {
				blank(closer);
				blank(line);
			} else {
				opener = line;
			}
		}
		closer = is(line, "}") ? line : (struct line){ NULL, 0 };
	}
	return merged;
}

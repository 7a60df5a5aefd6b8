/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every ruleset must keep to. */
#ifndef NATSIM_TESTS_SOUND_RULESET_H
#define NATSIM_TESTS_SOUND_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
#define SMALL    "abcdefghijklmnopqrstuvwxyz_0123456789"

/* nft takes capital letters as a variable's name; each must have its define at the head. */
static inline void assert_names_are_defined(const char *text)
{
	const char *head_end = strstr(text, "\ntable ip natsim\n");

	assert_non_null(head_end);
	for (const char *p = strchr(text, '$'); p != NULL; p = strchr(p + 1, '$')) {
		size_t len = strspn(p + 1, CAPITALS);
		char define[64];

		assert_true(len > 0);
		(void)snprintf(define, sizeof(define), "\ndefine %.*s = ", (int)len, p + 1);
		const char *at = strstr(text, define);
		if (at == NULL || at > head_end)
			fail_msg("%.*s is not defined at the head", (int)len + 1, p);
	}
}

/* An address has three between its digits, the number of a section has fewer. */
static inline size_t count_dots(const char *p, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++)
		dots += p[i] == '.' && i > 0 && i + 1 < len;
	return dots;
}

/* A router other than natsim's changes the head and nothing else. */
static inline void assert_only_the_head_has_names_and_addresses(const char *text)
{
	const char *body = strstr(text, "\ntable ip natsim\n");

	assert_non_null(body);
	for (const char *p = strstr(body, "ifname"); p != NULL; p = strstr(p + 1, "ifname"))
		if (strncmp(p, "ifname $OUTSIDE", 15) != 0 &&
		    strncmp(p, "ifname != $OUTSIDE", 18) != 0)
			fail_msg("the name of an interface: %.40s", p);
	for (const char *p = body + strcspn(body, "0123456789"); *p != '\0';
	     p += strcspn(p, "0123456789")) {
		size_t len = strspn(p, "0123456789.");

		if (count_dots(p, len) >= 3)
			fail_msg("an address: %.40s", p);
		p += len;
	}
}

/* A chain, set or map (kind) is there by the end of the block that names it at p. */
static inline void assert_declared(const char *text, const char *p, const char *kind)
{
	size_t len = strspn(p, SMALL);
	const char *block_end = strstr(p, "\ntable ip natsim {");
	char declared[96];

	assert_true(len > 0);
	(void)snprintf(declared, sizeof(declared), "\n\t%s %.*s {\n", kind, (int)len, p);
	const char *at = strstr(text, declared);
	if (at != NULL && (block_end == NULL || at < block_end))
		return;
	if (strcmp(kind, "set") != 0)
		fail_msg("there is no chain or map %.*s yet", (int)len, p);
	assert_declared(text, p, "map");
}

static inline void assert_line_is_sound(const char *text, const char *line, size_t len)
{
	static const char *const jumps[] = { "jump ", "goto " };
	/* A generated list. */
	bool listed = (len > 1 && line[0] == '\t' && line[1] >= '0' && line[1] <= '9') ||
		      strncmp(line, "\t$HOST_", 7) == 0 ||
		      memmem(line, len, ": jump row_", 11) != NULL ||
		      memmem(line, len, ": goto translate_", 17) != NULL;

	if (len > 200 && !listed)
		fail_msg("a line of %zu characters: %.80s", len, line);
	if (line[strspn(line, "\t ")] == '#')
		return;
	if (memchr(line, '"', len) != NULL && strncmp(line, "define OUTSIDE", 14) != 0)
		fail_msg("a name in quotes: %.80s", line);
	for (const char *p = line; (p = memchr(p, '@', (size_t)(line + len - p))) != NULL; p++)
		assert_declared(text, p + 1, "set");
	for (size_t i = 0; i < 2; i++)
		for (const char *p = line;
		     (p = memmem(p, (size_t)(line + len - p), jumps[i], 5)) != NULL; p += 5)
			assert_declared(text, p + 5, "chain");
}

static inline void assert_sound(const char *text)
{
	assert_names_are_defined(text);
	assert_only_the_head_has_names_and_addresses(text);
	assert_null(strstr(text, "SPDX"));
	assert_non_null(strstr(text, "\ntable ip natsim\ndelete table ip natsim\n"));
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		assert_line_is_sound(text, line, len);
		line += len + (line[len] == '\n');
	}
}

#endif

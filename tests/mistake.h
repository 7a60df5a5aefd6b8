/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of NAT models that are refused, for tests of where they say so. */
#ifndef NATSIM_TESTS_MISTAKE_H
#define NATSIM_TESTS_MISTAKE_H

#include <stdio.h>
#include <string.h>

#include "sim/model/nat_model.h"

#define BEHAVIORS "about: x\nmapping: endpoint-independent\nfiltering: address-dependent\n"
#define SYMMETRIC                                         \
	"about: x\nmapping: address-and-port-dependent\n" \
	"filtering: address-and-port-dependent\n"
#define UNTRANSLATED "about: x\nmapping: none\nfiltering: address-dependent\n"
#define SHARED       SYMMETRIC "ports: { overloading: yes }\n"

struct mistake {
	const char *text, *expected; /* after "dir/some-name.yaml:" */
};

static inline int parse(const char *text, struct nat_model *ret, struct err *e)
{
	return nat_model_parse("dir/some-name.yaml", text, strlen(text), ret, e);
}

static inline void assert_refused(const struct mistake *cases, size_t count)
{
	char expected[512];

	for (size_t i = 0; i < count; i++) {
		struct nat_model m = { .name = "untouched" };
		struct err e = { .text = "" };

		if (parse(cases[i].text, &m, &e) == 0)
			fail_msg("taken: %s", cases[i].text);
		(void)snprintf(expected, sizeof(expected), "dir/some-name.yaml:%s",
			       cases[i].expected);
		if (strcmp(e.text, expected) != 0)
			fail_msg("%s\n%s\n%s", cases[i].text, e.text, expected);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_string_equal(m.name, "untouched");
		assert_null(m.about);
	}
}
#define ASSERT_REFUSED(cases) assert_refused(cases, sizeof(cases) / sizeof((cases)[0]))

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets of models given as text, for tests of what is in them. */
#ifndef NATSIM_TESTS_COMPOSED_H
#define NATSIM_TESTS_COMPOSED_H

#include "lib/buf.h"
#include "sim/model/ruleset.h"
#include "tests/model_files.h"

static const struct ruleset_site composed_site = {
	.outside_ifname = "wan",
	.outside_addr = 0xc6336402,   /* 198.51.100.2 */
	.inside = { 0x0a010001, 24 }, /* 10.1.0.1/24 */
};

static inline int composed_setup(void **state)
{
	static struct ruleset_files rules;

	model_files_rules(&rules);
	*state = &rules;
	return 0;
}

static inline int composed_teardown(void **state)
{
	model_files_rules_free(*state);
	return 0;
}

static inline void composed_of(const struct nat_model *m, const struct ruleset_files *rules,
			       struct buf *ret)
{
	struct err e = { .text = "" };

	*ret = (struct buf)BUF_INIT;
	if (ruleset_compose(m, &composed_site, rules, ret, &e) < 0)
		fail_msg("%s", e.text);
}

/* yaml is a model's file without the line "about". */
static inline void composed_from(const char *yaml, const struct ruleset_files *rules,
				 struct buf *ret)
{
	struct nat_model m;
	struct err e = { .text = "" };
	struct buf text = BUF_INIT;

	buf_printf(&text, "about: x\n%s\n", yaml);
	if (nat_model_parse("x.yaml", text.data, text.len, &m, &e) < 0)
		fail_msg("%s\n%s", yaml, e.text);
	composed_of(&m, rules, ret);
	buf_fini(&text);
	nat_model_fini(&m);
}

#endif

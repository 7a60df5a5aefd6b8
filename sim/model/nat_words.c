// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_words.h"

#include <assert.h>
#include <stddef.h>

#include "sim/model/nat_model.h"

#define UNKNOWN                             \
	{                                   \
		"unknown", NAT_WORD_UNKNOWN \
	}
#define COUNT(words) CYAML_ARRAY_LEN(words)

const struct cyaml_strval nat_words_mapping[5] = {
	{ "endpoint-independent", NAT_ENDPOINT_INDEPENDENT + 1 },
	{ "address-dependent", NAT_ADDRESS_DEPENDENT + 1 },
	{ "address-and-port-dependent", NAT_ADDRESS_AND_PORT_DEPENDENT + 1 },
	UNKNOWN,
	{ "none", NAT_WORD_NONE },
};

const struct cyaml_strval nat_words_choose[5] = {
	{ "preserve", NAT_PORTS_PRESERVE + 1 },
	{ "random", NAT_PORTS_RANDOM + 1 },
	{ "sequential", NAT_PORTS_SEQUENTIAL + 1 },
	{ "block", NAT_PORTS_BLOCK + 1 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_on_clash[5] = {
	{ "random", NAT_CLASH_RANDOM + 1 },
	{ "sequential", NAT_CLASH_SEQUENTIAL + 1 },
	{ "same-class", NAT_CLASH_SAME_CLASS + 1 },
	{ "drop", NAT_CLASH_DROP + 1 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_unsolicited[6] = {
	{ "drop", NAT_UNSOLICITED_DROP + 1 },
	{ "icmp", NAT_UNSOLICITED_ICMP + 1 },
	{ "accept", NAT_UNSOLICITED_ACCEPT + 1 },
	{ "block", NAT_UNSOLICITED_BLOCK + 1 },
	UNKNOWN,
	{ "rst", NAT_UNSOLICITED_RST + 1 },
};

const struct cyaml_strval nat_words_hairpin[4] = {
	{ "none", NAT_HAIRPIN_OFF + 1 },
	{ "internal-source", NAT_HAIRPIN_INTERNAL_SOURCE + 1 },
	{ "external-source", NAT_HAIRPIN_EXTERNAL_SOURCE + 1 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_refresh[5] = {
	{ "both", NAT_REFRESH_BOTH + 1 },
	{ "outbound", NAT_REFRESH_OUTBOUND + 1 },
	{ "inbound", NAT_REFRESH_INBOUND + 1 },
	{ "nothing", NAT_REFRESH_NONE + 1 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_rst[4] = {
	{ "ignored", NAT_RST_IGNORED + 1 },
	{ "in-window", NAT_RST_IN_WINDOW + 1 },
	{ "any", NAT_RST_ANY + 1 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_icmp_errors[3] = {
	{ "translated", 1 },
	{ "dropped", 2 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_blocked[4] = {
	{ "nothing", NAT_BLOCKS_NOTHING + 1 },
	{ "udp", NAT_BLOCKS_UDP + 1 },
	{ "all-but-tcp-443", NAT_BLOCKS_ALL_BUT_TCP_443 + 1 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_pool[3] = {
	{ "paired", 1 },
	{ "arbitrary", 2 },
	UNKNOWN,
};

const struct cyaml_strval nat_words_axis[13] = {
	{ "mapping", NAT_AXIS_MAPPING + 1 },
	{ "filtering", NAT_AXIS_FILTERING + 1 },
	{ "ports", NAT_AXIS_PORTS + 1 },
	{ "pool", NAT_AXIS_POOL + 1 },
	{ "unsolicited", NAT_AXIS_UNSOLICITED + 1 },
	{ "hairpin", NAT_AXIS_HAIRPIN + 1 },
	{ "timeouts", NAT_AXIS_TIMEOUTS + 1 },
	{ "refresh", NAT_AXIS_REFRESH + 1 },
	{ "rst", NAT_AXIS_RST + 1 },
	{ "icmp_errors", NAT_AXIS_ICMP_ERRORS + 1 },
	{ "forwards", NAT_AXIS_FORWARDS + 1 },
	{ "blocked", NAT_AXIS_BLOCKED + 1 },
	{ "ruleset", NAT_AXIS_RULESET + 1 },
};

const struct cyaml_strval nat_words_transport[2] = {
	{ "udp", NAT_UDP + 1 },
	{ "tcp", NAT_TCP + 1 },
};

static const char *word_of(const struct cyaml_strval *words, size_t count, int value)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].val == value + 1)
			return words[i].str;
	assert(false);
	return NULL;
}

const char *nat_transport_name(enum nat_transport t)
{
	return word_of(nat_words_transport, COUNT(nat_words_transport), (int)t);
}

const char *nat_behavior_name(enum nat_behavior b)
{
	return word_of(nat_words_mapping, COUNT(nat_words_mapping), (int)b);
}

const char *nat_port_choice_name(enum nat_port_choice c)
{
	return word_of(nat_words_choose, COUNT(nat_words_choose), (int)c);
}

const char *nat_on_clash_name(enum nat_on_clash c)
{
	return word_of(nat_words_on_clash, COUNT(nat_words_on_clash), (int)c);
}

const char *nat_unsolicited_name(enum nat_unsolicited u)
{
	return word_of(nat_words_unsolicited, COUNT(nat_words_unsolicited), (int)u);
}

const char *nat_hairpin_name(enum nat_hairpin h)
{
	return word_of(nat_words_hairpin, COUNT(nat_words_hairpin), (int)h);
}

const char *nat_refresh_name(enum nat_refresh r)
{
	return word_of(nat_words_refresh, COUNT(nat_words_refresh), (int)r);
}

const char *nat_rst_name(enum nat_rst r)
{
	return word_of(nat_words_rst, COUNT(nat_words_rst), (int)r);
}

const char *nat_blocked_name(enum nat_blocked b)
{
	return word_of(nat_words_blocked, COUNT(nat_words_blocked), (int)b);
}

const char *nat_axis_name(enum nat_axis a)
{
	return word_of(nat_words_axis, COUNT(nat_words_axis), (int)a);
}

const char *nat_mapping_name(const struct nat_model *m, enum nat_transport t)
{
	return m->translates ? nat_behavior_name(m->of[t].mapping) : "none";
}

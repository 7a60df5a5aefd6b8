// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/model/yaml.h"

/* RFC 4787, REQ-5: a UDP mapping must not expire in less than two minutes. */
#define DEFAULT_UDP_S             120u
/* RFC 5382, REQ-5: at least 2 hours 4 minutes established, 4 minutes transitory. */
#define DEFAULT_TCP_ESTABLISHED_S 7440u
#define DEFAULT_TCP_TRANSITORY_S  240u
/* What conntrack takes: seconds times HZ must fit 31 bits. */
#define TIMEOUT_MAX_S             1000000u
/* RFC 4787, REQ-3a keeps the well-known ports apart. */
#define DEFAULT_PORT_FIRST        1024
#define DEFAULT_PORT_LAST         65535

/* ---- the words */

/* In the raw structs 0 is a key that is not there, so each word stands for its value plus one. */
enum { RAW_NONE = NAT_ADDRESS_AND_PORT_DEPENDENT + 2 };

static const struct cyaml_strval mapping_words[] = {
	{ "endpoint-independent", NAT_ENDPOINT_INDEPENDENT + 1 },
	{ "address-dependent", NAT_ADDRESS_DEPENDENT + 1 },
	{ "address-and-port-dependent", NAT_ADDRESS_AND_PORT_DEPENDENT + 1 },
	{ "none", RAW_NONE },
};
#define BEHAVIOR_COUNT 3 /* those before "none" */

static const struct cyaml_strval choose_words[] = {
	{ "preserve", NAT_PORTS_PRESERVE + 1 },
	{ "random", NAT_PORTS_RANDOM + 1 },
	{ "sequential", NAT_PORTS_SEQUENTIAL + 1 },
};

static const struct cyaml_strval unsolicited_words[] = {
	{ "drop", NAT_UNSOLICITED_DROP + 1 },
	{ "icmp", NAT_UNSOLICITED_ICMP + 1 },
	{ "rst", NAT_UNSOLICITED_RST + 1 },
};
#define UNSOLICITED_UDP_COUNT 2 /* those before "rst" */

static const char *word_of(const struct cyaml_strval *words, size_t count, int value)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].val == value + 1)
			return words[i].str;
	assert(false);
	return NULL;
}

const char *nat_behavior_name(enum nat_behavior b)
{
	return word_of(mapping_words, BEHAVIOR_COUNT, (int)b);
}

const char *nat_port_choice_name(enum nat_port_choice c)
{
	return word_of(choose_words, CYAML_ARRAY_LEN(choose_words), (int)c);
}

const char *nat_unsolicited_name(enum nat_unsolicited u)
{
	return word_of(unsolicited_words, CYAML_ARRAY_LEN(unsolicited_words), (int)u);
}

const char *nat_mapping_name(const struct nat_model *m)
{
	return m->translates ? nat_behavior_name(m->mapping) : "none";
}

bool nat_behavior_parse(const char *name, enum nat_behavior *ret)
{
	for (size_t i = 0; i < BEHAVIOR_COUNT; i++) {
		if (strcmp(mapping_words[i].str, name) == 0) {
			*ret = (enum nat_behavior)(mapping_words[i].val - 1);
			return true;
		}
	}
	return false;
}

/* ---- the file */

struct raw_ports {
	int choose;
	uint16_t *range; /* two of them, or NULL */
	unsigned range_count;
};

struct raw_unsolicited {
	int udp, tcp;
};

struct raw_timeouts {
	char *udp, *tcp_established, *tcp_transitory;
};

struct raw_model {
	char *about;
	int mapping, filtering;
	struct raw_ports *ports;
	struct raw_unsolicited *unsolicited;
	struct raw_timeouts *timeouts;
	char **sources;
	unsigned sources_count;
};

#define OPTIONAL_PTR (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const struct cyaml_schema_value port_schema = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT,
									uint16_t) };

static const struct cyaml_schema_value source_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER,
									    char *, 1, 200) };

static const struct cyaml_schema_field ports_fields[] = {
	CYAML_FIELD_ENUM("choose", CYAML_FLAG_OPTIONAL, struct raw_ports, choose, choose_words,
			 CYAML_ARRAY_LEN(choose_words)),
	CYAML_FIELD_SEQUENCE("range", OPTIONAL_PTR, struct raw_ports, range, &port_schema, 2, 2),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field unsolicited_fields[] = {
	CYAML_FIELD_ENUM("udp", CYAML_FLAG_OPTIONAL, struct raw_unsolicited, udp, unsolicited_words,
			 UNSOLICITED_UDP_COUNT),
	CYAML_FIELD_ENUM("tcp", CYAML_FLAG_OPTIONAL, struct raw_unsolicited, tcp, unsolicited_words,
			 CYAML_ARRAY_LEN(unsolicited_words)),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field timeouts_fields[] = {
	CYAML_FIELD_STRING_PTR("udp", OPTIONAL_PTR, struct raw_timeouts, udp, 1, 20),
	CYAML_FIELD_STRING_PTR("tcp_established", OPTIONAL_PTR, struct raw_timeouts,
			       tcp_established, 1, 20),
	CYAML_FIELD_STRING_PTR("tcp_transitory", OPTIONAL_PTR, struct raw_timeouts, tcp_transitory,
			       1, 20),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field model_fields[] = {
	CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_POINTER, struct raw_model, about, 1, 100),
	CYAML_FIELD_ENUM("mapping", CYAML_FLAG_DEFAULT, struct raw_model, mapping, mapping_words,
			 CYAML_ARRAY_LEN(mapping_words)),
	CYAML_FIELD_ENUM("filtering", CYAML_FLAG_DEFAULT, struct raw_model, filtering,
			 mapping_words, BEHAVIOR_COUNT),
	CYAML_FIELD_MAPPING_PTR("ports", OPTIONAL_PTR, struct raw_model, ports, ports_fields),
	CYAML_FIELD_MAPPING_PTR("unsolicited", OPTIONAL_PTR, struct raw_model, unsolicited,
				unsolicited_fields),
	CYAML_FIELD_MAPPING_PTR("timeouts", OPTIONAL_PTR, struct raw_model, timeouts,
				timeouts_fields),
	CYAML_FIELD_SEQUENCE("sources", OPTIONAL_PTR, struct raw_model, sources, &source_schema, 0,
			     32),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value model_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_model, model_fields) };

/* ---- from the file to the model */

static int read_ports(const struct yaml_source *src, const struct raw_ports *raw,
		      struct nat_model *m, struct err *e)
{
	m->ports.choose = NAT_PORTS_PRESERVE;
	m->ports.first = DEFAULT_PORT_FIRST;
	m->ports.last = DEFAULT_PORT_LAST;
	if (raw != NULL && !m->translates)
		return yaml_error(src, e, "ports",
				  "a router that does not translate (mapping: none) has no ports "
				  "to choose");
	if (raw != NULL && raw->choose != 0)
		m->ports.choose = (enum nat_port_choice)(raw->choose - 1);
	if (raw != NULL && raw->range != NULL) {
		m->ports.first = raw->range[0];
		m->ports.last = raw->range[1];
	}
	if (m->ports.first == 0)
		return yaml_error(src, e, "ports.range[0]", "port 0 cannot be used");
	if (m->ports.last < m->ports.first)
		return yaml_error(src, e, "ports.range", "the range ends before it begins");

	unsigned count = m->ports.last - m->ports.first + 1u;

	if (count < NAT_PORTS_MIN)
		return yaml_error(src, e, "ports.range", "the range has %u ports, %u is the least",
				  count, NAT_PORTS_MIN);
	if (m->ports.choose == NAT_PORTS_SEQUENTIAL && count > NAT_SEQUENTIAL_PORTS_MAX)
		return yaml_error(src, e, "ports.range",
				  "the range has %u ports, %u is the most that are handed out "
				  "in sequence",
				  count, NAT_SEQUENTIAL_PORTS_MAX);
	return 0;
}

/* Whole seconds, minutes or hours: "120s", "4m", "2h". */
static bool parse_seconds(const char *text, uint32_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	uint32_t unit_s;

	if (digits == 0 || digits > 7 || strlen(text) != digits + 1)
		return false;
	switch (text[digits]) {
	case 's':
		unit_s = 1;
		break;
	case 'm':
		unit_s = 60;
		break;
	case 'h':
		unit_s = 3600;
		break;
	default:
		return false;
	}

	unsigned long value = strtoul(text, NULL, 10);

	if (value == 0 || value > TIMEOUT_MAX_S / unit_s)
		return false;
	*ret = (uint32_t)value * unit_s;
	return true;
}

static int read_timeout(const struct yaml_source *src, const char *text, const char *path,
			uint32_t default_s, uint32_t *ret_s, struct err *e)
{
	*ret_s = default_s;
	if (text == NULL || parse_seconds(text, ret_s))
		return 0;
	return yaml_error(
		src, e, path,
		"\"%s\" is no timeout: it is a number of seconds, minutes or hours, as in "
		"120s, 4m, 2h, and %us at most",
		text, TIMEOUT_MAX_S);
}

static int read_timeouts(const struct yaml_source *src, const struct raw_timeouts *raw,
			 struct nat_model *m, struct err *e)
{
	static const struct raw_timeouts none = { NULL, NULL, NULL };
	int r;

	if (raw == NULL)
		raw = &none;
	r = read_timeout(src, raw->udp, "timeouts.udp", DEFAULT_UDP_S, &m->timeouts.udp_s, e);
	if (r == 0)
		r = read_timeout(src, raw->tcp_established, "timeouts.tcp_established",
				 DEFAULT_TCP_ESTABLISHED_S, &m->timeouts.tcp_established_s, e);
	if (r == 0)
		r = read_timeout(src, raw->tcp_transitory, "timeouts.tcp_transitory",
				 DEFAULT_TCP_TRANSITORY_S, &m->timeouts.tcp_transitory_s, e);
	return r;
}

static void read_behaviors(const struct raw_model *raw, struct nat_model *m)
{
	m->translates = raw->mapping != RAW_NONE;
	m->mapping =
		m->translates ? (enum nat_behavior)(raw->mapping - 1) : NAT_ENDPOINT_INDEPENDENT;
	m->filtering = (enum nat_behavior)(raw->filtering - 1);
	m->unsolicited.udp = NAT_UNSOLICITED_DROP;
	m->unsolicited.tcp = NAT_UNSOLICITED_DROP;
	if (raw->unsolicited != NULL && raw->unsolicited->udp != 0)
		m->unsolicited.udp = (enum nat_unsolicited)(raw->unsolicited->udp - 1);
	if (raw->unsolicited != NULL && raw->unsolicited->tcp != 0)
		m->unsolicited.tcp = (enum nat_unsolicited)(raw->unsolicited->tcp - 1);
}

int nat_model_parse(const char *file, const char *data, size_t len, struct nat_model *ret,
		    struct err *e)
{
	struct yaml_source src = { file, data, len };
	struct nat_model m = { .about = NULL };
	void *loaded = NULL;
	int r;

	r = yaml_load(&src, &model_schema, &loaded, NULL, e);
	if (r < 0)
		return r;

	struct raw_model *raw = loaded;

	read_behaviors(raw, &m);
	r = yaml_source_name(&src, m.name, sizeof(m.name), e);
	if (r == 0)
		r = read_ports(&src, raw->ports, &m, e);
	if (r == 0)
		r = read_timeouts(&src, raw->timeouts, &m, e);
	if (r == 0) {
		m.about = steal_ptr(&raw->about);
		m.sources = steal_ptr(&raw->sources);
		m.sources_count = raw->sources_count;
		raw->sources_count = 0;
		*ret = m;
	}
	yaml_unload(&model_schema, raw, 0);
	return r;
}

void nat_model_fini(struct nat_model *m)
{
	free(m->about);
	for (unsigned i = 0; i < m->sources_count; i++)
		free(m->sources[i]);
	free(m->sources);
	*m = (struct nat_model){ .about = NULL };
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_model_raw.h"

#include "sim/model/nat_model.h"
#include "sim/model/nat_words.h"

#define OPTIONAL_PTR (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define OPTIONAL     CYAML_FLAG_OPTIONAL

#define FIELD_WORD(key, structure, member, words) \
	CYAML_FIELD_ENUM(key, OPTIONAL, structure, member, words, CYAML_ARRAY_LEN(words))
#define FIELD_FILTERING(flags, structure)                                             \
	CYAML_FIELD_ENUM("filtering", flags, structure, filtering, nat_words_mapping, \
			 NAT_WORDS_FILTERING_COUNT)

static const struct cyaml_schema_value port_schema = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT,
									uint16_t) };

static const struct cyaml_schema_field ports_fields[] = {
	FIELD_WORD("choose", struct raw_ports, choose, nat_words_choose),
	FIELD_WORD("on_clash", struct raw_ports, on_clash, nat_words_on_clash),
	CYAML_FIELD_SEQUENCE("range", OPTIONAL_PTR, struct raw_ports, range, &port_schema, 2, 2),
	CYAML_FIELD_INT("step", OPTIONAL, struct raw_ports, step),
	CYAML_FIELD_UINT("block", OPTIONAL, struct raw_ports, block),
	CYAML_FIELD_UINT("quota", OPTIONAL, struct raw_ports, quota),
	CYAML_FIELD_BOOL("parity", OPTIONAL, struct raw_ports, parity),
	CYAML_FIELD_BOOL("overloading", OPTIONAL, struct raw_ports, overloading),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field pool_fields[] = {
	CYAML_FIELD_UINT("addresses", CYAML_FLAG_DEFAULT, struct raw_pool, addresses),
	FIELD_WORD("pairing", struct raw_pool, pairing, nat_words_pool),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field unsolicited_fields[] = {
	CYAML_FIELD_ENUM("udp", OPTIONAL, struct raw_unsolicited, udp, nat_words_unsolicited,
			 NAT_WORDS_UNSOLICITED_UDP_COUNT),
	FIELD_WORD("tcp", struct raw_unsolicited, tcp, nat_words_unsolicited),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field timeouts_fields[] = {
	CYAML_FIELD_STRING_PTR("udp", OPTIONAL_PTR, struct raw_timeouts, udp, 1, 20),
	CYAML_FIELD_STRING_PTR("udp_unreplied", OPTIONAL_PTR, struct raw_timeouts, udp_unreplied, 1,
			       20),
	CYAML_FIELD_STRING_PTR("tcp_established", OPTIONAL_PTR, struct raw_timeouts,
			       tcp_established, 1, 20),
	CYAML_FIELD_STRING_PTR("tcp_transitory", OPTIONAL_PTR, struct raw_timeouts, tcp_transitory,
			       1, 20),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field transport_fields[] = {
	CYAML_FIELD_ENUM("mapping", OPTIONAL, struct raw_transport, mapping, nat_words_mapping,
			 NAT_WORDS_FILTERING_COUNT),
	FIELD_FILTERING(OPTIONAL, struct raw_transport),
	FIELD_WORD("choose", struct raw_transport, choose, nat_words_choose),
	FIELD_WORD("on_clash", struct raw_transport, on_clash, nat_words_on_clash),
	CYAML_FIELD_BOOL("overloading", OPTIONAL, struct raw_transport, overloading),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field forward_fields[] = {
	CYAML_FIELD_ENUM("transport", CYAML_FLAG_DEFAULT, struct raw_forward, transport,
			 nat_words_transport, CYAML_ARRAY_LEN(nat_words_transport)),
	CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct raw_forward, port),
	CYAML_FIELD_UINT("host", CYAML_FLAG_DEFAULT, struct raw_forward, host),
	CYAML_FIELD_UINT("host_port", CYAML_FLAG_DEFAULT, struct raw_forward, host_port),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value forward_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_forward, forward_fields) };

static const struct cyaml_schema_value axis_schema = { CYAML_VALUE_ENUM(
	CYAML_FLAG_DEFAULT, int, nat_words_axis, CYAML_ARRAY_LEN(nat_words_axis)) };

static const struct cyaml_schema_field source_fields[] = {
	CYAML_FIELD_SEQUENCE("of", OPTIONAL_PTR, struct raw_source, of, &axis_schema, 1, NAT_AXES),
	CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_POINTER, struct raw_source, text, 1, 300),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value source_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_source, source_fields) };

static const struct cyaml_schema_field model_fields[] = {
	CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_POINTER, struct raw_model, about, 1, 100),
	CYAML_FIELD_ENUM("mapping", CYAML_FLAG_DEFAULT, struct raw_model, mapping,
			 nat_words_mapping, CYAML_ARRAY_LEN(nat_words_mapping)),
	FIELD_FILTERING(CYAML_FLAG_DEFAULT, struct raw_model),
	CYAML_FIELD_MAPPING_PTR("ports", OPTIONAL_PTR, struct raw_model, ports, ports_fields),
	CYAML_FIELD_MAPPING_PTR("pool", OPTIONAL_PTR, struct raw_model, pool, pool_fields),
	CYAML_FIELD_MAPPING_PTR("unsolicited", OPTIONAL_PTR, struct raw_model, unsolicited,
				unsolicited_fields),
	FIELD_WORD("hairpin", struct raw_model, hairpin, nat_words_hairpin),
	CYAML_FIELD_MAPPING_PTR("timeouts", OPTIONAL_PTR, struct raw_model, timeouts,
				timeouts_fields),
	FIELD_WORD("refresh", struct raw_model, refresh, nat_words_refresh),
	FIELD_WORD("rst", struct raw_model, rst, nat_words_rst),
	FIELD_WORD("icmp_errors", struct raw_model, icmp_errors, nat_words_icmp_errors),
	FIELD_WORD("blocked", struct raw_model, blocked, nat_words_blocked),
	CYAML_FIELD_SEQUENCE("forwards", OPTIONAL_PTR, struct raw_model, forwards, &forward_schema,
			     1, 16),
	CYAML_FIELD_STRING_PTR("ruleset", OPTIONAL_PTR, struct raw_model, ruleset, 1, 200),
	CYAML_FIELD_MAPPING_PTR("udp", OPTIONAL_PTR, struct raw_model, udp, transport_fields),
	CYAML_FIELD_MAPPING_PTR("tcp", OPTIONAL_PTR, struct raw_model, tcp, transport_fields),
	CYAML_FIELD_SEQUENCE("sources", OPTIONAL_PTR, struct raw_model, sources, &source_schema, 0,
			     32),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value nat_model_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_model, model_fields) };

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/models.h"

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* unknown: bits, 1 << enum nat_value. */
static json_t *unknown_to_json(unsigned unknown)
{
	static const char *const names[] = {
		"mapping",        "filtering", "choose",      "on_clash",      "unsolicited",
		"pairing",        "hairpin",   "udp_timeout", "udp_unreplied", "tcp_established",
		"tcp_transitory", "refresh",   "rst",         "icmp_errors",   "blocked",
	};
	json_t *array = json_array();

	for (unsigned v = 0; v < sizeof(names) / sizeof(names[0]); v++)
		if ((unknown & 1u << v) != 0)
			(void)json_array_append_new(array, json_string(names[v]));
	return array;
}

static json_t *of_to_json(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];
	json_t *object = json_pack("{s:s, s:s}", "mapping", nat_mapping_name(m, t), "filtering",
				   nat_behavior_name(of->filtering));

	if (m->translates) {
		set(object, "choose", json_string(nat_port_choice_name(of->choose)));
		if (of->choose == NAT_PORTS_PRESERVE && !of->overloads)
			set(object, "on_clash", json_string(nat_on_clash_name(of->on_clash)));
		set(object, "overloading", json_boolean(of->overloads));
	}
	if (nat_model_remembers(m))
		set(object, "unsolicited", json_string(nat_unsolicited_name(of->unsolicited)));
	set(object, "unknown", unknown_to_json(of->unknown));
	return object;
}

static json_t *ports_to_json(const struct nat_model *m)
{
	return json_pack("{s:[i, i], s:i, s:i, s:i, s:b}", "range", (int)m->ports.first,
			 (int)m->ports.last, "step", m->ports.step, "block", (int)m->ports.block,
			 "quota", (int)m->ports.quota, "parity", m->ports.parity);
}

static json_t *forwards_to_json(const struct nat_model *m)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < m->forwards_count; i++) {
		const struct nat_forward *f = &m->forwards[i];

		(void)json_array_append_new(
			array, json_pack("{s:s, s:i, s:i, s:i}", "transport",
					 nat_transport_name(f->transport), "port", (int)f->port,
					 "host", (int)f->host, "host_port", (int)f->host_port));
	}
	return array;
}

static json_t *sources_to_json(const struct nat_model *m)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < m->sources_count; i++) {
		json_t *of = json_array();

		for (unsigned a = 0; a < NAT_AXES; a++)
			if ((m->sources[i].axes & 1u << a) != 0)
				(void)json_array_append_new(
					of, json_string(nat_axis_name((enum nat_axis)a)));
		(void)json_array_append_new(
			array, json_pack("{s:o, s:s}", "of", of, "text", m->sources[i].text));
	}
	return array;
}

json_t *model_to_json(const struct nat_model *m)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "name", m->name, "about", m->about,
				   "udp", of_to_json(m, NAT_UDP), "tcp", of_to_json(m, NAT_TCP));

	if (m->translates) {
		set(object, "ports", ports_to_json(m));
		set(object, "pool",
		    json_pack("{s:i, s:s}", "addresses", (int)m->pool.count, "pairing",
			      m->pool.paired ? "paired" : "arbitrary"));
		set(object, "hairpin", json_string(nat_hairpin_name(m->hairpin)));
		set(object, "refresh", json_string(nat_refresh_name(m->refresh)));
		set(object, "rst", json_string(nat_rst_name(m->rst)));
		set(object, "forwards", forwards_to_json(m));
	}
	if (nat_model_remembers(m))
		set(object, "timeouts_s",
		    json_pack("{s:i, s:i, s:i, s:i}", "udp", (int)(m->timeouts.udp_ms / 1000),
			      "udp_unreplied", (int)(m->timeouts.udp_unreplied_ms / 1000),
			      "tcp_established", (int)(m->timeouts.tcp_established_ms / 1000),
			      "tcp_transitory", (int)(m->timeouts.tcp_transitory_ms / 1000)));
	set(object, "icmp_errors", json_string(m->drops_icmp_errors ? "dropped" : "translated"));
	set(object, "blocked", json_string(nat_blocked_name(m->blocked)));
	if (m->ruleset_file != NULL)
		set(object, "ruleset", json_string(m->ruleset_file));
	set(object, "unknown", unknown_to_json(m->unknown));
	set(object, "sources", sources_to_json(m));
	return object;
}

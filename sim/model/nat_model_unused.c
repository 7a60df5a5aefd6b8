// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_model_unused.h"

/* ---- ports */

static bool clashes(const struct nat_of *of)
{
	return of->choose == NAT_PORTS_PRESERVE && !of->overloads;
}

static struct yaml_path own_path(int t, const char *key)
{
	return yaml_path("%s.%s", nat_transport_name((enum nat_transport)t), key);
}

/* Under `ports`, of a key that both transports say for themselves. */
static int check_overridden(const struct yaml_source *src, const char *key, struct err *e)
{
	struct yaml_path path = yaml_path("ports.%s", key);

	if (!yaml_has(src, path.text) || !yaml_has(src, own_path(NAT_UDP, key).text) ||
	    !yaml_has(src, own_path(NAT_TCP, key).text))
		return 0;
	return yaml_error(src, e, path.text, "udp and tcp each have their own %s", key);
}

/* What a transport's section does not say of overloading is no. */
static int check_overloading(const struct yaml_source *src, struct err *e)
{
	if (!yaml_has(src, "ports.overloading") || !yaml_has(src, "udp") || !yaml_has(src, "tcp"))
		return 0;
	return yaml_error(src, e, "ports.overloading",
			  "udp and tcp each have a section, which says whether they overload");
}

static int check_on_clash(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	static const char *const why = "only ports that are preserved and not shared can clash";
	bool general = false;

	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		struct yaml_path path = own_path(t, "on_clash");
		bool own = yaml_has(src, path.text);

		if (own && !clashes(&m->of[t]))
			return yaml_error(src, e, path.text, "%s", why);
		general = general || (!own && clashes(&m->of[t]));
	}
	if (!general && yaml_has(src, "ports.on_clash"))
		return yaml_error(src, e, "ports.on_clash", "%s", why);
	return 0;
}

static int check_numbers(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	if (!nat_model_uses_ports(m, NAT_PORTS_SEQUENTIAL) && yaml_has(src, "ports.step"))
		return yaml_error(src, e, "ports.step", "only sequential ports have a step");
	if (!nat_model_uses_ports(m, NAT_PORTS_BLOCK) && yaml_has(src, "ports.block"))
		return yaml_error(src, e, "ports.block", "only with \"choose: block\"");
	if (m->ports.quota == 0 && yaml_has(src, "ports.quota"))
		return yaml_error(
			src, e, "ports.quota",
			"a subscriber has one flow at least; without a quota, any number");
	return 0;
}

static int check_ports(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	int r = check_overridden(src, "choose", e);

	if (r == 0)
		r = check_overridden(src, "on_clash", e);
	if (r == 0)
		r = check_overloading(src, e);
	if (r == 0)
		r = check_on_clash(src, m, e);
	if (r == 0)
		r = check_numbers(src, m, e);
	return r;
}

/* ---- what is not filtered is not remembered */

static int check_memory(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	static const struct {
		enum nat_transport of;
		const char *path;
	} keys[] = {
		{ NAT_UDP, "unsolicited.udp" },
		{ NAT_TCP, "unsolicited.tcp" },
		{ NAT_UDP, "timeouts.udp" },
		{ NAT_TCP, "timeouts.tcp_established" },
		{ NAT_TCP, "timeouts.tcp_transitory" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (m->of[keys[i].of].filtering == NAT_ENDPOINT_INDEPENDENT &&
		    yaml_has(src, keys[i].path))
			return yaml_error(src, e, keys[i].path,
					  "without mapping and filtering, nothing is remembered "
					  "and nothing is unsolicited");
	return 0;
}

/* ---- what is not forwarded at all */

/* Strangers over UDP are still told off: they are refused before it comes to forwarding. */
static int check_blocked(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	static const char *const keys[] = { "timeouts.udp", "timeouts.udp_unreplied", "refresh" };
	static const char *const why = "the router blocks UDP";

	if (m->blocked == NAT_BLOCKS_NOTHING)
		return 0;
	if (m->translates && yaml_has(src, "udp"))
		return yaml_error(src, e, "udp", "%s", why);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (yaml_has(src, keys[i]))
			return yaml_error(src, e, keys[i], "%s", why);
	for (unsigned i = 0; i < m->forwards_count; i++)
		if (m->forwards[i].transport == NAT_UDP)
			return yaml_error(src, e, yaml_path("forwards[%u]", i).text, "%s", why);
	return 0;
}

int nat_model_unused(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	int r = m->translates ? check_ports(src, m, e) : check_memory(src, m, e);

	if (r == 0)
		r = check_blocked(src, m, e);
	if (r == 0 && m->pool.count == 1 && yaml_has(src, "pool.pairing"))
		r = yaml_error(src, e, "pool.pairing", "with one address there is nothing to pair");
	return r;
}

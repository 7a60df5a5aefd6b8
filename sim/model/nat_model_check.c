// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_model_check.h"

#include "sim/model/nat_model_unused.h"

#define CLASS_LOW_LAST      511u
#define ORDINARY_PORT_FIRST 1024u

static unsigned ports_count(const struct nat_model *m)
{
	return m->ports.last - m->ports.first + 1u;
}

static bool is_given(const struct nat_model *m, enum nat_axis axis)
{
	return (m->given & 1u << axis) != 0;
}

/* The place of what may differ between transports: a transport's own if it has one, else that of
 * the file in general. */
static struct yaml_path place_of(const struct yaml_source *src, enum nat_transport t,
				 const char *key)
{
	struct yaml_path own = yaml_path("%s.%s", nat_transport_name(t), key);

	return yaml_has(src, own.text) ? own : yaml_path("ports.%s", key);
}

/* ---- what only a router that translates has */

static int check_untranslated_transport(const struct yaml_source *src, enum nat_transport t,
					struct err *e)
{
	static const char *const needs_mapping[] = { "mapping", "choose", "on_clash",
						     "overloading" };

	for (size_t i = 0; i < sizeof(needs_mapping) / sizeof(needs_mapping[0]); i++) {
		struct yaml_path path = yaml_path("%s.%s", nat_transport_name(t), needs_mapping[i]);

		if (yaml_has(src, path.text))
			return yaml_error(src, e, path.text,
					  "a router that does not translate (mapping: none) has no "
					  "%s",
					  needs_mapping[i]);
	}
	return 0;
}

static int check_untranslated(const struct yaml_source *src, const struct nat_model *m,
			      struct err *e)
{
	static const enum nat_axis needs_mapping[] = { NAT_AXIS_PORTS,   NAT_AXIS_POOL,
						       NAT_AXIS_HAIRPIN, NAT_AXIS_REFRESH,
						       NAT_AXIS_RST,     NAT_AXIS_FORWARDS };

	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		int r = check_untranslated_transport(src, (enum nat_transport)t, e);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < sizeof(needs_mapping) / sizeof(needs_mapping[0]); i++)
		if (is_given(m, needs_mapping[i]))
			return yaml_error(src, e, nat_axis_name(needs_mapping[i]),
					  "a router that does not translate (mapping: none) has no "
					  "%s",
					  needs_mapping[i] == NAT_AXIS_PORTS ? "ports to choose"
									     : "mapping for this");
	for (int t = 0; t < NAT_TRANSPORTS; t++)
		if (m->of[t].unsolicited == NAT_UNSOLICITED_ACCEPT)
			return yaml_error(src, e,
					  t == NAT_UDP ? "unsolicited.udp" : "unsolicited.tcp",
					  "a router that does not translate (mapping: none) has no "
					  "address of its own to accept at");
	return 0;
}

/* Which of the two a TCP mapping is given, the rules tell by the longer one. Whether a UDP flow was
 * answered they do not know, so only a router that leaves all to conntrack can tell those apart. */
static int check_timeouts(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	if (m->timeouts.tcp_established_ms < m->timeouts.tcp_transitory_ms)
		return yaml_error(src, e, "timeouts",
				  "an established connection cannot be forgotten sooner (%u s) "
				  "than a transitory one (%u s)",
				  m->timeouts.tcp_established_ms / 1000,
				  m->timeouts.tcp_transitory_ms / 1000);
	if (!m->of[NAT_UDP].overloads && yaml_has(src, "timeouts.udp_unreplied"))
		return yaml_error(src, e, "timeouts.udp_unreplied",
				  "only UDP mappings that share ports (overloading) live shorter "
				  "before an answer: conntrack alone keeps them");
	return 0;
}

/* ---- ports */

static int check_range(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	if (m->ports.first == 0)
		return yaml_error(src, e, "ports.range[0]", "port 0 cannot be used");
	if (m->ports.last < m->ports.first)
		return yaml_error(src, e, "ports.range", "the range ends before it begins");
	if (ports_count(m) < NAT_PORTS_MIN)
		return yaml_error(src, e, "ports.range", "the range has %u ports, %u is the least",
				  ports_count(m), NAT_PORTS_MIN);
	return 0;
}

static int check_sequence(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	bool listed = m->ports.step != 1 || m->ports.parity;
	unsigned reach = ports_count(m) / NAT_PORTS_MIN;

	if (m->ports.step == 0)
		return yaml_error(src, e, "ports.step", "a step of 0 would lead to no other port");
	if (m->ports.step < -(int)reach || m->ports.step > (int)reach)
		return yaml_error(src, e, "ports.step",
				  "steps of %d leave fewer than %u of the range's %u ports",
				  m->ports.step, NAT_PORTS_MIN, ports_count(m));
	if (listed && ports_count(m) > NAT_LISTED_PORTS_MAX)
		return yaml_error(src, e, "ports.range",
				  "the range has %u ports, %u is the most with a step other than 1 "
				  "or with parity",
				  ports_count(m), NAT_LISTED_PORTS_MAX);
	return 0;
}

/* The transport whose ports are in blocks; UDP if both are. */
static enum nat_transport block_of(const struct nat_model *m)
{
	return m->of[NAT_UDP].choose == NAT_PORTS_BLOCK ? NAT_UDP : NAT_TCP;
}

static int check_block(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	bool used = nat_model_uses_ports(m, NAT_PORTS_BLOCK);

	if (used && m->ports.block == 0 && !yaml_has(src, "ports.block"))
		return yaml_error(src, e, place_of(src, block_of(m), "choose").text,
				  "ports in blocks need the size of one (block)");
	if (used && m->ports.block < NAT_PORTS_MIN)
		return yaml_error(src, e, "ports.block", "a block has %u ports, %u is the least",
				  m->ports.block, NAT_PORTS_MIN);
	if (used && m->ports.block > ports_count(m))
		return yaml_error(src, e, "ports.block",
				  "the range has %u ports and cannot hold a block of %u",
				  ports_count(m), m->ports.block);
	return 0;
}

/* Parity is drawn for, so something must be drawn. */
static int check_parity(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	if (m->ports.parity && !nat_model_uses_ports(m, NAT_PORTS_RANDOM))
		return yaml_error(src, e, "ports.parity",
				  "only ports that are drawn at random, or "
				  "at random on a clash, have a parity");
	return 0;
}

static int check_classes(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	for (int t = 0; t < NAT_TRANSPORTS; t++)
		if (m->of[t].choose == NAT_PORTS_PRESERVE &&
		    m->of[t].on_clash == NAT_CLASH_SAME_CLASS &&
		    (m->ports.first > CLASS_LOW_LAST || m->ports.last != UINT16_MAX))
			return yaml_error(src, e,
					  place_of(src, (enum nat_transport)t, "on_clash").text,
					  "the classes 1-511, 512-1023 and 1024-65535 need the "
					  "range [1, 65535]");
	return 0;
}

/* Each further flow of a socket is a mapping of its own, and would always clash with the first; and
 * a port out of the range would never be let through. */
static int check_drop(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	bool whole = m->ports.first <= ORDINARY_PORT_FIRST && m->ports.last == UINT16_MAX;

	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		const struct nat_of *of = &m->of[t];
		struct yaml_path place = place_of(src, (enum nat_transport)t, "on_clash");

		if (of->choose != NAT_PORTS_PRESERVE || of->overloads ||
		    of->on_clash != NAT_CLASH_DROP)
			continue;
		if (of->mapping != NAT_ENDPOINT_INDEPENDENT)
			return yaml_error(src, e, place.text,
					  "drop needs endpoint-independent mapping: else a socket "
					  "could talk to one destination only");
		if (!whole)
			return yaml_error(src, e, place.text,
					  "drop needs a range with all of 1024-65535 in it: else "
					  "hosts with other ports could talk to nobody");
	}
	return 0;
}

static int check_ports(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	int r = check_range(src, m, e);

	if (r == 0)
		r = check_sequence(src, m, e);
	if (r == 0)
		r = check_block(src, m, e);
	if (r == 0)
		r = check_parity(src, m, e);
	if (r == 0)
		r = check_classes(src, m, e);
	if (r == 0)
		r = check_drop(src, m, e);
	return r;
}

/* ---- several addresses, and mappings that share a port */

static int check_pool(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	if (m->pool.count == 0 || m->pool.count > NAT_POOL_MAX)
		return yaml_error(src, e, "pool.addresses",
				  "a pool has 1 to %u addresses, and this one %u", NAT_POOL_MAX,
				  m->pool.count);
	if (m->pool.count > 1 && (nat_model_uses_ports(m, NAT_PORTS_SEQUENTIAL) ||
				  nat_model_uses_ports(m, NAT_PORTS_BLOCK)))
		return yaml_error(src, e, "pool",
				  "sequential ports and blocks are of one address, not of a pool");
	return 0;
}

static int check_overloading(const struct yaml_source *src, const struct nat_model *m,
			     enum nat_transport t, struct err *e)
{
	const struct nat_of *of = &m->of[t];

	if (!of->overloads)
		return 0;
	if (of->mapping != NAT_ADDRESS_AND_PORT_DEPENDENT ||
	    of->filtering != NAT_ADDRESS_AND_PORT_DEPENDENT)
		return yaml_error(src, e, place_of(src, t, "overloading").text,
				  "mappings can share a port only where mapping and filtering are "
				  "address-and-port-dependent: else nobody knows whom a packet is "
				  "for");
	if (of->choose != NAT_PORTS_PRESERVE && of->choose != NAT_PORTS_RANDOM)
		return yaml_error(src, e, place_of(src, t, "overloading").text,
				  "ports that are shared are preserved or random");
	if (of->choose == NAT_PORTS_RANDOM && m->ports.parity)
		return yaml_error(src, e, "ports.parity", "a port that is shared has no parity");
	if (m->hairpin != NAT_HAIRPIN_OFF)
		return yaml_error(src, e, "hairpin",
				  "a port that is shared does not tell whom a packet is for");
	if (m->refresh != NAT_REFRESH_BOTH)
		return yaml_error(src, e, "refresh",
				  "where ports are shared, packets in both directions refresh");
	if (t == NAT_TCP && m->rst != NAT_RST_IGNORED)
		return yaml_error(src, e, "rst", "where ports are shared, resets are ignored");
	return 0;
}

/* ---- forwards */

static int check_forwards(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	for (unsigned i = 0; i < m->forwards_count; i++) {
		const struct nat_forward *f = &m->forwards[i];

		if (f->port == 0)
			return yaml_error(src, e, yaml_path("forwards[%u].port", i).text,
					  "port 0 cannot be used");
		if (f->host_port == 0)
			return yaml_error(src, e, yaml_path("forwards[%u].host_port", i).text,
					  "port 0 cannot be used");
		if (f->host < 2 || f->host > 254)
			return yaml_error(src, e, yaml_path("forwards[%u].host", i).text,
					  "hosts behind the router are 2 to 254");
		for (unsigned k = 0; k < i; k++)
			if (m->forwards[k].port == f->port &&
			    m->forwards[k].transport == f->transport)
				return yaml_error(src, e, yaml_path("forwards[%u].port", i).text,
						  "port %u is forwarded twice", f->port);
	}
	return 0;
}

int nat_model_check(const struct yaml_source *src, const struct nat_model *m, struct err *e)
{
	int r = m->translates ? 0 : check_untranslated(src, m, e);

	if (r == 0)
		r = nat_model_unused(src, m, e);
	if (r == 0 && m->translates)
		r = check_ports(src, m, e);
	if (r == 0)
		r = check_timeouts(src, m, e);
	if (r == 0)
		r = check_pool(src, m, e);
	for (int t = 0; r == 0 && t < NAT_TRANSPORTS; t++)
		r = check_overloading(src, m, (enum nat_transport)t, e);
	if (r == 0)
		r = check_forwards(src, m, e);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The head of a ruleset: what a router other than natsim's has to change. */
#include "sim/model/nat_sysctls.h"
#include "sim/model/ruleset_values.h"

/* The last part of the highest address there is inside. */
#define LAST_HOST 254u

static void describe(const struct nat_model *m, struct buf *out)
{
	buf_printf(out, "# NAT model %s: %s\n", m->name, m->about);
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		const struct nat_of *of = &m->of[t];

		if (t == NAT_TCP && !nat_model_differs(m))
			break;
		buf_puts(out, "# ");
		if (nat_model_differs(m))
			buf_printf(out, "%s: ", nat_transport_name((enum nat_transport)t));
		buf_printf(out, "mapping %s, filtering %s",
			   nat_mapping_name(m, (enum nat_transport)t),
			   nat_behavior_name(of->filtering));
		if (m->translates)
			buf_printf(out, ", ports %s", nat_port_choice_name(of->choose));
		buf_puts(out, "\n");
	}
}

/* As comments, for nft sets none of them. */
static void describe_sysctls(const struct nat_model *m, struct buf *out)
{
	struct nat_sysctl sysctls[NAT_SYSCTLS_MAX];
	size_t count = nat_sysctls(m, sysctls);

	if (count > 0)
		buf_puts(out, "#\n# Lifetimes and resets are also conntrack's, which these rules "
			      "load. To be set then:\n");
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "# sysctl -w net.netfilter.%s=%u\n", sysctls[i].name,
			   sysctls[i].value);
}

/* Where natsim's maps keep the mappings, and not conntrack alone. */
static bool has_maps(const struct nat_model *m)
{
	return m->translates && !(m->of[NAT_UDP].overloads && m->of[NAT_TCP].overloads);
}

/* nftables 1.0.6 has "netlink_linearize: fix timeout with map updates". */
static void describe_needs(const struct nat_model *m, struct buf *out)
{
	if (has_maps(m))
		buf_puts(out,
			 "#\n# Before version 1.0.6, nft takes the timeouts of maps and forgets "
			 "them: no mapping ends.\n");
}

/* ---- addresses */

static void define_address(const char *name, unsigned number, uint32_t addr, struct buf *out)
{
	char text[ADDR_TEXT_SIZE];

	buf_printf(out, "define %s", name);
	if (number > 0)
		buf_printf(out, "_%u", number);
	buf_printf(out, " = %s\n", addr_format(addr, text));
}

/* ADDRESS is the one that a part is for, ADDRESSES are all of them. */
static void define_outside(const struct ruleset_part *part, struct buf *out)
{
	unsigned count = part->model->pool.count;

	if (count == 1) {
		define_address("ADDRESS", 0, part->site->outside_addr, out);
		buf_puts(out, "define ADDRESSES = $ADDRESS\n");
		return;
	}
	for (unsigned i = 0; i < count; i++)
		define_address("ADDRESS", i + 1, part->site->outside_addr + i, out);
	buf_puts(out, "define ADDRESSES = { ");
	for (unsigned i = 0; i < count; i++)
		buf_printf(out, "%s$ADDRESS_%u", i == 0 ? "" : ", ", i + 1);
	buf_puts(out, " }\ndefine ADDRESS = $ADDRESS_1\n");
}

/* Whether the rules name this inside address. */
static bool names_host(const struct nat_model *m, unsigned host)
{
	bool named = host < RULESET_FIRST_HOST + ruleset_blocks(m);

	for (unsigned i = 0; i < m->forwards_count; i++)
		named = named || m->forwards[i].host == host;
	return named;
}

static void define_inside(const struct ruleset_part *part, struct buf *out)
{
	struct prefix inside = prefix_network(part->site->inside);
	char text[PREFIX_TEXT_SIZE];

	buf_printf(out, "define INSIDE = %s\n", prefix_format(inside, text));
	for (unsigned host = RULESET_FIRST_HOST; host <= LAST_HOST; host++)
		if (names_host(part->model, host))
			define_address("HOST", host, inside.addr + host, out);
}

/* ---- what a part is for */

static void put_transports(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "define L4 = %s\n",
		   part->udp && part->tcp ? "{ tcp, udp }"
		   : part->udp            ? "udp"
					  : "tcp");
}

void ruleset_redefine_transports(const struct ruleset_part *part, struct buf *out)
{
	buf_puts(out, "\nre");
	put_transports(part, out);
}

void ruleset_redefine_address(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "\nredefine ADDRESS = $ADDRESS_%u\n", part->address + 1);
}

/* ---- the whole */

void ruleset_head(const struct ruleset_part *part, struct buf *out)
{
	describe(part->model, out);
	describe_sysctls(part->model, out);
	describe_needs(part->model, out);
	buf_puts(out,
		 "\n# The interface towards the Internet, its address, and who is behind it. No "
		 "rule has a name\n# or an address of its own.\n");
	buf_printf(out, "define OUTSIDE = \"%s\"\n", part->site->outside_ifname);
	define_outside(part, out);
	define_inside(part, out);
	buf_puts(out, "\n");
	put_transports(part, out);
	buf_puts(out, "define STRANGER = 0x4e61\ndefine OWN = 0x4e62\n");
	if (part->model->translates)
		buf_printf(out, "define PORTS = %u-%u\n", part->model->ports.first,
			   part->model->ports.last);
	/* Made first so that there is something to delete: without it a second load would add every
	 * rule again. */
	buf_puts(out, "\ntable ip " RULESET_TABLE "\ndelete table ip " RULESET_TABLE "\n");
}

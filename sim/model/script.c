// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plan as a shell script. It does what the lab does, in an order that reads better: first all
 * nodes, then all links, then node by node what goes on in each. One thing differs: where the lab
 * has its wire, in the node "internet", the script lets the kernel forward.
 */
#include "sim/model/plan.h"

#include <string.h>

/* Where the text of a ruleset ends. */
#define HERE "RULES"

/* As the lab's links are; without it there are as many as processors. */
#define ONE_QUEUE "numtxqueues 1 numrxqueues 1"

static void line(struct buf *out, const struct plan *p, unsigned node, const char *command)
{
	buf_printf(out, "\tip -n \"${prefix}%s\" %s ", p->nodes[node].name, command);
}

static void exec_line(struct buf *out, const struct plan *p, unsigned node, const char *command)
{
	buf_printf(out, "\tip netns exec \"${prefix}%s\" %s ", p->nodes[node].name, command);
}

static void add_mac(struct buf *out, const uint8_t mac[static 6])
{
	for (unsigned i = 0; i < 6; i++)
		buf_printf(out, "%s%02x", i == 0 ? "" : ":", mac[i]);
}

static void add_sysctl(const struct plan *p, const struct plan_op *op, struct buf *out)
{
	bool wire = p->nodes[op->node].kind == PLAN_NODE_INTERNET &&
		    strcmp(op->key, "net/ipv4/ip_forward") == 0;

	if (op->if_there)
		buf_printf(out, "\t[ ! -e /proc/sys/%s ] ||\n\t", op->key);
	exec_line(out, p, op->node, "sysctl -q -w");
	for (const char *c = op->key; *c != '\0'; c++)
		buf_printf(out, "%c", *c == '/' ? '.' : *c);
	buf_printf(out, "=%s\n", wire ? "1" : op->value);
}

static void add_veth(const struct plan *p, const struct plan_op *op, struct buf *out)
{
	line(out, p, op->node, "link add");
	buf_printf(out, "%s address ", op->ifname);
	add_mac(out, op->mac);
	buf_printf(out,
		   " " ONE_QUEUE " type veth \\\n\t\tpeer name %s netns \"${prefix}%s\" address ",
		   op->peer_ifname, p->nodes[op->peer_node].name);
	add_mac(out, op->peer_mac);
	buf_puts(out, " " ONE_QUEUE "\n");
}

static void add_ruleset(const struct plan *p, const struct plan_op *op, struct buf *out)
{
	exec_line(out, p, op->node, "nft -f -");
	buf_puts(out, "<<'" HERE "'\n");
	buf_puts(out, op->text);
	buf_puts(out, HERE "\n");
}

static void add_op(const struct plan *p, const struct plan_op *op, struct buf *out)
{
	char prefix[PREFIX_TEXT_SIZE], addr[ADDR_TEXT_SIZE];

	switch (op->kind) {
	case PLAN_NODE:
		buf_printf(out, "\tip netns add \"${prefix}%s\"\n", p->nodes[op->node].name);
		line(out, p, op->node, "link set");
		buf_puts(out, "lo up\n");
		break;
	case PLAN_SYSCTL:
		add_sysctl(p, op, out);
		break;
	case PLAN_VETH:
		add_veth(p, op, out);
		break;
	case PLAN_BRIDGE:
		line(out, p, op->node, "link add");
		buf_printf(out, "%s type bridge stp_state 0 mcast_snooping 0\n", op->ifname);
		break;
	case PLAN_ENSLAVE:
		line(out, p, op->node, "link set");
		buf_printf(out, "%s master %s\n", op->ifname, op->peer_ifname);
		break;
	case PLAN_ADDRESS:
		line(out, p, op->node, "address add");
		buf_printf(out, "%s brd + dev %s\n", prefix_format(op->prefix, prefix), op->ifname);
		break;
	case PLAN_UP:
		line(out, p, op->node, "link set");
		buf_printf(out, "%s up\n", op->ifname);
		break;
	case PLAN_ROUTE:
		line(out, p, op->node, "route add");
		buf_printf(out, "%s via %s\n",
			   op->prefix.length == 0 ? "default" : prefix_format(op->prefix, prefix),
			   addr_format(op->gateway, addr));
		break;
	case PLAN_RULESET:
		add_ruleset(p, op, out);
		break;
	}
}

/* ---- the parts of up */

static bool is_link(const struct plan_op *op)
{
	return op->kind == PLAN_VETH || op->kind == PLAN_BRIDGE || op->kind == PLAN_ENSLAVE;
}

/* The operations before the first link, which make the nodes, and from it on. */
static size_t first_link(const struct plan *p)
{
	size_t i = 0;

	while (i < p->ops_count && !is_link(&p->ops[i]))
		i++;
	return i;
}

static const char *kind_word(enum plan_node_kind kind)
{
	switch (kind) {
	case PLAN_NODE_INTERNET:
		return "the Internet: its kernel routes between the sites";
	case PLAN_NODE_ROUTER:
		return "a router";
	case PLAN_NODE_HOST:
		break;
	}
	return "a host";
}

static void add_node_ops(const struct plan *p, unsigned node, size_t from, size_t to,
			 struct buf *out)
{
	for (size_t i = from; i < to; i++)
		if (p->ops[i].node == node && !is_link(&p->ops[i]))
			add_op(p, &p->ops[i], out);
}

static void add_nodes(const struct plan *p, struct buf *out)
{
	for (unsigned n = 0; n < p->nodes_count; n++) {
		buf_printf(out, "%s\t# %s, %s\n", n == 0 ? "" : "\n", p->nodes[n].name,
			   kind_word(p->nodes[n].kind));
		add_node_ops(p, n, 0, first_link(p), out);
	}
}

static void add_links(const struct plan *p, struct buf *out)
{
	buf_puts(out, "\n\t# the links between them, still down\n");
	for (size_t i = 0; i < p->ops_count; i++)
		if (is_link(&p->ops[i]))
			add_op(p, &p->ops[i], out);
}

static void add_insides(const struct plan *p, struct buf *out)
{
	for (unsigned n = 0; n < p->nodes_count; n++) {
		buf_printf(out, "\n\t# %s", p->nodes[n].name);
		if (p->nodes[n].model != NULL)
			buf_printf(out, ", NAT model %s", p->nodes[n].model->name);
		buf_puts(out, "\n");
		add_node_ops(p, n, first_link(p), p->ops_count, out);
	}
}

static void add_down(const struct plan *p, struct buf *out)
{
	buf_puts(out, "down() {\n\tfor node in");
	for (size_t n = p->nodes_count; n > 0; n--)
		buf_printf(out, " %s", p->nodes[n - 1].name);
	buf_puts(out, "; do\n"
		      "\t\tif [ -e \"/run/netns/$prefix$node\" ]; then\n"
		      "\t\t\tip netns delete \"$prefix$node\"\n"
		      "\t\tfi\n"
		      "\tdone\n"
		      "}\n\n");
}

void plan_script(const struct plan *p, const char *title, struct buf *out)
{
	buf_puts(out, "#!/bin/sh\n");
	buf_printf(out, "# %s\n", title);
	buf_puts(
		out,
		"#\n"
		"#\tup\tbuilds it; needs root, iproute2 and nftables\n"
		"#\tdown\tremoves it, whole or half built\n"
		"#\n"
		"# Each node is a network namespace, named with $PREFIX in front (natsim- if that is "
		"not set):\n"
		"# ip netns exec natsim-NODE COMMAND runs a command in it.\n"
		"set -eu\n\n"
		"prefix=${PREFIX-natsim-}\n\n"
		"up() {\n");
	add_nodes(p, out);
	add_links(p, out);
	add_insides(p, out);
	buf_puts(out, "}\n\n");
	add_down(p, out);
	buf_puts(out, "case \"${1-}\" in\n"
		      "up) up ;;\n"
		      "down) down ;;\n"
		      "*)\n"
		      "\techo \"usage: $0 up|down\" >&2\n"
		      "\texit 2\n"
		      "\t;;\n"
		      "esac\n");
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/plan.h"

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void print_op(const struct plan *p, const struct plan_op *op, struct buf *out)
{
	char prefix[PREFIX_TEXT_SIZE], addr[ADDR_TEXT_SIZE];

	switch (op->kind) {
	case PLAN_NODE:
		break;
	case PLAN_SYSCTL:
		buf_printf(out, " %s = %s", op->key, op->value);
		break;
	case PLAN_VETH:
		buf_printf(out, " %s, to %s of %s", op->ifname, op->peer_ifname,
			   p->nodes[op->peer_node].name);
		break;
	case PLAN_BRIDGE:
	case PLAN_UP:
		buf_printf(out, " %s", op->ifname);
		break;
	case PLAN_ENSLAVE:
		buf_printf(out, " %s of %s", op->ifname, op->peer_ifname);
		break;
	case PLAN_ADDRESS:
		buf_printf(out, " %s on %s", prefix_format(op->prefix, prefix), op->ifname);
		break;
	case PLAN_ROUTE:
		buf_printf(out, " %s via %s",
			   op->prefix.length == 0 ? "default" : prefix_format(op->prefix, prefix),
			   addr_format(op->gateway, addr));
		break;
	case PLAN_RULESET:
		buf_printf(out, " %s, %u lines", p->nodes[op->node].model->name,
			   count_lines(op->text));
		break;
	}
}

void plan_print(const struct plan *p, struct buf *out)
{
	static const char *const words[] = {
		[PLAN_NODE] = "node",     [PLAN_SYSCTL] = "sysctl", [PLAN_VETH] = "veth",
		[PLAN_BRIDGE] = "bridge", [PLAN_ENSLAVE] = "port",  [PLAN_ADDRESS] = "address",
		[PLAN_UP] = "up",         [PLAN_ROUTE] = "route",   [PLAN_RULESET] = "ruleset",
	};

	for (size_t i = 0; i < p->ops_count; i++) {
		const struct plan_op *op = &p->ops[i];

		buf_printf(out, "%-8s %-*s", words[op->kind], op->kind == PLAN_NODE ? 0 : 12,
			   p->nodes[op->node].name);
		print_op(p, op, out);
		buf_puts(out, "\n");
	}
}

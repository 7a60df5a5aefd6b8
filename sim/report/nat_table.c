// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/nat_table.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

/* The host inside, who it talks to, and the port that the router shows for it. */
struct row {
	struct endpoint host, server;
	uint16_t router_port;
	bool from_outside;
};

static struct row row_of(const struct conntrack_entry *entry, uint32_t router_addr)
{
	/* From outside: sent to the router's address, answered from the host's. */
	if (entry->original_to.addr == router_addr)
		return (struct row){ entry->reply_from, entry->original_from,
				     entry->original_to.port, true };
	return (struct row){ entry->original_from, entry->original_to, entry->reply_to.port,
			     false };
}

static const char *protocol_name(uint8_t protocol, char buf[static 8])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMP:
		return "ICMP";
	default:
		(void)snprintf(buf, 8, "%u", protocol);
		return buf;
	}
}

void nat_table_print(const char *router, uint32_t router_addr,
		     const struct conntrack_entry *entries, size_t count, struct buf *out)
{
	buf_printf(out, "%s: %zu connection%s\n", router, count, count == 1 ? "" : "s");
	if (count == 0)
		return;
	buf_printf(out, "%-16s %-6s %-16s %-6s %-9s %s\n", "FROM HOST", "PORT", "TO SERVER", "PORT",
		   "PROTOCOL", "ROUTER PORT");
	for (size_t i = 0; i < count; i++) {
		struct row row = row_of(&entries[i], router_addr);
		char host[ADDR_TEXT_SIZE], server[ADDR_TEXT_SIZE], protocol[8];

		buf_printf(out, "%-16s %-6u %-16s %-6u %-9s %u%s\n",
			   addr_format(row.host.addr, host), row.host.port,
			   addr_format(row.server.addr, server), row.server.port,
			   protocol_name(entries[i].protocol, protocol), row.router_port,
			   row.from_outside ? " (begun from outside)" : "");
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/twin/packet.h"

/* RFC 791, RFC 768 and RFC 9293; Linux' segments carry time stamps (RFC 7323), which are 12 bytes,
 * and its SYNs 20 bytes of options. */
enum {
	IP_HEADER = 20,
	UDP_HEADER = 8,
	TCP_HEADER = 20,
	TCP_OPTIONS = 12,
	TCP_SYN_OPTIONS = 20,
	TCP_SACK = 4, /* RFC 2018, with two bytes of padding, and each block */
	TCP_SACK_BLOCK = 8,
	/* RFC 792: the error's header, and of the packet it is about the header and 8 bytes; Linux
	 * returns more of it, as RFC 1812 asks. */
	ICMP_ERROR = 8 + IP_HEADER + 8
};

static size_t tcp_options_bytes(const struct twin_packet *p)
{
	if ((p->flags & TWIN_SYN) != 0)
		return TCP_SYN_OPTIONS;
	if ((p->flags & TWIN_RST) != 0)
		return 0;
	return TCP_OPTIONS +
	       (p->sacks_count > 0 ? TCP_SACK + (size_t)TCP_SACK_BLOCK * p->sacks_count : 0);
}

size_t twin_packet_bytes(const struct twin_packet *p)
{
	switch (p->protocol) {
	case TWIN_UDP:
		return IP_HEADER + UDP_HEADER + p->len;
	case TWIN_TCP:
		return (size_t)IP_HEADER + TCP_HEADER + tcp_options_bytes(p) + p->len;
	case TWIN_ICMP:
		break;
	}
	return IP_HEADER + ICMP_ERROR;
}

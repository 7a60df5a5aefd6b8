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
	/* RFC 792: the error's header, and of the packet it is about the header and 8 bytes; Linux
	 * returns more of it, as RFC 1812 asks. */
	ICMP_ERROR = 8 + IP_HEADER + 8
};

size_t twin_packet_bytes(const struct twin_packet *p)
{
	switch (p->protocol) {
	case TWIN_UDP:
		return IP_HEADER + UDP_HEADER + p->len;
	case TWIN_TCP:
		return (size_t)IP_HEADER + TCP_HEADER + p->len +
		       ((p->flags & TWIN_SYN) != 0   ? TCP_SYN_OPTIONS
			: (p->flags & TWIN_RST) != 0 ? 0
						     : TCP_OPTIONS);
	case TWIN_ICMP:
		break;
	}
	return IP_HEADER + ICMP_ERROR;
}

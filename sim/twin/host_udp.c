// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP as in Linux: a datagram goes to the socket with its very address and port, else to the one
 * with the port and all addresses; else it is answered with a port unreachable, of which the rate
 * is not limited here. Errors that come in about a datagram are nobody's: the sockets of
 * peers/loop.c are not connected and do not ask for them (IP_RECVERR).
 */
#include <string.h>

#include "sim/twin/host_socket.h"

void udp_send(struct twin_host *h, const struct host_socket *s, const struct action *a)
{
	uint32_t addr = s->local.addr == 0 ? h->config.addrs[0] : s->local.addr;
	struct twin_packet *p = host_packet(h, TWIN_UDP, a->ttl == 0 ? TWIN_TTL : a->ttl,
					    (struct endpoint){ addr, s->local.port }, a->remote);

	p->len = a->len;
	memcpy(p->data, h->actions.bytes + a->at, a->len);
	host_send(h);
}

static void refuse_datagram(struct twin_host *h, const struct twin_packet *p)
{
	struct twin_packet *answer =
		host_packet(h, TWIN_ICMP, TWIN_TTL, (struct endpoint){ p->to.addr, 0 },
			    (struct endpoint){ p->from.addr, 0 });

	answer->quote = (struct twin_quote){ TWIN_PORT_UNREACHABLE, TWIN_UDP, p->from, p->to };
	host_send(h);
}

void udp_receive(struct twin_host *h, const struct twin_packet *p)
{
	const struct host_socket *s = host_find_local(h, SOCKET_UDP, p->to);

	if (s == NULL) {
		refuse_datagram(h, p);
		return;
	}
	host_tell_data(h, &(struct event){ .kind = EVENT_DATAGRAM,
					   .socket = s->number,
					   .local = s->local,
					   .remote = p->from,
					   .data = p->data,
					   .len = p->len });
}

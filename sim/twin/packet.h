/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet of the twin: what its hosts, routers and links look at of IPv4, UDP, TCP and ICMP. */
#ifndef NATSIM_SIM_TWIN_PACKET_H
#define NATSIM_SIM_TWIN_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "peers/core/machine.h"

/* As in the header of IPv4. */
enum twin_protocol { TWIN_ICMP = 1, TWIN_TCP = 6, TWIN_UDP = 17 };

/* Linux' net.ipv4.ip_default_ttl. */
#define TWIN_TTL 64u

/* RFC 9293, section 3.1. */
enum { TWIN_FIN = 0x01, TWIN_SYN = 0x02, TWIN_RST = 0x04, TWIN_ACK = 0x10 };

/* The ICMP errors there are (RFC 792). */
enum twin_error {
	TWIN_NO_ERROR,
	TWIN_NET_UNREACHABLE,  /* type 3, code 0 */
	TWIN_PORT_UNREACHABLE, /* type 3, code 3 */
	TWIN_TIME_EXCEEDED,    /* type 11, code 0 */
};

/* Of an ICMP error: the packet it is about, as whoever made the error saw it. A router translates
 * both back. */
struct twin_quote {
	enum twin_error error;
	enum twin_protocol protocol;
	struct endpoint from, to;
};

/* As many as Linux finds room for beside a time stamp. */
#define TWIN_SACKS_MAX 3u

/* Of a selective acknowledgement (RFC 2018): from first to before end. */
struct twin_sack {
	uint32_t first, end;
};

struct twin_packet {
	enum twin_protocol protocol;
	uint8_t ttl;
	struct endpoint from, to; /* of ICMP the ports are 0 */

	/* TCP */
	uint8_t flags;
	uint8_t sacks_count;
	uint32_t sequence, acknowledgement;
	struct twin_sack sacks[TWIN_SACKS_MAX];

	struct twin_quote quote; /* ICMP */

	uint16_t len; /* of the data, at most DATA_MAX */
	uint8_t data[DATA_MAX];
};

/* What is in use of a packet: copies need no more. */
static inline size_t twin_packet_used(const struct twin_packet *p)
{
	return offsetof(struct twin_packet, data) + p->len;
}

/* The IP packet's size in bytes, as a link of limited rate counts it: headers without options, and
 * of a SYN with those that Linux sends. */
size_t twin_packet_bytes(const struct twin_packet *p);

#endif

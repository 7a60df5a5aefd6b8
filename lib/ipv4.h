/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a router does to an IPv4 packet: reads its header, takes hops off the TTL, and answers with
 * an ICMP error. Packets are bytes as on the wire, starting with the IP header; addresses handed
 * out are in host byte order.
 */
#ifndef NATSIM_LIB_IPV4_H
#define NATSIM_LIB_IPV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPV4_HEADER_MIN 20u /* RFC 791, section 3.1 */

/* RFC 792. */
#define ICMP_NET_UNREACHABLE_TYPE 3u
#define ICMP_NET_UNREACHABLE_CODE 0u
#define ICMP_TIME_EXCEEDED_TYPE   11u
#define ICMP_TTL_EXCEEDED_CODE    0u

struct ipv4_header {
	uint32_t from, to;
	uint16_t header_bytes, total_bytes;
	uint16_t fragment_offset; /* in units of 8 bytes; not 0: not the first fragment */
	uint8_t protocol, ttl;
};

/* Returns false, leaving *ret alone, unless data holds a whole packet with a sound header, its
 * checksum included (RFC 1812, section 5.2.2). Bytes behind the packet are allowed: Ethernet pads.
 */
bool ipv4_read(const uint8_t *data, size_t len, struct ipv4_header *ret);

/* Takes hops off the TTL, which must be more than hops, and mends the header's checksum. */
void ipv4_take_ttl(uint8_t *packet, uint8_t hops);

/* The Internet checksum (RFC 1071) of data, in the byte order of the wire when stored with the high
 * byte first. */
uint16_t ipv4_checksum(const uint8_t *data, size_t len);

/* Finishes a checksum that the sender left to its network card: the field at checksum_start +
 * checksum_offset holds the sum of the pseudo header, and what it covers starts at checksum_start
 * and ends with data. Returns false, changing nothing, if the field does not lie in data. */
bool ipv4_finish_checksum(uint8_t *data, size_t len, size_t checksum_start, size_t checksum_offset);

/* The longest header and 8 bytes (RFC 792), quoted behind a header and 8 bytes of ICMP. */
#define IPV4_ERROR_MAX (IPV4_HEADER_MIN + 8u + 60u + 8u)

/* Writes an ICMP error about a packet that ipv4_read took as h, sent by address from. Returns its
 * length, or 0 if there must be none (RFC 1122, section 3.2.2): about an ICMP error, a fragment
 * that is not the first, or a packet that is not from and to one host. */
size_t ipv4_write_error(const uint8_t *packet, const struct ipv4_header *h, uint8_t type,
			uint8_t code, uint32_t from, uint8_t ret[static IPV4_ERROR_MAX]);

#endif

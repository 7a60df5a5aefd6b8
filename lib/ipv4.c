// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/ipv4.h"

#include <assert.h>
#include <string.h>

#define PROTOCOL_ICMP 1u
#define ERROR_TTL     64u /* RFC 1700: the recommended default */
#define ICMP_HEADER   8u
#define QUOTED_BYTES  8u /* RFC 792: "plus the first 64 bits of the original datagram's data" */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, (uint16_t)(value >> 16));
	put16(p + 2, (uint16_t)value);
}

static uint16_t fold(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t ipv4_checksum(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;

	for (; len >= 2; data += 2, len -= 2)
		sum += get16(data);
	if (len > 0)
		sum += (uint32_t)data[0] << 8;
	return (uint16_t)~fold(sum);
}

bool ipv4_read(const uint8_t *data, size_t len, struct ipv4_header *ret)
{
	if (len < IPV4_HEADER_MIN || data[0] >> 4 != 4)
		return false;
	size_t header_bytes = (data[0] & 15u) * 4u, total_bytes = get16(data + 2);
	if (header_bytes < IPV4_HEADER_MIN || total_bytes < header_bytes || total_bytes > len)
		return false;
	if (ipv4_checksum(data, header_bytes) != 0)
		return false;
	*ret = (struct ipv4_header){
		.from = get32(data + 12),
		.to = get32(data + 16),
		.header_bytes = (uint16_t)header_bytes,
		.total_bytes = (uint16_t)total_bytes,
		.fragment_offset = get16(data + 6) & 0x1fff,
		.protocol = data[9],
		.ttl = data[8],
	};
	return true;
}

void ipv4_take_ttl(uint8_t *packet, uint8_t hops)
{
	assert(packet[8] > hops);
	/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'), with m the word of TTL and protocol. */
	uint16_t old = get16(packet + 8);
	packet[8] = (uint8_t)(packet[8] - hops);
	uint64_t sum = (uint16_t)~get16(packet + 10) + (uint64_t)(uint16_t)~old + get16(packet + 8);
	put16(packet + 10, (uint16_t)~fold(sum));
}

bool ipv4_finish_checksum(uint8_t *data, size_t len, size_t checksum_start, size_t checksum_offset)
{
	size_t field = checksum_start + checksum_offset;

	if (checksum_start > len || field > len || len - field < 2)
		return false;
	uint16_t sum = ipv4_checksum(data + checksum_start, len - checksum_start);
	/* RFC 768: a UDP checksum of zero means none; TCP may hold either form of zero. */
	put16(data + field, sum != 0 ? sum : 0xffff);
	return true;
}

/* An address that names one host: not 0/8, 127/8, a multicast group or the broadcast address. */
static bool is_one_host(uint32_t addr)
{
	uint32_t first = addr >> 24;

	return first != 0 && first != 127 && first < 224;
}

/* RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem. */
static bool is_icmp_error(const uint8_t *packet, const struct ipv4_header *h)
{
	if (h->protocol != PROTOCOL_ICMP)
		return false;
	if (h->total_bytes == h->header_bytes)
		return true; /* RFC 1122 in doubt: no error about what cannot be told apart */
	uint8_t type = packet[h->header_bytes];
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

size_t ipv4_write_error(const uint8_t *packet, const struct ipv4_header *h, uint8_t type,
			uint8_t code, uint32_t from, uint8_t ret[static IPV4_ERROR_MAX])
{
	if (is_icmp_error(packet, h) || h->fragment_offset != 0 || !is_one_host(h->from) ||
	    !is_one_host(h->to))
		return 0;

	size_t quoted = h->header_bytes + QUOTED_BYTES;
	if (quoted > h->total_bytes)
		quoted = h->total_bytes;
	size_t total = IPV4_HEADER_MIN + ICMP_HEADER + quoted;
	uint8_t *icmp = ret + IPV4_HEADER_MIN;

	memset(ret, 0, IPV4_HEADER_MIN + ICMP_HEADER);
	ret[0] = 4 << 4 | IPV4_HEADER_MIN / 4;
	ret[1] = 6 << 5; /* RFC 1812, section 4.3.2.5: precedence 6 for ICMP errors */
	put16(ret + 2, (uint16_t)total);
	ret[8] = ERROR_TTL;
	ret[9] = PROTOCOL_ICMP;
	put32(ret + 12, from);
	put32(ret + 16, h->from);
	put16(ret + 10, ipv4_checksum(ret, IPV4_HEADER_MIN));
	icmp[0] = type;
	icmp[1] = code;
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	put16(icmp + 2, ipv4_checksum(icmp, ICMP_HEADER + quoted));
	return total;
}

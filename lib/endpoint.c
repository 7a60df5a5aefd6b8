// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/endpoint.h"

#include <stdio.h>

/* Reads a decimal number of at most max at *text and moves *text behind it. */
static bool take_number(const char **text, uint32_t max, uint32_t *ret)
{
	const char *p = *text;
	uint32_t value = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (uint32_t)(*p - '0');
		if (value > max)
			return false;
	}
	*text = p;
	*ret = value;
	return true;
}

static bool take_addr(const char **text, uint32_t *ret)
{
	const char *p = *text;
	uint32_t addr = 0, byte = 0;

	for (int i = 0; i < 4; i++) {
		if (i > 0 && *p++ != '.')
			return false;
		if (!take_number(&p, 255, &byte))
			return false;
		addr = addr << 8 | byte;
	}
	*text = p;
	*ret = addr;
	return true;
}

/* ADDRESS, separator, number up to max, end. */
static bool parse_pair(const char *text, char separator, uint32_t max, uint32_t *ret_addr,
		       uint32_t *ret_number)
{
	uint32_t addr = 0, number = 0;

	if (!take_addr(&text, &addr) || *text++ != separator || !take_number(&text, max, &number) ||
	    *text != '\0')
		return false;
	*ret_addr = addr;
	*ret_number = number;
	return true;
}

bool addr_parse(const char *text, uint32_t *ret)
{
	uint32_t addr = 0;

	if (!take_addr(&text, &addr) || *text != '\0')
		return false;
	*ret = addr;
	return true;
}

bool endpoint_parse(const char *text, struct endpoint *ret)
{
	uint32_t addr = 0, port = 0;

	if (!parse_pair(text, ':', UINT16_MAX, &addr, &port))
		return false;
	*ret = (struct endpoint){ addr, (uint16_t)port };
	return true;
}

bool prefix_parse(const char *text, struct prefix *ret)
{
	uint32_t addr = 0, length = 0;

	if (!parse_pair(text, '/', 32, &addr, &length))
		return false;
	*ret = (struct prefix){ addr, (uint8_t)length };
	return true;
}

const char *addr_format(uint32_t addr, char buf[static ADDR_TEXT_SIZE])
{
	(void)snprintf(buf, ADDR_TEXT_SIZE, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
		       addr >> 8 & 255, addr & 255);
	return buf;
}

const char *endpoint_format(struct endpoint ep, char buf[static ENDPOINT_TEXT_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	(void)snprintf(buf, ENDPOINT_TEXT_SIZE, "%s:%u", addr_format(ep.addr, addr), ep.port);
	return buf;
}

const char *prefix_format(struct prefix prefix, char buf[static PREFIX_TEXT_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	(void)snprintf(buf, PREFIX_TEXT_SIZE, "%s/%u", addr_format(prefix.addr, addr),
		       prefix.length & 63u);
	return buf;
}

bool endpoint_equal(struct endpoint a, struct endpoint b)
{
	return a.addr == b.addr && a.port == b.port;
}

bool endpoint_is_none(struct endpoint ep)
{
	return ep.addr == 0 && ep.port == 0;
}

uint32_t prefix_mask(struct prefix prefix)
{
	return prefix.length == 0 ? 0 : UINT32_MAX << (32 - prefix.length);
}

bool prefix_contains(struct prefix prefix, uint32_t addr)
{
	return ((prefix.addr ^ addr) & prefix_mask(prefix)) == 0;
}

struct prefix prefix_network(struct prefix prefix)
{
	return (struct prefix){ prefix.addr & prefix_mask(prefix), prefix.length };
}

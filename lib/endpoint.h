/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 addresses, endpoints (address and port) and prefixes as values, and as text. */
#ifndef NATSIM_LIB_ENDPOINT_H
#define NATSIM_LIB_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

/* Both in host byte order. {0, 0} is "none". */
struct endpoint {
	uint32_t addr;
	uint16_t port;
};

struct prefix {
	uint32_t addr; /* host byte order; may have host bits, as an interface address has */
	uint8_t length;
};

#define ADDR_TEXT_SIZE     16 /* "255.255.255.255" */
#define ENDPOINT_TEXT_SIZE 22 /* "255.255.255.255:65535" */
#define PREFIX_TEXT_SIZE   19 /* "255.255.255.255/32" */

/* Each _parse takes the whole text, or returns false and leaves *ret alone. Decimal dotted quads
 * only: no leading zeros, signs or blanks. A port may be 0. */
bool addr_parse(const char *text, uint32_t *ret);
bool endpoint_parse(const char *text, struct endpoint *ret); /* ADDRESS:PORT */
bool prefix_parse(const char *text, struct prefix *ret);     /* ADDRESS/LENGTH */

/* Each _format writes into the caller's buffer and returns it. */
const char *addr_format(uint32_t addr, char buf[static ADDR_TEXT_SIZE]);
const char *endpoint_format(struct endpoint ep, char buf[static ENDPOINT_TEXT_SIZE]);
const char *prefix_format(struct prefix prefix, char buf[static PREFIX_TEXT_SIZE]);

bool endpoint_equal(struct endpoint a, struct endpoint b);
bool endpoint_is_none(struct endpoint ep);

uint32_t prefix_mask(struct prefix prefix);
bool prefix_contains(struct prefix prefix, uint32_t addr);
struct prefix prefix_network(struct prefix prefix); /* without its host bits */

#endif

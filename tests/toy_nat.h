/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NAT of a hundred lines for tests in virtual time, in the terms of RFC 4787. Like the kernel's
 * it remembers flows: what an inside endpoint and a remote one share, whoever began it. A mapping
 * is what some flows have in common: the outside port.
 */
#ifndef NATSIM_TESTS_TOY_NAT_H
#define NATSIM_TESTS_TOY_NAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/prng.h"

/* On what of the remote endpoint a mapping, or the filter, depends. */
enum toy_dependence { TOY_INDEPENDENT, TOY_ADDRESS, TOY_ADDRESS_AND_PORT };
enum toy_ports { TOY_PRESERVE, TOY_SEQUENTIAL, TOY_RANDOM };

#define TOY_FLOWS_MAX  512u
#define TOY_PORT_FIRST 1024u

struct toy_flow {
	bool tcp, outbound; /* the inside has sent to remote */
	struct endpoint inside, remote;
	uint16_t port;
};

/* Zeroed memory is a router that translates and filters nothing. */
struct toy_nat {
	bool present;
	enum toy_dependence mapping, filtering;
	enum toy_ports ports;
	uint32_t addr;
	uint16_t next, last; /* TOY_SEQUENTIAL: the next port; behind the last comes the first */
	uint16_t step;
	struct prng prng;
	struct toy_flow flows[TOY_FLOWS_MAX];
	size_t flows_count;
};

static inline bool toy_matches(enum toy_dependence on, struct endpoint a, struct endpoint b)
{
	return on == TOY_INDEPENDENT || (on == TOY_ADDRESS && a.addr == b.addr) ||
	       endpoint_equal(a, b);
}

static inline bool toy_port_taken(const struct toy_nat *nat, bool tcp, uint16_t port)
{
	for (size_t i = 0; i < nat->flows_count; i++)
		if (nat->flows[i].tcp == tcp && nat->flows[i].port == port)
			return true;
	return false;
}

static inline uint16_t toy_port_next(struct toy_nat *nat)
{
	uint16_t port = nat->next;

	nat->next = nat->last - port < nat->step ? TOY_PORT_FIRST : (uint16_t)(port + nat->step);
	return port;
}

static inline uint16_t toy_port_choose(struct toy_nat *nat, bool tcp, uint16_t inside)
{
	uint16_t port = inside;

	if (nat->ports == TOY_SEQUENTIAL)
		port = toy_port_next(nat);
	while (nat->ports == TOY_RANDOM || toy_port_taken(nat, tcp, port)) {
		port = (uint16_t)(TOY_PORT_FIRST + prng_below(&nat->prng, 65536 - TOY_PORT_FIRST));
		if (!toy_port_taken(nat, tcp, port))
			break;
	}
	return port;
}

static inline struct toy_flow *toy_flow_find(struct toy_nat *nat, bool tcp, struct endpoint inside,
					     struct endpoint remote, enum toy_dependence on)
{
	for (size_t i = 0; i < nat->flows_count; i++) {
		struct toy_flow *f = &nat->flows[i];

		if (f->tcp == tcp && endpoint_equal(f->inside, inside) &&
		    toy_matches(on, f->remote, remote))
			return f;
	}
	return NULL;
}

/* The source of a packet on the outside. Returns false if the table is full. */
static inline bool toy_nat_out(struct toy_nat *nat, bool tcp, struct endpoint *from,
			       struct endpoint to)
{
	if (!nat->present)
		return true;
	struct toy_flow *f = toy_flow_find(nat, tcp, *from, to, TOY_ADDRESS_AND_PORT);
	if (f == NULL) {
		if (nat->flows_count == TOY_FLOWS_MAX)
			return false;
		const struct toy_flow *kin = toy_flow_find(nat, tcp, *from, to, nat->mapping);
		uint16_t port = kin != NULL ? kin->port : toy_port_choose(nat, tcp, from->port);
		f = &nat->flows[nat->flows_count++];
		*f = (struct toy_flow){ tcp, true, *from, to, port };
	}
	f->outbound = true;
	*from = (struct endpoint){ nat->addr, f->port };
	return true;
}

/* Where a packet from outside goes. Returns false if it is dropped. */
static inline bool toy_nat_in(struct toy_nat *nat, bool tcp, struct endpoint from,
			      struct endpoint *to)
{
	const struct toy_flow *permit = NULL, *flow = NULL;

	if (!nat->present)
		return true;
	for (size_t i = 0; i < nat->flows_count; i++) {
		const struct toy_flow *f = &nat->flows[i];

		if (f->tcp != tcp || f->port != to->port)
			continue;
		if (endpoint_equal(f->remote, from))
			flow = f;
		if (f->outbound && toy_matches(nat->filtering, f->remote, from))
			permit = f;
	}
	if (flow == NULL && (permit == NULL || nat->flows_count == TOY_FLOWS_MAX))
		return false;
	if (flow == NULL) {
		nat->flows[nat->flows_count] =
			(struct toy_flow){ tcp, false, permit->inside, from, to->port };
		flow = &nat->flows[nat->flows_count++];
	}
	*to = flow->inside;
	return true;
}

#endif

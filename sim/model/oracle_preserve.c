// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why punching between drawn ports works where it does. Each side sends from its drawn port to the
 * other's, on the address that the rendezvous saw. It is the first flow from that port, so what
 * counts is what a router makes of a new mapping, and not whether the mapping is
 * endpoint-independent.
 *
 * Y is where it is aimed at if its mapping towards X has the drawn port and the address that was
 * seen. A packet of X passes Y's router if Y is where it is aimed at, and Y's filtering
 *	- is endpoint-independent, or
 *	- is address-dependent, and X's packets come from the address that was seen, or
 *	- is address and port-dependent, and X is where it is aimed at, too.
 *
 * As with punching, one direction is enough, for the answer goes where the packet came from. Where
 * neither side is where it is aimed at, nothing passes: there is no mapping to get to.
 *
 * A router that does not preserve ports hits the drawn one by chance, as seldom as any other; so
 * does an endpoint-independent one, and there punching is better.
 */
#include "sim/model/oracle_punch.h"

/* docs/protocol.md: the ports that are drawn. */
#define DRAWN_FIRST 1024u
#define BY_CHANCE   (1.0 / (65536u - DRAWN_FIRST))

/* Less than this is next to nothing. */
#define SELDOM 1e-3

/* The probabilities that a new mapping keeps the port, the address, and both. */
struct kept {
	double port, addr, both;
};

/* The drawn port may be that of the flow to the rendezvous. Where that has a mapping of its own,
 * the mapping owns it. */
static double loses_port_to_meeting(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	return of->mapping == NAT_ENDPOINT_INDEPENDENT || of->overloads ? 0 : BY_CHANCE;
}

static double keeps_port(const struct nat_model *m, enum nat_transport t)
{
	unsigned first = m->ports.first < DRAWN_FIRST ? DRAWN_FIRST : m->ports.first;

	if (!m->translates)
		return 1;
	if (m->of[t].choose != NAT_PORTS_PRESERVE)
		return BY_CHANCE;
	if (m->ports.last < first)
		return 0;
	return (m->ports.last - first + 1) * BY_CHANCE * (1 - loses_port_to_meeting(m, t));
}

static struct kept keeps(const struct nat_model *m, enum nat_transport t)
{
	bool any_addr = m->translates && m->pool.count > 1 && !m->pool.paired;
	double port = keeps_port(m, t), addr = any_addr ? 1.0 / m->pool.count : 1;

	return (struct kept){ port, addr, port * addr };
}

/* y is where it is aimed at, x is not, and yet y lets it in. */
static double lets_in(const struct nat_model *y, enum nat_transport t, struct kept ky,
		      struct kept kx)
{
	switch (y->of[t].filtering) {
	case NAT_ENDPOINT_INDEPENDENT:
		return ky.both * (1 - kx.both);
	case NAT_ADDRESS_DEPENDENT:
		return ky.both * kx.addr * (1 - kx.port);
	case NAT_ADDRESS_AND_PORT_DEPENDENT:
		break;
	}
	return 0;
}

double oracle_preserve(const struct oracle_pair *p)
{
	const struct nat_model *a = p->nats[0], *b = p->nats[1];
	struct kept ka = keeps(a, p->t), kb = keeps(b, p->t);
	double rate = ka.both * kb.both + lets_in(a, p->t, ka, kb) + lets_in(b, p->t, kb, ka);

	/* Reactions can only make it less. */
	if (rate >= SELDOM && (oracle_reacts(a, p->t) || oracle_reacts(b, p->t)))
		return -1;
	return rate;
}

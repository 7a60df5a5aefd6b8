// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why punching works where it does. Each side sends, again and again, to the outside endpoint that
 * the rendezvous saw of the other: the one its router's mapping has towards the rendezvous.
 *
 * A packet of X passes Y's router, that is, gets to Y's mapping towards the rendezvous, if
 *	- Y's filtering is endpoint-independent; or
 *	- Y's own packets to X leave from that very mapping, which is so if Y's mapping is
 *	  endpoint-independent, and they permit X's packets: with address-dependent filtering they
 *	  do, and with address and port-dependent filtering if X's packets come from the port that Y
 *	  sends to, so if X's mapping is endpoint-independent too.
 *
 * Once one packet is through, the answer goes where it came from, and passes. So one direction is
 * enough. TCP is the same where the peers listen and connect on one port and unsolicited SYNs are
 * dropped; an answer of ICMP or RST ends a connect that came too late or too early, which is a
 * matter of delays and not of theory.
 *
 * Routers that share no port between mappings have another port for the peer than for the
 * rendezvous if they are symmetric, even if they preserve ports, and are as hard as any.
 */
#include "sim/model/oracle.h"

#include <string.h>

/* The probability that the mapping towards the peer has the port of that towards the rendezvous.
 * Where ports are shared and preserved it has, as long as no other host wants it; where they are
 * shared and random, it may draw the same one again. */
static double same_port(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	if (!m->translates || of->mapping == NAT_ENDPOINT_INDEPENDENT)
		return 1;
	if (!of->overloads)
		return 0;
	return of->choose == NAT_PORTS_PRESERVE ? 1 : 1.0 / (m->ports.last - m->ports.first + 1);
}

static bool mapping_is_independent(const struct nat_model *m, enum nat_transport t)
{
	return same_port(m, t) >= 1;
}

static double passes(const struct nat_model *x, const struct nat_model *y, enum nat_transport t)
{
	switch (y->of[t].filtering) {
	case NAT_ENDPOINT_INDEPENDENT:
		return 1;
	case NAT_ADDRESS_DEPENDENT:
		return same_port(y, t);
	case NAT_ADDRESS_AND_PORT_DEPENDENT:
		return same_port(y, t) * same_port(x, t);
	}
	return 0;
}

/*
 * True where the first packet decides. x lets everyone in to its mapping towards the rendezvous,
 * but sends to y from another. If y is first, x answers from the first mapping and y, which sent
 * there, takes it. If x is first, its flow to y stays with the other mapping, which y's filtering
 * refuses.
 */
static bool first_packet_decides(const struct nat_model *x, const struct nat_model *y,
				 enum nat_transport t)
{
	return x->of[t].filtering == NAT_ENDPOINT_INDEPENDENT && !mapping_is_independent(x, t) &&
	       y->of[t].filtering == NAT_ADDRESS_AND_PORT_DEPENDENT && mapping_is_independent(y, t);
}

/* What a packet that comes too early does is a matter of delays: an answer ends a connect, the
 * router's own stack takes the tuple, a sender is refused from then on. Over UDP nobody minds an
 * ICMP error. */
static bool reacts_to_unsolicited(const struct nat_model *m, enum nat_transport t)
{
	switch (m->of[t].unsolicited) {
	case NAT_UNSOLICITED_DROP:
		return false;
	case NAT_UNSOLICITED_ICMP:
		return nat_model_remembers(m) && t == NAT_TCP;
	case NAT_UNSOLICITED_ACCEPT:
	case NAT_UNSOLICITED_BLOCK:
	case NAT_UNSOLICITED_RST:
		break;
	}
	return nat_model_remembers(m);
}

/* Where nothing listens yet a SYN is answered with a reset, which here ends the mapping that the
 * other side aims at. */
static bool resets_matter(const struct nat_model *m, enum nat_transport t)
{
	return t == NAT_TCP && m->translates && m->rst != NAT_RST_IGNORED;
}

/* The rendezvous cannot even be reached. */
static bool is_shut(const struct nat_model *m, enum nat_transport t)
{
	return m->blocked == NAT_BLOCKS_ALL_BUT_TCP_443 ||
	       (m->blocked == NAT_BLOCKS_UDP && t == NAT_UDP);
}

double oracle_rate(const struct nat_model *a, const struct nat_model *b, const char *transport,
		   const char *strategy)
{
	enum nat_transport t = strcmp(transport, "tcp") == 0 ? NAT_TCP : NAT_UDP;

	if (strcmp(strategy, "punch") != 0 || (t == NAT_UDP && strcmp(transport, "udp") != 0))
		return -1;
	if (a->ruleset_file != NULL || b->ruleset_file != NULL)
		return -1;
	if (is_shut(a, t) || is_shut(b, t))
		return 0;
	if (first_packet_decides(a, b, t) || first_packet_decides(b, a, t))
		return -1;
	/* Either way will do. What one draws helps both, or is so rare that both at once do not
	 * count. */
	double ab = passes(a, b, t), ba = passes(b, a, t), rate = ab > ba ? ab : ba;
	/* Reactions can only make it less, of which there is next to nothing. */
	if (rate < 1)
		return rate;
	if (reacts_to_unsolicited(a, t) || reacts_to_unsolicited(b, t))
		return -1;
	if (resets_matter(a, t) || resets_matter(b, t))
		return -1;
	return rate;
}

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
 * Our routers share no port between mappings, so a symmetric one that preserves ports has another
 * port for the peer than for the rendezvous, and is as hard as any.
 */
#include "sim/model/oracle.h"

#include <string.h>

static bool mapping_is_independent(const struct nat_model *m)
{
	return !m->translates || m->mapping == NAT_ENDPOINT_INDEPENDENT;
}

static bool passes(const struct nat_model *x, const struct nat_model *y)
{
	switch (y->filtering) {
	case NAT_ENDPOINT_INDEPENDENT:
		return true;
	case NAT_ADDRESS_DEPENDENT:
		return mapping_is_independent(y);
	case NAT_ADDRESS_AND_PORT_DEPENDENT:
		return mapping_is_independent(y) && mapping_is_independent(x);
	}
	return false;
}

/*
 * True where the first packet decides. x lets everyone in to its mapping towards the rendezvous,
 * but sends to y from another. If y is first, x answers from the first mapping and y, which sent
 * there, takes it. If x is first, its flow to y stays with the other mapping, which y's filtering
 * refuses.
 */
static bool first_packet_decides(const struct nat_model *x, const struct nat_model *y)
{
	return x->filtering == NAT_ENDPOINT_INDEPENDENT && !mapping_is_independent(x) &&
	       y->filtering == NAT_ADDRESS_AND_PORT_DEPENDENT && mapping_is_independent(y);
}

static bool answers_unsolicited_tcp(const struct nat_model *m)
{
	bool filters = m->translates || m->filtering != NAT_ENDPOINT_INDEPENDENT;

	return filters && m->unsolicited.tcp != NAT_UNSOLICITED_DROP;
}

double oracle_rate(const struct nat_model *a, const struct nat_model *b, const char *transport,
		   const char *strategy)
{
	bool tcp = strcmp(transport, "tcp") == 0;

	if (strcmp(strategy, "punch") != 0 || (!tcp && strcmp(transport, "udp") != 0))
		return -1;
	if (first_packet_decides(a, b) || first_packet_decides(b, a))
		return -1;
	if (!passes(a, b) && !passes(b, a))
		return 0;
	if (tcp && (answers_unsolicited_tcp(a) || answers_unsolicited_tcp(b)))
		return -1;
	return 1;
}

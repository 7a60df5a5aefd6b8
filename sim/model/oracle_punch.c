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
#include "sim/model/oracle_punch.h"

#include "peers/core/punch_lowttl.h"

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

bool oracle_mapping_is_independent(const struct nat_model *m, enum nat_transport t)
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
	return x->of[t].filtering == NAT_ENDPOINT_INDEPENDENT &&
	       !oracle_mapping_is_independent(x, t) &&
	       y->of[t].filtering == NAT_ADDRESS_AND_PORT_DEPENDENT &&
	       oracle_mapping_is_independent(y, t);
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

/* To what comes before the own side has sent. */
bool oracle_reacts(const struct nat_model *m, enum nat_transport t)
{
	return reacts_to_unsolicited(m, t) || resets_matter(m, t);
}

double oracle_punch(const struct oracle_pair *p)
{
	const struct nat_model *a = p->nats[0], *b = p->nats[1];

	if (first_packet_decides(a, b, p->t) || first_packet_decides(b, a, p->t))
		return -1;
	/* Either way will do. What one draws helps both, or is so rare that both at once do not
	 * count. */
	double ab = passes(a, b, p->t), ba = passes(b, a, p->t), rate = ab > ba ? ab : ba;
	/* Reactions can only make it less, of which there is next to nothing. */
	if (rate < 1)
		return rate;
	return oracle_reacts(a, p->t) || oracle_reacts(b, p->t) ? -1 : rate;
}

/* ---- a low TTL */

/* Less, and the peers may start further apart. */
#define WAIT_LEAST_MS 100u

/* It gets past one router, and no further. */
#define TTL_BETWEEN 2u

/* The peers are 0 and 1 here, x the one and !x the other. */
static bool begins_low(const struct oracle_pair *p, int x)
{
	return punch_lowttl_is_low(p->params, x == 0 ? 'a' : 'b');
}

/* What x sends first does not get to the other router. Without a router of its own it might. */
static bool dies_between(const struct oracle_pair *p, int x)
{
	return p->params[PUNCH_LOWTTL_TTL] <= TTL_BETWEEN && nat_model_remembers(p->nats[x]);
}

/* x's router has let a packet out to the other before it gets one of the other's. */
static bool opens_first(const struct oracle_pair *p, int x)
{
	return begins_low(p, x) && p->params[PUNCH_LOWTTL_TTL] >= TTL_BETWEEN &&
	       p->params[PUNCH_LOWTTL_WAIT_MS] >= WAIT_LEAST_MS &&
	       (!begins_low(p, !x) || dies_between(p, !x));
}

/* And so takes all of the other's for what it is, an answer. */
static struct nat_model cured(const struct oracle_pair *p, int x)
{
	struct nat_model m = *p->nats[x];

	if (opens_first(p, x) && oracle_mapping_is_independent(&m, p->t) &&
	    passes(p->nats[!x], &m, p->t) >= 1)
		m.of[p->t].unsolicited = NAT_UNSOLICITED_DROP;
	return m;
}

static double punch_cured(const struct oracle_pair *p)
{
	struct nat_model a = cured(p, 0), b = cured(p, 1);

	return oracle_punch(&(struct oracle_pair){ { &a, &b }, p->t, p->params });
}

/* A listener's SYN-ACK does not go on from the SYN that has opened the router. conntrack then takes
 * it for invalid, as any may that know the numbers; NATBLASTER forges it therefore. */
static bool judges_numbers(const struct nat_model *m)
{
	return nat_model_remembers(m) && (m->of[NAT_TCP].overloads || m->rst == NAT_RST_IN_WINDOW);
}

/* x listens behind the router it has opened, the other connects: one way must do, and nothing else
 * comes unasked. */
static double listen_and_connect(const struct oracle_pair *p, int x)
{
	const struct nat_model *own = p->nats[x], *other = p->nats[!x];
	double rate = passes(other, own, p->t);

	/* Its flows to the other and from it differ in their outside port. */
	if (own->of[p->t].filtering == NAT_ENDPOINT_INDEPENDENT &&
	    !oracle_mapping_is_independent(own, p->t))
		return -1;
	if (rate < 1)
		return rate;
	if (judges_numbers(own))
		return 0;
	if (!opens_first(p, x) || (!dies_between(p, x) && oracle_reacts(other, p->t)))
		return -1;
	return rate;
}

double oracle_punch_lowttl(const struct oracle_pair *p)
{
	if (p->t == NAT_UDP)
		return punch_cured(p);
	if (!begins_low(p, 0) || !begins_low(p, 1))
		return listen_and_connect(p, begins_low(p, 0) ? 0 : 1);
	/* Which side's SYN gets to the other's listener, and which meets another SYN? */
	double rate = punch_cured(p);
	return rate >= 1 && (judges_numbers(p->nats[0]) || judges_numbers(p->nats[1])) ? -1 : rate;
}

/* ---- without a listener */

/* No SYN gets to the host before it is connecting itself. */
static bool keeps_early_ones(const struct nat_model *m, enum nat_transport t)
{
	return nat_model_remembers(m) && m->of[t].filtering != NAT_ENDPOINT_INDEPENDENT &&
	       !oracle_reacts(m, t);
}

/* RFC 9293, section 3.5, for crossing SYNs; the endpoints of both must be right. */
double oracle_connect_only(const struct oracle_pair *p)
{
	if (p->t == NAT_UDP)
		return oracle_punch(p);
	double rate = same_port(p->nats[0], p->t) * same_port(p->nats[1], p->t);
	bool keep = true;

	for (int i = 0; i < 2; i++) {
		const struct nat_model *m = p->nats[i];

		/* A SYN to the other mapping may get to a socket that is connecting. */
		if (m->of[p->t].filtering == NAT_ENDPOINT_INDEPENDENT &&
		    !oracle_mapping_is_independent(m, p->t))
			return -1;
		keep = keep && keeps_early_ones(m, p->t);
	}
	return rate < 1 || keep ? rate : -1;
}

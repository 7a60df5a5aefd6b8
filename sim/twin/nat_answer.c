// SPDX-License-Identifier: GPL-2.0-or-later
/* What a router answers packets with, and ICMP errors that others answered with. */
#include <stddef.h>

#include "sim/twin/nat.h"

static uint32_t address_on(const struct twin_nat *nat, enum twin_side side)
{
	return side == TWIN_INSIDE ? nat->config.inside.addr : nat->config.outside_addr;
}

enum twin_nat_action twin_answer_error(struct twin_passage *x, enum twin_error error)
{
	struct twin_packet *p = x->p;
	const struct twin_nat *nat = x->nat;
	/* Whose stack refuses answers from where it was asked; who forwards, from where it came in.
	 */
	bool own = error == TWIN_PORT_UNREACHABLE && twin_nat_has_address(nat, p->to.addr);
	uint32_t from = own ? p->to.addr : address_on(nat, x->in);

	if (p->protocol == TWIN_ICMP)
		return TWIN_NAT_DROPS;
	p->quote = (struct twin_quote){ error, p->protocol, p->from, p->to };
	p->protocol = TWIN_ICMP;
	p->ttl = TWIN_TTL;
	p->to = (struct endpoint){ p->from.addr, 0 };
	p->from = (struct endpoint){ from, 0 };
	p->len = 0;
	x->out = x->in;
	return TWIN_NAT_ANSWERS;
}

/* RFC 9293, section 3.10.7.1. */
enum twin_nat_action twin_answer_reset(struct twin_passage *x)
{
	struct twin_packet *p = x->p;
	struct endpoint from = p->from;
	bool ack = (p->flags & TWIN_ACK) != 0;
	uint32_t end = twin_tcp_end_of(p);

	if ((p->flags & TWIN_RST) != 0)
		return TWIN_NAT_DROPS;
	p->from = p->to;
	p->to = from;
	p->ttl = TWIN_TTL;
	p->sequence = ack ? p->acknowledgement : 0;
	p->acknowledgement = ack ? 0 : end;
	p->flags = ack ? TWIN_RST : TWIN_RST | TWIN_ACK;
	p->len = 0;
	x->out = x->in;
	return TWIN_NAT_ANSWERS;
}

/*
 * The packet it is about went the one way in its flow, and the error goes the other. It left the
 * router as what answers to the tuple of that other way; it had come as the tuple of the one.
 */
enum twin_nat_action twin_answer_translate_error(struct twin_passage *x)
{
	struct twin_packet *p = x->p;
	const struct nat_model *m = x->model;
	struct twin_tuple answer = { p->quote.to, p->quote.from };
	enum twin_way way = TWIN_ORIGINAL;
	struct twin_flow *flow =
		twin_flows_find(x->nat, x->now_us, p->quote.protocol, &answer, &way);

	if (flow == NULL) /* it must not leave with an inside address */
		return x->in == TWIN_INSIDE && m->translates ? TWIN_NAT_DROPS : TWIN_NAT_FORWARDS;
	if (x->in == TWIN_OUTSIDE && m->drops_icmp_errors)
		return TWIN_NAT_DROPS;

	const struct twin_tuple *came = &flow->tuples[!way];
	p->to.addr = came->from.addr;
	if (!endpoint_equal(p->quote.to, came->to))
		p->from.addr = came->to.addr;
	p->quote.from = came->from;
	p->quote.to = came->to;
	return TWIN_NAT_FORWARDS;
}

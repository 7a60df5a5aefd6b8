// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of a packet through a router:
 *
 *	conntrack	finds its flow, or begins one
 *	filtering	refuses what is new from outside, unless it is forwarded or permitted
 *	destination	what comes to an outside port goes to its owner
 *	routing		to the router itself, inside, or outside; the TTL
 *	forwarding	quota, blocked (from here on nat_forward.c)
 *	source		what leaves gets its outside port
 *	remember	mappings, owners and permissions live on
 *	confirm		conntrack knows the flow
 *
 * What is dropped on the way has changed nothing but what stands above it here.
 */
#include "sim/twin/nat.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

static struct twin_table *const *tables_of(struct twin_nat *nat, struct twin_table *ret[static 12])
{
	struct twin_table *const all[] = {
		&nat->tuples,  &nat->senders, &nat->owner_of, &nat->mapping_of,
		&nat->claims,  &nat->pooled,  &nat->in_use,   &nat->permitted,
		&nat->knocked, &nat->alive,   &nat->lived,    NULL,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ret[i] = all[i];
	return ret;
}

void twin_nat_init(struct twin_nat *nat, const struct twin_nat_config *config)
{
	assert(config->model->ruleset_file == NULL);
	*nat = (struct twin_nat){
		.config = *config,
		.asks_for_senders = nat_model_uses_ports(config->model, NAT_PORTS_PRESERVE),
	};
	twin_nat_reset(nat, 0);
}

void twin_nat_fini(struct twin_nat *nat)
{
	struct twin_table *all[12];

	for (struct twin_table *const *t = tables_of(nat, all); *t != NULL; t++)
		twin_table_fini(*t);
	free(nat->flows);
	*nat = (struct twin_nat){ .flows = NULL };
}

void twin_nat_reset(struct twin_nat *nat, uint64_t seed)
{
	struct twin_table *all[12];

	for (struct twin_table *const *t = tables_of(nat, all); *t != NULL; t++)
		twin_table_clear(*t);
	nat->flows_count = nat->free_flow = 0;
	prng_init(&nat->prng, seed);
	nat->sequence = (uint32_t)prng_next(&nat->prng);
}

/* ---- before routing */

/* The chain "filtering". */
static bool is_refused(struct twin_passage *x)
{
	return nat_model_remembers(x->model) && x->in == TWIN_OUTSIDE &&
	       (x->flow == NULL || (!x->is_established && !twin_filter_admits(x)));
}

static struct twin_key knock_key(const struct twin_passage *x)
{
	return twin_tuple_key(x->p->protocol, x->p->to, x->p->from);
}

static void note_knock(struct twin_passage *x)
{
	const struct nat_timeouts *t = &x->model->timeouts;
	uint64_t life_us =
		UINT64_C(1000) * (x->p->protocol == TWIN_UDP ? t->udp_ms : t->tcp_transitory_ms);

	(void)twin_table_put(&x->nat->knocked, knock_key(x), 0, x->now_us, x->now_us + life_us);
}

/* Whether its sender is refused for having knocked; each packet of it is another knock. */
static bool is_blocked(struct twin_passage *x)
{
	if (x->in != TWIN_OUTSIDE || x->of->unsolicited != NAT_UNSOLICITED_BLOCK ||
	    twin_table_find(&x->nat->knocked, knock_key(x), x->now_us) == NULL)
		return false;
	note_knock(x);
	return true;
}

/* The router's own stack. conntrack knows the flow as the router's own, but forgets one at once
 * that nothing but a reset has answered. */
static enum twin_nat_action deliver(struct twin_passage *x)
{
	if (x->of->unsolicited != NAT_UNSOLICITED_ACCEPT ||
	    !twin_nat_has_address(x->nat, x->p->to.addr))
		return TWIN_NAT_DROPS;
	if (x->p->protocol == TWIN_TCP)
		return twin_answer_reset(x);
	if (x->flow != NULL && !x->is_confirmed && !twin_flows_confirm(x))
		return TWIN_NAT_DROPS;
	return twin_answer_error(x, TWIN_PORT_UNREACHABLE);
}

static bool has_owner(const struct twin_passage *x, struct endpoint *ret_owner)
{
	const uint64_t *owner = twin_table_find(
		&x->nat->owner_of, twin_port_key(x->p->protocol, x->p->to.port), x->now_us);

	if (owner != NULL)
		*ret_owner = twin_endpoint_unpack(*owner);
	return owner != NULL;
}

/* Of the router's own stack, so by no mapping. */
static bool is_own_flow(const struct twin_passage *x)
{
	return twin_nat_has_address(x->nat, x->flow->tuples[TWIN_ORIGINAL].from.addr) ||
	       twin_nat_has_address(x->nat, x->flow->tuples[TWIN_REPLY].from.addr);
}

/* The chain "expired": a mapping can end before conntrack forgets its flows. */
static bool has_expired(const struct twin_passage *x)
{
	const struct nat_model *m = x->model;
	struct endpoint ignored;

	return m->translates && (m->refresh != NAT_REFRESH_BOTH || m->rst != NAT_RST_IGNORED) &&
	       x->in == TWIN_OUTSIDE && x->is_established && !is_own_flow(x) &&
	       !has_owner(x, &ignored) &&
	       !(x->p->to.addr == x->nat->config.outside_addr &&
		 twin_filter_is_forwarded(x, x->p->protocol, x->p->to.port, &ignored));
}

/* The chain "inbound". */
static void choose_destination(struct twin_passage *x)
{
	struct endpoint *to = &x->flow->tuples[TWIN_REPLY].from;
	struct twin_packet *p = x->p;

	if (!twin_nat_has_address(x->nat, p->to.addr) ||
	    (x->in == TWIN_INSIDE && x->model->hairpin == NAT_HAIRPIN_OFF))
		return;
	if (p->to.addr == x->nat->config.outside_addr &&
	    twin_filter_is_forwarded(x, p->protocol, p->to.port, to))
		return;
	if (!x->of->overloads || x->in == TWIN_INSIDE)
		(void)has_owner(x, to);
}

static void translate_destination(struct twin_passage *x)
{
	if (x->flow == NULL)
		return;
	if (!x->is_confirmed && x->model->translates)
		choose_destination(x);
	x->p->to = x->way == TWIN_ORIGINAL ? x->flow->tuples[TWIN_REPLY].from
					   : x->flow->tuples[TWIN_ORIGINAL].from;
}

/* ---- the whole */

static bool is_own(const struct twin_nat *nat, uint32_t addr)
{
	return twin_nat_has_address(nat, addr) || addr == nat->config.inside.addr;
}

/* By its destination and TTL. The original is what an error quotes. */
static enum twin_nat_action route(struct twin_passage *x, const struct twin_tuple *original)
{
	struct twin_packet *p = x->p;

	if (is_own(x->nat, p->to.addr))
		return p->protocol == TWIN_ICMP ? TWIN_NAT_DROPS : deliver(x);
	x->out = prefix_contains(x->nat->config.inside, p->to.addr) ? TWIN_INSIDE : TWIN_OUTSIDE;
	if (x->in == TWIN_OUTSIDE && x->out == TWIN_OUTSIDE)
		return TWIN_NAT_DROPS;
	if (p->ttl <= 1) {
		p->from = original->from;
		p->to = original->to;
		return twin_answer_error(x, TWIN_TIME_EXCEEDED);
	}
	p->ttl--;
	if (p->protocol == TWIN_ICMP)
		return twin_forward_may_pass(x) ? TWIN_NAT_FORWARDS : TWIN_NAT_DROPS;
	return twin_forward(x);
}

/* The files unsolicited-*.nft. */
static enum twin_nat_action refuse(struct twin_passage *x, const struct twin_tuple *original)
{
	if (x->flow == NULL)
		return TWIN_NAT_DROPS;
	switch (x->of->unsolicited) {
	case NAT_UNSOLICITED_DROP:
		break;
	case NAT_UNSOLICITED_ICMP:
		return twin_answer_error(x, TWIN_PORT_UNREACHABLE);
	case NAT_UNSOLICITED_ACCEPT: /* it goes where it was sent to */
		return route(x, original);
	case NAT_UNSOLICITED_BLOCK:
		note_knock(x);
		break;
	case NAT_UNSOLICITED_RST:
		return twin_answer_reset(x);
	}
	return TWIN_NAT_DROPS;
}

static enum twin_nat_action take_error(struct twin_passage *x)
{
	const struct twin_tuple original = { x->p->from, x->p->to };

	x->flow = NULL;
	if (nat_model_remembers(x->model) && twin_answer_translate_error(x) == TWIN_NAT_DROPS)
		return TWIN_NAT_DROPS;
	return route(x, &original);
}

static enum twin_nat_action take(struct twin_passage *x)
{
	const struct twin_tuple original = { x->p->from, x->p->to };

	x->of = &x->model->of[x->p->protocol == TWIN_UDP ? NAT_UDP : NAT_TCP];
	if (nat_model_remembers(x->model)) {
		if (x->in == TWIN_INSIDE && twin_filter_is_dead(x))
			return TWIN_NAT_DROPS;
		twin_flows_track(x);
		if (is_blocked(x))
			return TWIN_NAT_DROPS;
		if (is_refused(x))
			return refuse(x, &original);
		if (has_expired(x))
			return TWIN_NAT_DROPS;
		translate_destination(x);
	} else {
		x->flow = NULL;
	}
	return route(x, &original);
}

enum twin_nat_action twin_nat_take(struct twin_nat *nat, uint64_t now_us, enum twin_side in,
				   struct twin_packet *p, enum twin_side *ret_out)
{
	struct twin_passage x;

	x.nat = nat;
	x.model = nat->config.model;
	x.now_us = now_us;
	x.p = p;
	x.in = x.out = in;
	enum twin_nat_action action = p->protocol == TWIN_ICMP ? take_error(&x) : take(&x);
	*ret_out = x.out;
	return action;
}

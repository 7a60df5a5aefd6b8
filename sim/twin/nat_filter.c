// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who gets in, and what is remembered of what leaves: filtering-*.nft and the chains "remember" of
 * owners.nft, mapping-*.nft, pool-*.nft and ports-sequential.nft. Those are in one place since they
 * are asked together: a mapping, its owner and whom it permits last as long as one another, but for
 * that only what leaves permits.
 */
#include <stddef.h>

#include "sim/twin/nat.h"

/* A remote endpoint at an outside one, as far as filtering tells them apart. */
static struct twin_key permission_key(const struct nat_of *of, enum twin_protocol protocol,
				      struct endpoint outside, struct endpoint remote)
{
	if (of->filtering == NAT_ADDRESS_DEPENDENT)
		remote.port = 0;
	return twin_tuple_key(protocol, outside, remote);
}

struct twin_key twin_mapping_key(const struct nat_of *of, enum twin_protocol protocol,
				 struct endpoint inside, uint32_t remote)
{
	struct endpoint to = { of->mapping == NAT_ADDRESS_DEPENDENT ? remote : 0, 0 };

	return twin_tuple_key(protocol, inside, to);
}

bool twin_filter_is_forwarded(const struct twin_passage *x, enum twin_protocol protocol,
			      uint16_t port, struct endpoint *ret_inside)
{
	for (unsigned i = 0; i < x->model->forwards_count; i++) {
		const struct nat_forward *f = &x->model->forwards[i];

		if (f->port != port || (f->transport == NAT_UDP) != (protocol == TWIN_UDP))
			continue;
		*ret_inside =
			(struct endpoint){ prefix_network(x->nat->config.inside).addr + f->host,
					   f->host_port };
		return true;
	}
	return false;
}

static bool has_port_owner(const struct twin_passage *x, uint16_t port)
{
	return twin_table_find(&x->nat->owner_of, twin_port_key(x->p->protocol, port), x->now_us) !=
	       NULL;
}

static bool has_owner(const struct twin_passage *x, struct endpoint outside)
{
	if (x->model->pool.count > 1)
		return twin_table_find(&x->nat->pooled, twin_endpoint_key(x->p->protocol, outside),
				       x->now_us) != NULL;
	return has_port_owner(x, outside.port);
}

bool twin_filter_admits(struct twin_passage *x)
{
	const struct twin_packet *p = x->p;
	struct endpoint inside;

	if (x->model->translates && p->to.addr == x->nat->config.outside_addr &&
	    twin_filter_is_forwarded(x, p->protocol, p->to.port, &inside))
		return true;
	/* Where ports are shared, conntrack does the filtering: all but its own flows is refused.
	 */
	if (x->of->overloads)
		return false;
	if (x->of->filtering == NAT_ENDPOINT_INDEPENDENT)
		return !x->model->translates || has_owner(x, p->to);
	return twin_table_find(&x->nat->permitted,
			       permission_key(x->of, p->protocol, p->to, p->from),
			       x->now_us) != NULL;
}

/* ---- what leaves */

static uint64_t udp_us(const struct nat_model *m)
{
	return (uint64_t)m->timeouts.udp_ms * 1000;
}

/* As long as conntrack remembers the flow: one that it holds for longer than the transitory timeout
 * is an established one. */
static uint64_t lifetime_us(const struct twin_passage *x)
{
	const struct nat_timeouts *t = &x->model->timeouts;
	uint64_t transitory_us = (uint64_t)t->tcp_transitory_ms * 1000;

	if (x->p->protocol == TWIN_UDP)
		return udp_us(x->model);
	return x->flow != NULL && x->is_confirmed && x->flow->until_us - x->now_us > transitory_us
		       ? (uint64_t)t->tcp_established_ms * 1000
		       : transitory_us;
}

/* refresh-nothing.nft: what a mapping is of, whatever the flow. */
static struct twin_key life_key(const struct twin_passage *x, struct endpoint from,
				struct endpoint to)
{
	if (x->model->of[NAT_UDP].mapping == NAT_ENDPOINT_INDEPENDENT)
		to = (struct endpoint){ 0, 0 };
	return twin_tuple_key(TWIN_UDP, from, to);
}

static void begin_life(struct twin_passage *x)
{
	const struct twin_tuple *original = &x->flow->tuples[TWIN_ORIGINAL];
	struct twin_key key = life_key(x, original->from, original->to);
	uint64_t life_us = udp_us(x->model);

	(void)twin_table_add(&x->nat->alive, key, 0, x->now_us, x->now_us + life_us);
	(void)twin_table_add(&x->nat->lived, key, 0, x->now_us, x->now_us + 2 * life_us);
}

bool twin_filter_is_dead(const struct twin_passage *x)
{
	if (x->model->refresh != NAT_REFRESH_NONE || x->p->protocol != TWIN_UDP)
		return false;

	struct twin_key key = life_key(x, x->p->from, x->p->to);
	return twin_table_find(&x->nat->lived, key, x->now_us) != NULL &&
	       twin_table_find(&x->nat->alive, key, x->now_us) == NULL;
}

/* What a packet that is forwarded makes the router remember: whom it goes to, and the mappings of
 * who began its flow and of whom that was begun to. Bits. */
#define NOTHING            0u
#define PERMITS            1u
#define REFRESHES_SENDER   2u
#define REFRESHES_RECEIVER 4u
#define REFRESHES          (PERMITS | REFRESHES_SENDER | REFRESHES_RECEIVER)

static bool is_alive(const struct twin_passage *x)
{
	const struct twin_tuple *original = &x->flow->tuples[TWIN_ORIGINAL];

	return twin_table_find(&x->nat->alive, life_key(x, original->from, original->to),
			       x->now_us) != NULL;
}

/* refresh-nothing.nft: the packet that makes a mapping, if there is none yet. */
static unsigned effect_of_first(struct twin_passage *x)
{
	bool leaves = x->out == TWIN_OUTSIDE;

	if (x->is_confirmed ||
	    (!leaves && !twin_nat_has_address(x->nat, x->flow->tuples[TWIN_REPLY].to.addr)))
		return NOTHING;
	if (is_alive(x))
		return PERMITS;
	begin_life(x);
	return leaves ? REFRESHES : REFRESHES_SENDER;
}

/* refresh-*.nft. A new flow by a mapping there is permits whom it goes to, and that is all. What
 * one host behind the router sends to another leaves by the mapping of the one, and only comes in
 * by the other's. */
static unsigned effect_of(struct twin_passage *x)
{
	bool leaves = x->out == TWIN_OUTSIDE;

	if (x->p->protocol != TWIN_UDP)
		return REFRESHES;
	switch (x->model->refresh) {
	case NAT_REFRESH_BOTH:
		break;
	case NAT_REFRESH_OUTBOUND:
		if (leaves)
			return REFRESHES;
		return x->way == TWIN_ORIGINAL ? REFRESHES_SENDER : REFRESHES_RECEIVER;
	case NAT_REFRESH_INBOUND:
		if (leaves && x->is_confirmed)
			return NOTHING;
		return leaves && has_port_owner(x, x->p->from.port) ? PERMITS : REFRESHES;
	case NAT_REFRESH_NONE:
		return effect_of_first(x);
	}
	return REFRESHES;
}

static void remember_owner(struct twin_passage *x, struct endpoint outside, struct endpoint inside,
			   uint64_t until_us)
{
	(void)twin_table_put(&x->nat->owner_of, twin_port_key(x->p->protocol, outside.port),
			     twin_endpoint_pack(inside), x->now_us, until_us);
}

static void remember_mapping(struct twin_passage *x, struct endpoint inside, uint32_t remote,
			     struct endpoint outside, uint64_t until_us)
{
	(void)twin_table_put(&x->nat->mapping_of,
			     twin_mapping_key(x->of, x->p->protocol, inside, remote),
			     twin_endpoint_pack(outside), x->now_us, until_us);
}

/* If they are inside. */
static void remember_mappings(struct twin_passage *x, unsigned effect, uint64_t until_us)
{
	const struct twin_tuple *original = &x->flow->tuples[TWIN_ORIGINAL];
	const struct twin_tuple *reply = &x->flow->tuples[TWIN_REPLY];

	if ((effect & REFRESHES_SENDER) != 0 && twin_nat_has_address(x->nat, reply->to.addr)) {
		remember_owner(x, reply->to, original->from, until_us);
		if (x->of->mapping != NAT_ADDRESS_AND_PORT_DEPENDENT)
			remember_mapping(x, original->from, original->to.addr, reply->to, until_us);
	}
	if ((effect & REFRESHES_RECEIVER) != 0 && twin_nat_has_address(x->nat, original->to.addr)) {
		remember_owner(x, original->to, reply->from, until_us);
		/* What comes in from an address does not make a mapping towards it. */
		if (x->of->mapping == NAT_ENDPOINT_INDEPENDENT)
			remember_mapping(x, reply->from, 0, original->to, until_us);
	}
}

void twin_filter_remember(struct twin_passage *x)
{
	const struct twin_packet *p = x->p;
	struct twin_nat *nat = x->nat;
	unsigned effect = effect_of(x);

	if (effect == NOTHING)
		return;

	uint64_t until_us = x->now_us + lifetime_us(x);
	if ((effect & PERMITS) != 0 && x->out == TWIN_OUTSIDE && !x->of->overloads &&
	    x->of->filtering != NAT_ENDPOINT_INDEPENDENT)
		(void)twin_table_put(&nat->permitted,
				     permission_key(x->of, p->protocol, p->from, p->to), 0,
				     x->now_us, until_us);
	if ((effect & REFRESHES_SENDER) != 0 && x->out == TWIN_OUTSIDE && x->model->pool.count > 1)
		(void)twin_table_put(&nat->pooled, twin_endpoint_key(p->protocol, p->from), 0,
				     x->now_us, until_us);
	if (x->flow == NULL || !x->model->translates)
		return;
	if (!x->of->overloads)
		remember_mappings(x, effect, until_us);
	if ((effect & REFRESHES_SENDER) != 0 && x->flow->place != 0)
		(void)twin_table_put(&nat->in_use, (struct twin_key){ x->flow->place, 0 }, 0,
				     x->now_us, until_us);
}

/* ---- resets */

static void forget_mapping(struct twin_passage *x, struct endpoint outside, struct endpoint inside,
			   uint32_t remote)
{
	struct endpoint ignored;

	/* A forwarded port is always open. */
	if (twin_filter_is_forwarded(x, TWIN_TCP, outside.port, &ignored))
		return;
	twin_table_remove(&x->nat->owner_of, twin_port_key(TWIN_TCP, outside.port));
	if (remote != 0 || x->of->mapping == NAT_ENDPOINT_INDEPENDENT)
		twin_table_remove(&x->nat->mapping_of,
				  twin_mapping_key(x->of, TWIN_TCP, inside, remote));
}

void twin_filter_forget(struct twin_passage *x)
{
	const struct twin_tuple *original, *reply;

	if (x->flow == NULL)
		return;
	original = &x->flow->tuples[TWIN_ORIGINAL];
	reply = &x->flow->tuples[TWIN_REPLY];
	if (twin_nat_has_address(x->nat, reply->to.addr))
		forget_mapping(x, reply->to, original->from, original->to.addr);
	if (twin_nat_has_address(x->nat, original->to.addr))
		forget_mapping(x, original->to, reply->from, 0);
}

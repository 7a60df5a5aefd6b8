// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conntrack: a flow is what two endpoints send each other, and is found by the tuple of a packet
 * either way. It is known once its first packet has left; what is dropped before leaves no trace.
 * Flows that have expired are found out when somebody asks for them, or when room is wanted.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "sim/twin/nat.h"

#define ROOM_MIN 16u
/* Tuples last as long as their flow, which knows its time. */
#define FOREVER  UINT64_MAX

static struct twin_tuple inverse(const struct twin_tuple *tuple)
{
	return (struct twin_tuple){ tuple->to, tuple->from };
}

static struct twin_key tuple_key(enum twin_protocol protocol, const struct twin_tuple *tuple)
{
	return twin_tuple_key(protocol, tuple->from, tuple->to);
}

static struct twin_key sender_key(const struct twin_flow *flow)
{
	return twin_endpoint_key(flow->protocol, flow->tuples[TWIN_ORIGINAL].from);
}

/* ---- the flows of one sender, the last one first: their numbers from 1, 0 for none */

static uint32_t first_of_sender(const struct twin_nat *nat, struct twin_key key)
{
	const uint64_t *first = twin_table_find(&nat->senders, key, 0);

	return first == NULL ? 0 : (uint32_t)*first;
}

static void set_first_of_sender(struct twin_nat *nat, struct twin_key key, uint32_t number)
{
	uint64_t *first = twin_table_find(&nat->senders, key, 0);

	if (number == 0)
		twin_table_remove(&nat->senders, key);
	else if (first != NULL)
		*first = number;
	else
		(void)twin_table_put(&nat->senders, key, number, 0, FOREVER);
}

static void link_to_sender(struct twin_nat *nat, uint32_t number)
{
	struct twin_flow *flow = &nat->flows[number - 1];
	struct twin_key key = sender_key(flow);

	flow->previous = flow->next = 0;
	if (!nat->asks_for_senders)
		return;
	flow->next = first_of_sender(nat, key);
	if (flow->next != 0)
		nat->flows[flow->next - 1].previous = number;
	set_first_of_sender(nat, key, number);
}

static void unlink_from_sender(struct twin_nat *nat, const struct twin_flow *flow)
{
	if (!nat->asks_for_senders)
		return;
	if (flow->next != 0)
		nat->flows[flow->next - 1].previous = flow->previous;
	if (flow->previous != 0)
		nat->flows[flow->previous - 1].next = flow->next;
	else
		set_first_of_sender(nat, sender_key(flow), flow->next);
}

/* ---- one flow */

static void forget(struct twin_nat *nat, struct twin_flow *flow)
{
	twin_table_remove(&nat->tuples, tuple_key(flow->protocol, &flow->tuples[TWIN_ORIGINAL]));
	twin_table_remove(&nat->tuples, tuple_key(flow->protocol, &flow->tuples[TWIN_REPLY]));
	unlink_from_sender(nat, flow);
	flow->lives = false;
	flow->next = nat->free_flow;
	nat->free_flow = (uint32_t)(flow - nat->flows) + 1;
}

static void make_room(struct twin_nat *nat, uint64_t now_us)
{
	if (nat->free_flow != 0 || nat->flows_count < nat->flows_room)
		return;
	for (uint32_t i = 0; i < nat->flows_count; i++)
		if (nat->flows[i].lives && now_us >= nat->flows[i].until_us)
			forget(nat, &nat->flows[i]);
	if (nat->free_flow != 0)
		return;
	nat->flows_room = nat->flows_room == 0 ? ROOM_MIN : 2 * nat->flows_room;
	nat->flows = realloc(nat->flows, nat->flows_room * sizeof(*nat->flows));
	assert(nat->flows != NULL);
}

struct twin_flow *twin_flows_find(struct twin_nat *nat, uint64_t now_us,
				  enum twin_protocol protocol, const struct twin_tuple *tuple,
				  enum twin_way *ret_way)
{
	const uint64_t *value = twin_table_find(&nat->tuples, tuple_key(protocol, tuple), now_us);

	if (value == NULL)
		return NULL;

	struct twin_flow *flow = &nat->flows[*value >> 1];
	*ret_way = (enum twin_way)(*value & 1);
	if (now_us < flow->until_us)
		return flow;
	forget(nat, flow);
	return NULL;
}

bool twin_flows_is_taken(struct twin_nat *nat, uint64_t now_us, enum twin_protocol protocol,
			 const struct twin_tuple *tuple)
{
	enum twin_way way;

	return twin_flows_find(nat, now_us, protocol, tuple, &way) != NULL;
}

/* ---- the flow of a packet */

/* nf_conntrack_proto_udp.c: packets go both ways, and have done so for longer than this. */
#define ANSWERED_US 2000000u

/* conntrack knows no less than seconds. As it has the mappings all to itself where ports are
 * shared, it is told two lifetimes there, and one else (nat_sysctls.c). */
static uint64_t udp_lifetime_us(const struct twin_passage *x)
{
	const struct nat_timeouts *t = &x->model->timeouts;
	bool answered = x->flow->is_answered && x->now_us > x->flow->begun_us + ANSWERED_US;
	uint32_t ms = answered || !x->of->overloads ? t->udp_ms : t->udp_unreplied_ms;

	return (ms + 999) / 1000 * UINT64_C(1000000);
}

static uint64_t lifetime_us(const struct twin_passage *x)
{
	return x->p->protocol == TWIN_UDP ? udp_lifetime_us(x)
					  : twin_tcp_lifetime_us(x->flow, x->model);
}

static void begin(struct twin_passage *x)
{
	struct twin_tuple tuple = { x->p->from, x->p->to };

	x->fresh = (struct twin_flow){ .tuples = { tuple, inverse(&tuple) },
				       .begun_us = x->now_us,
				       .protocol = x->p->protocol };
	if (x->p->protocol == TWIN_TCP && !twin_tcp_begin(&x->fresh, x->p))
		return;
	x->flow = &x->fresh;
	x->flow->until_us = x->now_us + lifetime_us(x);
}

/* Returns false if the segment begins a new flow instead. */
static bool take_segment(struct twin_passage *x, struct twin_flow *flow, enum twin_way way)
{
	switch (twin_tcp_judge(flow, x->model, way, x->p)) {
	case TWIN_TCP_VALID:
		x->flow = flow;
		flow->until_us = x->now_us + lifetime_us(x);
		break;
	case TWIN_TCP_IGNORED:
		x->flow = flow;
		break;
	case TWIN_TCP_INVALID:
		break;
	case TWIN_TCP_ENDS:
		x->fresh = *flow;
		x->flow = &x->fresh;
		forget(x->nat, flow);
		break;
	case TWIN_TCP_REOPENS:
		forget(x->nat, flow);
		return false;
	}
	return true;
}

void twin_flows_track(struct twin_passage *x)
{
	struct twin_tuple tuple = { x->p->from, x->p->to };
	enum twin_way way = TWIN_ORIGINAL;
	struct twin_flow *flow = twin_flows_find(x->nat, x->now_us, x->p->protocol, &tuple, &way);

	x->flow = NULL;
	x->way = TWIN_ORIGINAL;
	x->is_confirmed = x->is_established = false;
	if (flow == NULL) {
		begin(x);
		return;
	}
	if (x->p->protocol == TWIN_UDP) {
		x->flow = flow;
		flow->until_us = x->now_us + lifetime_us(x);
	} else if (!take_segment(x, flow, way)) {
		begin(x);
		return;
	}
	if (x->flow == NULL)
		return;
	if (way == TWIN_REPLY)
		x->flow->is_answered = true;
	x->way = way;
	x->is_confirmed = true;
	x->is_established = x->flow->is_answered;
}

bool twin_flows_confirm(struct twin_passage *x)
{
	struct twin_nat *nat = x->nat;
	enum twin_protocol protocol = x->flow->protocol;
	uint32_t number;

	for (int way = 0; way < 2; way++)
		if (twin_flows_is_taken(nat, x->now_us, protocol, &x->flow->tuples[way]))
			return false;
	make_room(nat, x->now_us);
	if (nat->free_flow != 0) {
		number = nat->free_flow;
		nat->free_flow = nat->flows[number - 1].next;
	} else {
		number = ++nat->flows_count;
	}
	nat->flows[number - 1] = x->fresh;
	x->flow = &nat->flows[number - 1];
	x->flow->lives = true;
	for (uint64_t way = 0; way < 2; way++)
		(void)twin_table_put(&nat->tuples, tuple_key(protocol, &x->flow->tuples[way]),
				     (uint64_t)(number - 1) << 1 | way, x->now_us, FOREVER);
	link_to_sender(nat, number);
	return true;
}

/* ---- what others ask of them */

bool twin_flows_find_source(struct twin_passage *x, uint32_t addr, uint16_t first, uint16_t last,
			    struct endpoint *ret)
{
	const struct twin_nat *nat = x->nat;
	uint32_t number = first_of_sender(nat, sender_key(x->flow));

	for (; number != 0; number = nat->flows[number - 1].next) {
		const struct twin_flow *flow = &nat->flows[number - 1];
		struct endpoint source = flow->tuples[TWIN_REPLY].to;

		if (x->now_us < flow->until_us && source.addr == addr && source.port >= first &&
		    source.port <= last) {
			*ret = source;
			return true;
		}
	}
	return false;
}

/* A connection that has ended does not count, as for the kernel's nf_conncount. */
unsigned twin_flows_count(const struct twin_nat *nat, uint64_t now_us, uint32_t inside_addr)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < nat->flows_count; i++) {
		const struct twin_flow *flow = &nat->flows[i];

		count += flow->lives && now_us < flow->until_us && flow->is_counted &&
			 flow->tuples[TWIN_ORIGINAL].from.addr == inside_addr &&
			 flow->tcp.state != TWIN_TCP_TIME_WAIT && flow->tcp.state != TWIN_TCP_CLOSE;
	}
	return count;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a router does to one packet at one time, without a world around it. router.h has the node.
 *
 * It is made as the kernel is: flows are conntrack's (nat_flows.c, nat_tcp.c), and the steps of
 * nat.c are the chains of nat_models/rules/, in the order of their hooks and priorities. What the
 * rules keep in a set or map is a table of the same name here.
 *
 * It differs from the kernel in this:
 *	- a random port is any of the range with the same probability. The kernel's is 16 random
 *	  bits modulo the range, so of 64,512 ports 1024 are twice as probable as the others;
 *	- a table holds any number of elements, where the kernel's sets have a size;
 *	- all windows are Linux' first one, and nobody acknowledges selectively. What conntrack does
 *	  after three equal segments without data is left out, as is that it looks for a port harder
 *	  where all others are taken by connections that are closing;
 *	- packets pass one after another, so no two claim a port at once.
 */
#ifndef NATSIM_SIM_TWIN_NAT_H
#define NATSIM_SIM_TWIN_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/prng.h"
#include "sim/model/nat_model.h"
#include "sim/twin/node.h"
#include "sim/twin/table.h"

struct twin_tuple {
	struct endpoint from, to;
};

/* ---- conntrack's flows */

/* Which way a packet of a flow goes: as its first one did, or back. */
enum twin_way { TWIN_ORIGINAL, TWIN_REPLY };

/* The names are those of nf_conntrack_proto_tcp.c. */
enum twin_tcp_state {
	TWIN_TCP_NONE,
	TWIN_TCP_SYN_SENT,
	TWIN_TCP_SYN_RECV,
	TWIN_TCP_ESTABLISHED,
	TWIN_TCP_FIN_WAIT,
	TWIN_TCP_CLOSE_WAIT,
	TWIN_TCP_LAST_ACK,
	TWIN_TCP_TIME_WAIT,
	TWIN_TCP_CLOSE,
	TWIN_TCP_SYN_SENT2, /* SYNs have crossed */
};

/* What was seen of one end of a connection. */
struct twin_tcp_end {
	uint32_t end, max_end, max_window;
	uint32_t max_ack; /* if has_ack */
	bool has_ack, unacknowledged, closes_first;
};

struct twin_tcp {
	enum twin_tcp_state state;
	uint8_t last_segment; /* enum segment of nat_tcp.c */
	enum twin_way last_way;
	uint32_t last_end, last_ack;
	bool crossed, challenged;
	struct twin_tcp_end ends[2]; /* by enum twin_way */
};

struct twin_flow {
	struct twin_tuple tuples[2]; /* by enum twin_way, as packets arrive */
	uint64_t begun_us, until_us;
	enum twin_protocol protocol;
	uint32_t place;          /* in the sequence of ports, from 1; 0: it drew none */
	uint32_t next, previous; /* of the same sender, or the next free one; 1 more than it is */
	bool lives;
	bool is_answered, is_assured;
	bool is_counted; /* for its sender's quota */
	struct twin_tcp tcp;
};

/* ---- the router */

struct twin_nat_config {
	const struct nat_model *model; /* outlives the router; has no ruleset of its own */
	uint32_t outside_addr;
	struct prefix inside;
};

struct twin_nat {
	struct twin_nat_config config;
	struct prng prng;
	uint32_t sequence; /* how many places of the sequence were taken, modulo their number */

	/* An array of all flows, and two ways to find them. */
	struct twin_flow *flows;
	uint32_t flows_count, flows_room, free_flow;
	struct twin_table tuples, senders;
	bool asks_for_senders; /* else nobody needs to know whose flows they are */

	/* See the rules. */
	struct twin_table owner_of, mapping_of, claims, permitted, pooled, in_use;
	struct twin_table knocked, alive, lived;
};

void twin_nat_init(struct twin_nat *nat, const struct twin_nat_config *config);
void twin_nat_fini(struct twin_nat *nat);
void twin_nat_reset(struct twin_nat *nat, uint64_t seed);

enum twin_nat_action {
	TWIN_NAT_DROPS,
	TWIN_NAT_FORWARDS, /* the packet, translated */
	TWIN_NAT_ANSWERS,  /* it: the packet is an ICMP error or a reset now */
};

/* A packet has arrived on a side. It is changed into what the router sends to *ret_out, unless that
 * is nothing. Time may not go back. */
enum twin_nat_action twin_nat_take(struct twin_nat *nat, uint64_t now_us, enum twin_side in,
				   struct twin_packet *p, enum twin_side *ret_out);

/* ---- between the parts */

/* A packet on its way through the router. */
struct twin_passage {
	struct twin_nat *nat;
	const struct nat_model *model;
	const struct nat_of *of; /* of the packet's transport; not of ICMP */
	uint64_t now_us;
	struct twin_packet *p;
	enum twin_side in, out;
	struct twin_flow *flow; /* NULL: conntrack cannot place it */
	enum twin_way way;
	bool is_confirmed;      /* the flow was known before */
	bool is_established;    /* there were packets both ways; else it is new */
	struct twin_flow fresh; /* one that is not confirmed, or that has just ended */
};

static inline struct twin_key twin_tuple_key(enum twin_protocol protocol, struct endpoint from,
					     struct endpoint to)
{
	return (struct twin_key){ (uint64_t)from.addr << 32 | to.addr,
				  (uint64_t)protocol << 32 | (uint32_t)from.port << 16 | to.port };
}

static inline struct twin_key twin_endpoint_key(enum twin_protocol protocol, struct endpoint ep)
{
	return twin_tuple_key(protocol, ep, (struct endpoint){ 0, 0 });
}

static inline struct twin_key twin_port_key(enum twin_protocol protocol, uint16_t port)
{
	return (struct twin_key){ port, protocol };
}

static inline uint64_t twin_endpoint_pack(struct endpoint ep)
{
	return (uint64_t)ep.addr << 16 | ep.port;
}

static inline struct endpoint twin_endpoint_unpack(uint64_t value)
{
	return (struct endpoint){ (uint32_t)(value >> 16), (uint16_t)value };
}

/* True for the outside addresses. */
static inline bool twin_nat_has_address(const struct twin_nat *nat, uint32_t addr)
{
	return addr - nat->config.outside_addr < nat->config.model->pool.count;
}

/* nat_flows.c: finds the packet's flow, or begins one that is not confirmed yet. */
void twin_flows_track(struct twin_passage *x);
/* Makes it known, from now on. Returns false if one of its tuples is another flow's. */
bool twin_flows_confirm(struct twin_passage *x);
bool twin_flows_is_taken(struct twin_nat *nat, uint64_t now_us, enum twin_protocol protocol,
			 const struct twin_tuple *tuple);
/* The flow that a tuple is of, or NULL. */
struct twin_flow *twin_flows_find(struct twin_nat *nat, uint64_t now_us,
				  enum twin_protocol protocol, const struct twin_tuple *tuple,
				  enum twin_way *ret_way);
/* The outside endpoint within the ports that the sender of a new flow has in the one begun last. */
bool twin_flows_find_source(struct twin_passage *x, uint32_t addr, uint16_t first, uint16_t last,
			    struct endpoint *ret);
/* How many flows of an inside address count for its quota. */
unsigned twin_flows_count(const struct twin_nat *nat, uint64_t now_us, uint32_t inside_addr);

/* nat_tcp.c */
enum twin_tcp_verdict {
	TWIN_TCP_VALID,
	TWIN_TCP_IGNORED, /* valid, and changes nothing */
	TWIN_TCP_INVALID,
	TWIN_TCP_ENDS,   /* valid; the flow is forgotten */
	TWIN_TCP_REOPENS /* it begins a new flow in place of this one */
};
/* Returns false unless the segment begins a connection. */
bool twin_tcp_begin(struct twin_flow *flow, const struct twin_packet *p);
enum twin_tcp_verdict twin_tcp_judge(struct twin_flow *flow, const struct nat_model *m,
				     enum twin_way way, const struct twin_packet *p);
/* How long conntrack keeps a flow after a segment that it took for valid. */
uint64_t twin_tcp_lifetime_us(const struct twin_flow *flow, const struct nat_model *m);

/* nat_tcp_window.c. Linux offers 64240 bytes at first (44 segments of 1460), and no less later. */
#define TWIN_TCP_WINDOW 64240u

static inline bool twin_tcp_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline uint32_t twin_tcp_end_of(const struct twin_packet *p)
{
	return p->sequence + p->len + ((p->flags & (TWIN_SYN | TWIN_FIN)) != 0);
}

static inline struct twin_tcp_end twin_tcp_end_begun_at(uint32_t end)
{
	return (struct twin_tcp_end){ .end = end, .max_end = end, .max_window = TWIN_TCP_WINDOW };
}

enum twin_tcp_verdict twin_tcp_judge_numbers(struct twin_tcp *tcp, enum twin_way way,
					     const struct twin_packet *p);

/* nat_ports.c: gives a new flow its outside endpoint. Returns false if there is none for it. */
bool twin_ports_translate(struct twin_passage *x);
/* Where no rule translates its source, the kernel still sees to it that its tuple is unique. */
void twin_ports_keep(struct twin_passage *x);

/* nat_forward.c: what stands between routing and leaving. */
bool twin_forward_may_pass(struct twin_passage *x);
enum twin_nat_action twin_forward(struct twin_passage *x);

/* nat_filter.c: whether a new flow from outside gets in; and what the router learns from a packet
 * that leaves, and unlearns from a reset. */
bool twin_filter_admits(struct twin_passage *x);
bool twin_filter_is_forwarded(const struct twin_passage *x, enum twin_protocol protocol,
			      uint16_t port, struct endpoint *ret_inside);
/* Whether the sender's mapping had its time and no packet may go by it; see refresh-nothing.nft. */
bool twin_filter_is_dead(const struct twin_passage *x);
void twin_filter_remember(struct twin_passage *x);
void twin_filter_forget(struct twin_passage *x);
struct twin_key twin_mapping_key(const struct nat_of *of, enum twin_protocol protocol,
				 struct endpoint inside, uint32_t remote);

/* nat_answer.c: makes the packet into what the router answers it with, from the address it was
 * sent to. */
enum twin_nat_action twin_answer_error(struct twin_passage *x, enum twin_error error);
enum twin_nat_action twin_answer_reset(struct twin_passage *x);
/* Of an ICMP error that arrived. */
enum twin_nat_action twin_answer_translate_error(struct twin_passage *x);

#endif

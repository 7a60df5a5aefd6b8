// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which outside endpoint a new flow gets: that of a mapping there is, or a new one. See
 * mapping-*.nft, pool-*.nft and ports-*.nft.
 *
 * Some rules name the port, and then that is it. Others leave it to the kernel (get_unique_tuple()
 * of nf_nat_core.c), which asks that no other flow have the same tuple towards the same remote
 * endpoint, and does not ask who owns the port: that is what the chain "clash" is for.
 */
#include <stddef.h>
#include <stdlib.h>

#include "sim/twin/nat.h"

/* The first inside address that a subscriber can have: .1 is the router's. */
#define FIRST_HOST    2u
/* The kernel's NF_NAT_MAX_ATTEMPTS, and the fewest that it halves. */
#define ATTEMPTS_MAX  128u
#define ATTEMPTS_HALF 16u
/* ports-sequential.nft */
#define SKIPS_MAX     7u

struct range {
	uint16_t first, last;
};

static struct range range_of(const struct nat_model *m)
{
	return (struct range){ m->ports.first, m->ports.last };
}

static unsigned range_count(struct range range)
{
	return range.last - range.first + 1u;
}

/* ---- what the kernel does */

static bool is_taken(struct twin_passage *x, struct endpoint source)
{
	struct twin_tuple reply = { x->flow->tuples[TWIN_REPLY].from, source };

	return twin_flows_is_taken(x->nat, x->now_us, x->flow->protocol, &reply);
}

/* From a random port upwards, until one is not taken, or it gives up. */
static struct endpoint search(struct twin_passage *x, uint32_t addr, struct range range)
{
	unsigned count = range_count(range);
	unsigned attempts = count > ATTEMPTS_MAX ? ATTEMPTS_MAX : count;
	struct endpoint source = { addr, 0 };

	for (;;) {
		unsigned offset = (unsigned)prng_below(&x->nat->prng, count);

		for (unsigned i = 0; i < attempts; i++) {
			source.port = (uint16_t)(range.first + (offset + i) % count);
			if (!is_taken(x, source))
				return source;
		}
		if (attempts == count || attempts < ATTEMPTS_HALF)
			return source;
		attempts /= 2;
	}
}

/* From where the kernel takes a port if no rule says. */
static struct range range_like(uint16_t port)
{
	if (port < 512)
		return (struct range){ 1, 511 };
	if (port < 1024)
		return (struct range){ 600, 1023 };
	return (struct range){ 1024, 65535 };
}

/* The inside port, or the one that the sender's last flow has, or another. A rule without a range
 * allows all for the first two. */
static struct endpoint keep_port(struct twin_passage *x, uint32_t addr, struct range allowed,
				 struct range others)
{
	struct endpoint source;

	if (twin_flows_find_source(x, addr, allowed.first, allowed.last, &source) &&
	    !is_taken(x, source))
		return source;
	source = (struct endpoint){ addr, x->flow->tuples[TWIN_ORIGINAL].from.port };
	if (source.port >= allowed.first && source.port <= allowed.last && !is_taken(x, source))
		return source;
	return search(x, addr, others);
}

void twin_ports_keep(struct twin_passage *x)
{
	struct endpoint *source = &x->flow->tuples[TWIN_REPLY].to;

	if (is_taken(x, *source))
		*source = search(x, source->addr, range_like(source->port));
}

/* ---- sequential ports */

static unsigned sequence_length(const struct nat_model *m)
{
	return (range_count(range_of(m)) - 1) / (unsigned)abs(m->ports.step) + 1;
}

static uint32_t next_place(struct twin_passage *x)
{
	struct twin_nat *nat = x->nat;
	uint32_t place = nat->sequence % sequence_length(x->model);

	nat->sequence = place + 1;
	return place + 1;
}

static bool is_in_use(const struct twin_passage *x, uint32_t place)
{
	return twin_table_find(&x->nat->in_use, (struct twin_key){ place, 0 }, x->now_us) != NULL;
}

static uint16_t next_port(struct twin_passage *x)
{
	const struct nat_model *m = x->model;
	int start = m->ports.step > 0 ? m->ports.first : m->ports.last;
	uint32_t place = next_place(x);

	for (unsigned i = 0; i < SKIPS_MAX && is_in_use(x, place); i++)
		place = next_place(x);
	x->flow->place = place;
	return (uint16_t)(start + (int)(place - 1) * m->ports.step);
}

/* ---- the other choices */

/* One of the range that is even or odd as the inside port is. */
static uint16_t random_of_parity(struct twin_passage *x, uint16_t like)
{
	struct range range = range_of(x->model);
	unsigned first = range.first + ((range.first ^ like) & 1u);
	unsigned count = (range.last - first) / 2 + 1;

	return (uint16_t)(first + 2 * prng_below(&x->nat->prng, count));
}

static bool choose_random(struct twin_passage *x, uint32_t addr, struct endpoint *ret)
{
	if (x->model->ports.parity)
		*ret = (struct endpoint){ addr, random_of_parity(x, x->p->from.port) };
	else
		*ret = search(x, addr, range_of(x->model));
	return true;
}

static bool choose_of_block(struct twin_passage *x, uint32_t addr, struct endpoint *ret)
{
	const struct nat_model *m = x->model;
	unsigned blocks = range_count(range_of(m)) / m->ports.block;
	uint32_t host = x->p->from.addr - (prefix_network(x->nat->config.inside).addr + FIRST_HOST);

	if (host >= (blocks > NAT_BLOCKS_MAX ? NAT_BLOCKS_MAX : blocks))
		return false;

	unsigned first = m->ports.first + host * m->ports.block;
	*ret = search(x, addr,
		      (struct range){ (uint16_t)first, (uint16_t)(first + m->ports.block - 1) });
	return true;
}

static bool choose_after_clash(struct twin_passage *x, uint32_t addr, struct endpoint *ret)
{
	uint16_t port = x->p->from.port;

	switch (x->of->on_clash) {
	case NAT_CLASH_RANDOM:
		return choose_random(x, addr, ret);
	case NAT_CLASH_SEQUENTIAL:
		*ret = (struct endpoint){ addr, next_port(x) };
		return true;
	case NAT_CLASH_SAME_CLASS:
		*ret = search(x, addr,
			      port < 512    ? (struct range){ 1, 511 }
			      : port < 1024 ? (struct range){ 512, 1023 }
					    : (struct range){ 1024, 65535 });
		return true;
	case NAT_CLASH_DROP:
		break;
	}
	return false;
}

/* forwards-owners.nft: a forwarded port belongs to the endpoint it leads to, whether anybody has
 * used it yet or not. */
static bool is_anothers(const struct twin_passage *x, uint16_t port)
{
	struct endpoint inside;

	return twin_filter_is_forwarded(x, x->p->protocol, port, &inside) &&
	       !endpoint_equal(inside, x->flow->tuples[TWIN_ORIGINAL].from);
}

static bool choose_preserved(struct twin_passage *x, uint32_t addr, struct endpoint *ret)
{
	struct range range = range_of(x->model);
	uint16_t port = x->p->from.port;

	if (x->of->overloads) {
		*ret = keep_port(x, addr, range, range);
		return true;
	}
	if (port < range.first || port > range.last || is_anothers(x, port) ||
	    twin_table_find(&x->nat->owner_of, twin_port_key(x->p->protocol, port), x->now_us) !=
		    NULL)
		return choose_after_clash(x, addr, ret);
	*ret = keep_port(x, addr, (struct range){ 0, 65535 }, range_like(port));
	return true;
}

static bool choose_port(struct twin_passage *x, uint32_t addr, struct endpoint *ret)
{
	switch (x->of->choose) {
	case NAT_PORTS_PRESERVE:
		return choose_preserved(x, addr, ret);
	case NAT_PORTS_RANDOM:
		return choose_random(x, addr, ret);
	case NAT_PORTS_SEQUENTIAL:
		*ret = (struct endpoint){ addr, next_port(x) };
		return true;
	case NAT_PORTS_BLOCK:
		return choose_of_block(x, addr, ret);
	}
	return false;
}

/* ---- the address */

static uint32_t rotl(uint32_t value, int bits)
{
	return value << bits | value >> (32 - bits);
}

/* nft's `jhash ip saddr seed 1`: Bob Jenkins' lookup3 of four bytes, in the order of the wire. */
static uint32_t hash_address(uint32_t addr)
{
	uint32_t a = 0xdeadbeefu + 4 + 1, b = a, c = a;

	a += addr >> 24 | (addr >> 8 & 0xff00) | (addr << 8 & 0xff0000) | addr << 24;
	c = (c ^ b) - rotl(b, 14);
	a = (a ^ c) - rotl(c, 11);
	b = (b ^ a) - rotl(a, 25);
	c = (c ^ b) - rotl(b, 16);
	a = (a ^ c) - rotl(c, 4);
	b = (b ^ a) - rotl(a, 14);
	return (c ^ b) - rotl(b, 24);
}

static uint32_t choose_address(struct twin_passage *x)
{
	uint32_t first = x->nat->config.outside_addr;
	unsigned count = x->model->pool.count;

	if (count == 1)
		return first;
	if (!x->model->pool.paired)
		return first + (uint32_t)prng_below(&x->nat->prng, count);
	/* The kernel's reciprocal_scale(). */
	return first + (uint32_t)((uint64_t)hash_address(x->p->from.addr) * count >> 32);
}

/* ---- the whole */

/* A new mapping is dropped if it drew somebody's port, or one that has just been claimed; the
 * packet that is sent again draws once more. */
static bool claim(struct twin_passage *x, uint16_t port)
{
	struct twin_key key = twin_port_key(x->p->protocol, port);

	/* Until then nobody else may claim it: owners.nft. */
	return twin_table_find(&x->nat->owner_of, key, x->now_us) == NULL &&
	       twin_table_add(&x->nat->claims, key, 0, x->now_us, x->now_us + 1000000);
}

bool twin_ports_translate(struct twin_passage *x)
{
	const struct twin_tuple *original = &x->flow->tuples[TWIN_ORIGINAL];
	struct endpoint *source = &x->flow->tuples[TWIN_REPLY].to;

	if (x->of->overloads)
		return choose_port(x, choose_address(x), source);
	if (x->of->mapping != NAT_ADDRESS_AND_PORT_DEPENDENT) {
		/* Where it was sent to: a hairpinned packet goes to another address by now. */
		struct twin_key key =
			twin_mapping_key(x->of, x->p->protocol, original->from, original->to.addr);
		const uint64_t *mapping = twin_table_find(&x->nat->mapping_of, key, x->now_us);

		if (mapping != NULL) {
			*source = twin_endpoint_unpack(*mapping);
			return true;
		}
	}
	return choose_port(x, choose_address(x), source) && !is_anothers(x, source->port) &&
	       claim(x, source->port);
}

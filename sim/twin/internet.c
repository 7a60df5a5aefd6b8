// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * On its way from site to site a packet goes up one link, through the middle, and down another. The
 * down link sees packets in the order in which they come to the middle. Where that order cannot
 * matter (no jitter, no queue: each packet takes the same time, whatever went before), both links
 * are drawn at once, which spares half of the events. Then packets are drawn in the order in which
 * they leave, and one that comes late must not hold back others.
 */
#include "sim/twin/world_state.h"

#include <assert.h>

#include "lib/prng.h"

/* ---- building */

static void add_route(struct twin_world *w, struct prefix prefix, unsigned site)
{
	uint32_t mask = prefix_mask(prefix);
	size_t i = w->routes_count;

	w->routes = world_grow(w->routes, w->routes_count, sizeof(*w->routes));
	for (; i > 0 && w->routes[i - 1].mask < mask; i--)
		w->routes[i] = w->routes[i - 1];
	w->routes[i] = (struct route){ prefix.addr & mask, mask, site };
	w->routes_count++;
}

static bool is_ideal(const struct link_params *p)
{
	return p->delay_us == 0 && p->loss <= 0 && p->reorder <= 0 && p->duplicate <= 0 &&
	       p->rate_bps == 0;
}

void twin_world_add_site(struct twin_world *w, const struct twin_site *site)
{
	static const struct link_profile ideal = { .hops = 1 };
	const struct link_profile *link = site->link == NULL ? &ideal : site->link;
	unsigned index = (unsigned)w->sites_count;

	world_attach(w, site->node)->site = index;
	w->sites = world_grow(w->sites, w->sites_count, sizeof(*w->sites));
	w->sites[w->sites_count++] = (struct site){
		.node = site->node,
		.gateway = site->gateway,
		.hops = link->hops,
		.up_ideal = is_ideal(&link->up),
		.down_ideal = is_ideal(&link->down),
		.down_free = link->down.jitter_us == 0 && link->down.rate_bps == 0,
		.up_params = link->up,
		.down_params = link->down,
	};
	for (size_t i = 0; i < site->prefixes_count; i++)
		add_route(w, site->prefixes[i], index);
}

void twin_world_set_filter(struct twin_world *w,
			   bool (*passes)(void *arg, uint64_t now_us, const struct twin_packet *p),
			   void *arg)
{
	w->passes = passes;
	w->passes_arg = arg;
}

void internet_reset(struct twin_world *w, uint64_t seed)
{
	for (unsigned i = 0; i < w->sites_count; i++) {
		struct site *s = &w->sites[i];

		if (!s->up_ideal)
			link_init(&s->up, &s->up_params, prng_derive(seed, i, 0));
		if (!s->down_ideal)
			link_init(&s->down, &s->down_params, prng_derive(seed, i, 1));
	}
}

/* ---- packets */

/* Schedules f as often as the link delivers it. */
static void schedule_fate(struct twin_world *w, struct flight *f, const struct link_fate *fate)
{
	if (fate->copies == 0) {
		world_recycle(w, f);
		return;
	}
	if (fate->copies > 1) {
		struct flight *copy = world_take_off(w, &f->p);

		copy->to = f->to;
		copy->side = f->side;
		copy->from = f->from;
		world_schedule(w, copy, fate->deliver_us[1]);
	}
	world_schedule(w, f, fate->deliver_us[0]);
}

static void go_down(struct twin_world *w, struct flight *f, unsigned site, uint64_t time_us)
{
	struct site *s = &w->sites[site];
	struct link_fate fate = { 1, false, { time_us, time_us } };

	f->to = s->node;
	f->side = TWIN_OUTSIDE;
	if (s->down_free)
		s->down.last_delivery_us = 0;
	if (!s->down_ideal)
		fate = link_send(&s->down, time_us, twin_packet_bytes(&f->p));
	schedule_fate(w, f, &fate);
}

static unsigned find_site(const struct twin_world *w, uint32_t addr)
{
	for (size_t i = 0; i < w->routes_count; i++)
		if ((addr & w->routes[i].mask) == w->routes[i].network)
			return w->routes[i].site;
	return NO_SITE;
}

/* Turns f into an ICMP error about itself and sends it back to where it came from. */
static void refuse(struct twin_world *w, struct flight *f, enum twin_error error, uint64_t time_us)
{
	struct twin_packet *p = &f->p;

	if (p->protocol == TWIN_ICMP) {
		world_recycle(w, f);
		return;
	}
	p->quote = (struct twin_quote){ error, p->protocol, p->from, p->to };
	p->to = (struct endpoint){ p->from.addr, 0 };
	p->from = (struct endpoint){ w->sites[f->from].gateway, 0 };
	p->protocol = TWIN_ICMP;
	p->ttl = TWIN_TTL;
	p->len = 0;
	go_down(w, f, f->from, time_us);
}

/* f has come to the middle of the Internet. */
void internet_pass(struct twin_world *w, struct flight *f, uint64_t time_us)
{
	unsigned out = find_site(w, f->p.to.addr);

	if (w->passes != NULL && !w->passes(w->passes_arg, time_us, &f->p)) {
		world_recycle(w, f);
		return;
	}
	if (out == NO_SITE) {
		refuse(w, f, TWIN_NET_UNREACHABLE, time_us);
		return;
	}
	unsigned hops = w->sites[f->from].hops + w->sites[out].hops - 1;
	if (f->p.ttl <= hops) {
		refuse(w, f, TWIN_TIME_EXCEEDED, time_us);
		return;
	}
	f->p.ttl = (uint8_t)(f->p.ttl - hops);
	go_down(w, f, out, time_us);
}

/* True if it makes no difference whether a packet's way down is drawn now or when it is there. */
static bool may_draw_ahead(const struct twin_world *w, const struct flight *f)
{
	unsigned out = find_site(w, f->p.to.addr);

	/* Who watches sees what happens when it does. */
	if (w->passes != NULL)
		return false;
	return w->sites[out == NO_SITE ? f->from : out].down_free;
}

void internet_send(struct twin_world *w, unsigned site, const struct twin_packet *p)
{
	struct site *s = &w->sites[site];
	struct link_fate fate = { 1, false, { w->now_us, w->now_us } };

	if (!s->up_ideal)
		fate = link_send(&s->up, w->now_us, twin_packet_bytes(p));
	if (fate.copies == 0)
		return;
	struct flight *f = world_take_off(w, p);
	f->to = NULL;
	f->from = site;
	if (fate.copies == 1 && may_draw_ahead(w, f))
		internet_pass(w, f, fate.deliver_us[0]);
	else
		schedule_fate(w, f, &fate);
}

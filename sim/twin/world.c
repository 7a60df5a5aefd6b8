// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet that is under way is a flight, and waits in one of two queues: those that arrive at the
 * present time in a list, the others in a heap. What is due in the heap was sent before anything in
 * the list, so it comes first.
 *
 * On its way from site to site a packet goes up one link, through the middle, and down another. The
 * down link sees packets in the order in which they come to the middle. Where that order cannot
 * matter (no jitter, no queue), both links are drawn at once, which spares half of the events.
 */
#include "sim/twin/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "lib/timerqueue.h"

/* Machines that run each other in circles while time stands still are a defect. */
#define EVENTS_AT_ONCE_MAX 1000000u

struct flight {
	struct flight *next;
	struct twin_node *to; /* NULL: to the middle of the Internet */
	enum twin_side side;
	unsigned from; /* the site it comes from */
	struct twin_packet p;
};

struct site {
	struct twin_node *node;
	uint32_t gateway;
	unsigned hops;
	bool up_ideal, down_ideal; /* nothing happens on it */
	bool down_free;            /* what happens to a packet there does not depend on others */
	struct link_params up_params, down_params;
	struct link up, down;
};

struct route {
	uint32_t network, mask;
	unsigned site;
};

struct lan_address {
	uint32_t addr;
	unsigned router; /* a node */
	struct twin_node *host;
};

#define NO_SITE UINT32_MAX

struct attachment {
	struct twin_node *node;
	unsigned site;            /* or NO_SITE */
	struct twin_node *router; /* of a host in a LAN; else NULL */
};

struct twin_world {
	uint64_t now_us, events;
	struct timerqueue later;
	struct flight *due, **due_end; /* at now_us */
	struct flight *unused;
	struct attachment *nodes;
	size_t nodes_count;
	struct site *sites;
	size_t sites_count;
	struct route *routes; /* the longest prefix first */
	size_t routes_count;
	struct lan_address *lan;
	size_t lan_count;
};

/* ---- building */

static void *grown(void *items, size_t count, size_t size)
{
	void *more = realloc(items, (count + 1) * size);

	assert(more != NULL);
	return more;
}

struct twin_world *twin_world_new(void)
{
	struct twin_world *w = calloc(1, sizeof(*w));

	assert(w != NULL);
	w->due_end = &w->due;
	return w;
}

static struct attachment *attach(struct twin_world *w, struct twin_node *node)
{
	w->nodes = grown(w->nodes, w->nodes_count, sizeof(*w->nodes));
	node->index = (unsigned)w->nodes_count;
	w->nodes[w->nodes_count] = (struct attachment){ .node = node, .site = NO_SITE };
	return &w->nodes[w->nodes_count++];
}

static void add_route(struct twin_world *w, struct prefix prefix, unsigned site)
{
	uint32_t mask = prefix_mask(prefix);
	size_t i = w->routes_count;

	w->routes = grown(w->routes, w->routes_count, sizeof(*w->routes));
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

	attach(w, site->node)->site = index;
	w->sites = grown(w->sites, w->sites_count, sizeof(*w->sites));
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

void twin_world_add_lan_host(struct twin_world *w, struct twin_node *host, const uint32_t *addrs,
			     size_t addrs_count, struct twin_node *router)
{
	attach(w, host)->router = router;
	for (size_t i = 0; i < addrs_count; i++) {
		w->lan = grown(w->lan, w->lan_count, sizeof(*w->lan));
		w->lan[w->lan_count++] = (struct lan_address){ addrs[i], router->index, host };
	}
}

static void recycle(struct twin_world *w, struct flight *f)
{
	f->next = w->unused;
	w->unused = f;
}

static void drop_flights(struct twin_world *w)
{
	struct flight *f;

	while ((f = timerqueue_take(&w->later, TIMERQUEUE_NEVER - 1)) != NULL)
		recycle(w, f);
	while ((f = w->due) != NULL) {
		w->due = f->next;
		recycle(w, f);
	}
	w->due_end = &w->due;
}

void twin_world_reset(struct twin_world *w, uint64_t seed)
{
	drop_flights(w);
	w->now_us = w->events = 0;
	for (unsigned i = 0; i < w->sites_count; i++) {
		struct site *s = &w->sites[i];

		if (!s->up_ideal)
			link_init(&s->up, &s->up_params, prng_derive(seed, i, 0));
		if (!s->down_ideal)
			link_init(&s->down, &s->down_params, prng_derive(seed, i, 1));
	}
}

void twin_world_free(struct twin_world *w)
{
	struct flight *f;

	if (w == NULL)
		return;
	drop_flights(w);
	while ((f = w->unused) != NULL) {
		w->unused = f->next;
		free(f);
	}
	timerqueue_fini(&w->later);
	free(w->nodes);
	free(w->sites);
	free(w->routes);
	free(w->lan);
	free(w);
}

/* ---- packets under way */

static struct flight *take_off(struct twin_world *w, const struct twin_packet *p)
{
	struct flight *f = w->unused;

	if (f == NULL) {
		f = malloc(sizeof(*f));
		assert(f != NULL);
	} else {
		w->unused = f->next;
	}
	f->next = NULL;
	memcpy(&f->p, p, twin_packet_used(p));
	return f;
}

static void schedule(struct twin_world *w, struct flight *f, uint64_t time_us)
{
	if (time_us > w->now_us) {
		timerqueue_add(&w->later, time_us, f);
		return;
	}
	*w->due_end = f;
	w->due_end = &f->next;
}

/* Schedules f as often as the link delivers it. */
static void schedule_fate(struct twin_world *w, struct flight *f, const struct link_fate *fate)
{
	if (fate->copies == 0) {
		recycle(w, f);
		return;
	}
	if (fate->copies > 1) {
		struct flight *copy = take_off(w, &f->p);

		copy->to = f->to;
		copy->side = f->side;
		copy->from = f->from;
		schedule(w, copy, fate->deliver_us[1]);
	}
	schedule(w, f, fate->deliver_us[0]);
}

static void go_down(struct twin_world *w, struct flight *f, unsigned site, uint64_t time_us)
{
	struct site *s = &w->sites[site];
	struct link_fate fate = { 1, false, { time_us, time_us } };

	f->to = s->node;
	f->side = TWIN_OUTSIDE;
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
		recycle(w, f);
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
static void pass_middle(struct twin_world *w, struct flight *f, uint64_t time_us)
{
	unsigned out = find_site(w, f->p.to.addr);

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

	return w->sites[out == NO_SITE ? f->from : out].down_free;
}

static void go_up(struct twin_world *w, unsigned site, const struct twin_packet *p)
{
	struct site *s = &w->sites[site];
	struct link_fate fate = { 1, false, { w->now_us, w->now_us } };

	if (!s->up_ideal)
		fate = link_send(&s->up, w->now_us, twin_packet_bytes(p));
	if (fate.copies == 0)
		return;
	struct flight *f = take_off(w, p);
	f->to = NULL;
	f->from = site;
	if (fate.copies == 1 && may_draw_ahead(w, f))
		pass_middle(w, f, fate.deliver_us[0]);
	else
		schedule_fate(w, f, &fate);
}

static struct twin_node *find_lan_host(const struct twin_world *w, unsigned router, uint32_t addr)
{
	for (size_t i = 0; i < w->lan_count; i++)
		if (w->lan[i].addr == addr && w->lan[i].router == router)
			return w->lan[i].host;
	return NULL;
}

void twin_world_send(struct twin_world *w, const struct twin_node *from, enum twin_side side,
		     const struct twin_packet *p)
{
	const struct attachment *at = &w->nodes[from->index];

	if (side == TWIN_OUTSIDE) {
		assert(at->site != NO_SITE);
		go_up(w, at->site, p);
		return;
	}
	struct twin_node *router = at->router;
	struct twin_node *host =
		find_lan_host(w, router == NULL ? from->index : router->index, p->to.addr);
	if (host != NULL) {
		struct flight *f = take_off(w, p);

		f->to = host;
		f->side = TWIN_INSIDE;
		schedule(w, f, w->now_us);
	} else if (router != NULL) {
		struct twin_packet copy;

		memcpy(&copy, p, twin_packet_used(p));
		router->receive(router, w, TWIN_INSIDE, &copy);
	}
}

/* ---- time */

uint64_t twin_world_now_us(const struct twin_world *w)
{
	return w->now_us;
}

uint64_t twin_world_events(const struct twin_world *w)
{
	return w->events;
}

/* The next packet that is due now, or NULL. */
static struct flight *take_due(struct twin_world *w)
{
	struct flight *f = timerqueue_take(&w->later, w->now_us);

	if (f != NULL || w->due == NULL)
		return f;
	f = w->due;
	w->due = f->next;
	if (w->due == NULL)
		w->due_end = &w->due;
	return f;
}

static void arrive(struct twin_world *w, struct flight *f)
{
	if (f->to == NULL) {
		pass_middle(w, f, w->now_us);
		return;
	}
	f->to->receive(f->to, w, f->side, &f->p);
	recycle(w, f);
}

static struct twin_node *next_to_run(const struct twin_world *w)
{
	struct twin_node *next = w->nodes[0].node;

	for (size_t i = 1; i < w->nodes_count; i++)
		if (w->nodes[i].node->run_at_us < next->run_at_us)
			next = w->nodes[i].node;
	return next;
}

/* Lets one thing happen, not after until_us. Returns false if there is none. */
static bool happen(struct twin_world *w, uint64_t until_us)
{
	struct flight *f = take_due(w);

	if (f != NULL) {
		arrive(w, f);
		return true;
	}
	struct twin_node *node = next_to_run(w);
	uint64_t packet_us = timerqueue_next_us(&w->later);
	uint64_t next_us = packet_us <= node->run_at_us ? packet_us : node->run_at_us;

	if (next_us > until_us || next_us == NEVER)
		return false;
	if (next_us > w->now_us)
		w->now_us = next_us;
	if (packet_us <= node->run_at_us)
		arrive(w, take_due(w));
	else
		node->run(node, w);
	return true;
}

void twin_world_run(struct twin_world *w, uint64_t until_us, bool (*over)(void *arg), void *arg)
{
	uint64_t stood_since = w->events, stood_at_us = w->now_us;

	assert(w->nodes_count > 0);
	while (!over(arg)) {
		if (!happen(w, until_us)) {
			w->now_us = until_us != NEVER ? until_us : w->now_us;
			return;
		}
		w->events++;
		if (w->now_us != stood_at_us) {
			stood_at_us = w->now_us;
			stood_since = w->events;
		}
		assert(w->events - stood_since < EVENTS_AT_ONCE_MAX);
	}
}

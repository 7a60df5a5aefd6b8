// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet that is under way is a flight, and waits in one of two queues: those that arrive at the
 * present time in a list, the others in a heap. What is due in the heap was sent before anything in
 * the list, so it comes first.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/twin/world_state.h"

/* Machines that run each other in circles while time stands still are a defect. */
#define EVENTS_AT_ONCE_MAX 1000000u

/* ---- building */

void *world_grow(void *items, size_t count, size_t size)
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

struct attachment *world_attach(struct twin_world *w, struct twin_node *node)
{
	w->nodes = world_grow(w->nodes, w->nodes_count, sizeof(*w->nodes));
	node->index = (unsigned)w->nodes_count;
	w->nodes[w->nodes_count] = (struct attachment){ .node = node, .site = NO_SITE };
	return &w->nodes[w->nodes_count++];
}

void twin_world_add_lan_host(struct twin_world *w, struct twin_node *host, const uint32_t *addrs,
			     size_t addrs_count, struct twin_node *router)
{
	world_attach(w, host)->router = router;
	for (size_t i = 0; i < addrs_count; i++) {
		w->lan = world_grow(w->lan, w->lan_count, sizeof(*w->lan));
		w->lan[w->lan_count++] = (struct lan_address){ addrs[i], router->index, host };
	}
}

void world_recycle(struct twin_world *w, struct flight *f)
{
	f->next = w->unused;
	w->unused = f;
}

static void drop_flights(struct twin_world *w)
{
	struct flight *f;

	while ((f = timerqueue_take(&w->later, TIMERQUEUE_NEVER - 1)) != NULL)
		world_recycle(w, f);
	while ((f = w->due) != NULL) {
		w->due = f->next;
		world_recycle(w, f);
	}
	w->due_end = &w->due;
}

void twin_world_reset(struct twin_world *w, uint64_t seed)
{
	drop_flights(w);
	w->now_us = w->events = 0;
	internet_reset(w, seed);
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

struct flight *world_take_off(struct twin_world *w, const struct twin_packet *p)
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

void world_schedule(struct twin_world *w, struct flight *f, uint64_t time_us)
{
	if (time_us > w->now_us) {
		timerqueue_add(&w->later, time_us, f);
		return;
	}
	f->next = NULL; /* it may have been in the list already, on its way to the middle */
	*w->due_end = f;
	w->due_end = &f->next;
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
		internet_send(w, at->site, p);
		return;
	}
	struct twin_node *router = at->router;
	struct twin_node *host =
		find_lan_host(w, router == NULL ? from->index : router->index, p->to.addr);
	if (host != NULL) {
		struct flight *f = world_take_off(w, p);

		f->to = host;
		f->side = TWIN_INSIDE;
		world_schedule(w, f, w->now_us);
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
		internet_pass(w, f, w->now_us);
		return;
	}
	f->to->receive(f->to, w, f->side, &f->p);
	world_recycle(w, f);
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
			if (until_us != NEVER && until_us > w->now_us)
				w->now_us = until_us;
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

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/twin.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "peers/core/cross_traffic.h"
#include "peers/core/rendezvous.h"
#include "sim/twin/router.h"

struct twin {
	const struct stage *stage;
	struct twin_world *world;
	/* By node of the plan; at most one of the two is not NULL. */
	struct twin_host **hosts;
	struct twin_router **routers;
	struct rendezvous *rendezvous; /* NULL: the topology has none */
	/* One for each host of the topology, once there was to be one. */
	struct neighbour *neighbours;
};

/* Another program in a host behind a router: a host of its own here, with the same address. What
 * comes back goes to the first, as it would if nobody had the port. */
struct neighbour {
	struct twin_host *host; /* NULL: that one of the topology stands on the Internet */
	void *state;            /* of its strategy */
};

/* What draws from a seed of its own: a node and, before all nodes, these. */
enum { SEED_OF_LINKS, SEED_OF_RENDEZVOUS, SEED_OF_NODES };

int twin_check(const struct stage *stage, struct err *e)
{
	for (size_t i = 0; i < stage->models_count; i++)
		if (stage->models[i].ruleset_file != NULL)
			return err_set_input(
				e,
				"%s is a ruleset of its own, which the twin cannot run; run it "
				"with --world lab",
				stage->models[i].name);
	return 0;
}

/* ---- building */

static struct twin_node *node_at(const struct twin *t, unsigned node)
{
	if (t->routers[node] != NULL)
		return twin_router_node(t->routers[node]);
	return twin_host_node(t->hosts[node]);
}

static void make_routers(struct twin *t)
{
	const struct topology *topology = &t->stage->topology;

	for (unsigned i = 0; i < topology->routers_count; i++) {
		const struct topology_router *router = &topology->routers[i];
		int node = plan_node(&t->stage->plan, router->name);

		assert(node >= 0);
		t->routers[node] = twin_router_new(&(struct twin_router_config){
			.model = t->stage->plan.nodes[node].model,
			.outside_addr = router->outside.addr,
			.inside = router->inside,
		});
	}
}

static void make_hosts(struct twin *t)
{
	const struct topology *topology = &t->stage->topology;

	for (unsigned i = 0; i < topology->hosts_count; i++) {
		const struct topology_host *host = &topology->hosts[i];
		struct twin_host_config config = { .side = host->behind != NULL ? TWIN_INSIDE
										: TWIN_OUTSIDE };
		int node = plan_node(&t->stage->plan, host->name);

		assert(node >= 0);
		while (config.addrs_count < host->addresses_count &&
		       config.addrs_count < TWIN_HOST_ADDRS_MAX) {
			config.addrs[config.addrs_count] = host->addresses[config.addrs_count].addr;
			config.addrs_count++;
		}
		t->hosts[node] = twin_host_new(&config);
	}
}

/* What the wire would send out by that port. */
static void add_site(struct twin *t, unsigned port)
{
	const struct plan *plan = &t->stage->plan;
	CLEANUP(free)
	struct prefix *prefixes = calloc(plan->routes_count + 1, sizeof(*prefixes));
	struct twin_site site = {
		.node = node_at(t, plan->ports[port].node),
		.prefixes = prefixes,
		.gateway = plan->ports[port].gateway,
		.link = t->stage->links[port],
	};

	assert(prefixes != NULL);
	for (size_t i = 0; i < plan->routes_count; i++)
		if (plan->routes[i].port == port)
			prefixes[site.prefixes_count++] = plan->routes[i].prefix;
	twin_world_add_site(t->world, &site);
}

static void add_lan_hosts(struct twin *t)
{
	const struct topology *topology = &t->stage->topology;

	for (unsigned i = 0; i < topology->hosts_count; i++) {
		const struct topology_host *host = &topology->hosts[i];
		uint32_t addrs[TWIN_HOST_ADDRS_MAX];
		unsigned count = 0;

		if (host->behind == NULL)
			continue;
		while (count < host->addresses_count && count < TWIN_HOST_ADDRS_MAX) {
			addrs[count] = host->addresses[count].addr;
			count++;
		}
		twin_world_add_lan_host(
			t->world, node_at(t, (unsigned)plan_node(&t->stage->plan, host->name)),
			addrs, count,
			node_at(t, (unsigned)plan_node(&t->stage->plan, host->behind)));
	}
}

static void make_rendezvous(struct twin *t)
{
	const struct stage *s = t->stage;

	if (s->rendezvous_node < 0)
		return;
	t->rendezvous = malloc(sizeof(*t->rendezvous));
	assert(t->rendezvous != NULL);
	rendezvous_init(t->rendezvous,
			&(struct rendezvous_config){
				.addr = { s->rendezvous.addr, s->rendezvous_alt.addr },
				.port = { s->rendezvous.port, s->rendezvous_alt.port },
			});
}

int twin_open(const struct stage *stage, struct twin **ret, struct err *e)
{
	int code = twin_check(stage, e);

	if (code < 0)
		return code;
	struct twin *t = calloc(1, sizeof(*t));
	assert(t != NULL);
	t->stage = stage;
	t->world = twin_world_new();
	t->hosts = calloc(stage->plan.nodes_count, sizeof(struct twin_host *));
	t->routers = calloc(stage->plan.nodes_count, sizeof(struct twin_router *));
	assert(t->hosts != NULL && t->routers != NULL);
	make_routers(t);
	make_hosts(t);
	for (unsigned i = 0; i < stage->plan.ports_count; i++)
		add_site(t, i);
	add_lan_hosts(t);
	make_rendezvous(t);
	*ret = t;
	return 0;
}

void twin_close(struct twin *t)
{
	if (t == NULL)
		return;
	twin_world_free(t->world);
	for (size_t i = 0; i < t->stage->plan.nodes_count; i++) {
		twin_host_free(t->hosts[i]);
		twin_router_free(t->routers[i]);
	}
	for (unsigned i = 0; t->neighbours != NULL && i < t->stage->topology.hosts_count; i++) {
		twin_host_free(t->neighbours[i].host);
		free(t->neighbours[i].state);
	}
	free(t->neighbours);
	free(t->hosts);
	free(t->routers);
	free(t->rendezvous);
	free(t);
}

/* ---- use */

void twin_reset(struct twin *t, uint64_t seed)
{
	twin_world_reset(t->world, prng_derive(seed, SEED_OF_LINKS, 0));
	for (unsigned i = 0; i < t->stage->plan.nodes_count; i++) {
		uint64_t own_seed = prng_derive(seed, SEED_OF_NODES, i);

		if (t->routers[i] != NULL)
			twin_router_reset(t->routers[i], own_seed);
		else if (t->hosts[i] != NULL)
			twin_host_reset(t->hosts[i], NULL, NULL, 0, own_seed);
	}
	for (unsigned i = 0; t->neighbours != NULL && i < t->stage->topology.hosts_count; i++)
		if (t->neighbours[i].host != NULL)
			twin_host_reset(t->neighbours[i].host, NULL, NULL, 0, seed);
	if (t->rendezvous == NULL)
		return;
	rendezvous_restart(t->rendezvous, prng_derive(seed, SEED_OF_RENDEZVOUS, 0));
	twin_host_reset(twin_host_at(t, (unsigned)t->stage->rendezvous_node), rendezvous_step,
			t->rendezvous, 0, prng_derive(seed, SEED_OF_RENDEZVOUS, 1));
}

static void make_neighbours(struct twin *t)
{
	const struct topology *topology = &t->stage->topology;

	t->neighbours = calloc(topology->hosts_count + 1, sizeof(*t->neighbours));
	assert(t->neighbours != NULL);
	for (unsigned i = 0; i < topology->hosts_count; i++) {
		const struct topology_host *host = &topology->hosts[i];
		struct neighbour *n = &t->neighbours[i];

		if (host->peer == NULL || host->behind == NULL)
			continue;
		n->host = twin_host_new(
			&(struct twin_host_config){ .addrs = { host->addresses[0].addr },
						    .addrs_count = 1,
						    .side = TWIN_INSIDE });
		n->state = malloc(cross_traffic_strategy.size);
		assert(n->state != NULL);
		twin_world_add_lan_host(
			t->world, twin_host_node(n->host), NULL, 0,
			node_at(t, (unsigned)plan_node(&t->stage->plan, host->behind)));
	}
}

void twin_start_neighbours(struct twin *t, uint64_t flows_per_second, uint64_t lasts_us,
			   uint64_t seed)
{
	const struct strategy *strategy = &cross_traffic_strategy;

	if (t->neighbours == NULL)
		make_neighbours(t);
	for (unsigned i = 0; i < t->stage->topology.hosts_count; i++) {
		const struct neighbour *n = &t->neighbours[i];

		if (n->host == NULL)
			continue;
		strategy->init(n->state,
			       &(struct strategy_config){
				       .server = t->stage->rendezvous,
				       .server_alt = t->stage->rendezvous_alt,
				       .local_addr = t->stage->topology.hosts[i].addresses[0].addr,
				       .seed = prng_derive(seed, i, 0),
				       .give_up_us = lasts_us,
				       .params = { flows_per_second } });
		twin_host_reset(n->host, strategy->step, n->state, 0, prng_derive(seed, i, 1));
	}
}

struct twin_host *twin_host_at(struct twin *t, unsigned node)
{
	assert(t->hosts[node] != NULL);
	return t->hosts[node];
}

struct twin_world *twin_world_of(struct twin *t)
{
	return t->world;
}

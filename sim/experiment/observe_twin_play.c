// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/observe_twin_play.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/prng.h"

/* As the lab's observer does. */
#define TRIES    20u
#define RETRY_US 50000u

/* Linux' net.ipv4.ip_local_port_range. */
#define FIRST_PORT 32768u

static void take(struct twin_node *node, struct twin_world *world, enum twin_side side,
		 struct twin_packet *p)
{
	struct puppet *puppet = (struct puppet *)node;

	(void)world;
	(void)side;
	if (puppet->count < PLAY_TAKES_MAX)
		memcpy(&puppet->taken[puppet->count++], p, twin_packet_used(p));
}

static void do_nothing(struct twin_node *node, struct twin_world *world)
{
	(void)node;
	(void)world;
}

static void make_puppet(struct puppet *puppet, enum twin_side side)
{
	puppet->node = (struct twin_node){ .receive = take, .run_at_us = NEVER, .run = do_nothing };
	puppet->side = side;
}

/* ---- the whole */

static void add_router(struct play *p, const struct topology_router *router,
		       const struct nat_model *model)
{
	CLEANUP(free) struct prefix *prefixes = calloc(model->pool.count + 1, sizeof(*prefixes));
	struct twin_site site = { .prefixes = prefixes };

	assert(prefixes != NULL);
	p->router = twin_router_new(&(struct twin_router_config){
		.model = model,
		.outside_addr = router->outside.addr,
		.inside = router->inside,
	});
	while (site.prefixes_count < model->pool.count) {
		prefixes[site.prefixes_count] =
			(struct prefix){ router->outside.addr + (uint32_t)site.prefixes_count, 32 };
		site.prefixes_count++;
	}
	if (!model->translates)
		prefixes[site.prefixes_count++] = prefix_network(router->inside);
	site.node = twin_router_node(p->router);
	twin_world_add_site(p->world, &site);
}

void play_open(struct play *p, const struct stage *stage, uint64_t seed)
{
	const struct topology_router *router = &stage->topology.routers[0];
	const struct topology_host *server = topology_rendezvous(&stage->topology);
	struct prefix prefixes[2];
	unsigned hosts = 0;

	assert(stage->models_count == 1 && stage->topology.routers_count == 1);
	memset(p, 0, sizeof(*p));
	p->model = &stage->models[0];
	p->router_addr = router->outside.addr;
	p->seed = seed;
	p->world = twin_world_new();
	add_router(p, router, stage->plan.nodes[plan_node(&stage->plan, router->name)].model);
	make_puppet(&p->server, TWIN_OUTSIDE);
	for (unsigned i = 0; i < 2; i++) {
		p->server_addrs[i] = server->addresses[i].addr;
		prefixes[i] = (struct prefix){ p->server_addrs[i], 32 };
	}
	twin_world_add_site(p->world, &(struct twin_site){ .node = &p->server.node,
							   .prefixes = prefixes,
							   .prefixes_count = 2 });
	for (unsigned i = 0; i < stage->topology.hosts_count && hosts < 2; i++) {
		const struct topology_host *host = &stage->topology.hosts[i];

		if (host->behind == NULL)
			continue;
		p->host_addrs[hosts] = host->addresses[0].addr;
		make_puppet(&p->hosts[hosts], TWIN_INSIDE);
		twin_world_add_lan_host(p->world, &p->hosts[hosts].node, &p->host_addrs[hosts], 1,
					twin_router_node(p->router));
		hosts++;
	}
	assert(hosts == 2);
	play_reset(p);
}

void play_close(struct play *p)
{
	twin_world_free(p->world);
	twin_router_free(p->router);
}

static void forget(struct play *p)
{
	p->hosts[0].count = p->hosts[1].count = p->server.count = 0;
}

void play_reset(struct play *p)
{
	twin_world_reset(p->world, p->seed);
	twin_router_reset(p->router, prng_derive(p->seed, p->resets++, 0));
	p->next_port = FIRST_PORT;
	forget(p);
}

/* ---- packets */

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void play_put(struct play *p, struct puppet *from, const struct twin_packet *packet)
{
	twin_world_send(p->world, &from->node, from->side, packet);
}

void play_on(struct play *p)
{
	play_wait(p, 0);
}

void play_wait(struct play *p, uint64_t us)
{
	twin_world_run(p->world, twin_world_now_us(p->world) + us, never, NULL);
}

void play_send(struct play *p, struct puppet *from, const struct twin_packet *packet)
{
	forget(p);
	play_put(p, from, packet);
	play_on(p);
}

const struct twin_packet *play_came(const struct puppet *to, enum twin_protocol protocol,
				    struct endpoint at)
{
	for (size_t i = 0; i < to->count; i++)
		if (to->taken[i].protocol == protocol && endpoint_equal(to->taken[i].to, at))
			return &to->taken[i];
	return NULL;
}

struct twin_packet play_datagram(struct endpoint from, struct endpoint to)
{
	return (struct twin_packet){
		.protocol = TWIN_UDP, .ttl = TWIN_TTL, .from = from, .to = to, .len = 1
	};
}

struct twin_packet play_segment(struct endpoint from, struct endpoint to, uint8_t flags,
				uint32_t sequence, uint32_t acknowledgement)
{
	return (struct twin_packet){ .protocol = TWIN_TCP,
				     .ttl = TWIN_TTL,
				     .from = from,
				     .to = to,
				     .flags = flags,
				     .sequence = sequence,
				     .acknowledgement = acknowledgement };
}

/* ---- flows */

/* Sends until it has come. */
static bool reaches_server(struct play *p, unsigned host, const struct twin_packet *packet,
			   struct endpoint *ret_from)
{
	for (unsigned i = 0; i < TRIES; i++) {
		play_send(p, &p->hosts[host], packet);
		const struct twin_packet *came =
			play_came(&p->server, packet->protocol, packet->to);

		if (came != NULL) {
			*ret_from = came->from;
			return true;
		}
		play_wait(p, RETRY_US);
	}
	return false;
}

bool play_reach(struct play *p, unsigned host, struct endpoint inside, struct endpoint server,
		struct endpoint *ret_outside)
{
	struct twin_packet packet = play_datagram(inside, server);

	return reaches_server(p, host, &packet, ret_outside);
}

static bool connects(struct play *p, struct play_flow *f)
{
	struct twin_packet syn =
		play_segment(f->inside, f->server, TWIN_SYN, PLAY_HOST_SEQUENCE, 0);

	f->host_sequence = PLAY_HOST_SEQUENCE + 1;
	f->server_sequence = PLAY_SERVER_SEQUENCE + 1;
	if (!reaches_server(p, f->host, &syn, &f->outside))
		return false;
	struct twin_packet syn_ack = play_segment(f->server, f->outside, TWIN_SYN | TWIN_ACK,
						  PLAY_SERVER_SEQUENCE, f->host_sequence);
	struct twin_packet ack =
		play_segment(f->inside, f->server, TWIN_ACK, f->host_sequence, f->server_sequence);
	play_send(p, &p->server, &syn_ack);
	if (play_came(&p->hosts[f->host], TWIN_TCP, f->inside) == NULL)
		return false;
	play_send(p, &p->hosts[f->host], &ack);
	return play_came(&p->server, TWIN_TCP, f->server) != NULL;
}

struct endpoint play_fresh(struct play *p, uint32_t addr)
{
	return (struct endpoint){ addr, p->next_port++ };
}

bool play_flow_open(struct play *p, const struct play_open *how, struct play_flow *ret)
{
	*ret = (struct play_flow){ .transport = how->transport, .host = how->host };
	ret->server = play_fresh(p, p->server_addrs[how->server_addr]);
	ret->inside = play_fresh(p, p->host_addrs[how->host]);
	if (how->port != 0)
		ret->inside.port = how->port;
	if (how->transport == NAT_TCP)
		return connects(p, ret);
	return play_reach(p, ret->host, ret->inside, ret->server, &ret->outside);
}

void play_flow_send_out(struct play *p, const struct play_flow *f)
{
	struct twin_packet packet = play_datagram(f->inside, f->server);

	play_send(p, &p->hosts[f->host], &packet);
}

bool play_flow_gets_in(struct play *p, struct play_flow *f)
{
	struct twin_packet packet = f->transport == NAT_UDP
					    ? play_datagram(f->server, f->outside)
					    : play_segment(f->server, f->outside, TWIN_ACK,
							   f->server_sequence, f->host_sequence);
	const struct twin_packet *came;

	packet.len = 1;
	play_send(p, &p->server, &packet);
	came = play_came(&p->hosts[f->host], packet.protocol, f->inside);
	if (came == NULL || !endpoint_equal(came->from, f->server) || came->len != 1)
		return false;
	if (f->transport == NAT_TCP) {
		struct twin_packet ack = play_segment(f->inside, f->server, TWIN_ACK,
						      f->host_sequence, ++f->server_sequence);

		play_send(p, &p->hosts[f->host], &ack);
	}
	return true;
}

bool play_flow_half_close(struct play *p, struct play_flow *f)
{
	struct twin_packet fin = play_segment(f->inside, f->server, TWIN_FIN | TWIN_ACK,
					      f->host_sequence++, f->server_sequence);
	struct twin_packet ack =
		play_segment(f->server, f->outside, TWIN_ACK, f->server_sequence, f->host_sequence);

	play_send(p, &p->hosts[f->host], &fin);
	if (play_came(&p->server, TWIN_TCP, f->server) == NULL)
		return false;
	play_send(p, &p->server, &ack);
	return play_came(&p->hosts[f->host], TWIN_TCP, f->inside) != NULL;
}

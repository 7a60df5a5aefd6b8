/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two peers that punch, in two homes of the twin, and a rendezvous with two addresses:
 *
 *	a 10.1.0.2 -- router 198.51.100.1 --+-- server 203.0.113.1, .2
 *	b 10.2.0.2 -- router 198.51.100.2 --+
 *
 * A peer without a router has the router's address. The machines are watched: what they send to
 * each other is counted, and which sockets they have left.
 */
#ifndef NATSIM_TESTS_TWIN_PAIR_H
#define NATSIM_TESTS_TWIN_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "peers/core/punch.h"
#include "peers/core/rendezvous.h"
#include "sim/model/nat_model.h"
#include "sim/twin/host.h"
#include "sim/twin/router.h"
#include "sim/twin/world.h"

enum { PAIR_A, PAIR_B, PAIR_SERVER, PAIR_HOSTS };

#define PAIR_SERVER_ADDR     0xcb007101u /* 203.0.113.1 and the next */
#define PAIR_OUTSIDE_ADDR(i) (0xc6336401u + (uint32_t)(i))
#define PAIR_INSIDE_ADDR(i)  (0x0a010002u + ((uint32_t)(i) << 16))
#define PAIR_NONCE(i)        (0xa5a5000000000001u + (uint64_t)(i))
#define PAIR_GIVE_UP_US      10000000u
#define PAIR_LONG_US         60000000u /* more than any attempt takes */
#define PAIR_START_US        1000u

/* A model in the file's words. */
#define NAT(mapping, filtering, choose) \
	"mapping: " mapping "\nfiltering: " filtering "\nports: { choose: " choose " }\n"
#define EI  "endpoint-independent"
#define AD  "address-dependent"
#define APD "address-and-port-dependent"

struct pair_config {
	uint64_t seed;
	const char *nats[2];            /* NULL: no router */
	uint64_t delays_us[PAIR_HOSTS]; /* of the access links, each way */
	double reorder;                 /* on the links of the peers; by PAIR_REORDER_US */
};
#define PAIR_REORDER_US 20000u

/* A host and the machine on it. */
struct pair_host {
	struct twin_host *host;
	struct twin_router *router; /* NULL: none */
	struct nat_model model;     /* of the router */
	machine_step_fn *step;
	void *state;
	uint64_t done_us; /* when the machine was */
	uint64_t sent;    /* datagrams and TCP actions of the machine, but for the server */
	int open;         /* sockets that it has */
};

struct twin_pair {
	struct twin_world *world;
	struct pair_host hosts[PAIR_HOSTS];
	struct rendezvous rendezvous;
	struct punch peers[2];

	/* Of packets between the peers, in the middle of the Internet. */
	struct prng prng;
	double loss;
	uint64_t count;   /* so far */
	uint64_t lose_at; /* this one is lost, counted from 1; 0: none */
	/* Called for every packet there is; true: it is lost. */
	bool (*lose)(void *arg, uint64_t now_us, const struct twin_packet *p);
	void *lose_arg;
};

static inline struct endpoint pair_server(unsigned addr, unsigned port)
{
	return (struct endpoint){ PAIR_SERVER_ADDR + addr, (uint16_t)(3478 + port) };
}

static inline bool pair_is_server(struct endpoint ep)
{
	return ep.addr - PAIR_SERVER_ADDR < 2;
}

static inline bool pair_is_between_peers(const struct twin_packet *p)
{
	return !pair_is_server(p->from) && !pair_is_server(p->to);
}

static inline uint64_t pair_now_us(const struct twin_pair *p)
{
	return twin_world_now_us(p->world);
}

/* The address a host's sockets have. */
static inline uint32_t pair_addr(const struct twin_pair *p, int host)
{
	if (host == PAIR_SERVER)
		return PAIR_SERVER_ADDR;
	return p->hosts[host].router != NULL ? PAIR_INSIDE_ADDR(host) : PAIR_OUTSIDE_ADDR(host);
}

/* ---- machines */

static inline void pair_note_action(struct pair_host *h, uint64_t now_us, const struct action *a)
{
	bool ends = a->kind == ACTION_CLOSE || a->kind == ACTION_ABORT;
	bool opens = a->kind == ACTION_UDP_OPEN || a->kind == ACTION_TCP_LISTEN ||
		     a->kind == ACTION_TCP_CONNECT;

	h->open += opens - ends;
	if (a->kind == ACTION_DONE)
		h->done_us = now_us;
	if (a->kind == ACTION_TCP_SEND)
		h->sent += a->socket != COURSE_SOCKET_MAIN;
	else if (a->kind == ACTION_UDP_SEND || a->kind == ACTION_TCP_CONNECT)
		h->sent += !pair_is_server(a->remote);
}

static inline uint64_t pair_step(void *state, uint64_t now_us, const struct event *event,
				 struct actions *out)
{
	struct pair_host *h = state;

	h->open += (event->kind == EVENT_ACCEPTED) - (event->kind == EVENT_CLOSED);
	uint64_t wake_us = h->step(h->state, now_us, event, out);
	for (size_t i = 0; i < out->count; i++)
		pair_note_action(h, now_us, &out->items[i]);
	return wake_us;
}

static inline void pair_set_machine(struct twin_pair *p, int host, machine_step_fn *step,
				    void *state, uint64_t start_us)
{
	struct pair_host *h = &p->hosts[host];

	h->step = step;
	h->state = state;
	twin_host_reset(h->host, pair_step, h, start_us, prng_derive(1, (uint64_t)host, 0));
}

static inline bool pair_is_done(const struct twin_pair *p, int host)
{
	return twin_host_is_done(p->hosts[host].host);
}

static inline int pair_status(const struct twin_pair *p, int host)
{
	assert_true(pair_is_done(p, host));
	return twin_host_status(p->hosts[host].host);
}

/* ---- the world */

static inline bool pair_passes(void *arg, uint64_t now_us, const struct twin_packet *packet)
{
	struct twin_pair *p = arg;

	if (p->lose != NULL && p->lose(p->lose_arg, now_us, packet))
		return false;
	if (!pair_is_between_peers(packet))
		return true;
	return ++p->count != p->lose_at && !prng_chance(&p->prng, p->loss);
}

static inline void pair_parse_model(const char *text, struct nat_model *ret)
{
	struct buf whole = BUF_INIT;
	struct err e = { .text = "" };

	buf_printf(&whole, "about: A router of the test\n%s", text);
	if (nat_model_parse("model.yaml", buf_text(&whole), whole.len, ret, &e) < 0)
		fail_msg("%s\n%s", text, e.text);
	buf_fini(&whole);
}

static inline void pair_add_site(struct twin_pair *p, int host, const struct pair_config *config)
{
	struct pair_host *h = &p->hosts[host];
	struct link_params way = { .delay_us = config->delays_us[host] };
	uint32_t addr = host == PAIR_SERVER ? PAIR_SERVER_ADDR : PAIR_OUTSIDE_ADDR(host);
	struct prefix prefixes[2] = { { addr, 32 }, { addr + 1, 32 } };

	if (host != PAIR_SERVER && config->reorder > 0) {
		way.reorder = config->reorder;
		way.reorder_us = PAIR_REORDER_US;
	}
	struct link_profile link = { .hops = 1, .up = way, .down = way };
	twin_world_add_site(p->world,
			    &(struct twin_site){
				    .node = h->router != NULL ? twin_router_node(h->router)
							      : twin_host_node(h->host),
				    .prefixes = prefixes,
				    .prefixes_count = host == PAIR_SERVER ? 2 : 1,
				    .gateway = addr + 100,
				    .link = &link,
			    });
}

static inline void pair_add_home(struct twin_pair *p, int host, const struct pair_config *config)
{
	struct pair_host *h = &p->hosts[host];
	const char *nat = config->nats[host];
	uint32_t inside = PAIR_INSIDE_ADDR(host);

	if (nat == NULL) {
		h->host = twin_host_new(
			&(struct twin_host_config){ { PAIR_OUTSIDE_ADDR(host) }, 1, TWIN_OUTSIDE });
		pair_add_site(p, host, config);
		return;
	}
	pair_parse_model(nat, &h->model);
	h->router = twin_router_new(&(struct twin_router_config){
		&h->model, PAIR_OUTSIDE_ADDR(host), { inside - 1, 24 } });
	twin_router_reset(h->router, prng_derive(config->seed, (uint64_t)host, 1));
	h->host = twin_host_new(&(struct twin_host_config){ { inside }, 1, TWIN_INSIDE });
	pair_add_site(p, host, config);
	twin_world_add_lan_host(p->world, twin_host_node(h->host), &inside, 1,
				twin_router_node(h->router));
}

static inline void pair_add_server(struct twin_pair *p, const struct pair_config *config)
{
	const struct rendezvous_config rendezvous = { { PAIR_SERVER_ADDR, PAIR_SERVER_ADDR + 1 },
						      { 3478, 3479 },
						      1 };

	p->hosts[PAIR_SERVER].host = twin_host_new(&(struct twin_host_config){
		{ PAIR_SERVER_ADDR, PAIR_SERVER_ADDR + 1 }, 2, TWIN_OUTSIDE });
	pair_add_site(p, PAIR_SERVER, config);
	rendezvous_init(&p->rendezvous, &rendezvous);
	pair_set_machine(p, PAIR_SERVER, rendezvous_step, &p->rendezvous, 0);
}

/* The rendezvous is at work from the start. */
static inline struct twin_pair *pair_new(const struct pair_config *config)
{
	struct twin_pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->world = twin_world_new();
	pair_add_home(p, PAIR_A, config);
	pair_add_home(p, PAIR_B, config);
	pair_add_server(p, config);
	twin_world_reset(p->world, config->seed);
	twin_world_set_filter(p->world, pair_passes, p);
	prng_init(&p->prng, config->seed);
	return p;
}

static inline void pair_free(struct twin_pair *p)
{
	twin_world_free(p->world);
	for (int i = 0; i < PAIR_HOSTS; i++) {
		twin_host_free(p->hosts[i].host);
		if (p->hosts[i].router == NULL)
			continue;
		twin_router_free(p->hosts[i].router);
		nat_model_fini(&p->hosts[i].model);
	}
	free(p);
}

static inline bool pair_is_over(void *arg)
{
	const struct twin_pair *p = arg;

	for (int i = 0; i < 2; i++)
		if (p->hosts[i].step != NULL && !pair_is_done(p, i))
			return false;
	return true;
}

/* Goes on until the time, or until the machines of a and b are done, if that is sooner. */
static inline void pair_run(struct twin_pair *p, uint64_t until_us)
{
	twin_world_run(p->world, until_us, pair_is_over, p);
}

/* Until the next thing that a's machine or its sockets do of themselves. */
static inline void pair_run_to_timer(struct twin_pair *p, int host)
{
	pair_run(p, twin_host_node(p->hosts[host].host)->run_at_us);
}

/* A packet gets to a host from whatever leads to it. */
static inline void pair_inject(struct twin_pair *p, int host, const struct twin_packet *packet)
{
	struct twin_node *node = twin_host_node(p->hosts[host].host);
	struct twin_packet copy = *packet;

	node->receive(node, p->world, p->hosts[host].router != NULL ? TWIN_INSIDE : TWIN_OUTSIDE,
		      &copy);
}

/* ---- punching */

static inline struct strategy_config pair_strategy_config(const struct twin_pair *p, int host,
							  bool tcp)
{
	return (struct strategy_config){ .tcp = tcp,
					 .role = host == PAIR_A ? 'a' : 'b',
					 .server = pair_server(0, 0),
					 .server_alt = pair_server(1, 1),
					 .session = "session",
					 .session_len = 7,
					 .local_addr = pair_addr(p, host),
					 .nonce = PAIR_NONCE(host),
					 .seed = (uint64_t)host,
					 .give_up_us = PAIR_GIVE_UP_US };
}

/* Both peers get the word at the same time; late_us[] is what each holds back. */
static inline void pair_start(struct twin_pair *p, bool tcp, const uint64_t late_us[static 2])
{
	for (int i = 0; i < 2; i++) {
		struct strategy_config config = pair_strategy_config(p, i, tcp);

		config.start_delay_us = late_us[i];
		punch_strategy.init(&p->peers[i], &config);
		pair_set_machine(p, i, punch_strategy.step, &p->peers[i], PAIR_START_US);
	}
}

/* Both ended, with the same result; on success each names the other. Returns true on success. */
static inline bool pair_agree(const struct twin_pair *p)
{
	int status = pair_status(p, PAIR_A);

	assert_int_equal(status, pair_status(p, PAIR_B));
	if (status != 0)
		return false;
	assert_true(p->peers[0].course.handshake.peer_nonce == PAIR_NONCE(PAIR_B));
	assert_true(p->peers[1].course.handshake.peer_nonce == PAIR_NONCE(PAIR_A));
	assert_int_equal(p->peers[0].course.remote.addr, PAIR_OUTSIDE_ADDR(PAIR_B));
	assert_int_equal(p->peers[1].course.remote.addr, PAIR_OUTSIDE_ADDR(PAIR_A));
	return true;
}

#endif

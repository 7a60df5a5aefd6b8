/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router of the twin with puppets around it: two hosts behind it and the server. They send what
 * they are told to, keep what comes, and do nothing by themselves. The links are ideal, so
 * whatever comes of a packet comes at the time at which it is sent.
 */
#ifndef NATSIM_SIM_EXPERIMENT_OBSERVE_TWIN_PLAY_H
#define NATSIM_SIM_EXPERIMENT_OBSERVE_TWIN_PLAY_H

#include <stdbool.h>

#include "sim/experiment/observe.h"
#include "sim/experiment/observe_source.h"
#include "sim/twin/router.h"
#include "sim/twin/world.h"

#define PLAY_TAKES_MAX 8u

struct puppet {
	struct twin_node node; /* the first, so that it is the puppet too */
	enum twin_side side;
	size_t count; /* of what came of the last packets; more than fits is not kept */
	struct twin_packet taken[PLAY_TAKES_MAX];
};

struct play {
	const struct nat_model *model; /* what the router is said to be */
	struct twin_world *world;
	struct twin_router *router;
	struct puppet hosts[2], server;
	uint32_t host_addrs[2], server_addrs[2];
	uint32_t router_addr; /* the first of its outside ones */
	uint64_t seed, resets;
	uint16_t next_port; /* that no other flow has */
};

/* The stage is of OBSERVE_TOPOLOGY, and outlives the play. */
void play_open(struct play *p, const struct stage *stage, uint64_t seed);
void play_close(struct play *p);

/* Time 0: the router has forgotten everything, and draws anew. */
void play_reset(struct play *p);

/* Sends a packet, and lets happen what comes of it. What came before is forgotten. */
void play_send(struct play *p, struct puppet *from, const struct twin_packet *packet);

/* The same in two steps, for packets that are sent at the same time. */
void play_put(struct play *p, struct puppet *from, const struct twin_packet *packet);
void play_on(struct play *p);

void play_wait(struct play *p, uint64_t us);

/* The first packet that came to an endpoint, or NULL; of ICMP the endpoint's port is 0. */
const struct twin_packet *play_came(const struct puppet *to, enum twin_protocol protocol,
				    struct endpoint at);

/* ---- packets */

struct twin_packet play_datagram(struct endpoint from, struct endpoint to);
struct twin_packet play_segment(struct endpoint from, struct endpoint to, uint8_t flags,
				uint32_t sequence, uint32_t acknowledgement);

/* The numbers of a host's SYN and of the server's. */
#define PLAY_HOST_SEQUENCE   1000u
#define PLAY_SERVER_SEQUENCE 5000u

/* An endpoint that no flow has. */
struct endpoint play_fresh(struct play *p, uint32_t addr);

/* ---- flows */

/* Sends a datagram from a host until it has come: a router may drop what drew a bad port. Returns
 * false if it never does. */
bool play_reach(struct play *p, unsigned host, struct endpoint inside, struct endpoint server,
		struct endpoint *ret_outside);

struct play_flow {
	enum nat_transport transport;
	unsigned host;
	struct endpoint inside, outside; /* the host's, and what the server sees of it */
	struct endpoint server;
	uint32_t host_sequence, server_sequence; /* over TCP, of what is sent next */
};

struct play_open {
	enum nat_transport transport;
	unsigned host;
	uint16_t port;        /* of the host; 0: any */
	unsigned server_addr; /* to a fresh port of it */
};

/* A datagram from a host, or a connection. Returns false if nothing comes through. */
bool play_flow_open(struct play *p, const struct play_open *how, struct play_flow *ret);

void play_flow_send_out(struct play *p, const struct play_flow *f); /* over UDP */
/* Returns true if it came to the host, which acknowledges it over TCP. */
bool play_flow_gets_in(struct play *p, struct play_flow *f);

/* Closes a connection from inside; the server may still send by it. Returns false if nothing came
 * of it. */
bool play_flow_half_close(struct play *p, struct play_flow *f);

/* ---- the parts of observe_in_twin() */

/* observe_twin.c: what is asked of both transports. */
void play_observe_sharing(struct play *p, enum nat_transport t, struct observed_of *ret);
/* Where host 0 is seen by both of the server's addresses. */
void play_observe_sender(struct play *p, enum nat_transport t, struct observed_sender *ret);
void play_observe_stranger(struct play *p, enum nat_transport t, struct observed_of *ret);
void play_observe_icmp(struct play *p, enum nat_transport t, struct observed_of *ret);

/* observe_twin_tcp.c, and observe_twin_life.c */
void play_observe_tcp(struct play *p, struct observations *ret);
void play_observe_lives(struct play *p, struct observations *ret);

#endif

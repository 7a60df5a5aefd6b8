/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines (peers/core/machine.h) in virtual time: two hosts, each behind a toy NAT of its own, and
 * a server with two addresses in between.
 *
 *	a 10.1.0.2 -- nat 198.51.100.1 --+-- server 203.0.113.1, .2
 *	b 10.2.0.2 -- nat 198.51.100.2 --+
 *
 * A packet takes the delay of both access links. One that is lost is gone, save for data over TCP,
 * which is late by a retransmission. The world is strict: a machine that uses a socket it does not
 * have, or that never comes to rest, fails an assertion.
 */
#ifndef NATSIM_TESTS_TOY_WORLD_H
#define NATSIM_TESTS_TOY_WORLD_H

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/timerqueue.h"
#include "peers/core/machine.h"
#include "tests/toy_nat.h"

enum { TOY_A, TOY_B, TOY_SERVER, TOY_HOSTS };

#define TOY_SERVER_ADDR     0xcb007101u /* 203.0.113.1 and the next */
#define TOY_OUTSIDE_ADDR(i) (0xc6336401u + (uint32_t)(i))
#define TOY_INSIDE_ADDR(i)  (0x0a010002u + ((uint32_t)(i) << 16))
#define TOY_SOCKETS_MAX     128u
#define TOY_RTO_US          200000u /* Linux' shortest */
#define TOY_STEPS_MAX       1000000u

enum toy_kind { TOY_LOCAL, TOY_UDP, TOY_SYN, TOY_SYNACK, TOY_ACK, TOY_DATA, TOY_FIN, TOY_RST };

struct toy_packet {
	enum toy_kind kind;
	int host; /* who sent it; TOY_LOCAL: to whom the event goes */
	struct endpoint from, to;
	uint64_t isn, ack;  /* TCP: of the sender, and what it knows of the receiver's */
	struct event event; /* TOY_LOCAL */
	size_t len;
	uint8_t data[DATA_MAX];
};

enum toy_state {
	TOY_FREE,
	TOY_DATAGRAM,
	TOY_LISTENER,
	TOY_FAILED, /* its machine is about to hear so */
	TOY_SYN_SENT,
	TOY_SYN_RECEIVED,
	TOY_ESTABLISHED
};

struct toy_socket {
	enum toy_state state;
	uint32_t id;
	uint32_t listener; /* of a connection that is to be accepted; else 0 */
	struct endpoint local, remote;
	uint64_t isn, peer_isn;
	uint64_t last_arrival_us; /* of what it has sent: streams keep their order */
};

struct toy_host {
	machine_step_fn *step;
	void *state;
	uint64_t start_us, wake_us;
	bool started, done;
	int status;
	uint64_t done_us;
	struct toy_nat nat;
	uint64_t delay_us;
	uint16_t next_port;
	uint32_t next_accepted;
	struct toy_socket sockets[TOY_SOCKETS_MAX];
	uint64_t sent; /* datagrams and TCP actions of its machine, but for the server */
};

struct toy_world {
	uint64_t now_us, next_isn;
	struct timerqueue packets;
	struct toy_host hosts[TOY_HOSTS];
	struct actions out;
	struct prng prng;
	double loss;        /* of packets between a and b */
	uint64_t jitter_us; /* likewise, over UDP; reorders */
	uint64_t count;     /* of packets between a and b so far */
	uint64_t lose_at;   /* this one of them is lost, counted from 1; 0: none */
	/* Called for every packet on the outside; true: it is lost. */
	bool (*lose)(void *arg, const struct toy_world *w, const struct toy_packet *p);
	void *arg;
};

static inline struct toy_world *toy_new(uint64_t seed)
{
	struct toy_world *w = calloc(1, sizeof(*w));

	assert(w != NULL);
	prng_init(&w->prng, seed);
	for (int i = 0; i < TOY_HOSTS; i++) {
		struct toy_host *h = &w->hosts[i];

		h->wake_us = NEVER;
		h->next_port = 40000;
		h->next_accepted = SOCKET_ACCEPTED;
		h->delay_us = 5000;
		h->nat = (struct toy_nat){
			.addr = TOY_OUTSIDE_ADDR(i), .next = 6000, .last = 65535, .step = 1
		};
		prng_init(&h->nat.prng, prng_derive(seed, (uint64_t)i, 1));
	}
	return w;
}

static inline void toy_free(struct toy_world *w)
{
	void *p;

	while ((p = timerqueue_take(&w->packets, NEVER - 1)) != NULL)
		free(p);
	timerqueue_fini(&w->packets);
	free(w);
}

static inline struct endpoint toy_server(unsigned addr, unsigned port)
{
	return (struct endpoint){ TOY_SERVER_ADDR + addr, (uint16_t)(3478 + port) };
}

static inline bool toy_is_server(struct endpoint ep)
{
	return ep.addr - TOY_SERVER_ADDR < 2;
}

static inline void toy_set_nat(struct toy_world *w, int host, enum toy_dependence mapping,
			       enum toy_dependence filtering, enum toy_ports ports)
{
	struct toy_nat *nat = &w->hosts[host].nat;

	nat->present = true;
	nat->mapping = mapping;
	nat->filtering = filtering;
	nat->ports = ports;
}

/* The address a host's sockets have. */
static inline uint32_t toy_addr(const struct toy_world *w, int host)
{
	if (host == TOY_SERVER)
		return TOY_SERVER_ADDR;
	return w->hosts[host].nat.present ? TOY_INSIDE_ADDR(host) : TOY_OUTSIDE_ADDR(host);
}

static inline void toy_set_machine(struct toy_world *w, int host, machine_step_fn *step,
				   void *state, uint64_t start_us)
{
	w->hosts[host].step = step;
	w->hosts[host].state = state;
	w->hosts[host].start_us = start_us;
	w->hosts[host].wake_us = start_us;
}

/* ---- packets on their way */

static inline void toy_enqueue(struct toy_world *w, const struct toy_packet *p, uint64_t at_us)
{
	struct toy_packet *copy = malloc(sizeof(*copy));

	assert(copy != NULL);
	*copy = *p;
	timerqueue_add(&w->packets, at_us, copy);
}

static inline void toy_tell(struct toy_world *w, int host, struct event event)
{
	toy_enqueue(w, &(struct toy_packet){ .kind = TOY_LOCAL, .host = host, .event = event },
		    w->now_us);
}

/* To which host an outside address leads; TOY_HOSTS: to none. */
static inline int toy_route(struct endpoint to)
{
	if (toy_is_server(to))
		return TOY_SERVER;
	for (int i = 0; i < TOY_SERVER; i++)
		if (to.addr == TOY_OUTSIDE_ADDR(i))
			return i;
	return TOY_HOSTS;
}

static inline bool toy_is_lost(struct toy_world *w, const struct toy_packet *p)
{
	bool between_peers = p->host != TOY_SERVER && !toy_is_server(p->to);

	if (w->lose != NULL && w->lose(w->arg, w, p))
		return true;
	if (!between_peers)
		return false;
	return ++w->count == w->lose_at || prng_chance(&w->prng, w->loss);
}

/* Takes a packet through the sender's NAT and onto the Internet. s is the TCP socket, or NULL. */
static inline void toy_send(struct toy_world *w, struct toy_packet *p, struct toy_socket *s)
{
	bool tcp = p->kind != TOY_UDP, stream = p->kind == TOY_DATA || p->kind == TOY_FIN;
	int to = toy_route(p->to);

	if (to == TOY_HOSTS || !toy_nat_out(&w->hosts[p->host].nat, tcp, &p->from, p->to))
		return;
	uint64_t at_us = w->now_us + w->hosts[p->host].delay_us + w->hosts[to].delay_us;
	if (toy_is_lost(w, p)) {
		if (!stream)
			return;
		at_us += TOY_RTO_US;
	}
	if (!tcp && w->jitter_us > 0)
		at_us += prng_below(&w->prng, w->jitter_us);
	if (s != NULL && at_us < s->last_arrival_us)
		at_us = s->last_arrival_us;
	if (s != NULL)
		s->last_arrival_us = at_us;
	toy_enqueue(w, p, at_us);
}

/* ---- sockets */

static inline struct toy_socket *toy_socket_find(struct toy_host *h, uint32_t id)
{
	for (size_t i = 0; i < TOY_SOCKETS_MAX; i++) {
		struct toy_socket *s = &h->sockets[i];
		bool hidden = s->state == TOY_SYN_RECEIVED && s->listener != 0;

		if (s->state != TOY_FREE && !hidden && s->id == id)
			return s;
	}
	return NULL;
}

static inline struct toy_socket *toy_socket_new(struct toy_host *h, struct toy_socket socket)
{
	size_t i = 0;

	while (i < TOY_SOCKETS_MAX && h->sockets[i].state != TOY_FREE)
		i++;
	assert(i < TOY_SOCKETS_MAX);
	h->sockets[i] = socket;
	return &h->sockets[i];
}

/* A UDP socket or listener at local, or a TCP connection between local and remote. */
static inline struct toy_socket *toy_socket_at(struct toy_host *h, bool connection, bool udp,
					       struct endpoint local, struct endpoint remote)
{
	for (size_t i = 0; i < TOY_SOCKETS_MAX; i++) {
		struct toy_socket *s = &h->sockets[i];
		bool kind = connection ? s->state >= TOY_SYN_SENT
				       : s->state == (udp ? TOY_DATAGRAM : TOY_LISTENER);

		if (kind && endpoint_equal(s->local, local) &&
		    (!connection || endpoint_equal(s->remote, remote)))
			return s;
	}
	return NULL;
}

static inline void toy_segment(struct toy_world *w, int host, struct toy_socket *s,
			       enum toy_kind kind)
{
	toy_send(w,
		 &(struct toy_packet){ .kind = kind,
				       .host = host,
				       .from = s->local,
				       .to = s->remote,
				       .isn = s->isn,
				       .ack = s->peer_isn },
		 s);
}

#include "tests/toy_host.h"

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow or connection through a router, both ends of it in our hands. */
#ifndef NATSIM_SIM_EXPERIMENT_OBSERVE_FLOW_H
#define NATSIM_SIM_EXPERIMENT_OBSERVE_FLOW_H

#include "sim/experiment/observe.h"

/* Where we are. */
struct observer {
	const struct stage *stage;
	struct lab *lab;
	int hosts[2], router, server; /* namespaces */
	uint32_t host_addrs[2];
	uint32_t server_addrs[2];
	uint32_t router_addr; /* the first of its outside ones */
	int echo_fd;          /* the server's, for pings */
	bool router_echoes;   /* it answers pings: rules that a model brings may not let it */
};

/* Waits until all that the server has sent has passed the router or was refused by it, and so on
 * with what was sent because of it: pings the router, which the wire does not let overtake. Returns
 * false if no answer has come by then. Behind a router that answers none it waits a little and
 * hopes. */
bool observer_settle(const struct observer *o, uint64_t until_us);

/* For what nothing but a busy machine keeps from coming. */
#define OBSERVE_PATIENCE_US 2000000u

/* Opens echo_fd, and finds out whether it is answered. */
int observer_listen(struct observer *o, struct err *e);

struct flow {
	int inside_fd, outside_fd;
	struct endpoint inside, outside; /* the host's, and what the server sees of it */
	struct endpoint server;
};

#define FLOW_NONE                                 \
	{                                         \
		.inside_fd = -1, .outside_fd = -1 \
	}

/* From a host's port (0: any) to a fresh port of the server's address. Returns false in *ret_there
 * if nothing comes through; the sockets are there in any case. */
int flow_open(const struct observer *o, unsigned host, uint16_t port, unsigned server_addr,
	      struct flow *flow, bool *ret_there, struct err *e);
void flow_close(struct flow *flow);
static inline void flow_cleanup(struct flow *flow)
{
	flow_close(flow);
}

/* Sends a datagram inwards and says whether it came. */
bool flow_gets_in(const struct flow *flow);

/* The same without much waiting. *ret_passed_us: by when it was at the router, or UINT64_MAX. */
bool flow_got_in(const struct observer *o, const struct flow *flow, uint64_t *ret_passed_us);

/* Sends without waiting. */
void flow_send_in(const struct flow *flow);
void flow_send_out(const struct flow *flow);

/* How often a host sends what a router may drop because the port that it drew was bad, and how long
 * an answer is waited for. */
#define OBSERVE_TRIES    20u
#define OBSERVE_RETRY_US 50000u

/* Takes what has come and nobody waits for any more. */
void flow_drain(const struct flow *flow);

/* observe_life.c: lifetimes, which take some seconds. */
int observe_lives(const struct observer *o, struct observations *ret, struct err *e);

/* observe_hairpin.c. */
int observe_hairpin(const struct observer *o, enum nat_transport t, struct observations *ret,
		    struct err *e);

/* observe_icmp.c: an error as if the server's side had refused a packet of the flow. */
int observe_icmp(const struct observer *o, enum nat_transport t, struct observations *ret,
		 struct err *e);

/* observe_size.c: what is more than a link takes at once. After the second the router's outside
 * link takes less than it did. */
int observe_fragments(const struct observer *o, struct observations *ret, struct err *e);
int observe_too_big(const struct observer *o, struct observations *ret, struct err *e);

/* observe_again.c: the same thing more than once. */
int observe_again(const struct observer *o, struct observations *ret, struct err *e);

/* observe_tcp.c. */
int observe_tcp(const struct observer *o, struct observations *ret, struct err *e);

/* Connects and waits for the outcome. */
bool connection_comes_about(int fd, struct endpoint to, uint64_t until_us);

/* A TCP connection through the router; the same. */
int connection_open(const struct observer *o, unsigned host, uint16_t port, unsigned server_addr,
		    struct flow *flow, bool *ret_there, struct err *e);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/wire_exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/ipv4.h"

/* What may wait at once: 100 ms of 5 Gbit/s. */
#define QUEUED_MAX_BYTES (64u * 1024u * 1024u)

static const struct link_profile no_profile = { .hops = 1 };

/* The wire is the only writer, so nothing is locked. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

static void show_in_flight(const struct wire_exchange *x)
{
	atomic_store_explicit(&x->stats->in_flight, x->queue.count, memory_order_relaxed);
}

/* ---- setting up */

static void init_links(struct wire_port *port, const struct link_params *up,
		       const struct link_params *down, uint64_t seed, unsigned i)
{
	link_init(&port->up, up, prng_derive(seed, i, 0));
	link_init(&port->down, down, prng_derive(seed, i, 1));
}

static void init_port(struct wire_port *port, const struct wire_config *config, unsigned i)
{
	const struct link_profile *profile = config->links[i];

	if (profile == NULL)
		profile = &no_profile;
	*port = (struct wire_port){ .fd = -1, .plan = &config->plan->ports[i] };
	port->hops = profile->hops;
	init_links(port, &profile->up, &profile->down, config->seed, i);
}

void wire_exchange_init(struct wire_exchange *x, const struct wire_config *config,
			struct wire_stats *stats, struct pcapng *capture)
{
	size_t ports = config->plan->ports_count;

	*x = (struct wire_exchange){ .ports_count = ports, .stats = stats, .capture = capture };
	x->ports = calloc(ports, sizeof(*x->ports));
	assert(x->ports != NULL || ports == 0);
	for (unsigned i = 0; i < ports; i++) {
		init_port(&x->ports[i], config, i);
		if (capture != NULL)
			pcapng_interface(capture, config->plan->ports[i].ifname);
	}
	wire_routes_init(&x->routes, config->plan);
}

/* Returns how many packets there were. */
static uint64_t drop_queue(struct wire_exchange *x)
{
	struct wire_packet *p;
	uint64_t n = 0;

	for (; (p = timerqueue_take(&x->queue, TIMERQUEUE_NEVER)) != NULL; n++)
		wire_packet_drop(p);
	x->queued_bytes = 0;
	return n;
}

void wire_exchange_reseed(struct wire_exchange *x, uint64_t seed)
{
	count(&x->stats->dropped, drop_queue(x));
	show_in_flight(x);
	for (unsigned i = 0; i < x->ports_count; i++) {
		struct link_params up = x->ports[i].up.params, down = x->ports[i].down.params;

		init_links(&x->ports[i], &up, &down, seed, i);
	}
}

void wire_exchange_fini(struct wire_exchange *x)
{
	(void)drop_queue(x);
	timerqueue_fini(&x->queue);
	for (size_t i = 0; i < x->ports_count; i++)
		if (x->ports[i].fd >= 0)
			(void)close(x->ports[i].fd);
	free(x->ports);
	wire_routes_fini(&x->routes);
	*x = (struct wire_exchange){ 0 };
}

/* ---- the record */

static uint64_t real_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Writes what is seen of a packet at a port. One that was never sent has no direction. age_us is
 * how long ago it was. */
static void capture(struct wire_exchange *x, unsigned port, const struct wire_packet *packet,
		    enum pcapng_direction direction, uint64_t age_us, const char *comment)
{
	if (x->capture == NULL)
		return;
	/* A copy, for readers expect finished checksums. */
	struct wire_packet *p = wire_packet_copy(packet);
	wire_packet_finish(p);
	pcapng_packet(x->capture, &(struct pcapng_packet){
					  .interface = port,
					  .direction = direction,
					  .time_ns = real_ns() - age_us * 1000,
					  .data = p->frame,
					  .len = p->frame_bytes,
					  .comment = comment,
				  });
	wire_packet_drop(p);
}

/* ---- forwarding */

static void send_out(struct wire_exchange *x, struct wire_packet *p);
static void route(struct wire_exchange *x, struct wire_packet *p);

/* Keeps a packet until its time. */
static void hold(struct wire_exchange *x, struct wire_packet *p)
{
	if (x->queued_bytes + p->frame_bytes > QUEUED_MAX_BYTES) {
		count(&x->stats->dropped, 1);
		wire_packet_drop(p);
		return;
	}
	if (!p->on_heap)
		p = wire_packet_copy(p);
	x->queued_bytes += p->frame_bytes;
	timerqueue_add(&x->queue, p->time_us, p);
	show_in_flight(x);
}

static void arrive(struct wire_exchange *x, struct wire_packet *p)
{
	if (p->stage == WIRE_TO_MIDDLE)
		route(x, p);
	else
		send_out(x, p);
}

static void arrive_or_hold(struct wire_exchange *x, struct wire_packet *p, uint64_t time_us)
{
	p->time_us = time_us;
	if (time_us <= x->now_us)
		arrive(x, p);
	else
		hold(x, p);
}

/* Sends a packet up or down a port's link, to get to the end of stage. */
static void carry(struct wire_exchange *x, unsigned port, enum wire_stage stage,
		  struct wire_packet *p)
{
	struct link *link = stage == WIRE_TO_MIDDLE ? &x->ports[port].up : &x->ports[port].down;
	struct link_fate fate = link_send(link, p->time_us, p->ip.total_bytes);

	p->stage = stage;
	if (fate.copies == 0) {
		count(&x->stats->lost, 1);
		capture(x, port, p, PCAPNG_NO_DIRECTION, 0,
			fate.queue_full ? "lost: the link's queue is full" : "lost on the link");
		wire_packet_drop(p);
		return;
	}
	struct wire_packet *twin = fate.copies > 1 ? wire_packet_copy(p) : NULL;
	arrive_or_hold(x, p, fate.deliver_us[0]);
	if (twin != NULL) {
		count(&x->stats->duplicated, 1);
		arrive_or_hold(x, twin, fate.deliver_us[1]);
	}
}

static void set_ethernet(const struct wire_port *port, struct wire_packet *p)
{
	struct ether_header *eth = (struct ether_header *)p->frame;

	memcpy(eth->ether_dhost, port->plan->peer_mac, ETHER_ADDR_LEN);
	memcpy(eth->ether_shost, port->plan->mac, ETHER_ADDR_LEN);
}

/* Answers p with an ICMP error from the gateway of the port it came in by, if that is allowed. */
static void send_error(struct wire_exchange *x, struct wire_packet *p, uint8_t type, uint8_t code)
{
	const struct wire_port *port = &x->ports[p->in];
	uint8_t error[IPV4_ERROR_MAX];

	/* The quote is of the packet as its sender's network card would have finished it. */
	wire_packet_finish(p);
	size_t len =
		ipv4_write_error(wire_packet_ip(p), &p->ip, type, code, port->plan->gateway, error);
	if (len == 0)
		return;
	struct wire_packet *answer = wire_packet_new(ETHER_HDR_LEN + len);
	memcpy(answer->frame, p->frame, ETHER_HDR_LEN); /* for the type */
	memcpy(wire_packet_ip(answer), error, len);
	bool ok = ipv4_read(error, len, &answer->ip);
	assert(ok);
	answer->time_us = p->time_us;
	answer->in = answer->out = p->in;
	set_ethernet(port, answer);
	count(&x->stats->icmp_errors, 1);
	carry(x, answer->out, WIRE_TO_PORT, answer);
}

static void refuse(struct wire_exchange *x, struct wire_packet *p, _Atomic uint64_t *counter,
		   uint8_t type, uint8_t code)
{
	count(counter, 1);
	capture(x, p->in, p, PCAPNG_NO_DIRECTION, 0,
		type == ICMP_TIME_EXCEEDED_TYPE ? "the TTL has expired" : "no route");
	send_error(x, p, type, code);
	wire_packet_drop(p);
}

static void route(struct wire_exchange *x, struct wire_packet *p)
{
	p->out = wire_routes_find(&x->routes, p->ip.to);
	if (p->out == WIRE_NO_PORT) {
		refuse(x, p, &x->stats->unroutable, ICMP_NET_UNREACHABLE_TYPE,
		       ICMP_NET_UNREACHABLE_CODE);
		return;
	}
	struct wire_port *port = &x->ports[p->out];
	unsigned hops = x->ports[p->in].hops + port->hops - 1;
	if (p->ip.ttl <= hops) {
		refuse(x, p, &x->stats->ttl_expired, ICMP_TIME_EXCEEDED_TYPE,
		       ICMP_TTL_EXCEEDED_CODE);
		return;
	}
	ipv4_take_ttl(wire_packet_ip(p), (uint8_t)hops);
	set_ethernet(port, p);
	carry(x, p->out, WIRE_TO_PORT, p);
}

/* The internet's own kernel answers for the gateways' addresses. */
static bool is_gateway(const struct wire_exchange *x, uint32_t addr)
{
	for (size_t i = 0; i < x->ports_count; i++)
		if (x->ports[i].plan->gateway == addr)
			return true;
	return false;
}

void wire_exchange_take(struct wire_exchange *x, unsigned in, struct wire_packet *p)
{
	const struct ether_header *eth = (const struct ether_header *)p->frame;

	/* Broadcasts and what a bridge floods are not for a router. */
	if (memcmp(eth->ether_dhost, x->ports[in].plan->mac, ETHER_ADDR_LEN) != 0)
		return;
	bool sound = ipv4_read(wire_packet_ip(p), p->frame_bytes - ETHER_HDR_LEN, &p->ip);
	if (sound && is_gateway(x, p->ip.to))
		return;
	count(&x->stats->received, 1);
	if (!sound) {
		count(&x->stats->dropped, 1);
		return;
	}
	p->in = in;
	capture(x, in, p, PCAPNG_INBOUND, x->now_us > p->time_us ? x->now_us - p->time_us : 0,
		NULL);
	carry(x, in, WIRE_TO_MIDDLE, p);
}

/* ---- sending */

static void flush_port(struct wire_exchange *x, unsigned i)
{
	struct wire_port *port = &x->ports[i];
	bool sent[WIRE_BATCH];

	if (port->out_count == 0)
		return;
	wire_port_send(port->fd, port->out, port->out_count, sent);
	for (unsigned k = 0; k < port->out_count; k++) {
		struct wire_packet *p = port->out[k];

		count(sent[k] ? &x->stats->delivered : &x->stats->send_errors, 1);
		capture(x, i, p, sent[k] ? PCAPNG_OUTBOUND : PCAPNG_NO_DIRECTION, 0,
			sent[k] ? NULL : "could not be sent");
		wire_packet_drop(p);
	}
	port->out_count = 0;
}

static void send_out(struct wire_exchange *x, struct wire_packet *p)
{
	struct wire_port *port = &x->ports[p->out];

	port->out[port->out_count++] = p;
	if (port->out_count == WIRE_BATCH)
		flush_port(x, p->out);
}

void wire_exchange_flush(struct wire_exchange *x)
{
	for (unsigned i = 0; i < x->ports_count; i++)
		flush_port(x, i);
}

void wire_exchange_run(struct wire_exchange *x, uint64_t now_us)
{
	struct wire_packet *p;

	x->now_us = now_us;
	while ((p = timerqueue_take(&x->queue, now_us)) != NULL) {
		x->queued_bytes -= p->frame_bytes;
		show_in_flight(x);
		arrive(x, p);
	}
	wire_exchange_flush(x);
}

uint64_t wire_exchange_next_us(const struct wire_exchange *x)
{
	return timerqueue_next_us(&x->queue);
}

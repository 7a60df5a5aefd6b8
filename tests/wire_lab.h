/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small Internet for tests and benchmarks of the wire: three sites, each with one veth to the
 * node "internet".
 *
 *	site i: 10.9.i.2 ---- 10.9.i.1 internet
 *
 * Everything that should work is asserted.
 */
#ifndef NATSIM_TESTS_WIRE_LAB_H
#define NATSIM_TESTS_WIRE_LAB_H

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/rtnl.h"
#include "sim/lab/wire.h"

#define SITES 3u

struct wire_lab {
	int internet_fd;
	int site_fds[SITES];
	struct plan_port ports[SITES];
	struct plan_route routes[SITES];
	struct plan plan;
	const struct link_profile *links[SITES];
	struct wire *wire;
};

static inline uint32_t site_addr(unsigned site)
{
	return 10u << 24 | 9u << 16 | site << 8 | 2u;
}

static inline uint32_t gateway_addr(unsigned site)
{
	return 10u << 24 | 9u << 16 | site << 8 | 1u;
}

static inline struct sockaddr_in sockaddr_of(uint32_t addr, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(addr),
	};
}

static inline uint64_t clock_now_us(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static inline void must(int r, const struct err *e)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "%s\n", e->text);
	assert(r >= 0);
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert(fd >= 0);
	ssize_t n = write(fd, text, strlen(text));
	assert(n == (ssize_t)strlen(text));
	(void)close(fd);
}

/* Makes the calling process, which has one thread, root of what it needs. */
static inline void become_lab_root(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[32];

	int r = unshare(uid == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET);
	assert(r == 0);
	if (uid == 0)
		return;
	write_text("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	write_text("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);
	write_text("/proc/self/gid_map", map);
}

struct site_place {
	const char *ifname;
	struct prefix prefix;
	uint32_t gateway; /* 0: none */
};

static inline int place_site(void *arg, struct err *e)
{
	const struct site_place *place = arg;
	struct netlink nl;
	int r = rtnl_open(&nl, e);

	if (r < 0)
		return r;
	r = rtnl_address_add(&nl, place->ifname, place->prefix, e);
	if (r == 0)
		r = rtnl_link_up(&nl, place->ifname, e);
	if (r == 0 && place->gateway != 0)
		r = rtnl_route_add(&nl, (struct prefix){ 0, 0 }, place->gateway, e);
	netlink_close(&nl);
	return r;
}

static inline void add_site(struct wire_lab *lab, struct netlink *nl, unsigned i)
{
	struct plan_port *port = &lab->ports[i];
	struct err e = { 0 };

	must(netns_new(&lab->site_fds[i], &e), &e);
	*port = (struct plan_port){
		.mac = { 2, 0, 0, 0, (uint8_t)i, 1 },
		.peer_mac = { 2, 0, 0, 0, (uint8_t)i, 2 },
		.gateway = gateway_addr(i),
	};
	(void)snprintf(port->ifname, sizeof(port->ifname), "site%u", i);
	struct rtnl_veth veth = { port->ifname,     "wan", lab->internet_fd,
				  lab->site_fds[i], { 0 }, { 0 } };
	memcpy(veth.mac, port->mac, sizeof(veth.mac));
	memcpy(veth.peer_mac, port->peer_mac, sizeof(veth.peer_mac));
	must(rtnl_veth_new(nl, &veth, &e), &e);

	struct site_place outside = { port->ifname, { gateway_addr(i), 24 }, 0 };
	struct site_place inside = { "wan", { site_addr(i), 24 }, gateway_addr(i) };
	must(netns_run(lab->internet_fd, place_site, &outside, &e), &e);
	must(netns_run(lab->site_fds[i], place_site, &inside, &e), &e);
	lab->routes[i] = (struct plan_route){ { gateway_addr(i) - 1, 24 }, i };
}

static inline int set_forwarding(void *arg, struct err *e)
{
	return netns_sysctl("net/ipv4/ip_forward", arg, e);
}

static inline void wire_lab_kernel_forwards(struct wire_lab *lab, bool on)
{
	char value[] = { on ? '1' : '0', '\0' };
	struct err e = { 0 };

	must(netns_run(lab->internet_fd, set_forwarding, value, &e), &e);
}

/* Without a wire yet. */
static inline void wire_lab_init(struct wire_lab *lab)
{
	struct err e = { 0 };
	struct netlink nl;

	*lab = (struct wire_lab){ 0 };
	must(netns_new(&lab->internet_fd, &e), &e);
	must(rtnl_open(&nl, &e), &e);
	for (unsigned i = 0; i < SITES; i++)
		add_site(lab, &nl, i);
	netlink_close(&nl);
	wire_lab_kernel_forwards(lab, false); /* a new namespace may inherit the host's 1 */
	lab->plan = (struct plan){ .ports = lab->ports,
				   .ports_count = SITES,
				   .routes = lab->routes,
				   .routes_count = SITES };
}

/* Starts a wire over lab->links. */
static inline void wire_lab_start(struct wire_lab *lab, uint64_t seed, int pcap_fd)
{
	struct wire_config config = {
		.netns_fd = lab->internet_fd,
		.plan = &lab->plan,
		.links = lab->links,
		.seed = seed,
		.pcap_fd = pcap_fd,
	};
	struct err e = { 0 };

	must(wire_new(&config, &lab->wire, &e), &e);
}

static inline void wire_lab_stop(struct wire_lab *lab)
{
	wire_free(lab->wire);
	lab->wire = NULL;
}

static inline void wire_lab_fini(struct wire_lab *lab)
{
	wire_lab_stop(lab);
	for (unsigned i = 0; i < SITES; i++)
		(void)close(lab->site_fds[i]);
	(void)close(lab->internet_fd);
}

struct site_socket {
	int type, protocol, fd;
};

static inline int open_socket(void *arg, struct err *e)
{
	struct site_socket *s = arg;

	s->fd = socket(AF_INET, s->type | SOCK_CLOEXEC, s->protocol);
	return s->fd >= 0 ? 0 : err_set(e, -errno, "open a socket");
}

/* A socket in a site, bound to its address and port if port is not 0. */
static inline int site_socket(const struct wire_lab *lab, unsigned site, int type, uint16_t port)
{
	struct site_socket s = { type, 0, -1 };
	struct err e = { 0 };

	if (type == SOCK_RAW)
		s.protocol = IPPROTO_ICMP;
	must(netns_run(lab->site_fds[site], open_socket, &s, &e), &e);
	if (port != 0) {
		struct sockaddr_in addr = sockaddr_of(site_addr(site), port);
		int r = bind(s.fd, (struct sockaddr *)&addr, sizeof(addr));

		assert(r == 0);
	}
	return s.fd;
}

/* A UDP socket in a site that sends to another's port. */
static inline int site_sender(const struct wire_lab *lab, unsigned site, uint32_t to, uint16_t port)
{
	int fd = site_socket(lab, site, SOCK_DGRAM, 0);
	struct sockaddr_in addr = sockaddr_of(to, port);
	int r = connect(fd, (struct sockaddr *)&addr, sizeof(addr));

	assert(r == 0);
	return fd;
}

/* True once fd can be read, false if it cannot until the deadline. */
static inline bool await_readable(int fd, uint64_t deadline_us)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t now_us;
	int r = 0;

	while (r <= 0 && (now_us = clock_now_us(CLOCK_MONOTONIC)) < deadline_us)
		r = poll(&ready, 1, (int)((deadline_us - now_us) / 1000 + 1));
	return r > 0;
}

/* True once a counter of the wire has reached value, false if it has not until the deadline. */
static inline bool await_count(const _Atomic uint64_t *counter, uint64_t value,
			       uint64_t deadline_us)
{
	while (atomic_load(counter) < value) {
		if (clock_now_us(CLOCK_MONOTONIC) >= deadline_us)
			return false;
		(void)sched_yield();
	}
	return true;
}

/* No test waits longer than this for what should be. */
static inline uint64_t soon_us(void)
{
	return clock_now_us(CLOCK_MONOTONIC) + 10000000u;
}

/* True once every packet the wire took in is accounted for: a packet can be read before the wire
 * has counted it. */
static inline bool wire_lab_settles(const struct wire_stats *s)
{
	uint64_t deadline_us = soon_us();

	while (clock_now_us(CLOCK_MONOTONIC) < deadline_us) {
		uint64_t in = s->received + s->duplicated + s->icmp_errors;
		uint64_t out = s->delivered + s->lost + s->unroutable + s->ttl_expired +
			       s->dropped + s->send_errors;

		if (in == out && s->in_flight == 0)
			return true;
		(void)sched_yield();
	}
	return false;
}

#endif

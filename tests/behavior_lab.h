/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labs for tests of single NAT behaviours: one of our topologies, a model that the test writes out,
 * and sockets of the test's own process in the lab's hosts, by which it sends what it likes.
 *
 * What must not arrive is not waited for either: behavior_settle() makes round trips that overtake
 * nothing, so what has not arrived by then never will.
 */
#ifndef NATSIM_TESTS_BEHAVIOR_LAB_H
#define NATSIM_TESTS_BEHAVIOR_LAB_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "sim/experiment/stage.h"
#include "sim/lab/netns.h"
#include "tests/lab/inside.h"
#include "tests/natsim_run.h"

/* Where sockets are: hosts, and a router, of the topologies one-home and two-homes. */
enum place { HOST_A, HOST_A2, HOST_B, SERVER, SERVER_ALT, ROUTER_A };

#define ROUTER_A_ADDR 0xc6336402u /* 198.51.100.2 */
#define ROUTER_B_ADDR 0xc0000202u /* 192.0.2.2 */

#define FDS_MAX 256u

/* A socket and what it is bound to. */
struct end {
	int fd;
	struct endpoint at;
};

struct behavior_lab {
	const char *model; /* its text; for failures */
	struct catalog catalog;
	struct link_profile access; /* of each site, if it is not ideal */
	struct stage stage;
	struct lab *lab;
	int fds[FDS_MAX]; /* closed with the lab */
	unsigned fds_count;
	uint32_t said; /* how many datagrams; each has its number in it */
	struct end witness_inside, witness_outside;
	struct endpoint witness; /* as seen outside; none: not begun */
};

#define EIM  "mapping: endpoint-independent\n"
#define ADM  "mapping: address-dependent\n"
#define APDM "mapping: address-and-port-dependent\n"
#define EIF  "filtering: endpoint-independent\n"
#define ADF  "filtering: address-dependent\n"
#define APDF "filtering: address-and-port-dependent\n"

#define BEHAVIOR_FAIL(l, fmt, ...)                                                  \
	do {                                                                        \
		(void)fprintf(stderr, fmt ", with\n%s\n", __VA_ARGS__, (l)->model); \
		fail();                                                             \
	} while (0)

/* ---- the lab */

/* First of all. natsim's data is that of the source tree, which is where tests run, unless told
 * otherwise. */
static inline void behavior_go_inside(void)
{
	(void)setenv("NATSIM_DATA", ".", 0);
	go_inside();
}

static inline void behavior_lab_close(struct behavior_lab *l)
{
	for (unsigned i = 0; i < l->fds_count; i++)
		(void)close(l->fds[i]);
	lab_free(l->lab);
	stage_close(&l->stage);
	catalog_close(&l->catalog);
}

static inline void behavior_lab_cleanup(struct behavior_lab *l)
{
	behavior_lab_close(l);
}

/* Every router of the topology runs the model; "about" is not to be in its text, and text outlives
 * the lab. A packet between two sites, of which the server is none, takes delay_us; it is lost time
 * for most tests. */
static inline void behavior_lab_open_afar(struct behavior_lab *l, const char *topology,
					  uint64_t delay_us, const char *text)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *path = path_in(dir, "model.yaml"), *whole = NULL;
	struct stage_config config = { .topology = topology,
				       .nats = { { "a", path }, { "b", path } },
				       .nats_count = strcmp(topology, "two-homes") == 0 ? 2 : 1 };
	struct err e;

	*l = (struct behavior_lab){
		.model = text,
		.access = { .hops = 1,
			    .up = { .delay_us = delay_us / 2 },
			    .down = { .delay_us = delay_us - delay_us / 2 } },
	};
	assert_true(asprintf(&whole, "about: A router to be tested\n%s", text) > 0);
	write_text(dir, "model.yaml", whole);
	ASSERT_OK(catalog_open(&l->catalog, &e));
	ASSERT_OK(stage_open(&l->catalog, &config, &l->stage, &e));
	for (size_t i = 0; delay_us > 0 && i < l->stage.plan.ports_count; i++)
		if ((int)l->stage.plan.ports[i].node != l->stage.rendezvous_node)
			l->stage.links[i] = &l->access;
	ASSERT_OK(lab_new(
		&(struct lab_config){
			.plan = &l->stage.plan, .links = l->stage.links, .seed = 1, .pcap_fd = -1 },
		&l->lab, &e));
}

static inline void behavior_lab_open(struct behavior_lab *l, const char *topology, const char *text)
{
	behavior_lab_open_afar(l, topology, 0, text);
}

/* ---- sockets */

struct place_of_socket {
	const char *node;
	struct endpoint at;
	int type, protocol, fd;
};

static inline struct sockaddr_in sockaddr_of(struct endpoint ep)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(ep.port),
				     .sin_addr.s_addr = htonl(ep.addr) };
}

static inline struct endpoint endpoint_of(const struct sockaddr_in *sa)
{
	return (struct endpoint){ ntohl(sa->sin_addr.s_addr), ntohs(sa->sin_port) };
}

static inline int open_in_place(void *arg, struct err *e)
{
	struct place_of_socket *p = arg;
	struct sockaddr_in local = sockaddr_of(p->at);
	socklen_t size = sizeof(local);
	int one = 1;

	p->fd = socket(AF_INET, p->type | SOCK_CLOEXEC | SOCK_NONBLOCK, p->protocol);
	if (p->fd < 0)
		return err_set(e, -errno, "open a socket");
	if (p->type == SOCK_STREAM)
		(void)setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(p->fd, (const struct sockaddr *)&local, size) < 0 ||
	    getsockname(p->fd, (struct sockaddr *)&local, &size) < 0)
		return err_set(e, -errno, "bind a socket in %s", p->node);
	p->at = endpoint_of(&local);
	return 0;
}

/* port 0: any. The lab closes it. */
static inline struct end open_end(struct behavior_lab *l, enum place place, int type, int protocol,
				  uint16_t port)
{
	static const struct place_of_socket places[] = {
		[HOST_A] = { "host-a", { 0x0a010002, 0 }, 0, 0, -1 },
		[HOST_A2] = { "host-a2", { 0x0a010003, 0 }, 0, 0, -1 },
		[HOST_B] = { "host-b", { 0x0a020002, 0 }, 0, 0, -1 },
		[SERVER] = { "server", { 0xcb00710a, 0 }, 0, 0, -1 },
		[SERVER_ALT] = { "server", { 0xcb007114, 0 }, 0, 0, -1 },
		[ROUTER_A] = { "router-a", { ROUTER_A_ADDR, 0 }, 0, 0, -1 },
	};
	struct place_of_socket p = places[place];
	int node = plan_node(&l->stage.plan, p.node);
	struct err e;

	assert_true(node >= 0 && l->fds_count < FDS_MAX);
	p.at.port = port;
	p.type = type;
	p.protocol = protocol;
	ASSERT_OK(netns_run(lab_netns(l->lab, (unsigned)node), open_in_place, &p, &e));
	l->fds[l->fds_count++] = p.fd;
	return (struct end){ p.fd, p.at };
}

static inline struct end udp_at(struct behavior_lab *l, enum place place, uint16_t port)
{
	return open_end(l, place, SOCK_DGRAM, 0, port);
}

static inline void set_option(struct end end, int level, int option, int value)
{
	assert_int_equal(setsockopt(end.fd, level, option, &value, sizeof(value)), 0);
}

/* Before the lab would. */
static inline void close_end(struct behavior_lab *l, struct end end)
{
	for (unsigned i = 0; i < l->fds_count; i++)
		if (l->fds[i] == end.fd)
			l->fds[i] = l->fds[--l->fds_count];
	(void)close(end.fd);
}

/* True once fd has one of the events, false if it has not until then. */
static inline bool await_event(int fd, short events, uint64_t until_us)
{
	struct pollfd ready = { .fd = fd, .events = events };
	uint64_t now_us = process_now_us();
	int r = poll(&ready, 1, until_us <= now_us ? 0 : (int)((until_us - now_us) / 1000 + 1));

	assert_true(r >= 0);
	return r > 0;
}

/* For what only time brings about. */
static inline void wait_until(uint64_t then_us)
{
	uint64_t now_us;

	while ((now_us = process_now_us()) < then_us)
		(void)poll(NULL, 0, (int)((then_us - now_us) / 1000 + 1));
}

/* ---- datagrams */

/* Sends a datagram and returns its number. */
static inline uint32_t say(struct behavior_lab *l, struct end from, struct endpoint to)
{
	struct sockaddr_in sa = sockaddr_of(to);
	uint32_t number = ++l->said;

	assert_int_equal(sendto(from.fd, &number, sizeof(number), 0, (const struct sockaddr *)&sa,
				sizeof(sa)),
			 sizeof(number));
	return number;
}

/* Whether a datagram has arrived. Those that did before it are gone then. ret_from may be NULL. */
static inline bool heard(struct end at, uint32_t number, struct endpoint *ret_from)
{
	struct sockaddr_in sa;
	socklen_t size = sizeof(sa);
	uint32_t got = 0;

	while (recvfrom(at.fd, &got, sizeof(got), 0, (struct sockaddr *)&sa, &size) >= 0) {
		if (got != number)
			continue;
		if (ret_from != NULL)
			*ret_from = endpoint_of(&sa);
		return true;
	}
	return false;
}

static inline bool hears(struct end at, uint32_t number, uint64_t until_us,
			 struct endpoint *ret_from)
{
	do {
		if (heard(at, number, ret_from))
			return true;
	} while (await_event(at.fd, POLLIN, until_us) && process_now_us() < until_us);
	return heard(at, number, ret_from);
}

/* Sends from inside to outside until it arrives: a router may drop a packet that drew a port in
 * use, and the one sent again draws once more. Returns the sender as seen outside. */
static inline struct endpoint map_port(struct behavior_lab *l, struct end inside,
				       struct end outside)
{
	struct endpoint mapped = { 0, 0 };
	uint64_t until_us = soon_us();

	while (!hears(outside, say(l, inside, outside.at), process_now_us() + 100000, &mapped))
		if (process_now_us() > until_us)
			BEHAVIOR_FAIL(l, "nothing gets out from port %u", inside.at.port);
	return mapped;
}

/* A round trip for what was sent before to arrive, and one for what it was answered with. They are
 * of one flow, of host-a2 where there is one. */
static inline void behavior_settle(struct behavior_lab *l)
{
	if (endpoint_is_none(l->witness)) {
		bool one_home = topology_host(&l->stage.topology, "host-a2") != NULL;

		l->witness_outside = udp_at(l, SERVER, 0);
		l->witness_inside = udp_at(l, one_home ? HOST_A2 : HOST_A, 0);
		l->witness = map_port(l, l->witness_inside, l->witness_outside);
	}
	for (int i = 0; i < 2; i++) {
		uint32_t out = say(l, l->witness_inside, l->witness_outside.at);

		if (!hears(l->witness_outside, out, soon_us(), NULL) ||
		    !hears(l->witness_inside, say(l, l->witness_outside, l->witness), soon_us(),
			   NULL))
			BEHAVIOR_FAIL(l, "%s: no round trip", __func__);
	}
}

/* ---- what gets through; WHERE is for the failure */

static inline void check_heard(struct behavior_lab *l, const char *where, struct end at,
			       uint32_t number, bool expected)
{
	bool is_heard;

	if (expected) {
		is_heard = hears(at, number, soon_us(), NULL);
	} else {
		behavior_settle(l);
		is_heard = heard(at, number, NULL);
	}
	if (is_heard != expected)
		BEHAVIOR_FAIL(l, "%s: a packet %s", where,
			      expected ? "does not arrive" : "arrives that should not");
}

/* A packet from an end to an endpoint arrives at another end, or does not. */
#define CHECK_ARRIVES(l, from, to, at, expected) \
	check_heard((l), __func__, (at), say((l), (from), (to)), (expected))

static inline void check_equal(const struct behavior_lab *l, const char *where, unsigned is,
			       unsigned expected)
{
	if (is != expected)
		BEHAVIOR_FAIL(l, "%s: %u, not %u", where, is, expected);
}

#define CHECK_EQUAL(l, is, expected) check_equal((l), __func__, (is), (expected))

static inline void check_true(const struct behavior_lab *l, const char *where, const char *what,
			      bool condition)
{
	if (!condition)
		BEHAVIOR_FAIL(l, "%s: %s is false", where, what);
}

#define CHECK(l, condition) check_true((l), __func__, #condition, (condition))

/* ---- errors */

static inline void connect_udp(struct end end, struct endpoint to)
{
	struct sockaddr_in sa = sockaddr_of(to);

	assert_int_equal(connect(end.fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
}

/* The error that a connected socket has by now; 0: none. */
static inline int error_of(struct end end)
{
	int error = -1;
	socklen_t size = sizeof(error);

	assert_int_equal(getsockopt(end.fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	return error;
}

static inline void check_refused(struct behavior_lab *l, const char *where, struct end end,
				 bool expected)
{
	if (expected)
		(void)await_event(end.fd, POLLERR, soon_us());
	else
		behavior_settle(l);
	check_equal(l, where, (unsigned)error_of(end), expected ? ECONNREFUSED : 0);
}

/* Port unreachable comes back to a connected socket, or nothing. */
#define CHECK_REFUSED(l, end, expected) check_refused((l), __func__, (end), (expected))

#endif

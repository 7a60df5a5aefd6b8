// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* More than a link takes at once. */
#define FRAGMENTED_BYTES 3000u

/* Two fragments: a header and FIRST_BYTES, a multiple of 8 (RFC 791, section 3.2), and the rest. */
#define REVERSED_BYTES 2000u
#define FIRST_BYTES    1480u

/* A link that takes less than those before it, and a datagram between. RFC 791: 576 bytes at least.
 */
#define SMALL_MTU_BYTES 1000u
#define TOO_BIG_BYTES   1200u

/* The router's, as plan.c names it. */
#define OUTSIDE_IFNAME "wan"

static bool arrives(int fd, size_t bytes)
{
	char data[FRAGMENTED_BYTES];

	return socket_await(fd, POLLIN, process_now_us() + OBSERVE_SILENCE_US) &&
	       socket_receive(fd, data, sizeof(data), NULL) == (int)bytes;
}

static int send_fragment(int fd, const struct iphdr *header, const uint8_t *datagram, size_t from,
			 size_t to, struct err *e)
{
	uint8_t packet[sizeof(struct iphdr) + FIRST_BYTES];
	struct iphdr ip = *header;
	bool more = to < sizeof(struct udphdr) + REVERSED_BYTES;

	ip.frag_off = htons((uint16_t)(from / 8 | (more ? IP_MF : 0)));
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), datagram + from, to - from);
	int rc = socket_send(fd, packet, sizeof(ip) + to - from,
			     (struct endpoint){ ntohl(ip.daddr), 0 });
	return rc < 0 ? err_set(e, rc, "send a fragment") : 0;
}

/* Sends a datagram from another endpoint's namespace, its last fragment first. */
static int send_reversed(int netns_fd, struct endpoint from, struct endpoint to, struct err *e)
{
	uint8_t datagram[sizeof(struct udphdr) + REVERSED_BYTES] = { 0 };
	struct udphdr udp = { .source = htons(from.port),
			      .dest = htons(to.port),
			      .len = htons(sizeof(datagram)) };
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .id = htons(from.port),
			    .ttl = IPDEFTTL,
			    .protocol = IPPROTO_UDP,
			    .saddr = htonl(from.addr),
			    .daddr = htonl(to.addr) };
	CLEANUP(fd) int fd = -1;

	/* Without a checksum, which RFC 768 allows; the kernel fills in that of the header. */
	memcpy(datagram, &udp, sizeof(udp));
	int rc = socket_in(netns_fd, SOCK_RAW, IPPROTO_RAW, (struct endpoint){ from.addr, 0 }, &fd,
			   e);
	if (rc == 0)
		rc = send_fragment(fd, &ip, datagram, FIRST_BYTES, sizeof(datagram), e);
	if (rc == 0)
		rc = send_fragment(fd, &ip, datagram, 0, FIRST_BYTES, e);
	return rc;
}

int observe_fragments(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow f = FLOW_NONE;
	char data[FRAGMENTED_BYTES] = { 0 };
	bool there = false;
	int rc = flow_open(o, 0, 0, 0, &f, &there, e);

	if (rc < 0 || !there)
		return rc;
	(void)socket_send(f.outside_fd, data, sizeof(data), f.outside);
	ret->fragments = observed(arrives(f.inside_fd, sizeof(data)));
	rc = send_reversed(o->server, f.server, f.outside, e);
	if (rc < 0)
		return rc;
	ret->reversed_in = observed(arrives(f.inside_fd, REVERSED_BYTES));
	rc = send_reversed(o->hosts[0], f.inside, f.server, e);
	if (rc == 0)
		ret->reversed_out = observed(arrives(f.outside_fd, REVERSED_BYTES));
	return rc;
}

int observe_too_big(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(flow) struct flow f = FLOW_NONE;
	CLEANUP(fd) int in_router = -1;
	char data[TOO_BIG_BYTES] = { 0 };
	bool there = false;
	int rc = flow_open(o, 0, 0, 0, &f, &there, e);

	if (rc < 0 || !there)
		return rc;
	rc = socket_in(o->router, SOCK_DGRAM, 0, (struct endpoint){ 0, 0 }, &in_router, e);
	if (rc == 0)
		rc = socket_set_link_mtu(in_router, OUTSIDE_IFNAME, SMALL_MTU_BYTES, e);
	if (rc < 0)
		return rc;
	/* In this order: a host that was told once sends no more than that. */
	socket_set_fragments(f.inside_fd, true);
	(void)socket_send(f.inside_fd, data, sizeof(data), (struct endpoint){ 0, 0 });
	ret->too_big_is_cut = observed(arrives(f.outside_fd, sizeof(data)));
	socket_set_fragments(f.inside_fd, false);
	(void)socket_send(f.inside_fd, data, sizeof(data), (struct endpoint){ 0, 0 });
	ret->too_big_is_told = observed(
		socket_await(f.inside_fd, POLLERR, process_now_us() + OBSERVE_SILENCE_US) &&
		socket_take_error(f.inside_fd) == -EMSGSIZE);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ICMP error about a packet that a host has sent: the server's side says that it refused it. The
 * host's kernel believes it only if what it quotes was really sent (RFC 5927, section 4): over TCP
 * the sequence number, which is the one that the server waits for.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/ipv4.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* RFC 792: an error quotes the header and 8 bytes, which over TCP end with the sequence number and
 * over UDP with the checksum, here none. */
struct error_message {
	struct icmphdr icmp;
	struct iphdr ip;
	uint16_t from, to;
	uint32_t rest;
};

static int send_error(const struct observer *o, const struct flow *f, enum nat_transport t,
		      uint32_t seq, struct err *e)
{
	bool tcp = t == NAT_TCP;
	struct error_message m = {
		.icmp = { .type = ICMP_DEST_UNREACH,
			  .code = tcp ? ICMP_HOST_UNREACH : ICMP_PORT_UNREACH },
		.ip = { .version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(struct iphdr) + (tcp ? 20 : 8)),
			.ttl = 60,
			.protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP,
			.saddr = htonl(f->outside.addr),
			.daddr = htonl(f->server.addr) },
		.from = htons(f->outside.port),
		.to = htons(f->server.port),
		.rest = tcp ? htonl(seq) : htonl(8u << 16),
	};
	CLEANUP(fd) int fd = -1;
	int rc = socket_in(o->server, SOCK_RAW, IPPROTO_ICMP,
			   (struct endpoint){ f->server.addr, 0 }, &fd, e);

	if (rc < 0)
		return rc;
	m.ip.check = htons(ipv4_checksum((const uint8_t *)&m.ip, sizeof(m.ip)));
	m.icmp.checksum = htons(ipv4_checksum((const uint8_t *)&m, sizeof(m)));
	rc = socket_send(fd, &m, sizeof(m), (struct endpoint){ f->outside.addr, 0 });
	return rc < 0 ? err_set(e, rc, "send an ICMP error") : 0;
}

int observe_icmp(const struct observer *o, enum nat_transport t, struct observations *ret,
		 struct err *e)
{
	CLEANUP(flow) struct flow f = FLOW_NONE;
	struct observed_of *of = &ret->of[t];
	uint32_t seq = 0;
	bool there = false;
	int rc = t == NAT_UDP ? flow_open(o, 0, 0, 0, &f, &there, e)
			      : connection_open(o, 0, 0, 0, &f, &there, e);

	if (rc < 0 || !there)
		return rc;
	if (t == NAT_TCP && !socket_awaited_sequence(f.outside_fd, &seq))
		return 0;
	/* Over TCP errors of a kind that may pass are told to those only who ask. */
	if (t == NAT_TCP)
		socket_watch_icmp(f.inside_fd);
	rc = send_error(o, &f, t, seq, e);
	if (rc < 0)
		return rc;
	/* A busy machine may be slow. */
	(void)observer_settle(o, process_now_us() + OBSERVE_PATIENCE_US);
	of->icmp_gets_in = observed(
		socket_await(f.inside_fd, POLLERR, process_now_us() + OBSERVE_SILENCE_US) &&
		socket_take_error(f.inside_fd) == (t == NAT_TCP ? -EHOSTUNREACH : -ECONNREFUSED));
	of->survives_icmp = observed(flow_gets_in(&f));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The socket listens to ETH_P_ALL, although it wants IPv4 only: the kernel hands a packet to those
 * listeners before it looks at the protocol. Since Linux 6.15 it serves IP itself before a listener
 * to ETH_P_IP (__netif_receive_skb_core() in net/core/dev.c), and a peer on another core could have
 * its datagram before the tap has.
 *
 * Nothing gets in before the filter is there: the socket is made with protocol 0, which matches
 * nothing, and bound last. A SOCK_DGRAM packet starts at its IP header, for the filter as well.
 */
#include "sim/lab/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/linger.h"
#include "sim/lab/netns.h"

/* Thousands of packets, each of which the kernel counts with 800 bytes of its own. Where natsim is
 * root only in a user namespace it gets what net.core.rmem_max allows, still hundreds. */
#define RECEIVE_BYTES (4 << 20)

/* Fields of RFC 791 (IPv4) and RFC 9293 (TCP), by their offset. */
#define IP_TOTAL_LENGTH  2
#define IP_FRAGMENT      6
#define IP_PROTOCOL      9
#define IP_FROM          12
#define IP_TO            16
#define TCP_DATA_OFFSET  12
#define UDP_HEADER_BYTES 8

#define IP_FRAGMENT_OFFSET 0x1fff /* the bits of IP_FRAGMENT that are one */

/* The longest headers, of IPv4 and TCP, and what is kept of the payload. */
#define SNAP_BYTES (60 + 60 + DELIVERY_PAYLOAD_MAX)

/* Classic BPF: a value of the kernel's about the packet, and jumps to a line of the filter. */
#define ABOUT(field)            ((uint32_t)SKF_AD_OFF + (uint32_t)(field))
#define JUMP(line, op, k, t, f) BPF_JUMP(BPF_JMP | (op), k, (t) - (line)-1, (f) - (line)-1)

/* Lets in what is for this host, but not over lo, of IPv4, no later fragment, UDP or TCP, and has
 * payload: its length by the IP header is greater than that of its headers. */
static int set_filter(int fd)
{
	enum { UDP = 11, TCP = 13, COMPARE = 17, DROP = 22, LINES };
	struct sock_filter lines[LINES] = {
		[0] = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ABOUT(SKF_AD_PKTTYPE)),
		[1] = JUMP(1, BPF_JEQ, PACKET_HOST, 2, DROP),
		[2] = BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ABOUT(SKF_AD_HATYPE)),
		[3] = JUMP(3, BPF_JEQ, ARPHRD_LOOPBACK, DROP, 4),
		[4] = BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ABOUT(SKF_AD_PROTOCOL)),
		[5] = JUMP(5, BPF_JEQ, ETH_P_IP, 6, DROP),
		[6] = BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IP_FRAGMENT),
		[7] = JUMP(7, BPF_JSET, IP_FRAGMENT_OFFSET, DROP, 8),
		[8] = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* X: bytes of the IP header */
		[9] = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP_PROTOCOL),
		[10] = JUMP(10, BPF_JEQ, IPPROTO_UDP, UDP, TCP),
		[UDP] = BPF_STMT(BPF_LD | BPF_IMM, UDP_HEADER_BYTES),
		[12] = BPF_STMT(BPF_JMP | BPF_JA, COMPARE - 12 - 1),
		[TCP] = JUMP(TCP, BPF_JEQ, IPPROTO_TCP, 14, DROP),
		[14] = BPF_STMT(BPF_LD | BPF_B | BPF_IND, TCP_DATA_OFFSET),
		[15] = BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),
		[16] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x3c),
		[COMPARE] = BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		[18] = BPF_STMT(BPF_MISC | BPF_TAX, 0),
		[19] = BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IP_TOTAL_LENGTH),
		[20] = JUMP(20, BPF_JGT | BPF_X, 0, 21, DROP),
		[21] = BPF_STMT(BPF_RET | BPF_K, SNAP_BYTES),
		[DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = LINES, .filter = lines };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int set_options(int fd)
{
	int on = 1, bytes = RECEIVE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return -1;
	return setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

static int open_here(void *arg, struct err *e)
{
	struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	CLEANUP(fd) int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || set_filter(fd) < 0 || set_options(fd) < 0 ||
	    bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return err_set(e, -errno, "open a tap");
	*(int *)arg = steal_fd(&fd);
	return 0;
}

int tap_open(int netns_fd, int *ret_fd, struct err *e)
{
	return netns_run(netns_fd, open_here, ret_fd, e);
}

static void close_slowly(void *arg)
{
	(void)close((int)(intptr_t)arg);
}

void tap_close(int fd)
{
	if (fd >= 0)
		linger(close_slowly, (void *)(intptr_t)fd);
}

static uint32_t read_number(const uint8_t *at, size_t bytes)
{
	uint32_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* What the filter let in, as a struct. Returns false if it is cut off before its payload, which
 * only a malformed packet is. */
static bool parse(const uint8_t *data, size_t len, struct delivery *ret)
{
	if (len < 20)
		return false;
	size_t ip_bytes = (size_t)(data[0] & 15) * 4;
	uint8_t protocol = data[IP_PROTOCOL];
	size_t headers = ip_bytes + UDP_HEADER_BYTES;
	if (protocol == IPPROTO_TCP && len > ip_bytes + TCP_DATA_OFFSET)
		headers = ip_bytes + (size_t)(data[ip_bytes + TCP_DATA_OFFSET] >> 4) * 4;
	size_t total = read_number(data + IP_TOTAL_LENGTH, 2);
	if (len <= headers || total <= headers)
		return false;
	size_t kept = len < total ? len - headers : total - headers;
	kept = kept < DELIVERY_PAYLOAD_MAX ? kept : DELIVERY_PAYLOAD_MAX;
	*ret = (struct delivery){
		.protocol = protocol,
		.from = { read_number(data + IP_FROM, 4),
			  (uint16_t)read_number(data + ip_bytes, 2) },
		.to = { read_number(data + IP_TO, 4),
			(uint16_t)read_number(data + ip_bytes + 2, 2) },
		.payload_bytes = total - headers,
		.len = kept,
	};
	memcpy(ret->payload, data + headers, kept);
	return true;
}

static uint64_t time_stamp_us(struct msghdr *message)
{
	struct timespec stamp = { .tv_sec = 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
	return (uint64_t)stamp.tv_sec * 1000000u + (uint64_t)stamp.tv_nsec / 1000u;
}

bool tap_read(int fd, struct delivery *ret)
{
	_Alignas(struct cmsghdr) char control[256];
	uint8_t data[SNAP_BYTES];

	for (;;) {
		struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
		struct msghdr message = { .msg_iov = &part,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		struct delivery packet;
		ssize_t len = recvmsg(fd, &message, 0);

		if (len < 0 && errno != EINTR)
			return false;
		if (len < 0 || !parse(data, (size_t)len, &packet))
			continue;
		packet.time_us = time_stamp_us(&message);
		*ret = packet;
		return true;
	}
}

unsigned tap_missed(int fd)
{
	struct tpacket_stats stats = { .tp_drops = 0 };
	socklen_t size = sizeof(stats);

	(void)getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
	return stats.tp_drops;
}

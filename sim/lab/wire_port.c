// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/wire_port.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include "lib/cleanup.h"

/* The largest IPv4 packet and its Ethernet header. */
#define FRAME_MAX (ETHER_HDR_LEN + 65535u)

/* A slot is a multiple of the page size, so that small packets touch one page each. */
#define SLOT_BYTES (68u * 1024u)
_Static_assert(sizeof(struct wire_packet) + FRAME_MAX <= SLOT_BYTES, "a slot holds any packet");
_Static_assert(offsetof(struct wire_packet, frame) ==
		       offsetof(struct wire_packet, vnet) + sizeof(struct virtio_net_hdr),
	       "the socket reads and writes both as one");

/* Enough for some milliseconds of small packets while the wire is busy with others. Without
 * privileges net.core.rmem_max (212992 by default) is the limit. */
#define RECEIVE_BUFFER_BYTES (8 * 1024 * 1024)

/* A time stamp older than this is no queueing but a clock that was set. */
#define STAMP_AGE_MAX_NS 1000000000

struct wire_inbox {
	char *slots;
	struct mmsghdr messages[WIRE_BATCH];
	struct iovec iovs[WIRE_BATCH];
	struct wire_packet *packets[WIRE_BATCH];
	unsigned used; /* the first of these were filled by the last read */
	_Alignas(struct cmsghdr) char stamps[WIRE_BATCH][CMSG_SPACE(sizeof(struct timespec))];
};

/* ---- packets */

struct wire_packet *wire_packet_new(size_t frame_bytes)
{
	struct wire_packet *p = malloc(sizeof(*p) + frame_bytes);

	assert(p != NULL);
	*p = (struct wire_packet){ .on_heap = true, .frame_bytes = frame_bytes };
	return p;
}

struct wire_packet *wire_packet_copy(const struct wire_packet *p)
{
	struct wire_packet *copy = malloc(sizeof(*p) + p->frame_bytes);

	assert(copy != NULL);
	memcpy(copy, p, sizeof(*p));
	memcpy(copy->frame, p->frame, p->frame_bytes);
	copy->on_heap = true;
	return copy;
}

void wire_packet_drop(struct wire_packet *p)
{
	if (p->on_heap)
		free(p);
}

void wire_packet_finish(struct wire_packet *p)
{
	if ((p->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return;
	(void)ipv4_finish_checksum(p->frame, ETHER_HDR_LEN + p->ip.total_bytes, p->vnet.csum_start,
				   p->vnet.csum_offset);
	p->vnet = (struct virtio_net_hdr){ 0 };
}

/* ---- the socket */

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int set_options(int fd)
{
	if (set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) < 0 ||
	    set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) < 0 ||
	    set_option(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1) < 0 ||
	    set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) < 0)
		return -errno;
	if (set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0)
		(void)set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
	if (set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, RECEIVE_BUFFER_BYTES) < 0)
		(void)set_option(fd, SOL_SOCKET, SO_SNDBUF, RECEIVE_BUFFER_BYTES);
	return 0;
}

int wire_port_open(const char *ifname, int *ret_fd, struct err *e)
{
	/* Protocol 0 receives nothing until bind() has named the interface. */
	CLEANUP(fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_IP),
		.sll_ifindex = (int)if_nametoindex(ifname),
	};

	if (fd < 0)
		return err_set(e, -errno, "open a packet socket");
	if (addr.sll_ifindex == 0)
		return err_set(e, -errno, "find interface %s", ifname);
	int r = set_options(fd);
	if (r < 0)
		return err_set(e, r, "set up a packet socket");
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, -errno, "listen on interface %s", ifname);
	*ret_fd = steal_fd(&fd);
	return 0;
}

uint64_t wire_port_overruns(int fd)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		return 0;
	return stats.tp_drops;
}

/* ---- reading */

struct wire_inbox *wire_inbox_new(void)
{
	struct wire_inbox *inbox = calloc(1, sizeof(*inbox));

	assert(inbox != NULL);
	inbox->slots = mmap(NULL, (size_t)WIRE_BATCH * SLOT_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(inbox->slots != MAP_FAILED);
	for (unsigned i = 0; i < WIRE_BATCH; i++) {
		void *slot = inbox->slots + (size_t)i * SLOT_BYTES;

		inbox->packets[i] = slot;
	}
	inbox->used = WIRE_BATCH;
	return inbox;
}

void wire_inbox_free(struct wire_inbox *inbox)
{
	if (inbox == NULL)
		return;
	(void)munmap(inbox->slots, (size_t)WIRE_BATCH * SLOT_BYTES);
	free(inbox);
}

static int64_t as_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The same moment on two clocks. The real one is read first: whatever comes between the two makes
 * packets seem younger, and the wire late rather than early. */
struct moment {
	int64_t real_ns, monotonic_ns;
};

static struct moment read_clocks(void)
{
	struct timespec real, monotonic;

	(void)clock_gettime(CLOCK_REALTIME, &real);
	(void)clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return (struct moment){ as_ns(real), as_ns(monotonic) };
}

/* When the kernel took the packet in, CLOCK_MONOTONIC, rounded up. Its stamp is CLOCK_REALTIME. */
static uint64_t stamped_us(struct msghdr *message, const struct moment *now)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct timespec stamp;
	int64_t age_ns = 0;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		age_ns = now->real_ns - as_ns(stamp);
	}
	if (age_ns < 0 || age_ns > STAMP_AGE_MAX_NS)
		age_ns = 0;
	return (uint64_t)(now->monotonic_ns - age_ns + 999) / 1000;
}

static void swap_packets(struct wire_inbox *inbox, unsigned a, unsigned b)
{
	struct wire_packet *p = inbox->packets[a];

	inbox->packets[a] = inbox->packets[b];
	inbox->packets[b] = p;
}

/* Makes what the last read has filled ready for the next. */
static void reset(struct wire_inbox *inbox)
{
	for (unsigned i = 0; i < inbox->used; i++) {
		inbox->iovs[i] = (struct iovec){ &inbox->packets[i]->vnet,
						 sizeof(struct virtio_net_hdr) + FRAME_MAX };
		inbox->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &inbox->iovs[i],
			.msg_iovlen = 1,
			.msg_control = inbox->stamps[i],
			.msg_controllen = sizeof(inbox->stamps[i]),
		};
	}
	inbox->used = 0;
}

unsigned wire_inbox_read(struct wire_inbox *inbox, int fd, unsigned *ret_bad)
{
	reset(inbox);
	int n = recvmmsg(fd, inbox->messages, WIRE_BATCH, MSG_DONTWAIT, NULL);
	/* An error other than an empty queue is a packet that the kernel cannot describe in the
	 * note on offloads; it is gone. */
	*ret_bad = n < 0 && errno != EAGAIN && errno != EINTR;

	struct moment now = read_clocks();
	unsigned good = 0;
	inbox->used = n > 0 ? (unsigned)n : 0;
	for (unsigned i = 0; (int)i < n; i++) {
		struct mmsghdr *m = &inbox->messages[i];
		struct wire_packet *p = inbox->packets[i];

		if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0 ||
		    m->msg_len < sizeof(p->vnet) + ETHER_HDR_LEN) {
			*ret_bad += 1;
			continue;
		}
		p->time_us = stamped_us(&m->msg_hdr, &now);
		p->frame_bytes = m->msg_len - sizeof(p->vnet);
		p->on_heap = false;
		swap_packets(inbox, good++, i);
	}
	return good;
}

struct wire_packet *wire_inbox_packet(struct wire_inbox *inbox, unsigned i)
{
	assert(i < WIRE_BATCH);
	return inbox->packets[i];
}

/* ---- writing */

void wire_port_send(int fd, struct wire_packet *const *packets, unsigned count,
		    bool ret_sent[static WIRE_BATCH])
{
	struct mmsghdr messages[WIRE_BATCH];
	struct iovec iovs[WIRE_BATCH];

	assert(count <= WIRE_BATCH);
	for (unsigned i = 0; i < count; i++) {
		iovs[i] = (struct iovec){ &packets[i]->vnet,
					  sizeof(packets[i]->vnet) + packets[i]->frame_bytes };
		messages[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &iovs[i], .msg_iovlen = 1 } };
	}
	for (unsigned done = 0; done < count;) {
		int n = sendmmsg(fd, messages + done, count - done, 0);

		/* The first of them failed. A full socket does not drain while we wait: a wire
		 * that is behind drops. */
		if (n <= 0)
			ret_sent[done++] = false;
		for (; n > 0; n--)
			ret_sent[done++] = true;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port of the wire: a packet socket on the far end of one outside link, read and written in
 * batches. Packets carry the kernel's note on offloads (PACKET_VNET_HDR): a GSO packet stays one
 * packet, and a checksum that was left to the network card stays unfinished.
 */
#ifndef NATSIM_SIM_LAB_WIRE_PORT_H
#define NATSIM_SIM_LAB_WIRE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include "lib/err.h"
#include "lib/ipv4.h"
#include "sim/model/plan.h"

#define WIRE_BATCH 64u

/* Where a packet is going next. */
enum wire_stage {
	WIRE_TO_MIDDLE, /* on its way up, to be routed */
	WIRE_TO_PORT,   /* on its way down, to be sent */
};

struct wire_packet {
	struct ipv4_header ip; /* as it came in */
	uint64_t time_us;      /* when it gets to its stage's end; CLOCK_MONOTONIC */
	enum wire_stage stage;
	unsigned in, out; /* ports */
	bool on_heap;     /* its own, to be freed; else it is in the inbox, until its next read */
	size_t frame_bytes;
	struct virtio_net_hdr vnet; /* with what follows, as the socket reads and writes it */
	uint8_t frame[];
};

static inline uint8_t *wire_packet_ip(struct wire_packet *p)
{
	return p->frame + ETHER_HDR_LEN;
}

/* A packet on the heap: a new one for a frame of that many bytes, and a copy. */
struct wire_packet *wire_packet_new(size_t frame_bytes);
struct wire_packet *wire_packet_copy(const struct wire_packet *p);
void wire_packet_drop(struct wire_packet *p); /* frees it if it is on the heap */

/* Finishes the checksums of a packet that is to be looked at, not sent. */
void wire_packet_finish(struct wire_packet *p);

/* A packet socket on interface ifname of the calling thread's namespace, non-blocking. It has seen
 * every IPv4 packet that came in since this returned. */
int wire_port_open(const char *ifname, int *ret_fd, struct err *e);

/* Packets the kernel could not queue on the socket since the last call. */
uint64_t wire_port_overruns(int fd);

/* Room for a batch of packets of any size. */
struct wire_inbox;
struct wire_inbox *wire_inbox_new(void);
void wire_inbox_free(struct wire_inbox *inbox);

/* Reads up to WIRE_BATCH packets; each one's time_us is when the kernel took it in. What ip says is
 * not filled in. Returns how many there are; *ret_bad counts those that cannot be passed on. */
unsigned wire_inbox_read(struct wire_inbox *inbox, int fd, unsigned *ret_bad);
struct wire_packet *wire_inbox_packet(struct wire_inbox *inbox, unsigned i);

/* Sends count (at most WIRE_BATCH) packets; ret_sent[i] tells which of them the kernel took. */
void wire_port_send(int fd, struct wire_packet *const *packets, unsigned count,
		    bool ret_sent[static WIRE_BATCH]);

#endif

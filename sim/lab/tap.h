/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tap: the harness's own look at what is delivered into a host. It keeps a packet socket in the
 * host's namespace that gets a copy of every incoming UDP datagram and TCP segment with payload,
 * before the host's programs can: once a peer has received something, the tap has it.
 */
#ifndef NATSIM_SIM_LAB_TAP_H
#define NATSIM_SIM_LAB_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/err.h"

#define TAP_PAYLOAD_MAX 128u

struct tap_packet {
	uint8_t protocol; /* IPPROTO_UDP or IPPROTO_TCP */
	struct endpoint from, to;
	uint64_t time_us;                 /* CLOCK_REALTIME, the kernel's time stamp */
	size_t payload_bytes;             /* of the packet, at least 1 */
	size_t len;                       /* of what follows */
	uint8_t payload[TAP_PAYLOAD_MAX]; /* its start */
};

/* Opens a tap on all interfaces of namespace netns_fd but lo. *ret_fd is a non-blocking socket. */
int tap_open(int netns_fd, int *ret_fd, struct err *e);

/* Returns at once, where close() would take some 10 ms (linger.h). fd -1 is allowed. */
void tap_close(int fd);

/* The next packet that was delivered. Returns false if there is none (any more). */
bool tap_read(int fd, struct tap_packet *ret);

/* How many packets found no room since the last call; tap_read() will not return them. */
unsigned tap_missed(int fd);

#endif

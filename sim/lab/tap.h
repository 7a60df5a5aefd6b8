/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tap: the harness's own look at what is delivered into a host. It keeps a packet socket in the
 * host's namespace that gets a copy of every incoming UDP datagram and TCP segment with payload,
 * before the host's programs can: once a peer has received something, the tap has it.
 */
#ifndef NATSIM_SIM_LAB_TAP_H
#define NATSIM_SIM_LAB_TAP_H

#include <stdbool.h>

#include "lib/err.h"
#include "sim/model/delivery.h"

/* Opens a tap on all interfaces of namespace netns_fd but lo. *ret_fd is a non-blocking socket. */
int tap_open(int netns_fd, int *ret_fd, struct err *e);

/* Returns at once, where close() would take some 10 ms (linger.h). fd -1 is allowed. */
void tap_close(int fd);

/* The next packet that was delivered; its time is the kernel's time stamp (CLOCK_REALTIME). Returns
 * false if there is none (any more). */
bool tap_read(int fd, struct delivery *ret);

/* How many packets found no room since the last call; tap_read() will not return them. */
unsigned tap_missed(int fd);

#endif

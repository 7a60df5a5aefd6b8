/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host of the twin: a machine (peers/core/machine.h) on sockets that behave as those of Linux do,
 * over UDP and TCP. host.c runs the machine, host_socket.c knows its sockets and ports, host_udp.c
 * and host_tcp*.c the protocols.
 *
 * A machine that uses a socket it does not have, or takes a number that is in use, fails an
 * assertion: here that is a defect, where real sockets would only fail.
 */
#ifndef NATSIM_SIM_TWIN_HOST_H
#define NATSIM_SIM_TWIN_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/prng.h"
#include "peers/core/machine.h"
#include "sim/twin/node.h"

#define TWIN_HOST_ADDRS_MAX 8u

struct twin_host_config {
	uint32_t addrs[TWIN_HOST_ADDRS_MAX]; /* the first is that of sockets bound to no address */
	unsigned addrs_count;
	enum twin_side side;
};

struct twin_host;

struct twin_host *twin_host_new(const struct twin_host_config *config);
void twin_host_free(struct twin_host *h); /* NULL is allowed */
struct twin_node *twin_host_node(struct twin_host *h);

/* Forgets every socket, and puts a machine on the host that gets EVENT_START at start_us; NULL:
 * none, a host that only refuses. The seed is of ephemeral ports and sequence numbers. Cheap: what
 * was not used is not touched. */
void twin_host_reset(struct twin_host *h, machine_step_fn *step, void *state, uint64_t start_us,
		     uint64_t seed);

bool twin_host_is_done(const struct twin_host *h);
int twin_host_status(const struct twin_host *h); /* of ACTION_DONE */

/* Called for each datagram and each segment with data that is delivered into the host, before its
 * machine sees it; NULL: nobody looks. Stays over resets. */
void twin_host_watch(struct twin_host *h,
		     void (*look)(void *arg, uint64_t now_us, const struct twin_packet *p),
		     void *arg);

#endif

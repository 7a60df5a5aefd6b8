/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire at work: waits for packets and for the time of those under way. */
#ifndef NATSIM_SIM_LAB_WIRE_LOOP_H
#define NATSIM_SIM_LAB_WIRE_LOOP_H

#include "lib/err.h"
#include "sim/lab/wire_exchange.h"
#include "sim/lab/wire_port.h"

struct wire_loop {
	struct wire_exchange *exchange; /* borrowed; its ports are open */
	struct wire_inbox *inbox;
	int epoll_fd, timer_fd;
	int control_fd; /* borrowed */
	uint64_t armed_us;
};

/* What the wire can be asked: a packet each way of a socket of type SOCK_SEQPACKET. The answer is
 * one byte that means nothing, and comes when it is done. */
enum wire_request_kind {
	WIRE_RESEED,
	WIRE_COUNT, /* bring overruns up to date */
};

struct wire_request {
	enum wire_request_kind kind;
	uint64_t seed;
};

#define WIRE_LOOP_NONE                                           \
	{                                                        \
		.epoll_fd = -1, .timer_fd = -1, .control_fd = -1 \
	}

/* All that can fail is done here. *ret holds WIRE_LOOP_NONE and goes to wire_loop_fini in any case.
 * The loop ends when the other end of control_fd is shut down or gone. */
int wire_loop_init(struct wire_loop *loop, struct wire_exchange *exchange, int control_fd,
		   struct err *e);
void wire_loop_fini(struct wire_loop *loop);

void wire_loop_run(struct wire_loop *loop);

#endif

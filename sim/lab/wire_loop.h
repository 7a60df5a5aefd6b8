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
	int stop_fd; /* borrowed */
	uint64_t armed_us;
};

#define WIRE_LOOP_NONE                                        \
	{                                                     \
		.epoll_fd = -1, .timer_fd = -1, .stop_fd = -1 \
	}

/* All that can fail is done here. *ret holds WIRE_LOOP_NONE and goes to wire_loop_fini in any case.
 * The loop ends when the other end of stop_fd, a stream socket, is shut down or gone. */
int wire_loop_init(struct wire_loop *loop, struct wire_exchange *exchange, int stop_fd,
		   struct err *e);
void wire_loop_fini(struct wire_loop *loop);

void wire_loop_run(struct wire_loop *loop);

#endif

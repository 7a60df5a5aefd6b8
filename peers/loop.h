/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a machine (peers/core/machine.h) over real sockets until it is done. */
#ifndef NATSIM_PEERS_LOOP_H
#define NATSIM_PEERS_LOOP_H

#include <stdint.h>

#include "lib/err.h"
#include "peers/core/machine.h"

/* Returns 0 with the status the machine gave ACTION_DONE, or a negative errno when the loop itself
 * cannot go on (no memory, no descriptors for epoll). What goes wrong with one socket is the
 * machine's to know, through EVENT_CLOSED. All sockets are closed on return. */
int loop_run(machine_step_fn *step, void *state, int *ret_status, struct err *e);

/* Now, in microseconds of the clock that the machine is given (CLOCK_MONOTONIC). */
uint64_t loop_now_us(void);

#endif

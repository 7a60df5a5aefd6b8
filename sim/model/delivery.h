/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet that was delivered into a host, as the harness sees it: a UDP datagram or a TCP segment
 * with payload. The lab's taps (sim/lab/tap.h) and the twin's hosts make them, the verdict
 * (sim/experiment/verdict.h) judges by them.
 */
#ifndef NATSIM_SIM_MODEL_DELIVERY_H
#define NATSIM_SIM_MODEL_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"

#define DELIVERY_PAYLOAD_MAX 128u

struct delivery {
	uint8_t protocol; /* as in the header of IPv4: IPPROTO_UDP or IPPROTO_TCP */
	struct endpoint from, to;
	uint64_t time_us;                      /* of the world's own clock */
	size_t payload_bytes;                  /* of the packet, at least 1 */
	size_t len;                            /* of what follows */
	uint8_t payload[DELIVERY_PAYLOAD_MAX]; /* its start */
};

#endif

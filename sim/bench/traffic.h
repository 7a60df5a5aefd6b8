/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gets from SITE_FROM to SITE_TO, through whatever lies between them. */
#ifndef NATSIM_SIM_BENCH_TRAFFIC_H
#define NATSIM_SIM_BENCH_TRAFFIC_H

#include <stdint.h>

#include "lib/err.h"
#include "sim/bench/sites.h"

#define TRAFFIC_PACKETS "packets of 18 bytes" /* what traffic_packets() sends, in words */

/* Small packets, as many as there is room for in this time. They are of one flow, which has been
 * answered once before: no router on the way takes it for a new one. */
int traffic_packets(const struct sites *sites, uint64_t for_us, double *ret_kpkt_s, struct err *e);

/* One TCP stream. */
int traffic_stream(const struct sites *sites, uint64_t for_us, double *ret_gbit_s, struct err *e);

#endif

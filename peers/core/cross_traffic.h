/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "cross-traffic": a neighbour behind the same router, who opens flows of his own. */
#ifndef NATSIM_PEERS_CORE_CROSS_TRAFFIC_H
#define NATSIM_PEERS_CORE_CROSS_TRAFFIC_H

#include "peers/core/strategy.h"

extern const struct strategy cross_traffic_strategy;

#define CROSS_TRAFFIC_NAME     "cross-traffic"
#define CROSS_TRAFFIC_RATE_MAX 100000u /* flows a second */

#endif

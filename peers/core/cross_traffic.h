/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "cross-traffic": others behind the same router, who open flows of their own. */
#ifndef NATSIM_PEERS_CORE_CROSS_TRAFFIC_H
#define NATSIM_PEERS_CORE_CROSS_TRAFFIC_H

#include "peers/core/strategy.h"

extern const struct strategy cross_traffic_strategy;

#define CROSS_TRAFFIC_NAME     "cross-traffic"
/* Flows a second: for ten seconds each has a source port of its own. */
#define CROSS_TRAFFIC_RATE_MAX 2000u

#endif

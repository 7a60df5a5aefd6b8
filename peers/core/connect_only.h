/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "connect-only": TCP simultaneous open without a listener beside it. */
#ifndef NATSIM_PEERS_CORE_CONNECT_ONLY_H
#define NATSIM_PEERS_CORE_CONNECT_ONLY_H

#include "peers/core/strategy.h"

extern const struct strategy connect_only_strategy;

#endif

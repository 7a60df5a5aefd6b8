/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "relay": all goes through the rendezvous. */
#ifndef NATSIM_PEERS_CORE_RELAY_H
#define NATSIM_PEERS_CORE_RELAY_H

#include "peers/core/strategy.h"

extern const struct strategy relay_strategy;

#endif

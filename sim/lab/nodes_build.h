/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of nodes_build.c is for nodes.c alone. */
#ifndef NATSIM_SIM_LAB_NODES_BUILD_H
#define NATSIM_SIM_LAB_NODES_BUILD_H

#include "sim/lab/nodes.h"

/* Waits until the routers' thread has ended, if there is one, whatever came of it. */
void nodes_build_end(struct nodes *nodes);

#endif

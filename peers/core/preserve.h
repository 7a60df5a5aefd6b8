/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "preserve": punching between ports that the server drew for the two. */
#ifndef NATSIM_PEERS_CORE_PRESERVE_H
#define NATSIM_PEERS_CORE_PRESERVE_H

#include "peers/core/punch.h"

extern const struct strategy preserve_strategy;

/* Over UDP the peers meet on this socket, and COURSE_SOCKET_MAIN is the one on the drawn port. */
#define PRESERVE_SOCKET_MEETING 3u

struct preserve {
	struct punch punch;
	bool open;       /* UDP: COURSE_SOCKET_MAIN is, or soon will be */
	const char *why; /* nothing can come of it, or NULL */
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors as locals: CLEANUP(closefd) int fd = -1; */
#ifndef NATSIM_SIM_LAB_FD_H
#define NATSIM_SIM_LAB_FD_H

#include <unistd.h>

#include "lib/cleanup.h"

static inline void closefd_cleanup(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections a router knows, over ctnetlink. */
#ifndef NATSIM_SIM_LAB_CONNTRACK_H
#define NATSIM_SIM_LAB_CONNTRACK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/err.h"

struct conntrack_entry {
	uint32_t id;
	uint8_t protocol;                           /* IPPROTO_* */
	struct endpoint original_from, original_to; /* as the one who began it sent it */
	struct endpoint reply_from, reply_to;       /* as the answers come */
	uint32_t timeout_s;
};

/* All entries of namespace netns_fd, oldest first, in *ret_entries (heap, the caller frees it). */
int conntrack_list(int netns_fd, struct conntrack_entry **ret_entries, size_t *ret_count,
		   struct err *e);

/* Forgets every entry of namespace netns_fd. */
int conntrack_flush(int netns_fd, struct err *e);

#endif

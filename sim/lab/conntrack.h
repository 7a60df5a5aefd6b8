/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections a router knows, over ctnetlink. IPv4. */
#ifndef NATSIM_SIM_LAB_CONNTRACK_H
#define NATSIM_SIM_LAB_CONNTRACK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/err.h"
#include "sim/lab/netlink.h"

/* For ICMP queries the port is 0 on both sides. */
struct conntrack_entry {
	uint32_t id;
	uint8_t protocol;                           /* IPPROTO_* */
	struct endpoint original_from, original_to; /* as the one who began it sent it */
	struct endpoint reply_from, reply_to;       /* as the answers come */
	uint32_t timeout_s;                         /* until it is forgotten */
};

/* All entries of namespace netns_fd in *ret_entries (heap, the caller frees it), ordered by
 * protocol, original_from and original_to: the kernel tells neither their age nor an order. */
int conntrack_list(int netns_fd, struct conntrack_entry **ret_entries, size_t *ret_count,
		   struct err *e);

/* Forgets every entry. nl is a NETLINK_NETFILTER socket opened in the namespace; nft.h says why it
 * should be one that is kept. */
int conntrack_flush(struct netlink *nl, struct err *e);

#endif

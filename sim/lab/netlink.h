/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation with the kernel over one netlink socket: requests, their acknowledgement, and the
 * kernel's own words when it refuses. rtnl.h, nft.h and conntrack.h stand on it. The socket belongs
 * to the network namespace it was opened in, wherever its user goes later.
 */
#ifndef NATSIM_SIM_LAB_NETLINK_H
#define NATSIM_SIM_LAB_NETLINK_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* Room for any request of ours. */
#define NETLINK_REQUEST_MAX 1024u

struct netlink {
	struct mnl_socket *socket; /* NULL: not open */
	uint32_t seq;
};

/* Opens a socket of protocol bus (NETLINK_*) in the calling thread's namespace. */
int netlink_open(int bus, struct netlink *ret, struct err *e);
void netlink_close(struct netlink *nl); /* a zeroed one is allowed; safe to repeat */
static inline void netlink_cleanup(struct netlink *nl)
{
	netlink_close(nl);
}

/* Starts a request of the given type in buf, with an extra header of that many bytes, zeroed, in
 * *ret_extra. NLM_F_REQUEST is added to flags. */
struct nlmsghdr *netlink_request(void *buf, uint16_t type, uint16_t flags, size_t extra_bytes,
				 void *ret_extra);

/*
 * Sends one request with NLM_F_ACK or NLM_F_DUMP set and reads answers until it is acknowledged or
 * the dump is over; each other message goes to fn (NULL: ignored), which returns MNL_CB_OK, or
 * MNL_CB_ERROR with errno set to give up. On failure e holds only the reason, in the kernel's own
 * words where it has any; the caller puts "what was asked" before it.
 */
int netlink_talk(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t fn, void *arg,
		 struct err *e);

/* The same for len bytes of messages back to back, acks of which have NLM_F_ACK set. Fails at the
 * first that is refused. */
int netlink_talk_batch(struct netlink *nl, void *messages, size_t len, unsigned acks,
		       struct err *e);

#endif

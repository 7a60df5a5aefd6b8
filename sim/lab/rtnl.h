/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses and routes of one network namespace, over rtnetlink. Every function talks about
 * the namespace its socket was opened in, wherever the calling thread is by now. A refusal carries
 * the kernel's own words.
 */
#ifndef NATSIM_SIM_LAB_RTNL_H
#define NATSIM_SIM_LAB_RTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/err.h"
#include "sim/lab/netlink.h"

#define RTNL_NAME_SIZE 16 /* IFNAMSIZ */

struct rtnl_veth {
	const char *ifname, *peer_ifname;
	int netns_fd, peer_netns_fd; /* where the two ends go */
	uint8_t mac[6], peer_mac[6];
};

/* NETLINK_ROUTE in the calling thread's namespace; netlink_close() ends it. */
int rtnl_open(struct netlink *ret, struct err *e);

/* Both ends are made in their places by one request, and are down. */
int rtnl_veth_new(struct netlink *nl, const struct rtnl_veth *veth, struct err *e);

/* Without spanning tree, so its ports forward from the start. It is down. */
int rtnl_bridge_new(struct netlink *nl, const char *ifname, struct err *e);
int rtnl_enslave(struct netlink *nl, const char *ifname, const char *bridge, struct err *e);

int rtnl_link_up(struct netlink *nl, const char *ifname, struct err *e);

/* Whether a link that was set up carries packets yet. The kernel's link watch does that in its own
 * time: until then a packet into the link, or out of a bridge's port, is lost. Asking makes newer
 * kernels do it at once. */
int rtnl_link_carries(struct netlink *nl, const char *ifname, bool *ret, struct err *e);
int rtnl_address_add(struct netlink *nl, const char *ifname, struct prefix address, struct err *e);

/* To the network of destination (length 0: everything) via a gateway on a network of ours. */
int rtnl_route_add(struct netlink *nl, struct prefix destination, uint32_t gateway, struct err *e);

/* What there is. Each list is on the heap, the caller's to free(), in the kernel's order. */

struct rtnl_link {
	int index, master; /* 0: none */
	char name[RTNL_NAME_SIZE];
	char kind[RTNL_NAME_SIZE]; /* "veth", "bridge"; empty for lo */
	uint8_t mac[6];
	uint32_t mtu_bytes;
	bool up;
};
int rtnl_links(struct netlink *nl, struct rtnl_link **ret, size_t *ret_count, struct err *e);

struct rtnl_address {
	int index; /* of its link */
	struct prefix prefix;
};
int rtnl_addresses(struct netlink *nl, struct rtnl_address **ret, size_t *ret_count, struct err *e);

/* IPv4, main table. */
struct rtnl_route {
	struct prefix prefix;
	uint32_t gateway; /* 0: on the link itself */
	int index;        /* of the link it leaves by */
};
int rtnl_routes(struct netlink *nl, struct rtnl_route **ret, size_t *ret_count, struct err *e);

#endif

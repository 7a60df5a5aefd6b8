// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each change is one request with an acknowledgement. They are not sent in batches: the kernel's
 * work behind a request is a hundred times dearer than the system calls around it.
 */
#include "sim/lab/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#define CREATE (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

/* A request on the stack. */
struct request {
	_Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_MAX];
};

int rtnl_open(struct netlink *ret, struct err *e)
{
	return netlink_open(NETLINK_ROUTE, ret, e);
}

/* The kernel refuses longer names, but a cut one could be another interface's. */
static int check_name(const char *ifname, struct err *e)
{
	size_t len = strlen(ifname);

	if (len == 0 || len >= RTNL_NAME_SIZE)
		return err_set_plain(e, -EINVAL,
				     "'%s' is no interface name: it takes 1 to %u characters",
				     ifname, RTNL_NAME_SIZE - 1);
	return 0;
}

static int take_link_index(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);

	*(int *)arg = info->ifi_index;
	return MNL_CB_OK;
}

static int find_link(struct netlink *nl, const char *ifname, int *ret_index, struct err *e)
{
	struct request request;
	struct ifinfomsg *info = NULL;
	int index = 0;

	int rc = check_name(ifname, e);
	if (rc < 0)
		return rc;
	struct nlmsghdr *nlh =
		netlink_request(&request, RTM_GETLINK, NLM_F_ACK, sizeof(*info), &info);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rc = netlink_talk(nl, nlh, take_link_index, &index, e);
	if (rc < 0)
		return rc;
	*ret_index = index;
	return 0;
}

/* Unless told how many queues there are to be, the driver makes one for each processor and then
 * takes all but one away, which waits for an RCU grace period (veth_init_queues() in
 * drivers/net/veth.c). */
static void put_veth_end(struct nlmsghdr *nlh, const char *ifname, const uint8_t mac[6],
			 int netns_fd)
{
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, 1);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
}

/* IFF_UP is left out on purpose: with it the request fails after 19 ms, since one end cannot come
 * up before the other exists. */
static int veth_new(struct netlink *nl, const struct rtnl_veth *veth, struct err *e)
{
	struct request request;
	struct ifinfomsg *info = NULL;

	int rc = check_name(veth->ifname, e);
	if (rc == 0)
		rc = check_name(veth->peer_ifname, e);
	if (rc < 0)
		return rc;
	struct nlmsghdr *nlh = netlink_request(&request, RTM_NEWLINK, CREATE, sizeof(*info), &info);
	put_veth_end(nlh, veth->ifname, veth->mac, veth->netns_fd);
	struct nlattr *linkinfo = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	put_veth_end(nlh, veth->peer_ifname, veth->peer_mac, veth->peer_netns_fd);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, linkinfo);
	return netlink_talk(nl, nlh, NULL, NULL, e);
}

int rtnl_veth_new(struct netlink *nl, const struct rtnl_veth *veth, struct err *e)
{
	int rc = veth_new(nl, veth, e);

	if (rc == -EOPNOTSUPP)
		err_prefix(e, "this kernel has no veth (modprobe veth, or CONFIG_VETH)");
	if (rc < 0)
		err_prefix(e, "make veth %s and %s", veth->ifname, veth->peer_ifname);
	return rc;
}

static int bridge_new(struct netlink *nl, const char *ifname, struct err *e)
{
	struct request request;
	struct ifinfomsg *info = NULL;

	int rc = check_name(ifname, e);
	if (rc < 0)
		return rc;
	struct nlmsghdr *nlh = netlink_request(&request, RTM_NEWLINK, CREATE, sizeof(*info), &info);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	struct nlattr *linkinfo = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_BR_STP_STATE, 0);
	/* Multicast snooping only costs: its querier and timers find nothing to do here. */
	mnl_attr_put_u8(nlh, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, linkinfo);
	return netlink_talk(nl, nlh, NULL, NULL, e);
}

int rtnl_bridge_new(struct netlink *nl, const char *ifname, struct err *e)
{
	int rc = bridge_new(nl, ifname, e);

	if (rc == -EOPNOTSUPP)
		err_prefix(e, "this kernel has no bridge (modprobe bridge, or CONFIG_BRIDGE)");
	if (rc < 0)
		err_prefix(e, "make bridge %s", ifname);
	return rc;
}

static int enslave(struct netlink *nl, const char *ifname, const char *bridge, struct err *e)
{
	struct request request;
	struct ifinfomsg *info = NULL;
	int master = 0;

	int rc = check_name(ifname, e);
	if (rc == 0)
		rc = find_link(nl, bridge, &master, e);
	if (rc < 0)
		return rc;
	struct nlmsghdr *nlh =
		netlink_request(&request, RTM_SETLINK, NLM_F_ACK, sizeof(*info), &info);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)master);
	return netlink_talk(nl, nlh, NULL, NULL, e);
}

int rtnl_enslave(struct netlink *nl, const char *ifname, const char *bridge, struct err *e)
{
	int rc = enslave(nl, ifname, bridge, e);

	if (rc < 0)
		err_prefix(e, "make %s a port of bridge %s", ifname, bridge);
	return rc;
}

static int link_up(struct netlink *nl, const char *ifname, struct err *e)
{
	struct request request;
	struct ifinfomsg *info = NULL;

	int rc = check_name(ifname, e);
	if (rc < 0)
		return rc;
	struct nlmsghdr *nlh =
		netlink_request(&request, RTM_SETLINK, NLM_F_ACK, sizeof(*info), &info);
	info->ifi_flags = info->ifi_change = IFF_UP;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	return netlink_talk(nl, nlh, NULL, NULL, e);
}

int rtnl_link_up(struct netlink *nl, const char *ifname, struct err *e)
{
	int rc = link_up(nl, ifname, e);

	if (rc < 0)
		err_prefix(e, "set %s up", ifname);
	return rc;
}

static int take_operstate(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == IFLA_OPERSTATE)
		*(bool *)arg = mnl_attr_get_u8(attr) == IF_OPER_UP;
	return MNL_CB_OK;
}

static int take_carries(const struct nlmsghdr *nlh, void *arg)
{
	return mnl_attr_parse(nlh, sizeof(struct ifinfomsg), take_operstate, arg);
}

int rtnl_link_carries(struct netlink *nl, const char *ifname, bool *ret, struct err *e)
{
	struct request request;
	struct ifinfomsg *info = NULL;
	bool carries = false;
	struct nlmsghdr *nlh =
		netlink_request(&request, RTM_GETLINK, NLM_F_ACK, sizeof(*info), &info);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int rc = netlink_talk(nl, nlh, take_carries, &carries, e);
	if (rc < 0)
		err_prefix(e, "look at %s", ifname);
	else
		*ret = carries;
	return rc;
}

/* The last address of a network of more than two. */
static uint32_t broadcast(struct prefix p)
{
	return p.length > 30 ? 0 : p.addr | ~prefix_mask(p);
}

static int address_add(struct netlink *nl, const char *ifname, struct prefix address, struct err *e)
{
	struct request request;
	struct ifaddrmsg *info = NULL;
	int index = 0;

	int rc = find_link(nl, ifname, &index, e);
	if (rc < 0)
		return rc;
	struct nlmsghdr *nlh = netlink_request(&request, RTM_NEWADDR, CREATE, sizeof(*info), &info);
	info->ifa_family = AF_INET;
	info->ifa_prefixlen = address.length;
	info->ifa_index = (uint32_t)index;
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(address.addr));
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(address.addr));
	if (broadcast(address) != 0)
		mnl_attr_put_u32(nlh, IFA_BROADCAST, htonl(broadcast(address)));
	return netlink_talk(nl, nlh, NULL, NULL, e);
}

int rtnl_address_add(struct netlink *nl, const char *ifname, struct prefix address, struct err *e)
{
	char text[PREFIX_TEXT_SIZE];
	int rc = address_add(nl, ifname, address, e);

	if (rc < 0)
		err_prefix(e, "give %s the address %s", ifname, prefix_format(address, text));
	return rc;
}

int rtnl_route_add(struct netlink *nl, struct prefix destination, uint32_t gateway, struct err *e)
{
	struct prefix to = prefix_network(destination);
	char to_text[PREFIX_TEXT_SIZE], gateway_text[ADDR_TEXT_SIZE];
	struct request request;
	struct rtmsg *info = NULL;

	struct nlmsghdr *nlh =
		netlink_request(&request, RTM_NEWROUTE, CREATE, sizeof(*info), &info);
	info->rtm_family = AF_INET;
	info->rtm_dst_len = to.length;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_BOOT; /* as `ip route add` has it */
	info->rtm_scope = RT_SCOPE_UNIVERSE;
	info->rtm_type = RTN_UNICAST;
	if (to.length > 0)
		mnl_attr_put_u32(nlh, RTA_DST, htonl(to.addr));
	mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(gateway));
	int rc = netlink_talk(nl, nlh, NULL, NULL, e);
	if (rc < 0)
		err_prefix(e, "route %s via %s", prefix_format(to, to_text),
			   addr_format(gateway, gateway_text));
	return rc;
}

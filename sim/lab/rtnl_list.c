// SPDX-License-Identifier: GPL-2.0-or-later
/* What rtnl.h lists: three dumps of one shape, each message an item at the end of an array. */
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "sim/lab/rtnl.h"

/* Text of an attribute, cut to its room. */
static void copy_text(char to[RTNL_NAME_SIZE], const struct nlattr *attr)
{
	(void)snprintf(to, RTNL_NAME_SIZE, "%.*s", (int)mnl_attr_get_payload_len(attr),
		       mnl_attr_get_str(attr));
}

static int link_kind(const struct nlattr *attr, void *arg)
{
	struct rtnl_link *link = arg;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_text(link->kind, attr);
	return MNL_CB_OK;
}

static int link_attr(const struct nlattr *attr, void *arg)
{
	struct rtnl_link *link = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_text(link->name, attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_MTU:
		link->mtu_bytes = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		link->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, link_kind, link);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int add_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	struct rtnl_link link = { .index = info->ifi_index, .up = info->ifi_flags & IFF_UP };

	(void)mnl_attr_parse(nlh, sizeof(*info), link_attr, &link);
	buf_add(arg, &link, sizeof(link));
	return MNL_CB_OK;
}

static int address_attr(const struct nlattr *attr, void *arg)
{
	struct rtnl_address *address = arg;

	if (mnl_attr_get_type(attr) == IFA_LOCAL)
		address->prefix.addr = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

static int add_address(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(nlh);
	struct rtnl_address address = { .index = (int)info->ifa_index,
					.prefix.length = info->ifa_prefixlen };

	(void)mnl_attr_parse(nlh, sizeof(*info), address_attr, &address);
	buf_add(arg, &address, sizeof(address));
	return MNL_CB_OK;
}

static int route_attr(const struct nlattr *attr, void *arg)
{
	struct rtnl_route *route = arg;

	if (mnl_attr_get_type(attr) == RTA_DST)
		route->prefix.addr = ntohl(mnl_attr_get_u32(attr));
	else if (mnl_attr_get_type(attr) == RTA_GATEWAY)
		route->gateway = ntohl(mnl_attr_get_u32(attr));
	else if (mnl_attr_get_type(attr) == RTA_OIF)
		route->index = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int add_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(nlh);
	struct rtnl_route route = { .prefix.length = info->rtm_dst_len };

	if (info->rtm_table != RT_TABLE_MAIN)
		return MNL_CB_OK;
	(void)mnl_attr_parse(nlh, sizeof(*info), route_attr, &route);
	buf_add(arg, &route, sizeof(route));
	return MNL_CB_OK;
}

/* Hands out the items collected, or frees them. */
static int finish(int rc, struct buf *items, const char *what, size_t item_bytes, void *ret,
		  size_t *ret_count, struct err *e)
{
	if (rc < 0) {
		err_prefix(e, "list %s", what);
		buf_fini(items);
		return rc;
	}
	*ret_count = items->len / item_bytes;
	*(void **)ret = buf_steal(items);
	return 0;
}

int rtnl_links(struct netlink *nl, struct rtnl_link **ret, size_t *ret_count, struct err *e)
{
	_Alignas(struct nlmsghdr) char request[NETLINK_REQUEST_MAX];
	struct ifinfomsg *info = NULL;
	struct buf items = BUF_INIT;

	struct nlmsghdr *nlh =
		netlink_request(request, RTM_GETLINK, NLM_F_DUMP, sizeof(*info), &info);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int rc = netlink_talk(nl, nlh, add_link, &items, e);
	return finish(rc, &items, "links", sizeof(struct rtnl_link), ret, ret_count, e);
}

int rtnl_addresses(struct netlink *nl, struct rtnl_address **ret, size_t *ret_count, struct err *e)
{
	_Alignas(struct nlmsghdr) char request[NETLINK_REQUEST_MAX];
	struct ifaddrmsg *info = NULL;
	struct buf items = BUF_INIT;

	struct nlmsghdr *nlh =
		netlink_request(request, RTM_GETADDR, NLM_F_DUMP, sizeof(*info), &info);
	info->ifa_family = AF_INET;
	int rc = netlink_talk(nl, nlh, add_address, &items, e);
	return finish(rc, &items, "addresses", sizeof(struct rtnl_address), ret, ret_count, e);
}

int rtnl_routes(struct netlink *nl, struct rtnl_route **ret, size_t *ret_count, struct err *e)
{
	_Alignas(struct nlmsghdr) char request[NETLINK_REQUEST_MAX];
	struct rtmsg *info = NULL;
	struct buf items = BUF_INIT;

	struct nlmsghdr *nlh =
		netlink_request(request, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info), &info);
	info->rtm_family = AF_INET;
	int rc = netlink_talk(nl, nlh, add_route, &items, e);
	return finish(rc, &items, "routes", sizeof(struct rtnl_route), ret, ret_count, e);
}

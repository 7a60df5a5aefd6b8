// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/lab/netns.h"

#define CT(message) (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | (message))

/* One direction of an entry. */
struct tuple {
	struct endpoint from, to;
	uint8_t protocol;
};

static struct nlmsghdr *start(void *buf, uint16_t type, uint16_t flags)
{
	struct nfgenmsg *info = NULL;
	struct nlmsghdr *nlh = netlink_request(buf, type, flags, sizeof(*info), &info);

	info->nfgen_family = AF_INET;
	info->version = NFNETLINK_V0;
	return nlh;
}

static int addr_attr(const struct nlattr *attr, void *arg)
{
	struct tuple *tuple = arg;

	if (mnl_attr_get_type(attr) == CTA_IP_V4_SRC)
		tuple->from.addr = ntohl(mnl_attr_get_u32(attr));
	else if (mnl_attr_get_type(attr) == CTA_IP_V4_DST)
		tuple->to.addr = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

static int proto_attr(const struct nlattr *attr, void *arg)
{
	struct tuple *tuple = arg;

	if (mnl_attr_get_type(attr) == CTA_PROTO_NUM)
		tuple->protocol = mnl_attr_get_u8(attr);
	else if (mnl_attr_get_type(attr) == CTA_PROTO_SRC_PORT)
		tuple->from.port = ntohs(mnl_attr_get_u16(attr));
	else if (mnl_attr_get_type(attr) == CTA_PROTO_DST_PORT)
		tuple->to.port = ntohs(mnl_attr_get_u16(attr));
	return MNL_CB_OK;
}

static int tuple_attr(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
		return mnl_attr_parse_nested(attr, addr_attr, arg);
	if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
		return mnl_attr_parse_nested(attr, proto_attr, arg);
	return MNL_CB_OK;
}

static int entry_attr(const struct nlattr *attr, void *arg)
{
	struct conntrack_entry *entry = arg;
	struct tuple tuple = { .protocol = 0 };

	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_ORIG:
		(void)mnl_attr_parse_nested(attr, tuple_attr, &tuple);
		entry->protocol = tuple.protocol;
		entry->original_from = tuple.from;
		entry->original_to = tuple.to;
		break;
	case CTA_TUPLE_REPLY:
		(void)mnl_attr_parse_nested(attr, tuple_attr, &tuple);
		entry->reply_from = tuple.from;
		entry->reply_to = tuple.to;
		break;
	case CTA_ID:
		entry->id = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_TIMEOUT:
		entry->timeout_s = ntohl(mnl_attr_get_u32(attr));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int add_entry(const struct nlmsghdr *nlh, void *arg)
{
	struct conntrack_entry entry = { .id = 0 };

	(void)mnl_attr_parse(nlh, sizeof(struct nfgenmsg), entry_attr, &entry);
	buf_add(arg, &entry, sizeof(entry));
	return MNL_CB_OK;
}

static int compare_endpoints(struct endpoint a, struct endpoint b)
{
	if (a.addr != b.addr)
		return a.addr < b.addr ? -1 : 1;
	return a.port - b.port;
}

static int compare_entries(const void *left, const void *right)
{
	const struct conntrack_entry *a = left, *b = right;
	int order = a->protocol - b->protocol;

	if (order == 0)
		order = compare_endpoints(a->original_from, b->original_from);
	if (order == 0)
		order = compare_endpoints(a->original_to, b->original_to);
	return order;
}

static int dump(void *arg, struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	_Alignas(struct nlmsghdr) char buf[NETLINK_REQUEST_MAX];

	int rc = netlink_open(NETLINK_NETFILTER, &nl, e);
	if (rc < 0)
		return rc;
	rc = netlink_talk(&nl, start(buf, CT(IPCTNL_MSG_CT_GET), NLM_F_DUMP), add_entry, arg, e);
	if (rc < 0)
		err_prefix(e, "list the connections of a router");
	return rc;
}

int conntrack_list(int netns_fd, struct conntrack_entry **ret_entries, size_t *ret_count,
		   struct err *e)
{
	CLEANUP(buf) struct buf entries = BUF_INIT;

	int rc = netns_run(netns_fd, dump, &entries, e);
	if (rc < 0)
		return rc;
	size_t count = entries.len / sizeof(struct conntrack_entry);
	if (count > 0)
		qsort(entries.data, count, sizeof(struct conntrack_entry), compare_entries);
	*ret_count = count;
	*ret_entries = (void *)buf_steal(&entries);
	return 0;
}

int conntrack_flush(struct netlink *nl, struct err *e)
{
	_Alignas(struct nlmsghdr) char buf[NETLINK_REQUEST_MAX];

	int rc = netlink_talk(nl, start(buf, CT(IPCTNL_MSG_CT_DELETE), NLM_F_ACK), NULL, NULL, e);
	if (rc < 0)
		err_prefix(e, "forget the connections of a router");
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnetlink sockets reach their namespace from anywhere, so only two operations need the thread to
 * be in a node: making it, and sysctls. It goes from node to node as they come and home at the end.
 */
#include "sim/lab/nodes.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/conntrack.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "sim/lab/process.h"
#include "sim/lab/rtnl.h"
#include "sim/lab/rulesets.h"

/* How often to look whether a link carries packets yet, where the kernel does not say so itself,
 * and how long in all: its link watch may hold back for a second (net/core/link_watch.c). */
#define LINK_POLL_US     200u
#define LINK_DEADLINE_US 5000000u

/* A walk through the plan, and where the thread is on it. */
struct walk {
	struct nodes *nodes;
	const struct node *at; /* NULL: where it came from */
};

void nodes_init(struct nodes *nodes, const struct plan *plan)
{
	*nodes = (struct nodes){ .plan = plan,
				 .items = calloc(plan->nodes_count, sizeof(struct node)) };
	assert(nodes->items != NULL || plan->nodes_count == 0);
	for (size_t i = 0; i < plan->nodes_count; i++)
		nodes->items[i].netns_fd = -1;
}

void nodes_fini(struct nodes *nodes)
{
	rulesets_free(nodes->rulesets);
	nodes->rulesets = NULL;
	for (size_t i = 0; nodes->items != NULL && i < nodes->plan->nodes_count; i++) {
		netlink_close(&nodes->items[i].route);
		netlink_close(&nodes->items[i].netfilter);
		fd_cleanup(&nodes->items[i].netns_fd);
	}
	free(nodes->items);
	nodes->items = NULL;
}

static struct node *get(struct nodes *nodes, unsigned index)
{
	assert(index < nodes->plan->nodes_count);
	return &nodes->items[index];
}

/* The same for a node that has been made. */
static struct node *get_made(struct nodes *nodes, unsigned index)
{
	struct node *node = get(nodes, index);

	assert(node->route.socket != NULL);
	return node;
}

static int make_node(struct walk *walk, unsigned index, struct err *e)
{
	struct node *node = get(walk->nodes, index);

	assert(node->netns_fd < 0);
	walk->at = node; /* also if this fails half-way: no longer at home */
	int rc = netns_unshare(&node->netns_fd, e);
	if (rc == 0)
		rc = rtnl_open(&node->route, e);
	if (rc == 0 && walk->nodes->plan->nodes[index].kind == PLAN_NODE_ROUTER)
		rc = netlink_open(NETLINK_NETFILTER, &node->netfilter, e);
	if (rc == 0)
		rc = rtnl_link_up(&node->route, "lo", e);
	return rc;
}

static int set_sysctl(struct walk *walk, const struct plan_op *op, struct err *e)
{
	const struct node *node = get_made(walk->nodes, op->node);

	int rc = walk->at == node ? 0 : netns_enter(node->netns_fd, e);
	if (rc < 0)
		return rc;
	walk->at = node;
	return netns_sysctl(op->key, op->value, e);
}

static int make_veth(struct walk *walk, const struct plan_op *op, struct err *e)
{
	struct node *node = get_made(walk->nodes, op->node);
	struct rtnl_veth veth = {
		.ifname = op->ifname,
		.peer_ifname = op->peer_ifname,
		.netns_fd = node->netns_fd,
		.peer_netns_fd = get_made(walk->nodes, op->peer_node)->netns_fd,
	};

	memcpy(veth.mac, op->mac, sizeof(veth.mac));
	memcpy(veth.peer_mac, op->peer_mac, sizeof(veth.peer_mac));
	return rtnl_veth_new(&node->route, &veth, e);
}

static int carry_out(struct walk *walk, const struct plan_op *op, struct err *e)
{
	switch (op->kind) {
	case PLAN_NODE:
		return make_node(walk, op->node, e);
	case PLAN_SYSCTL:
		return set_sysctl(walk, op, e);
	case PLAN_VETH:
		return make_veth(walk, op, e);
	case PLAN_BRIDGE:
		return rtnl_bridge_new(&get_made(walk->nodes, op->node)->route, op->ifname, e);
	case PLAN_ENSLAVE:
		return rtnl_enslave(&get_made(walk->nodes, op->node)->route, op->ifname,
				    op->peer_ifname, e);
	case PLAN_ADDRESS:
		return rtnl_address_add(&get_made(walk->nodes, op->node)->route, op->ifname,
					op->prefix, e);
	case PLAN_UP:
		return rtnl_link_up(&get_made(walk->nodes, op->node)->route, op->ifname, e);
	case PLAN_ROUTE:
		return rtnl_route_add(&get_made(walk->nodes, op->node)->route, op->prefix,
				      op->gateway, e);
	case PLAN_RULESET:
		return 0;
	}
	return err_set_plain(e, -EINVAL, "operation %u is unknown", (unsigned)op->kind);
}

static bool has_ruleset(const struct plan *plan, size_t node)
{
	for (size_t i = 0; i < plan->ops_count; i++)
		if (plan->ops[i].kind == PLAN_RULESET && plan->ops[i].node == node)
			return true;
	return false;
}

/* As soon as every node that is to have one has been made. */
static void start_rulesets(struct nodes *nodes)
{
	size_t count = nodes->plan->nodes_count;
	CLEANUP(free) int *fds = calloc(count + 1, sizeof(*fds));

	assert(fds != NULL);
	for (size_t i = 0; i < count; i++) {
		fds[i] = nodes->items[i].netns_fd;
		if (fds[i] < 0 && has_ruleset(nodes->plan, i))
			return;
	}
	nodes->rulesets = rulesets_start(nodes->plan, fds);
}

int nodes_build(struct nodes *nodes, struct err *e)
{
	CLEANUP(fd) int home = -1;
	struct walk walk = { .nodes = nodes };

	int rc = netns_self(&home, e);
	for (size_t i = 0; rc == 0 && i < nodes->plan->ops_count; i++) {
		const struct plan_op *op = &nodes->plan->ops[i];

		rc = carry_out(&walk, op, e);
		if (rc < 0)
			err_prefix(e, "node %s", nodes->plan->nodes[op->node].name);
		else if (op->kind == PLAN_NODE && nodes->rulesets == NULL)
			start_rulesets(nodes);
	}
	if (walk.at != NULL)
		netns_return(home);
	return rc;
}

/* How many of the links that were set up do not carry packets yet, and one of them. */
static int count_waiting(struct nodes *nodes, size_t *ret_count, const struct plan_op **ret_op,
			 struct err *e)
{
	size_t count = 0;

	for (size_t i = 0; i < nodes->plan->ops_count; i++) {
		const struct plan_op *op = &nodes->plan->ops[i];
		bool carries = true;

		if (op->kind != PLAN_UP)
			continue;
		int rc = rtnl_link_carries(&get_made(nodes, op->node)->route, op->ifname, &carries,
					   e);
		if (rc < 0)
			return rc;
		if (!carries) {
			count++;
			*ret_op = op;
		}
	}
	*ret_count = count;
	return 0;
}

/* On kernels whose RTM_GETLINK makes the link watch catch up (Linux 6.9) one round or two are
 * enough: a bridge comes after its ports. */
int nodes_await_links(struct nodes *nodes, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LINK_POLL_US * 1000 };
	uint64_t deadline_us = process_now_us() + LINK_DEADLINE_US;
	const struct plan_op *op = NULL;
	size_t waiting = 0;

	for (;;) {
		int rc = count_waiting(nodes, &waiting, &op, e);
		if (rc < 0 || waiting == 0)
			return rc;
		if (process_now_us() > deadline_us)
			return err_set_plain(e, -ETIMEDOUT, "%s in node %s stays down", op->ifname,
					     nodes->plan->nodes[op->node].name);
		(void)nanosleep(&pause, NULL);
	}
}

int nodes_await_rulesets(struct nodes *nodes, struct err *e)
{
	return rulesets_await(nodes->rulesets, e);
}

/* A router that only routes need not have the table. */
static int flush_router(struct node *node, struct err *e)
{
	struct err reason = { .kind = ERR_NONE };

	int rc = nft_flush_dynamic(&node->netfilter, RULESET_TABLE, &reason);
	if (rc < 0 && rc != -ENOENT)
		return err_set_plain(e, rc, "%s", reason.text);
	return conntrack_flush(&node->netfilter, e);
}

int nodes_flush(struct nodes *nodes, struct err *e)
{
	for (size_t i = 0; i < nodes->plan->nodes_count; i++) {
		if (nodes->items[i].netfilter.socket == NULL)
			continue;
		int rc = flush_router(&nodes->items[i], e);
		if (rc < 0) {
			err_prefix(e, "node %s", nodes->plan->nodes[i].name);
			return rc;
		}
	}
	return 0;
}

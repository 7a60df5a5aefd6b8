// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To read the rulesets takes libnftables about as long as the kernel takes for all namespaces and
 * links, and a namespace is nobody's business but its maker's until a link leads into it. So the
 * routers' own operations, which are the long ones, are a builder's with a thread of its own, and
 * all others the caller's. Each keeps to the order of the plan; and before the caller touches a
 * router, it waits until the other has passed that place in the plan.
 *
 * rtnetlink sockets reach their namespace from anywhere, so only two operations need the thread to
 * be in a node: making it, and sysctls. It goes from node to node as they come.
 */
#include "sim/lab/nodes_build.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "sim/lab/rtnl.h"
#include "sim/lab/thread.h"

/* How far a builder has come, for the others to see. */
struct progress {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t at;   /* the operation it is at */
	bool failed; /* there, and went no further */
};

/* A walk through the plan. */
struct nodes_builder {
	struct nodes *nodes;
	bool (*is_mine)(const struct plan *plan, const struct plan_op *op);
	const struct node *at; /* where its thread is; NULL: where it came from */
	struct progress progress;
	pthread_t thread; /* if is_running */
	bool is_running;
	int result; /* these two are the thread's as long as it runs */
	struct err reason;
};

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

static int make_node(struct nodes_builder *b, unsigned index, struct err *e)
{
	struct node *node = get(b->nodes, index);

	assert(node->netns_fd < 0);
	b->at = node; /* also if this fails half-way: no longer at home */
	int rc = netns_unshare(&node->netns_fd, e);
	if (rc == 0)
		rc = rtnl_open(&node->route, e);
	if (rc == 0 && b->nodes->plan->nodes[index].kind == PLAN_NODE_ROUTER)
		rc = netlink_open(NETLINK_NETFILTER, &node->netfilter, e);
	if (rc == 0)
		rc = rtnl_link_up(&node->route, "lo", e);
	return rc;
}

static int set_sysctl(struct nodes_builder *b, const struct plan_op *op, struct err *e)
{
	const struct node *node = get_made(b->nodes, op->node);

	int rc = b->at == node ? 0 : netns_enter(node->netns_fd, e);
	if (rc < 0)
		return rc;
	b->at = node;
	struct err reason;
	rc = netns_sysctl(op->key, op->value, &reason);
	if (rc == -ENOENT && op->if_there)
		return 0;
	if (rc < 0 && e != NULL)
		*e = reason;
	return rc;
}

static int make_veth(struct nodes_builder *b, const struct plan_op *op, struct err *e)
{
	struct node *node = get_made(b->nodes, op->node);
	struct rtnl_veth veth = {
		.ifname = op->ifname,
		.peer_ifname = op->peer_ifname,
		.netns_fd = node->netns_fd,
		.peer_netns_fd = get_made(b->nodes, op->peer_node)->netns_fd,
	};

	memcpy(veth.mac, op->mac, sizeof(veth.mac));
	memcpy(veth.peer_mac, op->peer_mac, sizeof(veth.peer_mac));
	return rtnl_veth_new(&node->route, &veth, e);
}

/* What is wrong in a model's own ruleset is told as of that file. The column is left out where
 * names were filled in. */
static int blame_own_ruleset(const struct nat_model *m, const struct nft_mistake *mistake, int rc,
			     struct err *e)
{
	bool is_own = m != NULL && m->ruleset_path != NULL; /* a plan of a test has no models */

	if (!is_own || mistake->line == 0)
		return rc;

	struct ruleset_place place = ruleset_own_place(m, mistake->line);

	if (place.line == 0)
		return rc;
	return err_set_input_at(e, m->ruleset_path, place.line,
				place.as_written ? mistake->column : 0, "%s", mistake->what);
}

static int load_ruleset(struct nodes_builder *b, const struct plan_op *op, struct err *e)
{
	struct node *node = get_made(b->nodes, op->node);
	struct nft_mistake mistake;

	assert(node->ruleset == NULL);
	int rc = nft_load_holding(node->netns_fd, op->text, &node->ruleset, &mistake, e);

	return rc == 0 ? 0
		       : blame_own_ruleset(b->nodes->plan->nodes[op->node].model, &mistake, rc, e);
}

static int carry_out(struct nodes_builder *b, const struct plan_op *op, struct err *e)
{
	switch (op->kind) {
	case PLAN_NODE:
		return make_node(b, op->node, e);
	case PLAN_SYSCTL:
		return set_sysctl(b, op, e);
	case PLAN_VETH:
		return make_veth(b, op, e);
	case PLAN_BRIDGE:
		return rtnl_bridge_new(&get_made(b->nodes, op->node)->route, op->ifname, e);
	case PLAN_ENSLAVE:
		return rtnl_enslave(&get_made(b->nodes, op->node)->route, op->ifname,
				    op->peer_ifname, e);
	case PLAN_ADDRESS:
		return rtnl_address_add(&get_made(b->nodes, op->node)->route, op->ifname,
					op->prefix, e);
	case PLAN_UP:
		return rtnl_link_up(&get_made(b->nodes, op->node)->route, op->ifname, e);
	case PLAN_ROUTE:
		return rtnl_route_add(&get_made(b->nodes, op->node)->route, op->prefix, op->gateway,
				      e);
	case PLAN_RULESET:
		return load_ruleset(b, op, e);
	}
	return err_set_plain(e, -EINVAL, "operation %u is unknown", (unsigned)op->kind);
}

/* ---- who does what, and when */

static bool is_router(const struct plan *plan, unsigned node)
{
	return plan->nodes[node].kind == PLAN_NODE_ROUTER;
}

static bool is_routers_own(const struct plan *plan, const struct plan_op *op)
{
	return is_router(plan, op->node) &&
	       (op->kind == PLAN_NODE || op->kind == PLAN_SYSCTL || op->kind == PLAN_RULESET);
}

static bool is_another(const struct plan *plan, const struct plan_op *op)
{
	return !is_routers_own(plan, op);
}

static bool touches_router(const struct plan *plan, const struct plan_op *op)
{
	return is_router(plan, op->node) ||
	       (op->kind == PLAN_VETH && is_router(plan, op->peer_node));
}

static void tell(struct progress *p, size_t at, bool failed)
{
	(void)pthread_mutex_lock(&p->lock);
	p->at = at;
	p->failed = failed;
	(void)pthread_cond_signal(&p->moved);
	(void)pthread_mutex_unlock(&p->lock);
}

/* Until p is at operation op, or farther. Returns false if that will not be. */
static bool await(struct progress *p, size_t op)
{
	(void)pthread_mutex_lock(&p->lock);
	while (p->at < op && !p->failed)
		(void)pthread_cond_wait(&p->moved, &p->lock);
	bool is_there = p->at >= op;
	(void)pthread_mutex_unlock(&p->lock);
	return is_there;
}

/* ---- the walk */

static int walk(struct nodes_builder *b, struct err *e)
{
	const struct plan *plan = b->nodes->plan;
	struct nodes_builder *routers = b->nodes->routers;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < plan->ops_count; i++) {
		const struct plan_op *op = &plan->ops[i];

		if (!b->is_mine(plan, op))
			continue;
		tell(&b->progress, i, false);
		if (b != routers && touches_router(plan, op) && !await(&routers->progress, i))
			return nodes_await_routers(b->nodes, e);
		rc = carry_out(b, op, e);
		/* A mistake of the user's has its place in a file. */
		if (rc < 0 && e != NULL && e->kind != ERR_INPUT)
			err_prefix(e, "node %s", plan->nodes[op->node].name);
	}
	tell(&b->progress, rc < 0 ? i - 1 : i, rc < 0);
	return rc;
}

static void *run(void *arg)
{
	struct nodes_builder *b = arg;

	b->result = walk(b, &b->reason);
	return NULL;
}

/* Where there can be no thread, the routers are set up before all else: none of their own
 * operations needs another node. */
static void start_routers(struct nodes *nodes)
{
	struct nodes_builder *b = calloc(1, sizeof(*b));

	assert(b != NULL);
	*b = (struct nodes_builder){ .nodes = nodes,
				     .is_mine = is_routers_own,
				     .progress = { PTHREAD_MUTEX_INITIALIZER,
						   PTHREAD_COND_INITIALIZER, 0, false } };
	nodes->routers = b;
	b->is_running = thread_start(run, b, &b->thread) == 0;
	if (!b->is_running)
		(void)run(b);
}

int nodes_build(struct nodes *nodes, struct err *e)
{
	CLEANUP(fd) int home = -1;
	struct nodes_builder others = { .nodes = nodes,
					.is_mine = is_another,
					.progress = { PTHREAD_MUTEX_INITIALIZER,
						      PTHREAD_COND_INITIALIZER, 0, false } };

	int rc = netns_self(&home, e);
	if (rc < 0)
		return rc;
	start_routers(nodes);
	rc = walk(&others, e);
	netns_return(home);
	return rc;
}

static void join(struct nodes_builder *b)
{
	if (b->is_running)
		(void)pthread_join(b->thread, NULL);
	b->is_running = false;
}

int nodes_await_routers(struct nodes *nodes, struct err *e)
{
	join(nodes->routers);
	if (nodes->routers->result < 0 && e != NULL)
		*e = nodes->routers->reason;
	return nodes->routers->result;
}

void nodes_build_end(struct nodes *nodes)
{
	if (nodes->routers == NULL)
		return;
	join(nodes->routers);
	free(nodes->routers);
	nodes->routers = NULL;
}

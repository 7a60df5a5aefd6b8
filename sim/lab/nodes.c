// SPDX-License-Identifier: GPL-2.0-or-later
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
#include "sim/lab/nft.h"
#include "sim/lab/nodes_build.h"
#include "sim/lab/process.h"
#include "sim/lab/rtnl.h"

/* How often to look whether a link carries packets yet, where the kernel does not say so itself,
 * and how long in all: its link watch may hold back for a second (net/core/link_watch.c). */
#define LINK_POLL_US     200u
#define LINK_DEADLINE_US 5000000u

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
	nodes_build_end(nodes);
	for (size_t i = 0; nodes->items != NULL && i < nodes->plan->nodes_count; i++) {
		nft_release(nodes->items[i].ruleset);
		netlink_close(&nodes->items[i].route);
		netlink_close(&nodes->items[i].netfilter);
		fd_cleanup(&nodes->items[i].netns_fd);
	}
	free(nodes->items);
	nodes->items = NULL;
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
		int rc = rtnl_link_carries(&nodes->items[op->node].route, op->ifname, &carries, e);
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

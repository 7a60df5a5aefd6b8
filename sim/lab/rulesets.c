// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/rulesets.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/nft.h"
#include "sim/lab/thread.h"

struct rulesets {
	const struct plan *plan;
	int *netns_fds;
	struct nft_ctx **used; /* what loaded the ruleset of each operation, or NULL */
	pthread_t thread;
	bool running;
	int result; /* these two are the thread's as long as it runs */
	struct err reason;
};

static void load_all(struct rulesets *r)
{
	const struct plan *plan = r->plan;

	for (size_t i = 0; r->result == 0 && i < plan->ops_count; i++) {
		const struct plan_op *op = &plan->ops[i];

		if (op->kind != PLAN_RULESET)
			continue;
		r->result =
			nft_load_holding(r->netns_fds[op->node], op->text, &r->used[i], &r->reason);
		if (r->result < 0)
			err_prefix(&r->reason, "node %s", plan->nodes[op->node].name);
	}
}

static void *run(void *arg)
{
	load_all(arg);
	return NULL;
}

struct rulesets *rulesets_start(const struct plan *plan, const int *netns_fds)
{
	struct rulesets *r = calloc(1, sizeof(*r));

	assert(r != NULL);
	r->plan = plan;
	r->netns_fds = calloc(plan->nodes_count + 1, sizeof(*r->netns_fds));
	r->used = calloc(plan->ops_count + 1, sizeof(struct nft_ctx *));
	assert(r->netns_fds != NULL && r->used != NULL);
	memcpy(r->netns_fds, netns_fds, plan->nodes_count * sizeof(*netns_fds));
	r->running = thread_start(run, r, &r->thread) == 0;
	if (!r->running)
		load_all(r);
	return r;
}

static void join(struct rulesets *r)
{
	if (r->running)
		(void)pthread_join(r->thread, NULL);
	r->running = false;
}

int rulesets_await(struct rulesets *r, struct err *e)
{
	join(r);
	if (r->result < 0 && e != NULL)
		*e = r->reason;
	return r->result;
}

void rulesets_free(struct rulesets *r)
{
	if (r == NULL)
		return;
	join(r);
	for (size_t i = 0; i < r->plan->ops_count; i++)
		nft_release(r->used[i]);
	free(r->used);
	free(r->netns_fds);
	free(r);
}

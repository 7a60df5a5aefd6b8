// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Up ends when the lab can be used; down ends when the call or the script returns. What the kernel
 * has yet to do then, it does by itself; "gone" is the time until that is over too. Nothing else is
 * measured before.
 *
 * This is a lab that lives for no time at all. One that lives for 20 ms comes down in less than
 * one, since the kernel has done by then what closing libnftables' sockets waits for; see nft.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/usage.h"
#include "sim/experiment/stage.h"
#include "sim/lab/netns.h"
#include "sim/lab/process.h"
#include "sim/lab/rtnl.h"

#define ROUNDS 30u

/* For a user's shell, whose PATH may lack them. */
#define SCRIPT_PATH "PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

#define NODES_MAX 16u

enum subject { NATSIM, BARE, SCRIPT, SUBJECTS };
enum phase { UP, DOWN, BOTH, GONE, PHASES };

struct lab_bench {
	const struct catalog *catalog;
	struct stage stage;
	char *script; /* a path */
	struct lab *lab;
	int bare_fds[NODES_MAX];
	double times_ms[PHASES][SUBJECTS][ROUNDS];
};

static void lab_bench_cleanup(struct lab_bench *l)
{
	stage_close(&l->stage);
	free(l->script);
}

/* ---- the three of them */

static int natsim_up(struct lab_bench *l, struct err *e)
{
	return stage_build(&l->stage, l->catalog, 1, -1, &l->lab, e);
}

static int natsim_down(struct lab_bench *l, struct err *e)
{
	(void)e;
	lab_free(l->lab);
	l->lab = NULL;
	return 0;
}

/* Namespaces and links alone: no address, no ruleset, and the links are down. */
static int bare_build(struct lab_bench *l, struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	const struct plan *plan = &l->stage.plan;
	int rc = rtnl_open(&nl, e);

	for (size_t i = 0; rc == 0 && i < plan->nodes_count; i++)
		rc = netns_unshare(&l->bare_fds[i], e);
	for (size_t i = 0; rc == 0 && i < plan->ops_count; i++) {
		const struct plan_op *op = &plan->ops[i];

		if (op->kind != PLAN_VETH)
			continue;
		struct rtnl_veth veth = { .ifname = op->ifname,
					  .peer_ifname = op->peer_ifname,
					  .netns_fd = l->bare_fds[op->node],
					  .peer_netns_fd = l->bare_fds[op->peer_node] };
		memcpy(veth.mac, op->mac, sizeof(veth.mac));
		memcpy(veth.peer_mac, op->peer_mac, sizeof(veth.peer_mac));
		rc = rtnl_veth_new(&nl, &veth, e);
	}
	return rc;
}

static int bare_up(struct lab_bench *l, struct err *e)
{
	CLEANUP(fd) int home = -1;
	int rc = netns_self(&home, e);

	if (rc < 0)
		return rc;
	rc = bare_build(l, e);
	netns_return(home);
	return rc;
}

static int bare_down(struct lab_bench *l, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < NODES_MAX; i++)
		fd_cleanup(&l->bare_fds[i]);
	return 0;
}

static int run_script(const struct lab_bench *l, const char *verb, struct err *e)
{
	const char *const argv[] = { "sh", l->script, verb, NULL };
	const char *const env[] = { SCRIPT_PATH, NULL };
	int rc = usage_run_program(argv, env, STDERR_FILENO, e);

	if (rc < 0)
		err_prefix(e,
			   "the script of `natsim plan --script`, which needs iproute2, nftables "
			   "and procps");
	return rc;
}

static int script_up(struct lab_bench *l, struct err *e)
{
	return run_script(l, "up", e);
}

static int script_down(struct lab_bench *l, struct err *e)
{
	return run_script(l, "down", e);
}

/* ---- measuring */

static int measure(struct lab_bench *l, enum subject s, unsigned round, struct err *e)
{
	static int (*const up[])(struct lab_bench *, struct err *) = { natsim_up, bare_up,
								       script_up };
	static int (*const down[])(struct lab_bench *, struct err *) = { natsim_down, bare_down,
									 script_down };
	uint64_t begin_us = process_now_us();
	int rc = up[s](l, e);
	uint64_t up_us = process_now_us();
	int down_rc = down[s](l, rc < 0 ? NULL : e);
	uint64_t down_us = process_now_us();

	if (rc == 0)
		rc = down_rc;
	if (rc == 0)
		rc = usage_settle(e);
	l->times_ms[UP][s][round] = (double)(up_us - begin_us) / 1e3;
	l->times_ms[DOWN][s][round] = (double)(down_us - up_us) / 1e3;
	l->times_ms[BOTH][s][round] = (double)(down_us - begin_us) / 1e3;
	l->times_ms[GONE][s][round] = (double)(process_now_us() - up_us) / 1e3;
	return rc;
}

/* The first round of each is only to warm up, and its times are written over. */
static int measure_all(struct lab_bench *l, struct err *e)
{
	int rc = 0;

	for (unsigned s = 0; rc == 0 && s < SUBJECTS; s++)
		rc = measure(l, s, 0, e);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned s = 0; rc == 0 && s < SUBJECTS; s++)
			rc = measure(l, s, round, e);
	return rc;
}

static int write_script(struct lab_bench *l, const char *dir, struct err *e)
{
	CLEANUP(buf) struct buf text = BUF_INIT;

	if (asprintf(&l->script, "%s/lab.sh", dir) < 0) {
		l->script = NULL;
		return err_set(e, -ENOMEM, "name a script");
	}
	plan_script(&l->stage.plan, l->stage.topology.name, &text);
	FILE *file = fopen(l->script, "we");
	if (file == NULL)
		return err_set(e, -errno, "%s", l->script);
	(void)fputs(buf_text(&text), file);
	return fclose(file) == 0 ? 0 : err_set(e, -errno, "%s", l->script);
}

static void add(struct bench *b, struct lab_bench *l, enum phase phase, const char *name)
{
	static const char *const subjects[] = { "natsim", "the bare system calls", "the script" };
	struct summary of[SUBJECTS];

	for (unsigned s = 0; s < SUBJECTS; s++) {
		struct figure f = {
			.group = "A lab of six nodes and five links, both rulesets loaded, "
				 "the wire forwarding, the rendezvous answering",
			.name = name,
			.subject = subjects[s],
			.unit = "ms"
		};

		f.value = of[s] = summary_of(l->times_ms[phase][s], ROUNDS);
		if (s == BARE) {
			f.ratio = of[NATSIM].median / of[BARE].median;
			f.ratio_is = "times as long";
			f.aim = phase == UP ? AIM_AT_MOST : AIM_NONE;
			f.aim_high = 2;
		} else if (s == SCRIPT) {
			f.ratio = of[SCRIPT].median / of[NATSIM].median;
			f.ratio_is = "times faster";
			f.aim = phase == UP || phase == BOTH ? AIM_AT_LEAST : AIM_NONE;
			f.aim_low = 10;
		}
		figures_add(&b->figures, &f);
	}
}

int bench_lab(struct bench *b, struct err *e)
{
	CLEANUP(lab_bench) struct lab_bench l = { .catalog = b->catalog };
	const struct stage_config config = { .topology = "two-homes" };

	for (size_t i = 0; i < NODES_MAX; i++)
		l.bare_fds[i] = -1;
	int rc = stage_open(b->catalog, &config, &l.stage, e);
	if (rc == 0 && l.stage.plan.nodes_count > NODES_MAX)
		rc = err_set_plain(e, -E2BIG, "two-homes has more than %u nodes", NODES_MAX);
	if (rc == 0)
		rc = write_script(&l, b->scratch_dir, e);
	if (rc == 0)
		rc = measure_all(&l, e);
	if (rc < 0)
		return rc;
	add(b, &l, UP, "up");
	add(b, &l, DOWN, "down");
	add(b, &l, BOTH, "up and down");
	add(b, &l, GONE, "down and gone");
	return 0;
}

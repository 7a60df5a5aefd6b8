// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel takes network namespaces down in a work queue of its own (cleanup_net() in
 * net/core/net_namespace.c), in the order in which they lost their last user, and says nothing when
 * it is done. But with a namespace goes the far end of any veth into it: a scratch namespace with
 * one into ours comes last, and the veth is gone when all of them are.
 */
#include "sim/bench/usage.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/process.h"
#include "sim/lab/rtnl.h"

#define WITNESS "witness"

/* A fraction of a second is usual. */
#define SETTLE_US 20000000u

static uint64_t of(int who)
{
	struct rusage usage;

	(void)getrusage(who, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

uint64_t usage_cpu_us(void)
{
	return of(RUSAGE_SELF) + of(RUSAGE_CHILDREN);
}

int usage_run_program(const char *const *argv, const char *const *env, int stderr_fd, struct err *e)
{
	struct process process = PROCESS_NONE;
	char text[PROCESS_STATUS_SIZE];
	CLEANUP(fd) int here = -1;
	int status = 0;

	int rc = netns_self(&here, e);
	if (rc < 0)
		return rc;
	rc = process_start(&(struct process_config){ .argv = argv,
						     .env = env,
						     .netns_fd = here,
						     .stdin_fd = -1,
						     .stdout_fd = -1,
						     .stderr_fd = stderr_fd,
						     .own_group = true },
			   &process, e);
	if (rc == 0)
		rc = process_wait(&process, UINT64_MAX, &status, e);
	process_end(&process);
	if (rc == 0 && status != 0)
		return err_set_plain(e, -ECHILD, "%s %s", argv[0],
				     process_status_text(status, text));
	return rc;
}

static bool have_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static int make_witness(struct netlink *nl, struct err *e)
{
	CLEANUP(fd) int home = -1;
	CLEANUP(fd) int scratch = -1;

	int rc = netns_self(&home, e);
	if (rc == 0)
		rc = netns_new(&scratch, e);
	if (rc < 0)
		return rc;
	struct rtnl_veth veth = { .ifname = WITNESS,
				  .peer_ifname = WITNESS,
				  .netns_fd = home,
				  .peer_netns_fd = scratch,
				  .mac = { 2, 0, 0, 0, 0, 1 },
				  .peer_mac = { 2, 0, 0, 0, 0, 2 } };
	return rtnl_veth_new(nl, &veth, e);
}

static int see_witness(struct netlink *nl, bool *ret_there, struct err *e)
{
	CLEANUP(free) struct rtnl_link *links = NULL;
	size_t count = 0;
	int rc = rtnl_links(nl, &links, &count, e);

	if (rc < 0)
		return rc;
	*ret_there = false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, WITNESS) == 0)
			*ret_there = true;
	return 0;
}

int usage_settle(struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	uint64_t deadline_us = process_now_us() + SETTLE_US;
	bool there = true;

	while (have_children() && process_now_us() < deadline_us)
		(void)poll(NULL, 0, 1);
	int rc = rtnl_open(&nl, e);
	if (rc == 0)
		rc = make_witness(&nl, e);
	while (rc == 0 && there && process_now_us() < deadline_us) {
		(void)poll(NULL, 0, 1);
		rc = see_witness(&nl, &there, e);
	}
	if (rc == 0 && there)
		return err_set_plain(e, -ETIMEDOUT,
				     "the kernel still takes namespaces down after %u s",
				     SETTLE_US / 1000000u);
	return rc;
}

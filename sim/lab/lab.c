// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/lab.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/cleanup.h"
#include "sim/lab/linger.h"
#include "sim/lab/nodes.h"
#include "sim/lab/server.h"

struct lab {
	struct nodes nodes;
	struct wire *wire;
	struct server rendezvous;
	bool records; /* the wire writes pcapng */
};

static int start_wire(struct lab *lab, const struct lab_config *config, struct err *e)
{
	const struct plan *plan = config->plan;
	struct wire_config wire = { .netns_fd = -1,
				    .plan = plan,
				    .links = config->links,
				    .seed = config->seed,
				    .pcap_fd = config->pcap_fd };

	for (size_t i = 0; i < plan->nodes_count; i++)
		if (plan->nodes[i].kind == PLAN_NODE_INTERNET)
			wire.netns_fd = lab->nodes.items[i].netns_fd;
	assert(wire.netns_fd >= 0);
	return wire_new(&wire, &lab->wire, e);
}

static int start_rendezvous(struct lab *lab, const struct lab_config *config, struct err *e)
{
	if (config->rendezvous_path == NULL)
		return 0;
	return server_start(config->rendezvous_path, config->rendezvous_env,
			    lab_netns(lab, (unsigned)config->rendezvous_node), &lab->rendezvous, e);
}

/* The rendezvous starts on another processor while the rulesets are loaded on one. The wire is a
 * fork, after which every page that is written to is copied: it comes when most has been written.
 */
static int build(struct lab *lab, const struct lab_config *config, struct err *e)
{
	int rc = nodes_build(&lab->nodes, e);

	if (rc == 0)
		rc = start_rendezvous(lab, config, e);
	if (rc == 0)
		rc = nodes_await_links(&lab->nodes, e);
	if (rc == 0)
		rc = nodes_await_routers(&lab->nodes, e);
	if (rc == 0)
		rc = start_wire(lab, config, e);
	if (rc == 0 && config->rendezvous_path != NULL)
		rc = server_await_ready(&lab->rendezvous, e);
	return rc;
}

static void lab_cleanup(struct lab **lab)
{
	lab_free(*lab);
}

int lab_new(const struct lab_config *config, struct lab **ret, struct err *e)
{
	CLEANUP(lab) struct lab *lab = malloc(sizeof(*lab));

	assert(lab != NULL);
	*lab = (struct lab){ .rendezvous = SERVER_NONE, .records = config->pcap_fd >= 0 };
	nodes_init(&lab->nodes, config->plan);
	int rc = build(lab, config, e);
	if (rc < 0)
		return rc;
	*ret = steal_ptr(&lab);
	return 0;
}

static void free_wire(void *arg)
{
	wire_free(arg);
}

/* The end of the wire is the end of its packet sockets, but a record must be whole. */
void lab_free(struct lab *lab)
{
	if (lab == NULL)
		return;
	server_end(&lab->rendezvous);
	if (lab->records)
		wire_free(lab->wire);
	else
		linger(free_wire, lab->wire);
	nodes_fini(&lab->nodes);
	free(lab);
}

int lab_end(struct lab *lab, struct err *e)
{
	int code = wire_end(lab->wire, e);

	lab_free(lab);
	return code;
}

int lab_netns(const struct lab *lab, unsigned node)
{
	assert(node < lab->nodes.plan->nodes_count);
	return lab->nodes.items[node].netns_fd;
}

const struct wire_stats *lab_wire_stats(const struct lab *lab)
{
	return wire_stats(lab->wire);
}

int lab_flush(struct lab *lab, struct err *e)
{
	return nodes_flush(&lab->nodes, e);
}

/* The wire first: what is under way would make a router remember again. */
int lab_reset(struct lab *lab, uint64_t seed, struct err *e)
{
	int code = wire_reseed(lab->wire, seed, e);

	return code == 0 ? lab_flush(lab, e) : code;
}

int lab_faults(struct lab *lab, uint64_t *ret_faults, struct err *e)
{
	return wire_faults(lab->wire, ret_faults, e);
}

int lab_check(struct lab *lab, struct err *e)
{
	siginfo_t info = { .si_pid = 0 };

	int rc = waitid(P_PID, (id_t)wire_pid(lab->wire), &info, WEXITED | WNOHANG | WNOWAIT);
	if (rc < 0 || info.si_pid != 0)
		return err_set_plain(e, -ECHILD, "the wire has ended while it was needed");
	return server_check(&lab->rendezvous, e);
}

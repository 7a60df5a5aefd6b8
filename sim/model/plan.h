/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: a topology with its NAT models as a list of operations, in the order in which they are
 * to be carried out. Pure. sim/lab carries it out over netlink; script.c prints it as a shell
 * script.
 *
 * The node "internet" stands for the wire. It owns the far ends of all outside links, their gateway
 * addresses and a route to each network behind a router that does not translate; in the lab the
 * wire forwards between them, in the script its kernel does.
 */
#ifndef NATSIM_SIM_MODEL_PLAN_H
#define NATSIM_SIM_MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/endpoint.h"
#include "lib/err.h"
#include "sim/model/nat_model.h"
#include "sim/model/ruleset.h"
#include "sim/model/topology.h"

#define PLAN_INTERNET    "internet"
#define PLAN_IFNAME_SIZE 16 /* IFNAMSIZ */

enum plan_kind {
	PLAN_NODE,    /* node: a network namespace, with lo up */
	PLAN_SYSCTL,  /* key (slashes, below /proc/sys) = value; none of a single interface's */
	PLAN_VETH,    /* ifname in node <-> peer_ifname in peer_node, with MAC addresses */
	PLAN_BRIDGE,  /* ifname in node: a bridge without spanning tree */
	PLAN_ENSLAVE, /* ifname becomes a port of bridge peer_ifname, both in node */
	PLAN_ADDRESS, /* prefix on ifname */
	PLAN_UP,      /* ifname is set up */
	PLAN_ROUTE,   /* prefix (length 0: default) via gateway */
	PLAN_RULESET, /* text: for nft -f */
};

struct plan_op {
	enum plan_kind kind;
	unsigned node, peer_node; /* index into nodes */
	char ifname[PLAN_IFNAME_SIZE], peer_ifname[PLAN_IFNAME_SIZE];
	uint8_t mac[6], peer_mac[6];
	struct prefix prefix;
	uint32_t gateway;
	char key[96], value[32];
	bool if_there; /* PLAN_SYSCTL: nothing to do where the kernel has no such key */
	char *text;    /* heap */
};

enum plan_node_kind { PLAN_NODE_INTERNET, PLAN_NODE_ROUTER, PLAN_NODE_HOST };

struct plan_node {
	char name[NODE_NAME_SIZE];
	enum plan_node_kind kind;
	uint32_t outside_addr; /* router on the Internet: its public address; host: its main address
				*/
	const struct nat_model *model; /* router: borrowed; else NULL */
};

/* One outside link, as the wire sees it. */
struct plan_port {
	char ifname[PLAN_IFNAME_SIZE]; /* its end in the node "internet" */
	uint8_t mac[6], peer_mac[6];   /* of this end and of the far one */
	uint32_t gateway;              /* this end's address: the source of ICMP errors */
	unsigned node;                 /* the router or host at the other end */
};

/* Packets to prefix leave by this port. Longest prefix wins; no two are equal. */
struct plan_route {
	struct prefix prefix;
	unsigned port;
};

struct plan {
	struct plan_node *nodes;
	size_t nodes_count;
	struct plan_op *ops;
	size_t ops_count;
	struct plan_port *ports;
	size_t ports_count;
	struct plan_route *routes;
	size_t routes_count;
};

/* --nat ROLE=MODEL */
struct plan_nat {
	const char *role;
	const struct nat_model *model;
};

/* Makes the plan. Each role of the topology must be given exactly once. The plan borrows the
 * models; rules is where the nft texts come from. */
int plan_make(const struct topology *t, const struct plan_nat *nats, size_t nats_count,
	      const struct ruleset_files *rules, struct plan *ret, struct err *e);
void plan_fini(struct plan *p);

/* The index of a node, or -1. */
int plan_node(const struct plan *p, const char *name);

/* One line an operation, as `natsim plan` prints it. */
void plan_print(const struct plan *p, struct buf *out);

/* The plan as a POSIX shell script with the verbs up and down, of ip, nft and sysctl commands only.
 * title goes into its header comment. */
void plan_script(const struct plan *p, const char *title, struct buf *out);

#endif

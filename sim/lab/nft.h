/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets: loaded and listed by libnftables in-process, emptied over nfnetlink. */
#ifndef NATSIM_SIM_LAB_NFT_H
#define NATSIM_SIM_LAB_NFT_H

#include "lib/buf.h"
#include "lib/err.h"
#include "sim/lab/netlink.h"

/*
 * Does in namespace netns_fd what `nft -f` does with text. Fails with
 *	-EINVAL		libnftables does not understand the text
 *	another		the kernel refuses what it says
 * and e says "ruleset:line:column: why" about the first error, followed by the line in question.
 */
int nft_load(int netns_fd, const char *text, struct err *e);

/* The first error in a text. */
struct nft_mistake {
	size_t line, column; /* from 1; line 0: libnftables does not say where it is */
	char what[512];      /* "why: the line in question" */
};

/*
 * The same, and on success *ret_used is for nft_release() later: to let go of what libnftables has
 * used, its socket above all, takes some 10 ms right after a load and none after that. Where it
 * fails, *ret_mistake says the same as e.
 */
struct nft_ctx;
int nft_load_holding(int netns_fd, const char *text, struct nft_ctx **ret_used,
		     struct nft_mistake *ret_mistake, struct err *e);
void nft_release(struct nft_ctx *used); /* NULL is allowed */

/* Appends to out what `nft list ruleset` prints in namespace netns_fd. */
int nft_list(int netns_fd, struct buf *out, struct err *e);

/*
 * Empties every set and map of `table ip <table>` that has the flag `dynamic`. Its other sets, its
 * rules and its counters (numgen) stay as they are. nl is a NETLINK_NETFILTER socket opened in the
 * namespace. It is to be kept: closing one so soon waits some 10 ms for the kernel to be done.
 */
int nft_flush_dynamic(struct netlink *nl, const char *table, struct err *e);

#endif

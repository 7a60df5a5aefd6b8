/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The harness's own judgement of a trial. Peers make claims (their exit status and, where they
 * print it, a JSON line); the world saw what was delivered into each host. A trial is a success
 * only if both peers claim it and, on the path they claim, each host was delivered the other's
 * nonce from the other side's outside address. Pure.
 */
#ifndef NATSIM_SIM_EXPERIMENT_VERDICT_H
#define NATSIM_SIM_EXPERIMENT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "peers/core/strategy.h"
#include "sim/model/delivery.h"

#define VERDICT_REASON_SIZE 128

/* What one peer says. Without a JSON line from it only ended_ok is known. */
struct verdict_claim {
	bool ended_ok; /* exit status 0 */
	bool has_line;
	char reason[VERDICT_REASON_SIZE]; /* why not, in its own words; empty if it gave none */
	bool has_path;
	struct endpoint local, remote; /* of the path, as it sees it */
	uint64_t nonce;                /* that it sent; 0: it does not say */
	double connect_ms;             /* negative: it does not say */
	int64_t packets;               /* negative: it does not say */
};

/* Reads the last JSON line with "event": "result" in a peer's output. ended_ok is left as it is. */
void verdict_read_claim(const char *output, size_t len, struct verdict_claim *ret);

/* What the result's line would say, without the line; needs no memory. Likewise. */
void verdict_take_claim(const struct strategy_result *result, struct verdict_claim *ret);

/* One side as the lab knows it. */
struct verdict_side {
	struct verdict_claim claim;
	/* Where its packets come from: as seen from the Internet, one of some addresses that follow
	 * one another, and its host's own. */
	uint32_t outside_addr, outside_addrs_count, host_addr;
	const struct delivery *delivered; /* into its host, in order */
	size_t delivered_count;
};

enum verdict_path { VERDICT_PATH_NONE, VERDICT_PATH_DIRECT, VERDICT_PATH_RELAYED };

struct verdict {
	bool success;
	enum verdict_path path;
	char reason[VERDICT_REASON_SIZE]; /* of a failure */
};

/* protocol is IPPROTO_UDP or IPPROTO_TCP; relays are the addresses of the rendezvous. Quick: it
 * allocates nothing, and words are written only for a failure. */
struct verdict verdict_judge(const struct verdict_side *a, const struct verdict_side *b,
			     uint8_t protocol, const uint32_t *relays, size_t relays_count);

#endif

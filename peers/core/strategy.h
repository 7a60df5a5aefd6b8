/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A traversal strategy: a machine (machine.h) that, given where the rendezvous is and who it is,
 * tries to reach its peer and in the end says in one JSON line what came of it. ACTION_DONE carries
 * 0 for success and 1 for "tried and did not get through".
 */
#ifndef NATSIM_PEERS_CORE_STRATEGY_H
#define NATSIM_PEERS_CORE_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/endpoint.h"
#include "peers/core/machine.h"
#include "peers/core/stun.h"

/* What can be said of a strategy behind its name, "NAME:key=value,...": a whole number, or a word
 * that stands for one. The name ends in the unit. */
struct strategy_param {
	const char *name;
	const char *about; /* one line, for help texts */
	uint64_t least, most, fallback;
	const char *const *words; /* of the numbers from 0 on, ended by NULL; or NULL */
};
#define STRATEGY_PARAMS_MAX 12u

struct strategy_config {
	bool tcp;
	char role;                          /* 'a' or 'b' */
	struct endpoint server, server_alt; /* the rendezvous' main address, and its other one */
	uint8_t session[STUN_SESSION_MAX];
	size_t session_len;
	uint32_t local_addr;                  /* of the interface that leads to the server */
	uint16_t local_port;                  /* to bind; 0: any */
	uint64_t nonce;                       /* fresh and unpredictable; never 0 */
	uint64_t seed;                        /* for choices and transaction ids */
	uint64_t start_delay_us;              /* to wait after the word to start */
	uint64_t give_up_us;                  /* counted from the start, after that wait */
	uint64_t params[STRATEGY_PARAMS_MAX]; /* in the order of the strategy's own */
};

/* What came of one peer of a pair, so far. */
struct strategy_result {
	bool connected;
	const char *reason; /* why not, one line, valid as long as the state is; NULL: connected */
	struct endpoint local, observed, remote; /* of the path; none where it is not known */
	uint64_t nonce, peer_nonce;              /* the latter is of use only if connected */
	uint64_t introduced_us;                  /* since the first step; NEVER: it was not */
	uint64_t connect_us;                     /* since the first packet to the peer, likewise */
	uint64_t packets;                        /* datagrams, or connects and messages, to it */
};

struct strategy {
	const char *name;
	const char *about; /* one line, for help texts */
	bool pair;         /* two peers of a session run it; false: one is enough */
	size_t size;       /* of its state */
	const struct strategy_param *params; /* ended by one without a name; NULL: none */
	void (*init)(void *state, const struct strategy_config *config);
	machine_step_fn *step;
	/* Can be called at any time after init. NULL where it does not run in pairs. */
	void (*result)(const void *state, struct strategy_result *ret);
	/* Appends the JSON line, newline included. Can be called at any time after init. */
	void (*report)(const void *state, struct buf *out);
};

/* NULL if there is none of that name. */
const struct strategy *strategy_find(const char *name);

/* A strategy as it is chosen, with the values of its parameters. */
struct strategy_choice {
	const struct strategy *strategy;
	uint64_t params[STRATEGY_PARAMS_MAX];
};
#define STRATEGY_WHY_SIZE 128u

/* Reads "NAME" or "NAME:key=value,...". Returns false, with the reason in one line, if it is none;
 * *ret is left alone then. */
bool strategy_parse(const char *text, struct strategy_choice *ret,
		    char ret_why[static STRATEGY_WHY_SIZE]);

/* Appends the JSON line of a strategy that runs in pairs, newline included. */
void strategy_report_result(const char *strategy, const struct strategy_config *config,
			    const struct strategy_result *result, struct buf *out);

/* All of them, in the order in which they are to be listed; NULL behind the last. */
const struct strategy *strategy_at(size_t index);

#endif

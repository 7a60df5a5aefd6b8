/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy "classify": measures, from inside, the router that stands before the rendezvous, in the
 * terms of RFC 4787 and with the tests of RFC 5780, over UDP or TCP. One peer runs it alone.
 */
#ifndef NATSIM_PEERS_CORE_CLASSIFY_H
#define NATSIM_PEERS_CORE_CLASSIFY_H

#include "lib/prng.h"
#include "peers/core/strategy.h"

extern const struct strategy classify_strategy;

/* The reason of a failure that means that nothing gets through. */
#define CLASSIFY_NO_ANSWER "the rendezvous does not answer"

/* Fresh sockets whose outside ports tell how the router chooses them. */
#define CLASSIFY_SAMPLES 10u

/* Queries in all: the samples; one socket to four servers; two fresh sockets for filtering. */
#define CLASSIFY_MAPPING_FIRST   CLASSIFY_SAMPLES
#define CLASSIFY_FILTERING_FIRST (CLASSIFY_MAPPING_FIRST + 4u)
#define CLASSIFY_QUERIES         (CLASSIFY_FILTERING_FIRST + 2u)

enum classify_query_state { QUERY_IDLE, QUERY_OPENING, QUERY_ASKING, QUERY_ANSWERED, QUERY_SILENT };

/* One question to the server from one socket, and what came of it. */
struct classify_query {
	enum classify_query_state state;
	uint32_t socket;
	struct endpoint to;
	uint32_t change; /* CHANGE-REQUEST flags */
	struct stun_id id;
	uint64_t retry_us, deadline_us;
	struct endpoint local, mapped; /* set with QUERY_ANSWERED */
	bool told;     /* TCP filtering: the server has said that it is connecting */
	bool refused;  /* filtering: it cannot, or answered from where it was asked */
	size_t in_len; /* TCP: of the answer so far */
	uint8_t in[STUN_MESSAGE_MAX];
};

enum classify_phase { CLASSIFY_SAMPLING, CLASSIFY_ASKING, CLASSIFY_DONE };

struct classify {
	struct strategy_config config;
	struct prng prng;
	enum classify_phase phase;
	struct endpoint other; /* the server's other address and port */
	const char *reason;    /* of a failure */
	struct classify_query queries[CLASSIFY_QUERIES];
};

/* The strategy's JSON line. */
void classify_report(const void *state, struct buf *out);

/* What the samples say: "preserve", "sequential" (then *ret_step is not 0), "block"
 * (random ports that are near to each other) or "random". */
const char *classify_ports(const struct endpoint *local, const struct endpoint *mapped,
			   size_t count, int *ret_step);

/* mapped[] as seen by A:p, A:q, B:p, B:q. */
const char *classify_mapping(struct endpoint local, const struct endpoint mapped[static 4]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "birthday": many sockets on one side, many ports tried from the other. birthday.c knows
 * how; the oracle wants to know the parameters. */
#ifndef NATSIM_PEERS_CORE_BIRTHDAY_H
#define NATSIM_PEERS_CORE_BIRTHDAY_H

#include "lib/prng.h"
#include "peers/core/punch.h"

extern const struct strategy birthday_strategy;

/* In the order of strategy_config.params. */
enum {
	BIRTHDAY_SOCKETS,
	BIRTHDAY_PROBES,
	BIRTHDAY_FIRST,
	BIRTHDAY_LAST,
	BIRTHDAY_RATE,
	BIRTHDAY_HARD, /* enum birthday_hard */
	BIRTHDAY_WAIT_MS,
};

enum birthday_hard { BIRTHDAY_HARD_A, BIRTHDAY_HARD_B, BIRTHDAY_HARD_BOTH };

/* A process may have 1024 descriptors unless it is told otherwise (RLIMIT_NOFILE). */
#define BIRTHDAY_SOCKETS_MAX 512u
/* EasyTier sends as many at most. */
#define BIRTHDAY_RATE_MAX    1000u

#define BIRTHDAY_PATHS_MAX 16u

/* A path leads from a socket of ours to an endpoint of the peer's. */
struct birthday_path {
	uint32_t socket;
	struct endpoint local, remote; /* the former is none as long as nothing came there */
};

struct birthday {
	struct punch punch; /* over UDP only its course */
	struct prng prng;

	struct birthday_path paths[BIRTHDAY_PATHS_MAX]; /* the candidates first */
	uint32_t candidates_count, paths_count, next_reflexive;

	uint64_t send_us;   /* when the next packet may leave; answers may be early */
	uint64_t answer_us; /* likewise, had none of the answers been early */
	uint64_t greet_us;  /* when all known paths are greeted again */
	uint32_t greeted;   /* paths of this turn */

	bool open[BIRTHDAY_SOCKETS_MAX]; /* the main socket is the first and not our business */
	uint64_t opened;                 /* sockets that have sent in this turn */
	uint64_t opening_us;             /* when the next turn begins */
	uint64_t probing_us, probed;     /* when the first leaves; ports tried */
	uint8_t tried[65536 / 8];        /* a bit for each port */
};

/* So many answers may be early in all, which the lowest rate must have room for. */
#define BIRTHDAY_EARLY    8u
#define BIRTHDAY_RATE_MIN 10u

/* True if the peer with this role opens many sockets, or tries many ports. */
bool birthday_opens(const uint64_t params[static STRATEGY_PARAMS_MAX], char role);
bool birthday_probes(const uint64_t params[static STRATEGY_PARAMS_MAX], char role);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How two peers agree on one of the paths they try. Each sends a nonce and echoes the other's; a
 * path on which one's own nonce comes back works both ways. Role 'a' is the controlling agent in
 * the words of RFC 8445: it nominates the first such path, 'b' acknowledges, 'a' says goodbye. 'b'
 * lingers for that goodbye, in case its acknowledgement got lost.
 *
 * Who sends the last message of such an exchange can never know that it arrived (the two generals),
 * so in one case the peers end with different results: 'b' has agreed, and then nothing more of
 * either gets through, not one of the nominations that 'a' repeats or of the acknowledgements that
 * 'b' answers them with. No single lost message leads there, and no message that is late.
 *
 * A path is whatever number the caller gives it.
 */
#ifndef NATSIM_PEERS_CORE_HANDSHAKE_H
#define NATSIM_PEERS_CORE_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "peers/core/probe.h"

enum handshake_state {
	HANDSHAKE_TRYING,
	HANDSHAKE_NOMINATED, /* only 'a': waiting for the acknowledgement */
	HANDSHAKE_AGREED,    /* only 'b': acknowledged, waiting for the goodbye */
	HANDSHAKE_OVER,      /* both know */
};

struct handshake {
	enum handshake_state state;
	bool controlling;
	uint64_t tag, nonce;
	/* The path last nominated, and whose; peer_nonce 0: none. */
	uint32_t path;
	uint64_t peer_nonce;
	/* What came in and counted, for the reason of a failure. */
	bool heard;  /* the peer's messages arrive */
	bool echoed; /* and ours arrive there */
};

void handshake_init(struct handshake *h, bool controlling, uint64_t tag, uint64_t nonce);

/* What to send on a path on which nothing has been heard. */
struct probe handshake_greeting(const struct handshake *h);

/* True if the message is the peer's: of this session, and not our own that a router turned round.
 */
bool handshake_is_peers(const struct handshake *h, const struct probe *in);

/* A message came in on path. Returns true if *ret_answer is to be sent back on it. */
bool handshake_receive(struct handshake *h, uint32_t path, const struct probe *in,
		       struct probe *ret_answer);

/* In HANDSHAKE_NOMINATED: what to send again on the nominated path from time to time. */
struct probe handshake_nomination(const struct handshake *h);

/* In HANDSHAKE_NOMINATED: no acknowledgement came. Goes back to trying every path; the
 * acknowledgement still counts, should it come before another path is nominated. */
void handshake_reconsider(struct handshake *h);

/* The path is gone for good. 'a' goes back to trying. 'b' goes on waiting: perhaps 'a' has its
 * acknowledgement, perhaps it will nominate another path. */
void handshake_path_lost(struct handshake *h, uint32_t path);

#endif

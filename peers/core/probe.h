/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The message two peers exchange on a path they try: fixed in size, the same as a UDP datagram and
 * as a frame of a TCP stream. docs/protocol.md draws it.
 *
 * A peer puts a fresh nonce of its own into every message and echoes the other's as soon as it
 * knows it. Who sees its own nonce come back knows that the path works in both directions.
 */
#ifndef NATSIM_PEERS_CORE_PROBE_H
#define NATSIM_PEERS_CORE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_SIZE 32u

enum probe_type {
	PROBE_PROBE = 1,
	PROBE_NOMINATE = 2,     /* this path is the one; echoes the other's nonce */
	PROBE_NOMINATE_ACK = 3, /* agreed; echoes the other's nonce */
	PROBE_BYE = 4,
};

struct probe {
	enum probe_type type;
	uint64_t tag;   /* probe_tag() of the session */
	uint64_t nonce; /* the sender's; never 0 */
	uint64_t echo;  /* the receiver's; 0: not known yet, in PROBE and BYE only */
};

/* What the messages of one session have in common, so that strays and strangers are ignored. A
 * hash, no secret: whoever knows the session can compute it. */
uint64_t probe_tag(const void *session, size_t len);

/* p must keep the rules above (assert). */
void probe_write(const struct probe *p, uint8_t ret[static PROBE_SIZE]);

/* Returns false, leaving *ret alone, unless data is exactly one message that keeps the rules. */
bool probe_read(const uint8_t *data, size_t len, struct probe *ret);

/* Collects the messages of a stream. Zeroed memory is the start of one. */
struct probe_stream {
	size_t len;
	uint8_t data[PROBE_SIZE];
};

/* Takes bytes from (*data, *len), moving them on, until there is a message. Returns 1 and the
 * message in *ret; 0 when all bytes were taken and more are needed; or -EBADMSG: the stream is not
 * ours. */
int probe_stream_read(struct probe_stream *s, const uint8_t **data, size_t *len, struct probe *ret);

#endif

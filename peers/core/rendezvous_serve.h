/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the rendezvous answers one message; rendezvous.c deals with sockets and connections. What
 * concerns two peers is in rendezvous_introduce.c.
 */
#ifndef NATSIM_PEERS_CORE_RENDEZVOUS_SERVE_H
#define NATSIM_PEERS_CORE_RENDEZVOUS_SERVE_H

#include "peers/core/rendezvous.h"

struct rendezvous_request {
	const struct stun_message *message;
	bool tcp;
	unsigned at;          /* which of our endpoints it came to: 2 * address + port */
	uint32_t socket;      /* on which it came: a UDP socket or a connection */
	struct endpoint from; /* the endpoint it came from */
};

/* The most that one message causes. */
#define RENDEZVOUS_SERVE_ACTIONS 2u
#define RENDEZVOUS_SERVE_BYTES   (2u * STUN_MESSAGE_MAX)

/* Answers the message if it is a request that deserves an answer; out has the room above. */
void rendezvous_serve(struct rendezvous *r, uint64_t now_us, const struct rendezvous_request *req,
		      struct actions *out);

/* INTRODUCE requests and RELAY indications. */
void rendezvous_introduce(struct rendezvous *r, uint64_t now_us,
			  const struct rendezvous_request *req, struct actions *out);
void rendezvous_relay(struct rendezvous *r, uint64_t now_us, const struct rendezvous_request *req,
		      struct actions *out);

/* An answer is begun, gets its attributes, and is sent; the last adds what every answer ends with.
 */
void rendezvous_answer_begin(struct stun_writer *w, const struct rendezvous_request *req,
			     enum stun_class class);
void rendezvous_answer_send(struct stun_writer *w, const struct rendezvous_request *req,
			    struct actions *out);

/* Sends an error answer. */
void rendezvous_refuse(const struct rendezvous_request *req, unsigned code, const char *reason,
		       struct actions *out);

/* Our endpoint number at. */
struct endpoint rendezvous_endpoint(const struct rendezvous *r, unsigned at);

#endif

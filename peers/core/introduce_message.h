/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What introduce's files share: introduce.c deals with sockets and time, introduce_message.c with
 * what is asked and what is believed, introduce_talk.c with what the strategy has to say.
 */
#ifndef NATSIM_PEERS_CORE_INTRODUCE_MESSAGE_H
#define NATSIM_PEERS_CORE_INTRODUCE_MESSAGE_H

#include "peers/core/introduce.h"

bool introduce_is_tcp(const struct introduce *in);
void introduce_open_socket(struct introduce *in, struct actions *out);
void introduce_drop_socket(struct introduce *in, struct actions *out);

/* Sends a message to the server. */
void introduce_send(const struct introduce *in, const struct stun_writer *w, struct actions *out);

/* Sends the next request, which is repeated if need be. */
void introduce_send_request(struct introduce *in, uint64_t now_us, struct actions *out);

/* The request number in->requests. */
void introduce_write_request(const struct introduce *in, struct stun_writer *w);

/* The number of the request that id answers, if that is one of the last. */
bool introduce_find_request(const struct introduce *in, const struct stun_id *id, uint32_t *ret);

/* True if the indication may be believed. */
bool introduce_trusts(const struct introduce *in, const struct stun_message *m);

/* Takes in what an answer or an indication says. Returns true if the peer's candidates, which are
 * then the latest ones, are known. */
bool introduce_take_news(struct introduce *in, const struct stun_message *m);

/* What the peer had relayed to us. Returns false if this is not it. */
bool introduce_read_relayed(const struct introduce *in, const struct stun_message *m,
			    const uint8_t **ret_data, size_t *ret_len);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Introduce's messages: what it asks and what it believes. introduce.c deals with sockets and time.
 */
#ifndef NATSIM_PEERS_CORE_INTRODUCE_MESSAGE_H
#define NATSIM_PEERS_CORE_INTRODUCE_MESSAGE_H

#include "peers/core/introduce.h"

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

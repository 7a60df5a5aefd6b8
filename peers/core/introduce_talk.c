// SPDX-License-Identifier: GPL-2.0-or-later
/* What two peers have to say to each other through the server once they are introduced. */
#include <assert.h>
#include <string.h>

#include "lib/prng.h"
#include "peers/core/bytes.h"
#include "peers/core/introduce_message.h"

/* From the next request on, the peer is to confirm. */
static void confirm(struct introduce *in)
{
	in->confirmed = false;
	in->confirming = true;
	in->confirm_from = in->requests;
	in->confirm_tries = 0;
}

void introduce_set_note(struct introduce *in, uint64_t now_us, const void *note, size_t len,
			struct actions *out)
{
	assert(len <= STUN_NOTE_MAX);
	memset(in->note, 0, sizeof(in->note));
	in->note[0] = (uint8_t)len;
	if (len > 0)
		memcpy(in->note + 1, note, len);
	in->noted = true;
	if (in->requests == 0 || in->released || in->state == INTRODUCE_FAILED)
		return;
	confirm(in);
	if (in->up)
		introduce_send_request(in, now_us, out);
}

void introduce_move(struct introduce *in, uint64_t now_us, uint32_t socket, struct endpoint local,
		    struct actions *out)
{
	assert(in->started && !in->released);
	if (introduce_is_tcp(in) || in->state != INTRODUCE_READY)
		introduce_drop_socket(in, out);
	in->config.socket = socket;
	in->config.local = local;
	in->state = INTRODUCE_WAITING;
	in->peer_count = 0;
	in->reason[0] = '\0';
	in->give_up_at_us = in->config.give_up_us != 0 ? now_us + in->config.give_up_us : NEVER;
	confirm(in);
	introduce_open_socket(in, out);
}

bool introduce_relay(struct introduce *in, const void *data, size_t len, struct actions *out)
{
	struct stun_writer w;
	uint8_t transaction[12];

	if (in->released || in->state != INTRODUCE_READY || !in->up || in->ticket == 0 || len < 1 ||
	    len > STUN_DATA_MAX || !actions_have_room(out, 1, STUN_MESSAGE_MAX))
		return false;
	put_u64(transaction, prng_derive(in->config.seed, in->relays, 1));
	put_u32(transaction + 8, in->relays++);
	struct stun_id id = stun_id_make(transaction);
	stun_begin(&w, STUN_INDICATION, STUN_RELAY, &id);
	stun_add_u64(&w, STUN_TICKET, in->ticket);
	stun_add(&w, STUN_DATA, data, len);
	introduce_send(in, &w, out);
	return true;
}

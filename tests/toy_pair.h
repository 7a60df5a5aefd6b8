/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two peers that punch, and the rendezvous, in the world of toy_world.h. */
#ifndef NATSIM_TESTS_TOY_PAIR_H
#define NATSIM_TESTS_TOY_PAIR_H

#include "peers/core/punch.h"
#include "peers/core/rendezvous.h"
#include "tests/toy_world.h"

#define TOY_GIVE_UP_US 10000000u
#define TOY_NONCE(i)   (0xa5a5000000000001u + (uint64_t)(i))

struct toy_pair {
	struct toy_world *w;
	struct rendezvous rendezvous;
	struct punch peers[2];
};

static inline struct strategy_config toy_config(const struct toy_world *w, int host, bool tcp)
{
	return (struct strategy_config){ .tcp = tcp,
					 .role = host == TOY_A ? 'a' : 'b',
					 .server = toy_server(0, 0),
					 .server_alt = toy_server(1, 1),
					 .session = "session",
					 .session_len = 7,
					 .local_addr = toy_addr(w, host),
					 .nonce = TOY_NONCE(host),
					 .seed = (uint64_t)host,
					 .give_up_us = TOY_GIVE_UP_US };
}

static inline void toy_set_server(struct toy_world *w, struct rendezvous *r)
{
	rendezvous_init(r, &(struct rendezvous_config){
				   { TOY_SERVER_ADDR, TOY_SERVER_ADDR + 1 }, { 3478, 3479 }, 1 });
	toy_set_machine(w, TOY_SERVER, rendezvous_step, r, 0);
}

/* The NATs, links and the like of the world can be set until the machines are. */
static inline struct toy_pair *toy_pair_new(uint64_t seed)
{
	struct toy_pair *p = calloc(1, sizeof(*p));

	assert(p != NULL);
	p->w = toy_new(seed);
	toy_set_server(p->w, &p->rendezvous);
	return p;
}

/* Both peers get the word at about the same time; late_us[] is what each holds back. */
static inline void toy_pair_start(struct toy_pair *p, bool tcp, const uint64_t late_us[static 2])
{
	for (int i = 0; i < 2; i++) {
		struct strategy_config config = toy_config(p->w, i, tcp);

		config.start_delay_us = late_us[i];
		punch_strategy.init(&p->peers[i], &config);
		toy_set_machine(p->w, i, punch_strategy.step, &p->peers[i], 1000);
	}
}

static inline void toy_pair_free(struct toy_pair *p)
{
	toy_free(p->w);
	free(p);
}

/* Both ended, with the same result; on success each names the other. Returns true on success. */
static inline bool toy_pair_agree(const struct toy_pair *p)
{
	const struct toy_host *a = &p->w->hosts[TOY_A], *b = &p->w->hosts[TOY_B];

	assert_true(a->done && b->done);
	assert_int_equal(a->status, b->status);
	if (a->status != 0)
		return false;
	assert_true(p->peers[0].handshake.peer_nonce == TOY_NONCE(TOY_B));
	assert_true(p->peers[1].handshake.peer_nonce == TOY_NONCE(TOY_A));
	assert_int_equal(p->peers[0].remote.addr, TOY_OUTSIDE_ADDR(TOY_B));
	assert_int_equal(p->peers[1].remote.addr, TOY_OUTSIDE_ADDR(TOY_A));
	return true;
}

#endif

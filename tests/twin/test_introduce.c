// SPDX-License-Identifier: GPL-2.0-or-later
/* Two peers whose routers let nothing through between them talk by the server: with notes, of which
 * none is missed, and with data, of which some may be. */
#include <string.h>

#include "peers/core/introduce.h"
#include "tests/twin_pair.h"

#define SOCKET      1u
#define SOCKET_LATE 2u
#define NOTES       5u
#define RELAY_US    20000u
#define ENOUGH      20u /* packets that came */
#define HARD        NAT(APD, APD, "random")

struct talker {
	struct introduce in;
	uint64_t next_us;
	unsigned notes, relayed;
	bool moves, has_moved;
	uint8_t last; /* of the peer's notes; they count up */
	bool orderly;
};

static void count_relayed(void *context, uint64_t now_us, const uint8_t *data, size_t len,
			  struct actions *out)
{
	struct talker *t = context;
	(void)now_us;
	(void)out;

	t->relayed += len == 5 && memcmp(data, "hello", 5) == 0;
}

static void look_at_note(struct talker *t)
{
	const struct introduce *in = &t->in;

	if (in->peer_note_len != 1)
		return;
	t->orderly = t->orderly && in->peer_note[0] >= t->last;
	t->last = in->peer_note[0];
}

static bool is_done(const struct talker *t)
{
	return t->notes == NOTES && t->in.confirmed && t->last == NOTES && t->relayed >= ENOUGH &&
	       t->has_moved == t->moves;
}

static void talk(struct talker *t, uint64_t now_us, struct actions *out)
{
	struct introduce *in = &t->in;

	if (now_us >= t->next_us) {
		t->next_us = now_us + RELAY_US;
		(void)introduce_relay(in, "hello", 5, out);
	}
	if (t->notes == 0 || (in->confirmed && t->notes < NOTES)) {
		uint8_t note = (uint8_t)++t->notes;

		introduce_set_note(in, now_us, &note, 1, out);
	} else if (t->moves && !t->has_moved && in->confirmed) {
		t->has_moved = true;
		if (in->config.transport == INTRODUCE_UDP)
			act_close(out, SOCKET);
		introduce_move(in, now_us, SOCKET_LATE, (struct endpoint){ in->local.addr, 0 },
			       out);
	}
}

static uint64_t talker_step(void *state, uint64_t now_us, const struct event *event,
			    struct actions *out)
{
	struct talker *t = state;

	(void)introduce_step(&t->in, now_us, event, out);
	look_at_note(t);
	if (t->in.state == INTRODUCE_READY)
		talk(t, now_us, out);
	uint64_t wake_us = introduce_wake_us(&t->in);
	return t->in.state == INTRODUCE_READY && t->next_us < wake_us ? t->next_us : wake_us;
}

/* Some of what goes to and comes from the server is lost. */
static bool lose_some(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	struct twin_pair *pair = arg;
	(void)now_us;

	assert_false(pair_is_between_peers(p));
	return p->protocol == TWIN_UDP && prng_chance(&pair->prng, 0.2);
}

static void start_talker(struct twin_pair *p, int who, struct talker *t, bool tcp)
{
	*t = (struct talker){ .moves = who == PAIR_A, .orderly = true };
	introduce_init(&t->in, &(struct introduce_config){
				       .transport = tcp ? INTRODUCE_TCP : INTRODUCE_UDP,
				       .socket = SOCKET,
				       .server = pair_server(0, 0),
				       .local = { pair_addr(p, who), 0 },
				       .session = (const uint8_t *)"talk",
				       .session_len = 4,
				       .role = who == PAIR_A ? 'a' : 'b',
				       .seed = 7 + (uint64_t)who,
				       .relayed = count_relayed,
				       .relayed_context = t,
			       });
	pair_set_machine(p, who, talker_step, t, PAIR_START_US);
}

static void two_talk(bool tcp, uint64_t seed)
{
	struct twin_pair *p = pair_new(&(struct pair_config){
		.seed = seed, .nats = { HARD, HARD }, .delays_us = { 20000, 30000, 1000 } });
	struct talker talkers[2];

	prng_init(&p->prng, seed);
	p->lose = lose_some;
	p->lose_arg = p;
	for (int who = 0; who < 2; who++)
		start_talker(p, who, &talkers[who], tcp);
	for (unsigned s = 0; s < 60 && !(is_done(&talkers[0]) && is_done(&talkers[1])); s++)
		pair_run(p, pair_now_us(p) + 1000000);
	for (int who = 0; who < 2; who++) {
		const struct talker *t = &talkers[who];

		if (!is_done(t) || !t->orderly)
			fail_msg("seed %llu, %c: %u notes, last heard %u, relayed %u, confirmed %d",
				 (unsigned long long)seed, "ab"[who], t -> notes, t -> last,
				 t -> relayed, t -> in.confirmed);
	}
	assert_true(endpoint_equal(talkers[1].in.latest[0], talkers[0].in.observed));
	pair_free(p);
}

static void two_behind_hard_routers_talk_over_udp(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		two_talk(false, seed);
}

static void two_behind_hard_routers_talk_over_tcp(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		two_talk(true, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_behind_hard_routers_talk_over_udp),
		cmocka_unit_test(two_behind_hard_routers_talk_over_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a mapping lives, at the model's own timeouts: there at 0.9 of them and gone at 1.05, as
 * observe_life.c has it. A packet that asks may keep the mapping alive, so each question begins
 * anew.
 *
 * Where conntrack alone keeps the mappings, those that nobody has answered have a life of their
 * own, and a flow's life is that of an answered one.
 */
#include "sim/experiment/observe_twin_play.h"

/* Until a mapping would be gone that nothing refreshes, and how often in a life it is. */
#define REFRESH_LIVES 1.5
#define REFRESHES     4u

/* conntrack takes a UDP flow for answered once packets have gone both ways for two seconds. */
#define ANSWERED_US 2500000u

enum way { NOTHING, OUTBOUND, INBOUND };

struct question {
	enum nat_transport transport;
	bool answered; /* over UDP: packets go both ways first */
	bool closing;  /* over TCP: one side has closed */
	enum way refreshed_by;
	uint32_t life_ms;
	double asked; /* in lives */
};

static bool get_answer(struct play *p, struct play_flow *f)
{
	bool came = play_flow_gets_in(p, f);

	play_wait(p, ANSWERED_US);
	play_flow_send_out(p, f);
	return came && play_flow_gets_in(p, f);
}

static bool begin(struct play *p, const struct question *q, struct play_flow *ret)
{
	play_reset(p);
	return play_flow_open(p, &(struct play_open){ .transport = q->transport }, ret) &&
	       (!q->answered || get_answer(p, ret)) &&
	       (!q->closing || play_flow_half_close(p, ret));
}

/* Whether the mapping is there when it is asked for. */
static enum observed ask(struct play *p, const struct question *q)
{
	uint64_t life_us = UINT64_C(1000) * q->life_ms;
	uint64_t asked_us = (uint64_t)(q->asked * (double)life_us), at_us = 0;
	struct play_flow f;

	if (!begin(p, q, &f))
		return NOT_OBSERVED;
	for (; q->refreshed_by != NOTHING && at_us + life_us / REFRESHES < asked_us;
	     at_us += life_us / REFRESHES) {
		play_wait(p, life_us / REFRESHES);
		if (q->refreshed_by == OUTBOUND)
			play_flow_send_out(p, &f);
		else
			(void)play_flow_gets_in(p, &f);
	}
	play_wait(p, asked_us - at_us);
	return observed(play_flow_gets_in(p, &f));
}

static enum observed not(enum observed seen) {
	return seen == NOT_OBSERVED ? seen : observed(seen == OBSERVED_NO);
}

static struct observed_life life_of(struct play *p, struct question q)
{
	struct observed_life life;

	q.asked = 1 - OBSERVE_TOLERANCE;
	life.alive = ask(p, &q);
	q.asked = 1 + OBSERVE_TOLERANCE / 2;
	life.gone = not(ask(p, &q));
	return life;
}

static void observe_udp(struct play *p, struct observations *ret)
{
	const struct nat_timeouts *t = &p->model->timeouts;
	bool overloads = p->model->of[NAT_UDP].overloads;
	struct question q = { .transport = NAT_UDP, .life_ms = t->udp_ms, .answered = overloads };

	ret->of[NAT_UDP].life = life_of(p, q);
	if (overloads)
		ret->unreplied = life_of(p, (struct question){ .transport = NAT_UDP,
							       .life_ms = t->udp_unreplied_ms });
	q.asked = REFRESH_LIVES;
	q.refreshed_by = OUTBOUND;
	ret->refreshed_by_outbound = ask(p, &q);
	q.refreshed_by = INBOUND;
	ret->refreshed_by_inbound = ask(p, &q);
}

static void observe_tcp(struct play *p, struct observations *ret)
{
	const struct nat_timeouts *t = &p->model->timeouts;

	ret->of[NAT_TCP].life = life_of(
		p, (struct question){ .transport = NAT_TCP, .life_ms = t->tcp_established_ms });
	ret->closing = life_of(p, (struct question){ .transport = NAT_TCP,
						     .closing = true,
						     .life_ms = t->tcp_transitory_ms });
}

void play_observe_lives(struct play *p, struct observations *ret)
{
	if (ret->of[NAT_UDP].gets_through)
		observe_udp(p, ret);
	if (ret->of[NAT_TCP].gets_through)
		observe_tcp(p, ret);
}

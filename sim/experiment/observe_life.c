// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a mapping lives. A packet that asks may itself keep the mapping alive, so each question
 * has a flow of its own; all of them live at the same time.
 */
#include <errno.h>
#include <poll.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"

/* Until a mapping would be gone that nothing refreshes. */
#define REFRESH_LIVES 1.5
/* How often in a life a refreshing packet is sent. */
#define REFRESHES     4u

/* Of a router that seems not to be what it says. */
#define TRIES 3u

enum { BEFORE, AFTER, OUTBOUND, INBOUND, TCP_BEFORE, TCP_AFTER, FLOWS };

struct lives {
	struct flow flows[FLOWS];
	bool there[FLOWS];
	uint64_t begun_us[FLOWS];
	bool answered[FLOWS];
};

static void lives_cleanup(struct lives *l)
{
	for (size_t i = 0; i < FLOWS; i++)
		flow_close(&l->flows[i]);
}

static int open_all(const struct observer *o, struct lives *l, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < FLOWS; i++) {
		rc = i < TCP_BEFORE ? flow_open(o, 0, 0, 0, &l->flows[i], &l->there[i], e)
				    : connection_open(o, 0, 0, 0, &l->flows[i], &l->there[i], e);
		l->begun_us[i] = process_now_us();
	}
	return rc;
}

static uint64_t after(uint64_t begun_us, uint32_t life_ms, double lives)
{
	return begun_us + (uint64_t)(lives * life_ms * 1000.0);
}

/* When each flow is asked whether it still gets in. */
static uint64_t asked_at(const struct lives *l, size_t i)
{
	static const struct {
		uint32_t life_ms;
		double lives;
	} when[FLOWS] = {
		[BEFORE] = { OBSERVE_UDP_MS, 1 - OBSERVE_TOLERANCE },
		[AFTER] = { OBSERVE_UDP_MS, 1 + OBSERVE_TOLERANCE },
		[OUTBOUND] = { OBSERVE_UDP_MS, REFRESH_LIVES },
		[INBOUND] = { OBSERVE_UDP_MS, REFRESH_LIVES },
		[TCP_BEFORE] = { OBSERVE_TCP_ESTABLISHED_MS, 1 - OBSERVE_TOLERANCE },
		[TCP_AFTER] = { OBSERVE_TCP_ESTABLISHED_MS, 1 + OBSERVE_TOLERANCE },
	};

	return after(l->begun_us[i], when[i].life_ms, when[i].lives);
}

static void wait_until(uint64_t at_us)
{
	uint64_t now_us;

	while ((now_us = process_now_us()) < at_us)
		(void)poll(NULL, 0, (int)((at_us - now_us + 999) / 1000));
}

/* Sends what is to refresh, and asks, each in its time; the order is that of the times. */
static void live(struct lives *l)
{
	uint64_t next_us[FLOWS];
	bool asked[FLOWS] = { false };

	for (size_t i = 0; i < FLOWS; i++)
		next_us[i] = i == OUTBOUND || i == INBOUND
				     ? after(l->begun_us[i], OBSERVE_UDP_MS, 1.0 / REFRESHES)
				     : asked_at(l, i);
	for (;;) {
		size_t first = FLOWS;

		for (size_t i = 0; i < FLOWS; i++)
			if (!asked[i] && (first == FLOWS || next_us[i] < next_us[first]))
				first = i;
		if (first == FLOWS)
			return;
		wait_until(next_us[first]);
		flow_drain(&l->flows[first]);
		if (next_us[first] >= asked_at(l, first)) {
			asked[first] = true;
			l->answered[first] = flow_gets_in(&l->flows[first]);
			continue;
		}
		if (first == OUTBOUND)
			flow_send_out(&l->flows[first]);
		else
			flow_send_in(&l->flows[first]);
		next_us[first] = after(next_us[first], OBSERVE_UDP_MS, 1.0 / REFRESHES);
	}
}

static void note(const struct lives *l, size_t i, bool means, enum observed *ret)
{
	if (l->there[i])
		*ret = observed(l->answered[i] == means);
}

static int observe_once(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(lives) struct lives l = { .there = { false } };

	for (size_t i = 0; i < FLOWS; i++)
		l.flows[i] = (struct flow)FLOW_NONE;
	int rc = open_all(o, &l, e);
	if (rc < 0)
		return rc;
	live(&l);
	note(&l, BEFORE, true, &ret->of[NAT_UDP].alive);
	note(&l, AFTER, false, &ret->of[NAT_UDP].gone);
	note(&l, OUTBOUND, true, &ret->refreshed_by_outbound);
	note(&l, INBOUND, true, &ret->refreshed_by_inbound);
	note(&l, TCP_BEFORE, true, &ret->of[NAT_TCP].alive);
	note(&l, TCP_AFTER, false, &ret->of[NAT_TCP].gone);
	return 0;
}

static bool is_as_declared(const struct nat_model *m, const struct observations *seen)
{
	bool outbound = m->refresh == NAT_REFRESH_BOTH || m->refresh == NAT_REFRESH_OUTBOUND;
	bool inbound = m->refresh == NAT_REFRESH_BOTH || m->refresh == NAT_REFRESH_INBOUND;

	return seen->of[NAT_UDP].alive != OBSERVED_NO && seen->of[NAT_UDP].gone != OBSERVED_NO &&
	       seen->of[NAT_TCP].alive != OBSERVED_NO && seen->of[NAT_TCP].gone != OBSERVED_NO &&
	       seen->refreshed_by_outbound != observed(!outbound) &&
	       seen->refreshed_by_inbound != observed(!inbound);
}

/* On a busy machine a question may be late, and find a mapping gone that was there in time. What a
 * router does, it does again. */
int observe_lives(const struct observer *o, struct observations *ret, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < TRIES; i++) {
		rc = observe_once(o, ret, e);
		if (is_as_declared(&o->stage->models[0], ret))
			break;
	}
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a mapping lives. A packet that asks may itself keep the mapping alive, so each question
 * has a flow of its own; all of them live at the same time.
 *
 * An answer counts whenever it comes, for the mapping was there when it was asked for, unless it is
 * not clear when the mapping began. Silence counts only if the question was at the router in time,
 * which a ping sent after it tells: later than that, a mapping may be gone that was there as long
 * as it should, or one that lived too long. What is kept alive by packets must have had them in
 * time as well. What does not count leaves a question open, and it is asked again.
 */
#include <poll.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/experiment/observe_flow.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* Until a mapping would be gone that nothing refreshes. */
#define REFRESH_LIVES 1.5
/* How often in a life a refreshing packet is sent; it is late if it comes when the next is due. */
#define REFRESHES     4u

/* After which no round begins. */
#define ROUNDS_US 20000000u

/* Where conntrack alone has the mappings, a flow is answered for good once packets have gone both
 * ways for two seconds; an answer at once, and a packet of the host later than that, do. */
#define ANSWERED_US 2100000u

/* The lab's timers have ticks. */
#define TICKS 0.01

/* In the order in which they are opened: TCP takes longer, and its mappings live longer. */
enum question {
	TCP_BEFORE,
	TCP_AFTER,
	CLOSING_BEFORE,
	CLOSING_AFTER,
	UNREPLIED_BEFORE,
	UNREPLIED_AFTER,
	UDP_BEFORE,
	UDP_AFTER,
	UDP_OUTBOUND,
	UDP_INBOUND,
	QUESTIONS
};

/* In lives: when it is asked, and by when the question must be at the router. */
static const struct {
	enum nat_transport transport;
	uint32_t life_ms;
	double asked, arrives;
} of[QUESTIONS] = {
	[TCP_BEFORE] = { NAT_TCP, OBSERVE_TCP_ESTABLISHED_MS, 1 - OBSERVE_TOLERANCE, 1 - TICKS },
	[TCP_AFTER] = { NAT_TCP, OBSERVE_TCP_ESTABLISHED_MS, 1 + OBSERVE_TOLERANCE / 2,
			1 + OBSERVE_TOLERANCE },
	[CLOSING_BEFORE] = { NAT_TCP, OBSERVE_TCP_TRANSITORY_MS, 1 - OBSERVE_TOLERANCE, 1 - TICKS },
	[CLOSING_AFTER] = { NAT_TCP, OBSERVE_TCP_TRANSITORY_MS, 1 + OBSERVE_TOLERANCE / 2,
			    1 + OBSERVE_TOLERANCE },
	[UNREPLIED_BEFORE] = { NAT_UDP, OBSERVE_UDP_UNREPLIED_MS, 1 - OBSERVE_TOLERANCE,
			       1 - TICKS },
	[UNREPLIED_AFTER] = { NAT_UDP, OBSERVE_UDP_UNREPLIED_MS, 1 + OBSERVE_TOLERANCE / 2,
			      1 + OBSERVE_TOLERANCE },
	[UDP_BEFORE] = { NAT_UDP, OBSERVE_UDP_MS, 1 - OBSERVE_TOLERANCE, 1 - TICKS },
	[UDP_AFTER] = { NAT_UDP, OBSERVE_UDP_MS, 1 + OBSERVE_TOLERANCE / 2, 1 + OBSERVE_TOLERANCE },
	[UDP_OUTBOUND] = { NAT_UDP, OBSERVE_UDP_MS, REFRESH_LIVES,
			   REFRESH_LIVES + 1.0 / REFRESHES },
	[UDP_INBOUND] = { NAT_UDP, OBSERVE_UDP_MS, REFRESH_LIVES, REFRESH_LIVES + 1.0 / REFRESHES },
};

struct asking {
	struct flow flow;
	bool waits; /* there is something to be sent yet */
	bool late;  /* something was */
	bool young; /* the flow is to be answered for good first */
	/* The mapping's life begins between the two. */
	uint64_t from_us, begun_us;
	uint64_t next_us; /* when something is to be sent */
};

struct lives {
	bool answers; /* conntrack alone has the UDP mappings */
	struct asking asking[QUESTIONS];
	bool asked[QUESTIONS];
	bool open[QUESTIONS];  /* no answer that counts yet */
	bool there[QUESTIONS]; /* the answer: the mapping was */
};

static void lives_close(struct lives *l)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		flow_close(&l->asking[i].flow);
}

static void lives_cleanup(struct lives *l)
{
	lives_close(l);
}

static uint64_t after(uint64_t begun_us, size_t i, double lives)
{
	return begun_us + (uint64_t)(lives * of[i].life_ms * 1000.0);
}

static bool is_refreshed(size_t i)
{
	return i == UDP_OUTBOUND || i == UDP_INBOUND;
}

static bool is_closing(size_t i)
{
	return i == CLOSING_BEFORE || i == CLOSING_AFTER;
}

static bool is_unreplied(size_t i)
{
	return i == UNREPLIED_BEFORE || i == UNREPLIED_AFTER;
}

/* A connection that one side has closed is transitory (RFC 5382, section 5); the other side may
 * still send by it. Returns false if nothing came of it. */
static bool half_close(const struct flow *f)
{
	char end;

	return shutdown(f->inside_fd, SHUT_WR) == 0 &&
	       socket_await(f->outside_fd, POLLIN, process_now_us() + OBSERVE_SILENCE_US) &&
	       socket_receive(f->outside_fd, &end, sizeof(end), NULL) == 0;
}

static void due(struct asking *a, size_t i)
{
	a->next_us = after(a->begun_us, i, is_refreshed(i) ? 1.0 / REFRESHES : of[i].asked);
}

static int begin(const struct observer *o, bool answers, size_t i, struct asking *a, struct err *e)
{
	bool there = false;

	*a = (struct asking){ .flow = FLOW_NONE, .from_us = process_now_us() };
	int rc = of[i].transport == NAT_TCP ? connection_open(o, 0, 0, 0, &a->flow, &there, e)
					    : flow_open(o, 0, 0, 0, &a->flow, &there, e);
	if (rc < 0 || !there)
		return rc;
	if (is_closing(i)) {
		a->from_us = process_now_us();
		if (!half_close(&a->flow))
			return 0;
	}
	a->young = answers && of[i].transport == NAT_UDP && !is_unreplied(i);
	if (a->young)
		flow_send_in(&a->flow);
	/* What was sent again, and what was said to it, would make the mapping younger. */
	a->waits = observer_settle(o, process_now_us() + OBSERVE_SILENCE_US);
	a->begun_us = process_now_us();
	due(a, i);
	if (a->young)
		a->next_us = a->begun_us + ANSWERED_US;
	return 0;
}

static void wait_until(uint64_t at_us)
{
	uint64_t now_us;

	while ((now_us = process_now_us()) < at_us)
		(void)poll(NULL, 0, (int)((at_us - now_us + 999) / 1000));
}

static bool asks_for_end(size_t i)
{
	return i == TCP_AFTER || i == CLOSING_AFTER || i == UNREPLIED_AFTER || i == UDP_AFTER;
}

/* It took so long to begin that a host may have sent something again (RFC 6298: after 200 ms with
 * Linux), and what is under way twice can make a mapping younger than it is thought to be. */
static bool is_unclear(const struct asking *a, size_t i)
{
	return after(a->begun_us, i, of[i].asked) > after(a->from_us, i, of[i].arrives);
}

static void ask(const struct observer *o, struct lives *l, size_t i)
{
	struct asking *a = &l->asking[i];
	uint64_t passed_us;

	l->there[i] = flow_got_in(o, &a->flow, &passed_us);
	if (l->there[i])
		l->open[i] = asks_for_end(i) && is_unclear(a, i);
	else
		l->open[i] = a->late || passed_us > after(a->from_us, i, of[i].arrives);
	a->waits = false;
}

static void refresh(const struct observer *o, struct asking *a, size_t i)
{
	if (i == UDP_OUTBOUND)
		flow_send_out(&a->flow);
	else
		flow_send_in(&a->flow);
	uint64_t due_us = a->next_us;
	a->next_us = after(due_us, i, 1.0 / REFRESHES);
	a->late |= !observer_settle(o, a->next_us) || process_now_us() > a->next_us;
}

/* From here on the flow is an answered one, unless it has ended meanwhile. */
static void mature(const struct observer *o, struct asking *a, size_t i)
{
	uint64_t ends_us = after(a->from_us, UNREPLIED_BEFORE, of[UNREPLIED_BEFORE].arrives);

	a->from_us = process_now_us();
	flow_send_out(&a->flow);
	bool passed = observer_settle(o, a->from_us + OBSERVE_SILENCE_US);
	a->begun_us = process_now_us();
	a->young = false;
	a->waits = passed && a->begun_us < ends_us;
	due(a, i);
}

/* Each in its time. */
static void live(const struct observer *o, struct lives *l)
{
	for (;;) {
		size_t i = QUESTIONS;

		for (size_t k = 0; k < QUESTIONS; k++)
			if (l->asking[k].waits &&
			    (i == QUESTIONS || l->asking[k].next_us < l->asking[i].next_us))
				i = k;
		if (i == QUESTIONS)
			return;
		struct asking *a = &l->asking[i];
		wait_until(a->next_us);
		flow_drain(&a->flow);
		if (a->young)
			mature(o, a, i);
		else if (a->next_us >= after(a->begun_us, i, of[i].asked))
			ask(o, l, i);
		else
			refresh(o, a, i);
	}
}

static bool any_open(const struct lives *l)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		if (l->open[i])
			return true;
	return false;
}

static void note(const struct lives *l, size_t i, bool means, enum observed *ret)
{
	if (l->asked[i] && !l->open[i])
		*ret = observed(l->there[i] == means);
}

static void note_all(const struct lives *l, struct observations *ret)
{
	note(l, UDP_BEFORE, true, &ret->of[NAT_UDP].life.alive);
	note(l, UDP_AFTER, false, &ret->of[NAT_UDP].life.gone);
	note(l, UNREPLIED_BEFORE, true, &ret->unreplied.alive);
	note(l, UNREPLIED_AFTER, false, &ret->unreplied.gone);
	note(l, UDP_OUTBOUND, true, &ret->refreshed_by_outbound);
	note(l, UDP_INBOUND, true, &ret->refreshed_by_inbound);
	note(l, TCP_BEFORE, true, &ret->of[NAT_TCP].life.alive);
	note(l, TCP_AFTER, false, &ret->of[NAT_TCP].life.gone);
	note(l, CLOSING_BEFORE, true, &ret->closing.alive);
	note(l, CLOSING_AFTER, false, &ret->closing.gone);
}

static int observe_round(const struct observer *o, struct lives *l, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < QUESTIONS; i++)
		if (l->open[i])
			rc = begin(o, l->answers, i, &l->asking[i], e);
	if (rc == 0)
		live(o, l);
	lives_close(l);
	return rc;
}

int observe_lives(const struct observer *o, struct observations *ret, struct err *e)
{
	CLEANUP(lives)
	struct lives l = { .answers = o->stage->models[0].of[NAT_UDP].overloads };
	uint64_t until_us = process_now_us() + ROUNDS_US;
	int rc = 0;

	for (size_t i = 0; i < QUESTIONS; i++) {
		l.asking[i].flow = (struct flow)FLOW_NONE;
		l.asked[i] = l.open[i] =
			ret->of[of[i].transport].gets_through && (l.answers || !is_unreplied(i));
	}
	for (unsigned round = 0; rc == 0 && round < OBSERVE_ROUNDS && any_open(&l); round++) {
		if (process_now_us() > until_us)
			break;
		rc = observe_round(o, &l, e);
	}
	if (rc == 0)
		note_all(&l, ret);
	return rc;
}

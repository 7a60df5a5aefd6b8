// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Can the peers end with different results? The handshake alone leaves one way (handshake.h), and
 * time adds none: 'a' gives a nomination made just before the end the time it needs, and 'b', once
 * it has agreed, stays for as long as 'a' still asks. So any one packet may be lost. Over UDP the
 * results differ only if the acknowledgement is lost, and then twelve messages of 'a' in a row:
 * less than once in a million agreements where three packets in ten are lost.
 */
#include "peers/core/course.h"

/* How long 'a' waits for the answer to its nominations before it tries other paths again: at least
 * six rounds, and at most what no round-trip on Earth takes (two hops over a geostationary
 * satellite are 1.2 s). */
#define SETTLE_MIN_US (6u * COURSE_INTERVAL_US)
#define SETTLE_MAX_US 2000000u

/* How long the rendezvous may take, and the other peer to come to it. */
#define MEET_US 10000000u

void course_init(struct course *c, const struct strategy *strategy,
		 const struct course_means *means, const struct strategy_config *config)
{
	struct introduce_config meeting = {
		.transport = config->tcp ? INTRODUCE_TCP : INTRODUCE_UDP,
		.socket = COURSE_SOCKET_MAIN,
		.server = config->server,
		.local = { config->local_addr, config->local_port },
		.session = config->session,
		.session_len = config->session_len,
		.role = config->role,
		.give_up_us = MEET_US,
		.seed = config->seed,
		.announce = { { config->local_addr, 0 } },
		.announce_count = 1,
	};

	c->strategy = strategy;
	c->means = means;
	c->config = *config;
	if (means->meet != NULL)
		means->meet(c, &meeting);
	introduce_init(&c->introduce, &meeting);
	handshake_init(&c->handshake, config->role == 'a',
		       probe_tag(config->session, config->session_len), config->nonce);
}

/* Gives everything back, as far as there is room. */
static void end(struct course *c, struct actions *out)
{
	if (c->means->release != NULL && !c->means->release(c, out))
		return;
	c->phase = COURSE_DONE;
	c->means->close(c, out);
	introduce_close(&c->introduce, out);
	act_done(out, c->reason == NULL ? 0 : 1);
}

static void finish(struct course *c, const char *reason, struct actions *out)
{
	c->phase = COURSE_CLOSING;
	c->reason = reason;
	end(c, out);
}

/* What the handshake saw says how far the packets got. */
static const char *failure(const struct course *c)
{
	const char *known = c->means->failure != NULL ? c->means->failure(c) : NULL;

	if (known != NULL)
		return known;
	if (!c->handshake.heard)
		return "nothing from the peer came in";
	if (!c->handshake.echoed)
		return "the peer's packets came in, but ours did not get there";
	return "a path was found, but the peer did not settle on it";
}

static void meet(struct course *c, uint64_t now_us, struct actions *out)
{
	if (c->introduce.state == INTRODUCE_FAILED)
		finish(c, c->introduce.reason, out);
	if (c->introduce.state != INTRODUCE_READY)
		return;
	c->phase = COURSE_HOLDING;
	c->go_us = now_us + c->config.start_delay_us;
}

/* Our nonce went out and came back in no more than the time from the start to found_us, so one more
 * round-trip should not take twice as long. */
static uint64_t settle_us(const struct course *c, uint64_t found_us)
{
	uint64_t twice_us = 2 * (found_us - c->go_us);

	if (twice_us < SETTLE_MIN_US)
		return SETTLE_MIN_US;
	return twice_us < SETTLE_MAX_US ? twice_us : SETTLE_MAX_US;
}

/* 'b' stays for as long after the peer's last word as 'a' may take to give up on one path and to
 * nominate another; but not for ever, whatever comes in. */
static uint64_t linger_until_us(const struct course *c)
{
	uint64_t quiet_us = c->heard_us + 2 * settle_us(c, c->connected_us);
	uint64_t last_us = c->connected_us + 2 * SETTLE_MAX_US;

	return quiet_us < last_us ? quiet_us : last_us;
}

/* A nomination that is under way at the end gets the time it needs. */
static uint64_t give_up_at_us(const struct course *c)
{
	uint64_t end_us = c->go_us + c->config.give_up_us;

	return c->settle_by_us > end_us ? c->settle_by_us : end_us;
}

static void watch_nomination(struct course *c, uint64_t now_us)
{
	if (c->handshake.state != HANDSHAKE_NOMINATED) {
		c->settle_by_us = 0;
	} else if (c->settle_by_us == 0) {
		c->settle_by_us = now_us + settle_us(c, now_us);
	} else if (now_us >= c->settle_by_us) {
		handshake_reconsider(&c->handshake);
		c->settle_by_us = 0;
	}
}

/* Takes note of what the handshake has come to. */
static void settle(struct course *c, uint64_t now_us, struct actions *out)
{
	enum handshake_state state = c->handshake.state;

	watch_nomination(c, now_us);
	if (state != HANDSHAKE_AGREED && state != HANDSHAKE_OVER)
		return;
	bool first = c->connected_us == 0;
	if (first)
		c->connected_us = now_us;
	if (first || c->path != c->handshake.path) {
		c->path = c->handshake.path;
		c->remote = c->means->remote(c, c->path);
		if (c->means->local != NULL)
			c->local = c->means->local(c, c->path);
	}
	c->phase = COURSE_LINGERING;
	if (state == HANDSHAKE_OVER || now_us >= linger_until_us(c))
		finish(c, NULL, out);
}

static void try(struct course *c, uint64_t now_us, const struct event *ev, struct actions *out)
{
	if (ev->kind != EVENT_TIMER && !introduce_is_for(&c->introduce, ev))
		c->means->event(c, now_us, ev, out);
	if (c->phase == COURSE_TRYING && now_us >= c->next_round_us)
		c->means->round(c, now_us, out);
	settle(c, now_us, out);
	if (c->phase == COURSE_TRYING && now_us >= give_up_at_us(c))
		finish(c, failure(c), out);
}

static uint64_t next_wake(const struct course *c, uint64_t now_us)
{
	uint64_t wake_us;

	switch (c->phase) {
	case COURSE_HOLDING:
		return c->go_us;
	case COURSE_TRYING:
		wake_us = c->settle_by_us != 0 ? c->settle_by_us : give_up_at_us(c);
		return c->next_round_us < wake_us ? c->next_round_us : wake_us;
	case COURSE_LINGERING:
		return linger_until_us(c);
	case COURSE_CLOSING:
		return now_us;
	case COURSE_MEETING:
	case COURSE_DONE:
		break;
	}
	return NEVER;
}

uint64_t course_step(void *state, uint64_t now_us, const struct event *ev, struct actions *out)
{
	struct course *c = state;

	if (c->phase == COURSE_DONE)
		return NEVER;
	if (ev->kind == EVENT_START)
		c->start_us = now_us;

	if (c->phase == COURSE_CLOSING) {
		end(c, out);
		return c->phase == COURSE_CLOSING ? now_us : NEVER;
	}

	uint64_t meet_wake_us = introduce_step(&c->introduce, now_us, ev, out);
	if (c->phase == COURSE_MEETING)
		meet(c, now_us, out);
	if (c->phase == COURSE_HOLDING && now_us >= c->go_us) {
		c->phase = COURSE_TRYING;
		c->means->begin(c, now_us, out);
	}
	if (c->phase == COURSE_TRYING || c->phase == COURSE_LINGERING)
		try(c, now_us, ev, out);

	uint64_t wake_us = next_wake(c, now_us);
	return meet_wake_us < wake_us && c->phase != COURSE_DONE ? meet_wake_us : wake_us;
}

/* Between two times of this attempt; NEVER where the second never came. */
static uint64_t elapsed_us(uint64_t from_us, uint64_t to_us)
{
	return to_us == 0 ? NEVER : to_us - from_us;
}

void course_result(const void *state, struct strategy_result *ret)
{
	const struct course *c = state;
	bool connected = c->connected_us != 0;
	const char *reason = c->reason != NULL ? c->reason : "ended early";

	*ret = (struct strategy_result){
		.connected = connected,
		.reason = connected ? NULL : reason,
		.local = endpoint_is_none(c->local) ? c->introduce.local : c->local,
		.observed = c->introduce.observed,
		.remote = c->remote,
		.nonce = c->handshake.nonce,
		.peer_nonce = c->handshake.peer_nonce,
		.introduced_us = elapsed_us(c->start_us, c->introduce.ready_us),
		.connect_us = elapsed_us(c->go_us, c->connected_us),
		.packets = c->sent,
	};
}

void course_report(const void *state, struct buf *out)
{
	const struct course *c = state;
	struct strategy_result result;

	course_result(state, &result);
	strategy_report_result(c->strategy->name, &c->config, &result, out);
}

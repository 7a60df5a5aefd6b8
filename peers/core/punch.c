// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The idea: each peer sends to every endpoint the other may have, all at the same time. A router
 * opens its filter for whoever the inside sends to; once both sides have sent, the packets of each
 * find the other's filter open, provided that the other's outside port is the one the rendezvous
 * saw.
 *
 * Source: B. Ford, P. Srisuresh, D. Kegel, "Peer-to-Peer Communication Across Network Address
 * Translators", USENIX 2005; RFC 5128, section 3.3 (UDP) and 3.4 (TCP).
 *
 * It works where one side's outside port can be known beforehand (endpoint-independent mapping) and
 * the other side's packets are let in there: sim/model/oracle.c has the rule.
 *
 * The course: meet at the rendezvous; hold back for as long as the configuration says, deaf to
 * whatever comes in; try all paths until the handshake settles on one; linger until the other side
 * knows it too.
 *
 * Can the peers end with different results? The handshake alone leaves one way (handshake.h), and
 * time adds none: 'a' gives a nomination made just before the end the time it needs, and 'b', once
 * it has agreed, stays for as long as 'a' still asks. So any one packet may be lost. Over UDP the
 * results differ only if the acknowledgement is lost, and then twelve messages of 'a' in a row:
 * less than once in a million agreements where three packets in ten are lost.
 */
#include "peers/core/punch.h"

#include <string.h>

/* How long 'a' waits for the answer to its nominations before it tries other paths again: at least
 * six rounds, and at most what no round-trip on Earth takes (two hops over a geostationary
 * satellite are 1.2 s). */
#define SETTLE_MIN_US (6u * PUNCH_INTERVAL_US)
#define SETTLE_MAX_US 2000000u

/* How long the rendezvous may take, and the other peer to come to it. */
#define MEET_US 10000000u

static const struct punch_transport *transport(const struct punch *p)
{
	return p->config.tcp ? &punch_tcp : &punch_udp;
}

static void punch_init(void *state, const struct strategy_config *config)
{
	struct punch *p = state;
	struct introduce_config meet = {
		.transport = config->tcp ? INTRODUCE_TCP : INTRODUCE_UDP,
		.socket = PUNCH_SOCKET_MAIN,
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

	memset(p, 0, sizeof(*p));
	p->config = *config;
	introduce_init(&p->introduce, &meet);
	handshake_init(&p->handshake, config->role == 'a',
		       probe_tag(config->session, config->session_len), config->nonce);
}

static void finish(struct punch *p, const char *reason, struct actions *out)
{
	p->phase = PUNCH_DONE;
	p->reason = reason;
	transport(p)->close(p, out);
	introduce_close(&p->introduce, out);
	act_done(out, reason == NULL ? 0 : 1);
}

/* What the handshake saw says how far the packets got. */
static const char *failure(const struct punch *p)
{
	if (!p->handshake.heard)
		return "nothing from the peer came in";
	if (!p->handshake.echoed)
		return "the peer's packets came in, but ours did not get there";
	return "a path was found, but the peer did not settle on it";
}

static void meet(struct punch *p, uint64_t now_us, struct actions *out)
{
	if (p->introduce.state == INTRODUCE_FAILED)
		finish(p, p->introduce.reason, out);
	if (p->introduce.state != INTRODUCE_READY)
		return;
	p->phase = PUNCH_HOLDING;
	p->go_us = now_us + p->config.start_delay_us;
}

/* Our nonce went out and came back in no more than the time from the start to found_us, so one more
 * round-trip should not take twice as long. */
static uint64_t settle_us(const struct punch *p, uint64_t found_us)
{
	uint64_t twice_us = 2 * (found_us - p->go_us);

	if (twice_us < SETTLE_MIN_US)
		return SETTLE_MIN_US;
	return twice_us < SETTLE_MAX_US ? twice_us : SETTLE_MAX_US;
}

/* 'b' stays for as long after the peer's last word as 'a' may take to give up on one path and to
 * nominate another; but not for ever, whatever comes in. */
static uint64_t linger_until_us(const struct punch *p)
{
	uint64_t quiet_us = p->heard_us + 2 * settle_us(p, p->connected_us);
	uint64_t last_us = p->connected_us + 2 * SETTLE_MAX_US;

	return quiet_us < last_us ? quiet_us : last_us;
}

/* A nomination that is under way at the end gets the time it needs. */
static uint64_t give_up_at_us(const struct punch *p)
{
	uint64_t end_us = p->go_us + p->config.give_up_us;

	return p->settle_by_us > end_us ? p->settle_by_us : end_us;
}

static void watch_nomination(struct punch *p, uint64_t now_us)
{
	if (p->handshake.state != HANDSHAKE_NOMINATED) {
		p->settle_by_us = 0;
	} else if (p->settle_by_us == 0) {
		p->settle_by_us = now_us + settle_us(p, now_us);
	} else if (now_us >= p->settle_by_us) {
		handshake_reconsider(&p->handshake);
		p->settle_by_us = 0;
	}
}

/* Takes note of what the handshake has come to. */
static void settle(struct punch *p, uint64_t now_us, struct actions *out)
{
	enum handshake_state state = p->handshake.state;

	watch_nomination(p, now_us);
	if (state != HANDSHAKE_AGREED && state != HANDSHAKE_OVER)
		return;
	bool first = p->connected_us == 0;
	if (first)
		p->connected_us = now_us;
	if (first || p->path != p->handshake.path) {
		p->path = p->handshake.path;
		p->remote = transport(p)->remote(p, p->path);
	}
	p->phase = PUNCH_LINGERING;
	if (state == HANDSHAKE_OVER || now_us >= linger_until_us(p))
		finish(p, NULL, out);
}

static void try(struct punch *p, uint64_t now_us, const struct event *ev, struct actions *out)
{
	if (ev->kind != EVENT_TIMER && !introduce_is_for(&p->introduce, ev))
		transport(p)->event(p, now_us, ev, out);
	if (p->phase == PUNCH_TRYING && now_us >= p->next_round_us)
		transport(p)->round(p, now_us, out);
	settle(p, now_us, out);
	if (p->phase == PUNCH_TRYING && now_us >= give_up_at_us(p))
		finish(p, failure(p), out);
}

static uint64_t next_wake(const struct punch *p)
{
	uint64_t wake_us;

	switch (p->phase) {
	case PUNCH_HOLDING:
		return p->go_us;
	case PUNCH_TRYING:
		wake_us = p->settle_by_us != 0 ? p->settle_by_us : give_up_at_us(p);
		return p->next_round_us < wake_us ? p->next_round_us : wake_us;
	case PUNCH_LINGERING:
		return linger_until_us(p);
	case PUNCH_MEETING:
	case PUNCH_DONE:
		break;
	}
	return NEVER;
}

static uint64_t punch_step(void *state, uint64_t now_us, const struct event *ev,
			   struct actions *out)
{
	struct punch *p = state;

	if (p->phase == PUNCH_DONE)
		return NEVER;
	if (ev->kind == EVENT_START)
		p->start_us = now_us;

	uint64_t meet_wake_us = introduce_step(&p->introduce, now_us, ev, out);
	if (p->phase == PUNCH_MEETING)
		meet(p, now_us, out);
	if (p->phase == PUNCH_HOLDING && now_us >= p->go_us) {
		p->phase = PUNCH_TRYING;
		transport(p)->begin(p, now_us, out);
	}
	if (p->phase == PUNCH_TRYING || p->phase == PUNCH_LINGERING)
		try(p, now_us, ev, out);

	uint64_t wake_us = next_wake(p);
	return meet_wake_us < wake_us && p->phase != PUNCH_DONE ? meet_wake_us : wake_us;
}

/* Between two times of this attempt; NEVER where the second never came. */
static uint64_t elapsed_us(uint64_t from_us, uint64_t to_us)
{
	return to_us == 0 ? NEVER : to_us - from_us;
}

static void punch_result(const void *state, struct strategy_result *ret)
{
	const struct punch *p = state;
	bool connected = p->connected_us != 0;
	const char *reason = p->reason != NULL ? p->reason : "ended early";

	*ret = (struct strategy_result){
		.connected = connected,
		.reason = connected ? NULL : reason,
		.local = p->introduce.local,
		.observed = p->introduce.observed,
		.remote = p->remote,
		.nonce = p->handshake.nonce,
		.peer_nonce = p->handshake.peer_nonce,
		.introduced_us = elapsed_us(p->start_us, p->introduce.ready_us),
		.connect_us = elapsed_us(p->go_us, p->connected_us),
		.packets = p->sent,
	};
}

static void punch_report(const void *state, struct buf *out)
{
	const struct punch *p = state;
	struct strategy_result result;

	punch_result(state, &result);
	strategy_report_result(punch_strategy.name, &p->config, &result, out);
}

const struct strategy punch_strategy = {
	.name = "punch",
	.about = "both sides send to every endpoint of the other at the same time",
	.pair = true,
	.size = sizeof(struct punch),
	.init = punch_init,
	.step = punch_step,
	.result = punch_result,
	.report = punch_report,
};

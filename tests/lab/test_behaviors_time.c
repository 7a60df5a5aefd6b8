// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long mappings live, and what makes them live longer. Nothing but time ends a mapping, so time
 * is what these tests wait for; all routers and all mappings live side by side. A mapping is asked
 * for by what comes in to it, from where it sends to and from elsewhere.
 */
#include "tests/behavior_tcp.h"

/* A machine that is busy with something else may send or ask too late to show anything. Then all is
 * done again, so many times at most. */
#define TRIES 4

/* How late a packet may be, of a life of two seconds that is looked at after 90 and 110 %. */
#define LATE_US 100000u
#define TICK_US 500000u /* between packets that keep a mapping alive */

/* ---- UDP */

#define LIFE_US 2000000u

enum watched { IDLE_EARLY, IDLE_LATE, SENDING, RECEIVING, SENDING_ELSEWHERE, WATCHED };

static const struct {
	const char *name;
	uint64_t asked_us; /* after the mapping was made */
	/* What it is kept busy with until then; elsewhere is another port of the same address. */
	bool out, in, elsewhere;
} watching[WATCHED] = {
	[IDLE_EARLY] = { "idle, at 0.9 of its life", LIFE_US / 10 * 9, false, false, false },
	[IDLE_LATE] = { "idle, at 1.1 of its life", LIFE_US / 10 * 11, false, false, false },
	[SENDING] = { "sending, at 1.6 of its life", LIFE_US / 10 * 16, true, false, false },
	[RECEIVING] = { "receiving, at 1.6 of its life", LIFE_US / 10 * 16, false, true, false },
	[SENDING_ELSEWHERE] = { "sending elsewhere, at 1.1 of its life", LIFE_US / 10 * 11, false,
				false, true },
};

struct mapping {
	struct end inside;
	struct endpoint outside;
	uint64_t born_us, next_us;
	uint32_t asked[2];
	uint32_t sent; /* elsewhere, after that; 0: nothing */
	bool is_asked;
};

struct router {
	const char *model;
	bool alive[WATCHED]; /* when they are asked */
	bool mutes;          /* what a mapping that has ended goes on to send */
	struct behavior_lab l;
	struct end server, elsewhere, other;
	struct mapping mappings[WATCHED];
};

static void router_begin(struct router *r)
{
	behavior_lab_open(&r->l, "one-home", r->model);
	r->server = udp_at(&r->l, SERVER, 4000);
	r->elsewhere = udp_at(&r->l, SERVER, 4002);
	r->other = udp_at(&r->l, SERVER_ALT, 4001);
	for (int i = 0; i < WATCHED; i++) {
		struct mapping *m = &r->mappings[i];

		m->inside = udp_at(&r->l, HOST_A, 0);
		m->born_us = process_now_us();
		m->outside = map_port(&r->l, m->inside, r->server);
		m->next_us = m->born_us + TICK_US;
	}
}

/* Sends what is due. Returns false if it should have been sent much sooner. */
static bool mapping_step(struct router *r, int which, uint64_t now_us)
{
	struct mapping *m = &r->mappings[which];
	uint64_t ask_us = m->born_us + watching[which].asked_us;

	if (m->is_asked)
		return true;
	if (now_us >= ask_us) {
		m->asked[0] = say(&r->l, r->server, m->outside);
		m->asked[1] = say(&r->l, r->other, m->outside);
		m->is_asked = true;
		if (watching[which].elsewhere && r->mutes)
			m->sent = say(&r->l, m->inside, r->elsewhere.at);
		return now_us < ask_us + LATE_US;
	}
	if (now_us < m->next_us)
		return true;
	bool in_time = now_us < m->next_us + LATE_US;
	if (watching[which].out)
		(void)say(&r->l, m->inside, r->server.at);
	if (watching[which].in)
		(void)say(&r->l, r->server, m->outside);
	if (watching[which].elsewhere)
		(void)say(&r->l, m->inside, r->elsewhere.at);
	m->next_us += TICK_US;
	return in_time;
}

static void router_judge(struct router *r)
{
	for (int i = 0; i < WATCHED; i++) {
		struct mapping *m = &r->mappings[i];

		if (r->alive[i])
			for (int k = 0; k < 2; k++)
				if (!hears(m->inside, m->asked[k], soon_us(), NULL))
					BEHAVIOR_FAIL(&r->l, "gone: %s", watching[i].name);
	}
	behavior_settle(&r->l);
	for (int i = 0; i < WATCHED; i++) {
		struct mapping *m = &r->mappings[i];

		if (!r->alive[i] &&
		    (heard(m->inside, m->asked[0], NULL) || heard(m->inside, m->asked[1], NULL)))
			BEHAVIOR_FAIL(&r->l, "still there: %s", watching[i].name);
		/* Where each flow is a mapping, that one is younger. */
		if (m->sent != 0 &&
		    heard(r->elsewhere, m->sent, NULL) != (strstr(r->model, APDM) != NULL))
			BEHAVIOR_FAIL(&r->l, "sends as it should not: %s", watching[i].name);
	}
}

/* After the questions: an answer to this one might bring a mapping back. */
static void router_judge_sending(struct router *r)
{
	uint32_t sent = say(&r->l, r->mappings[SENDING].inside, r->server.at);

	if (!r->mutes && !hears(r->server, sent, soon_us(), NULL))
		BEHAVIOR_FAIL(&r->l, "it no longer sends: %s", watching[SENDING].name);
	behavior_settle(&r->l);
	if (r->mutes && heard(r->server, sent, NULL))
		BEHAVIOR_FAIL(&r->l, "it still sends: %s", watching[SENDING].name);
}

/* Whether all was asked in time. */
static bool watch(struct router *routers, size_t count)
{
	uint64_t begun_us, now_us;
	bool in_time = true;

	for (size_t i = 0; i < count; i++)
		router_begin(&routers[i]);
	begun_us = process_now_us();
	while ((now_us = process_now_us()) < begun_us + 2 * LIFE_US && in_time) {
		bool all_asked = true;

		for (size_t i = 0; i < count; i++)
			for (int k = 0; k < WATCHED; k++) {
				in_time = mapping_step(&routers[i], k, now_us) && in_time;
				all_asked = all_asked && routers[i].mappings[k].is_asked;
			}
		if (all_asked)
			break;
		(void)poll(NULL, 0, 5);
	}
	if (in_time)
		for (size_t i = 0; i < count; i++) {
			router_judge(&routers[i]);
			router_judge_sending(&routers[i]);
		}
	for (size_t i = 0; i < count; i++)
		behavior_lab_close(&routers[i].l);
	return in_time;
}

#define LIFE "timeouts: { udp: 2s }\n"

static void a_udp_mapping_dies_in_time_unless_it_is_refreshed(void **state)
{
	static const struct {
		const char *model;
		bool alive[WATCHED], mutes;
	} cases[] = {
		{ EIM EIF LIFE, { true, false, true, true, true }, false },
		{ EIM EIF LIFE "refresh: both\n", { true, false, true, true, true }, false },
		{ EIM EIF LIFE "refresh: outbound\n", { true, false, true, false, true }, false },
		{ EIM EIF LIFE "refresh: inbound\n", { true, false, false, true, false }, false },
		{ EIM EIF LIFE "refresh: nothing\n", { true, false, false, false, false }, true },
		{ ADM EIF LIFE "refresh: outbound\n", { true, false, true, false, true }, false },
		{ ADM EIF LIFE "refresh: nothing\n", { true, false, false, false, false }, true },
		{ APDM EIF LIFE "refresh: outbound\n", { true, false, true, false, false }, false },
		{ APDM EIF LIFE "refresh: nothing\n", { true, false, false, false, false }, true },
		{ EIM EIF "timeouts: { udp: 120s }\nrefresh: nothing\n",
		  { true, true, true, true, true },
		  false },
	};
	enum { COUNT = sizeof(cases) / sizeof(cases[0]) };

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		struct router routers[COUNT] = { { .model = NULL } };

		for (int k = 0; k < COUNT; k++) {
			routers[k].model = cases[k].model;
			routers[k].mutes = cases[k].mutes;
			memcpy(routers[k].alive, cases[k].alive, sizeof(routers[k].alive));
		}
		if (watch(routers, COUNT))
			return;
	}
	fail_msg("this machine is too busy to send packets in time");
}

/* Though it does not prolong its mapping. */
static void a_second_flow_permits_whom_it_goes_to_whatever_refreshes(void **state)
{
	static const char *const models[] = {
		EIM ADF "refresh: nothing\n",
		EIM ADF "refresh: inbound\n",
		EIM ADF "refresh: outbound\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", models[i]);
		struct end inside = udp_at(&l, HOST_A, 0), server = udp_at(&l, SERVER, 4000);
		struct end second = udp_at(&l, SERVER_ALT, 4000);
		struct end stranger = udp_at(&l, SERVER_ALT, 4001);
		struct endpoint mapped = map_port(&l, inside, server);

		CHECK_ARRIVES(&l, stranger, mapped, inside, false);
		(void)map_port(&l, inside, second);
		CHECK_ARRIVES(&l, stranger, mapped, inside, true);
	}
}

/* ---- blocked for a life after the last knock */

#define KNOCK_MODEL                            \
	EIM APDF "unsolicited: { udp: block, " \
		 "tcp: block }\ntimeouts: { udp: 2s, tcp_transitory: 2s }\n"
#define FIRST_PORT 41002u
#define AGAIN_US   (LIFE_US / 4 * 3)
#define ASKED_US   (LIFE_US / 4 * 5)

static const struct endpoint knocked = { ROUTER_A_ADDR, FIRST_PORT };

/* A SYN that is not sent again. */
static void knock_by_syn(struct behavior_lab *l, enum place place)
{
	struct end knocker = tcp_at(l, place, 4000);

	tcp_connect(knocker, knocked);
	behavior_settle(l);
	close_end(l, knocker);
}

/* Of two that knock, one does so again before its time is over. Returns false if it is too late to
 * tell. */
static bool watch_knocks(void)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", KNOCK_MODEL);
	struct end inside = udp_at(&l, HOST_A, FIRST_PORT);
	struct end again = udp_at(&l, SERVER, 4000), once = udp_at(&l, SERVER_ALT, 4000);
	uint64_t begun_us, again_us;

	(void)say(&l, again, knocked);
	(void)say(&l, once, knocked);
	knock_by_syn(&l, SERVER);
	knock_by_syn(&l, SERVER_ALT);
	begun_us = process_now_us();
	wait_until(begun_us + AGAIN_US);
	(void)say(&l, again, knocked);
	again_us = process_now_us();
	knock_by_syn(&l, SERVER);
	struct end listeners[] = { tcp_listener_at(&l, SERVER, 4000),
				   tcp_listener_at(&l, SERVER_ALT, 4000) };
	wait_until(begun_us + ASKED_US);
	(void)map_port(&l, inside, again);
	(void)map_port(&l, inside, once);
	uint32_t numbers[] = { say(&l, again, knocked), say(&l, once, knocked) };
	struct end connections[] = { tcp_at(&l, HOST_A, FIRST_PORT),
				     tcp_at(&l, HOST_A, FIRST_PORT) };
	for (int i = 0; i < 2; i++)
		tcp_connect(connections[i], listeners[i].at);
	behavior_settle(&l);
	if (process_now_us() > again_us + LIFE_US)
		return false;
	CHECK(&l, tcp_outcome(connections[0], 0) == ETIMEDOUT);
	CHECK(&l, tcp_outcome(connections[1], soon_us()) == 0);
	uint32_t number = 0;
	bool heard_once = false;
	while (recv(inside.fd, &number, sizeof(number), 0) == sizeof(number)) {
		CHECK(&l, number != numbers[0]);
		heard_once = heard_once || number == numbers[1];
	}
	CHECK(&l, heard_once);
	return true;
}

static void a_sender_is_blocked_for_a_lifetime_after_its_last_knock(void **state)
{
	(void)state;
	for (int i = 0; i < TRIES; i++)
		if (watch_knocks())
			return;
	fail_msg("this machine is too busy to send packets in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_udp_mapping_dies_in_time_unless_it_is_refreshed),
		cmocka_unit_test(a_second_flow_permits_whom_it_goes_to_whatever_refreshes),
		cmocka_unit_test(a_sender_is_blocked_for_a_lifetime_after_its_last_knock),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

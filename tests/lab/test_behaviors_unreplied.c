// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where conntrack alone keeps the mappings, those nobody has answered are forgotten sooner.
 * conntrack takes a flow for answered once packets have gone both ways for two seconds. Nothing but
 * time ends a mapping, so time is what is waited for.
 */
#include "tests/behavior_lab.h"

#define TRIES 4

#define MODEL                                     \
	APDM APDF "ports: { overloading: yes }\n" \
		  "timeouts: { udp: 8s, udp_unreplied: 1s }\n"

#define UNREPLIED_US 1000000u
#define TICK_US      400000u  /* between packets both ways */
#define ANSWERED_US  2400000u /* by then it is answered */
#define ASKED_US     (ANSWERED_US + UNREPLIED_US * 2)

/* Keeps a flow busy both ways. Returns false if a packet was so late that it may have ended. */
static bool keep_busy(struct behavior_lab *l, struct end inside, struct end server,
		      struct endpoint outside)
{
	uint64_t begun_us = process_now_us(), last_us = begun_us;

	for (uint64_t at_us = TICK_US; at_us <= ANSWERED_US; at_us += TICK_US) {
		wait_until(begun_us + at_us);
		(void)say(l, inside, server.at);
		if (!hears(inside, say(l, server, outside), soon_us(), NULL))
			return false;
		uint64_t now_us = process_now_us();
		if (now_us > last_us + UNREPLIED_US * 9 / 10)
			return false;
		last_us = now_us;
	}
	return true;
}

static bool observe(bool *ret_answered, bool *ret_unanswered)
{
	struct behavior_lab l;

	behavior_lab_open(&l, "one-home", MODEL);
	struct end server = udp_at(&l, SERVER, 4000);
	struct end answered = udp_at(&l, HOST_A, 0), unanswered = udp_at(&l, HOST_A, 0);
	struct endpoint outside = map_port(&l, answered, server);
	struct endpoint silent = map_port(&l, unanswered, server);
	uint64_t begun_us = process_now_us();
	bool in_time = keep_busy(&l, answered, server, outside);

	wait_until(begun_us + ASKED_US);
	uint32_t asked = say(&l, server, outside), in_vain = say(&l, server, silent);
	*ret_answered = hears(answered, asked, soon_us(), NULL);
	behavior_settle(&l);
	*ret_unanswered = heard(unanswered, in_vain, NULL);
	behavior_lab_close(&l);
	return in_time;
}

static void a_udp_flow_that_is_not_answered_is_forgotten_sooner(void **state)
{
	(void)state;
	for (int i = 0; i < TRIES; i++) {
		bool answered, unanswered;

		if (!observe(&answered, &unanswered))
			continue;
		assert_true(answered);
		assert_false(unanswered);
		return;
	}
	fail_msg("this machine is too busy to send packets in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_udp_flow_that_is_not_answered_is_forgotten_sooner),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

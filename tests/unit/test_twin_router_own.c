// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a router of the twin itself sends permits nobody, owns no port and ends no mapping: whoever
 * is refused is refused again, and the hosts find all as it was. In the lab:
 * tests/lab/test_behaviors_own.c.
 */
#include "tests/twin_nat.h"

#define KNOCKS 3

#define ANSWERS(what) "unsolicited: { udp: " what ", tcp: " what " }\n"
#define RESETS        "unsolicited: { tcp: rst }\n"

static const struct endpoint MAPPED = { ROUTER_ADDR, 5000 };

struct refusal {
	const char *model;
	enum twin_nat_action action;
};

/* Whether the port has a mapping or not. */
static const struct refusal refusals[] = {
	{ EIM APDF RESETS, TWIN_NAT_ANSWERS },
	{ EIM ADF RESETS, TWIN_NAT_ANSWERS },
	{ ADM APDF RESETS, TWIN_NAT_ANSWERS },
	{ APDM APDF RESETS, TWIN_NAT_ANSWERS },
	{ EIM APDF RESETS "rst: any\n", TWIN_NAT_ANSWERS },
	{ EIM APDF RESETS "rst: in-window\n", TWIN_NAT_ANSWERS },
	{ APDM APDF RESETS "ports: { overloading: yes }\n", TWIN_NAT_ANSWERS },
	{ EIM APDF ANSWERS("icmp"), TWIN_NAT_ANSWERS },
	{ EIM APDF ANSWERS("accept"), TWIN_NAT_ANSWERS },
	{ EIM APDF ANSWERS("accept") "rst: any\n", TWIN_NAT_ANSWERS },
	{ EIM APDF ANSWERS("block"), TWIN_NAT_DROPS },
	{ EIM APDF ANSWERS("drop"), TWIN_NAT_DROPS },
};

/* Here a mapping lets strangers in. */
static const struct refusal refusals_where_nobody_is[] = {
	{ EIM EIF RESETS, TWIN_NAT_ANSWERS },
	{ EIM EIF RESETS "pool: { addresses: 2 }\n", TWIN_NAT_ANSWERS },
	{ EIM EIF ANSWERS("accept"), TWIN_NAT_ANSWERS },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void knock(struct bench *b, struct endpoint from, enum twin_nat_action action)
{
	for (int i = 0; i < KNOCKS; i++) {
		(void)bench_send(b, from, MAPPED);
		CHECK_EQUAL(b, b->action, action);
		b->now_us += SECONDS(1);
	}
}

static void check_knocks_at_nobody(const struct refusal *r)
{
	struct bench b;

	bench_open(&b, r->model, TWIN_TCP);
	knock(&b, SERVER_ALT, r->action);
	CHECK_EQUAL(&b, bench_connect(&b, HOST_A, SERVER).port, MAPPED.port);
	bench_close(&b);
}

static void check_knocks_at_a_mapping(const struct refusal *r)
{
	struct bench b;

	bench_open(&b, r->model, TWIN_TCP);
	CHECK_EQUAL(&b, bench_connect(&b, HOST_A, SERVER).port, MAPPED.port);
	knock(&b, SERVER_ALT, r->action);
	CHECK(&b, bench_segment(&b, SERVER, MAPPED, (struct segment){ TWIN_ACK, 2001, 1001 }));
	CHECK(&b, bench_segment(&b, HOST_A, SERVER, (struct segment){ TWIN_ACK, 1001, 2001 }));
	bench_close(&b);
}

static void every_syn_of_a_stranger_is_answered_like_the_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		check_knocks_at_nobody(&refusals[i]);
		check_knocks_at_a_mapping(&refusals[i]);
	}
	for (size_t i = 0; i < COUNT(refusals_where_nobody_is); i++)
		check_knocks_at_nobody(&refusals_where_nobody_is[i]);
}

static void every_datagram_of_a_stranger_is_answered_like_the_first(void **state)
{
	static const struct refusal datagrams[] = {
		{ EIM APDF ANSWERS("icmp"), TWIN_NAT_ANSWERS },
		{ EIM APDF ANSWERS("accept"), TWIN_NAT_ANSWERS },
		{ EIM APDF ANSWERS("block"), TWIN_NAT_DROPS },
		{ EIM APDF ANSWERS("drop"), TWIN_NAT_DROPS },
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(datagrams); i++) {
		const struct refusal *r = &datagrams[i / 2];
		struct bench b;

		bench_open(&b, r->model, TWIN_UDP);
		if (i % 2 == 0)
			CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER).port, MAPPED.port);
		knock(&b, SERVER_ALT, r->action);
		CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER).port, MAPPED.port);
		CHECK(&b, bench_reaches(&b, SERVER, MAPPED, HOST_A));
		bench_close(&b);
	}
}

/* Behind a firewall the reset seems to come from the host itself. */
static void a_firewall_of_the_twin_resets_every_stranger(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "mapping: none\n" APDF RESETS, TWIN_TCP);
	for (int i = 0; i < KNOCKS; i++) {
		(void)bench_send(&b, SERVER, HOST_A);
		CHECK_EQUAL(&b, b.action, TWIN_NAT_ANSWERS);
		CHECK(&b, endpoint_equal(b.packet.from, HOST_A));
	}
	bench_close(&b);
}

/* What filtering permitted before is permitted still, and for no longer. */
static void a_reset_of_the_router_leaves_the_mapping_as_it_is(void **state)
{
	static const char *const models[] = { EIM ADF RESETS, EIM ADF RESETS "rst: any\n",
					      EIM ADF ANSWERS("accept") "rst: any\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct bench b;

		bench_open(&b, models[i], TWIN_TCP);
		(void)bench_map(&b, HOST_A, SERVER);
		knock(&b, SERVER_ALT, TWIN_NAT_ANSWERS);
		CHECK(&b, bench_reaches(&b, SERVER_PORT2, MAPPED, HOST_A));
		bench_close(&b);

		bench_open(&b, models[i], TWIN_TCP);
		(void)bench_map(&b, HOST_A, SERVER);
		/* Its life is a transitory one of 240 s. */
		b.now_us = SECONDS(239);
		knock(&b, SERVER_ALT, TWIN_NAT_ANSWERS);
		CHECK(&b, !bench_reaches(&b, SERVER_PORT2, MAPPED, HOST_A));
		bench_close(&b);
	}
}

static void a_reset_of_the_router_is_in_no_table(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF RESETS "pool: { addresses: 2 }\n", TWIN_TCP);
	knock(&b, SERVER_ALT, TWIN_NAT_ANSWERS);
	CHECK(&b, twin_table_find(&b.nat.pooled, twin_endpoint_key(TWIN_TCP, MAPPED), b.now_us) ==
			  NULL);
	CHECK(&b, twin_table_find(&b.nat.owner_of, twin_port_key(TWIN_TCP, MAPPED.port),
				  b.now_us) == NULL);
	CHECK_EQUAL(&b, bench_send(&b, HOST_A, SERVER).port, 5000);
	bench_close(&b);
}

/* conntrack forgets a flow at once that is answered by nothing but a reset. */
static void no_syn_to_a_closed_port_takes_the_tuple(void **state)
{
	static const char *const models[] = { EIM APDF ANSWERS("accept"),
					      APDM APDF ANSWERS("accept"), EIM APDF ANSWERS("icmp"),
					      EIM APDF RESETS };

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct bench b;

		bench_open(&b, models[i], TWIN_TCP);
		(void)bench_send(&b, SERVER_ALT, MAPPED);
		CHECK_EQUAL(&b, b.action, TWIN_NAT_ANSWERS);
		CHECK_EQUAL(&b, bench_connect(&b, HOST_A, SERVER_ALT).port, MAPPED.port);
		bench_close(&b);
	}
}

/* It has no mapping that could have ended. The twin's routers run no programs, so the flow is made
 * one that a program has answered. */
static void a_flow_of_the_routers_own_does_not_expire(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF ANSWERS("accept") "refresh: outbound\n", TWIN_UDP);
	knock(&b, SERVER, TWIN_NAT_ANSWERS);
	CHECK_EQUAL(&b, b.nat.flows_count, 1);
	b.nat.flows[0].is_answered = true;
	knock(&b, SERVER, TWIN_NAT_ANSWERS);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_syn_of_a_stranger_is_answered_like_the_first),
		cmocka_unit_test(every_datagram_of_a_stranger_is_answered_like_the_first),
		cmocka_unit_test(a_firewall_of_the_twin_resets_every_stranger),
		cmocka_unit_test(a_reset_of_the_router_leaves_the_mapping_as_it_is),
		cmocka_unit_test(a_reset_of_the_router_is_in_no_table),
		cmocka_unit_test(no_syn_to_a_closed_port_takes_the_tuple),
		cmocka_unit_test(a_flow_of_the_routers_own_does_not_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

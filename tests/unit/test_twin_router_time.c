// SPDX-License-Identifier: GPL-2.0-or-later
/* How long a router of the twin remembers, what makes it remember longer, and what ends it. */
#include "tests/twin_nat.h"

#define LIFE "timeouts: { udp: 100s, tcp_established: 1000s, tcp_transitory: 100s }\n"

/* ---- UDP */

/* What passes while a mapping lives. */
enum traffic { QUIET, SENDING, RECEIVING, TRAFFIC_COUNT };

/* Whether the mapping still leads inside at a time, after traffic every tenth of its life. */
static bool lives(const char *model, enum traffic traffic, uint64_t asked_us, bool *ret_sends)
{
	struct bench b;

	bench_open(&b, model, TWIN_UDP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	for (b.now_us = SECONDS(10); b.now_us < asked_us; b.now_us += SECONDS(10)) {
		if (traffic == SENDING)
			(void)bench_send(&b, HOST_A, SERVER);
		if (traffic == RECEIVING)
			(void)bench_send(&b, SERVER, mapped);
	}
	b.now_us = asked_us;
	bool of_server = bench_reaches(&b, SERVER, mapped, HOST_A);
	bool alive = bench_reaches(&b, SERVER_ALT, mapped, HOST_A);
	CHECK_EQUAL(&b, of_server, alive);
	*ret_sends = !endpoint_is_none(bench_send(&b, HOST_A, SERVER));
	bench_close(&b);
	return alive;
}

static void a_udp_mapping_lives_as_long_as_declared(void **state)
{
	static const struct {
		const char *model;
		bool alive[TRAFFIC_COUNT]; /* after 1.1 of its life */
		bool mutes;                /* what goes on to send after it */
	} cases[] = {
		{ EIM EIF LIFE, { false, true, true }, false },
		{ EIM EIF LIFE "refresh: both\n", { false, true, true }, false },
		{ EIM EIF LIFE "refresh: outbound\n", { false, true, false }, false },
		{ EIM EIF LIFE "refresh: inbound\n", { false, false, true }, false },
		{ EIM EIF LIFE "refresh: nothing\n", { false, false, false }, true },
		{ APDM EIF LIFE "refresh: outbound\n", { false, true, false }, false },
		{ APDM EIF LIFE "refresh: nothing\n", { false, false, false }, true },
		{ EIM EIF "timeouts: { udp: 200s }\nrefresh: nothing\n",
		  { true, true, true },
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int t = 0; t < TRAFFIC_COUNT; t++) {
			bool sends, expected = cases[i].alive[t];

			if (!lives(cases[i].model, (enum traffic)t, SECONDS(90), &sends))
				fail_msg("gone too early: %d, %s", t, cases[i].model);
			if (lives(cases[i].model, (enum traffic)t, SECONDS(110), &sends) !=
			    expected)
				fail_msg("%d, %s", t, cases[i].model);
			if (sends == cases[i].mutes)
				fail_msg("it sends or does not: %d, %s", t, cases[i].model);
		}
}

static void a_router_that_refreshes_nothing_begins_anew_after_twice_the_life(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM EIF LIFE "refresh: nothing\nports: { choose: random }\n", TWIN_UDP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	for (b.now_us = SECONDS(10); b.now_us < SECONDS(100); b.now_us += SECONDS(10))
		CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, SERVER), mapped));
	for (; b.now_us < SECONDS(200); b.now_us += SECONDS(10))
		CHECK(&b, endpoint_is_none(bench_send(&b, HOST_A, SERVER)));
	struct endpoint anew = bench_map(&b, HOST_A, SERVER);
	CHECK(&b, !endpoint_equal(anew, mapped));
	bench_close(&b);
}

/* A second flow does what the first one's packets do. */
static void a_second_flow_does_not_prolong_what_is_not_refreshed(void **state)
{
	static const struct {
		const char *model;
		bool alive;
	} cases[] = {
		{ EIM ADF LIFE, true },
		{ EIM ADF LIFE "refresh: outbound\n", true },
		{ EIM ADF LIFE "refresh: inbound\n", false },
		{ EIM ADF LIFE "refresh: nothing\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		bench_open(&b, cases[i].model, TWIN_UDP);
		struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
		b.now_us = SECONDS(90);
		CHECK(&b, endpoint_equal(bench_map(&b, HOST_A, SERVER_ALT), mapped));
		CHECK(&b, !endpoint_is_none(bench_map(&b, HOST_A2, SERVER)));
		b.now_us = SECONDS(99);
		/* It permits all the same, where anything comes in. */
		CHECK(&b,
		      twin_table_find(&b.nat.permitted,
				      twin_tuple_key(TWIN_UDP, mapped, with_port(SERVER_ALT, 0)),
				      b.now_us) != NULL);
		b.now_us = SECONDS(110);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER_ALT, mapped, HOST_A), cases[i].alive);
		bench_close(&b);
	}
}

/* Only what leaves keeps a remote endpoint permitted. */
static void what_comes_in_does_not_permit_itself(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM ADF LIFE, TWIN_UDP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	CHECK(&b, bench_reaches(&b, SERVER_PORT2, mapped, HOST_A));
	for (b.now_us = SECONDS(10); b.now_us < SECONDS(100); b.now_us += SECONDS(10))
		CHECK(&b, bench_reaches(&b, SERVER_PORT2, mapped, HOST_A));
	b.now_us = SECONDS(110);
	CHECK(&b, !bench_reaches(&b, SERVER_PORT2, mapped, HOST_A));
	bench_close(&b);
}

/* Also what others begin. */
static void a_mapping_lives_on_by_flows_from_outside(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM EIF LIFE "ports: { choose: random }\n", TWIN_UDP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	b.now_us = SECONDS(90);
	CHECK(&b, bench_reaches(&b, SERVER_ALT, mapped, HOST_A));
	b.now_us = SECONDS(180);
	CHECK(&b, endpoint_equal(bench_map(&b, HOST_A, SERVER_PORT2), mapped));
	bench_close(&b);
}

/* ---- TCP */

static void a_connection_lives_longer_than_an_attempt(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const bool early = i % 2 == 0, established = i >= 2;
		const int lives_s = established ? 1000 : 100;
		struct bench b;

		bench_open(&b, EIM EIF LIFE, TWIN_TCP);
		struct endpoint mapped = established ? bench_connect(&b, HOST_A, SERVER)
						     : bench_map(&b, HOST_A, SERVER);
		b.now_us = SECONDS((double)lives_s * (early ? 0.9 : 1.1));
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER_ALT, mapped, HOST_A), early);
		bench_close(&b);
	}
}

/* A SYN that is sent again does not prolong the flow, which is the kernel's, but the mapping. */
static void a_syn_that_is_sent_again_prolongs_the_mapping(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM EIF LIFE, TWIN_TCP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	b.now_us = SECONDS(90);
	CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, SERVER), mapped));
	b.now_us = SECONDS(110);
	CHECK(&b, !bench_segment(&b, SERVER, mapped,
				 (struct segment){ TWIN_SYN | TWIN_ACK, 2000, 1001 }));
	CHECK(&b, bench_reaches(&b, SERVER_ALT, mapped, HOST_A));
	bench_close(&b);
}

/* The kernel has times of its own for these two. */
static void conntrack_keeps_its_own_times(void **state)
{
	struct bench b;
	struct twin_packet data;

	(void)state;
	/* SYNs that have crossed. */
	for (int i = 0; i < 2; i++) {
		bench_open(&b, EIM APDF LIFE, TWIN_TCP);
		struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
		/* The first one does not prolong the flow. */
		CHECK(&b, bench_reaches(&b, SERVER, mapped, HOST_A));
		CHECK(&b, bench_reaches(&b, SERVER, mapped, HOST_A));
		b.now_us = SECONDS(i == 0 ? 119 : 121);
		CHECK_EQUAL(&b,
			    bench_segment(&b, SERVER, mapped,
					  (struct segment){ TWIN_SYN | TWIN_ACK, 1000, 1001 }),
			    i == 0);
		bench_close(&b);
	}
	/* Data that nobody has acknowledged. */
	for (int i = 0; i < 2; i++) {
		bench_open(&b, EIM APDF LIFE, TWIN_TCP);
		struct endpoint mapped = bench_connect(&b, HOST_A, SERVER);
		data = packet_of(&b, HOST_A, SERVER);
		data.flags = TWIN_ACK;
		data.sequence = 1001;
		data.acknowledgement = 2001;
		data.len = 10;
		take(&b, TWIN_INSIDE, &data);
		if (i == 1)
			CHECK(&b, bench_segment(&b, SERVER, mapped,
						(struct segment){ TWIN_ACK, 2001, 1011 }));
		b.now_us = SECONDS(310);
		CHECK_EQUAL(
			&b,
			bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_ACK, 2001, 1011 }),
			i == 1);
		bench_close(&b);
	}
}

/* Once both have sent a SYN, the last acknowledgement is the other's. */
static void a_simultaneous_open_ends_in_a_connection(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF LIFE, TWIN_TCP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	CHECK(&b, bench_reaches(&b, SERVER, mapped, HOST_A));
	CHECK(&b, bench_segment(&b, HOST_A, SERVER,
				(struct segment){ TWIN_SYN | TWIN_ACK, 1000, 1001 }));
	CHECK(&b, bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_ACK, 1001, 1001 }));
	b.now_us = SECONDS(200);
	CHECK(&b, bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_ACK, 1001, 1001 }));
	bench_close(&b);
}

/* ---- resets */

/* One in the window that has not the next number is challenged: the connection may go on. */
static void a_reset_that_is_challenged_ends_nothing(void **state)
{
	struct bench b;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		bench_open(&b, EIM APDF LIFE, TWIN_TCP);
		struct endpoint mapped = bench_connect(&b, HOST_A, SERVER);
		CHECK(&b, bench_segment(&b, SERVER, mapped,
					(struct segment){ TWIN_RST, 2001 + 5 * i, 0 }));
		CHECK(&b,
		      bench_segment(&b, HOST_A, SERVER, (struct segment){ TWIN_ACK, 1001, 2001 }));
		b.now_us = SECONDS(200);
		CHECK_EQUAL(
			&b,
			bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_ACK, 2001, 1001 }),
			i == 1);
		bench_close(&b);
	}
}

/* A port that was given a moment ago is claimed for a second, whatever has become of its mapping.
 */
static void a_port_is_not_given_twice_within_a_second(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM APDF "rst: any\n", TWIN_TCP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	CHECK(&b,
	      bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_RST | TWIN_ACK, 0, 1001 }));
	b.now_us = SECONDS(0.9);
	CHECK(&b, endpoint_is_none(bench_send(&b, HOST_A, SERVER)));
	b.now_us = SECONDS(1.1);
	CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, SERVER), mapped));
	bench_close(&b);
}

/* Whether the mapping of a connection lets others in once the server has reset it. */
static void check_reset(const char *model, uint32_t sequence, bool ends)
{
	struct bench b;

	bench_open(&b, model, TWIN_TCP);
	struct endpoint mapped = bench_connect(&b, HOST_A, SERVER);
	CHECK(&b, bench_reaches(&b, SERVER_ALT, mapped, HOST_A));
	(void)bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_RST, sequence, 0 });
	CHECK_EQUAL(&b, bench_reaches(&b, with_port(SERVER_ALT, 5), mapped, HOST_A), !ends);
	/* What goes on without a new connection is dropped, and a new one gets a mapping. */
	CHECK_EQUAL(&b, bench_segment(&b, HOST_A, SERVER, (struct segment){ TWIN_ACK, 1001, 2001 }),
		    !ends);
	b.now_us = SECONDS(2); /* a port that is claimed is so for a second */
	CHECK(&b, !endpoint_is_none(bench_map(&b, HOST_A, with_port(SERVER, 7))));
	CHECK(&b, bench_reaches(&b, with_port(SERVER_ALT, 5), b.packet.from, HOST_A));
	bench_close(&b);
}

static void a_reset_ends_a_mapping_of_the_twin_as_declared(void **state)
{
	static const struct {
		const char *model;
		bool by_stray, by_proper;
	} cases[] = {
		{ EIM EIF, false, false },
		{ EIM EIF "rst: ignored\n", false, false },
		{ EIM EIF "rst: in-window\n", false, true },
		{ EIM EIF "rst: any\n", true, true },
		{ ADM EIF "rst: any\n", true, true },
		{ APDM EIF "rst: in-window\n", false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_reset(cases[i].model, 0xf0000000, cases[i].by_stray);
		check_reset(cases[i].model, 2001, cases[i].by_proper);
	}
}

static void a_reset_does_not_close_a_forwarded_port(void **state)
{
	static const struct endpoint inside = { 0x0a010003, 80 };
	static const struct endpoint forwarded = { ROUTER_ADDR, 8080 };
	struct bench b;

	(void)state;
	bench_open(&b,
		   EIM EIF "rst: any\nforwards: [ { transport: tcp, port: 8080, host: 3, "
			   "host_port: 80 } ]\n",
		   TWIN_TCP);
	struct segment syn_ack = { TWIN_SYN | TWIN_ACK, 2000, 1001 };
	struct segment ack = { TWIN_ACK, 1001, 2001 };
	CHECK(&b, bench_reaches(&b, SERVER, forwarded, inside));
	CHECK(&b, bench_reaches(&b, SERVER_ALT, forwarded, inside));
	CHECK(&b, bench_segment(&b, inside, SERVER_ALT, syn_ack));
	CHECK(&b, bench_segment(&b, SERVER_ALT, forwarded, ack));
	CHECK(&b, bench_segment(&b, inside, SERVER, (struct segment){ TWIN_RST, 0, 1001 }));
	CHECK(&b, bench_segment(&b, inside, SERVER_ALT, (struct segment){ TWIN_ACK, 2001, 1001 }));
	CHECK(&b, bench_segment(&b, SERVER_ALT, forwarded, ack));
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_udp_mapping_lives_as_long_as_declared),
		cmocka_unit_test(a_router_that_refreshes_nothing_begins_anew_after_twice_the_life),
		cmocka_unit_test(a_second_flow_does_not_prolong_what_is_not_refreshed),
		cmocka_unit_test(what_comes_in_does_not_permit_itself),
		cmocka_unit_test(a_mapping_lives_on_by_flows_from_outside),
		cmocka_unit_test(conntrack_keeps_its_own_times),
		cmocka_unit_test(a_simultaneous_open_ends_in_a_connection),
		cmocka_unit_test(a_reset_that_is_challenged_ends_nothing),
		cmocka_unit_test(a_port_is_not_given_twice_within_a_second),
		cmocka_unit_test(a_connection_lives_longer_than_an_attempt),
		cmocka_unit_test(a_syn_that_is_sent_again_prolongs_the_mapping),
		cmocka_unit_test(a_reset_ends_a_mapping_of_the_twin_as_declared),
		cmocka_unit_test(a_reset_does_not_close_a_forwarded_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

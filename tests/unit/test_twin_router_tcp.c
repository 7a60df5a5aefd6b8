// SPDX-License-Identifier: GPL-2.0-or-later
/* What the conntrack of the twin's routers takes for a connection. */
#include "tests/twin_nat.h"

#define OVERLOADING APDM APDF "ports: { overloading: yes }\n"

static const struct endpoint OUTSIDE_A = { ROUTER_ADDR, 5000 };
static const struct segment syn = { TWIN_SYN, 1000, 0 },
			    syn_ack = { TWIN_SYN | TWIN_ACK, 2000, 1001 };
static const struct segment ack = { TWIN_ACK, 1001, 2001 }, answer = { TWIN_ACK, 2001, 1001 };

/* Segments of one connection, begun inside: 'o' leaves, 'i' comes in. The last one passes or does
 * not, those before it do. */
struct step {
	char way;
	struct segment segment;
};
struct story {
	const char *model;
	struct step steps[8];
	bool passes;
};

static void check_story(const struct story *s)
{
	struct bench b;
	bool passes = true;

	bench_open(&b, s->model, TWIN_TCP);
	for (size_t i = 0; i < 8 && s->steps[i].way != '\0'; i++) {
		CHECK(&b, passes);
		passes = s->steps[i].way == 'o'
				 ? bench_segment(&b, HOST_A, SERVER, s->steps[i].segment)
				 : bench_segment(&b, SERVER, OUTSIDE_A, s->steps[i].segment);
	}
	CHECK_EQUAL(&b, passes, s->passes);
	bench_close(&b);
}

#define SYN_AT(n)              \
	{                      \
		TWIN_SYN, n, 0 \
	}
#define ESTABLISHED                     \
	{ 'o', syn }, { 'i', syn_ack }, \
	{                               \
		'o', ack                \
	}

static void a_connection_passes_and_what_is_none_does_not(void **state)
{
	static const struct segment fin = { TWIN_FIN | TWIN_ACK, 1001, 2001 };
	static const struct segment fin_back = { TWIN_FIN | TWIN_ACK, 2001, 1002 };
	const struct story stories[] = {
		{ EIM APDF, { ESTABLISHED, { 'i', answer }, { 'o', ack } }, true },
		{ OVERLOADING, { ESTABLISHED, { 'i', answer }, { 'o', ack } }, true },
		{ OVERLOADING,
		  { ESTABLISHED,
		    { 'o', fin },
		    { 'i', fin_back },
		    { 'o', { TWIN_ACK, 1002, 2002 } } },
		  true },
		/* A connection that was not seen to begin. */
		{ EIM EIF, { { 'o', ack } }, false },
		{ EIM EIF, { { 'o', syn_ack } }, false },
		{ EIM EIF, { { 'o', { TWIN_RST, 1, 0 } } }, false },
		{ EIM EIF, { { 'i', answer } }, false },
		{ "mapping: none\n" EIF, { { 'o', ack } }, true },
		{ "mapping: none\n" APDF, { { 'o', ack } }, true },
		/* Out of order. */
		{ EIM APDF, { { 'o', syn }, { 'o', ack } }, false },
		{ EIM APDF, { { 'o', syn }, { 'i', syn_ack }, { 'i', syn } }, false },
		{ EIM APDF, { ESTABLISHED, { 'i', syn } }, false },
		/* What may be right is let pass. */
		{ EIM APDF, { { 'o', syn }, { 'i', answer } }, true },
		{ EIM APDF, { ESTABLISHED, { 'o', SYN_AT(90000) } }, true },
		{ OVERLOADING, { ESTABLISHED, { 'o', SYN_AT(90000) } }, true },
		/* Numbers are judged where conntrack is the router. */
		{ EIM APDF, { ESTABLISHED, { 'i', { TWIN_ACK, 900000, 1001 } } }, true },
		{ OVERLOADING, { ESTABLISHED, { 'i', { TWIN_ACK, 900000, 1001 } } }, false },
		{ OVERLOADING, { ESTABLISHED, { 'i', { TWIN_ACK, 2001, 5000 } } }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		check_story(&stories[i]);
}

/* RFC 5382, REQ-2: SYNs that cross. */
static void a_simultaneous_open_passes(void **state)
{
	static const struct segment theirs = SYN_AT(2000);
	static const struct segment both = { TWIN_SYN | TWIN_ACK, 1000, 2001 };
	const char *const models[] = { EIM APDF, OVERLOADING, APDM APDF "rst: in-window\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		check_story(&(struct story){ models[i],
					     { { 'o', syn },
					       { 'i', theirs },
					       { 'o', both },
					       { 'i', syn_ack },
					       { 'o', ack } },
					     true });
		check_story(&(struct story){ models[i],
					     { { 'o', syn },
					       { 'i', theirs },
					       { 'i', syn_ack },
					       { 'o', both },
					       { 'i', answer } },
					     true });
	}
}

/* A fresh attempt has another number. */
static void once_syns_have_crossed_fresh_ones_are_invalid_if_numbers_are_judged(void **state)
{
	static const struct segment theirs = SYN_AT(2000), anew = SYN_AT(70000);
	const struct story stories[] = {
		{ EIM APDF, { { 'o', syn }, { 'o', anew } }, true },
		{ OVERLOADING, { { 'o', syn }, { 'o', anew } }, true },
		{ OVERLOADING,
		  { { 'o', syn }, { 'o', anew }, { 'i', { TWIN_SYN | TWIN_ACK, 2000, 70001 } } },
		  true },
		{ OVERLOADING, { { 'o', syn }, { 'o', anew }, { 'i', theirs } }, true },
		{ OVERLOADING, { { 'o', syn }, { 'i', theirs }, { 'o', syn } }, true },
		{ OVERLOADING, { { 'o', syn }, { 'i', theirs }, { 'i', theirs } }, true },
		{ OVERLOADING, { { 'o', syn }, { 'i', theirs }, { 'o', anew } }, false },
		{ OVERLOADING, { { 'o', syn }, { 'i', theirs }, { 'i', anew } }, false },
		{ OVERLOADING, { { 'o', syn }, { 'i', theirs }, { 'o', SYN_AT(5) } }, false },
		{ EIM APDF "rst: in-window\n",
		  { { 'o', syn }, { 'i', theirs }, { 'i', anew } },
		  false },
		{ EIM APDF, { { 'o', syn }, { 'i', theirs }, { 'o', anew } }, true },
		{ EIM APDF, { { 'o', syn }, { 'i', theirs }, { 'i', anew } }, true },
		/* Once one is answered, conntrack waits for what comes of it. */
		{ OVERLOADING, { { 'o', syn }, { 'i', syn_ack }, { 'o', anew } }, true },
		{ OVERLOADING, { { 'o', syn }, { 'i', syn_ack }, { 'i', theirs } }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		check_story(&stories[i]);
}

static void a_reset_is_judged_by_its_number(void **state)
{
	const struct story stories[] = {
		/* One that is none does not end the connection: it goes on. */
		{ OVERLOADING, { ESTABLISHED, { 'i', { TWIN_RST, 2001, 0 } } }, true },
		{ OVERLOADING, { ESTABLISHED, { 'i', { TWIN_RST, 1999, 0 } } }, false },
		{ OVERLOADING, { ESTABLISHED, { 'i', { TWIN_RST, 0xf0000000, 0 } } }, false },
		/* Whoever is liberal, a reset from the past is wrong. */
		{ EIM APDF, { ESTABLISHED, { 'i', { TWIN_RST, 1999, 0 } } }, false },
		{ EIM APDF "rst: any\n", { ESTABLISHED, { 'i', { TWIN_RST, 1999, 0 } } }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		check_story(&stories[i]);
}

/* A SYN that is refused leaves no flow, and so nothing that the next would have to fit to. */
static void a_reset_that_answers_a_syn_ends_the_flow(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, OVERLOADING, TWIN_TCP);
	CHECK(&b, bench_segment(&b, HOST_A, SERVER, syn));
	CHECK(&b, bench_segment(&b, SERVER, OUTSIDE_A,
				(struct segment){ TWIN_RST | TWIN_ACK, 0, 1001 }));
	CHECK(&b, endpoint_equal(b.packet.to, HOST_A));
	CHECK(&b, !bench_segment(&b, SERVER, OUTSIDE_A, syn_ack));
	CHECK(&b, bench_segment(&b, HOST_A, SERVER, (struct segment)SYN_AT(500)));
	bench_close(&b);
}

/* The side that did not begin the old connection may begin the next one. */
static void a_connection_may_begin_again_when_it_is_closed(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, OVERLOADING, TWIN_TCP);
	struct endpoint mapped = bench_connect(&b, HOST_A, SERVER);
	CHECK(&b, !bench_segment(&b, SERVER, mapped, syn));
	CHECK(&b, bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_RST, 2001, 0 }));
	CHECK(&b, !bench_segment(&b, SERVER, mapped, syn));
	CHECK(&b, bench_segment(&b, HOST_A, SERVER, (struct segment)SYN_AT(5)));
	CHECK(&b, bench_segment(&b, SERVER, mapped, (struct segment){ TWIN_SYN | TWIN_ACK, 9, 6 }));
	CHECK(&b, bench_segment(&b, HOST_A, SERVER, (struct segment){ TWIN_ACK, 6, 10 }));
	bench_close(&b);
}

/* Whether a connection is a new one shows in that SYNs may cross in it. */
static void a_syn_begins_a_new_connection_when_the_old_one_has_ended(void **state)
{
	static const struct segment fin = { TWIN_FIN | TWIN_ACK, 1001, 2001 };
	static const struct segment fin_back = { TWIN_FIN | TWIN_ACK, 2001, 1002 };
	static const struct segment last = { TWIN_ACK, 1002, 2002 };
	static const struct segment reset = { TWIN_RST, 1001, 0 }, reset_in = { TWIN_RST, 2001, 0 };
	static const struct segment anew = SYN_AT(70000), theirs = SYN_AT(80000);
	const struct story stories[] = {
		{ OVERLOADING,
		  { ESTABLISHED,
		    { 'o', fin },
		    { 'i', fin_back },
		    { 'o', last },
		    { 'o', anew },
		    { 'i', theirs } },
		  true },
		{ OVERLOADING,
		  { ESTABLISHED, { 'o', reset }, { 'o', anew }, { 'i', theirs } },
		  true },
		{ OVERLOADING,
		  { ESTABLISHED, { 'i', reset_in }, { 'o', anew }, { 'i', theirs } },
		  false },
		/* While it closes, any reset will do. */
		{ OVERLOADING,
		  { ESTABLISHED, { 'o', fin }, { 'i', { TWIN_RST, 0xf0000000, 0 } } },
		  true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		check_story(&stories[i]);
}

/* An inbound flow whose answer is already another flow's comes from another port. */
static void what_comes_by_another_mapping_comes_from_another_port(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, APDM EIF "ports: { choose: random }\n", TWIN_UDP);
	struct endpoint to_server = bench_map(&b, HOST_A, SERVER);
	struct endpoint to_other = bench_map(&b, HOST_A, SERVER_ALT);
	CHECK(&b, bench_reaches(&b, SERVER_ALT, to_server, HOST_A));
	CHECK_EQUAL(&b, b.packet.from.addr, SERVER_ALT.addr);
	CHECK(&b, b.packet.from.port != SERVER_ALT.port);
	CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, b.packet.from), to_server));
	CHECK(&b, endpoint_equal(b.packet.to, SERVER_ALT));
	CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, SERVER_ALT), to_other));
	/* Where it is first, it is the flow. */
	CHECK(&b, bench_reaches(&b, SERVER_PORT2, to_server, HOST_A));
	CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, SERVER_PORT2), to_server));
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_passes_and_what_is_none_does_not),
		cmocka_unit_test(a_simultaneous_open_passes),
		cmocka_unit_test(
			once_syns_have_crossed_fresh_ones_are_invalid_if_numbers_are_judged),
		cmocka_unit_test(a_reset_is_judged_by_its_number),
		cmocka_unit_test(a_reset_that_answers_a_syn_ends_the_flow),
		cmocka_unit_test(a_connection_may_begin_again_when_it_is_closed),
		cmocka_unit_test(a_syn_begins_a_new_connection_when_the_old_one_has_ended),
		cmocka_unit_test(what_comes_by_another_mapping_comes_from_another_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

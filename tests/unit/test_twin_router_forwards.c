// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose a forwarded port of the twin is before anybody has used it (RFC 4787, REQ-3), and whose
 * mapping a hairpinned flow makes and prolongs. In the lab: tests/lab/test_behaviors_forwards.c and
 * test_behaviors.c. */
#include "tests/twin_nat.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- forwarded ports */

#define TO_80(t, p)   "{ transport: " t ", port: " p ", host: 3, host_port: 80 }"
#define FORWARD(t)    "forwards: [ " TO_80(t, "8080") " ]\n"
#define FORWARD_ALIKE "forwards: [ { transport: udp, port: 8080, host: 3, host_port: 8080 } ]\n"

static const struct endpoint FORWARDED = { ROUTER_ADDR, 8080 };

static void no_other_host_of_the_twin_preserves_a_forwarded_port(void **state)
{
	static const struct {
		const char *model;
		enum twin_protocol protocol;
		bool drops, preserves;
	} cases[] = {
		{ EIM APDF FORWARD("udp"), TWIN_UDP, false, false },
		{ ADM APDF FORWARD("udp"), TWIN_UDP, false, false },
		{ APDM APDF FORWARD("udp"), TWIN_UDP, false, false },
		{ EIM APDF FORWARD("tcp"), TWIN_TCP, false, false },
		{ EIM APDF "ports: { on_clash: sequential }\n" FORWARD("udp"), TWIN_UDP, false,
		  false },
		{ EIM APDF "ports: { on_clash: drop }\n" FORWARD("udp"), TWIN_UDP, true, false },
		{ EIM APDF "pool: { addresses: 4 }\n" FORWARD("udp"), TWIN_UDP, false, false },
		{ EIM APDF FORWARD("tcp"), TWIN_UDP, false, true },
		{ APDM APDF "ports: { overloading: yes }\n" FORWARD("udp"), TWIN_UDP, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct endpoint mapped = NOWHERE;
		struct bench b;

		bench_open(&b, cases[i].model, cases[i].protocol);
		for (int k = 0; k < 20 && endpoint_is_none(mapped); k++)
			mapped = bench_send(&b, with_port(HOST_A, 8080), SERVER);
		CHECK_EQUAL(&b, endpoint_is_none(mapped), cases[i].drops);
		CHECK_EQUAL(&b, mapped.port == 8080, cases[i].preserves);
		if (!cases[i].preserves)
			CHECK(&b, bench_reaches(&b, SERVER, FORWARDED, with_port(HOST_A2, 80)));
		bench_close(&b);
	}
}

/* Unless somebody has it. */
static void the_host_of_a_forwarded_port_preserves_it(void **state)
{
	static const char *const models[] = { EIM APDF FORWARD_ALIKE, APDM APDF FORWARD_ALIKE };

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct bench b;

		bench_open(&b, models[i], TWIN_UDP);
		CHECK_EQUAL(&b, bench_send(&b, with_port(HOST_A2, 8080), SERVER).port, 8080);
		bench_close(&b);
	}
	/* Its other ports are no better than another host's. */
	struct bench b;
	bench_open(&b, EIM APDF FORWARD("udp"), TWIN_UDP);
	CHECK(&b, bench_map(&b, with_port(HOST_A2, 8080), SERVER).port != 8080);
	bench_close(&b);
}

#define FROM_8080 "range: [8080, 8095]"
#define HALF                                                                                                \
	"forwards: [ " TO_80("udp", "8080") ", " TO_80("udp", "8081") ", " TO_80("udp", "8082") ", " TO_80( \
		"udp",                                                                                      \
		"8083") ", " TO_80("udp",                                                                   \
				   "8084") ", " TO_80("udp",                                                \
						      "8085") ", " TO_80("udp",                             \
									 "8086") ", " TO_80("udp",          \
											    "8087") " ]\n"

static void no_forwarded_port_of_the_twin_is_drawn(void **state)
{
	static const char *const models[] = {
		EIM APDF "ports: { choose: random, " FROM_8080 " }\n" HALF,
		ADM APDF "ports: { choose: random, " FROM_8080 " }\n" HALF,
		APDM APDF "ports: { choose: random, " FROM_8080 ", parity: yes }\n" HALF,
		EIM APDF "ports: { choose: block, block: 16, " FROM_8080 " }\n" HALF,
		EIM APDF "pool: { addresses: 2 }\nports: { choose: random, " FROM_8080 " }\n" HALF,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct bench b;

		bench_open(&b, models[i], TWIN_UDP);
		for (unsigned k = 0; k < 4; k++)
			CHECK(&b, bench_map(&b, with_port(HOST_A, 6000 + k), SERVER).port > 8087);
		/* The endpoint they lead to may draw each of them. */
		bool drawn = false;
		for (unsigned k = 0; k < 40 && !drawn && i < 2; k++) {
			b.now_us += SECONDS(1000);
			unsigned port = bench_map(&b, with_port(HOST_A2, 80), SERVER).port;

			drawn = port >= 8080 && port <= 8087;
		}
		CHECK_EQUAL(&b, drawn, i < 2);
		bench_close(&b);
	}
}

static void a_forwarded_port_of_the_twin_is_passed_over_in_a_sequence(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, APDM APDF "ports: { choose: sequential, " FROM_8080 " }\n" FORWARD("udp"),
		   TWIN_UDP);
	b.nat.sequence = 0;
	CHECK(&b, endpoint_is_none(bench_send(&b, HOST_A, SERVER)));
	CHECK_EQUAL(&b, bench_send(&b, HOST_A, SERVER).port, 8081);
	/* What was dropped before it was left no trace. */
	CHECK(&b, bench_reaches(&b, SERVER, FORWARDED, with_port(HOST_A2, 80)));
	b.nat.sequence = 0;
	CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER_ALT).port, 8082);
	bench_close(&b);
}

/* ---- hairpinned flows */

#define LIFE    "timeouts: { udp: 100s }\n"
#define HAIRPIN EIM EIF LIFE "hairpin: external-source\nports: { choose: random }\n"

static bool is_there(struct bench *b, struct endpoint outside, struct endpoint inside)
{
	return bench_reaches(b, with_port(SERVER, 999), outside, inside);
}

/* The port that another host saw first is what the outside sees. */
static void a_hairpinned_flow_of_the_twin_makes_a_mapping(void **state)
{
	static const char *const models[] = { HAIRPIN, HAIRPIN "refresh: outbound\n",
					      HAIRPIN "refresh: inbound\n",
					      HAIRPIN "refresh: nothing\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct bench b;

		bench_open(&b, models[i], TWIN_UDP);
		struct endpoint a2 = bench_map(&b, HOST_A2, SERVER);
		struct endpoint from = bench_map(&b, HOST_A, a2);
		CHECK(&b, endpoint_equal(b.packet.to, HOST_A2));
		CHECK(&b, bench_reaches(&b, HOST_A2, from, HOST_A));
		b.now_us = SECONDS(90);
		CHECK(&b, is_there(&b, from, HOST_A));
		bench_close(&b);

		bench_open(&b, models[i], TWIN_UDP);
		a2 = bench_map(&b, HOST_A2, SERVER);
		from = bench_map(&b, HOST_A, a2);
		CHECK(&b, endpoint_equal(bench_map(&b, HOST_A, SERVER), from));
		b.now_us = SECONDS(110);
		CHECK(&b, !is_there(&b, from, HOST_A));
		bench_close(&b);
	}
}

enum who { SENDER, RECEIVER };

/* Whether the mapping of either host of a hairpinned flow outlives its first life by packets that
 * one of them sends to the other. Both have had mappings from the beginning. */
static bool outlives(const char *model, enum who sends, enum who asked)
{
	struct bench b;

	bench_open(&b, model, TWIN_UDP);
	struct endpoint receiver = bench_map(&b, HOST_A2, SERVER);
	struct endpoint sender = bench_map(&b, HOST_A, receiver);
	for (b.now_us = SECONDS(10); b.now_us < SECONDS(110); b.now_us += SECONDS(10))
		if (sends == SENDER)
			(void)bench_send(&b, HOST_A, receiver);
		else
			(void)bench_send(&b, HOST_A2, sender);
	bool there =
		asked == SENDER ? is_there(&b, sender, HOST_A) : is_there(&b, receiver, HOST_A2);
	bench_close(&b);
	return there;
}

static void a_hairpinned_packet_prolongs_what_is_declared(void **state)
{
	static const struct {
		const char *model;
		bool outlives[2][2]; /* by who sends, and whose mapping is asked for */
	} cases[] = {
		{ HAIRPIN, { { true, true }, { true, true } } },
		{ HAIRPIN "refresh: inbound\n", { { true, true }, { true, true } } },
		{ HAIRPIN "refresh: outbound\n", { { true, false }, { false, true } } },
		{ HAIRPIN "refresh: nothing\n", { { false, false }, { false, false } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int sends = SENDER; sends <= RECEIVER; sends++)
			for (int asked = SENDER; asked <= RECEIVER; asked++)
				if (outlives(cases[i].model, (enum who)sends, (enum who)asked) !=
				    cases[i].outlives[sends][asked])
					fail_msg("%d sends, %d is asked for, with\n%s", sends,
						 asked, cases[i].model);
}

/* The first packet of another flow is no exception. */
static void a_new_hairpinned_flow_leaves_the_receivers_mapping_alone(void **state)
{
	static const struct {
		const char *model;
		bool prolongs;
	} cases[] = {
		{ HAIRPIN, true },
		{ HAIRPIN "refresh: inbound\n", true },
		{ HAIRPIN "refresh: outbound\n", false },
		{ HAIRPIN "refresh: nothing\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;

		bench_open(&b, cases[i].model, TWIN_UDP);
		struct endpoint receiver = bench_map(&b, HOST_A2, SERVER);
		b.now_us = SECONDS(90);
		(void)bench_map(&b, HOST_A, receiver);
		b.now_us = SECONDS(110);
		CHECK_EQUAL(&b, is_there(&b, receiver, HOST_A2), cases[i].prolongs);
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_other_host_of_the_twin_preserves_a_forwarded_port),
		cmocka_unit_test(the_host_of_a_forwarded_port_preserves_it),
		cmocka_unit_test(no_forwarded_port_of_the_twin_is_drawn),
		cmocka_unit_test(a_forwarded_port_of_the_twin_is_passed_over_in_a_sequence),
		cmocka_unit_test(a_hairpinned_flow_of_the_twin_makes_a_mapping),
		cmocka_unit_test(a_hairpinned_packet_prolongs_what_is_declared),
		cmocka_unit_test(a_new_hairpinned_flow_leaves_the_receivers_mapping_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

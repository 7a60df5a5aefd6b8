// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The twin's router: who is mapped to what, who gets in, and what strangers are answered, each
 * behaviour beside its contrary.
 */
#include "tests/twin_nat.h"

static const struct endpoint OUTSIDE_A = { ROUTER_ADDR, 5000 };

/* ---- mapping, filtering and ports together */

static const char *const mappings[] = { EIM, ADM, APDM };
static const char *const filterings[] = { EIF, ADF, APDF };
static const char *const ports[] = {
	"ports: { choose: preserve, range: [2000, 9999] }\n",
	"ports: { choose: random, range: [2000, 9999] }\n",
	"ports: { choose: sequential, range: [2000, 9999] }\n",
	"ports: { choose: block, block: 100, range: [2000, 9999] }\n",
};

/* Whether to two remote endpoints an inside one is the same: only the address, the port or neither
 * of the remote endpoint differs. */
static void check_mapping(struct bench *b, int mapping)
{
	struct endpoint first = bench_map(b, HOST_A, SERVER);
	struct endpoint other_port = bench_map(b, HOST_A, SERVER_PORT2);
	struct endpoint other = bench_map(b, HOST_A, SERVER_ALT);

	CHECK_EQUAL(b, first.addr, ROUTER_ADDR);
	CHECK(b, first.port >= 2000 && first.port <= 9999);
	CHECK(b, endpoint_equal(bench_map(b, HOST_A, SERVER), first));
	CHECK_EQUAL(b, endpoint_equal(other_port, first), mapping < 2);
	CHECK_EQUAL(b, endpoint_equal(other, first), mapping < 1);
}

/* Whether strangers get in to a mapping that sent to SERVER. */
static void check_filtering(struct bench *b, int filtering)
{
	static const struct endpoint inside = { 0x0a010002, 6001 };
	struct endpoint mapped = bench_map(b, inside, SERVER);

	CHECK(b, bench_reaches(b, SERVER, mapped, inside));
	CHECK_EQUAL(b, bench_reaches(b, SERVER_PORT2, mapped, inside), filtering < 2);
	CHECK_EQUAL(b, bench_reaches(b, SERVER_ALT, mapped, inside), filtering < 1);
	CHECK(b, !bench_reaches(b, SERVER, with_port(mapped, 9999), inside));
}

static void every_mapping_filtering_and_port_choice_is_as_declared(void **state)
{
	static const enum twin_protocol protocols[] = { TWIN_UDP, TWIN_TCP };

	(void)state;
	for (int i = 0; i < 3 * 3 * 4 * 2; i++) {
		int mapping = i % 3, filtering = i / 3 % 3, port = i / 9 % 4;
		char text[256];
		struct bench b;

		(void)snprintf(text, sizeof(text), "%s%s%s", mappings[mapping],
			       filterings[filtering], ports[port]);
		bench_open(&b, text, protocols[i / 36]);
		/* The answer to a SYN that is one itself is a simultaneous open. */
		check_mapping(&b, mapping);
		check_filtering(&b, filtering);
		bench_close(&b);
	}
}

/* What is permitted is what was sent to by that very mapping. */
static void a_permission_is_of_one_mapping(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, APDM ADF, TWIN_UDP);
	struct endpoint to_server = bench_map(&b, HOST_A, SERVER);
	struct endpoint to_other = bench_map(&b, HOST_A, SERVER_ALT);
	CHECK(&b, bench_reaches(&b, SERVER_PORT2, to_server, HOST_A));
	CHECK(&b, !bench_reaches(&b, SERVER_PORT2, to_other, HOST_A));
	bench_close(&b);
}

/* ---- what is refused */

#define UNSOLICITED(what) EIM APDF "unsolicited: { udp: " what ", tcp: " what " }\n"

static void strangers_are_answered_as_declared(void **state)
{
	static const struct {
		const char *model;
		enum twin_protocol protocol, answer; /* 0: none */
	} cases[] = {
		{ UNSOLICITED("drop"), TWIN_UDP, 0 },
		{ UNSOLICITED("drop"), TWIN_TCP, 0 },
		{ UNSOLICITED("icmp"), TWIN_UDP, TWIN_ICMP },
		{ UNSOLICITED("icmp"), TWIN_TCP, TWIN_ICMP },
		{ UNSOLICITED("block"), TWIN_UDP, 0 },
		{ UNSOLICITED("block"), TWIN_TCP, 0 },
		{ UNSOLICITED("accept"), TWIN_UDP, TWIN_ICMP },
		{ UNSOLICITED("accept"), TWIN_TCP, TWIN_TCP },
		{ EIM APDF "unsolicited: { tcp: rst }\n", TWIN_TCP, TWIN_TCP },
		{ EIM APDF "unsolicited: { tcp: rst }\n", TWIN_UDP, 0 },
		{ "mapping: none\n" APDF, TWIN_UDP, 0 },
		{ APDM APDF "ports: { overloading: yes }\nunsolicited: { udp: icmp }\n", TWIN_UDP,
		  TWIN_ICMP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		bench_open(&b, cases[i].model, cases[i].protocol);
		/* Whether there is a mapping makes no difference. */
		(void)bench_send(&b, HOST_A, SERVER_ALT);
		(void)bench_send(&b, SERVER, OUTSIDE_A);
		CHECK_EQUAL(&b, b.action, cases[i].answer == 0 ? TWIN_NAT_DROPS : TWIN_NAT_ANSWERS);
		if (cases[i].answer != 0) {
			CHECK_EQUAL(&b, b.packet.protocol, cases[i].answer);
			CHECK_EQUAL(&b, b.out, TWIN_OUTSIDE);
			CHECK_EQUAL(&b, b.packet.to.addr, SERVER.addr);
			CHECK_EQUAL(&b, b.packet.from.addr, ROUTER_ADDR);
		}
		if (cases[i].answer == TWIN_ICMP) {
			CHECK_EQUAL(&b, b.packet.quote.error, TWIN_PORT_UNREACHABLE);
			CHECK(&b, endpoint_equal(b.packet.quote.from, SERVER));
			CHECK(&b, endpoint_equal(b.packet.quote.to, OUTSIDE_A));
		}
		if (cases[i].answer == TWIN_TCP) {
			CHECK_EQUAL(&b, b.packet.flags, TWIN_RST | TWIN_ACK);
			CHECK_EQUAL(&b, b.packet.acknowledgement, 1001);
		}
		bench_close(&b);
	}
}

/* A packet that comes before our own, from where that is about to go. */
static void check_clash(const char *model, bool clashes)
{
	struct bench b;

	bench_open(&b, model, TWIN_UDP);
	(void)bench_send(&b, SERVER, OUTSIDE_A);
	CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER).port == 5000, !clashes);
	/* It is that one tuple and no other. */
	CHECK_EQUAL(&b, bench_map(&b, with_port(HOST_A2, 5001), SERVER).port, 5001);
	bench_close(&b);
	bench_open(&b, model, TWIN_UDP);
	(void)bench_send(&b, SERVER, OUTSIDE_A);
	CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER_ALT).port, 5000);
	bench_close(&b);
}

static void an_unsolicited_packet_that_is_accepted_takes_the_tuple(void **state)
{
	(void)state;
	check_clash(UNSOLICITED("accept"), true);
	check_clash(APDM APDF "ports: { overloading: yes }\nunsolicited: { udp: accept }\n", true);
	check_clash(UNSOLICITED("drop"), false);
	check_clash(UNSOLICITED("icmp"), false);
	check_clash(UNSOLICITED("block"), false);
	check_clash(APDM APDF "ports: { overloading: yes }\n", false);
}

static void a_knock_at_the_twin_has_its_sender_refused(void **state)
{
	static const struct {
		const char *model;
		bool blocks;
	} cases[] = { { UNSOLICITED("block"), true }, { UNSOLICITED("drop"), false } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench b;

		bench_open(&b, cases[i].model, TWIN_UDP);
		(void)bench_send(&b, SERVER, OUTSIDE_A);
		CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER).port, 5000);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER, OUTSIDE_A, HOST_A), !cases[i].blocks);
		/* Each knock counts. */
		b.now_us = SECONDS(119);
		(void)bench_map(&b, HOST_A, SERVER);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER, OUTSIDE_A, HOST_A), !cases[i].blocks);
		b.now_us = SECONDS(238);
		(void)bench_map(&b, HOST_A, SERVER);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER, OUTSIDE_A, HOST_A), !cases[i].blocks);
		b.now_us = SECONDS(357);
		(void)bench_map(&b, HOST_A, SERVER);
		b.now_us = SECONDS(359);
		CHECK(&b, bench_reaches(&b, SERVER, OUTSIDE_A, HOST_A));
		bench_close(&b);
	}
}

/* ---- TTL */

static void a_low_ttl_ends_at_the_router_and_leaves_no_trace(void **state)
{
	struct bench b;
	struct twin_packet p;

	(void)state;
	bench_open(&b, EIM APDF, TWIN_UDP);
	p = packet_of(&b, HOST_A, SERVER);
	p.ttl = 1;
	take(&b, TWIN_INSIDE, &p);
	CHECK_EQUAL(&b, b.action, TWIN_NAT_ANSWERS);
	CHECK_EQUAL(&b, b.out, TWIN_INSIDE);
	CHECK_EQUAL(&b, b.packet.quote.error, TWIN_TIME_EXCEEDED);
	CHECK_EQUAL(&b, b.packet.from.addr, 0x0a010001);
	CHECK(&b, endpoint_equal(b.packet.quote.from, HOST_A));
	CHECK(&b, !bench_reaches(&b, SERVER, OUTSIDE_A, HOST_A));
	p.ttl = 2;
	take(&b, TWIN_INSIDE, &p);
	CHECK_EQUAL(&b, b.action, TWIN_NAT_FORWARDS);
	CHECK_EQUAL(&b, b.packet.ttl, 1);
	CHECK(&b, bench_reaches(&b, SERVER, OUTSIDE_A, HOST_A));
	/* Of what comes in, the error shows what the sender sent. */
	p = packet_of(&b, SERVER, OUTSIDE_A);
	p.ttl = 1;
	take(&b, TWIN_OUTSIDE, &p);
	CHECK_EQUAL(&b, b.action, TWIN_NAT_ANSWERS);
	CHECK_EQUAL(&b, b.packet.from.addr, ROUTER_ADDR);
	CHECK(&b, endpoint_equal(b.packet.quote.to, OUTSIDE_A));
	bench_close(&b);
}

/* ---- ICMP errors */

static struct twin_packet error_about(uint32_t from, struct twin_quote quote)
{
	return (struct twin_packet){ .protocol = TWIN_ICMP,
				     .ttl = TWIN_TTL,
				     .from = { from, 0 },
				     .to = { quote.from.addr, 0 },
				     .quote = quote };
}

static void check_errors(const char *model, bool translated)
{
	struct bench b;

	bench_open(&b, model, TWIN_UDP);
	struct endpoint mapped = bench_map(&b, HOST_A, SERVER);
	/* From a router on the way, about a packet from inside. */
	struct twin_packet p = error_about(
		0x01020304, (struct twin_quote){ TWIN_TIME_EXCEEDED, TWIN_UDP, mapped, SERVER });
	take(&b, TWIN_OUTSIDE, &p);
	CHECK_EQUAL(&b, b.action == TWIN_NAT_FORWARDS, translated);
	if (translated) {
		CHECK_EQUAL(&b, b.packet.to.addr, HOST_A.addr);
		CHECK_EQUAL(&b, b.packet.from.addr, 0x01020304);
		CHECK(&b, endpoint_equal(b.packet.quote.from, HOST_A));
		CHECK(&b, endpoint_equal(b.packet.quote.to, SERVER));
	}
	/* About no flow. */
	p.quote.to = SERVER_ALT;
	take(&b, TWIN_OUTSIDE, &p);
	CHECK_EQUAL(&b, b.action, TWIN_NAT_DROPS);
	/* From the host inside, about a packet that came in. */
	p = error_about(HOST_A.addr,
			(struct twin_quote){ TWIN_PORT_UNREACHABLE, TWIN_UDP, SERVER, HOST_A });
	take(&b, TWIN_INSIDE, &p);
	CHECK_EQUAL(&b, b.action, TWIN_NAT_FORWARDS);
	CHECK_EQUAL(&b, b.packet.from.addr, ROUTER_ADDR);
	CHECK(&b, endpoint_equal(b.packet.quote.to, mapped));
	bench_close(&b);
}

static void icmp_errors_are_translated_unless_they_are_dropped(void **state)
{
	(void)state;
	check_errors(EIM APDF, true);
	check_errors(APDM APDF "ports: { choose: random }\n", true);
	check_errors(EIM APDF "icmp_errors: dropped\n", false);
}

/* ---- hairpin */

static void a_hairpin_of_the_twin_shows_the_declared_source(void **state)
{
	static const struct {
		const char *model;
		uint32_t source; /* 0: it gets nowhere */
	} cases[] = {
		{ EIM APDF, 0 },
		{ EIM APDF "hairpin: internal-source\n", 0x0a010002 },
		{ EIM APDF "hairpin: external-source\n", ROUTER_ADDR },
		{ APDM APDF "ports: { choose: random }\nhairpin: external-source\n", ROUTER_ADDR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		bench_open(&b, cases[i].model, TWIN_UDP);
		struct endpoint mapped_a = bench_map(&b, HOST_A, SERVER);
		struct endpoint mapped_a2 = bench_map(&b, HOST_A2, SERVER);
		struct endpoint source = bench_send(&b, HOST_A, mapped_a2);
		CHECK_EQUAL(&b, source.addr, cases[i].source);
		if (cases[i].source != 0) {
			CHECK_EQUAL(&b, b.out, TWIN_INSIDE);
			CHECK(&b, endpoint_equal(b.packet.to, HOST_A2));
		}
		if (cases[i].source == ROUTER_ADDR) {
			CHECK_EQUAL(&b, endpoint_equal(source, mapped_a), i == 2);
			/* The answer comes from where it was sent to. */
			CHECK(&b, endpoint_equal(bench_send(&b, HOST_A2, source), mapped_a2));
			CHECK(&b, endpoint_equal(b.packet.to, HOST_A));
		}
		bench_close(&b);
	}
}

/* ---- forwards, blocked, no translation */

#define FORWARD "forwards: [ { transport: udp, port: 8081, host: 3, host_port: 81 } ]\n"

static void a_forwarded_port_of_the_twin_leads_inside(void **state)
{
	static const struct endpoint inside = { 0x0a010003, 81 };
	static const struct endpoint forwarded = { ROUTER_ADDR, 8081 };
	static const struct {
		const char *model;
		enum twin_protocol protocol;
		bool from_outside, from_inside;
	} cases[] = {
		{ EIM APDF FORWARD, TWIN_UDP, true, false },
		{ EIM APDF FORWARD, TWIN_TCP, false, false },
		{ EIM APDF FORWARD "hairpin: external-source\n", TWIN_UDP, true, true },
		{ APDM APDF "ports: { overloading: yes }\n" FORWARD, TWIN_UDP, true, false },
		{ EIM APDF, TWIN_UDP, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		bench_open(&b, cases[i].model, cases[i].protocol);
		CHECK_EQUAL(&b, bench_reaches(&b, HOST_A, forwarded, inside), cases[i].from_inside);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER, forwarded, inside),
			    cases[i].from_outside);
		if (cases[i].from_outside)
			CHECK(&b, endpoint_equal(bench_send(&b, inside, SERVER), forwarded));
		bench_close(&b);
	}
}

static void what_is_blocked_does_not_pass_the_twin(void **state)
{
	static const struct {
		const char *model;
		bool udp, tcp_80, tcp_443;
	} cases[] = {
		{ EIM ADF, true, true, true },
		{ EIM ADF "blocked: udp\n", false, true, true },
		{ EIM ADF "blocked: all-but-tcp-443\n", false, false, true },
		{ "mapping: none\n" APDF "blocked: all-but-tcp-443\n", false, false, true },
		{ "mapping: none\n" EIF "blocked: udp\n", false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		bench_open(&b, cases[i].model, TWIN_UDP);
		CHECK_EQUAL(&b, bench_send(&b, HOST_A, with_port(SERVER, 443)).addr != 0,
			    cases[i].udp);
		b.protocol = TWIN_TCP;
		CHECK_EQUAL(&b, bench_send(&b, HOST_A, with_port(SERVER, 80)).addr != 0,
			    cases[i].tcp_80);
		struct endpoint mapped = bench_send(&b, HOST_A, with_port(SERVER, 443));
		CHECK_EQUAL(&b, mapped.addr != 0, cases[i].tcp_443);
		CHECK(&b, bench_segment(&b, with_port(SERVER, 443), mapped,
					(struct segment){ TWIN_SYN | TWIN_ACK, 1, 1001 }));
		bench_close(&b);
	}
}

static void a_router_that_does_not_translate_filters_as_declared(void **state)
{
	(void)state;
	for (int filtering = 0; filtering < 3; filtering++) {
		char text[128];
		struct bench b;

		(void)snprintf(text, sizeof(text), "mapping: none\n%s", filterings[filtering]);
		bench_open(&b, text, TWIN_UDP);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER, HOST_A, HOST_A), filtering < 1);
		CHECK(&b, endpoint_equal(bench_send(&b, HOST_A, SERVER), HOST_A));
		CHECK(&b, bench_reaches(&b, SERVER, HOST_A, HOST_A));
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER_PORT2, HOST_A, HOST_A), filtering < 2);
		CHECK_EQUAL(&b, bench_reaches(&b, SERVER_ALT, HOST_A, HOST_A), filtering < 1);
		bench_close(&b);
	}
}

static void a_reset_router_has_forgotten_all(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, EIM EIF "ports: { choose: random }\n", TWIN_UDP);
	struct endpoint first = bench_map(&b, HOST_A, SERVER);
	twin_nat_reset(&b.nat, 2);
	CHECK(&b, !bench_reaches(&b, SERVER, first, HOST_A));
	CHECK(&b, bench_map(&b, HOST_A, SERVER).port != first.port);
	/* The same seed, the same ports. */
	twin_nat_reset(&b.nat, 1);
	CHECK_EQUAL(&b, bench_map(&b, HOST_A, SERVER).port, first.port);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mapping_filtering_and_port_choice_is_as_declared),
		cmocka_unit_test(a_permission_is_of_one_mapping),
		cmocka_unit_test(strangers_are_answered_as_declared),
		cmocka_unit_test(an_unsolicited_packet_that_is_accepted_takes_the_tuple),
		cmocka_unit_test(a_knock_at_the_twin_has_its_sender_refused),
		cmocka_unit_test(a_low_ttl_ends_at_the_router_and_leaves_no_trace),
		cmocka_unit_test(icmp_errors_are_translated_unless_they_are_dropped),
		cmocka_unit_test(a_hairpin_of_the_twin_shows_the_declared_source),
		cmocka_unit_test(a_forwarded_port_of_the_twin_leads_inside),
		cmocka_unit_test(what_is_blocked_does_not_pass_the_twin),
		cmocka_unit_test(a_router_that_does_not_translate_filters_as_declared),
		cmocka_unit_test(a_reset_router_has_forgotten_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

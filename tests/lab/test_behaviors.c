// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a router does with UDP that is unsolicited, for another host behind it, or in error: each
 * behaviour in a lab that has it and in one that has not.
 */
#include "tests/behavior_lab.h"

#define INSIDE_PORT 41002u

static const struct endpoint mapped_port = { ROUTER_A_ADDR, INSIDE_PORT };

/* ---- unsolicited packets */

#define UNSOLICITED(what) EIM APDF "unsolicited: { udp: " what " }\n"

/* What comes before our own packet, to the port that this is about to get and from where it is
 * about to go, takes the port away if the router's own stack has it. */
static void check_clash(const char *model, bool clashes)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A, INSIDE_PORT), outside = udp_at(&l, SERVER, 4000);

	(void)say(&l, outside, mapped_port);
	behavior_settle(&l);
	CHECK_EQUAL(&l, map_port(&l, inside, outside).port == INSIDE_PORT, !clashes);
}

static void an_unsolicited_packet_that_is_accepted_takes_the_port_away(void **state)
{
	(void)state;
	check_clash(UNSOLICITED("accept"), true);
	check_clash(UNSOLICITED("drop"), false);
	check_clash(UNSOLICITED("icmp"), false);
	check_clash(UNSOLICITED("block"), false);
}

/* One that gets through our router and dies behind it. */
static void a_packet_with_a_low_ttl_prevents_the_clash(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(&l, "one-home", UNSOLICITED("accept"));
	struct end inside = udp_at(&l, HOST_A, INSIDE_PORT), outside = udp_at(&l, SERVER, 4000);
	set_option(inside, IPPROTO_IP, IP_TTL, 2);
	uint32_t low = say(&l, inside, outside.at);
	ASSERT_SOON(lab_wire_stats(l.lab)->ttl_expired == 1);
	CHECK_ARRIVES(&l, outside, mapped_port, inside, true);
	set_option(inside, IPPROTO_IP, IP_TTL, 64);
	CHECK_EQUAL(&l, map_port(&l, inside, outside).port, INSIDE_PORT);
	CHECK(&l, !heard(outside, low, NULL));
}

static void check_knock(const char *model, bool blocks)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A, INSIDE_PORT), knocker = udp_at(&l, SERVER, 4000);
	struct end other = udp_at(&l, SERVER_ALT, 4000);

	CHECK_ARRIVES(&l, knocker, mapped_port, inside, false);
	CHECK_EQUAL(&l, map_port(&l, inside, knocker).port, INSIDE_PORT);
	CHECK_ARRIVES(&l, knocker, mapped_port, inside, !blocks);
	/* The others are not to suffer for it. */
	(void)map_port(&l, inside, other);
	CHECK_ARRIVES(&l, other, mapped_port, inside, true);
}

static void a_knock_makes_the_router_refuse_its_sender(void **state)
{
	(void)state;
	check_knock(UNSOLICITED("block"), true);
	check_knock(UNSOLICITED("drop"), false);
}

static void check_answer(const char *model, bool answers)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end outside = udp_at(&l, SERVER, 4000);

	connect_udp(outside, mapped_port);
	(void)say(&l, outside, mapped_port);
	CHECK_REFUSED(&l, outside, answers);
}

static void an_unsolicited_packet_is_answered_as_declared(void **state)
{
	(void)state;
	check_answer(UNSOLICITED("icmp"), true);
	check_answer(UNSOLICITED("accept"), true); /* by the router's own stack */
	check_answer(UNSOLICITED("drop"), false);
	check_answer(UNSOLICITED("block"), false);
}

/* ---- another host behind the same router */

struct hairpin {
	struct end a, a2;
	struct endpoint outside_a, outside_a2;
};

#define HAIRPINNED_AT_RANDOM "hairpin: external-source\nports: { choose: random }\n"

static struct hairpin hairpin_in(struct behavior_lab *l, const char *model)
{
	struct hairpin h;

	behavior_lab_open(l, "one-home", model);
	struct end server = udp_at(l, SERVER, 4000);
	h.a = udp_at(l, HOST_A, 5001);
	h.a2 = udp_at(l, HOST_A2, 5002);
	h.outside_a = map_port(l, h.a, server);
	h.outside_a2 = map_port(l, h.a2, server);
	return h;
}

static void a_hairpin_shows_the_source_that_is_declared(void **state)
{
	static const struct {
		const char *model;
		bool external;
	} cases[] = {
		{ EIM EIF "hairpin: external-source\n", true },
		{ EIM EIF "hairpin: internal-source\n", false },
		{ APDM APDF "ports: { choose: random }\nhairpin: external-source\n", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		struct hairpin h = hairpin_in(&l, cases[i].model);
		struct endpoint from = { 0, 0 };
		uint32_t number = say(&l, h.a, h.outside_a2);

		CHECK(&l, hears(h.a2, number, soon_us(), &from));
		if (cases[i].external) {
			CHECK_EQUAL(&l, from.addr, ROUTER_A_ADDR);
			CHECK_ARRIVES(&l, h.a2, from, h.a, true);
			if (strstr(cases[i].model, APDM) == NULL)
				CHECK_EQUAL(&l, from.port, h.outside_a.port);
		} else {
			CHECK_EQUAL(&l, from.addr, h.a.at.addr);
			CHECK_EQUAL(&l, from.port, h.a.at.port);
		}
	}
}

/* An endpoint that sends to two ports of the router's own address has as many mappings as towards
 * any other. */
static void check_hairpin_mapping(const char *model, bool one_mapping)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	struct hairpin h = hairpin_in(&l, model);
	struct end server = udp_at(&l, SERVER, 4001), other = udp_at(&l, HOST_A2, 5003);
	struct endpoint outside_other = map_port(&l, other, server);
	struct endpoint from[2] = { { 0, 0 }, { 0, 0 } };

	CHECK(&l, hears(h.a2, say(&l, h.a, h.outside_a2), soon_us(), &from[0]));
	CHECK(&l, hears(other, say(&l, h.a, outside_other), soon_us(), &from[1]));
	CHECK_EQUAL(&l, from[0].port == from[1].port, one_mapping);
	CHECK_ARRIVES(&l, h.a2, from[0], h.a, true);
	CHECK_ARRIVES(&l, other, from[1], h.a, true);
}

static void a_hairpinned_flow_has_the_mapping_that_is_declared(void **state)
{
	(void)state;
	check_hairpin_mapping(EIM EIF "hairpin: external-source\n", true);
	check_hairpin_mapping(ADM ADF "hairpin: external-source\n", true);
	check_hairpin_mapping(APDM APDF "hairpin: external-source\n", false);
}

/* The port that another host saw first is what the outside sees. */
static void check_mapped_by_hairpin(const char *model)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	struct hairpin h = hairpin_in(&l, model);
	struct end server = udp_at(&l, SERVER, 4001), sender = udp_at(&l, HOST_A, 5004);
	struct endpoint from = { 0, 0 };

	CHECK(&l, hears(h.a2, say(&l, sender, h.outside_a2), soon_us(), &from));
	CHECK_ARRIVES(&l, h.a2, from, sender, true);
	CHECK_EQUAL(&l, map_port(&l, sender, server).port, from.port);
}

static void a_hairpinned_flow_makes_a_mapping(void **state)
{
	static const char *const models[] = {
		EIM EIF HAIRPINNED_AT_RANDOM,
		EIM EIF HAIRPINNED_AT_RANDOM "refresh: outbound\n",
		EIM EIF HAIRPINNED_AT_RANDOM "refresh: inbound\n",
		EIM EIF HAIRPINNED_AT_RANDOM "refresh: nothing\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		check_mapped_by_hairpin(models[i]);
}

static void without_hairpin_nothing_comes_back(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	struct hairpin h = hairpin_in(&l, EIM EIF);

	(void)state;
	CHECK_ARRIVES(&l, h.a, h.outside_a2, h.a2, false);
}

/* ---- ICMP errors */

static void check_icmp_errors(const char *model, bool translated)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A, 5001), closed = udp_at(&l, SERVER, 4000);

	close_end(&l, closed);
	connect_udp(inside, closed.at);
	(void)say(&l, inside, closed.at);
	CHECK_REFUSED(&l, inside, translated);
}

static void icmp_errors_get_in_unless_they_are_dropped(void **state)
{
	(void)state;
	check_icmp_errors(EIM APDF, true);
	check_icmp_errors(EIM APDF "icmp_errors: translated\n", true);
	check_icmp_errors(EIM APDF "icmp_errors: dropped\n", false);
	check_icmp_errors(APDM APDF "ports: { overloading: yes }\nicmp_errors: dropped\n", false);
}

/* ---- two hosts, one outside port */

static void check_overloading(const char *model, bool overloads)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end a = udp_at(&l, HOST_A, 7000), a2 = udp_at(&l, HOST_A2, 7000);
	struct end server = udp_at(&l, SERVER, 4000), other = udp_at(&l, SERVER_ALT, 4000);
	struct endpoint mapped_a = map_port(&l, a, server), mapped_a2 = map_port(&l, a2, other);

	CHECK_EQUAL(&l, mapped_a.port, 7000);
	CHECK_EQUAL(&l, mapped_a2.port == 7000, overloads);
	CHECK_ARRIVES(&l, server, mapped_a, a, true);
	CHECK_ARRIVES(&l, other, mapped_a2, a2, true);
	/* Towards one destination, no port is shared. */
	CHECK(&l, map_port(&l, a2, server).port != 7000);
}

static void two_hosts_share_a_port_only_where_it_is_overloaded(void **state)
{
	(void)state;
	check_overloading(APDM APDF "ports: { overloading: yes }\n", true);
	check_overloading(APDM APDF "ports: { overloading: no }\n", false);
	check_overloading(APDM APDF, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unsolicited_packet_that_is_accepted_takes_the_port_away),
		cmocka_unit_test(a_packet_with_a_low_ttl_prevents_the_clash),
		cmocka_unit_test(a_knock_makes_the_router_refuse_its_sender),
		cmocka_unit_test(an_unsolicited_packet_is_answered_as_declared),
		cmocka_unit_test(a_hairpin_shows_the_source_that_is_declared),
		cmocka_unit_test(a_hairpinned_flow_has_the_mapping_that_is_declared),
		cmocka_unit_test(a_hairpinned_flow_makes_a_mapping),
		cmocka_unit_test(without_hairpin_nothing_comes_back),
		cmocka_unit_test(icmp_errors_get_in_unless_they_are_dropped),
		cmocka_unit_test(two_hosts_share_a_port_only_where_it_is_overloaded),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

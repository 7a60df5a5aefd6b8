// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the router itself sends permits nobody, owns no port and ends no mapping: whoever is refused
 * is refused again, and the hosts find all as it was.
 */
#include "tests/behavior_tcp.h"

#define INSIDE_PORT 41002u
#define KNOCKS      3

#define ANSWERS(what) "unsolicited: { udp: " what ", tcp: " what " }\n"
#define RESETS        "unsolicited: { tcp: rst }\n"

static const struct endpoint mapped_port = { ROUTER_A_ADDR, INSIDE_PORT };

/* ---- TCP */

struct refusal {
	const char *model;
	int outcome; /* of a stranger's attempt */
};

/* Whether the port has a mapping or not. */
static const struct refusal refusals[] = {
	{ EIM APDF RESETS, ECONNREFUSED },
	{ EIM ADF RESETS, ECONNREFUSED },
	{ ADM APDF RESETS, ECONNREFUSED },
	{ APDM APDF RESETS, ECONNREFUSED },
	{ EIM APDF RESETS "rst: any\n", ECONNREFUSED },
	{ EIM APDF RESETS "rst: in-window\n", ECONNREFUSED },
	{ EIM APDF ANSWERS("icmp"), ECONNREFUSED },
	{ EIM APDF ANSWERS("accept"), ECONNREFUSED },
	{ EIM APDF ANSWERS("accept") "rst: any\n", ECONNREFUSED },
	{ EIM APDF ANSWERS("block"), ETIMEDOUT },
	{ EIM APDF ANSWERS("drop"), ETIMEDOUT },
};

/* Here a mapping lets strangers in. */
static const struct refusal refusals_where_nobody_is[] = {
	{ EIM EIF RESETS, ECONNREFUSED },
	{ EIM EIF RESETS "pool: { addresses: 2 }\n", ECONNREFUSED },
	{ EIM EIF ANSWERS("accept"), ECONNREFUSED },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From one endpoint, one after another. */
static void knock_by_syn(struct behavior_lab *l, int outcome)
{
	for (int i = 0; i < KNOCKS; i++) {
		struct end stranger = tcp_at(l, SERVER_ALT, 4000);

		CHECK_CONNECTS(l, stranger, mapped_port, outcome);
		close_end(l, stranger);
	}
}

static void check_syns_to_nobody(const struct refusal *r)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", r->model);
	struct end server = tcp_listener_at(&l, SERVER, 4000);
	int accepted = -1;

	knock_by_syn(&l, r->outcome);
	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, INSIDE_PORT), server.at, 0);
	CHECK_EQUAL(&l, tcp_accept_from(&l, server, &accepted).port, INSIDE_PORT);
}

static void check_passes(struct behavior_lab *l, int from, int to)
{
	char c = 0;

	assert_int_equal(send(from, "x", 1, MSG_NOSIGNAL), 1);
	CHECK(l, await_event(to, POLLIN, soon_us()) && recv(to, &c, 1, 0) == 1);
}

static void check_syns_to_a_mapping(const struct refusal *r)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", r->model);
	struct end server = tcp_listener_at(&l, SERVER, 4000);
	struct end inside = tcp_at(&l, HOST_A, INSIDE_PORT);
	int accepted = -1;

	CHECK_CONNECTS(&l, inside, server.at, 0);
	CHECK_EQUAL(&l, tcp_accept_from(&l, server, &accepted).port, INSIDE_PORT);
	knock_by_syn(&l, r->outcome);
	check_passes(&l, accepted, inside.fd);
	check_passes(&l, inside.fd, accepted);
}

static void every_unsolicited_syn_is_answered_like_the_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		check_syns_to_nobody(&refusals[i]);
		check_syns_to_a_mapping(&refusals[i]);
	}
	for (size_t i = 0; i < COUNT(refusals_where_nobody_is); i++)
		check_syns_to_nobody(&refusals_where_nobody_is[i]);
}

/* Behind a firewall the reset seems to come from the host itself. */
static void a_firewall_resets_every_unsolicited_syn(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(&l, "one-home", "mapping: none\n" APDF RESETS);
	struct end listener = tcp_listener_at(&l, HOST_A, INSIDE_PORT);
	for (int i = 0; i < KNOCKS; i++) {
		struct end stranger = tcp_at(&l, SERVER_ALT, 4000);

		CHECK_CONNECTS(&l, stranger, listener.at, ECONNREFUSED);
		close_end(&l, stranger);
	}
}

/* What filtering permitted before is permitted still. */
static void a_reset_by_the_router_leaves_the_mapping_open(void **state)
{
	static const char *const models[] = { EIM ADF RESETS, EIM ADF RESETS "rst: any\n",
					      EIM ADF ANSWERS("accept") "rst: any\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", models[i]);
		struct end server = tcp_listener_at(&l, SERVER, 4000);
		struct end inside = tcp_at(&l, HOST_A, INSIDE_PORT);
		struct end listener = tcp_listener_at(&l, HOST_A, INSIDE_PORT);
		int accepted = -1;

		CHECK_CONNECTS(&l, inside, server.at, 0);
		knock_by_syn(&l, ECONNREFUSED);
		CHECK_CONNECTS(&l, tcp_at(&l, SERVER, 0), mapped_port, 0);
		(void)tcp_accept_from(&l, listener, &accepted);
	}
}

/* Whether the port towards a stranger is taken by what that one sent to it. */
static void check_clash(const char *model, bool is_served)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end knocker = tcp_at(&l, SERVER_ALT, 4000);
	int accepted = -1;

	if (is_served)
		(void)tcp_listener_at(&l, ROUTER_A, INSIDE_PORT);
	struct end stranger = tcp_listener_at(&l, SERVER_ALT, 4000);
	CHECK_CONNECTS(&l, knocker, mapped_port, is_served ? 0 : ECONNREFUSED);
	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, INSIDE_PORT), stranger.at, 0);
	CHECK_EQUAL(&l, tcp_accept_from(&l, stranger, &accepted).port == INSIDE_PORT, !is_served);
}

/* conntrack forgets a flow at once that is answered by nothing but a reset. */
static void a_port_is_taken_away_by_a_connection_that_the_router_keeps(void **state)
{
	(void)state;
	check_clash(EIM APDF ANSWERS("accept"), true);
	check_clash(APDM APDF ANSWERS("accept"), true);
	check_clash(EIM APDF ANSWERS("accept"), false);
	check_clash(EIM APDF ANSWERS("icmp"), false);
	check_clash(EIM APDF RESETS, false);
}

/* ---- UDP */

static void check_datagrams(const char *model, bool refused, bool mapped)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A, INSIDE_PORT), server = udp_at(&l, SERVER, 4000);
	struct end stranger = udp_at(&l, SERVER_ALT, 4000);

	if (mapped)
		CHECK_EQUAL(&l, map_port(&l, inside, server).port, INSIDE_PORT);
	connect_udp(stranger, mapped_port);
	for (int i = 0; i < KNOCKS; i++) {
		(void)say(&l, stranger, mapped_port);
		CHECK_REFUSED(&l, stranger, refused);
	}
	CHECK_EQUAL(&l, map_port(&l, inside, server).port, INSIDE_PORT);
	CHECK_ARRIVES(&l, server, mapped_port, inside, true);
}

static void every_unsolicited_datagram_is_answered_like_the_first(void **state)
{
	(void)state;
	for (int mapped = 0; mapped < 2; mapped++) {
		check_datagrams(EIM APDF ANSWERS("icmp"), true, mapped);
		check_datagrams(EIM APDF ANSWERS("accept"), true, mapped);
		check_datagrams(EIM APDF ANSWERS("block"), false, mapped);
		check_datagrams(EIM APDF ANSWERS("drop"), false, mapped);
	}
}

/* A program on the router itself, with a socket that has the port of a host's mapping. */
static void check_service(const char *model, bool mapped)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A, INSIDE_PORT), server = udp_at(&l, SERVER, 4000);
	struct end stranger = udp_at(&l, SERVER_ALT, 4000);
	struct end service = udp_at(&l, ROUTER_A, INSIDE_PORT);

	if (mapped)
		CHECK_EQUAL(&l, map_port(&l, inside, server).port, INSIDE_PORT);
	for (int i = 0; i < KNOCKS; i++) {
		CHECK_ARRIVES(&l, stranger, mapped_port, service, true);
		CHECK_ARRIVES(&l, service, stranger.at, stranger, true);
	}
	CHECK_EQUAL(&l, map_port(&l, inside, server).port, INSIDE_PORT);
	CHECK_ARRIVES(&l, server, mapped_port, inside, true);
	CHECK_ARRIVES(&l, stranger, mapped_port, service, true);
}

static void a_service_of_the_router_owns_no_port(void **state)
{
	(void)state;
	for (int mapped = 0; mapped < 2; mapped++) {
		check_service(EIM APDF ANSWERS("accept"), mapped);
		check_service(EIM APDF ANSWERS("accept") "refresh: outbound\n", mapped);
		check_service(EIM APDF ANSWERS("accept") "refresh: inbound\n", mapped);
		check_service(EIM APDF ANSWERS("accept") "refresh: nothing\n", mapped);
		check_service(APDM APDF ANSWERS("accept") "rst: any\n", mapped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_unsolicited_syn_is_answered_like_the_first),
		cmocka_unit_test(a_firewall_resets_every_unsolicited_syn),
		cmocka_unit_test(a_reset_by_the_router_leaves_the_mapping_open),
		cmocka_unit_test(a_port_is_taken_away_by_a_connection_that_the_router_keeps),
		cmocka_unit_test(every_unsolicited_datagram_is_answered_like_the_first),
		cmocka_unit_test(a_service_of_the_router_owns_no_port),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

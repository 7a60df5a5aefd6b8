// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Outside ports that always lead to one inside endpoint: for whom, and whatever ends mappings.
 */
#include "tests/behavior_tcp.h"

#define FORWARD(t)    "forwards: [ { transport: " t ", port: 8080, host: 3, host_port: 80 } ]\n"
#define FORWARD_ALIKE "forwards: [ { transport: udp, port: 8080, host: 3, host_port: 8080 } ]\n"
#define HAIRPIN       "hairpin: external-source\n"

static const struct endpoint forwarded = { ROUTER_A_ADDR, 8080 };

/* ---- from outside */

static void check_forward(const char *model, bool forwards)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A2, 80), outside = udp_at(&l, SERVER, 4000);
	struct endpoint from = { 0, 0 };
	uint32_t number = say(&l, outside, forwarded);

	check_heard(&l, __func__, inside, number, forwards);
	if (!forwards)
		return;
	number = say(&l, inside, outside.at);
	CHECK(&l, hears(outside, number, soon_us(), &from));
	CHECK_EQUAL(&l, from.addr, forwarded.addr);
	CHECK_EQUAL(&l, from.port, forwarded.port);
}

static void a_forwarded_port_leads_inside(void **state)
{
	(void)state;
	check_forward(EIM APDF FORWARD("udp"), true);
	check_forward(APDM APDF "ports: { overloading: yes }\n" FORWARD("udp"), true);
	check_forward(EIM APDF FORWARD("tcp"), false);
	check_forward(EIM APDF, false);
}

static void check_tcp_forward(const char *model, bool forwards)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = tcp_listener_at(&l, HOST_A2, 80);

	CHECK_CONNECTS(&l, tcp_at(&l, SERVER, 0), forwarded, forwards ? 0 : ETIMEDOUT);
	/* The last packet of the handshake may still be under way. */
	CHECK_EQUAL(&l, await_event(inside.fd, POLLIN, forwards ? soon_us() : 0), forwards);
}

static void a_forwarded_tcp_port_leads_inside(void **state)
{
	(void)state;
	check_tcp_forward(EIM APDF FORWARD("tcp"), true);
	check_tcp_forward(EIM APDF FORWARD("udp"), false);
	check_tcp_forward(EIM APDF, false);
}

/* ---- whose the port is before anybody has used it (RFC 4787, REQ-3) */

static void check_other_port(const char *model)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A2, 80), outside = udp_at(&l, SERVER, 4000);
	struct end other = udp_at(&l, HOST_A, forwarded.port);

	CHECK(&l, map_port(&l, other, outside).port != forwarded.port);
	CHECK_ARRIVES(&l, outside, forwarded, inside, true);
}

static void no_other_host_preserves_a_forwarded_port(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	int accepted = -1;

	(void)state;
	check_other_port(EIM APDF FORWARD("udp"));
	check_other_port(ADM APDF FORWARD("udp"));
	check_other_port(APDM APDF FORWARD("udp"));
	check_other_port(EIM APDF "ports: { on_clash: sequential }\n" FORWARD("udp"));
	behavior_lab_open(&l, "one-home", EIM APDF FORWARD("tcp"));
	struct end server = tcp_listener_at(&l, SERVER, 4000);
	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, forwarded.port), server.at, 0);
	CHECK(&l, tcp_accept_from(&l, server, &accepted).port != forwarded.port);
}

static void its_own_host_preserves_a_forwarded_port(void **state)
{
	static const char *const models[] = { EIM APDF FORWARD_ALIKE, APDM APDF FORWARD_ALIKE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", models[i]);
		struct end inside = udp_at(&l, HOST_A2, forwarded.port);

		CHECK_EQUAL(&l, map_port(&l, inside, udp_at(&l, SERVER, 4000)).port,
			    forwarded.port);
	}
}

#define FROM_8080 "range: [8080, 8095]"
#define TO_80(p)  "{ transport: udp, port: " p ", host: 3, host_port: 80 }"

/* Half of the range is forwarded: one that draws six of it without regard for that gets none of
 * them once in three hundred times. */
static void no_forwarded_port_is_drawn_at_random(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(
		&l, "one-home",
		EIM APDF
		"ports: { choose: random, " FROM_8080 " }\n"
		"forwards: [ " TO_80("8080") ", " TO_80("8081") ", " TO_80("8082") ", " TO_80("8083") ", " TO_80(
			"8084") ", " TO_80("8085") ", " TO_80("8086") ", " TO_80("8087") " ]\n");
	struct end outside = udp_at(&l, SERVER, 4000);
	for (int i = 0; i < 6; i++)
		CHECK(&l, map_port(&l, udp_at(&l, HOST_A, 0), outside).port > 8087);
}

static void a_forwarded_port_is_passed_over_in_a_sequence(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(&l, "one-home",
			  APDM APDF "ports: { choose: sequential, " FROM_8080
				    " }\n" FORWARD("udp"));
	struct end outside = udp_at(&l, SERVER, 4000);
	CHECK_EQUAL(&l, map_port(&l, udp_at(&l, HOST_A, 0), outside).port, 8081);
}

/* ---- from inside (RFC 4787, REQ-9); nobody outside has used the port before */

static void check_hairpin(const char *model, bool arrives)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = udp_at(&l, HOST_A2, 80), neighbour = udp_at(&l, HOST_A, 5001);
	struct endpoint from = { 0, 0 }, answered = { 0, 0 };
	uint32_t number = say(&l, neighbour, forwarded);

	if (!arrives) {
		check_heard(&l, __func__, inside, number, false);
		return;
	}
	CHECK(&l, hears(inside, number, soon_us(), &from));
	if (strstr(model, HAIRPIN) == NULL) {
		CHECK_EQUAL(&l, from.addr, neighbour.at.addr);
		return;
	}
	CHECK_EQUAL(&l, from.addr, ROUTER_A_ADDR);
	CHECK(&l, hears(neighbour, say(&l, inside, from), soon_us(), &answered));
	CHECK_EQUAL(&l, answered.addr, forwarded.addr);
	CHECK_EQUAL(&l, answered.port, forwarded.port);
}

static void a_forwarded_port_is_hairpinned_before_anybody_has_used_it(void **state)
{
	(void)state;
	check_hairpin(EIM APDF HAIRPIN FORWARD("udp"), true);
	check_hairpin(ADM APDF HAIRPIN FORWARD("udp"), true);
	check_hairpin(APDM APDF HAIRPIN FORWARD("udp"), true);
	check_hairpin(EIM APDF "hairpin: internal-source\n" FORWARD("udp"), true);
	check_hairpin(EIM APDF FORWARD("udp"), false);
	check_hairpin(EIM APDF HAIRPIN FORWARD("tcp"), false);
}

static void check_tcp_hairpin(const char *model, int outcome)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end inside = tcp_listener_at(&l, HOST_A2, 80);
	int accepted = -1;

	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, 5001), forwarded, outcome);
	if (outcome == 0)
		CHECK_EQUAL(&l, tcp_accept_from(&l, inside, &accepted).addr, ROUTER_A_ADDR);
}

static void a_forwarded_tcp_port_is_hairpinned_before_anybody_has_used_it(void **state)
{
	(void)state;
	check_tcp_hairpin(EIM APDF HAIRPIN FORWARD("tcp"), 0);
	check_tcp_hairpin(EIM APDF FORWARD("tcp"), ETIMEDOUT);
	check_tcp_hairpin(EIM APDF HAIRPIN FORWARD("udp"), ETIMEDOUT);
}

/* ---- whatever ends mappings */

/* Bytes get from one connected socket to another. */
static void check_passes(struct behavior_lab *l, const char *where, int from, int to)
{
	char c = 0;

	assert_int_equal(send(from, "x", 1, MSG_NOSIGNAL), 1);
	if (!await_event(to, POLLIN, soon_us()) || recv(to, &c, 1, 0) != 1)
		BEHAVIOR_FAIL(l, "%s: the other client is cut off", where);
}

static void check_reset(const char *model)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end out = tcp_at(&l, HOST_A2, 80), inside = tcp_listener_at(&l, HOST_A2, 80);
	struct end server = tcp_listener_at(&l, SERVER, 4000);
	struct end one = tcp_at(&l, SERVER, 0), other = tcp_at(&l, SERVER_ALT, 0);
	int to_one = -1, to_other = -1, to_server = -1;

	CHECK_CONNECTS(&l, other, forwarded, 0);
	(void)tcp_accept_from(&l, inside, &to_other);
	CHECK_CONNECTS(&l, one, forwarded, 0);
	(void)tcp_accept_from(&l, inside, &to_one);
	tcp_reset(&l, one.fd);
	CHECK(&l, await_event(to_one, POLLERR, soon_us()));
	/* Its mapping is the forward, and stays. */
	if (strstr(model, EIM) != NULL) {
		CHECK_CONNECTS(&l, out, server.at, 0);
		CHECK_EQUAL(&l, tcp_accept_from(&l, server, &to_server).port, forwarded.port);
	}
	check_passes(&l, "in", other.fd, to_other);
	check_passes(&l, "out", to_other, other.fd);
}

static void a_reset_by_one_client_of_a_forward_is_nothing_to_the_others(void **state)
{
	static const char *const models[] = {
		ADM APDF "rst: any\n" FORWARD("tcp"),
		EIM APDF "rst: any\n" FORWARD("tcp"),
		EIM APDF "rst: in-window\n" FORWARD("tcp"),
		APDM APDF "rst: any\n" FORWARD("tcp"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		check_reset(models[i]);
}

static void a_forward_is_open_where_nothing_refreshes_mappings(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(&l, "one-home", EIM APDF "refresh: nothing\n" FORWARD("udp"));
	struct end inside = udp_at(&l, HOST_A2, 80), outside = udp_at(&l, SERVER, 4000);
	for (int i = 0; i < 2; i++) {
		CHECK_ARRIVES(&l, outside, forwarded, inside, true);
		CHECK_ARRIVES(&l, inside, outside.at, outside, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forwarded_port_leads_inside),
		cmocka_unit_test(a_forwarded_tcp_port_leads_inside),
		cmocka_unit_test(no_other_host_preserves_a_forwarded_port),
		cmocka_unit_test(its_own_host_preserves_a_forwarded_port),
		cmocka_unit_test(no_forwarded_port_is_drawn_at_random),
		cmocka_unit_test(a_forwarded_port_is_passed_over_in_a_sequence),
		cmocka_unit_test(a_forwarded_port_is_hairpinned_before_anybody_has_used_it),
		cmocka_unit_test(a_forwarded_tcp_port_is_hairpinned_before_anybody_has_used_it),
		cmocka_unit_test(a_reset_by_one_client_of_a_forward_is_nothing_to_the_others),
		cmocka_unit_test(a_forward_is_open_where_nothing_refreshes_mappings),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

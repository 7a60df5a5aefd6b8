// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP connections and time: two hosts that connect to one another through their routers, one a
 * little later than the other; and how long the mappings of connections live.
 */
#include "sim/experiment/trial.h"
#include "tests/behavior_tcp.h"

#define UNSOLICITED(what) EIM APDF "unsolicited: { tcp: " what " }\n"

/* ---- simultaneous open (RFC 5382, REQ-2) */

#define PORT_A 41002u
#define PORT_B 41003u

static const struct endpoint mapped_a = { ROUTER_A_ADDR, PORT_A };
static const struct endpoint mapped_b = { ROUTER_B_ADDR, PORT_B };

/* Two sockets that connect to each other and do not listen; first is what becomes of the one that
 * begins, until the other does. */
static void check_open(const char *model, unsigned skew_ms, int first, int outcome)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "two-homes", model);
	struct end a = tcp_at(&l, HOST_A, PORT_A), b = tcp_at(&l, HOST_B, PORT_B);
	uint64_t begun_us = process_now_us();

	tcp_connect(a, mapped_b);
	if (first != 0)
		CHECK_EQUAL(&l, (unsigned)tcp_outcome(a, soon_us()), (unsigned)first);
	wait_until(begun_us + skew_ms * 1000u);
	tcp_connect(b, mapped_a);
	CHECK_EQUAL(&l, (unsigned)tcp_outcome(b, soon_us()), (unsigned)outcome);
	if (first == 0)
		CHECK_EQUAL(&l, (unsigned)tcp_outcome(a, soon_us()), (unsigned)outcome);
}

static void a_simultaneous_open_connects_where_unsolicited_syns_are_dropped(void **state)
{
	static const unsigned skews_ms[] = { 0, 5, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(skews_ms) / sizeof(skews_ms[0]); i++)
		check_open(UNSOLICITED("drop"), skews_ms[i], 0, 0);
}

/* The second begins when the first has its answer, and that much later at least. Sooner, the two
 * may pass each other on the wire, and then neither is unsolicited. Nobody is left to wait: the
 * second one's SYN finds the way in that the first has made, and no socket, which makes a reset. */
static void a_simultaneous_open_fails_where_unsolicited_syns_are_answered(void **state)
{
	static const unsigned skews_ms[] = { 0, 5, 100, 500 };

	(void)state;
	for (size_t i = 0; i < sizeof(skews_ms) / sizeof(skews_ms[0]); i++) {
		check_open(UNSOLICITED("rst"), skews_ms[i], ECONNREFUSED, ECONNREFUSED);
		check_open(UNSOLICITED("icmp"), skews_ms[i], ECONNREFUSED, ECONNREFUSED);
		check_open(UNSOLICITED("accept"), skews_ms[i], ECONNREFUSED, ECONNREFUSED);
	}
}

/* How long a SYN is under way between the routers; a skew is far from it, for a busy machine. */
#define UNDER_WAY_US 300000u

static void check_open_afar(const char *model, unsigned skew_ms, int outcome)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open_afar(&l, "two-homes", UNDER_WAY_US, model);
	struct end a = tcp_at(&l, HOST_A, PORT_A), b = tcp_at(&l, HOST_B, PORT_B);
	uint64_t begun_us = process_now_us();

	tcp_connect(a, mapped_b);
	wait_until(begun_us + skew_ms * 1000u);
	tcp_connect(b, mapped_a);
	CHECK_EQUAL(&l, (unsigned)tcp_outcome(a, soon_us()), (unsigned)outcome);
	CHECK_EQUAL(&l, (unsigned)tcp_outcome(b, soon_us()), (unsigned)outcome);
}

static void a_simultaneous_open_connects_where_the_syns_pass_each_other(void **state)
{
	static const unsigned skews_ms[] = { 0, 5, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(skews_ms) / sizeof(skews_ms[0]); i++)
		check_open_afar(UNSOLICITED("icmp"), skews_ms[i], 0);
	check_open_afar(UNSOLICITED("icmp"), 500, ECONNREFUSED);
	check_open_afar(UNSOLICITED("drop"), 500, 0);
	check_open_afar(UNSOLICITED("rst"), 100, 0);
	check_open_afar(UNSOLICITED("rst"), 500, ECONNREFUSED);
	check_open_afar(UNSOLICITED("accept"), 100, 0);
}

/* Nobody is answered, so nothing tells but silence. A SYN that is sent again after a second is
 * refused like the first. */
static void a_simultaneous_open_fails_where_a_syn_that_knocks_is_blocked(void **state)
{
	CLEANUP(behavior_lab) struct behavior_lab l;

	(void)state;
	behavior_lab_open(&l, "two-homes", UNSOLICITED("block"));
	struct end a = tcp_at(&l, HOST_A, PORT_A), b = tcp_at(&l, HOST_B, PORT_B);
	tcp_connect(a, mapped_b);
	ASSERT_SOON(lab_wire_stats(l.lab)->delivered > 0);
	tcp_connect(b, mapped_a);
	CHECK_EQUAL(&l, (unsigned)tcp_outcome(b, process_now_us() + 200000), ETIMEDOUT);
	CHECK_EQUAL(&l, (unsigned)tcp_outcome(a, 0), ETIMEDOUT);
}

/* ---- natsim's own peers, who know more than one try */

static void check_punch(const char *model, unsigned skew_ms, bool connects)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *path = path_in(dir, "model.yaml"), *whole = NULL;
	CLEANUP(catalog) struct catalog catalog = { 0 };
	struct stage_config stage = { .topology = "two-homes",
				      .nats = { { "a", path }, { "b", path } },
				      .nats_count = 2 };
	struct trial_lab *lab = NULL;
	struct trial_result result;
	struct err e;

	assert_true(asprintf(&whole, "about: A router to be tested\n%s", model) > 0);
	write_text(dir, "model.yaml", whole);
	ASSERT_OK(catalog_open(&catalog, &e));
	free(catalog.peer);
	free(catalog.rendezvous);
	catalog.peer = built("peer");
	catalog.rendezvous = built("rendezvous");
	ASSERT_OK(trial_lab_new(&catalog, &stage, 1, &lab, &e));
	ASSERT_OK(trial_run(
		lab,
		&(struct trial_config){ .command = (const char *const[]){ catalog.peer, NULL },
					.session = "open",
					.strategy = "punch",
					.transport = "tcp",
					.seed = 1,
					.give_up_us = connects ? SOON_US : 800000,
					.delay_us = { 0, skew_ms * 1000u } },
		&result, &e));
	if (result.success != connects)
		fail_msg("with a skew of %u ms: %s", skew_ms,
			 connects ? result.reason : "connected");
	trial_lab_free(lab);
}

static void a_punch_over_tcp_connects_where_unsolicited_syns_are_dropped(void **state)
{
	static const unsigned skews_ms[] = { 0, 5, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(skews_ms) / sizeof(skews_ms[0]); i++)
		check_punch(UNSOLICITED("drop"), skews_ms[i], true);
	check_punch(APDM APDF "ports: { choose: random }\n", 0, false);
}

/* ---- lifetimes */

/* See test_behaviors_time.c. */
#define TRIES   4
#define LATE_US 100000u

struct connection {
	uint16_t port;
	bool established; /* else its SYN never arrived */
	uint64_t asked_us;
	bool alive; /* when it is asked, if its life is a short one */
	uint64_t born_us;
	struct end question;
};

static void begin_connection(struct behavior_lab *l, struct connection *c, struct endpoint server)
{
	struct end inside = tcp_at(l, HOST_A, c->port);
	uint64_t expired = lab_wire_stats(l->lab)->ttl_expired;

	(void)tcp_listener_at(l, HOST_A, c->port);
	c->born_us = process_now_us();
	if (c->established) {
		CHECK_CONNECTS(l, inside, server, 0);
		return;
	}
	/* It dies behind the router, and is not sent again. */
	set_option(inside, IPPROTO_IP, IP_TTL, 2);
	tcp_connect(inside, server);
	close_end(l, inside);
	ASSERT_SOON(lab_wire_stats(l->lab)->ttl_expired > expired);
}

#define CONNECTIONS 4

struct watched {
	struct behavior_lab l;
	struct connection connections[CONNECTIONS];
};

static void begin_watching(struct watched *w, const char *model)
{
	static const struct connection connections[CONNECTIONS] = {
		{ .port = 42001, .asked_us = 1800000, .alive = true },
		{ .port = 42002, .asked_us = 2200000, .alive = false },
		{ .port = 42003, .asked_us = 2700000, .alive = true, .established = true },
		{ .port = 42004, .asked_us = 3300000, .alive = false, .established = true },
	};

	behavior_lab_open(&w->l, "one-home", model);
	struct end server = tcp_listener_at(&w->l, SERVER, 4000);
	memcpy(w->connections, connections, sizeof(connections));
	for (int i = 0; i < CONNECTIONS; i++)
		begin_connection(&w->l, &w->connections[i], server.at);
}

/* Returns false if it is so late that the question tells nothing. */
static bool ask_connection(struct watched *w, int i)
{
	struct connection *c = &w->connections[i];

	wait_until(c->born_us + c->asked_us);
	c->question = tcp_at(&w->l, SERVER_ALT, 0);
	tcp_connect(c->question, (struct endpoint){ ROUTER_A_ADDR, c->port });
	return process_now_us() < c->born_us + c->asked_us + LATE_US;
}

static void judge_connections(struct watched *w, bool always_alive)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &w->connections[i];
		bool alive = c->alive || always_alive;
		int outcome = alive ? tcp_outcome(c->question, soon_us())
				    : tcp_outcome_by_now(&w->l, c->question);

		if (outcome != (alive ? 0 : ETIMEDOUT))
			BEHAVIOR_FAIL(&w->l, "port %u: %s", c->port,
				      alive ? "gone" : "still there");
	}
}

static bool watch_connections(void)
{
	struct watched w[2];
	bool in_time = true;

	begin_watching(&w[0], EIM EIF "timeouts: { tcp_established: 3s, tcp_transitory: 2s }\n");
	begin_watching(&w[1], EIM EIF);
	for (int i = 0; i < CONNECTIONS && in_time; i++)
		in_time = ask_connection(&w[0], i) && ask_connection(&w[1], i);
	for (int i = 0; i < 2; i++) {
		if (in_time)
			judge_connections(&w[i], i == 1);
		behavior_lab_close(&w[i].l);
	}
	return in_time;
}

static void a_tcp_mapping_dies_in_time_and_sooner_if_it_is_not_established(void **state)
{
	(void)state;
	for (int i = 0; i < TRIES; i++)
		if (watch_connections())
			return;
	fail_msg("this machine is too busy to send packets in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_simultaneous_open_connects_where_unsolicited_syns_are_dropped),
		cmocka_unit_test(a_simultaneous_open_fails_where_unsolicited_syns_are_answered),
		cmocka_unit_test(a_simultaneous_open_connects_where_the_syns_pass_each_other),
		cmocka_unit_test(a_simultaneous_open_fails_where_a_syn_that_knocks_is_blocked),
		cmocka_unit_test(a_punch_over_tcp_connects_where_unsolicited_syns_are_dropped),
		cmocka_unit_test(a_tcp_mapping_dies_in_time_and_sooner_if_it_is_not_established),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

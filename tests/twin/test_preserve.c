// SPDX-License-Identifier: GPL-2.0-or-later
/* Punching between drawn ports: what theory says of each pair of routers, and where it is aimed. */
#include <errno.h>
#include <string.h>

#include "peers/core/preserve.h"
#include "tests/twin_pair.h"
#include "tests/twin_suite.h"

/* ---- every pair of routers */

/* The six classic ones, those that keep ports and those that do not, and two of each filtering that
 * do so now and then: a range that holds some ports, and several public addresses. */
#define MODELS                                                                              \
	"[open, full-cone, restricted-cone, port-restricted-cone, symmetric-sequential, "   \
	"symmetric-random, firewall, linux-masquerade, linux-masquerade-input-accept, pf, " \
	"pf-static-port, cisco-asa, cisco-asa-extended, gcp-cloud-nat, cellular-cgn, "      \
	"eim-eif, adm-adf, apdm-eif, knock-blocks, rst-kills, einat, pool-arbitrary, "      \
	"udp-blocked]"
#define MODELS_COUNT 23u

static void drawn_ports_connect_where_theory_says_so(void **state)
{
	static const struct {
		const char *transport;
		unsigned never, always, theory; /* of 529 pairs */
	} cases[] = { { "udp", 269, 158, 477 }, { "tcp", 240, 179, 473 } };

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		struct twin_suite_plan plan = { .nats = MODELS,
						.transport = cases[n].transport,
						.strategy = "preserve",
						.trials = 20 };
		unsigned never = 0, always = 0, theory = 0;
		struct twin_suite s;

		twin_suite_run(&plan, &s);
		assert_int_equal(s.count, MODELS_COUNT * MODELS_COUNT);
		twin_suite_assert_exact(&s, &plan);
		for (size_t i = 0; i < s.count; i++) {
			const struct run_cell *c = &s.cells[i];

			assert_int_equal(c->relayed, 0);
			theory += c->expected >= 0;
			never += c->expected >= 0 && c->expected < 1e-3 && c->successes == 0;
			always += c->expected > 1 - 1e-3 && c->successes == plan.trials;
		}
		assert_int_equal(theory, cases[n].theory);
		assert_int_equal(never, cases[n].never);
		assert_int_equal(always, cases[n].always);
		twin_suite_free(&s);
	}
}

/* Rates that are no certainty take more trials. */
static void routers_that_keep_some_ports_do_so_as_often_as_theory_says(void **state)
{
	static const char *const transports[] = { "udp", "tcp" };

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		struct twin_suite_plan plan = {
			.nats = "[einat, pool-arbitrary], b: [einat, pool-arbitrary, "
				"restricted-cone, port-restricted-cone, eim-adf]",
			.transport = transports[n],
			.strategy = "preserve",
			.trials = 1000
		};
		struct twin_suite s;

		twin_suite_run(&plan, &s);
		assert_int_equal(s.count, 10);
		twin_suite_free(&s);
	}
}

/* ---- two peers */

struct preserve_pair {
	struct twin_pair *pair;
	struct preserve peers[2];
	unsigned seen[2]; /* packets between the peers, from each */
};

/* In the middle of the Internet: what goes from router to router has the drawn ports. */
static bool watch(void *arg, uint64_t now_us, const struct twin_packet *packet)
{
	struct preserve_pair *p = arg;

	(void)now_us;
	if (!pair_is_between_peers(packet))
		return false;
	unsigned from = packet->from.addr - PAIR_OUTSIDE_ADDR(PAIR_A);
	assert_in_range(from, 0, 1);
	const struct introduce *in = &p->peers[from].punch.course.introduce;

	assert_int_equal(packet->to.port, in->peer_drawn_port);
	/* What goes to the other's inside address is another flow. */
	if (packet->to.addr == PAIR_OUTSIDE_ADDR(!from)) {
		assert_int_equal(packet->from.port, in->drawn_port);
		p->seen[from]++;
	}
	return false;
}

static void preserve_pair_begin(struct preserve_pair *p, const char *nat, bool tcp,
				const uint16_t ports[static 2])
{
	*p = (struct preserve_pair){
		.pair = pair_new(&(struct pair_config){
			.seed = 1, .nats = { nat, nat }, .delays_us = { 5000, 5000, 5000 } })
	};
	p->pair->lose = watch;
	p->pair->lose_arg = p;
	for (int i = 0; i < 2; i++) {
		struct strategy_config config = pair_strategy_config(p->pair, i, tcp);

		config.local_port = ports[i];
		preserve_strategy.init(&p->peers[i], &config);
		pair_set_machine(p->pair, i, preserve_strategy.step, &p->peers[i], PAIR_START_US);
	}
}

/* Ends the pair, which is to have connected and left nothing. */
static void preserve_pair_end(struct preserve_pair *p)
{
	for (int i = 0; i < 2; i++) {
		const struct course *c = &p->peers[i].punch.course;
		struct strategy_result r;

		preserve_strategy.result(&p->peers[i], &r);
		assert_int_equal(pair_status(p->pair, i), 0);
		assert_int_equal(p->pair->hosts[i].open, 0);
		assert_int_equal(r.local.port, c->introduce.drawn_port);
		assert_int_equal(r.remote.port, c->introduce.peer_drawn_port);
		assert_true(r.connected && r.peer_nonce == PAIR_NONCE(!i) && p->seen[i] > 0);
	}
	pair_free(p->pair);
}

/* Each has a mapping for each destination, and so the port for the peer alone. */
#define KEEPS "mapping: " APD "\nfiltering: " APD "\nports: { choose: preserve }\n"
static const uint16_t any_port[2] = { 0, 0 };

static void symmetric_routers_that_keep_ports_are_got_through(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct preserve_pair p;

		preserve_pair_begin(&p, KEEPS, tcp, any_port);
		pair_run(p.pair, PAIR_LONG_US);
		assert_int_not_equal(p.peers[0].punch.course.introduce.observed.port,
				     p.peers[0].punch.course.introduce.drawn_port);
		preserve_pair_end(&p);
	}
}

/* The rendezvous draws the same ports again, for it has the same seed. */
static void the_port_may_be_the_one_that_the_peers_met_from(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct preserve_pair p;
		uint16_t ports[2];

		preserve_pair_begin(&p, NAT(EI, APD, "preserve"), tcp, any_port);
		pair_run(p.pair, PAIR_LONG_US);
		for (int i = 0; i < 2; i++)
			ports[i] = p.peers[i].punch.course.introduce.drawn_port;
		preserve_pair_end(&p);
		preserve_pair_begin(&p, NAT(EI, APD, "preserve"), tcp, ports);
		pair_run(p.pair, PAIR_LONG_US);
		for (int i = 0; i < 2; i++)
			assert_int_equal(p.peers[i].punch.course.introduce.drawn_port, ports[i]);
		preserve_pair_end(&p);
	}
}

static void any_one_packet_between_drawn_ports_may_be_lost(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		uint64_t count = 1;

		for (uint64_t lost = 0; lost <= count; lost++) {
			struct preserve_pair p;

			preserve_pair_begin(&p, KEEPS, tcp, any_port);
			p.pair->lose_at = lost;
			pair_run(p.pair, PAIR_LONG_US);
			if (lost == 0)
				count = p.pair->count;
			preserve_pair_end(&p);
		}
		assert_in_range(count, 5, 60);
	}
}

/* ---- what cannot work ends at once */

/* Peer a waits for its port. Gets its next actions. */
static void step_a(struct preserve_pair *p, const struct event *ev, struct actions *out)
{
	out->count = out->used = 0;
	(void)course_step(&p->peers[PAIR_A], pair_now_us(p->pair), ev, out);
}

static void assert_failed(struct preserve_pair *p, const struct actions *out, const char *reason)
{
	struct strategy_result r;

	assert_int_equal(out->items[out->count - 1].kind, ACTION_DONE);
	assert_int_equal(out->items[out->count - 1].status, 1);
	preserve_strategy.result(&p->peers[PAIR_A], &r);
	assert_false(r.connected);
	assert_string_equal(r.reason, reason);
	pair_free(p->pair);
}

/* Introduced by hand, until trying begins. */
static void hold(struct preserve_pair *p, bool tcp)
{
	preserve_pair_begin(p, KEEPS, tcp, any_port);
	for (int i = 0; i < 2; i++)
		p->peers[i].punch.course.config.start_delay_us = 3600000000;
	pair_run(p->pair, 1000000);
	assert_int_equal(p->peers[PAIR_A].punch.course.phase, COURSE_HOLDING);
	p->peers[PAIR_A].punch.course.go_us = pair_now_us(p->pair);
}

static void a_port_that_cannot_be_bound_is_named_as_the_reason(void **state)
{
	struct preserve_pair p;
	struct actions out = { .count = 0 };

	(void)state;
	hold(&p, false);
	step_a(&p, &(struct event){ .kind = EVENT_TIMER }, &out);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.items[0].kind, ACTION_CLOSE);
	assert_int_equal(out.items[1].kind, ACTION_UDP_OPEN);
	/* Nothing is sent before it is there. */
	step_a(&p, &(struct event){ .kind = EVENT_TIMER }, &out);
	assert_int_equal(out.count, 0);
	step_a(&p,
	       &(struct event){
		       .kind = EVENT_CLOSED, .socket = COURSE_SOCKET_MAIN, .error = EADDRINUSE },
	       &out);
	assert_int_equal(out.count, 1);
	assert_failed(&p, &out, "the drawn port cannot be bound");
}

static void a_rendezvous_that_draws_no_ports_is_named_as_the_reason(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct preserve_pair p;
		struct actions out = { .count = 0 };

		hold(&p, tcp);
		p.peers[PAIR_A].punch.course.introduce.drawn_port = 0;
		step_a(&p, &(struct event){ .kind = EVENT_TIMER }, &out);
		assert_int_equal(out.count, 2); /* a socket closed, and done */
		assert_failed(&p, &out, "the rendezvous drew no ports");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn_ports_connect_where_theory_says_so),
		cmocka_unit_test(routers_that_keep_some_ports_do_so_as_often_as_theory_says),
		cmocka_unit_test(symmetric_routers_that_keep_ports_are_got_through),
		cmocka_unit_test(the_port_may_be_the_one_that_the_peers_met_from),
		cmocka_unit_test(any_one_packet_between_drawn_ports_may_be_lost),
		cmocka_unit_test(a_port_that_cannot_be_bound_is_named_as_the_reason),
		cmocka_unit_test(a_rendezvous_that_draws_no_ports_is_named_as_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

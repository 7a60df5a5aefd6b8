// SPDX-License-Identifier: GPL-2.0-or-later
/* Many sockets and many ports: how often they meet, and that there are never more of either, nor of
 * packets, than was said. */
#include <string.h>

#include "peers/core/birthday.h"
#include "tests/twin_suite.h"
#include "tests/twin_pair.h"

/* ---- how often */

#define TRIALS  2000u
#define GIVE_UP "6s"

static void the_rate_is_that_of_the_formula(void **state)
{
	/* 0.98, 0.64, 0.60, 0.64, 0.12, 0.9999992. */
	static const char *const settings[] = {
		"birthday:sockets=256,probes=1024", "birthday:sockets=256,probes=256,hard=a",
		"birthday:sockets=84,probes=700",   "birthday:sockets=64,probes=1024,hard=a",
		"birthday:sockets=16,probes=512",   "birthday:sockets=512,probes=1750,hard=a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct twin_suite o;

		twin_suite_run(
			&(struct twin_suite_plan){
				.nats = "[symmetric-random], b: [port-restricted-cone]",
				.transport = "udp",
				.strategy = settings[i],
				.trials = TRIALS,
				.give_up = GIVE_UP },
			&o);
		const struct run_cell *cell = &o.cells[0];
		assert_int_equal(cell->trials, TRIALS);
		assert_true(cell->expected > 0);
		if (statistics_judge(cell->successes, TRIALS, cell->expected, 6) !=
		    VERDICT_AS_EXPECTED)
			fail_msg("%s: %u of %u, expected %g", settings[i], cell->successes, TRIALS,
				 cell->expected);
		twin_suite_free(&o);
	}
}

#define MODELS                                                      \
	"[open, full-cone, restricted-cone, port-restricted-cone, " \
	"symmetric-sequential, symmetric-random]"

static void birthdays_do_what_theory_says_of_each_pair_of_routers(void **state)
{
	static const struct {
		const char *strategy;
		unsigned theory; /* of 36 pairs */
	} cases[] = {
		{ "birthday:hard=a", 36 },
		{ "birthday:hard=b", 36 },
		/* As many probes as a sequential router has ports. */
		{ "birthday", 31 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct twin_suite o;
		unsigned theory = 0;

		twin_suite_run(&(struct twin_suite_plan){ .nats = MODELS,
							  .transport = "udp",
							  .strategy = cases[n].strategy,
							  .trials = 40,
							  .give_up = GIVE_UP },
			       &o);
		for (size_t i = 0; i < o.count; i++)
			theory += o.cells[i].expected >= 0;
		assert_int_equal(o.count, 36);
		assert_int_equal(theory, cases[n].theory);
		twin_suite_free(&o);
	}
}

/* ---- how much */

#define SENDS_MAX 20000u

/* A peer whose packets to the other are counted. */
struct watched {
	struct birthday birthday;
	uint64_t sent_us[SENDS_MAX];
	size_t count;
	int open, open_most;
	uint8_t ports[65536 / 8]; /* that the main socket has sent to at the other's address */
};

struct crowd {
	struct twin_pair *pair;
	struct watched peers[2];
};

static uint64_t watched_step(void *state, uint64_t now_us, const struct event *ev,
			     struct actions *out)
{
	struct watched *w = state;
	uint64_t wake_us = course_step(&w->birthday, now_us, ev, out);

	for (size_t i = 0; i < out->count; i++) {
		const struct action *a = &out->items[i];

		w->open += (a->kind == ACTION_UDP_OPEN) - (a->kind == ACTION_CLOSE);
		w->open_most = w->open > w->open_most ? w->open : w->open_most;
		if (a->kind != ACTION_UDP_SEND || pair_is_server(a->remote))
			continue;
		assert_true(w->count < SENDS_MAX);
		w->sent_us[w->count++] = now_us;
		if (a->socket == COURSE_SOCKET_MAIN &&
		    a->remote.addr - PAIR_OUTSIDE_ADDR(PAIR_A) < 2)
			w->ports[a->remote.port / 8] |= (uint8_t)(1u << a->remote.port % 8);
	}
	return wake_us;
}

static struct crowd *crowd_new(const char *strategy, const char *a, const char *b)
{
	struct crowd *c = calloc(1, sizeof(*c));
	char why[STRATEGY_WHY_SIZE];
	struct strategy_choice choice;

	assert_non_null(c);
	assert_true(strategy_parse(strategy, &choice, why));
	c->pair = pair_new(&(struct pair_config){
		.seed = 1, .nats = { a, b }, .delays_us = { 5000, 5000, 5000 } });
	for (int i = 0; i < 2; i++) {
		struct strategy_config config = pair_strategy_config(c->pair, i, false);

		memcpy(config.params, choice.params, sizeof(config.params));
		birthday_strategy.init(&c->peers[i].birthday, &config);
		pair_set_machine(c->pair, i, watched_step, &c->peers[i], PAIR_START_US);
	}
	return c;
}

static void crowd_free(struct crowd *c)
{
	pair_free(c->pair);
	free(c);
}

/* The most packets that left within any one second. */
static size_t most_in_a_second(const struct watched *w)
{
	size_t most = 0, first = 0;

	for (size_t i = 0; i < w->count; i++) {
		while (w->sent_us[i] - w->sent_us[first] >= 1000000)
			first++;
		most = i - first + 1 > most ? i - first + 1 : most;
	}
	return most;
}

static unsigned ports_tried(const struct watched *w)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 65536; i++)
		count += (unsigned)w->ports[i / 8] >> i % 8 & 1u;
	return count;
}

/* What the session's name gives away: messages as from the peer, from everywhere. */
static void flood(struct crowd *c, int host, uint32_t n)
{
	const struct course *course = &c->peers[host].birthday.punch.course;
	struct twin_packet p = { .protocol = TWIN_UDP,
				 .ttl = TWIN_TTL,
				 .from = { 0xc0000201u + n % 7, (uint16_t)(1 + n % 60000) },
				 .to = course->introduce.local,
				 .len = PROBE_SIZE };
	struct probe probe = { .type = PROBE_PROBE, .tag = probe_tag("session", 7), .nonce = 99 };

	probe_write(&probe, p.data);
	pair_inject(c->pair, host, &p);
}

static void no_second_has_more_packets_than_the_rate_nor_more_sockets(void **state)
{
	static const struct {
		const char *strategy;
		size_t rate;
		int sockets[2];
		unsigned probes[2];
	} cases[] = {
		{ "birthday", 500, { 256, 256 }, { 1024, 1024 } },
		{ "birthday:hard=a,rate=1000,sockets=512,probes=2000",
		  1000,
		  { 512, 1 },
		  { 0, 2000 } },
		{ "birthday:hard=b,rate=100,sockets=20,probes=300", 100, { 1, 20 }, { 300, 0 } },
		{ "birthday:rate=10,sockets=4,probes=3,wait_ms=0", 10, { 4, 4 }, { 3, 3 } },
		{ "birthday:first=2000,last=2009,wait_ms=0", 500, { 256, 256 }, { 10, 10 } },
	};

	(void)state;
	for (size_t n = 0; n < 2 * sizeof(cases) / sizeof(cases[0]); n++) {
		const bool flooded = n % 2 == 1;
		struct crowd *c = crowd_new(cases[n / 2].strategy, NAT(APD, APD, "random"),
					    NAT(APD, APD, "random"));

		/* Nothing gets through, and all is tried. */
		c->pair->loss = 1;
		for (uint32_t i = 0; i < 11000; i++) {
			pair_run(c->pair, i * UINT64_C(1000));
			for (int host = 0; flooded && host < 2; host++)
				if (c->peers[host].birthday.punch.course.phase == COURSE_TRYING)
					flood(c, host, i);
		}
		for (int i = 0; i < 2; i++) {
			const struct watched *w = &c->peers[i];

			assert_int_equal(pair_status(c->pair, i), 1);
			assert_in_range(most_in_a_second(w), 1, cases[n / 2].rate);
			assert_in_range(w->open_most, 1, cases[n / 2].sockets[i]);
			if (!flooded || cases[n / 2].rate > 10)
				assert_int_equal(w->open_most, cases[n / 2].sockets[i]);
			assert_int_equal(w->open, 0);
			/* And the one that the rendezvous saw. */
			if (!flooded && cases[n / 2].rate > 10)
				assert_in_range(ports_tried(w), cases[n / 2].probes[i],
						cases[n / 2].probes[i] + 1);
		}
		crowd_free(c);
	}
}

static void whoever_connects_leaves_no_socket_open(void **state)
{
	struct crowd *c = crowd_new("birthday:sockets=512,probes=4096,hard=a,rate=1000",
				    NAT(APD, APD, "random"), NAT(EI, APD, "sequential"));
	struct strategy_result r;

	(void)state;
	pair_run(c->pair, PAIR_LONG_US);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pair_status(c->pair, i), 0);
		assert_int_equal(c->pair->hosts[i].open, 0);
		assert_int_equal(c->peers[i].birthday.punch.course.sent, c->peers[i].count);
	}
	birthday_strategy.result(&c->peers[0].birthday, &r);
	assert_true(r.connected);
	assert_int_equal(r.remote.addr, PAIR_OUTSIDE_ADDR(PAIR_B));
	/* The socket that was hit, not the main one. */
	assert_int_not_equal(r.local.port, c->peers[0].birthday.punch.course.introduce.local.port);
	crowd_free(c);
}

/* One of them is what would have hit, or its answer. */
static void what_is_lost_gets_another_chance(void **state)
{
	unsigned connected = 0;

	(void)state;
	for (uint64_t n = 0; n < 40; n++) {
		struct crowd *c = crowd_new("birthday:sockets=512,probes=4096,hard=a,rate=1000",
					    NAT(APD, APD, "random"), NAT(EI, APD, "sequential"));

		c->pair->loss = 0.3;
		prng_init(&c->pair->prng, n);
		pair_run(c->pair, PAIR_LONG_US);
		connected += pair_status(c->pair, PAIR_A) == 0;
		assert_int_equal(pair_status(c->pair, PAIR_A), pair_status(c->pair, PAIR_B));
		crowd_free(c);
	}
	assert_int_equal(connected, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_is_that_of_the_formula),
		cmocka_unit_test(birthdays_do_what_theory_says_of_each_pair_of_routers),
		cmocka_unit_test(no_second_has_more_packets_than_the_rate_nor_more_sockets),
		cmocka_unit_test(whoever_connects_leaves_no_socket_open),
		cmocka_unit_test(what_is_lost_gets_another_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

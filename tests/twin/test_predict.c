// SPDX-License-Identifier: GPL-2.0-or-later
/* Aiming at the port that comes next: between which routers, and among how many others. */
#include "peers/core/predict.h"
#include "tests/twin_suite.h"

#define MODELS                                                      \
	"[open, full-cone, restricted-cone, port-restricted-cone, " \
	"symmetric-sequential, symmetric-random]"
#define TRIALS  40u
#define GIVE_UP "6s"

static void prediction_does_what_theory_says_of_each_pair_of_routers(void **state)
{
	struct twin_suite o;

	(void)state;
	twin_suite_run(&(struct twin_suite_plan){ .nats = MODELS,
						  .transport = "udp",
						  .strategy = "predict",
						  .trials = TRIALS,
						  .give_up = GIVE_UP },
		       &o);
	assert_int_equal(o.count, 36);
	for (size_t i = 0; i < o.count; i++) {
		const struct run_cell *cell = &o.cells[i];

		/* Two drawn ports, or one and a router that looks at them, are beyond it. */
		assert_true(cell->expected == 0 || cell->expected > 0.99);
		if (cell->successes != (cell->expected == 0 ? 0 : TRIALS))
			fail_msg("%s with %s: %u of %u", cell->names.nat_a, cell->names.nat_b,
				 cell->successes, TRIALS);
	}
	twin_suite_free(&o);
}

/* Of 200 trials, with so many flows of others behind each router in a second. */
static unsigned connects(const char *nats, const char *strategy, unsigned flows)
{
	CLEANUP(buf) struct buf more = BUF_INIT;
	struct twin_suite o;

	/* Theory is of a router without others behind it. */
	buf_printf(&more, "cross_traffic: %u\nexpect: nothing\n", flows);
	twin_suite_run(&(struct twin_suite_plan){ .nats = nats,
						  .transport = "udp",
						  .strategy = strategy,
						  .trials = 200,
						  .give_up = GIVE_UP,
						  .more = buf_text(&more) },
		       &o);
	unsigned successes = o.cells[0].successes;
	twin_suite_free(&o);
	return successes;
}

static void the_more_others_open_flows_the_less_often_it_works(void **state)
{
	static const unsigned flows[] = { 10, 100, 400, 800 };
	static const char *const windows[] = { "predict:window=8", "predict:window=32" };
	static const char nats[] = "[port-restricted-cone], b: [symmetric-sequential]";
	unsigned rates[2][4];

	(void)state;
	for (unsigned w = 0; w < 2; w++)
		for (unsigned n = 0; n < 4; n++)
			rates[w][n] = connects(nats, windows[w], flows[n]);
	for (unsigned w = 0; w < 2; w++) {
		assert_in_range(rates[w][0], 190, 200);
		for (unsigned n = 1; n < 4; n++)
			assert_true(rates[w][n] <= rates[w][n - 1] + 5);
	}
	assert_true(rates[0][3] < 100);
	/* A wider window reaches further. */
	assert_true(rates[1][2] > rates[0][2] + 20);
}

/* What others take in all must be even. */
static void two_sequential_routers_meet_every_other_time_among_others(void **state)
{
	static const char nats[] = "[symmetric-sequential], b: [symmetric-sequential]";

	(void)state;
	assert_in_range(connects(nats, "predict", 50), 60, 140);
	assert_in_range(connects(nats, "predict", 1), 150, 200);
}

static void a_step_is_found_in_either_direction_among_others_and_over_the_end(void **state)
{
	static const struct {
		uint16_t ports[4];
		int step;
	} cases[] = {
		{ { 6000, 6001, 6002, 6003 }, 1 },        { { 6003, 6002, 6001, 6000 }, -1 },
		{ { 6000, 6004, 6016, 6018 }, 2 },        { { 6018, 6016, 6004, 6000 }, -2 },
		{ { 7021, 7022, 7023, 6000 }, 1 },        { { 65535, 1024, 1025, 1026 }, 1 },
		{ { 1025, 1024, 65535, 65534 }, -1 },     { { 40000, 2000, 61000, 9000 }, 0 },
		{ { 6000, 6100, 6200, 6400 }, 100 },      { { 6000, 6000, 6000, 6000 }, 0 },
		{ { 10000, 11000, 12000, 13000 }, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(predict_step(cases[i].ports, 4), cases[i].step);
	assert_int_equal(predict_step(cases[0].ports, 2), 1);
	assert_int_equal(predict_step(cases[0].ports, 1), 0);
	assert_int_equal(predict_step(cases[0].ports, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prediction_does_what_theory_says_of_each_pair_of_routers),
		cmocka_unit_test(the_more_others_open_flows_the_less_often_it_works),
		cmocka_unit_test(two_sequential_routers_meet_every_other_time_among_others),
		cmocka_unit_test(a_step_is_found_in_either_direction_among_others_and_over_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

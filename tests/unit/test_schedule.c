// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/experiment/schedule.h"

#define TRIALS 20u

/* Two pairs of routers, each over both transports; the second pair's trials take long. */
static const struct suite_cell names[] = {
	{ "t", "open", "open", "udp", "punch", "home", NULL, 0 },
	{ "t", "sym", "sym", "udp", "punch", "home", NULL, 0 },
	{ "t", "open", "open", "tcp", "punch", "home", NULL, 0 },
	{ "t", "sym", "sym", "tcp", "punch", "home", NULL, 0 },
};
static const struct schedule_cell cells[] = {
	{ &names[0], 100000 },
	{ &names[1], 600000 },
	{ &names[2], 100000 },
	{ &names[3], 600000 },
};

static void every_trial_is_in_exactly_one_job(void **state)
{
	struct schedule s;
	unsigned seen[4][TRIALS] = { 0 };

	(void)state;
	schedule_init(&s, cells, 4, TRIALS, 8);
	for (size_t j = 0; j < s.jobs_count; j++)
		for (size_t i = s.jobs[j].first; i < s.jobs[j].first + s.jobs[j].count; i++)
			seen[s.units[i].cell][s.units[i].trial]++;
	for (size_t c = 0; c < 4; c++)
		for (size_t t = 0; t < TRIALS; t++)
			assert_int_equal(seen[c][t], 1);
	schedule_fini(&s);
}

static void a_job_needs_one_lab(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, cells, 4, TRIALS, 8);
	for (size_t j = 0; j < s.jobs_count; j++)
		for (size_t i = s.jobs[j].first; i < s.jobs[j].first + s.jobs[j].count; i++)
			assert_true(schedule_same_lab(cells[s.units[s.jobs[j].first].cell].names,
						      cells[s.units[i].cell].names));
	schedule_fini(&s);
}

static void the_longest_job_comes_first_and_none_is_longer_than_a_share(void **state)
{
	struct schedule s;
	uint64_t total_us = 0;

	(void)state;
	schedule_init(&s, cells, 4, TRIALS, 8);
	for (size_t j = 0; j < s.jobs_count; j++) {
		total_us += s.jobs[j].cost_us;
		if (j > 0)
			assert_true(s.jobs[j].cost_us <= s.jobs[j - 1].cost_us);
	}
	assert_int_equal(total_us, (uint64_t)TRIALS * (100000 + 600000) * 2);
	/* Half of what each of 8 workers has to do, and the trial that fills it. */
	assert_true(s.jobs[0].cost_us <= total_us / 16 + 600000);
	assert_true(s.jobs_count >= 8);
	schedule_fini(&s);
}

static void one_worker_builds_each_lab_at_most_twice(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, cells, 4, TRIALS, 1);
	assert_true(s.jobs_count <= 4);
	schedule_fini(&s);
}

static void a_schedule_of_nothing_has_no_jobs(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, cells, 0, TRIALS, 8);
	assert_int_equal(s.jobs_count, 0);
	schedule_fini(&s);
}

static void transport_and_strategy_do_not_make_another_lab(void **state)
{
	struct suite_cell other = names[0];

	(void)state;
	other.transport = "tcp";
	other.strategy = "predict";
	assert_true(schedule_same_lab(&names[0], &other));
	other.link = "lte";
	assert_false(schedule_same_lab(&names[0], &other));
}

static void a_point_that_changes_the_lab_makes_another(void **state)
{
	const struct suite_point near = { SUITE_DELAY, (char[]){ "5ms" }, 5000, NULL };
	const struct suite_point far = { SUITE_DELAY, (char[]){ "90ms" }, 90000, NULL };
	const struct suite_point late = { SUITE_START_SKEW, (char[]){ "5ms" }, 5000, NULL };
	const struct suite_point early = { SUITE_START_SKEW, (char[]){ "0ms" }, 0, NULL };
	struct suite_cell a = names[0], b = names[0];

	(void)state;
	a.point = &near;
	b.point = &far;
	assert_false(schedule_same_lab(&a, &b));
	assert_false(schedule_same_lab(&a, &names[0]));
	b.point = &near;
	assert_true(schedule_same_lab(&a, &b));
	a.point = &late;
	assert_false(schedule_same_lab(&a, &b));
	b.point = &early;
	assert_true(schedule_same_lab(&a, &b));
	assert_true(schedule_same_lab(&a, &names[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_trial_is_in_exactly_one_job),
		cmocka_unit_test(a_job_needs_one_lab),
		cmocka_unit_test(the_longest_job_comes_first_and_none_is_longer_than_a_share),
		cmocka_unit_test(one_worker_builds_each_lab_at_most_twice),
		cmocka_unit_test(a_schedule_of_nothing_has_no_jobs),
		cmocka_unit_test(transport_and_strategy_do_not_make_another_lab),
		cmocka_unit_test(a_point_that_changes_the_lab_makes_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

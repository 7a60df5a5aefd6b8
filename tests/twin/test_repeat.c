// SPDX-License-Identifier: GPL-2.0-or-later
/* The twin does the same again: with the same seed every byte of its results is the same, whatever
 * compiled it and however many workers there are. */
#include "tests/natsim_run.h"

#include "tests/golden.h"

#define SUITE "tests/golden/twin.yaml"

/* What a run in the twin writes. */
static void run_in_twin(const char *seed, const char *workers, struct buf *ret)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { 0 };

	run_natsim(&r, "run", SUITE, "--world", "twin", "--seed", seed, "-j", workers, "--out", dir,
		   NULL);
	ASSERT_STATUS(&r, 0);
	read_text(dir, "results.jsonl", ret);
	assert_true(ret->len > 0);
}

static void every_compiler_makes_the_same_bytes_of_the_same_seed(void **state)
{
	CLEANUP(buf) struct buf text = BUF_INIT;

	(void)state;
	run_in_twin("1", "1", &text);
	golden_compare("twin.jsonl", buf_text(&text));
}

static void any_number_of_workers_makes_the_same_bytes(void **state)
{
	CLEANUP(buf) struct buf one = BUF_INIT;
	CLEANUP(buf) struct buf many = BUF_INIT;

	(void)state;
	run_in_twin("7", "1", &one);
	run_in_twin("7", "5", &many);
	assert_string_equal(buf_text(&one), buf_text(&many));
}

static void another_seed_makes_others(void **state)
{
	CLEANUP(buf) struct buf one = BUF_INIT;
	CLEANUP(buf) struct buf other = BUF_INIT;

	(void)state;
	run_in_twin("7", "2", &one);
	run_in_twin("8", "2", &other);
	assert_string_not_equal(buf_text(&one), buf_text(&other));
}

/* No privileges, no namespaces: nobody, and none may be made. */
static void become_nobody(void *arg)
{
	(void)arg;
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		_exit(124);
}

static void the_twin_needs_no_privileges(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { .before = become_nobody };

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	run_natsim(&r, "run", SUITE, "--world", "twin", "--out", dir, "--trials", "1", NULL);
	ASSERT_STATUS(&r, 0);
}

static void a_world_that_is_not_there_is_refused(void **state)
{
	CLEANUP(run) struct run r = { 0 };

	(void)state;
	run_natsim(&r, "run", SUITE, "--world", "moon", NULL);
	assert_refused(&r, 2, "--world: no world \"moon\"; there are: lab, twin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_compiler_makes_the_same_bytes_of_the_same_seed),
		cmocka_unit_test(any_number_of_workers_makes_the_same_bytes),
		cmocka_unit_test(another_seed_makes_others),
		cmocka_unit_test(the_twin_needs_no_privileges),
		cmocka_unit_test(a_world_that_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Suites over each topology that has two peers and a rendezvous. */
#include <jansson.h>

#include "tests/natsim_run.h"

#define SUITE(topology, nats)                                                       \
	"about: x\ntopologies: [" topology "]\nnats: { " nats " }\nlinks: [home]\n" \
	"trials: 5\ngive_up: 800ms\n"

static void run_suite(const char *text, struct run *r, json_t **ret_summary)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *suite = path_in(dir, "suite.yaml");
	CLEANUP(free) char *summary = path_in(dir, "summary.json");

	write_text(dir, "suite.yaml", text);
	run_natsim(r, "run", suite, "--world", "twin", "--out", dir, NULL);
	*ret_summary = json_load_file(summary, 0, NULL);
}

/* All cells connect; whether theory says so. */
static void assert_all_connect(const char *text, bool expected)
{
	CLEANUP(run) struct run r = { 0 };
	json_t *summary, *cell;
	size_t i;

	run_suite(text, &r, &summary);
	ASSERT_STATUS(&r, 0);
	json_t *cells = json_object_get(summary, "cells");
	assert_true(json_array_size(cells) > 0);
	json_array_foreach (cells, i, cell) {
		assert_int_equal(json_integer_value(json_object_get(cell, "successes")), 5);
		assert_int_equal(json_is_real(json_object_get(cell, "expected")), expected);
	}
	json_decref(summary);
}

static void a_role_without_a_router_can_be_open(void **state)
{
	(void)state;
	assert_all_connect(SUITE("home-to-server", "a: [symmetric-random, full-cone], b: [open]"),
			   true);
}

static void two_peers_behind_one_router_have_no_theory(void **state)
{
	(void)state;
	assert_all_connect(SUITE("one-home", "a: [symmetric-random, full-cone], b: [open]"), false);
}

static void a_role_without_a_router_can_be_nothing_else(void **state)
{
	CLEANUP(run) struct run r = { 0 };
	json_t *summary;

	(void)state;
	run_suite(SUITE("home-to-server", "a: [full-cone]"), &r, &summary);
	assert_null(summary);
	assert_refused(&r, 2,
		       "home-to-server has no router for the role \"b\", which can only be open");
}

/* Or natsim's own would be tried in its place. */
static void a_suite_with_a_peer_of_its_own_is_refused(void **state)
{
	CLEANUP(run) struct run r = { 0 };
	json_t *summary;

	(void)state;
	run_suite(SUITE("two-homes", "a: [full-cone]") "peer: [/bin/true]\n", &r, &summary);
	assert_null(summary);
	assert_refused(&r, 2, "suite.yaml:7:7: the twin runs natsim's own peers only");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_without_a_router_can_be_open),
		cmocka_unit_test(two_peers_behind_one_router_have_no_theory),
		cmocka_unit_test(a_role_without_a_router_can_be_nothing_else),
		cmocka_unit_test(a_suite_with_a_peer_of_its_own_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

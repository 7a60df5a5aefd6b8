// SPDX-License-Identifier: GPL-2.0-or-later
/* `natsim run`: what it writes, what repeats, and how it judges natsim's peers and others. */
#include <jansson.h>

#include "tests/natsim_run.h"

/* A suite in a directory of its own, into which its runs write. */
struct suite {
	char *dir, *path;
};

static struct suite suite_new(const char *text)
{
	struct suite s = { .dir = temporary_dir() };

	write_text(s.dir, "small.yaml", text);
	s.path = path_in(s.dir, "small.yaml");
	return s;
}

static void suite_cleanup(struct suite *s)
{
	temporary_cleanup(&s->dir);
	free(s->path);
}

/* Two transports, a rate of 1 and one of 0. */
static const char small[] =
	"about: Two pairs\n"
	"topologies: [two-homes]\n"
	"nats: { a: [full-cone, symmetric-random], b: [port-restricted-cone] }\n"
	"transports: [udp, tcp]\n"
	"links: [home]\n"
	"trials: 3\n"
	"start_skew: 20ms\n"
	"give_up: 500ms\n";

static json_t *load_summary(const struct suite *s, const char *out)
{
	CLEANUP(free) char *dir = path_in(s->dir, out);
	CLEANUP(free) char *path = path_in(dir, "summary.json");
	json_error_t error;
	json_t *summary = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	if (summary == NULL)
		fail_msg("%s: %s", path, error.text);
	return summary;
}

/* The lines of results.jsonl as an array. */
static json_t *load_results(const struct suite *s, const char *out)
{
	CLEANUP(free) char *dir = path_in(s->dir, out);
	CLEANUP(buf) struct buf text = BUF_INIT;
	json_t *lines = json_array();

	read_text(dir, "results.jsonl", &text);
	for (char *at = text.data, *end; at != NULL && *at != '\0'; at = end + 1) {
		json_error_t error;

		end = strchr(at, '\n');
		assert_non_null(end);
		json_t *line = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, &error);
		if (line == NULL)
			fail_msg("results.jsonl: %s: %.*s", error.text, (int)(end - at), at);
		(void)json_array_append_new(lines, line);
	}
	return lines;
}

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}

static const char *get_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL)
		fail_msg("no text \"%s\"", key);
	return text;
}

static double get_number(const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);

	if (!json_is_number(number))
		fail_msg("no number \"%s\"", key);
	return json_number_value(number);
}

static bool near(double a, double b)
{
	return a > b - 0.001 && a < b + 0.001;
}

/* ---- what is written */

static void check_cell(const json_t *cell)
{
	bool connects = strcmp(get_text(cell, "nat_a"), "full-cone") == 0;
	const json_t *ci95 = json_object_get(cell, "ci95"),
		     *ms = json_object_get(cell, "connect_ms");
	const json_t *packets = json_object_get(cell, "packets");

	assert_string_equal(get_text(cell, "topology"), "two-homes");
	assert_string_equal(get_text(cell, "nat_b"), "port-restricted-cone");
	assert_string_equal(get_text(cell, "strategy"), "punch");
	assert_string_equal(get_text(cell, "link"), "home");
	assert_string_equal(get_text(cell, "verdict"), "as-expected");
	assert_true(get_number(cell, "trials") == 3);
	assert_true(get_number(cell, "successes") == (connects ? 3 : 0));
	assert_true(get_number(cell, "rate") == (connects ? 1 : 0));
	assert_true(get_number(cell, "expected") == (connects ? 1 : 0));
	assert_true(get_number(cell, "relayed") == 0);
	/* Wilson's interval of 3 of 3: z = 1.96, low = 1 / (1 + z^2 / 3). */
	assert_int_equal(json_array_size(ci95), 2);
	assert_true(near(json_number_value(json_array_get(ci95, 0)), connects ? 0.4385 : 0));
	assert_true(near(json_number_value(json_array_get(ci95, 1)), connects ? 1 : 0.5615));
	if (!connects) {
		assert_true(json_is_null(ms) && json_is_null(packets));
		return;
	}
	assert_true(get_number(ms, "p50") > 0 && get_number(ms, "p95") >= get_number(ms, "p50"));
	assert_true(get_number(packets, "p50") >= 2);
}

static void the_summary_has_the_documented_shape(void **state)
{
	CLEANUP(suite) struct suite s = suite_new(small);
	CLEANUP(run) struct run r = { .dir = s.dir };

	(void)state;
	run_natsim(&r, "run", s.path, "--seed", "7", NULL);
	ASSERT_STATUS(&r, 0);
	CLEANUP(json) json_t *summary = load_summary(&s, "out");
	const json_t *cells = json_object_get(summary, "cells"), *cell;
	size_t i;

	assert_true(get_number(summary, "format") == 1);
	assert_string_equal(get_text(summary, "natsim"), NATSIM_VERSION);
	assert_string_equal(get_text(summary, "suite"), s.path);
	assert_true(get_number(summary, "seed") == 7);
	assert_string_equal(get_text(summary, "world"), "lab");
	assert_true(strlen(get_text(summary, "kernel")) > 0);
	assert_true(get_number(summary, "wall_s") > 0);
	assert_int_equal(json_array_size(cells), 4);
	json_array_foreach (cells, i, cell) {
		assert_string_equal(get_text(cell, "transport"), i < 2 ? "udp" : "tcp");
		check_cell(cell);
	}
}

static void check_side(const json_t *trial, const char *side, bool connected)
{
	const json_t *object = json_object_get(trial, side);

	assert_true(get_number(object, "start_delay_ms") >= 0);
	assert_true(get_number(object, "start_delay_ms") <= 20);
	if (!connected)
		return;
	const char *local = get_text(object, "local"), *remote = get_text(object, "remote");
	assert_memory_equal(local, side[0] == 'a' ? "10.1.0.2:" : "10.2.0.2:", 9);
	assert_memory_equal(remote, side[0] == 'a' ? "192.0.2.2:" : "198.51.100.2:", 10);
}

static void there_is_a_line_for_every_trial(void **state)
{
	CLEANUP(suite) struct suite s = suite_new(small);
	CLEANUP(run) struct run r = { .dir = s.dir };

	(void)state;
	run_natsim(&r, "run", s.path, NULL);
	ASSERT_STATUS(&r, 0);
	CLEANUP(json) json_t *results = load_results(&s, "out");
	unsigned seen = 0;
	const json_t *trial;
	size_t i;

	assert_int_equal(json_array_size(results), 12);
	json_array_foreach (results, i, trial) {
		bool connects = strcmp(get_text(trial, "nat_a"), "full-cone") == 0;
		bool tcp = strcmp(get_text(trial, "transport"), "tcp") == 0;
		unsigned number = (unsigned)get_number(trial, "trial");

		assert_true(get_number(trial, "format") == 1 && number < 3);
		seen |= 1u << (number + (connects ? 3 : 0) + (tcp ? 6 : 0));
		assert_int_equal(strlen(get_text(trial, "seed")), 16);
		assert_string_equal(get_text(trial, "result"), connects ? "connected" : "failed");
		if (connects) {
			assert_string_equal(get_text(trial, "path"), "direct");
			assert_true(get_number(trial, "connect_ms") > 0);
		} else {
			assert_true(strlen(get_text(trial, "reason")) > 0);
		}
		check_side(trial, "a", connects);
		check_side(trial, "b", connects);
	}
	assert_int_equal(seen, (1u << 12) - 1);
}

/* ---- what repeats */

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is left to chance in each trial, and nothing else: one line for each, sorted. */
static void chances(const struct suite *s, const char *out, struct buf *ret)
{
	CLEANUP(json) json_t *results = load_results(s, out);
	size_t count = json_array_size(results), i;
	CLEANUP(free) char **lines = calloc(count + 1, sizeof(*lines));
	const json_t *t;

	assert_non_null(lines);
	json_array_foreach (results, i, t)
		assert_true(asprintf(&lines[i], "%s %s %s %.0f %s %.0f %.0f\n",
				     get_text(t, "nat_a"), get_text(t, "nat_b"),
				     get_text(t, "transport"), get_number(t, "trial"),
				     get_text(t, "seed"),
				     get_number(json_object_get(t, "a"), "start_delay_ms"),
				     get_number(json_object_get(t, "b"), "start_delay_ms")) > 0);
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (i = 0; i < count; i++) {
		buf_puts(ret, lines[i]);
		free(lines[i]);
	}
}

static void the_same_seed_gives_the_same_chances(void **state)
{
	CLEANUP(suite) struct suite s = suite_new(small);
	CLEANUP(run) struct run r = { .dir = s.dir };
	CLEANUP(buf) struct buf first = BUF_INIT, again = BUF_INIT, other = BUF_INIT;

	(void)state;
	run_natsim(&r, "run", s.path, "--seed", "5", "--out", "first", NULL);
	ASSERT_STATUS(&r, 0);
	run_natsim(&r, "run", s.path, "--seed", "5", "--out", "again", "-j", "3", NULL);
	ASSERT_STATUS(&r, 0);
	run_natsim(&r, "run", s.path, "--seed", "6", "--out", "other", NULL);
	ASSERT_STATUS(&r, 0);
	chances(&s, "first", &first);
	chances(&s, "again", &again);
	chances(&s, "other", &other);
	assert_string_equal(buf_text(&first), buf_text(&again));
	assert_string_not_equal(buf_text(&first), buf_text(&other));
	buf_fini(&again);
	buf_fini(&other);
}

static void a_part_of_a_suite_repeats_what_the_whole_did(void **state)
{
	CLEANUP(suite) struct suite s = suite_new(small);
	CLEANUP(run) struct run r = { .dir = s.dir };
	CLEANUP(buf) struct buf whole = BUF_INIT;
	CLEANUP(buf) struct buf part = BUF_INIT;

	(void)state;
	run_natsim(&r, "run", s.path, "--out", "whole", NULL);
	ASSERT_STATUS(&r, 0);
	run_natsim(&r, "run", s.path, "--out", "part", "--only", "transport=tcp,nat_a=full-cone",
		   "--trials", "2", NULL);
	ASSERT_STATUS(&r, 0);
	chances(&s, "whole", &whole);
	chances(&s, "part", &part);
	/* The first two of three trials of the cell: two lines of the whole, side by side. */
	assert_int_equal(strncmp(buf_text(&part), "full-cone port-restricted-cone tcp 0 ", 37), 0);
	assert_non_null(strstr(buf_text(&whole), buf_text(&part)));
	CLEANUP(json) json_t *summary = load_summary(&s, "part");
	const json_t *cells = json_object_get(summary, "cells");
	assert_int_equal(json_array_size(cells), 1);
	assert_true(get_number(json_array_get(cells, 0), "trials") == 2);
}

/* ---- how it judges */

/* Runs one cell, UDP between two models, with more lines of YAML; returns the cell of the summary
 * in *ret_summary, which the caller releases. */
static const json_t *run_cell(struct run *r, const char *nat_a, const char *nat_b, const char *more,
			      json_t **ret_summary)
{
	CLEANUP(free) char *text = NULL;

	assert_true(asprintf(&text,
			     "about: One pair\n"
			     "topologies: [two-homes]\n"
			     "nats: { a: [%s], b: [%s] }\n"
			     "transports: [udp]\n"
			     "trials: 12\n"
			     "give_up: 300ms\n"
			     "%s",
			     nat_a, nat_b, more) > 0);
	CLEANUP(suite) struct suite s = suite_new(text);
	r->dir = s.dir;
	run_natsim(r, "run", s.path, NULL);
	r->dir = NULL;
	if (r->status != 0 && r->status != 1)
		RUN_FAIL(r, "%s", "0 or 1 was expected");
	*ret_summary = load_summary(&s, "out");
	return json_array_get(json_object_get(*ret_summary, "cells"), 0);
}

static void check_verdict(const char *nat_a, const char *nat_b, const char *more, int status,
			  const char *verdict, const char *printed)
{
	CLEANUP(json) json_t *summary = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };
	const json_t *cell = run_cell(&r, nat_a, nat_b, more, &summary);

	if (r.status != status || strcmp(get_text(cell, "verdict"), verdict) != 0)
		RUN_FAIL(&r, "%s with %s: status %d, %s were expected, not %s", nat_a, nat_b,
			 status, verdict, get_text(cell, "verdict"));
	if (strstr(buf_text(&r.out), printed) == NULL)
		RUN_FAIL(&r, "\"%s\" was expected", printed);
}

static void a_rate_that_is_not_as_expected_gives_status_1(void **state)
{
	(void)state;
	check_verdict("full-cone", "open", "expect: 0.5\n", 1, "too-high",
		      "too-high: full-cone with open over udp: 12 of 12");
	check_verdict("symmetric-random", "symmetric-random", "expect: 1.0\n", 1, "too-low",
		      "too-low: symmetric-random with symmetric-random over udp: 0 of 12");
	check_verdict("symmetric-random", "symmetric-random", "expect: 0\n", 0, "as-expected",
		      "0/0");
	check_verdict("full-cone", "open", "expect: theory\n", 0, "as-expected", "100/100");
	check_verdict("full-cone", "open", "expect: nothing\n", 0, "as-expected", "100/-");
}

/* The reason that the cell's failures have in common. */
static void check_stranger(const char *peer, const char *reason)
{
	CLEANUP(free) char *more = NULL;
	CLEANUP(json) json_t *summary = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };

	assert_true(asprintf(&more, "peer: %s\n", peer) > 0);
	const json_t *cell = run_cell(&r, "open", "open", more, &summary);
	ASSERT_STATUS(&r, 1);
	assert_string_equal(get_text(cell, "verdict"), "too-low");
	assert_true(get_number(cell, "successes") == 0);
	const json_t *first = json_array_get(json_object_get(cell, "reasons"), 0);
	if (strstr(get_text(first, "reason"), reason) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", reason, get_text(first, "reason"));
}

static void a_stranger_that_claims_success_and_sends_nothing_has_failed(void **state)
{
	(void)state;
	check_stranger("[sh, -c, exit 0]", "the lab saw nothing");
	check_stranger(
		"[sh, -c, \"echo '{\\\"event\\\":\\\"result\\\",\\\"result\\\":\\\"connected\\\"}'\"]",
		"the lab saw nothing");
}

static void a_stranger_that_fails_has_failed(void **state)
{
	(void)state;
	check_stranger("[sh, -c, exit 1]", "it ended without success");
}

/* Peer a stops the wire, and one of before that may not have gone yet, sends it more than its
 * socket holds (8 MiB), and lets it go on. */
static void a_trial_that_the_wire_failed_says_so(void **state)
{
	CLEANUP(suite)
	struct suite s = suite_new(
		"about: A flood\n"
		"topologies: [two-homes]\n"
		"nats: { a: [open] }\n"
		"transports: [udp]\n"
		"trials: 2\n"
		"peer: [bash, -c, \"test {role} = a || exit 1; for p in /proc/[0-9]*; do "
		"read -r name < $p/comm; test $name = natsim-wire && wires+=' '${p#/proc/}; done; "
		"kill -STOP $wires; head -c 30000000 /dev/zero > /dev/udp/203.0.113.10/9; "
		"kill -CONT $wires; exit 1\"]\n");
	CLEANUP(run) struct run r = { .dir = s.dir };

	(void)state;
	run_natsim(&r, "run", s.path, "-j", "1", NULL);
	ASSERT_STATUS(&r, 1);
	CLEANUP(json) json_t *summary = load_summary(&s, "out");
	const json_t *cell = json_array_get(json_object_get(summary, "cells"), 0);
	const json_t *reasons = json_object_get(cell, "reasons");
	assert_true(json_array_size(reasons) > 0);
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		const char *reason = get_text(json_array_get(reasons, i), "reason");

		if (strstr(reason, "natsim's wire was overloaded and lost ") == NULL)
			fail_msg("the reason was \"%s\"", reason);
	}
}

/* It is told its role in its command line, and knows nothing of natsim. */
static void a_stranger_that_gets_through_succeeds(void **state)
{
	CLEANUP(free) char *traffic = built("tests/programs/traffic");
	static const struct {
		const char *nat, *addr_a, *addr_b;
	} cases[] = { { "open", "10.1.0.2", "10.2.0.2" },
		      { "port-restricted-cone", "198.51.100.2", "192.0.2.2" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(free) char *more = NULL;
		CLEANUP(json) json_t *summary = NULL;
		CLEANUP(run) struct run r = { .dir = NULL };

		assert_true(asprintf(&more, "peer: [\"%s\", meet, \"{role}\", \"40000\", %s, %s]\n",
				     traffic, cases[i].addr_a, cases[i].addr_b) > 0);
		const json_t *cell = run_cell(&r, cases[i].nat, cases[i].nat, more, &summary);
		ASSERT_STATUS(&r, 0);
		assert_true(get_number(cell, "successes") == 12);
		assert_true(get_number(cell, "relayed") == 0);
	}
}

static void a_stranger_that_is_not_there_is_the_users_mistake(void **state)
{
	CLEANUP(suite)
	struct suite s = suite_new("about: One pair\n"
				   "topologies: [two-homes]\n"
				   "nats: { a: [open] }\n"
				   "peer: [no-such-program]\n");
	CLEANUP(run)
	struct run r = { .dir = s.dir, .env = (const char *const[]){ "PATH=/usr/bin:/bin", NULL } };

	(void)state;
	run_natsim(&r, "run", s.path, NULL);
	ASSERT_STATUS(&r, 2);
	assert_non_null(strstr(buf_text(&r.err), ":4:8: no program \"no-such-program\" in PATH"));
}

/* ---- how much at once */

static void thirty_two_labs_run_at_once(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { .dir = dir };

	(void)state;
	run_natsim(&r, "run", "all", "--trials", "2", "-j", "32", NULL);
	ASSERT_STATUS(&r, 0);
	struct suite s = { .dir = dir };
	CLEANUP(json) json_t *results = load_results(&s, "out");
	assert_int_equal(json_array_size(results), 2 * 72);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_summary_has_the_documented_shape),
		cmocka_unit_test(there_is_a_line_for_every_trial),
		cmocka_unit_test(the_same_seed_gives_the_same_chances),
		cmocka_unit_test(a_part_of_a_suite_repeats_what_the_whole_did),
		cmocka_unit_test(a_rate_that_is_not_as_expected_gives_status_1),
		cmocka_unit_test(a_stranger_that_claims_success_and_sends_nothing_has_failed),
		cmocka_unit_test(a_stranger_that_fails_has_failed),
		cmocka_unit_test(a_trial_that_the_wire_failed_says_so),
		cmocka_unit_test(a_stranger_that_gets_through_succeeds),
		cmocka_unit_test(a_stranger_that_is_not_there_is_the_users_mistake),
		cmocka_unit_test(thirty_two_labs_run_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

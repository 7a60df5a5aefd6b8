// SPDX-License-Identifier: GPL-2.0-or-later
/* A neighbour who opens flows of his own moves a sequential router's ports on, in both worlds. */
#include <jansson.h>

#include "tests/natsim_run.h"

#define TRIALS 6

/* The model's range of ports. */
#define RANGE 1024

#define SUITE                                                           \
	"about: x\ntopologies: [two-homes]\n"                           \
	"nats: { a: [symmetric-sequential], b: [full-cone] }\n"         \
	"transports: [udp]\nlinks: [home]\ntrials: 6\ngive_up: 800ms\n" \
	"expect: 1\ncross_traffic: "

/* The outside port of a that b saw in each trial. */
static void run_suite(const char *world, const char *rate, long ret_ports[TRIALS])
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *suite = path_in(dir, "suite.yaml");
	CLEANUP(buf) struct buf text = BUF_INIT;
	CLEANUP(buf) struct buf results = BUF_INIT;
	CLEANUP(run) struct run r = { 0 };
	size_t count = 0;

	buf_printf(&text, SUITE "%s\n", rate);
	write_text(dir, "suite.yaml", buf_text(&text));
	run_natsim(&r, "run", suite, "--world", world, "--out", dir, "-j", "1", NULL);
	ASSERT_STATUS(&r, 0);
	read_text(dir, "results.jsonl", &results);
	for (char *line = strtok(results.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		json_t *trial = json_loads(line, 0, NULL);
		const char *remote =
			json_string_value(json_object_get(json_object_get(trial, "b"), "remote"));

		assert_non_null(remote);
		assert_true(count < TRIALS);
		ret_ports[count++] = strtol(strchr(remote, ':') + 1, NULL, 10);
		json_decref(trial);
	}
	assert_int_equal(count, TRIALS);
}

/* How far the sequence went on in all: less than once around from one trial to the next. */
static long moved(const long ports[TRIALS])
{
	long sum = 0;

	for (int i = 1; i < TRIALS; i++)
		sum += (ports[i] - ports[i - 1] + RANGE) % RANGE;
	return sum;
}

/* The lab's router goes on counting from trial to trial. */
static void flows_of_a_neighbour_take_ports_in_the_lab(void **state)
{
	long quiet[TRIALS], busy[TRIALS];

	(void)state;
	run_suite("lab", "0", quiet);
	run_suite("lab", "500", busy);
	/* Flows to the rendezvous and to the peer; and some 100 ms of 500 a second. */
	assert_in_range(moved(quiet), TRIALS - 1, 8 * TRIALS);
	assert_in_range(moved(busy), 20 * TRIALS, RANGE * TRIALS);
}

static void a_busy_neighbour_keeps_nobody_out_in_the_twin(void **state)
{
	long quiet[TRIALS], busy[TRIALS];

	(void)state;
	run_suite("twin", "0", quiet);
	run_suite("twin", "2000", busy);
	assert_memory_not_equal(quiet, busy, sizeof(quiet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_of_a_neighbour_take_ports_in_the_lab),
		cmocka_unit_test(a_busy_neighbour_keeps_nobody_out_in_the_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

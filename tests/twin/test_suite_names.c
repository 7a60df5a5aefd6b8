// SPDX-License-Identifier: GPL-2.0-or-later
/* What a suite names and nobody has is told at its place, before anything is opened or built. */
#include "tests/natsim_run.h"

#define HEAD "about: x\ntopologies: [two-homes]\ntransports: [udp]\ntrials: 1\n"

struct
try {
	const char *text, *only; /* NULL: all cells */
	const char *said;        /* after the suite's path; NULL: the suite runs */
};

static void check(const struct try *try, const char *dir)
{
	CLEANUP(free) char *suite = path_in(dir, "suite.yaml"), *out = path_in(dir, "out");
	CLEANUP(free) char *said = NULL;
	CLEANUP(run) struct run r = { .dir = dir };

	write_text(dir, "suite.yaml", try->text);
	if (try->only == NULL)
		run_natsim(&r, "run", suite, "--world", "twin", "--out", out, NULL);
	else
		run_natsim(&r, "run", suite, "--world", "twin", "--out", out, "--only", try->only,
			   NULL);
	if (try->said == NULL) {
		ASSERT_STATUS(&r, 0);
		return;
	}
	assert_true(asprintf(&said, "natsim: %s:%s", suite, try->said) > 0);
	assert_refused(&r, 2, said);
	assert_int_equal(access(out, F_OK), -1);
}

static void what_is_not_there_is_told_at_its_place(void **state)
{
	static const struct try tries[] = {
		{ HEAD "nats: { a: [open, opne] }\n", NULL,
		  "5:19: no NAT model \"opne\"; `natsim models` lists those there are\n" },
		{ HEAD "nats: { a: [open], b: [./none.yaml] }\n", NULL,
		  "5:24: ./none.yaml: No such file or directory" },
		{ HEAD "population: { open: 1, opne: 2 }\n", NULL,
		  "5:24: no NAT model \"opne\"; `natsim models` lists those there are\n" },
		{ HEAD "population: { open: 1, ./none.yaml: 2 }\n", NULL,
		  "5:24: ./none.yaml: No such file or directory" },
		{ HEAD "nats: { a: [open] }\nlinks: [home, string]\n", NULL,
		  "6:15: no link \"string\"; there are: ideal, home, " },
		{ "about: x\ntopologies: [two-homes, moon]\nnats: { a: [open] }\n", NULL,
		  "2:25: no topology \"moon\"; there are: home-to-server, one-home, two-homes\n" },
	};
	CLEANUP(temporary) char *dir = temporary_dir();

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		check(&tries[i], dir);
}

#define REFUSED "own is a ruleset of its own, which the twin cannot run; run it with --world lab\n"

static void a_ruleset_of_its_own_is_told_at_its_place_where_it_would_run(void **state)
{
	static const char model[] = "about: x\nmapping: endpoint-independent\n"
				    "filtering: endpoint-independent\nruleset: own.nft\n";
	static const struct try tries[] = {
		{ HEAD "nats: { a: [open, ./own.yaml] }\n", NULL, "5:19: " REFUSED },
		{ HEAD "nats: { a: [open], b: [open, ./own.yaml] }\n", NULL, "5:30: " REFUSED },
		{ HEAD "nats: { a: [open, ./own.yaml] }\n", "nat_a=open", "5:19: " REFUSED },
		{ HEAD "population: { ./own.yaml: 1, open: 2 }\n", NULL, "5:15: " REFUSED },
		{ HEAD "nats: { a: [open, ./own.yaml] }\n", "nat_a=open,nat_b=open", NULL },
	};
	CLEANUP(temporary) char *dir = temporary_dir();

	(void)state;
	write_text(dir, "own.yaml", model);
	write_text(dir, "own.nft", "");
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		check(&tries[i], dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_is_told_at_its_place),
		cmocka_unit_test(a_ruleset_of_its_own_is_told_at_its_place_where_it_would_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

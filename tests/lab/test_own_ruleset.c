// SPDX-License-Identifier: GPL-2.0-or-later
/* Models that bring a ruleset of their own: what is wrong in it is told as of the user's file. */
#include "tests/natsim_run.h"

static const char model[] = "about: A router with rules of its own\n"
			    "mapping: endpoint-independent\n"
			    "filtering: endpoint-independent\n"
			    "forwards: [ { transport: tcp, port: 80, host: 2, host_port: 80 } ]\n"
			    "ruleset: own.nft\n";

struct mistake {
	const char *ruleset;
	const char *said; /* after "own.nft" */
};

static void check_mistake(const struct mistake *m)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *path = path_in(dir, "model.yaml"), *own = path_in(dir, "own.nft");
	CLEANUP(free) char *nat = NULL, *said = NULL;
	CLEANUP(run) struct run r = { .dir = dir };

	assert_true(asprintf(&nat, "a=%s", path) > 0);
	assert_true(asprintf(&said, "natsim: %s%s", own, m->said) > 0);
	write_text(dir, "model.yaml", model);
	write_text(dir, "own.nft", m->ruleset);
	run_natsim(&r, "exec", "one-home", "--nat", nat, "host-a", "--", "true", NULL);
	assert_refused(&r, 2, said);
	run_natsim(&r, "classify", "--quick", path, NULL);
	assert_refused(&r, 2, said);
}

static void a_mistake_in_a_models_own_rules_is_told_with_file_line_and_column(void **state)
{
	static const struct mistake mistakes[] = {
		{ "table ip natsim {\n\tchain a {\n\t\tudp dprt 53 drop\n\t}\n}\n",
		  ":3:7: syntax error" },
		/* The list of forwards is three lines in what nft reads. */
		{ "table ip natsim {\n\tmap m {\n"
		  "\t\ttype inet_proto . inet_service : ipv4_addr . inet_service\n"
		  "\t\telements = $FORWARDS\n\t}\n"
		  "\tchain a {\n\t\tjump nowhere\n\t}\n}\n",
		  ":7:8: Could not process rule: No such file or directory: jump nowhere" },
		{ "table ip natsim {\n\tset s {\n\t\ttype ipv4_addr; timeout $UDP_TIMEOUT; sise 9;\n"
		  "\t}\n}\n",
		  ":3: syntax error" },
		{ "table ip natsim {\n", ":2:1: syntax error" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		check_mistake(&mistakes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_in_a_models_own_rules_is_told_with_file_line_and_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

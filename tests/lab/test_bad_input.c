// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What natsim says of input that is wrong. Every program here is killed at once if it asks for a
 * namespace, a mount or a netlink socket, and its directory is looked at afterwards: what is wrong
 * must be found before anything is built.
 */
#include <dirent.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "lib/prng.h"
#include "tests/forbid.h"
#include "tests/natsim_run.h"

static void build_nothing(void *arg)
{
	static const struct forbidden calls[] = {
		{ SYS_unshare, FORBID_ANY, FORBID_ANY }, { SYS_setns, FORBID_ANY, FORBID_ANY },
		{ SYS_mount, FORBID_ANY, FORBID_ANY },   { SYS_socket, AF_NETLINK, FORBID_ANY },
		{ SYS_socket, AF_PACKET, FORBID_ANY },
	};

	(void)arg;
	forbid_calls(calls, sizeof(calls) / sizeof(calls[0]), SECCOMP_RET_KILL_PROCESS);
}

/* The same for root, who could read everything. */
static void build_and_read_nothing(void *arg)
{
	forbid_capabilities();
	build_nothing(arg);
}

static void setup_run(struct run *r, const char *dir)
{
	*r = (struct run){ .dir = dir, .before = build_nothing };
}

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2; /* . and .. */
}

/* A suite, a model and a topology that nothing is wrong with, to be made wrong one by one. */
static const char good_model[] =
	"about: A router\n"
	"mapping: endpoint-independent\n"
	"filtering: address-dependent\n"
	"ports: { choose: preserve, range: [1024, 65535] }\n"
	"unsolicited: { udp: drop, tcp: drop }\n"
	"timeouts: { udp: 120s, tcp_established: 7440s, tcp_transitory: 240s }\n"
	"sources:\n"
	"  - { text: RFC 4787 }\n";

static const char good_topology[] =
	"about: A home and a server\n"
	"routers:\n"
	"  - { name: router-a, nat: a, outside: 198.51.100.2/24, inside: 10.1.0.1/24 }\n"
	"hosts:\n"
	"  - { name: host-a, behind: router-a, peer: a, addresses: [10.1.0.2/24] }\n"
	"  - { name: host-b, peer: b, addresses: [192.0.2.2/24] }\n"
	"  - { name: server, rendezvous: yes, addresses: [203.0.113.10/24, 203.0.113.20/24] }\n";

static const char good_suite[] = "about: One pair\n"
				 "topologies: [two-homes]\n"
				 "nats:\n"
				 "  a: [open]\n"
				 "transports: [udp]\n"
				 "trials: 1\n"
				 "give_up: 500ms\n";

enum kind { MODEL, TOPOLOGY, SUITE, LINKS };

static const char *const kind_file[] = { "model.yaml", "topology.yaml", "suite.yaml", NULL };

/* Gives natsim the file in the way that a file of its kind is given. */
static void run_with(struct run *r, enum kind kind, const char *path)
{
	if (kind == MODEL)
		run_natsim(r, "classify", path, NULL);
	else if (kind == TOPOLOGY)
		run_natsim(r, "exec", path, "host-a", "--", "true", NULL);
	else
		run_natsim(r, "run", path, NULL);
}

struct mistake {
	const char *name;
	enum kind kind;
	const char *good, *from, *to;
	const char *said; /* "line:col: what" or the beginning of it */
};

static void check_mistake(const struct mistake *m)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *text = replaced(m->good, m->from, m->to);
	CLEANUP(free) char *path = path_in(dir, kind_file[m->kind]);
	CLEANUP(free) char *said = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };

	assert_true(asprintf(&said, "natsim: %s:%s", path, m->said) > 0);
	write_text(dir, kind_file[m->kind], text);
	setup_run(&r, dir);
	run_with(&r, m->kind, path);
	assert_refused(&r, 2, said);
	assert_int_equal(count_entries(dir), 1);
}

static void a_mistake_in_a_file_is_told_with_its_line_and_column(void **state)
{
	static const struct mistake mistakes[] = {
		{ "unknown key", MODEL, good_model,
		  "mapping:", "maping:", "2:1: unknown key \"maping\"; did you mean \"mapping\"?" },
		{ "missing key", MODEL, good_model, "filtering: address-dependent\n", "",
		  "1:1: key \"filtering\" is missing" },
		{ "no such word", MODEL, good_model, "address-dependent", "some",
		  "3:12: filtering cannot be \"some\"" },
		{ "wrong type", MODEL, good_model, "preserve, range: [1024, 65535]",
		  "preserve, range: wide", "4:35: range must be a list" },
		{ "port out of range", MODEL, good_model, "65535", "65536",
		  "4:42: range is 65536, but" },
		{ "port range upside down", MODEL, good_model, "[1024, 65535]", "[2048, 1024]",
		  "4:35: the range ends before" },
		{ "no number", MODEL, good_model, "1024", "many",
		  "4:36: range must be a whole number" },
		{ "no duration", MODEL, good_model, "120s", "soon",
		  "6:18: \"soon\" is no timeout" },
		{ "broken YAML", MODEL, good_model, "range: [1024, 65535] }",
		  "range: [1024, 65535 }", "4:48: " },
		{ "key given twice", MODEL, good_model, "about: A router\n",
		  "about: A router\nabout: Two\n", "2:1: key \"about\" is here twice" },
		{ "tab", MODEL, good_model, "  - { text", "\t- { text",
		  "8:1: YAML does not allow a tab here" },
		{ "not UTF-8", MODEL, good_model, "A router", "A \xff router",
		  "1:10: this is not text" },
		{ "an alias", MODEL, good_model, "A router", "*other", "1:8: aliases" },
		{ "unknown key", TOPOLOGY, good_topology, "nat: a", "nat: a, speed: 3",
		  "3:31: unknown key \"speed\"" },
		{ "missing key", TOPOLOGY, good_topology, "name: host-b, ", "",
		  "6:5: key \"name\" is missing" },
		{ "wrong type", TOPOLOGY, good_topology, "[192.0.2.2/24]", "192.0.2.2/24",
		  "6:41: addresses must be a list" },
		{ "two nodes of one name", TOPOLOGY, good_topology, "name: host-b", "name: host-a",
		  "6:13: there is a node \"host-a\" already" },
		{ "host and router of one name", TOPOLOGY, good_topology, "name: host-b",
		  "name: router-a", "6:13: there is a node \"router-a\" already" },
		{ "behind no router", TOPOLOGY, good_topology, "behind: router-a",
		  "behind: router-x", "5:29: there is no router \"router-x\"" },
		{ "no address", TOPOLOGY, good_topology, "192.0.2.2/24", "192.0.2.2/33",
		  "6:42: \"192.0.2.2/33\" is no IPv4 address" },
		{ "broken YAML", TOPOLOGY, good_topology, "hosts:\n", "hosts\n", "5:11: " },
		{ "unknown key", SUITE, good_suite, "trials: 1", "tries: 1",
		  "6:1: unknown key \"tries\"" },
		{ "missing key", SUITE, good_suite, "topologies: [two-homes]\n", "",
		  "1:1: key \"topologies\" is missing" },
		{ "wrong type", SUITE, good_suite, "trials: 1", "trials: some",
		  "6:9: trials must be a whole number" },
		{ "wrong type", SUITE, good_suite, "trials: 1", "trials: [1]",
		  "6:9: trials must be a single value" },
		{ "too many trials", SUITE, good_suite, "trials: 1", "trials: 4000000000",
		  "6:9: 4000000000 is not from 1 to 1000000" },
		{ "no transport", SUITE, good_suite, "[udp]", "[udp, sctp]",
		  "5:19: no transport \"sctp\"" },
		{ "no duration", SUITE, good_suite, "500ms", "500",
		  "7:10: \"500\" is no duration" },
		{ "no strategy", SUITE, good_suite, "trials: 1", "strategies: [pray]",
		  "6:14: no strategy \"pray\"" },
		{ "no peer in PATH", SUITE, good_suite, "trials: 1", "peer: [no-such-peer]",
		  "6:8: no program \"no-such-peer\" in PATH" },
		{ "no peer at a path", SUITE, good_suite, "trials: 1", "peer: [./none, x]",
		  "6:8: cannot execute \"./none\": No such file or directory" },
		{ "a peer that is no program", SUITE, good_suite, "trials: 1",
		  "peer: [./suite.yaml]",
		  "6:8: cannot execute \"./suite.yaml\": Permission denied" },
		{ "a directory as a peer", SUITE, good_suite, "trials: 1", "peer: [/]",
		  "6:8: cannot execute \"/\": Is a directory" },
		{ "no NAT model", SUITE, good_suite, "[open]", "[open, opne]",
		  "4:13: no NAT model \"opne\"" },
		{ "no expectation", SUITE, good_suite, "trials: 1", "expect: 1.5",
		  "6:9: \"1.5\" is neither" },
		{ "broken YAML", SUITE, good_suite, "[udp]", "[udp", "6:7: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		check_mistake(&mistakes[i]);
}

/* So that a mistake is what natsim stumbles over in the test above, and nothing else. */
static void the_same_files_without_a_mistake_get_as_far_as_building(void **state)
{
	static const struct {
		enum kind kind;
		const char *text;
	} files[] = { { MODEL, good_model }, { TOPOLOGY, good_topology }, { SUITE, good_suite } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(temporary) char *dir = temporary_dir();
		CLEANUP(free) char *path = path_in(dir, kind_file[files[i].kind]);
		CLEANUP(run) struct run r;

		write_text(dir, kind_file[files[i].kind], files[i].text);
		setup_run(&r, dir);
		run_with(&r, files[i].kind, path);
		ASSERT_STATUS(&r, 128 + SIGSYS);
	}
}

static void a_peer_that_is_there_gets_as_far_as_building(void **state)
{
	static const char *const peers[] = { "sh", "/bin/sh", "./{role}" };

	(void)state;
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		CLEANUP(temporary) char *dir = temporary_dir();
		CLEANUP(free) char *path = path_in(dir, kind_file[SUITE]);
		CLEANUP(free) char *peer = NULL, *text = NULL;
		CLEANUP(run) struct run r;

		assert_true(asprintf(&peer, "peer: [\"%s\"]", peers[i]) > 0);
		text = replaced(good_suite, "trials: 1", peer);
		write_text(dir, kind_file[SUITE], text);
		setup_run(&r, dir);
		run_with(&r, SUITE, path);
		ASSERT_STATUS(&r, 128 + SIGSYS);
	}
}

static void check_file(enum kind kind, const char *dir, const char *said)
{
	CLEANUP(free) char *path = path_in(dir, kind_file[kind]);
	CLEANUP(free) char *line = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };
	unsigned before = count_entries(dir);

	assert_true(asprintf(&line, "natsim: %s:%s", path, said) > 0);
	setup_run(&r, dir);
	r.before = build_and_read_nothing;
	run_with(&r, kind, path);
	assert_refused(&r, 2, line);
	assert_int_equal(count_entries(dir), before);
}

static void what_is_no_yaml_file_is_refused(void **state)
{
	(void)state;
	for (enum kind kind = MODEL; kind <= SUITE; kind++) {
		CLEANUP(temporary) char *dir = temporary_dir();
		CLEANUP(free) char *path = path_in(dir, kind_file[kind]);

		check_file(kind, dir, " No such file or directory");
		write_text(dir, kind_file[kind], "");
		check_file(kind, dir, "1:1: ");
		assert_int_equal(chmod(path, 0), 0);
		check_file(kind, dir, " Permission denied");
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		check_file(kind, dir, " Is a directory");
		assert_int_equal(rmdir(path), 0);
		/* To open one for reading would wait for a writer. */
		assert_int_equal(mkfifo(path, 0600), 0);
		check_file(kind, dir, " not a regular file");
	}
}

static void a_megabyte_of_random_bytes_is_refused_in_one_line(void **state)
{
	enum { SIZE = 1024 * 1024 };
	CLEANUP(free) uint8_t *bytes = malloc(SIZE);

	(void)state;
	assert_non_null(bytes);
	for (uint64_t seed = 1; seed <= 9; seed++) {
		CLEANUP(temporary) char *dir = temporary_dir();
		enum kind kind = (enum kind)(seed % 3);
		struct prng prng;

		prng_init(&prng, seed);
		for (size_t i = 0; i < SIZE; i++)
			bytes[i] = (uint8_t)prng_next(&prng);
		write_bytes(dir, kind_file[kind], bytes, SIZE);
		check_file(kind, dir, "");
	}
}

/* file is next to the model, or an absolute path. */
static void check_ruleset(const char *dir, const char *file, const char *why)
{
	CLEANUP(free) char *path = path_in(dir, kind_file[MODEL]);
	CLEANUP(free) char *ruleset = file[0] == '/' ? strdup(file) : path_in(dir, file);
	CLEANUP(free) char *model = NULL, *said = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };

	assert_true(asprintf(&model, "%sruleset: %s\n", good_model, file) > 0);
	assert_true(asprintf(&said, "natsim: %s:9:10: %s: %s\n", path, ruleset, why) > 0);
	write_text(dir, kind_file[MODEL], model);
	setup_run(&r, dir);
	run_with(&r, MODEL, path);
	assert_refused(&r, 2, said);
}

static void a_ruleset_that_cannot_be_read_is_told_with_its_place(void **state)
{
	enum { SIZE = 256 * 1024 + 1 };
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) uint8_t *comments = malloc(SIZE);

	(void)state;
	assert_non_null(comments);
	memset(comments, '#', SIZE);
	check_ruleset(dir, "none.nft", "No such file or directory");
	check_ruleset(dir, "../none.nft", "No such file or directory");
	check_ruleset(dir, "/none.nft", "No such file or directory");
	check_ruleset(dir, ".", "Is a directory");
	write_bytes(dir, "own.nft", comments, SIZE);
	check_ruleset(dir, "own.nft", "longer than 262144 bytes");
	write_bytes(dir, "own.nft", (const uint8_t *)"#\0#\n", 4);
	check_ruleset(dir, "own.nft", "holds a NUL character");
}

/* links.yaml is natsim's own and is reached through a data directory. */
static void a_mistake_in_the_links_is_told_with_its_line_and_column(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *env = NULL, *topologies = path_in(dir, "topologies");
	CLEANUP(free) char *nat_models = path_in(dir, "nat_models");
	CLEANUP(free) char *rules = path_in(dir, "nat_models/rules");
	CLEANUP(free) char *said = path_in(dir, "topologies/links.yaml:5:19: ");
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	assert_int_equal(mkdir(topologies, 0700) | mkdir(nat_models, 0700) | mkdir(rules, 0700), 0);
	write_text(
		dir, "topologies/links.yaml",
		"- name: bad\n  about: Bad\n  source: none\n  hops: 1\n  up: { delay_ms: -5 }\n");
	assert_true(asprintf(&env, "NATSIM_DATA=%s", dir) > 0);
	setup_run(&r, dir);
	r.env = (const char *const[]){ env, NULL };
	run_natsim(&r, "run", "all", NULL);
	assert_refused(&r, 2, said);
}

#define REFUSED(said, ...)                                    \
	do {                                                  \
		CLEANUP(run) struct run r_ = { .dir = NULL }; \
		setup_run(&r_, dir);                          \
		run_natsim(&r_, __VA_ARGS__, NULL);           \
		assert_refused(&r_, 2, said);                 \
		assert_int_equal(count_entries(dir), 0);      \
	} while (0)

static void names_that_are_not_there_are_refused_with_those_that_are(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();

	(void)state;
	REFUSED("no NAT model \"nat\"; `natsim models` lists those there are\n", "classify", "nat");
	REFUSED("no NAT model \"nat\"", "classify", "open", "nat");
	REFUSED("no NAT model \"nat\"", "plan", "two-homes", "--nat", "a=nat");
	REFUSED("no NAT model \"nat\"", "model", "show", "nat");
	REFUSED("no topology \"moon\"; there are: home-to-server, one-home, two-homes", "plan",
		"moon");
	REFUSED("no topology \"moon\"", "exec", "moon", "host-a", "--", "true");
	REFUSED("no suite \"none\"; there are: all", "run", "none");
	REFUSED("no link \"string\"; there are: ideal, home, ", "exec", "two-homes", "--link",
		"string", "host-a", "--", "true");
	REFUSED("no node \"host-x\"; there are: ", "exec", "two-homes", "host-x", "--", "true");
	REFUSED("no node \"host-x\"", "exec", "two-homes", "host-a", "--", "true", "--with",
		"host-x", "--", "true");
	REFUSED("no router for the role \"c\"", "plan", "two-homes", "--nat", "c=open");
	REFUSED("no verb \"fly\"", "fly");
	REFUSED("no verb \"fly\"", "help", "fly");
}

static void mistakes_of_the_command_line_are_refused(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();

	(void)state;
	REFUSED("the role \"a\" is given twice", "plan", "two-homes", "--nat", "a=open", "--nat",
		"a=open");
	REFUSED("--nat open: not ROLE=MODEL", "plan", "two-homes", "--nat", "open");
	REFUSED("has no option --fast", "run", "all", "--fast");
	REFUSED("needs a value", "run", "all", "--trials");
	REFUSED("--trials 0: not a whole number from 1 to", "run", "all", "--trials", "0");
	REFUSED("--trials ten", "run", "all", "--trials", "ten");
	REFUSED("--seed -1", "run", "all", "--seed", "-1");
	REFUSED("-j 1000", "run", "all", "-j", "1000");
	REFUSED("no cell of the suite matches", "run", "all", "--only", "nat_a=none");
	REFUSED("is not KEY=VALUE", "run", "all", "--only", "colour=red");
	REFUSED("something is missing", "run");
	REFUSED("that is too much", "run", "all", "all");
	REFUSED("one form at a time", "model", "show", "open", "--nft", "--json");
	REFUSED("one form at a time", "models", "--json", "--markdown");
	REFUSED("one form at a time", "topologies", "--names", "--json");
	REFUSED("something is missing", "classify");
	REFUSED("that is too much", "classify", "--all", "open");
	REFUSED("which NODE -- COMMAND?", "exec", "two-homes");
	REFUSED("which command in host-a?", "exec", "two-homes", "host-a", "--");
	REFUSED("only one command can be without --with", "exec", "two-homes", "host-a", "--",
		"true", "host-b", "--", "true");
	REFUSED("--pcap", "exec", "two-homes", "--pcap");
	REFUSED("/no/such/file: No such file or directory", "exec", "two-homes", "--pcap",
		"/no/such/file", "host-a", "--", "true");
	REFUSED("/dev/null/results.jsonl: Not a directory", "run", "all", "--out", "/dev/null");
}

/* The copy has no program "empty" beside it, as an installed natsim has not. */
static void a_bench_without_what_it_compares_with_measures_nothing(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *natsim = built("natsim"), *copy = path_in(dir, "natsim");
	CLEANUP(free) char *tree = getcwd(NULL, 0), *data = NULL;
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	assert_true(asprintf(&data, "NATSIM_DATA=%s", tree) > 0);
	run_argv(&r, (const char *const[]){ "cp", natsim, copy, NULL });
	ASSERT_STATUS(&r, 0);
	setup_run(&r, dir);
	r.env = (const char *const[]){ data, NULL };
	run_argv(&r, (const char *const[]){ copy, "bench", NULL });
	assert_refused(&r, 3, "/empty: No such file or directory: ");
}

static void no_verb_at_all_is_refused(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	setup_run(&r, dir);
	run_natsim(&r, NULL);
	assert_refused(&r, 2, "which verb?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_in_a_file_is_told_with_its_line_and_column),
		cmocka_unit_test(the_same_files_without_a_mistake_get_as_far_as_building),
		cmocka_unit_test(a_peer_that_is_there_gets_as_far_as_building),
		cmocka_unit_test(what_is_no_yaml_file_is_refused),
		cmocka_unit_test(a_megabyte_of_random_bytes_is_refused_in_one_line),
		cmocka_unit_test(a_ruleset_that_cannot_be_read_is_told_with_its_place),
		cmocka_unit_test(a_mistake_in_the_links_is_told_with_its_line_and_column),
		cmocka_unit_test(names_that_are_not_there_are_refused_with_those_that_are),
		cmocka_unit_test(mistakes_of_the_command_line_are_refused),
		cmocka_unit_test(a_bench_without_what_it_compares_with_measures_nothing),
		cmocka_unit_test(no_verb_at_all_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

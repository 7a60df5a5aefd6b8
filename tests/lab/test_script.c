// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The script of `natsim plan --script` and natsim itself build the same. One node differs, and is
 * left out: in "internet" the script's kernel routes, where natsim has its wire.
 *
 * The test runs in namespaces of its own with a /run of its own, where a script may make what it
 * likes.
 */
#include <dirent.h>
#include <jansson.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "lib/prng.h"
#include "sim/lab/enter.h"
#include "tests/natsim_run.h"

/* What is looked at in each node: each a command, and whether it prints JSON. */
struct look {
	const char *what, *command;
	bool json;
};

static const struct look looks[] = {
	{ "links and addresses", "ip -j -d address", true },
	{ "routes", "ip -j route show table all", true },
	{ "ruleset", "nft -j list ruleset", true },
	/* Left out are counters, keys drawn at random, and what belongs to the whole machine. */
	{ "sysctls",
	  "sysctl -a --pattern '^net\\.' 2>/dev/null | "
	  "grep -v -e '_count = ' -e _key -e '^net\\.core' | sort",
	  false },
};

#define LOOKS_COUNT (sizeof(looks) / sizeof(looks[0]))

/* ---- comparing */

/* What the kernel numbers by itself, and what it only reports. */
static bool is_the_kernels(const char *key)
{
	static const char *const keys[] = { "ifindex",   "link_index", "link_netnsid", "link_netns",
					    "operstate", "handle",     "metainfo" };
	static const char timer[] = "_timer";
	size_t len = strlen(key);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return len > strlen(timer) && strcmp(key + len - strlen(timer), timer) == 0;
}

static void forget_the_kernels(json_t *json)
{
	const char *key;
	json_t *value;
	void *next;
	size_t i;

	json_object_foreach_safe(json, next, key, value)
	{
		if (is_the_kernels(key))
			(void)json_object_del(json, key);
		else
			forget_the_kernels(value);
	}
	json_array_foreach (json, i, value) {
		forget_the_kernels(value);
	}
}

/* JSON as a text that is the same for the same content. */
static char *canonical(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text[0] == '\0' ? "[]" : text, 0, &error);

	if (json == NULL)
		fail_msg("%s: %s", error.text, text);
	forget_the_kernels(json);
	char *dumped = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1));
	json_decref(json);
	return dumped;
}

/* Prints the first line that differs, and those before it. */
__attribute__((noreturn)) static void differ(const char *node, const struct look *look,
					     const char *ours, const char *scripts)
{
	size_t line = 0;

	for (size_t i = 0; ours[i] != '\0' && ours[i] == scripts[i]; i++)
		if (ours[i] == '\n')
			line = i + 1;
	print_error("%s of %s differ behind:\n%.*s\nnatsim: %.*s\nscript: %.*s\n", look->what, node,
		    (int)(line > 400 ? 400 : line), ours + (line > 400 ? line - 400 : 0),
		    (int)strcspn(ours + line, "\n"), ours + line,
		    (int)strcspn(scripts + line, "\n"), scripts + line);
	fail();
	abort();
}

static void compare(const char *node, const struct look *look, const char *ours,
		    const char *scripts)
{
	CLEANUP(free) char *a = look->json ? canonical(ours) : strdup(ours);
	CLEANUP(free) char *b = look->json ? canonical(scripts) : strdup(scripts);

	assert_true(strlen(a) > 1);
	if (strcmp(a, b) != 0)
		differ(node, look, a, b);
}

/* ---- the two ways to build */

struct plan_args {
	const char *topology, *nat_a, *nat_b; /* nat_b: "--nat b=..." or NULL */
};

/* natsim's own words: all looks at once, with a line between them that none of them prints. */
static void look_through_natsim(const struct plan_args *args, const char *node, struct run *r)
{
	CLEANUP(buf) struct buf command = BUF_INIT;
	CLEANUP(free) char *path = built("natsim");
	const char *argv[16] = { path, "exec", args->topology, "--nat", args->nat_a };
	size_t argc = 5;

	for (size_t i = 0; i < LOOKS_COUNT; i++)
		buf_printf(&command, "%s%s", i == 0 ? "" : " && echo && echo ==== && ",
			   looks[i].command);
	if (args->nat_b != NULL) {
		argv[argc++] = "--nat";
		argv[argc++] = args->nat_b;
	}
	const char *const rest[] = { node, "--", "sh", "-c", buf_text(&command), NULL };
	memcpy(argv + argc, rest, sizeof(rest));
	run_argv(r, argv);
	ASSERT_STATUS(r, 0);
}

static void write_script(const struct plan_args *args, const char *dir)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	if (args->nat_b != NULL)
		run_natsim(&r, "plan", args->topology, "--nat", args->nat_a, "--nat", args->nat_b,
			   "--script", NULL);
	else
		run_natsim(&r, "plan", args->topology, "--nat", args->nat_a, "--script", NULL);
	ASSERT_STATUS(&r, 0);
	write_text(dir, "lab.sh", buf_text(&r.out));
}

static void run_shell(struct run *r, const char *command)
{
	const char *argv[] = { "sh", "-c", command, NULL };

	run_argv(r, argv);
}

/* So that one failure is not followed by others. */
static int teardown_all(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_shell(
		&r,
		"for f in /run/netns/*; do [ ! -e \"$f\" ] || ip netns delete \"${f##*/}\"; done");
	return r.status;
}

static void script(const char *dir, const char *verb)
{
	CLEANUP(run) struct run r = { .dir = dir };
	const char *argv[] = { "sh", "lab.sh", verb, NULL };

	run_argv(&r, argv);
	ASSERT_STATUS(&r, 0);
}

static void look_through_script(const char *node, const struct look *look, struct run *r)
{
	CLEANUP(buf) struct buf command = BUF_INIT;

	buf_printf(&command, "ip netns exec natsim-%s sh -c \"$0\"", node);
	const char *argv[] = { "sh", "-c", buf_text(&command), look->command, NULL };
	run_argv(r, argv);
	ASSERT_STATUS(r, 0);
}

static void compare_node(const struct plan_args *args, const char *node)
{
	CLEANUP(run) struct run ours = { .dir = NULL };
	static const char between[] = "\n====\n";

	look_through_natsim(args, node, &ours);
	char *at = ours.out.data;
	for (size_t i = 0; i < LOOKS_COUNT; i++) {
		CLEANUP(run) struct run scripts = { .dir = NULL };
		char *end = strstr(at, between);

		assert_true((end == NULL) == (i == LOOKS_COUNT - 1));
		if (end != NULL)
			*end = '\0';
		look_through_script(node, &looks[i], &scripts);
		compare(node, &looks[i], at, buf_text(&scripts.out));
		at = end == NULL ? NULL : end + strlen(between);
	}
}

/* ---- what is there */

/* Nothing of a script's: no namespace, no mount, no link. */
static void assert_nothing_there(void)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	run_shell(&r, "ls /run/netns 2>/dev/null; grep '/run/netns/' /proc/self/mountinfo; "
		      "ip -o link | grep -v ' lo: '; nft list ruleset");
	assert_string_equal(buf_text(&r.out), "");
}

/* The kernel tells of a link's carrier a little after it is there; natsim waits for it. */
static void await_carrier(void)
{
	uint64_t deadline_ms = run_now_ms() + 5000;
	CLEANUP(run) struct run r = { .dir = NULL };

	do {
		assert_true(run_now_ms() < deadline_ms);
		run_shell(&r, "for f in /run/netns/*; do ip -n \"${f##*/}\" link; done");
		ASSERT_STATUS(&r, 0);
	} while (strstr(buf_text(&r.out), "NO-CARRIER") != NULL);
}

static void check_same(const struct plan_args *args, const char *const *nodes)
{
	CLEANUP(temporary) char *dir = temporary_dir();

	write_script(args, dir);
	script(dir, "up");
	await_carrier();
	for (size_t i = 0; nodes[i] != NULL; i++)
		compare_node(args, nodes[i]);
	script(dir, "down");
	assert_nothing_there();
}

static const char *const two_homes[] = {
	"router-a", "router-b", "host-a", "host-b", "server", NULL
};

static void two_homes_of_cones_are_the_same_both_ways(void **state)
{
	(void)state;
	check_same(&(struct plan_args){ "two-homes", "a=full-cone", "b=restricted-cone" },
		   two_homes);
}

static void two_homes_of_symmetric_routers_are_the_same_both_ways(void **state)
{
	(void)state;
	check_same(
		&(struct plan_args){ "two-homes", "a=symmetric-sequential", "b=symmetric-random" },
		two_homes);
}

static void two_homes_with_an_open_router_are_the_same_both_ways(void **state)
{
	(void)state;
	check_same(&(struct plan_args){ "two-homes", "a=open", "b=port-restricted-cone" },
		   two_homes);
}

static void one_home_with_its_bridge_is_the_same_both_ways(void **state)
{
	static const char *const nodes[] = { "router-a", "host-a", "host-a2", "server", NULL };

	(void)state;
	check_same(&(struct plan_args){ "one-home", "a=full-cone", NULL }, nodes);
}

static void a_home_and_a_host_are_the_same_both_ways(void **state)
{
	static const char *const nodes[] = { "router-a", "host-a", "host-b", "server", NULL };

	(void)state;
	check_same(&(struct plan_args){ "home-to-server", "a=restricted-cone", NULL }, nodes);
}

/* ---- using it */

static const struct plan_args plain = { "two-homes", "a=full-cone", "b=symmetric-sequential" };

static void packets_pass_the_scripts_routers(void **state)
{
	static const char talk[] =
		"mkfifo ready\n"
		"ip netns exec natsim-server \"$0\" serve 4 ready 80 443 >seen &\n"
		"read -r _ <ready\n"
		"ip netns exec natsim-host-a \"$0\" send udp 40001 1 203.0.113.10 80 &&\n"
		"ip netns exec natsim-host-a \"$0\" send tcp 40001 1 203.0.113.20 443 &&\n"
		"ip netns exec natsim-host-b \"$0\" send udp 40001 1 203.0.113.10 80 &&\n"
		"ip netns exec natsim-host-b \"$0\" send tcp 40001 1 203.0.113.20 443 && wait && cat seen\n";
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *traffic = built("tests/programs/traffic");
	CLEANUP(run) struct run r = { .dir = dir };
	const char *argv[] = { "sh", "-c", talk, traffic, NULL };

	(void)state;
	write_script(&plain, dir);
	script(dir, "up");
	run_argv(&r, argv);
	ASSERT_STATUS(&r, 0);
	assert_string_equal(buf_text(&r.out), "40001 198.51.100.2:40001\n"
					      "40001 198.51.100.2:40001\n"
					      "40001 192.0.2.2:6000\n"
					      "40001 192.0.2.2:6001\n"
					      "udp 198.51.100.2:40001 203.0.113.10 40001\n"
					      "tcp 198.51.100.2:40001 203.0.113.20 40001\n"
					      "udp 192.0.2.2:6000 203.0.113.10 40001\n"
					      "tcp 192.0.2.2:6001 203.0.113.20 40001\n");
	script(dir, "down");
	assert_nothing_there();
}

static void up_twice_fails_and_down_removes_it(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { .dir = dir };

	(void)state;
	write_script(&plain, dir);
	script(dir, "up");
	run_shell(&r, "sh lab.sh up");
	assert_int_not_equal(r.status, 0);
	script(dir, "down");
	assert_nothing_there();
	script(dir, "down"); /* nothing is no mistake */
	script(dir, "up");
	script(dir, "down");
	assert_nothing_there();
}

static bool alone(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return kill(-1, 0) < 0 && errno == ESRCH;
}

static void lead_group(void *arg)
{
	(void)arg;
	(void)setpgid(0, 0);
}

static void up_interrupted_is_removed_by_down(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	uint64_t seed = run_now_ms();
	struct prng prng;

	(void)state;
	prng_init(&prng, seed);
	write_script(&plain, dir);
	for (int i = 0; i < 12; i++) {
		CLEANUP(run) struct run r = { .dir = dir, .before = lead_group };
		const char *argv[] = { "sh", "lab.sh", "up", NULL };

		run_start(&r, argv);
		int pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0);
		struct pollfd ended = { .fd = pidfd, .events = POLLIN };
		(void)poll(&ended, 1, (int)prng_below(&prng, 200));
		(void)close(pidfd);
		(void)kill(-r.pid, SIGKILL);
		run_finish(&r);
		for (uint64_t until = run_now_ms() + 5000; !alone() && run_now_ms() < until;)
			(void)poll(NULL, 0, 1);
		script(dir, "down");
		assert_nothing_there();
	}
	script(dir, "up");
	script(dir, "down");
}

static void a_wrong_verb_is_told_the_usage(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(run) struct run r = { .dir = dir };

	(void)state;
	write_script(&plain, dir);
	run_shell(&r, "sh lab.sh sideways");
	ASSERT_STATUS(&r, 2);
	assert_string_equal(buf_text(&r.err), "usage: lab.sh up|down\n");
	assert_nothing_there();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(two_homes_of_cones_are_the_same_both_ways, teardown_all),
		cmocka_unit_test_teardown(two_homes_of_symmetric_routers_are_the_same_both_ways,
					  teardown_all),
		cmocka_unit_test_teardown(two_homes_with_an_open_router_are_the_same_both_ways,
					  teardown_all),
		cmocka_unit_test_teardown(one_home_with_its_bridge_is_the_same_both_ways,
					  teardown_all),
		cmocka_unit_test_teardown(a_home_and_a_host_are_the_same_both_ways, teardown_all),
		cmocka_unit_test_teardown(packets_pass_the_scripts_routers, teardown_all),
		cmocka_unit_test_teardown(up_twice_fails_and_down_removes_it, teardown_all),
		cmocka_unit_test_teardown(up_interrupted_is_removed_by_down, teardown_all),
		cmocka_unit_test_teardown(a_wrong_verb_is_told_the_usage, teardown_all),
	};
	struct err e = { .kind = ERR_NONE };

	if (enter_namespaces(&e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	if (mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0) {
		perror("mount a /run");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

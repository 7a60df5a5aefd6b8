// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * natsim is ended at random moments, and must leave nothing.
 *
 * The test is process 1 of namespaces of its own, in which it stands for the host. So it can know,
 * whatever else runs on this machine: what outlives natsim becomes its child, kill(-1, 0) finds
 * every other process there is, and the kernel counts the namespaces of its user namespace
 * (user_namespaces(7), the limits in /proc/sys/user), however they are held.
 */
#include <sys/mount.h>
#include <sys/resource.h>

#include "lib/prng.h"
#include "sim/lab/enter.h"
#include "tests/forbid.h"
#include "tests/natsim_run.h"

#define MOMENTS 100

/* A run is given up to this long before it is ended: the routers are measured in the first half of
 * it, and then trials begin. It would last for many seconds. */
#define MOMENT_MAX_MS 500u

/* What natsim left must be gone by then. The kernel takes network namespaces down behind our back.
 */
#define GONE_MS 20000u

/* Has tmpfs on it: natsim may write to its "out" and nowhere else. */
#define HOST_DIR "/run"
#define WORK_DIR HOST_DIR "/work"

struct host {
	struct buf before; /* what snapshot() said at first */
	uint64_t seed;
};

/* ---- the host */

static void must(const char *command)
{
	CLEANUP(run) struct run r = { .dir = NULL };
	const char *argv[] = { "sh", "-euc", command, NULL };

	run_argv(&r, argv);
	if (r.status != 0)
		RUN_FAIL(&r, "%s", command);
}

/* Everything that natsim must not touch, as text. */
static void snapshot(struct buf *out)
{
	CLEANUP(run) struct run r = { .dir = NULL };
	const char *argv[] = { "sh", "-euc",
			       "ip -d link; ip -d address; ip rule; ip route show table all; "
			       "nft list ruleset; cat /proc/self/mountinfo; "
			       "cat /proc/sys/net/ipv4/ip_forward; find " HOST_DIR
			       " ! -path '" WORK_DIR "/out*' | sort",
			       NULL };

	run_argv(&r, argv);
	if (r.status != 0)
		RUN_FAIL(&r, "%s", "look at the host");
	buf_clear(out);
	buf_puts(out, buf_text(&r.out));
}

/* Something of each kind, for natsim to find; what it calls its own tables among it. */
static void prepare_host(struct host *host)
{
	const char *seed = getenv("SEED");

	host->seed = seed != NULL ? strtoull(seed, NULL, 10) : run_now_ms();
	assert_int_equal(mount("tmpfs", HOST_DIR, "tmpfs", 0, NULL), 0);
	must("mkdir " WORK_DIR "; sysctl -q -w net.ipv6.conf.default.disable_ipv6=1; "
	     "ip link add host0 type veth peer name host1; ip link set host0 up; "
	     "ip link set host1 up; ip address add 192.168.7.1/24 dev host0; "
	     "ip route add 10.1.0.0/24 via 192.168.7.2; "
	     "nft 'add table ip natsim; add chain ip natsim outbound { type nat hook postrouting "
	     "priority srcnat; }; add rule ip natsim outbound masquerade'");
	snapshot(&host->before);
}

/* ---- what is left */

/* Reaps what is dead; true if nothing else lives in this PID namespace. */
static bool alone(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return kill(-1, 0) < 0 && errno == ESRCH;
}

static bool set_limit(const char *kind, const char *value)
{
	CLEANUP(free) char *path = NULL;

	assert_true(asprintf(&path, "/proc/sys/user/max_%s_namespaces", kind) > 0);
	return forbid_write_file(path, value) == 0;
}

/* True if there are as many namespaces of a kind as there were at first: so many that, with a limit
 * of one more, one more can be made. */
static bool as_many_as_at_first(const char *kind, int flag, const char *one_more)
{
	assert_true(set_limit(kind, one_more));
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(flag) == 0 ? 0 : 1);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(set_limit(kind, "10000"));
	return status == 0;
}

static bool no_namespace_left(void)
{
	return as_many_as_at_first("net", CLONE_NEWNET, "2") &&
	       as_many_as_at_first("mnt", CLONE_NEWNS, "2") &&
	       as_many_as_at_first("pid", CLONE_NEWPID, "2") &&
	       as_many_as_at_first("user", CLONE_NEWUSER, "1");
}

/* True once the condition holds; false if it does not until the deadline. */
static bool soon(bool (*condition)(void))
{
	uint64_t deadline_ms = run_now_ms() + GONE_MS;

	while (!condition()) {
		if (run_now_ms() >= deadline_ms)
			return false;
		(void)poll(NULL, 0, 2);
	}
	return true;
}

static void check_as_before(const struct host *host, const char *how)
{
	CLEANUP(buf) struct buf after = BUF_INIT;

	if (!soon(alone))
		fail_msg("%s: a process is left", how);
	snapshot(&after);
	if (strcmp(buf_text(&after), buf_text(&host->before)) != 0)
		fail_msg("%s: the host was\n%s\nand is\n%s", how, buf_text(&host->before),
			 buf_text(&after));
}

/* ---- the moments */

/* One that is not root has no capabilities once it executes natsim. */
static void become_ordinary(void *arg)
{
	(void)arg;
	forbid_enter_user(1);
}

/* Lets r run until the moment. */
static void await_moment(const struct run *r, int moment_ms)
{
	int pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	assert_true(pidfd >= 0);
	(void)poll(&ended, 1, moment_ms);
	(void)close(pidfd);
}

static void end_one(const struct host *host, int signal, bool privileged, int moment_ms)
{
	CLEANUP(run)
	struct run r = { .dir = WORK_DIR, .before = privileged ? NULL : become_ordinary };
	char how[128];

	(void)snprintf(how, sizeof(how), "SEED=%llu: %s, signal %d after %d ms",
		       (unsigned long long)host->seed, privileged ? "privileged" : "unprivileged",
		       signal, moment_ms);
	run_natsim_start(&r, "run", "all", "-j", "16", NULL);
	await_moment(&r, moment_ms);
	assert_int_equal(kill(r.pid, signal), 0);
	r.limit_ms = GONE_MS;
	run_finish(&r);
	if (r.status != 128 + signal)
		RUN_FAIL(&r, "%s: status %d was expected", how, 128 + signal);
	check_as_before(host, how);
}

static void ended_at_any_moment_natsim_leaves_nothing(void **state)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGINT };
	const struct host *host = *state;
	struct prng prng;

	prng_init(&prng, host->seed);
	for (int i = 0; i < MOMENTS; i++)
		end_one(host, signals[i % 3], i / 3 % 2 == 0,
			(int)prng_below(&prng, MOMENT_MAX_MS));
	/* Some take seconds: a connection left closing holds its namespace until it is given up. */
	assert_true(soon(no_namespace_left));
}

static void the_next_run_works(void **state)
{
	const struct host *host = *state;
	CLEANUP(run) struct run r = { .dir = WORK_DIR };

	run_natsim(&r, "run", "all", "--only", "nat_a=full-cone,nat_b=open", "--trials", "2", NULL);
	ASSERT_STATUS(&r, 0);
	check_as_before(host, "a whole run");
	assert_true(soon(no_namespace_left));
}

/* So that the test can fail. */
static void what_is_left_is_seen(void **state)
{
	struct host *host = *state;
	CLEANUP(buf) struct buf after = BUF_INIT;
	int hold[2];
	char byte;

	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(hold[1]);
		_exit(unshare(CLONE_NEWNET) == 0 && read(hold[0], &byte, 1) == 0 ? 0 : 1);
	}
	assert_false(alone());
	while (as_many_as_at_first("net", CLONE_NEWNET, "2"))
		(void)poll(NULL, 0, 1);
	(void)close(hold[0]);
	(void)close(hold[1]);
	assert_true(soon(alone));
	assert_true(soon(no_namespace_left));
	must("nft add table ip left");
	snapshot(&after);
	assert_string_not_equal(buf_text(&after), buf_text(&host->before));
	must("nft delete table ip left");
}

int main(void)
{
	struct host host = { .before = BUF_INIT };
	struct err e = { .kind = ERR_NONE };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(what_is_left_is_seen, &host),
		cmocka_unit_test_prestate(ended_at_any_moment_natsim_leaves_nothing, &host),
		cmocka_unit_test_prestate(the_next_run_works, &host),
	};

	forbid_enter_user(0);
	if (enter_namespaces(&e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	prepare_host(&host);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&host.before);
	return failed;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/inside.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/lab/netns.h"

/* Runs argv to its end in namespace netns_fd (-1: here) and returns its status; its output goes to
 * out. */
static int run(const char *const *argv, const char *const *env, int netns_fd, struct buf *out)
{
	struct err e;
	struct process p = PROCESS_NONE;
	CLEANUP(fd) int here_fd = -1;
	int ends[2], status = -1;
	char piece[512];
	ssize_t got = 0;

	ASSERT_OK(netns_self(&here_fd, &e));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct process_config config = { .argv = argv,
					 .env = env,
					 .netns_fd = netns_fd < 0 ? here_fd : netns_fd,
					 .stdin_fd = -1,
					 .stdout_fd = ends[1],
					 .stderr_fd = STDERR_FILENO };
	ASSERT_OK(process_start(&config, &p, &e));
	(void)close(ends[1]);
	while ((got = read(ends[0], piece, sizeof(piece))) > 0)
		buf_add(out, piece, (size_t)got);
	(void)close(ends[0]);
	ASSERT_OK(process_wait(&p, soon_us(), &status, &e));
	process_end(&p);
	return status;
}

/* The same with a line of shell, which returns 0. */
static void run_shell(const char *line, const char *const *env, struct buf *out)
{
	assert_int_equal(run((const char *const[]){ "/bin/sh", "-c", line, NULL }, env, -1, out),
			 0);
}

/* Starts a line of shell and leaves it running. */
static struct process start_shell_to(int stdout_fd, const char *line, bool own_group)
{
	struct err e;
	struct process p = PROCESS_NONE;
	CLEANUP(fd) int here_fd = -1;

	ASSERT_OK(netns_self(&here_fd, &e));
	struct process_config config = { .argv = (const char *const[]){ "sh", "-c", line, NULL },
					 .netns_fd = here_fd,
					 .stdin_fd = -1,
					 .stdout_fd = stdout_fd,
					 .stderr_fd = STDERR_FILENO,
					 .own_group = own_group };
	ASSERT_OK(process_start(&config, &p, &e));
	return p;
}

static struct process start_shell(const char *line, bool own_group)
{
	return start_shell_to(-1, line, own_group);
}

static void a_program_runs_in_its_namespace(void **state)
{
	struct err e;
	CLEANUP(buf) struct buf out = BUF_INIT;
	CLEANUP(fd) int fd = -1;
	char expected[64];

	(void)state;
	ASSERT_OK(netns_new(&fd, &e));
	(void)snprintf(expected, sizeof(expected), "net:[%lu]\n", (unsigned long)inode_of(fd));
	assert_int_equal(
		run((const char *const[]){ "readlink", "/proc/self/ns/net", NULL }, NULL, fd, &out),
		0);
	assert_string_equal(buf_text(&out), expected);
}

static void the_environment_is_natsims_with_what_is_added(void **state)
{
	const char *const env[] = { "NATSIM_ROLE=a", "REPLACED=after", "EMPTY=", NULL };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(setenv("REPLACED", "before", 1), 0);
	assert_int_equal(setenv("REPLACED_NOT", "as it was", 1), 0);
	run_shell("echo \"$NATSIM_ROLE,$REPLACED,$REPLACED_NOT,$EMPTY,${PATH:+path}\";"
		  "env | grep -c '^REPLACED='",
		  env, &out);
	assert_string_equal(buf_text(&out), "a,after,as it was,,path\n1\n");
}

static void no_descriptor_is_handed_down(void **state)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	CLEANUP(fd) int leaky = dup(STDERR_FILENO);

	(void)state;
	assert_true(leaky > 2);
	run_shell("ls /proc/$$/fd", NULL, &out);
	assert_string_equal(buf_text(&out), "0\n1\n2\n");
}

static void descriptors_may_lie_where_others_are_to_go(void **state)
{
	struct err e;
	struct process p = PROCESS_NONE;
	CLEANUP(fd) int here_fd = -1;
	CLEANUP(fd) int saved = dup(STDIN_FILENO);
	int ends[2], status = -1;
	char text[64] = "";

	(void)state;
	ASSERT_OK(netns_self(&here_fd, &e));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[1], STDIN_FILENO), STDIN_FILENO);
	struct process_config config = {
		.argv = (const char *const[]){ "sh", "-c", "echo out; echo err >&2; cat", NULL },
		.netns_fd = here_fd,
		.stdin_fd = -1,
		.stdout_fd = STDIN_FILENO,
		.stderr_fd = STDIN_FILENO
	};
	int rc = process_start(&config, &p, &e);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(rc, 0);
	ASSERT_OK(process_wait(&p, soon_us(), &status, &e));
	assert_int_equal(status, 0);
	process_end(&p);
	assert_int_equal(read(ends[0], text, sizeof(text) - 1), 8);
	assert_string_equal(text, "out\nerr\n");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void signals_are_as_a_program_expects_them(void **state)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	unsigned long long blk, ign;
	sigset_t blocked, old;

	(void)state;
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &old), 0);
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	run_shell("grep -E 'Sig(Blk|Ign)' /proc/self/status", NULL, &out);
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	/* 32 and 33 are the C library's own, which nobody can set; posix_spawn, with which make
	 * starts us, leaves them ignored. */
	assert_int_equal(sscanf(buf_text(&out), "SigBlk: %llx SigIgn: %llx", &blk, &ign), 2);
	assert_int_equal(blk, 0);
	assert_int_equal(ign & ~(3ull << 31), 0);
}

static int start_error(const char *path, struct err *e)
{
	struct process p = PROCESS_NONE;
	CLEANUP(fd) int here_fd = -1;

	assert_int_equal(netns_self(&here_fd, e), 0);
	int rc =
		process_start(&(struct process_config){ .argv = (const char *const[]){ path, NULL },
							.netns_fd = here_fd,
							.stdin_fd = -1,
							.stdout_fd = -1,
							.stderr_fd = -1,
							.own_group = true },
			      &p, e);
	assert_int_equal(p.pid, -1);
	return rc;
}

static void what_cannot_be_executed_is_the_users_mistake(void **state)
{
	struct err e;
	unsigned before = count_fds();

	(void)state;
	assert_int_equal(start_error("/no/such/program", &e), -ENOENT);
	assert_string_equal(e.text, "cannot execute '/no/such/program': No such file or directory");
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(start_error("no-such-program-in-path", &e), -ENOENT);
	assert_int_equal(start_error("/etc/passwd", &e), -EACCES);
	assert_text(&e, "Permission denied");
	assert_int_equal(count_fds(), before);
	assert_false(have_children());
}

static void a_namespace_that_is_none_is_the_machines_fault(void **state)
{
	struct err e;
	struct process p = PROCESS_NONE;
	struct process_config config = { .argv = (const char *const[]){ "true", NULL },
					 .netns_fd = STDERR_FILENO,
					 .stdin_fd = -1,
					 .stdout_fd = -1,
					 .stderr_fd = -1 };

	(void)state;
	assert_int_equal(process_start(&config, &p, &e), -EINVAL);
	assert_text(&e, "start 'true': enter its network namespace");
	assert_int_equal(e.kind, ERR_MACHINE);
	assert_false(have_children());
}

static void process_wait_tells_an_exit_from_a_signal(void **state)
{
	struct err e;
	char text[PROCESS_STATUS_SIZE];
	int status = -1;
	struct process p = start_shell("exit 3", false);

	(void)state;
	ASSERT_OK(process_wait(&p, soon_us(), &status, &e));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	assert_string_equal(process_status_text(status, text), "exited with status 3");
	status = -1;
	ASSERT_OK(process_wait(&p, 0, &status, &e)); /* once more */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	process_end(&p);

	p = start_shell("kill -TERM $$", false);
	ASSERT_OK(process_wait(&p, UINT64_MAX, &status, &e));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_string_equal(process_status_text(status, text),
			    "was killed by signal 15 (Terminated)");
	process_end(&p);
	assert_int_equal(p.pid, -1);
	process_end(&p);
	assert_false(have_children());
}

static void process_wait_ends_at_its_deadline(void **state)
{
	struct err e;
	int status = -1;
	struct process p = start_shell("exec sleep 1000", false);
	uint64_t deadline_us = process_now_us() + 20000;

	(void)state;
	assert_int_equal(process_wait(&p, deadline_us, &status, &e), -ETIMEDOUT);
	assert_true(process_now_us() >= deadline_us);
	assert_int_equal(status, -1);
	process_end(&p);
	assert_false(have_children());
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void process_wait_ends_when_a_signal_is_handled(void **state)
{
	struct err e;
	struct sigaction action = { .sa_handler = on_alarm }, old;
	int status = -1;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
	struct process p = start_shell("while :; do kill -USR1 $PPID; done", false);
	assert_int_equal(process_wait(&p, soon_us(), &status, &e), -EINTR);
	process_end(&p);
	assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
}

static void process_end_ends_what_a_running_program_started(void **state)
{
	int ends[2];
	char text[8] = "";

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct process p =
		start_shell_to(ends[1], "(sleep 1000 & echo up; sleep 1000) & sleep 1000", true);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof(text)), 3);
	process_end(&p);
	assert_false(have_children());
	/* The end of file comes once nobody holds the other end. */
	assert_int_equal(read(ends[0], text, sizeof(text)), 0);
	(void)close(ends[0]);
}

static void process_end_ends_what_an_ended_program_left(void **state)
{
	struct err e;
	int status = -1;
	struct process p = start_shell("sleep 1000 & (sleep 1000 &)", true);

	(void)state;
	ASSERT_OK(process_wait(&p, soon_us(), &status, &e));
	assert_int_equal(status, 0);
	process_end(&p);
	assert_false(have_children());
}

static void a_worker_reaps_what_its_programs_left(void **state)
{
	int status = -1;
	pid_t worker = fork();

	(void)state;
	if (worker == 0) {
		struct process p = start_shell("sleep 1000 & (sleep 1000 &)", true);

		(void)process_wait(&p, soon_us(), &status, NULL);
		process_end(&p);
		_exit(have_children() ? 1 : 0);
	}
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
	assert_false(have_children());
}

static void a_group_of_its_own_is_out_of_the_terminals_reach(void **state)
{
	struct process own = start_shell("exec sleep 1000", true);
	struct process shared = start_shell("exec sleep 1000", false);

	(void)state;
	assert_int_equal(getpgid(own.pid), own.pid);
	assert_int_equal(getpgid(shared.pid), getpgrp());
	process_end(&own);
	process_end(&shared);
	assert_false(have_children());
}

/* The parent says its child's pid through a pipe and is killed; as process 1, this test sees the
 * child die. */
static void a_program_dies_with_its_parent(void **state)
{
	pid_t grandchild = -1;
	int ends[2], status = -1;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct process p = start_shell("exec sleep 1000", true);

		(void)!write(ends[1], &p.pid, sizeof(p.pid));
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ends[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void starting_and_ending_leaves_no_descriptor(void **state)
{
	unsigned before = count_fds();

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct process p = start_shell(":", i % 2 == 0);

		process_end(&p);
	}
	assert_int_equal(count_fds(), before);
	assert_false(have_children());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_runs_in_its_namespace),
		cmocka_unit_test(the_environment_is_natsims_with_what_is_added),
		cmocka_unit_test(no_descriptor_is_handed_down),
		cmocka_unit_test(descriptors_may_lie_where_others_are_to_go),
		cmocka_unit_test(signals_are_as_a_program_expects_them),
		cmocka_unit_test(what_cannot_be_executed_is_the_users_mistake),
		cmocka_unit_test(a_namespace_that_is_none_is_the_machines_fault),
		cmocka_unit_test(process_wait_tells_an_exit_from_a_signal),
		cmocka_unit_test(process_wait_ends_at_its_deadline),
		cmocka_unit_test(process_wait_ends_when_a_signal_is_handled),
		cmocka_unit_test(process_end_ends_what_a_running_program_started),
		cmocka_unit_test(process_end_ends_what_an_ended_program_left),
		cmocka_unit_test(a_worker_reaps_what_its_programs_left),
		cmocka_unit_test(a_group_of_its_own_is_out_of_the_terminals_reach),
		cmocka_unit_test(a_program_dies_with_its_parent),
		cmocka_unit_test(starting_and_ending_leaves_no_descriptor),
	};

	/* A folder of PATH that may not be searched would be the error instead of a missing file.
	 */
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

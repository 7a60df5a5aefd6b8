// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/caller.h"

#include <fcntl.h>
#include <signal.h>

#include "sim/lab/rtnl.h"

/* ---- what comes out */

static bool loopback_is_up(void)
{
	struct netlink nl;
	struct rtnl_link *links = NULL;
	size_t count = 0;
	bool up = rtnl_open(&nl, NULL) == 0 && rtnl_links(&nl, &links, &count, NULL) == 0 &&
		  count >= 1 && strcmp(links[0].name, "lo") == 0 && links[0].up;

	netlink_close(&nl);
	free(links);
	return up;
}

static bool some_mount_is_shared(void)
{
	char *line = NULL;
	size_t size = 0;
	bool shared = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f != NULL && getline(&line, &size, f) > 0)
		shared = shared || strstr(line, " shared:") != NULL;
	free(line);
	return f == NULL || fclose(f) != 0 || shared;
}

static int look_around(struct shared *s)
{
	char self[16] = "";

	if (enter(s) < 0)
		return 1;
	if (getpid() != 1 || getuid() != 0 || geteuid() != 0 || getgid() != 0)
		return 2;
	if (readlink("/proc/self", self, sizeof(self) - 1) != 1 || strcmp(self, "1") != 0)
		return 3;
	if (!loopback_is_up())
		return 4;
	if (some_mount_is_shared())
		return 5;
	return 7;
}

static void natsim_goes_on_as_root_and_process_1(void **state)
{
	struct shared *s = *state;
	ino_t before = here();

	assert_int_equal(run(look_around, s), 7);
	assert_string_equal(s->err.text, "");
	assert_true(here() == before);
}

static int end_with_42(struct shared *s)
{
	return enter(s) < 0 ? 1 : 42;
}

static void the_exit_status_comes_out(void **state)
{
	assert_int_equal(run(end_with_42, *state), 42);
}

static int end_with_42_though_children_are_ignored(struct shared *s)
{
	(void)signal(SIGCHLD, SIG_IGN);
	if (enter(s) < 0)
		return 1;
	return signal(SIGCHLD, SIG_IGN) == SIG_IGN ? 42 : 2;
}

static void the_exit_status_comes_out_where_children_are_ignored(void **state)
{
	assert_int_equal(run(end_with_42_though_children_are_ignored, *state), 42);
}

/* Waits for the inner process to say that it is there; returns its pid as seen from here. */
static pid_t hear(const struct shared *s)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct pollfd readable = { .fd = s->socket[0], .events = POLLIN };
	struct ucred who;

	assert_int_equal(poll(&readable, 1, SOON_US / 1000), 1);
	assert_int_equal(recvmsg(s->socket[0], &message, 0), 1);
	memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(who));
	return who.pid;
}

static void say(const struct shared *s)
{
	(void)send(s->socket[1], "x", 1, 0);
}

static int enter_and_pause(struct shared *s)
{
	if (enter(s) < 0)
		return 1;
	say(s);
	for (;;)
		(void)pause();
}

static void the_signal_the_child_died_of_comes_out(void **state)
{
	struct shared *s = *state;
	pid_t outer = fork_caller(enter_and_pause, s);

	assert_int_equal(kill(hear(s), SIGKILL), 0);
	int status = wait_for(outer);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- signals */

/* Returns the first signal of a few. */
static int return_the_signal(struct shared *s)
{
	sigset_t set;
	int signal = 0;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	if (enter(s) < 0)
		return 100;
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	say(s);
	return sigwait(&set, &signal) == 0 ? signal : 101;
}

static void signals_are_passed_on(void **state)
{
	const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct shared *s = *state;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t outer = fork_caller(return_the_signal, s);

		(void)hear(s);
		assert_int_equal(kill(outer, signals[i]), 0);
		int status = wait_for(outer);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), signals[i]);
	}
}

static int ignore_hangups(struct shared *s)
{
	(void)signal(SIGHUP, SIG_IGN);
	return return_the_signal(s);
}

static void an_ignored_signal_is_not_passed_on(void **state)
{
	struct shared *s = *state;
	pid_t outer = fork_caller(ignore_hangups, s);

	(void)hear(s);
	assert_int_equal(kill(outer, SIGHUP), 0);
	assert_int_equal(kill(outer, SIGTERM), 0);
	assert_int_equal(WEXITSTATUS(wait_for(outer)), SIGTERM);
}

static void a_second_signal_ends_a_child_that_minds_none(void **state)
{
	struct shared *s = *state;
	pid_t outer = fork_caller(enter_and_pause, s), ended = 0;
	uint64_t until_us = soon_us();
	int status = 0;

	pid_t inner = hear(s);
	while (ended == 0) {
		assert_true(process_now_us() < until_us);
		assert_int_equal(kill(outer, SIGTERM), 0);
		(void)poll(NULL, 0, 10);
		ended = waitpid(outer, &status, WNOHANG);
	}
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(kill(inner, 0), -1);
}

/* timeout(1) sends one to the process and one to its group. */
static void two_signals_at_once_are_no_second_one(void **state)
{
	struct shared *s = *state;
	pid_t outer = fork_caller(return_the_signal, s);

	(void)hear(s);
	assert_int_equal(kill(outer, SIGSTOP), 0);
	assert_int_equal(kill(outer, SIGINT), 0);
	assert_int_equal(kill(outer, SIGTERM), 0);
	assert_int_equal(kill(outer, SIGCONT), 0);
	int status = wait_for(outer);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SIGINT);
}

static int enter_with_family(struct shared *s)
{
	if (enter(s) < 0)
		return 1;
	if (fork() == 0 && fork() == 0)
		(void)setsid();
	say(s);
	for (;;)
		(void)pause();
}

/* The pipe is at its end once nobody holds the other one. */
static void nobody_outlives_a_killed_caller(void **state)
{
	struct shared *s = *state;
	char byte;

	for (unsigned i = 0; i < 60; i++) {
		int ends[2];

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid_t outer = fork_caller(enter_with_family, s);
		(void)close(ends[1]);
		/* Every third is whole; the others are killed as they come to be, which takes some
		 * 1500 us. */
		if (i % 3 == 0)
			(void)hear(s);
		else
			for (uint64_t us = process_now_us() + i * 30; process_now_us() < us;)
				;
		assert_int_equal(kill(outer, SIGKILL), 0);
		(void)wait_for(outer);
		struct pollfd gone = { .fd = ends[0], .events = POLLIN };
		assert_int_equal(poll(&gone, 1, SOON_US / 1000), 1);
		assert_int_equal(read(ends[0], &byte, 1), 0);
		(void)close(ends[0]);
		while (recv(s->socket[0], &byte, 1, MSG_DONTWAIT) > 0)
			;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(natsim_goes_on_as_root_and_process_1),
		TEST(the_exit_status_comes_out),
		TEST(the_exit_status_comes_out_where_children_are_ignored),
		TEST(the_signal_the_child_died_of_comes_out),
		TEST(signals_are_passed_on),
		TEST(an_ignored_signal_is_not_passed_on),
		TEST(a_second_signal_ends_a_child_that_minds_none),
		TEST(two_signals_at_once_are_no_second_one),
		TEST(nobody_outlives_a_killed_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

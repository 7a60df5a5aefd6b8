// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * This program stays outside. Each test forks a caller, which enters; what is wrong with the
 * machine is made so for real where that can be done (a limit of none in a user namespace of its
 * own), else by a seccomp filter, or by a libnftables that says what an old one would.
 */
#include "tests/lab/inside.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sim/lab/fd.h"
#include "sim/lab/netns.h"
#include "sim/lab/rtnl.h"

/* What a forked caller and this program share. */
struct shared {
	struct err err;
	int code;
	int socket[2]; /* this end, the caller's; datagrams carry the sender's pid */
};

/* Forks a caller that runs body and exits with what it returns. */
static pid_t fork_caller(int (*body)(struct shared *s), struct shared *s)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(s->socket[0]);
		_exit(body(s));
	}
	return pid;
}

static int wait_for(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Runs body to its end; returns its exit status. */
static int run(int (*body)(struct shared *s), struct shared *s)
{
	int status = wait_for(fork_caller(body, s));

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int set_up(void **state)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int on = 1;

	assert_true(s != MAP_FAILED);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s->socket), 0);
	assert_int_equal(setsockopt(s->socket[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct shared *s = *state;

	(void)close(s->socket[0]);
	(void)close(s->socket[1]);
	(void)munmap(s, sizeof(*s));
	return 0;
}

/* ---- what comes out */

static int enter(struct shared *s)
{
	s->code = enter_namespaces(&s->err);
	return s->code;
}

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

/* ---- machines on which it does not work */

/* In a caller: cmocka's asserts belong to this program. */
#define MUST(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			(void)fprintf(stderr, "%s: %s\n", #condition, strerror(errno)); \
			_exit(99);                                                      \
		}                                                                       \
	} while (0)

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { .effective = 0 } };

	MUST(syscall(SYS_capset, &header, none) == 0);
}

/* Makes a system call fail, where its first argument is arg0 and its third arg2 (-1: any). */
static void forbid(long call, int arg0, int arg2, int error)
{
#define ARG(i) ((uint32_t)offsetof(struct seccomp_data, args[i]))
	struct sock_filter lines[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)arg0, 0, arg0 < 0 ? 0 : 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(2)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)arg2, 0, arg2 < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(lines) / sizeof(lines[0]), lines };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void write_text(const char *path, const char *text)
{
	CLEANUP(closefd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* Root of a user namespace of this caller's own, with its own limits and mounts. */
static void own_machine(void)
{
	char uid_map[32], gid_map[32];

	(void)snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	(void)snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", uid_map);
	write_text("/proc/self/gid_map", gid_map);
}

static int no_user_namespaces_allowed(struct shared *s)
{
	own_machine();
	write_text("/proc/sys/user/max_user_namespaces", "0");
	drop_capabilities();
	return enter(s) < 0 ? 3 : 0;
}

static void a_limit_of_no_user_namespaces_is_named(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(no_user_namespaces_allowed, s), 3);
	assert_int_equal(s->code, -ENOSPC);
	assert_int_equal(s->err.kind, ERR_MACHINE);
	assert_text(&s->err, "user namespaces are switched off");
	assert_text(&s->err, "sudo");
	assert_text(&s->err, "sysctl -w user.max_user_namespaces=");
}

static int no_network_namespaces_allowed(struct shared *s)
{
	own_machine();
	write_text("/proc/sys/user/max_net_namespaces", "0");
	return enter(s) < 0 ? 3 : 0;
}

static void a_limit_of_no_network_namespaces_is_named(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(no_network_namespaces_allowed, s), 3);
	assert_int_equal(s->code, -ENOSPC);
	assert_text(&s->err, "user.max_net_namespaces");
}

/* A sysctl that this kernel does not have. */
static void fake_sysctl(const char *path, const char *value)
{
	MUST(mount("none", "/proc/sys/kernel", "tmpfs", 0, NULL) == 0);
	write_text(path, value);
}

static int switched_off_as_debian_does(struct shared *s)
{
	own_machine();
	fake_sysctl("/proc/sys/kernel/unprivileged_userns_clone", "0\n");
	drop_capabilities();
	forbid(SYS_unshare, -1, -1, EPERM);
	return enter(s) < 0 ? 3 : 0;
}

static int switched_off_as_ubuntu_does(struct shared *s)
{
	own_machine();
	fake_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
	drop_capabilities();
	/* It lets the user namespace be made, and then refuses everything in it. */
	forbid(SYS_unshare, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID, -1, EPERM);
	return enter(s) < 0 ? 3 : 0;
}

static void the_sysctls_of_distributions_are_named(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(switched_off_as_debian_does, s), 3);
	assert_text(&s->err, "`sudo sysctl -w kernel.unprivileged_userns_clone=1`");
	assert_int_equal(run(switched_off_as_ubuntu_does, s), 3);
	assert_int_equal(s->code, -EPERM);
	assert_text(&s->err, "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`");
}

static int nobody_says_why(struct shared *s)
{
	own_machine();
	drop_capabilities();
	forbid(SYS_unshare, -1, -1, EPERM);
	return enter(s) < 0 ? 3 : 0;
}

static int root_of_a_container(struct shared *s)
{
	own_machine();
	forbid(SYS_unshare, -1, -1, EPERM);
	return enter(s) < 0 ? 3 : 0;
}

static int no_such_kernel_option(struct shared *s)
{
	own_machine();
	drop_capabilities();
	forbid(SYS_unshare, -1, -1, EINVAL);
	return enter(s) < 0 ? 3 : 0;
}

static void a_refusal_without_a_known_reason_says_what_to_try(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(nobody_says_why, s), 3);
	assert_text(&s->err,
		    "make a user namespace: Operation not permitted: run natsim with sudo");
	assert_int_equal(run(root_of_a_container, s), 3);
	assert_text(&s->err, "although this is root");
	assert_text(&s->err, "--privileged");
	assert_int_equal(run(no_such_kernel_option, s), 3);
	assert_text(&s->err, "CONFIG_USER_NS");
}

/* ---- enter_check_machine */

/* What libnftables is asked to do instead of loading the ruleset; NULL: just that. It is set only
 * in callers that were forked for it. */
static const char *instead;

int nft_run_cmd_from_filename(struct nft_ctx *ctx, const char *filename)
{
	int (*real)(struct nft_ctx *, const char *) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "nft_run_cmd_from_filename");
	return instead != NULL ? nft_run_cmd_from_buffer(ctx, instead) : real(ctx, filename);
}

static int check(struct shared *s)
{
	s->code = enter_check_machine(&s->err);
	return s->code < 0 ? 3 : 0;
}

static int check_often(struct shared *s)
{
	if (enter(s) < 0)
		return 1;
	unsigned before = count_fds();
	ino_t home = here();

	for (int i = 0; i < 5; i++)
		if (check(s) != 0)
			return 2;
	return count_fds() == before && here() == home ? 0 : 3;
}

static void this_machine_can_and_the_check_leaves_nothing(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(check_often, s), 0);
	assert_string_equal(s->err.text, "");
}

static int check_with_old_libnftables(struct shared *s)
{
	instead = "add table ip a { novelty; }";
	return enter(s) < 0 ? 1 : check(s);
}

static void an_old_libnftables_is_called_that(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(check_with_old_libnftables, s), 3);
	assert_int_equal(s->err.kind, ERR_MACHINE);
	assert_text(&s->err, "libnftables is too old: version 1.0.2 or newer is needed: ");
	assert_text(&s->err, "syntax error");
}

static int check_without_nat(struct shared *s)
{
	/* The kernel refuses NAT at this priority in the way it refuses NAT it does not have. */
	instead = "table ip a {\nchain b {\ntype nat hook prerouting priority -300;\n}\n}\n";
	return enter(s) < 0 ? 1 : check(s);
}

static void a_kernel_without_nat_is_called_that(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(check_without_nat, s), 3);
	assert_int_equal(s->code, -EOPNOTSUPP);
	assert_text(&s->err, "this kernel has no nft NAT");
	assert_text(&s->err, "modprobe nft_chain_nat");
	assert_text(&s->err, "CONFIG_NFT_NAT");
}

static int check_without_netfilter(struct shared *s)
{
	if (enter(s) < 0)
		return 1;
	forbid(SYS_socket, AF_NETLINK, NETLINK_NETFILTER, EPROTONOSUPPORT);
	return check(s);
}

static int check_without_packet_sockets(struct shared *s)
{
	if (enter(s) < 0)
		return 1;
	forbid(SYS_socket, AF_PACKET, -1, EAFNOSUPPORT);
	return check(s);
}

static int check_with_read_only_sysctls(struct shared *s)
{
	if (enter(s) < 0 || mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 1;
	return check(s);
}

static void what_else_a_machine_lacks_is_called_by_its_name(void **state)
{
	struct shared *s = *state;

	assert_int_equal(run(check_without_netfilter, s), 3);
	assert_text(&s->err, "this kernel has no nftables (modprobe nf_tables");
	assert_int_equal(run(check_without_packet_sockets, s), 3);
	assert_text(&s->err, "this kernel has no packet sockets (modprobe af_packet");
	assert_int_equal(run(check_with_read_only_sysctls, s), 3);
	assert_text(&s->err, "/proc/sys is read-only here");
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
		TEST(a_limit_of_no_user_namespaces_is_named),
		TEST(a_limit_of_no_network_namespaces_is_named),
		TEST(the_sysctls_of_distributions_are_named),
		TEST(a_refusal_without_a_known_reason_says_what_to_try),
		TEST(this_machine_can_and_the_check_leaves_nothing),
		TEST(an_old_libnftables_is_called_that),
		TEST(a_kernel_without_nat_is_called_that),
		TEST(what_else_a_machine_lacks_is_called_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

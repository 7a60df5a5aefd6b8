// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machines that cannot. What is wrong with one is made so for real where that can be done (a limit
 * of none in a user namespace of its own), else by a seccomp filter, or by a libnftables that says
 * what an old one would.
 */
#include "tests/lab/caller.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "lib/cleanup.h"

/* ---- enter_namespaces */

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
	CLEANUP(fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

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

int nft_run_cmd_from_buffer(struct nft_ctx *ctx, const char *text)
{
	int (*real)(struct nft_ctx *, const char *) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "nft_run_cmd_from_buffer");
	return real(ctx, instead != NULL ? instead : text);
}

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

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What natsim says on a machine that cannot: one line with what is missing and what to do, and
 * status 3. The lack is made real for natsim alone: system calls are refused, limits are set in a
 * user namespace around it, and libraries are old.
 */
#include <linux/netlink.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "tests/forbid.h"
#include "tests/natsim_run.h"

static void without_user_namespaces(void *arg)
{
	(void)arg;
	forbid_enter_user(0);
	forbid_check(forbid_write_file("/proc/sys/user/max_user_namespaces", "0"), "limit");
	forbid_capabilities();
}

static void without_network_namespaces(void *arg)
{
	(void)arg;
	forbid_enter_user(0);
	forbid_check(forbid_write_file("/proc/sys/user/max_net_namespaces", "0"), "limit");
}

/* As the default seccomp profile of container engines does. */
static void without_unshare(void *arg)
{
	static const struct forbidden call = { SYS_unshare, FORBID_ANY, FORBID_ANY };

	(void)arg;
	forbid_calls(&call, 1, SECCOMP_RET_ERRNO | EPERM);
}

static void without_capabilities(void *arg)
{
	forbid_capabilities();
	without_unshare(arg);
}

static void without_nf_tables(void *arg)
{
	static const struct forbidden call = { SYS_socket, AF_NETLINK, NETLINK_NETFILTER };

	(void)arg;
	forbid_calls(&call, 1, SECCOMP_RET_ERRNO | EPROTONOSUPPORT);
}

static void without_packet_sockets(void *arg)
{
	static const struct forbidden call = { SYS_socket, AF_PACKET, FORBID_ANY };

	(void)arg;
	forbid_calls(&call, 1, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
}

/* As in a container: /proc/sys is covered by itself, read-only, so that the kernel lets nobody
 * mount a /proc without that cover. */
static void with_settings_read_only(void *arg)
{
	(void)arg;
	forbid_enter_user(1);
	forbid_check(unshare(CLONE_NEWNS), "make a mount namespace");
	forbid_check(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), "bind /proc/sys");
	forbid_check(mount(NULL, "/proc/sys", NULL,
			   MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			   NULL),
		     "make /proc/sys read-only");
}

/* Asserts what each verb that builds says there: what is missing, and a remedy. */
static void check_verbs(struct run *r, const char *missing, const char *remedy)
{
	CLEANUP(temporary) char *dir = temporary_dir();

	r->dir = dir;
	for (int verb = 0; verb < 3; verb++) {
		if (verb == 0)
			run_natsim(r, "classify", "open", NULL);
		else if (verb == 1)
			run_natsim(r, "run", "all", "--trials", "1", NULL);
		else
			run_natsim(r, "exec", "two-homes", "host-a", "--", "true", NULL);
		assert_refused(r, 3, missing);
		assert_refused(r, 3, remedy);
	}
	run_fini(r);
}

static void check_lack(void (*before)(void *arg), const char *missing, const char *remedy)
{
	struct run r = { .before = before };

	check_verbs(&r, missing, remedy);
}

static void check_old(const char *what, const char *missing, const char *remedy)
{
	CLEANUP(free) char *shim = built("tests/preload/old_machine.so");
	CLEANUP(free) char *preload = NULL, *old = NULL;
	struct run r = { .before = NULL };

	assert_true(asprintf(&preload, "LD_PRELOAD=%s", shim) > 0);
	assert_true(asprintf(&old, "OLD_MACHINE=%s", what) > 0);
	/* ASan wants to be first among libraries, and works as second. */
	r.env = (const char *const[]){ preload, old, "ASAN_OPTIONS=verify_asan_link_order=0",
				       NULL };
	check_verbs(&r, missing, remedy);
}

static void no_user_namespaces_name_the_sysctl_and_sudo(void **state)
{
	(void)state;
	check_lack(without_user_namespaces, "user namespaces are switched off",
		   "run natsim with sudo, or `sudo sysctl -w user.max_user_namespaces=");
}

static void no_network_namespaces_name_the_sysctl(void **state)
{
	(void)state;
	check_lack(without_network_namespaces, "a limit is reached", "user.max_net_namespaces");
}

static void no_capability_says_sudo_and_privileged(void **state)
{
	(void)state;
	check_lack(without_capabilities, "make a user namespace: Operation not permitted",
		   "run natsim with sudo; in a container, start that with --privileged");
}

static void a_container_that_refuses_namespaces_is_told_of(void **state)
{
	(void)state;
	check_lack(without_unshare, "Operation not permitted",
		   "in a container, start that with --privileged");
}

static void no_nf_tables_names_the_module(void **state)
{
	(void)state;
	check_lack(without_nf_tables, "this kernel has no nftables", "modprobe nf_tables");
}

static void no_packet_sockets_name_the_module(void **state)
{
	(void)state;
	check_lack(without_packet_sockets, "this kernel has no packet sockets",
		   "modprobe af_packet");
}

static void settings_that_cannot_be_written_are_told_of(void **state)
{
	(void)state;
	check_lack(with_settings_read_only, "/proc/sys is read-only here", "--privileged");
}

static void a_kernel_without_nft_nat_names_the_modules(void **state)
{
	(void)state;
	check_old("nat", "this kernel has no nft NAT", "modprobe nft_chain_nat");
}

static void libnftables_too_old_names_the_version(void **state)
{
	(void)state;
	check_old("nft", "libnftables is too old", "version 1.0.2 or newer is needed");
}

/* So that it is the lack that stops natsim above. */
static void with_the_shim_and_no_lack_natsim_works(void **state)
{
	CLEANUP(free) char *shim = built("tests/preload/old_machine.so");
	CLEANUP(free) char *preload = NULL;
	CLEANUP(run) struct run r = { .before = NULL };

	(void)state;
	assert_true(asprintf(&preload, "LD_PRELOAD=%s", shim) > 0);
	r.env = (const char *const[]){ preload, "ASAN_OPTIONS=verify_asan_link_order=0", NULL };
	run_natsim(&r, "exec", "two-homes", "host-a", "--", "true", NULL);
	ASSERT_STATUS(&r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_user_namespaces_name_the_sysctl_and_sudo),
		cmocka_unit_test(no_network_namespaces_name_the_sysctl),
		cmocka_unit_test(no_capability_says_sudo_and_privileged),
		cmocka_unit_test(a_container_that_refuses_namespaces_is_told_of),
		cmocka_unit_test(no_nf_tables_names_the_module),
		cmocka_unit_test(no_packet_sockets_name_the_module),
		cmocka_unit_test(settings_that_cannot_be_written_are_told_of),
		cmocka_unit_test(a_kernel_without_nft_nat_names_the_modules),
		cmocka_unit_test(libnftables_too_old_names_the_version),
		cmocka_unit_test(with_the_shim_and_no_lack_natsim_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/inside.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/mount.h>

#include "sim/lab/netns.h"
#include "sim/lab/rtnl.h"

static void netns_new_makes_one_and_comes_back(void **state)
{
	struct err e;
	ino_t home = here();
	int fd = -1;

	(void)state;
	ASSERT_OK(netns_new(&fd, &e));
	assert_true(here() == home);
	assert_true(inode_of(fd) != home);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	(void)close(fd);
}

static int note_where(void *arg, struct err *e)
{
	*(ino_t *)arg = here();
	return err_set_plain(e, -ENOMSG, "said inside");
}

static void netns_run_runs_inside_and_comes_back_with_the_result(void **state)
{
	struct err e;
	ino_t home = here(), inside = 0;
	int fd = -1;

	(void)state;
	ASSERT_OK(netns_new(&fd, &e));
	assert_int_equal(netns_run(fd, note_where, &inside, &e), -ENOMSG);
	assert_string_equal(e.text, "said inside");
	assert_true(inside == inode_of(fd));
	assert_true(here() == home);
	(void)close(fd);
}

static void netns_functions_leave_no_descriptor(void **state)
{
	struct err e;
	unsigned before = count_fds();
	ino_t inside = 0;
	int fd = -1, null = open("/dev/null", O_RDONLY);

	(void)state;
	ASSERT_OK(netns_new(&fd, &e));
	(void)netns_run(fd, note_where, &inside, &e);
	assert_int_equal(netns_run(null, note_where, &inside, &e), -EINVAL);
	assert_text(&e, "enter a network namespace");
	(void)close(null);
	(void)close(fd);
	assert_int_equal(count_fds(), before);
}

static void a_namespace_is_gone_with_its_last_descriptor(void **state)
{
	struct err e;
	struct netlink nl;
	int fd = -1, home = -1;

	(void)state;
	ASSERT_OK(netns_self(&home, &e));
	ASSERT_OK(netns_new(&fd, &e));
	ASSERT_OK(rtnl_open(&nl, &e));
	ASSERT_OK(rtnl_veth_new(&nl,
				&(struct rtnl_veth){ .ifname = "near",
						     .peer_ifname = "far",
						     .netns_fd = home,
						     .peer_netns_fd = fd,
						     .mac = { 2, 0, 0, 0, 0, 1 },
						     .peer_mac = { 2, 0, 0, 0, 0, 2 } },
				&e));
	assert_true(if_nametoindex("near") != 0);
	(void)close(fd);
	ASSERT_SOON(if_nametoindex("near") == 0);
	netlink_close(&nl);
	(void)close(home);
}

static int read_sysctl(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	(void)close(fd);
	return atoi(text);
}

static int set_ttl(void *arg, struct err *e)
{
	return netns_sysctl("net/ipv4/ip_default_ttl", arg, e);
}

static void netns_sysctl_changes_one_namespace_only(void **state)
{
	struct err e;
	int fd = -1;

	(void)state;
	ASSERT_OK(netns_new(&fd, &e));
	ASSERT_OK(netns_run(fd, set_ttl, (char[]){ "17" }, &e));
	assert_int_equal(read_sysctl("/proc/sys/net/ipv4/ip_default_ttl"), 64);
	ASSERT_OK(set_ttl((char[]){ "18" }, &e));
	assert_int_equal(read_sysctl("/proc/sys/net/ipv4/ip_default_ttl"), 18);
	ASSERT_OK(set_ttl((char[]){ "64" }, &e));
	(void)close(fd);
}

static void netns_sysctl_says_which_key_and_value(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(netns_sysctl("net/ipv4/nothing", "1", &e), -ENOENT);
	assert_text(&e, "set sysctl net/ipv4/nothing to 1: No such file");
	assert_int_equal(set_ttl((char[]){ "300" }, &e), -EINVAL);
	assert_text(&e, "net/ipv4/ip_default_ttl to 300: Invalid argument");
	assert_int_equal(e.kind, ERR_MACHINE);
}

static void a_read_only_proc_sys_is_called_that(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	int rc = set_ttl((char[]){ "64" }, &e);
	assert_int_equal(umount("/proc/sys"), 0);
	assert_int_equal(rc, -EROFS);
	assert_text(&e, "/proc/sys is read-only here");
	assert_text(&e, "--privileged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netns_new_makes_one_and_comes_back),
		cmocka_unit_test(netns_run_runs_inside_and_comes_back_with_the_result),
		cmocka_unit_test(netns_functions_leave_no_descriptor),
		cmocka_unit_test(a_namespace_is_gone_with_its_last_descriptor),
		cmocka_unit_test(netns_sysctl_changes_one_namespace_only),
		cmocka_unit_test(netns_sysctl_says_which_key_and_value),
		cmocka_unit_test(a_read_only_proc_sys_is_called_that),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

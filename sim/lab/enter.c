// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes come out of this. The outer one stays where it was as far as anyone can see, since
 * a PID namespace takes in only the children of who made it; it waits. The inner one is natsim.
 *
 * The inner one must not outlive the outer one. PR_SET_PDEATHSIG sees to that, from the moment it
 * is set; whether the parent was still there then is told by a pipe that only the parent holds the
 * other end of. getppid() cannot tell: across PID namespaces it is always 0.
 */
#include "sim/lab/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/process.h"
#include "sim/lab/rtnl.h"
#include "sim/lab/signals.h"

/* What the lab needs to be allowed; a new user namespace gives it all of it. */
#define NEEDED_CAPS (1u << CAP_SYS_ADMIN | 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW)

/* Between two signals for the second to mean impatience: timeout(1) sends two at once, one to the
 * process and one to its group. */
#define SECOND_SIGNAL_US 100000u

static bool privileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = 0 } };

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & NEEDED_CAPS) == NEEDED_CAPS;
}

/* True if /proc/sys/<key> exists and is the number value. */
static bool sysctl_is(const char *key, long value)
{
	char path[128], text[32];

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", key);
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return strtol(text, NULL, 10) == value;
}

/* Who switches unprivileged user namespaces off, and how to switch them on. */
static const char *switched_off_by(void)
{
	if (sysctl_is("user/max_user_namespaces", 0))
		return "user.max_user_namespaces=16384";
	if (sysctl_is("kernel/unprivileged_userns_clone", 0)) /* Debian, Arch */
		return "kernel.unprivileged_userns_clone=1";
	if (sysctl_is("kernel/apparmor_restrict_unprivileged_userns", 1)) /* Ubuntu 23.10 and on */
		return "kernel.apparmor_restrict_unprivileged_userns=0";
	return NULL;
}

static int user_refused(struct err *e, int code, const char *what)
{
	const char *setting = switched_off_by();

	if (setting != NULL)
		return err_set_plain(e, code,
				     "%s: %s: user namespaces are switched off for ordinary users: "
				     "run natsim with sudo, or `sudo sysctl -w %s` once",
				     what, strerror(-code), setting);
	if (code == -EINVAL || code == -ENOSYS)
		return err_set_plain(e, code,
				     "%s: this kernel has no user namespaces (CONFIG_USER_NS): run "
				     "natsim with sudo",
				     what);
	if (code == -ENOSPC || code == -EUSERS)
		return err_set_plain(e, code,
				     "%s: %s: the limit of user.max_user_namespaces is reached, or "
				     "they are nested too deep: run natsim with sudo",
				     what, strerror(-code));
	return err_set_plain(e, code,
			     "%s: %s: run natsim with sudo; in a container, start that with "
			     "--privileged",
			     what, strerror(-code));
}

static int write_file(const char *path, const char *text)
{
	CLEANUP(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* A user namespace in which the one user who is there is root. */
static int enter_user(struct err *e)
{
	char uid_map[32], gid_map[32];

	(void)snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	(void)snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER) < 0)
		return user_refused(e, -errno, "make a user namespace");
	/* user_namespaces(7): an unprivileged gid_map needs setgroups switched off before. */
	int rc = write_file("/proc/self/setgroups", "deny");
	if (rc == 0)
		rc = write_file("/proc/self/uid_map", uid_map);
	if (rc == 0)
		rc = write_file("/proc/self/gid_map", gid_map);
	return rc < 0 ? user_refused(e, rc, "become root in a user namespace") : 0;
}

static int enter_others(bool was_privileged, struct err *e)
{
	static const char what[] = "make mount, network and PID namespaces";

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) == 0)
		return 0;
	int code = -errno;
	if (code == -EINVAL || code == -ENOSYS)
		return err_set_plain(e, code,
				     "%s: this kernel has not all of them (CONFIG_NAMESPACES, "
				     "CONFIG_NET_NS, CONFIG_PID_NS)",
				     what);
	if (code == -ENOSPC)
		return err_set_plain(e, code,
				     "%s: a limit is reached: raise the sysctls "
				     "user.max_mnt_namespaces, user.max_net_namespaces and "
				     "user.max_pid_namespaces",
				     what);
	if (was_privileged)
		return err_set_plain(e, code,
				     "%s: %s, although this is root: in a container, start that "
				     "with --privileged",
				     what, strerror(-code));
	return user_refused(e, code, what);
}

static int set_loopback(struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };

	int rc = rtnl_open(&nl, e);
	if (rc == 0)
		rc = rtnl_link_up(&nl, "lo", e);
	return rc;
}

static int enter_all(struct err *e)
{
	bool was_privileged = privileged();

	int rc = was_privileged ? 0 : enter_user(e);
	if (rc == 0)
		rc = enter_others(was_privileged, e);
	if (rc < 0)
		return rc;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, -errno, "keep our mounts to ourselves");
	return set_loopback(e);
}

/* The inner process: tied to the outer one, or gone with it. Where the kernel allows no new /proc
 * (parts of the old one are covered, as in containers), the old one does, too. */
static void start_inside(const int alive[2])
{
	struct pollfd parent = { .fd = alive[0] };

	(void)close(alive[1]);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&parent, 1, 0) != 0)
		_exit(1);
	(void)close(alive[0]);
	(void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

__attribute__((noreturn)) static void die_of(int signal)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t unblocked;

	(void)setrlimit(RLIMIT_CORE, &no_core); /* the child has left one, if anybody */
	(void)sigemptyset(&unblocked);
	(void)sigaddset(&unblocked, signal);
	(void)sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
	(void)kill(getpid(), signal);
	_exit(128 + signal);
}

/* Ends as the child has ended, if it has. */
static void end_with(pid_t child)
{
	int status = 0;

	if (waitpid(child, &status, WNOHANG) != child)
		return;
	if (WIFSIGNALED(status))
		die_of(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

static void pass_on(pid_t child, const siginfo_t *info, uint64_t *first_us)
{
	bool ends = info->si_signo == SIGINT || info->si_signo == SIGTERM;
	uint64_t now_us = process_now_us();

	if (ends && *first_us != 0 && now_us - *first_us >= SECOND_SIGNAL_US) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
		die_of(info->si_signo);
	}
	if (ends && *first_us == 0)
		*first_us = now_us;
	/* The terminal signals its whole foreground group. */
	if (info->si_code != SI_KERNEL || getpgid(child) != getpgrp())
		(void)kill(child, info->si_signo);
}

__attribute__((noreturn)) static void stay_outside(pid_t child, const sigset_t *watched)
{
	uint64_t first_us = 0; /* when the child was first asked to end */

	for (;;) {
		siginfo_t info;

		end_with(child);
		if (sigwaitinfo(watched, &info) > 0 && info.si_signo != SIGCHLD)
			pass_on(child, &info, &first_us);
	}
}

int enter_namespaces(struct err *e)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, chld;
	sigset_t watched, old;
	int alive[2];

	int rc = enter_all(e);
	if (rc < 0)
		return rc;
	if (pipe2(alive, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe");
	signals_get(&watched); /* they are passed on */
	(void)sigaddset(&watched, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &watched, &old);
	(void)sigaction(SIGCHLD, &plain, &chld); /* ignored, it would reap the child unseen */
	pid_t child = fork();
	int code = -errno;
	if (child > 0)
		stay_outside(child, &watched);
	(void)sigaction(SIGCHLD, &chld, NULL);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (child == 0) {
		start_inside(alive);
		return 0;
	}
	(void)close(alive[0]);
	(void)close(alive[1]);
	return err_set(e, code, "start process 1 of a PID namespace");
}

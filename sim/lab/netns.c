// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

int netns_self(int *ret_fd, struct err *e)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, -errno, "open /proc/thread-self/ns/net");
	*ret_fd = fd;
	return 0;
}

int netns_unshare(int *ret_fd, struct err *e)
{
	if (unshare(CLONE_NEWNET) == 0)
		return netns_self(ret_fd, e);
	int code = -errno;
	if (code == -ENOSPC)
		return err_set_plain(e, code,
				     "no more network namespaces are allowed: raise the sysctl "
				     "user.max_net_namespaces");
	return err_set(e, code, "make a network namespace");
}

int netns_new(int *ret_fd, struct err *e)
{
	CLEANUP(fd) int home = -1;

	int rc = netns_self(&home, e);
	if (rc < 0)
		return rc;
	rc = netns_unshare(ret_fd, e);
	netns_return(home);
	return rc;
}

int netns_enter(int fd, struct err *e)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_set(e, -errno, "enter a network namespace");
	return 0;
}

void netns_return(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
}

int netns_run(int fd, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	CLEANUP(fd) int home = -1;

	int rc = netns_self(&home, e);
	if (rc < 0)
		return rc;
	rc = netns_enter(fd, e);
	if (rc < 0)
		return rc;
	rc = fn(arg, e);
	netns_return(home);
	return rc;
}

static int sysctl_failed(struct err *e, int code, const char *key, const char *value)
{
	if (code == -EROFS)
		return err_set_plain(e, code,
				     "set sysctl %s to %s: /proc/sys is read-only here, as in most "
				     "containers: start the container with --privileged",
				     key, value);
	return err_set(e, code, "set sysctl %s to %s", key, value);
}

/* Many sysctls take the kernel's network lock to be written, and none to be read; a new namespace
 * has most of the values that we want. */
static bool sysctl_is(int fd, const char *value)
{
	char now[64];
	ssize_t len = pread(fd, now, sizeof(now), 0);

	return len > 0 && now[len - 1] == '\n' && (size_t)len - 1 == strlen(value) &&
	       memcmp(now, value, (size_t)len - 1) == 0;
}

int netns_sysctl(const char *key, const char *value, struct err *e)
{
	char path[PATH_MAX];

	int len = snprintf(path, sizeof(path), "/proc/sys/%s", key);
	if (len < 0 || (size_t)len >= sizeof(path))
		return sysctl_failed(e, -ENAMETOOLONG, key, value);
	CLEANUP(fd) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return sysctl_failed(e, -errno, key, value);
	if (sysctl_is(fd, value))
		return 0;
	/* The kernel takes a value whole in one write, or not at all. */
	if (write(fd, value, strlen(value)) < 0)
		return sysctl_failed(e, -errno, key, value);
	return 0;
}

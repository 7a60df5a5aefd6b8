/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes system calls and capabilities away from the calling process and all that it starts, to see
 * what a program does on a machine without them.
 */
#ifndef NATSIM_TESTS_FORBID_H
#define NATSIM_TESTS_FORBID_H

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A system call, and what its arguments must be for it to be meant (FORBID_ANY: whatever). */
struct forbidden {
	long number;
	uint32_t arg0, arg2; /* the first and the third, their lower halves */
};
#define FORBID_ANY UINT32_MAX

/* In a child there is no test to fail: it ends with a status that no test expects. */
static inline void forbid_check(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	_exit(124);
}

/* The classic BPF of one forbidden call, at most seven instructions; see seccomp(2). The lower half
 * of an argument comes first on little-endian machines. */
static inline size_t forbid_write(struct sock_filter *out, const struct forbidden *f,
				  uint32_t action)
{
	const uint32_t numbers[] = { (uint32_t)f->number, f->arg0, f->arg2 };
	const size_t offsets[] = { offsetof(struct seccomp_data, nr),
				   offsetof(struct seccomp_data, args[0]),
				   offsetof(struct seccomp_data, args[2]) };
	size_t count = 0, used = 1;

	used += f->arg0 != FORBID_ANY;
	used += f->arg2 != FORBID_ANY;

	for (size_t i = 0, k = 0; i < 3; i++) {
		if (numbers[i] == FORBID_ANY)
			continue;
		/* Not this one: on to what stands behind its return. */
		uint8_t skip = (uint8_t)(2 * (used - ++k) + 1);

		out[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							    (uint32_t)offsets[i]);
		out[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i],
							    0, skip);
	}
	out[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	return count;
}

#define FORBID_MAX 8u

/* action: SECCOMP_RET_KILL_PROCESS, or SECCOMP_RET_ERRNO | an errno. */
static inline void forbid_calls(const struct forbidden *calls, size_t calls_count, uint32_t action)
{
	struct sock_filter filter[7 * FORBID_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < calls_count && i < FORBID_MAX; i++)
		count += forbid_write(filter + count, &calls[i], action);
	filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = (unsigned short)count, .filter = filter };
	forbid_check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	forbid_check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

/* What is executed from here on has no capability, also as root. */
static inline void forbid_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .inheritable = 0 } };

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap); /* one needs none to have none */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	forbid_check((int)syscall(SYS_capset, &header, data), "drop capabilities");
}

static inline int forbid_write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return -1;
	int code = fputs(text, file) < 0 ? -1 : 0;
	return fclose(file) != 0 ? -1 : code;
}

/* A user namespace of the caller's, so that its limits are the caller's to set: it has all
 * capabilities there, and what it executes has them if as_uid is 0. */
static inline void forbid_enter_user(unsigned as_uid)
{
	char uid_map[32], gid_map[32];

	(void)snprintf(uid_map, sizeof(uid_map), "%u %u 1", as_uid, geteuid());
	(void)snprintf(gid_map, sizeof(gid_map), "%u %u 1", as_uid, getegid());
	forbid_check(unshare(CLONE_NEWUSER), "make a user namespace");
	forbid_check(forbid_write_file("/proc/self/setgroups", "deny"), "setgroups");
	forbid_check(forbid_write_file("/proc/self/uid_map", uid_map), "uid_map");
	forbid_check(forbid_write_file("/proc/self/gid_map", gid_map), "gid_map");
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A child is made as posix_spawn() makes one: it shares our memory until it executes, so nothing is
 * copied, and we stand still meanwhile. That is what lets it report an error by storing it. It also
 * means that the child may change its own kernel state only (descriptors, namespace, signal
 * handlers, which are copies) and must not run one of our signal handlers; signals are blocked
 * until it has reset them.
 *
 * The process is left unreaped until process_end(), so that its pid, which may be that of a process
 * group as well, cannot come to mean another.
 */
#include "sim/lab/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"

/* execvpe() builds a path of at most PATH_MAX + NAME_MAX on it, and for a script without "#!" a
 * copy of argv. */
#define CHILD_STACK_BYTES 65536u

struct child {
	const struct process_config *config;
	char **env;
	pid_t parent;
	sigset_t mask;    /* to run with */
	int error;        /* stored by the child: an errno ... */
	const char *what; /* ... and what failed; NULL: the execution itself */
};

extern char **environ;

/* Stores what failed; returns the child's exit status. */
static int fail(struct child *c, const char *what)
{
	c->error = errno;
	c->what = what;
	return 127;
}

static void reset_signals(struct child *c)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };

	/* Some cannot be changed, and need not be. */
	for (int signal = 1; signal <= SIGRTMAX; signal++)
		(void)sigaction(signal, &plain, NULL);
	(void)sigprocmask(SIG_SETMASK, &c->mask, NULL);
}

/* Puts the three descriptors to 0, 1 and 2, whichever of these they hold now. */
static bool set_stdio(const struct process_config *config)
{
	int fds[3] = { config->stdin_fd, config->stdout_fd, config->stderr_fd };

	for (int i = 0; i < 3; i++) {
		if (fds[i] < 0)
			fds[i] = open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
		/* Out of the way of those that come before it. */
		if (fds[i] >= 0 && fds[i] < 3)
			fds[i] = fcntl(fds[i], F_DUPFD, 3);
		if (fds[i] < 0)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			return false;
	return true;
}

/* It returns, which ends the child, rather than call _exit(): the sanitisers look at the stack on
 * the way to a function that does not return, and this is not one they know. */
static int run_child(void *arg)
{
	struct child *c = arg;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail(c, "tie its life to natsim's");
	/* A parent that died before that could not be seen dying. */
	if (getppid() != c->parent)
		return 127;
	if (c->config->own_group && setpgid(0, 0) < 0)
		return fail(c, "make its process group");
	if (setns(c->config->netns_fd, CLONE_NEWNET) < 0)
		return fail(c, "enter its network namespace");
	if (!set_stdio(c->config))
		return fail(c, "set its standard descriptors");
	if (close_range(3, ~0u, 0) < 0)
		return fail(c, "close natsim's descriptors");
	reset_signals(c);
	(void)execvpe(c->config->argv[0], (char *const *)(uintptr_t)c->config->argv, c->env);
	return fail(c, NULL);
}

/* True if the NAME of entry (NAME=VALUE) is also in list. */
static bool overridden(const char *entry, const char *const *list)
{
	size_t name = strcspn(entry, "=") + 1;

	for (; list != NULL && *list != NULL; list++)
		if (strncmp(entry, *list, name) == 0)
			return true;
	return false;
}

/* Natsim's environment with added in it; an array on the heap of borrowed texts. */
static char **merge_env(const char *const *added)
{
	struct buf merged = BUF_INIT;
	const char *end = NULL;

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
		if (!overridden(*entry, added))
			buf_add(&merged, entry, sizeof(*entry));
	for (; added != NULL && *added != NULL; added++)
		buf_add(&merged, added, sizeof(*added));
	buf_add(&merged, &end, sizeof(end));
	return (char **)(void *)buf_steal(&merged);
}

/* Clones with all signals blocked; the child unblocks its own. */
static int clone_child(struct child *c, char *stack, struct process *ret)
{
	sigset_t all, old;
	int pidfd = -1;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	(void)sigemptyset(&c->mask);
	c->parent = getpid();
	pid_t pid = clone(run_child, stack + CHILD_STACK_BYTES,
			  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, c, &pidfd);
	int code = pid < 0 ? -errno : 0;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code < 0)
		return code;
	*ret = (struct process){ pid, pidfd, c->config->own_group };
	return 0;
}

int process_start(const struct process_config *config, struct process *ret, struct err *e)
{
	CLEANUP(free) char *stack = malloc(CHILD_STACK_BYTES);
	CLEANUP(free) char **env = merge_env(config->env);
	struct child child = { .config = config, .env = env };
	struct process p = PROCESS_NONE;

	/* Where natsim is process 1 this changes nothing; a worker of its would not get them. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	int rc = stack == NULL ? -ENOMEM : clone_child(&child, stack, &p);
	if (rc < 0)
		return err_set(e, rc, "start a process for '%s'", config->argv[0]);
	if (child.error == 0) {
		*ret = p;
		return 0;
	}
	p.own_group = false; /* it may not have come so far */
	process_end(&p);
	if (child.what != NULL)
		return err_set(e, -child.error, "start '%s': %s", config->argv[0], child.what);
	(void)err_set_input(e, "cannot execute '%s': %s", config->argv[0], strerror(child.error));
	return -child.error;
}

static struct timespec time_left(uint64_t deadline_us)
{
	uint64_t now_us = process_now_us();
	uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;

	return (struct timespec){ .tv_sec = (time_t)(left_us / 1000000),
				  .tv_nsec = (long)(left_us % 1000000) * 1000 };
}

int process_wait(const struct process *p, uint64_t deadline_us, int *ret_status, struct err *e)
{
	struct pollfd ended = { .fd = p->pidfd, .events = POLLIN };
	struct timespec left = time_left(deadline_us);
	siginfo_t info = { .si_pid = 0 };

	int rc = ppoll(&ended, 1, deadline_us == UINT64_MAX ? NULL : &left, NULL);
	if (rc == 0)
		return err_set_plain(e, -ETIMEDOUT, "process %d still runs", p->pid);
	if (rc < 0 || waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOWAIT) < 0)
		return err_set(e, -errno, "wait for process %d", p->pid);
	*ret_status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						 : W_EXITCODE(0, info.si_status);
	return 0;
}

static void reap(idtype_t type, int id)
{
	siginfo_t info;

	while (waitid(type, (id_t)id, &info, WEXITED) == 0 || errno == EINTR)
		;
}

void process_end(struct process *p)
{
	if (p->pid < 0)
		return;
	(void)kill(p->pid, SIGKILL);
	if (p->own_group) {
		/* Its children in the group become ours as it dies, and so on down. */
		(void)kill(-p->pid, SIGKILL);
		reap(P_PGID, p->pid);
	}
	reap(P_PIDFD, p->pidfd);
	(void)close(p->pidfd);
	*p = (struct process)PROCESS_NONE;
}

const char *process_status_text(int status, char buf[static PROCESS_STATUS_SIZE])
{
	if (WIFSIGNALED(status))
		(void)snprintf(buf, PROCESS_STATUS_SIZE, "was killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(buf, PROCESS_STATUS_SIZE, "exited with status %d",
			       WEXITSTATUS(status));
	return buf;
}

uint64_t process_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

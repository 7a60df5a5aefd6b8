// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each worker shares a SOCK_SEQPACKET pair with the caller. A worker asks for a job by saying that
 * it is free; the caller answers with a job's number, or hangs up when there are no more. What a
 * worker says is a byte for the kind and then the message.
 *
 * The caller is process 1 of its PID namespace, so it also reaps whatever its workers leave behind.
 */
#include "sim/experiment/pool.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/process.h"
#include "sim/lab/signals.h"

enum { SAYS_FREE, SAYS_RESULT, SAYS_FAILED };

struct pool_channel {
	int fd;
	size_t message_size;
};

struct packet {
	unsigned char kind;
	unsigned char data[POOL_MESSAGE_MAX];
};

struct pool {
	const struct pool_config *config;
	struct pollfd *fds; /* one for each worker, and the signals' behind them */
	pid_t *pids;
	size_t workers, alive, next_job;
};

/* The caller is gone when a worker cannot send: there is no one to tell. */
static void say(int fd, unsigned char kind, const void *data, size_t len)
{
	struct packet p;

	p.kind = kind;
	memcpy(p.data, data, len);
	if (send(fd, &p, 1 + len, MSG_NOSIGNAL) < 0)
		_exit(1);
}

void pool_send(struct pool_channel *channel, const void *message)
{
	say(channel->fd, SAYS_RESULT, message, channel->message_size);
}

/* The life of a worker. */
static void worker(const struct pool_config *config, int fd)
{
	struct pool_channel channel = { fd, config->message_size };
	void *kept = config->start != NULL ? config->start(config->arg) : NULL;
	struct err e = { 0 };
	size_t job;
	int code = 0;

	while (code == 0) {
		say(fd, SAYS_FREE, "", 0);
		if (recv(fd, &job, sizeof(job), 0) != (ssize_t)sizeof(job))
			break;
		code = config->work(config->arg, kept, job, &channel, &e);
	}
	if (config->stop != NULL)
		config->stop(kept);
	if (code < 0)
		say(fd, SAYS_FAILED, &e, sizeof(e));
	_exit(0);
}

static int start_worker(struct pool *pool, size_t i, struct err *e)
{
	int pair[2];
	pid_t parent = getpid();

	static_assert(sizeof(struct err) <= POOL_MESSAGE_MAX, "an error is a message");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, -errno, "start a worker");
	pid_t pid = fork();
	if (pid < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return err_set(e, -errno, "start a worker");
	}
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		for (size_t k = 0; k < i; k++)
			(void)close(pool->fds[k].fd);
		(void)close(pair[0]);
		/* What the terminal and timeout(1) send to the whole group stays blocked here: it
		 * is the caller's to handle, who ends the workers. */
		worker(pool->config, pair[1]);
	}
	(void)close(pair[1]);
	pool->fds[i] = (struct pollfd){ .fd = pair[0], .events = POLLIN };
	pool->pids[i] = pid;
	pool->alive++;
	return 0;
}

static void hang_up(struct pool *pool, size_t i)
{
	(void)close(pool->fds[i].fd);
	pool->fds[i].fd = -1;
	pool->alive--;
}

/* A worker that hung up without being told to has come to grief. */
static int worker_died(struct pool *pool, size_t i, struct err *e)
{
	char text[PROCESS_STATUS_SIZE];
	int status = 0;

	(void)waitpid(pool->pids[i], &status, 0);
	pool->pids[i] = -1;
	hang_up(pool, i);
	return err_set_plain(e, -EIO, "a worker %s", process_status_text(status, text));
}

static int hear(struct pool *pool, size_t i, struct err *e)
{
	struct packet p;
	ssize_t len = recv(pool->fds[i].fd, &p, sizeof(p), 0);

	if (len < 1)
		return worker_died(pool, i, e);
	if (p.kind == SAYS_FAILED) {
		const struct err *said = (const struct err *)(const void *)p.data;
		struct err copy;

		memcpy(&copy, said, sizeof(copy));
		if (e != NULL)
			*e = copy;
		return -EIO;
	}
	if (p.kind == SAYS_RESULT) {
		pool->config->message(pool->config->arg, p.data);
		return 0;
	}
	if (pool->next_job == pool->config->jobs) {
		hang_up(pool, i);
		return 0;
	}
	size_t job = pool->next_job++;
	if (send(pool->fds[i].fd, &job, sizeof(job), MSG_NOSIGNAL) < 0)
		return worker_died(pool, i, e);
	return 0;
}

static void reap_strangers(const struct pool *pool)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
		for (size_t i = 0; i < pool->workers; i++)
			if (pool->pids[i] == info.si_pid)
				return; /* its end is heard on its socket */
		(void)waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
}

/* Until all workers have been told that there is nothing more to do. */
static int serve(struct pool *pool, int *ret_signal, struct err *e)
{
	int code = 0;

	while (code == 0 && pool->alive > 0) {
		int timeout_ms = (int)(pool->config->interval_us / 1000);

		if (poll(pool->fds, pool->workers + 1, timeout_ms) < 0 && errno != EINTR)
			return err_set(e, -errno, "wait for workers");
		for (size_t i = 0; code == 0 && i < pool->workers; i++)
			if (pool->fds[i].fd >= 0 && pool->fds[i].revents != 0)
				code = hear(pool, i, e);
		struct signalfd_siginfo info;
		if (pool->fds[pool->workers].revents != 0 &&
		    read(pool->fds[pool->workers].fd, &info, sizeof(info)) == sizeof(info)) {
			*ret_signal = (int)info.ssi_signo;
			code = -EINTR;
		}
		reap_strangers(pool);
		if (pool->config->tick != NULL)
			pool->config->tick(pool->config->arg);
	}
	return code;
}

/* A worker that has been hung up on ends by itself once its job is done; after a failure it must
 * not go on. */
static void end_workers(struct pool *pool, bool kill_them)
{
	for (size_t i = 0; i < pool->workers; i++) {
		if (pool->fds[i].fd >= 0)
			hang_up(pool, i);
		if (pool->pids[i] <= 0)
			continue;
		if (kill_them)
			(void)kill(pool->pids[i], SIGKILL);
		(void)waitpid(pool->pids[i], NULL, 0);
	}
}

int pool_run(const struct pool_config *config, int *ret_signal, struct err *e)
{
	struct pool pool = { .config = config };
	CLEANUP(fd) int signal_fd = -1;
	sigset_t old_mask;

	assert(config->message_size <= POOL_MESSAGE_MAX);
	pool.workers = config->workers < config->jobs ? config->workers : config->jobs;
	CLEANUP(free) struct pollfd *fds = calloc(pool.workers + 1, sizeof(*fds));
	CLEANUP(free) pid_t *pids = calloc(pool.workers + 1, sizeof(*pids));
	if (fds == NULL || pids == NULL)
		return err_set(e, -ENOMEM, "start workers");
	pool.fds = fds;
	pool.pids = pids;
	for (size_t i = 0; i < pool.workers; i++)
		fds[i].fd = -1;

	(void)sigprocmask(SIG_BLOCK, NULL, &old_mask);
	int code = signals_open(&signal_fd, e);
	fds[pool.workers] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };

	for (size_t i = 0; code == 0 && i < pool.workers; i++)
		code = start_worker(&pool, i, e);
	if (code == 0)
		code = serve(&pool, ret_signal, e);
	end_workers(&pool, code != 0);
	(void)sigprocmask(SIG_SETMASK, &old_mask, NULL);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything that can fail (sockets, events) is set up by the caller, who can be told why; then the
 * process is forked off, and lets go of all it does not need. It ends in one of three ways: the
 * caller shuts down the control socket, the caller's end kills it (PR_SET_PDEATHSIG), or it
 * crashes.
 */
#include "sim/lab/wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/pcapng.h"
#include "sim/lab/wire_exchange.h"
#include "sim/lab/wire_loop.h"

/* How long the wire may take to answer, or to write its record before it is killed. */
#define ANSWER_WAIT_MS 5000

struct wire {
	pid_t pid;
	int pidfd;
	int control_fd;
	struct wire_stats *stats; /* shared with the process */
};

/* What the process works on; made before the fork, freed on both sides of it. */
struct engine {
	struct pcapng capture;
	struct wire_exchange exchange;
	struct wire_loop loop;
	int control_fd; /* the process's end */
};

/* ---- the process */

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Closes every descriptor but those of fds, which it sorts. Another lab's control socket held open
 * here, or a pipe whose reader waits for its end, would be a nuisance. */
static void close_others(int *fds, size_t count)
{
	int from = 0;

	qsort(fds, count, sizeof(*fds), by_value);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] > from)
			(void)syscall(SYS_close_range, (unsigned)from, (unsigned)fds[i] - 1, 0);
		if (fds[i] >= from)
			from = fds[i] + 1;
	}
	(void)syscall(SYS_close_range, (unsigned)from, ~0u, 0);
}

static void keep_own_descriptors(const struct engine *engine)
{
	const struct wire_exchange *x = &engine->exchange;
	size_t count = 0;
	int *fds = calloc(x->ports_count + 5, sizeof(*fds));

	assert(fds != NULL);
	for (size_t i = 0; i < x->ports_count; i++)
		fds[count++] = x->ports[i].fd;
	fds[count++] = engine->loop.epoll_fd;
	fds[count++] = engine->loop.timer_fd;
	fds[count++] = engine->control_fd;
	fds[count++] = STDERR_FILENO; /* for assert() and the sanitizers */
	if (x->capture != NULL)
		fds[count++] = x->capture->fd;
	close_others(fds, count);
	free(fds);
}

/* The terminal's signals go to the whole foreground group; natsim decides what they mean. */
static void set_signals(void)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP };
	sigset_t none;

	for (int sig = 1; sig < SIGRTMIN; sig++)
		(void)signal(sig, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void engine_fini(struct engine *engine);

static _Noreturn void run(struct engine *engine, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE); /* it died before the line above */
	(void)prctl(PR_SET_NAME, "natsim-wire");
	set_signals();
	keep_own_descriptors(engine);
	wire_loop_run(&engine->loop);
	engine_fini(engine);
	_exit(EXIT_SUCCESS);
}

/* ---- setting up */

static int open_ports(void *arg, struct err *e)
{
	struct wire_exchange *x = arg;

	for (size_t i = 0; i < x->ports_count; i++) {
		int r = wire_port_open(x->ports[i].plan->ifname, &x->ports[i].fd, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static void engine_fini(struct engine *engine)
{
	wire_loop_fini(&engine->loop);
	wire_exchange_fini(&engine->exchange);
	pcapng_fini(&engine->capture);
	if (engine->control_fd >= 0)
		(void)close(engine->control_fd);
	engine->control_fd = -1;
}

static void engine_cleanup(struct engine *engine)
{
	engine_fini(engine);
}

static int engine_init(struct engine *engine, const struct wire_config *config,
		       struct wire_stats *stats, struct err *e)
{
	struct pcapng *capture = NULL;

	if (config->pcap_fd >= 0) {
		capture = &engine->capture;
		pcapng_init(capture, config->pcap_fd);
	}
	wire_exchange_init(&engine->exchange, config, stats, capture);
	int r = netns_run(config->netns_fd, open_ports, &engine->exchange, e);
	if (r < 0)
		return r;
	return wire_loop_init(&engine->loop, &engine->exchange, engine->control_fd, e);
}

/* Signals wait until the child has its own way with them: none may run a handler of natsim's
 * there. */
static int start(struct wire *wire, struct engine *engine, struct err *e)
{
	sigset_t all, before;
	pid_t parent = getpid();

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	wire->pid = fork();
	int code = -errno;
	if (wire->pid == 0)
		run(engine, parent);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (wire->pid < 0)
		return err_set(e, code, "start the wire");
	wire->pidfd = (int)syscall(SYS_pidfd_open, wire->pid, 0);
	if (wire->pidfd < 0)
		return err_set(e, -errno, "watch the wire");
	return 0;
}

static struct wire *wire_alloc(void)
{
	struct wire *wire = malloc(sizeof(*wire));

	assert(wire != NULL);
	*wire = (struct wire){ .pid = -1, .pidfd = -1, .control_fd = -1 };
	wire->stats = mmap(NULL, sizeof(*wire->stats), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(wire->stats != MAP_FAILED);
	return wire;
}

static void wire_cleanup(struct wire **wire)
{
	wire_free(*wire);
}

int wire_new(const struct wire_config *config, struct wire **ret, struct err *e)
{
	CLEANUP(wire) struct wire *wire = wire_alloc();
	CLEANUP(engine) struct engine engine = { .loop = WIRE_LOOP_NONE, .control_fd = -1 };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(e, -errno, "make the wire's control socket");
	wire->control_fd = ends[0];
	engine.control_fd = ends[1];
	int r = engine_init(&engine, config, wire->stats, e);
	if (r == 0)
		r = start(wire, &engine, e);
	if (r < 0)
		return r;
	*ret = steal_ptr(&wire);
	return 0;
}

pid_t wire_pid(const struct wire *wire)
{
	return wire->pid;
}

const struct wire_stats *wire_stats(const struct wire *wire)
{
	return wire->stats;
}

/* ---- asking it */

/* Waits until fd, a socket or a pidfd, can be read. */
static bool await(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&ready, 1, ANSWER_WAIT_MS);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

/* A wire that is gone has closed the socket. */
static int ask(struct wire *wire, struct wire_request request, struct err *e)
{
	char answer;
	ssize_t n = send(wire->control_fd, &request, sizeof(request), MSG_NOSIGNAL);

	if (n == (ssize_t)sizeof(request)) {
		if (!await(wire->control_fd))
			return err_set_plain(e, -ETIMEDOUT, "the wire does not answer");
		n = recv(wire->control_fd, &answer, sizeof(answer), 0);
	}
	if (n <= 0)
		return err_set_plain(e, -ECHILD, "the wire has ended while it was needed");
	return 0;
}

int wire_reseed(struct wire *wire, uint64_t seed, struct err *e)
{
	return ask(wire, (struct wire_request){ WIRE_RESEED, seed }, e);
}

int wire_faults(struct wire *wire, uint64_t *ret_faults, struct err *e)
{
	const struct wire_stats *s = wire->stats;
	int code = ask(wire, (struct wire_request){ WIRE_COUNT, 0 }, e);

	if (code == 0)
		*ret_faults = s->overruns + s->unreadable + s->send_errors;
	return code;
}

/* ---- ending it */

/* A shutdown is seen whoever else holds a copy of the socket. Returns how the process ended. */
static int stop(struct wire *wire)
{
	int status = -1;

	(void)shutdown(wire->control_fd, SHUT_RDWR);
	if (wire->pidfd < 0 || !await(wire->pidfd))
		(void)kill(wire->pid, SIGKILL);
	while (waitpid(wire->pid, &status, 0) < 0 && errno == EINTR)
		;
	wire->pid = -1;
	return status;
}

int wire_end(struct wire *wire, struct err *e)
{
	int status = stop(wire), failed = (int)wire->stats->capture_failed;

	if (failed != 0)
		return err_set(e, -failed, "write all that the wire saw");
	if (status != 0)
		return err_set_plain(e, -ECHILD, "the wire has ended before it had written all");
	return 0;
}

void wire_free(struct wire *wire)
{
	if (wire == NULL)
		return;
	if (wire->pid > 0)
		(void)stop(wire);
	if (wire->pidfd >= 0)
		(void)close(wire->pidfd);
	if (wire->control_fd >= 0)
		(void)close(wire->control_fd);
	(void)munmap(wire->stats, sizeof(*wire->stats));
	free(wire);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One epoll set holds every socket; the machine's timer is the timeout of the wait for it. Events
 * that an action causes at once (a socket that opened, or could not) wait in a queue until the step
 * that asked for them has been carried out whole, so a machine is never entered twice.
 */
#include "peers/loop.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "peers/core/trace.h"
#include "peers/sock.h"

#define READY_MAX    32
#define STREAM_MAX   2048 /* bytes of a stream in one event */
#define BACKLOG      64
#define RETRY_US     100000 /* to accept, where room may come from what others close */
#define READS_A_TURN 16     /* of one socket, so that a flood on one does not starve the others */

static_assert(STREAM_MAX <= TRACE_DATA_MAX, "a trace has room for what is read at once");

struct loop {
	machine_step_fn *step;
	void *state;
	struct sock_table socks;
	uint32_t next_accepted;
	struct event *queue; /* events without data, oldest first */
	size_t queue_count, queue_size;
	uint64_t wake_us;
	bool done;
	int status;
	struct actions actions;
};

uint64_t loop_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static int queue_event(struct loop *loop, const struct event *ev)
{
	if (loop->queue_count == loop->queue_size) {
		size_t size = loop->queue_size == 0 ? 16 : 2 * loop->queue_size;
		struct event *queue = realloc(loop->queue, size * sizeof(*queue));

		if (queue == NULL)
			return -ENOMEM;
		loop->queue = queue;
		loop->queue_size = size;
	}
	loop->queue[loop->queue_count++] = *ev;
	return 0;
}

static int queue_closed(struct loop *loop, uint32_t id, int error)
{
	return queue_event(loop,
			   &(struct event){ .kind = EVENT_CLOSED, .socket = id, .error = error });
}

/* Opens a UDP socket or a listener and queues what the machine is to know of it. */
static int do_open(struct loop *loop, const struct action *a)
{
	bool udp = a->kind == ACTION_UDP_OPEN;
	CLEANUP(fd) int fd = sock_bound(udp ? SOCK_DGRAM : SOCK_STREAM, a->local);

	if (fd < 0)
		return queue_closed(loop, a->socket, -fd);
	if (!udp && listen(fd, BACKLOG) < 0)
		return queue_closed(loop, a->socket, errno);
	const struct sock *s = sock_add(&loop->socks, udp ? SOCK_DATAGRAM : SOCK_LISTENER,
					a->socket, steal_fd(&fd));
	if (s == NULL)
		return queue_closed(loop, a->socket, ENOMEM);
	return queue_event(
		loop,
		&(struct event){ .kind = EVENT_OPENED, .socket = a->socket, .local = s->local });
}

static int do_connect(struct loop *loop, const struct action *a)
{
	struct sockaddr_in sa = sock_to_sockaddr(a->remote);
	CLEANUP(fd) int fd = sock_bound(SOCK_STREAM, a->local);

	if (fd < 0)
		return queue_closed(loop, a->socket, -fd);
	if (a->ttl != 0)
		sock_set_ttl(fd, a->ttl);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 && errno != EINPROGRESS)
		return queue_closed(loop, a->socket, errno);
	/* One that is connected already says so by EPOLLOUT too. */
	struct sock *s = sock_add(&loop->socks, SOCK_CONNECTING, a->socket, steal_fd(&fd));
	if (s == NULL)
		return queue_closed(loop, a->socket, ENOMEM);
	s->remote = a->remote;
	return 0;
}

/* What a machine sends is far smaller than any socket buffer: one that is full belongs to a peer
 * that does not read, and counts as broken. */
static int do_tcp_send(struct loop *loop, const struct action *a)
{
	struct sock *s = sock_find(&loop->socks, a->socket);

	if (s == NULL || s->kind != SOCK_CONNECTED)
		return 0;
	ssize_t sent = send(s->fd, loop->actions.bytes + a->at, a->len, MSG_NOSIGNAL);
	if (sent == (ssize_t)a->len)
		return 0;
	int error = sent < 0 ? errno : ENOBUFS;
	sock_remove(&loop->socks, s);
	return queue_closed(loop, a->socket, error);
}

/* A datagram that cannot be sent is a lost datagram. */
static void do_udp_send(struct loop *loop, const struct action *a)
{
	const struct sock *s = sock_find(&loop->socks, a->socket);

	if (s != NULL && s->kind == SOCK_DATAGRAM)
		sock_send_datagram(s->fd, a->remote, loop->actions.bytes + a->at, a->len, a->ttl);
}

static void do_close(struct loop *loop, const struct action *a)
{
	struct sock *s = sock_find(&loop->socks, a->socket);

	if (s == NULL)
		return;
	if (a->kind == ACTION_ABORT && s->kind == SOCK_CONNECTED) {
		struct linger now = { .l_onoff = 1, .l_linger = 0 };

		(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	sock_remove(&loop->socks, s);
}

static int do_action(struct loop *loop, const struct action *a)
{
	switch (a->kind) {
	case ACTION_UDP_OPEN:
	case ACTION_TCP_LISTEN:
		return do_open(loop, a);
	case ACTION_TCP_CONNECT:
		return do_connect(loop, a);
	case ACTION_TCP_SEND:
		return do_tcp_send(loop, a);
	case ACTION_UDP_SEND:
		do_udp_send(loop, a);
		return 0;
	case ACTION_CLOSE:
	case ACTION_ABORT:
		do_close(loop, a);
		return 0;
	case ACTION_DONE:
		loop->done = true;
		loop->status = a->status;
		return 0;
	}
	return 0;
}

/* One event into the machine, its actions carried out. */
static int step_once(struct loop *loop, const struct event *ev)
{
	loop->actions.count = 0;
	loop->actions.used = 0;
	loop->wake_us = loop->step(loop->state, loop_now_us(), ev, &loop->actions);
	for (size_t i = 0; i < loop->actions.count; i++) {
		int code = do_action(loop, &loop->actions.items[i]);

		if (code < 0)
			return code;
	}
	return 0;
}

/* The event and all that its actions cause at once. */
static int feed(struct loop *loop, const struct event *ev)
{
	int code = loop->done ? 0 : step_once(loop, ev);

	for (size_t i = 0; code == 0 && i < loop->queue_count && !loop->done; i++) {
		struct event next = loop->queue[i]; /* the queue may move while it is handled */

		code = step_once(loop, &next);
	}
	loop->queue_count = 0;
	return code;
}

/*
 * The readers below look their socket up by its tag again after each event, since feeding an event
 * may have closed it or moved the table.
 */

static int read_datagrams(struct loop *loop, uint64_t tag)
{
	uint8_t data[DATA_MAX];
	const struct sock *s;

	for (int i = 0; i < READS_A_TURN && (s = sock_by_tag(&loop->socks, tag)) != NULL; i++) {
		struct sockaddr_in sa;
		socklen_t sa_len = sizeof(sa);
		ssize_t len =
			recvfrom(s->fd, data, sizeof(data), 0, (struct sockaddr *)&sa, &sa_len);

		if (len < 0)
			return 0; /* nothing more, or an ICMP error about an earlier datagram */
		int code = feed(loop, &(struct event){ .kind = EVENT_DATAGRAM,
						       .socket = s->id,
						       .local = s->local,
						       .remote = sock_from_sockaddr(&sa),
						       .data = data,
						       .len = (size_t)len });
		if (code < 0)
			return code;
	}
	return 0;
}

/* As accept(2) says it. The connection stays in the backlog, and the listener ready. */
static bool out_of_room(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static int accept_one(struct loop *loop, const struct sock *listener)
{
	struct sockaddr_in sa;
	socklen_t sa_len = sizeof(sa);
	uint32_t listener_id = listener->id;
	int fd = accept4(listener->fd, (struct sockaddr *)&sa, &sa_len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (out_of_room(errno))
			sock_pause(&loop->socks, listener);
		return 0;
	}
	sock_set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	struct sock *s = sock_add(&loop->socks, SOCK_CONNECTED, loop->next_accepted, fd);
	if (s == NULL)
		return 0;
	loop->next_accepted++;
	s->remote = sock_from_sockaddr(&sa);
	return feed(loop, &(struct event){ .kind = EVENT_ACCEPTED,
					   .socket = s->id,
					   .listener = listener_id,
					   .local = s->local,
					   .remote = s->remote });
}

static int end_stream(struct loop *loop, struct sock *s, int error)
{
	uint32_t id = s->id;

	sock_remove(&loop->socks, s);
	return feed(loop, &(struct event){ .kind = EVENT_CLOSED, .socket = id, .error = error });
}

static int finish_connect(struct loop *loop, struct sock *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		sock_set_ttl(s->fd, SOCK_TTL_DEFAULT);
		error = -sock_set_connected(&loop->socks, s);
	}
	if (error != 0)
		return end_stream(loop, s, error);
	return feed(loop, &(struct event){ .kind = EVENT_CONNECTED,
					   .socket = s->id,
					   .local = s->local,
					   .remote = s->remote });
}

static int read_stream(struct loop *loop, uint64_t tag)
{
	uint8_t data[STREAM_MAX];
	struct sock *s;

	for (int i = 0; i < READS_A_TURN && (s = sock_by_tag(&loop->socks, tag)) != NULL; i++) {
		ssize_t len = recv(s->fd, data, sizeof(data), 0);

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (len <= 0)
			return end_stream(loop, s, len < 0 ? errno : 0);
		int code = feed(loop, &(struct event){ .kind = EVENT_DATA,
						       .socket = s->id,
						       .local = s->local,
						       .remote = s->remote,
						       .data = data,
						       .len = (size_t)len });
		if (code < 0)
			return code;
	}
	return 0;
}

static int handle_ready(struct loop *loop, uint64_t tag)
{
	struct sock *s = sock_by_tag(&loop->socks, tag);

	if (s == NULL)
		return 0; /* closed by what an earlier event of this turn led to */
	switch (s->kind) {
	case SOCK_DATAGRAM:
		return read_datagrams(loop, tag);
	case SOCK_LISTENER:
		return accept_one(loop, s);
	case SOCK_CONNECTING:
		return finish_connect(loop, s);
	case SOCK_CONNECTED:
		return read_stream(loop, tag);
	case SOCK_FREE:
		break;
	}
	return 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Waits until until_us (NEVER: for ever). epoll_wait counts in milliseconds and epoll_pwait2 came
 * only with Linux 5.11, so the waiting itself is ppoll's. */
static int wait_until(int epoll_fd, struct epoll_event ready[static READY_MAX], uint64_t now_us,
		      uint64_t until_us)
{
	uint64_t rest_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec timeout = { (time_t)(rest_us / 1000000u),
				    (long)(rest_us % 1000000u) * 1000 };
	struct pollfd fd = { .fd = epoll_fd, .events = POLLIN };
	int count = ppoll(&fd, 1, until_us == NEVER ? NULL : &timeout, NULL);

	return count <= 0 ? count : epoll_wait(epoll_fd, ready, READY_MAX, 0);
}

/* Waits for sockets or the machine's timer. Returns the number of ready sockets. */
static int wait_ready(struct loop *loop, struct epoll_event ready[static READY_MAX])
{
	bool paused = loop->socks.paused;
	uint64_t now_us = loop_now_us();
	uint64_t until_us = paused ? earlier(loop->wake_us, now_us + RETRY_US) : loop->wake_us;
	int count = wait_until(loop->socks.epoll_fd, ready, now_us, until_us);

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	if (count == 0 && paused)
		sock_resume(&loop->socks);
	return count;
}

static int run(struct loop *loop)
{
	int code = feed(loop, &(struct event){ .kind = EVENT_START });

	while (code == 0 && !loop->done) {
		struct epoll_event ready[READY_MAX];
		int count = wait_ready(loop, ready);

		if (count < 0)
			return count;
		for (int i = 0; code == 0 && i < count; i++)
			code = handle_ready(loop, ready[i].data.u64);
		if (code == 0 && !loop->done && loop->wake_us <= loop_now_us())
			code = feed(loop, &(struct event){ .kind = EVENT_TIMER });
	}
	return code;
}

int loop_run(machine_step_fn *step, void *state, int *ret_status, struct err *e)
{
	CLEANUP(free) struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return err_set(e, -ENOMEM, "run");
	loop->step = step;
	loop->state = state;
	loop->next_accepted = SOCKET_ACCEPTED;
	loop->wake_us = NEVER;
	int code = sock_table_init(&loop->socks);
	if (code < 0)
		return err_set(e, code, "make an epoll set");

	code = run(loop);
	sock_table_fini(&loop->socks);
	free(loop->queue);
	if (code < 0)
		return err_set(e, code, "wait for sockets");
	*ret_status = loop->status;
	return 0;
}

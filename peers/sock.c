// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int sock_table_init(struct sock_table *t)
{
	*t = (struct sock_table){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	return t->epoll_fd < 0 ? -errno : 0;
}

void sock_table_fini(struct sock_table *t)
{
	t->paused = false;
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].kind != SOCK_FREE)
			sock_remove(t, &t->items[i]);
	free(t->items);
	(void)close(t->epoll_fd);
	*t = (struct sock_table){ .epoll_fd = -1 };
}

struct sock *sock_find(struct sock_table *t, uint32_t id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].kind != SOCK_FREE && t->items[i].id == id)
			return &t->items[i];
	return NULL;
}

static struct sock *free_slot(struct sock_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].kind == SOCK_FREE)
			return &t->items[i];

	size_t count = t->count == 0 ? 16 : 2 * t->count;
	struct sock *items = realloc(t->items, count * sizeof(*items));

	if (items == NULL)
		return NULL;
	for (size_t i = t->count; i < count; i++)
		items[i] = (struct sock){ .kind = SOCK_FREE, .fd = -1 };
	struct sock *slot = &items[t->count];
	t->items = items;
	t->count = count;
	return slot;
}

static int watch_for(struct sock_table *t, const struct sock *s, uint32_t events, int op)
{
	struct epoll_event ee = { .events = events };

	ee.data.u64 = sock_tag(t, s);
	return epoll_ctl(t->epoll_fd, op, s->fd, &ee) < 0 ? -errno : 0;
}

static int watch(struct sock_table *t, const struct sock *s, int op)
{
	return watch_for(t, s, s->kind == SOCK_CONNECTING ? EPOLLOUT : EPOLLIN, op);
}

void sock_pause(struct sock_table *t, const struct sock *listener)
{
	(void)watch_for(t, listener, 0, EPOLL_CTL_MOD);
	t->paused = true;
}

void sock_resume(struct sock_table *t)
{
	for (size_t i = 0; t->paused && i < t->count; i++)
		if (t->items[i].kind == SOCK_LISTENER)
			(void)watch(t, &t->items[i], EPOLL_CTL_MOD);
	t->paused = false;
}

static struct endpoint local_endpoint(int fd)
{
	struct sockaddr_in sa = { 0 };
	socklen_t len = sizeof(sa);

	(void)getsockname(fd, (struct sockaddr *)&sa, &len);
	return sock_from_sockaddr(&sa);
}

struct sock *sock_add(struct sock_table *t, enum sock_kind kind, uint32_t id, int fd)
{
	struct sock *s = free_slot(t);

	if (s == NULL) {
		(void)close(fd);
		return NULL;
	}
	*s = (struct sock){ .kind = kind,
			    .id = id,
			    .fd = fd,
			    .generation = s->generation + 1,
			    .local = local_endpoint(fd) };
	if (watch(t, s, EPOLL_CTL_ADD) < 0) {
		sock_remove(t, s);
		return NULL;
	}
	return s;
}

void sock_remove(struct sock_table *t, struct sock *s)
{
	(void)close(s->fd);
	s->fd = -1;
	s->kind = SOCK_FREE;
	sock_resume(t);
}

int sock_set_connected(struct sock_table *t, struct sock *s)
{
	s->kind = SOCK_CONNECTED;
	s->local = local_endpoint(s->fd);
	return watch(t, s, EPOLL_CTL_MOD);
}

uint64_t sock_tag(const struct sock_table *t, const struct sock *s)
{
	return (uint64_t)(s - t->items) << 32 | s->generation;
}

struct sock *sock_by_tag(struct sock_table *t, uint64_t tag)
{
	struct sock *s = tag >> 32 < t->count ? &t->items[tag >> 32] : NULL;

	return s != NULL && s->kind != SOCK_FREE && s->generation == (uint32_t)tag ? s : NULL;
}

void sock_set_flag(int fd, int level, int name)
{
	int on = 1;

	(void)setsockopt(fd, level, name, &on, sizeof(on));
}

int sock_bound(int type, struct endpoint local)
{
	struct sockaddr_in sa = sock_to_sockaddr(local);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM) {
		sock_set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
		sock_set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
		sock_set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	}
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int code = -errno;

		(void)close(fd);
		return code;
	}
	return fd;
}

struct sockaddr_in sock_to_sockaddr(struct endpoint ep)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(ep.port),
				     .sin_addr.s_addr = htonl(ep.addr) };
}

struct endpoint sock_from_sockaddr(const struct sockaddr_in *sa)
{
	return (struct endpoint){ ntohl(sa->sin_addr.s_addr), ntohs(sa->sin_port) };
}

void sock_set_ttl(int fd, int ttl)
{
	(void)setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
}

void sock_send_datagram(int fd, struct endpoint to, const void *data, size_t len, uint8_t ttl)
{
	union {
		struct cmsghdr header; /* for its alignment */
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct sockaddr_in sa = sock_to_sockaddr(to);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr message = {
		.msg_name = &sa, .msg_namelen = sizeof(sa), .msg_iov = &iov, .msg_iovlen = 1
	};

	if (ttl != 0) {
		int value = ttl;

		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(value)),
						   .cmsg_level = IPPROTO_IP,
						   .cmsg_type = IP_TTL };
		memcpy(CMSG_DATA(&control.header), &value, sizeof(value));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	(void)sendmsg(fd, &message, 0);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that knows nothing of natsim, for the tests to put into a lab.
 *
 *	traffic serve COUNT READY PORT...
 *		On each port, over UDP and TCP, answers each text with "ADDRESS:PORT", where it came
 *		from, and prints "udp|tcp ADDRESS:PORT TO_ADDRESS TEXT" for each new one. Ends after
 *COUNT texts (0: never). Opens the FIFO READY for writing (-: none) once it listens. traffic send
 *udp|tcp LOCAL_PORT COUNT ADDRESS PORT Sends a text from each of COUNT ports and waits for the
 *answers, holding all of them open; prints "LOCAL_PORT ANSWER" for each. traffic meet a|b PORT
 *ADDRESS_A ADDRESS_B Two of these send to each other from and to PORT until each knows that the
 *other heard it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS_MAX 256
#define TEXT_SIZE   64
#define LIMIT_MS    20000u
#define RESEND_MS   100

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static long number(const char *text)
{
	return strtol(text, NULL, 10);
}

static struct sockaddr_in address(const char *addr, long port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (addr != NULL && inet_pton(AF_INET, addr, &sa.sin_addr) != 1)
		die(addr);
	return sa;
}

static int bound(int type, long port)
{
	struct sockaddr_in sa = address(NULL, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die("bind");
	return fd;
}

/* ---- serve */

struct server {
	struct pollfd fds[SOCKETS_MAX];
	bool tcp[SOCKETS_MAX];
	int listeners, count;
	char seen[4 * SOCKETS_MAX][TEXT_SIZE * 3];
	int seen_count;
};

static void add(struct server *s, int fd, bool tcp)
{
	if (s->count == SOCKETS_MAX) {
		(void)fputs("too many sockets\n", stderr);
		exit(1);
	}
	s->tcp[s->count] = tcp;
	s->fds[s->count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* A text that was sent again, because the answer was slow, is no new one. */
static bool is_new(struct server *s, const char *line)
{
	for (int i = 0; i < s->seen_count; i++)
		if (strcmp(s->seen[i], line) == 0)
			return false;
	if (s->seen_count < 4 * SOCKETS_MAX)
		(void)snprintf(s->seen[s->seen_count++], sizeof(s->seen[0]), "%s", line);
	return true;
}

/* A text and where it came from; and, in control, by which of our addresses. */
struct question {
	char text[TEXT_SIZE];
	struct sockaddr_in from, to;
	struct iovec part;
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct msghdr message;
};

static bool receive(int fd, bool tcp, struct question *q)
{
	socklen_t from_len = sizeof(q->from), to_len = sizeof(q->to);

	q->part = (struct iovec){ q->text, sizeof(q->text) - 1 };
	q->message = (struct msghdr){ .msg_name = tcp ? NULL : &q->from,
				      .msg_namelen = tcp ? 0 : sizeof(q->from),
				      .msg_iov = &q->part,
				      .msg_iovlen = 1,
				      .msg_control = q->control,
				      .msg_controllen = sizeof(q->control) };
	ssize_t len = recvmsg(fd, &q->message, 0);
	if (len <= 0)
		return false;
	q->text[len] = '\0';
	if (tcp)
		return getpeername(fd, (struct sockaddr *)&q->from, &from_len) == 0 &&
		       getsockname(fd, (struct sockaddr *)&q->to, &to_len) == 0;
	const struct cmsghdr *info = CMSG_FIRSTHDR(&q->message);
	if (info == NULL || info->cmsg_type != IP_PKTINFO)
		return false;
	struct in_pktinfo pktinfo;
	memcpy(&pktinfo, CMSG_DATA(info), sizeof(pktinfo));
	q->to.sin_addr = pktinfo.ipi_addr;
	return true;
}

static void answer(struct server *s, int i)
{
	struct question q;
	char addr[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN], reply[TEXT_SIZE], line[TEXT_SIZE * 3];

	if (!receive(s->fds[i].fd, s->tcp[i], &q)) {
		s->fds[i].fd = -1; /* kept open: the router is to see it so */
		return;
	}
	(void)inet_ntop(AF_INET, &q.from.sin_addr, addr, sizeof(addr));
	(void)snprintf(reply, sizeof(reply), "%s:%u", addr, ntohs(q.from.sin_port));
	q.part = (struct iovec){ reply, strlen(reply) };
	(void)sendmsg(s->fds[i].fd, &q.message, MSG_NOSIGNAL);
	(void)inet_ntop(AF_INET, &q.to.sin_addr, to, sizeof(to));
	(void)snprintf(line, sizeof(line), "%s %s %s %s", s->tcp[i] ? "tcp" : "udp", reply, to,
		       q.text);
	if (is_new(s, line))
		(void)puts(line);
}

static int serve(int argc, char **argv)
{
	static struct server s;
	long wanted = number(argv[0]);
	int on = 1;

	for (int i = 2; i < argc; i++) {
		int fd = bound(SOCK_STREAM, number(argv[i]));

		if (listen(fd, SOCKETS_MAX) < 0)
			die("listen");
		add(&s, fd, true);
		fd = bound(SOCK_DGRAM, number(argv[i]));
		if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
			die("IP_PKTINFO");
		add(&s, fd, false);
	}
	s.listeners = s.count;
	if (strcmp(argv[1], "-") != 0) {
		int ready = open(argv[1], O_WRONLY | O_CLOEXEC); /* waits for a reader */

		if (ready < 0)
			die(argv[1]);
		(void)close(ready);
	}
	while (wanted == 0 || s.seen_count < wanted) {
		if (poll(s.fds, (nfds_t)s.count, -1) < 0)
			die("poll");
		for (int i = 0, count = s.count; i < count; i++) {
			if (s.fds[i].revents == 0)
				continue;
			if (i < s.listeners && s.tcp[i])
				add(&s, accept4(s.fds[i].fd, NULL, NULL, SOCK_CLOEXEC), true);
			else
				answer(&s, i);
		}
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- send */

static int opened(bool tcp, long local_port, const struct sockaddr_in *to)
{
	int fd = bound(tcp ? SOCK_STREAM : SOCK_DGRAM, local_port);

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	return fd;
}

static void ask(int fd, long local_port)
{
	uint64_t deadline_ms = now_ms() + LIMIT_MS;
	char text[TEXT_SIZE], reply[TEXT_SIZE];
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	(void)snprintf(text, sizeof(text), "%ld", local_port);
	while (now_ms() < deadline_ms) {
		(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
		if (poll(&poll_fd, 1, RESEND_MS) <= 0)
			continue;
		ssize_t len = recv(fd, reply, sizeof(reply) - 1, 0);
		if (len <= 0)
			continue;
		reply[len] = '\0';
		(void)printf("%ld %s\n", local_port, reply);
		return;
	}
	(void)fprintf(stderr, "no answer to port %ld\n", local_port);
	exit(1);
}

static int send_all(char **argv)
{
	bool tcp = strcmp(argv[0], "tcp") == 0;
	long first = number(argv[1]), count = number(argv[2]);
	struct sockaddr_in to = address(argv[3], number(argv[4]));

	for (long i = 0; i < count; i++)
		ask(opened(tcp, first + i, &to), first + i);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- meet */

/* A datagram says whether its sender has heard the other. Once both have, some more are sent, so
 * that the last one is not the one that gets lost. */
static int meet(char **argv)
{
	bool is_a = strcmp(argv[0], "a") == 0;
	struct sockaddr_in to = address(argv[is_a ? 3 : 2], number(argv[1]));
	uint64_t deadline_ms = now_ms() + 2000;
	int fd = bound(SOCK_DGRAM, number(argv[1])), more = 3;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char heard = 'n', other_heard = 'n';

	while (now_ms() < deadline_ms && more > 0) {
		(void)sendto(fd, &heard, 1, 0, (struct sockaddr *)&to, sizeof(to));
		if (poll(&poll_fd, 1, 20) > 0 && recv(fd, &other_heard, 1, 0) == 1)
			heard = 'y';
		more -= heard == 'y' && other_heard == 'y';
	}
	return more == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "serve") == 0)
		return serve(argc - 2, argv + 2);
	if (argc == 7 && strcmp(argv[1], "send") == 0)
		return send_all(argv + 2);
	if (argc == 6 && strcmp(argv[1], "meet") == 0)
		return meet(argv + 2);
	(void)fputs("usage: see traffic.c\n", stderr);
	return 2;
}

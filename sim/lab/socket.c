// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/process.h"

struct opening {
	int type, protocol, fd;
};

static int open_socket(void *arg, struct err *e)
{
	struct opening *o = arg;

	o->fd = socket(AF_INET, o->type | SOCK_CLOEXEC | SOCK_NONBLOCK, o->protocol);
	return o->fd >= 0 ? 0 : err_set(e, -errno, "open a socket");
}

static struct sockaddr_in sockaddr_of(struct endpoint ep)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(ep.port),
				     .sin_addr.s_addr = htonl(ep.addr) };
}

static struct endpoint endpoint_of(const struct sockaddr_in *sa)
{
	return (struct endpoint){ ntohl(sa->sin_addr.s_addr), ntohs(sa->sin_port) };
}

int socket_in(int netns_fd, int type, int protocol, struct endpoint local, int *ret_fd,
	      struct err *e)
{
	struct opening o = { type, protocol, -1 };
	struct sockaddr_in sa = sockaddr_of(local);
	int on = 1, rc = netns_run(netns_fd, open_socket, &o, e);
	CLEANUP(fd) int fd = o.fd;

	if (rc < 0)
		return rc;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!endpoint_is_none(local) && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(e, -errno, "bind a socket");
	*ret_fd = steal_fd(&fd);
	return 0;
}

struct endpoint socket_local(int fd)
{
	struct sockaddr_in sa = { 0 };
	socklen_t len = sizeof(sa);

	(void)getsockname(fd, (struct sockaddr *)&sa, &len);
	return endpoint_of(&sa);
}

struct endpoint socket_remote(int fd)
{
	struct sockaddr_in sa = { 0 };
	socklen_t len = sizeof(sa);

	if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0)
		return (struct endpoint){ 0, 0 };
	return endpoint_of(&sa);
}

int socket_connect(int fd, struct endpoint to)
{
	struct sockaddr_in sa = sockaddr_of(to);

	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

int socket_send(int fd, const void *data, size_t len, struct endpoint to)
{
	struct sockaddr_in sa = sockaddr_of(to);
	bool connected = endpoint_is_none(to);
	ssize_t n = sendto(fd, data, len, MSG_NOSIGNAL, connected ? NULL : (struct sockaddr *)&sa,
			   connected ? 0 : sizeof(sa));

	return n < 0 ? -errno : (int)n;
}

int socket_receive(int fd, void *data, size_t len, struct endpoint *ret_from)
{
	struct sockaddr_in sa = { 0 };
	socklen_t sa_len = sizeof(sa);
	ssize_t n = recvfrom(fd, data, len, 0, (struct sockaddr *)&sa, &sa_len);

	if (n >= 0 && ret_from != NULL)
		*ret_from = endpoint_of(&sa);
	return n < 0 ? -errno : (int)n;
}

bool socket_await(int fd, short events, uint64_t until_us)
{
	struct pollfd ready = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now_us = process_now_us();
		int left_ms = now_us >= until_us ? 0 : (int)((until_us - now_us + 999) / 1000);
		int n = poll(&ready, 1, left_ms);

		if (n > 0)
			return true;
		if (left_ms == 0)
			return false;
	}
}

void socket_set_fragments(int fd, bool may)
{
	int discover = may ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO;

	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
}

int socket_set_link_mtu(int fd, const char *ifname, uint32_t mtu_bytes, struct err *e)
{
	struct ifreq request = { .ifr_mtu = (int)mtu_bytes };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCSIFMTU, &request) < 0)
		return err_set(e, -errno, "set the MTU of %s to %u", ifname, mtu_bytes);
	return 0;
}

void socket_watch_icmp(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

bool socket_take_icmp(int fd)
{
	char control[512], data[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		struct sock_extended_err ee;

		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		if (ee.ee_origin == SO_EE_ORIGIN_ICMP)
			return true;
	}
	return false;
}

int socket_take_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? -errno : -error;
}

/* What tcp(7) has for moving a connection to another machine tells where it is. */
bool socket_awaited_sequence(int fd, uint32_t *ret)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP, queue = TCP_RECV_QUEUE;
	socklen_t len = sizeof(*ret);

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		return false;
	bool told = setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) == 0 &&
		    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, ret, &len) == 0;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
	return told;
}

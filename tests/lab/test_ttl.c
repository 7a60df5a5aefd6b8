// SPDX-License-Identifier: GPL-2.0-or-later
/* The TTL that a machine asks for is that of the packet, over real sockets. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "peers/loop.h"
#include "peers/sock.h"
#include "tests/lab/inside.h"

#define LOOPBACK 0x7f000001u
#define LOW_TTL  5

static int receiver(struct endpoint *ret_at)
{
	const int on = 1;
	socklen_t len = sizeof(struct sockaddr_in);
	struct sockaddr_in sa;
	int fd = sock_bound(SOCK_DGRAM, (struct endpoint){ LOOPBACK, 0 });

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*ret_at = sock_from_sockaddr(&sa);
	return fd;
}

static int received_ttl(int fd)
{
	char data[16], control[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int ttl = -1;

	assert_int_equal(poll(&ready, 1, SOON_US / 1000), 1);
	assert_true(recvmsg(fd, &message, 0) > 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	return ttl;
}

/* Sends with a low TTL, then without one, and is done. */
static uint64_t send_two(void *state, uint64_t now_us, const struct event *ev, struct actions *out)
{
	const struct endpoint *to = state;

	(void)now_us;
	if (ev->kind == EVENT_START) {
		act_udp_open(out, 1, (struct endpoint){ LOOPBACK, 0 });
		act_udp_send(out, 1, *to, "x", 1);
		act_set_ttl(out, LOW_TTL);
		act_udp_send(out, 1, *to, "x", 1);
		act_done(out, 0);
	}
	return NEVER;
}

static void a_datagram_has_its_own_ttl_and_the_next_the_systems(void **state)
{
	struct endpoint to = { 0, 0 };
	CLEANUP(fd) int fd = receiver(&to);
	struct err e = { .text = "" };
	int status = -1;

	(void)state;
	assert_int_equal(loop_run(send_two, &to, &status, &e), 0);
	assert_int_equal(status, 0);
	assert_int_equal(received_ttl(fd), LOW_TTL);
	assert_true(received_ttl(fd) > LOW_TTL);
}

struct connecting {
	struct endpoint to;
	uint8_t ttl;
	bool connected;
};

/* Connects, and is done when that has come through, or after a time. */
static uint64_t connect_once(void *state, uint64_t now_us, const struct event *ev,
			     struct actions *out)
{
	struct connecting *c = state;

	if (ev->kind == EVENT_START) {
		act_tcp_connect(out, 1, (struct endpoint){ LOOPBACK, 0 }, c->to);
		if (c->ttl != 0)
			act_set_ttl(out, c->ttl);
		return now_us + 300000;
	}
	c->connected = ev->kind == EVENT_CONNECTED;
	act_done(out, 0);
	return NEVER;
}

/* A listener that takes nothing from further away than it is (RFC 5082). */
static void a_syn_has_its_own_ttl(void **state)
{
	const int least = LOW_TTL + 1;
	socklen_t len = sizeof(struct sockaddr_in);
	struct sockaddr_in sa;
	struct err e = { .text = "" };
	int status = -1;
	CLEANUP(fd) int fd = sock_bound(SOCK_STREAM, (struct endpoint){ LOOPBACK, 0 });

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MINTTL, &least, sizeof(least)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	for (int i = 0; i < 2; i++) {
		struct connecting c = { .to = sock_from_sockaddr(&sa),
					.ttl = i == 0 ? LOW_TTL : 0 };

		assert_int_equal(loop_run(connect_once, &c, &status, &e), 0);
		assert_int_equal(c.connected, i == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_has_its_own_ttl_and_the_next_the_systems),
		cmocka_unit_test(a_syn_has_its_own_ttl),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

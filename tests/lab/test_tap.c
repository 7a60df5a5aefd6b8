// SPDX-License-Identifier: GPL-2.0-or-later
/* Two namespaces and a veth between them: near 10.0.0.1, far 10.0.0.2. The tap is in far. */
#include "tests/lab/inside.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/rtnl.h"
#include "sim/lab/tap.h"

#define NEAR 0x0a000001u
#define FAR  0x0a000002u

struct pair {
	int fds[2]; /* near, far */
	int tap;
};

/* One end of the veth, given its address and set up. */
struct end {
	const char *ifname;
	uint32_t addr;
};

static int set_up_end(void *arg, struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	const struct end *end = arg;

	int rc = rtnl_open(&nl, e);
	if (rc == 0)
		rc = rtnl_address_add(&nl, end->ifname, (struct prefix){ end->addr, 24 }, e);
	if (rc == 0)
		rc = rtnl_link_up(&nl, end->ifname, e);
	return rc == 0 ? rtnl_link_up(&nl, "lo", e) : rc;
}

/* What is sent before the kernel's link watch has opened a link is lost. */
static int await_link(void *arg, struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	const char *ifname = arg;
	uint64_t deadline_us = soon_us();
	bool carries = false;
	int rc = rtnl_open(&nl, e);

	while (rc == 0 && !carries && process_now_us() < deadline_us)
		rc = rtnl_link_carries(&nl, ifname, &carries, e);
	return rc == 0 && !carries ? err_set(e, -ETIMEDOUT, "wait for %s", ifname) : rc;
}

static int set_up(void **state)
{
	static struct pair pair;
	struct err e;
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	struct end near = { "near", NEAR }, far = { "far", FAR };

	*state = &pair;
	ASSERT_OK(netns_new(&pair.fds[0], &e));
	ASSERT_OK(netns_new(&pair.fds[1], &e));
	ASSERT_OK(rtnl_open(&nl, &e));
	ASSERT_OK(rtnl_veth_new(&nl,
				&(struct rtnl_veth){ .ifname = "near",
						     .peer_ifname = "far",
						     .netns_fd = pair.fds[0],
						     .peer_netns_fd = pair.fds[1],
						     .mac = { 2, 0, 0, 0, 0, 1 },
						     .peer_mac = { 2, 0, 0, 0, 0, 2 } },
				&e));
	ASSERT_OK(netns_run(pair.fds[0], set_up_end, &near, &e));
	ASSERT_OK(netns_run(pair.fds[1], set_up_end, &far, &e));
	ASSERT_OK(netns_run(pair.fds[0], await_link, (void *)(uintptr_t)near.ifname, &e));
	ASSERT_OK(netns_run(pair.fds[1], await_link, (void *)(uintptr_t)far.ifname, &e));
	ASSERT_OK(tap_open(pair.fds[1], &pair.tap, &e));
	return 0;
}

static int tear_down(void **state)
{
	const struct pair *pair = *state;

	tap_close(pair->tap);
	(void)close(pair->fds[0]);
	(void)close(pair->fds[1]);
	return 0;
}

/* A socket made in a namespace. */
struct wanted {
	int type;
	struct endpoint local;
	int fd;
};

static struct sockaddr_in address(struct endpoint ep)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(ep.port) };

	addr.sin_addr.s_addr = htonl(ep.addr);
	return addr;
}

static int open_socket(void *arg, struct err *e)
{
	struct wanted *wanted = arg;
	struct sockaddr_in local = address(wanted->local);
	int fd = socket(AF_INET, wanted->type | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
		return err_set(e, -errno, "open a socket");
	wanted->fd = fd;
	return 0;
}

static int socket_in(int netns_fd, int type, uint32_t addr, uint16_t port)
{
	struct err e;
	struct wanted wanted = { type, { addr, port }, -1 };

	ASSERT_OK(netns_run(netns_fd, open_socket, &wanted, &e));
	return wanted.fd;
}

static void send_udp(int fd, uint32_t addr, uint16_t port, const void *data, size_t len)
{
	struct sockaddr_in to = address((struct endpoint){ addr, port });

	assert_int_equal(sendto(fd, data, len, 0, (const struct sockaddr *)&to, sizeof(to)), len);
}

/* Waits for what comes next. */
static void receive(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char text[64];

	assert_int_equal(poll(&readable, 1, SOON_US / 1000), 1);
	assert_true(recv(fd, text, sizeof(text), 0) >= 0);
}

static void a_datagram_is_seen_whole(void **state)
{
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_DGRAM, NEAR, 5000);
	int far = socket_in(pair->fds[1], SOCK_DGRAM, FAR, 6000);
	struct delivery packet;
	struct timespec now;

	assert_false(tap_read(pair->tap, &packet));
	send_udp(near, FAR, 6000, "nonce", 5);
	receive(far);
	assert_true(tap_read(pair->tap, &packet));
	assert_int_equal(packet.protocol, IPPROTO_UDP);
	assert_true(endpoint_equal(packet.from, (struct endpoint){ NEAR, 5000 }));
	assert_true(endpoint_equal(packet.to, (struct endpoint){ FAR, 6000 }));
	assert_int_equal(packet.payload_bytes, 5);
	assert_int_equal(packet.len, 5);
	assert_memory_equal(packet.payload, "nonce", 5);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	uint64_t now_us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
	assert_in_range(packet.time_us, now_us - SOON_US, now_us);
	assert_false(tap_read(pair->tap, &packet));
	(void)close(near);
	(void)close(far);
}

static void of_a_long_datagram_the_start_is_kept(void **state)
{
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_DGRAM, NEAR, 5000);
	int far = socket_in(pair->fds[1], SOCK_DGRAM, FAR, 6000);
	struct delivery packet;
	uint8_t data[1000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	send_udp(near, FAR, 6000, data, sizeof(data));
	send_udp(near, FAR, 6000, data, DELIVERY_PAYLOAD_MAX);
	receive(far);
	receive(far);
	for (int i = 0; i < 2; i++) {
		assert_true(tap_read(pair->tap, &packet));
		assert_int_equal(packet.payload_bytes,
				 i == 0 ? sizeof(data) : DELIVERY_PAYLOAD_MAX);
		assert_int_equal(packet.len, DELIVERY_PAYLOAD_MAX);
		assert_memory_equal(packet.payload, data, DELIVERY_PAYLOAD_MAX);
	}
	(void)close(near);
	(void)close(far);
}

/* Each of these reaches its socket, or the kernel, but is no evidence. A last one that is shows
 * that they have come and gone. */
static void what_is_no_evidence_is_not_seen(void **state)
{
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_DGRAM, NEAR, 5000);
	int far = socket_in(pair->fds[1], SOCK_DGRAM, 0, 6000);
	struct delivery packet;

	send_udp(near, FAR, 6000, "", 0);
	send_udp(near, 0x0a0000ff, 6000, "broadcast", 9);
	send_udp(far, NEAR, 5000, "outgoing", 8);
	send_udp(far, 0x7f000001, 6000, "loopback", 8);
	send_udp(far, FAR, 6000, "to itself", 9);
	for (int i = 0; i < 4; i++)
		receive(far);
	send_udp(near, FAR, 6000, "seen", 4);
	receive(far);
	assert_true(tap_read(pair->tap, &packet));
	assert_int_equal(packet.len, 4);
	assert_memory_equal(packet.payload, "seen", 4);
	assert_false(tap_read(pair->tap, &packet));
	(void)close(near);
	(void)close(far);
}

static void fragments_are_seen_once(void **state)
{
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_DGRAM, NEAR, 5000);
	int far = socket_in(pair->fds[1], SOCK_DGRAM, FAR, 6000);
	struct delivery packet;
	uint8_t data[4000] = { 1 };

	send_udp(near, FAR, 6000, data, sizeof(data));
	receive(far);
	assert_true(tap_read(pair->tap, &packet));
	assert_int_equal(packet.payload[0], 1);
	assert_false(tap_read(pair->tap, &packet));
	(void)close(near);
	(void)close(far);
}

static void of_a_tcp_connection_only_payload_is_seen(void **state)
{
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_STREAM, NEAR, 5000);
	int listener = socket_in(pair->fds[1], SOCK_STREAM, FAR, 6000);
	struct sockaddr_in to = address((struct endpoint){ FAR, 6000 });
	struct delivery packet;

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(near, (const struct sockaddr *)&to, sizeof(to)), 0);
	int far = accept(listener, NULL, NULL);
	assert_true(far >= 0);
	assert_int_equal(send(far, "answer first", 12, 0), 12);
	receive(near);
	assert_false(tap_read(pair->tap, &packet));
	assert_int_equal(send(near, "nonce", 5, 0), 5);
	receive(far);
	assert_true(tap_read(pair->tap, &packet));
	assert_int_equal(packet.protocol, IPPROTO_TCP);
	assert_true(endpoint_equal(packet.from, (struct endpoint){ NEAR, 5000 }));
	assert_true(endpoint_equal(packet.to, (struct endpoint){ FAR, 6000 }));
	assert_int_equal(packet.payload_bytes, 5);
	assert_memory_equal(packet.payload, "nonce", 5);
	(void)close(near);
	assert_int_equal(recv(far, &packet, 1, 0), 0);
	assert_false(tap_read(pair->tap, &packet));
	(void)close(far);
	(void)close(listener);
}

/* The sender is another process, on another core if there is one, so that a tap behind the host's
 * own programs would be caught now and then. */
static void the_tap_has_it_before_the_host(void **state)
{
	enum { COUNT = 3000 };
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_DGRAM, NEAR, 5000);
	int far = socket_in(pair->fds[1], SOCK_DGRAM, FAR, 6000);
	struct delivery packet;
	uint64_t until_us = soon_us();
	int status = -1;

	pid_t sender = fork();
	for (int i = 0; sender == 0 && i < COUNT; i++) {
		send_udp(near, FAR, 6000, "x", 1);
		receive(near);
	}
	if (sender == 0)
		_exit(0);
	for (int i = 0; i < COUNT; i++) {
		char byte;

		/* A receiver that was asleep would give a late tap the time to catch up. */
		while (recv(far, &byte, 1, MSG_DONTWAIT) < 0)
			assert_true(process_now_us() < until_us);
		assert_true(tap_read(pair->tap, &packet));
		send_udp(far, NEAR, 5000, "x", 1);
	}
	assert_int_equal(waitpid(sender, &status, 0), sender);
	assert_int_equal(status, 0);
	(void)close(near);
	(void)close(far);
}

static unsigned count_seen(int tap)
{
	struct delivery packet;
	unsigned seen = 0;

	while (tap_read(tap, &packet))
		seen++;
	return seen;
}

static void a_tap_says_how_much_it_has_missed(void **state)
{
	const struct pair *pair = *state;
	int near = socket_in(pair->fds[0], SOCK_DGRAM, NEAR, 5000), bytes = 1;
	unsigned seen = 0, missed = 0;

	/* Once ARP has its answer nothing waits for it any more. */
	send_udp(near, FAR, 6000, "x", 1);
	ASSERT_SOON(count_seen(pair->tap) == 1);
	assert_int_equal(setsockopt(pair->tap, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
	for (int i = 0; i < 50; i++)
		send_udp(near, FAR, 6000, "x", 1);
	ASSERT_SOON((missed += tap_missed(pair->tap)) > 0);
	ASSERT_SOON((seen += count_seen(pair->tap), missed += tap_missed(pair->tap),
		     seen + missed == 50));
	assert_in_range(seen, 1, 49);
	(void)close(near);
}

static void tap_close_leaves_no_descriptor(void **state)
{
	struct err e;
	const struct pair *pair = *state;
	unsigned before = count_fds();
	int tap = -1;

	for (int i = 0; i < 5; i++) {
		ASSERT_OK(tap_open(pair->fds[1], &tap, &e));
		tap_close(tap);
	}
	tap_close(-1);
	/* Those of the tests before may be among them. */
	ASSERT_SOON(count_fds() <= before);
	assert_int_equal(tap_open(STDERR_FILENO, &tap, &e), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_datagram_is_seen_whole),
		TEST(of_a_long_datagram_the_start_is_kept),
		TEST(what_is_no_evidence_is_not_seen),
		TEST(fragments_are_seen_once),
		TEST(of_a_tcp_connection_only_payload_is_seen),
		TEST(the_tap_has_it_before_the_host),
		TEST(a_tap_says_how_much_it_has_missed),
		TEST(tap_close_leaves_no_descriptor),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

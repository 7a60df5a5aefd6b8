// SPDX-License-Identifier: GPL-2.0-or-later
/* What the wire does to packets as a router, and how its process lives and dies. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>

#include <cmocka.h>

#include "tests/wire_lab.h"
#include "lib/ipv4.h"

#define PORT 9000

static int set_up(void **state)
{
	struct wire_lab *lab = malloc(sizeof(*lab));

	assert_non_null(lab);
	wire_lab_init(lab);
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	wire_lab_fini(*state);
	free(*state);
	return 0;
}

/* Sends a datagram; it must arrive, and its TTL there is returned. */
static int send_and_get_ttl(int out, int in)
{
	char data[32] = { 0 }, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int on = 1, ttl = 0;

	assert_return_code(setsockopt(in, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)), errno);
	assert_int_equal(send(out, "hello", 6, 0), 6);
	assert_true(await_readable(in, soon_us()));
	assert_int_equal(recvmsg(in, &m, 0), 6);
	assert_string_equal(data, "hello");
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	assert_non_null(c);
	assert_int_equal(c->cmsg_type, IP_TTL);
	memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	return ttl;
}

/* ---- forwarding */

static void wire_forwards_between_every_two_sites(void **state)
{
	struct wire_lab *lab = *state;

	wire_lab_start(lab, 1, -1);
	for (unsigned from = 0; from < SITES; from++)
		for (unsigned to = 0; to < SITES; to++) {
			if (from == to)
				continue;
			int in = site_socket(lab, to, SOCK_DGRAM, PORT);
			int out = site_sender(lab, from, site_addr(to), PORT);

			assert_int_equal(send_and_get_ttl(out, in), 63);
			(void)close(out);
			(void)close(in);
		}
	assert_true(wire_lab_settles(wire_stats(lab->wire)));
	assert_int_equal(wire_stats(lab->wire)->delivered, SITES * (SITES - 1));
}

static void wire_takes_the_hops_of_both_links_off_the_ttl(void **state)
{
	struct wire_lab *lab = *state;
	struct link_profile five = { .hops = 5 }, three = { .hops = 3 };

	lab->links[0] = &five;
	lab->links[1] = &three;
	wire_lab_start(lab, 1, -1);
	int in1 = site_socket(lab, 1, SOCK_DGRAM, PORT),
	    in2 = site_socket(lab, 2, SOCK_DGRAM, PORT);
	int to1 = site_sender(lab, 0, site_addr(1), PORT);
	int to2 = site_sender(lab, 0, site_addr(2), PORT);
	assert_int_equal(send_and_get_ttl(to1, in1), 64 - 5 - 3 + 1);
	assert_int_equal(send_and_get_ttl(to2, in2), 64 - 5);
	(void)close(in1);
	(void)close(in2);
	(void)close(to1);
	(void)close(to2);
}

/* Reads an ICMP message, and the header and ports of the packet it is about. */
static void read_icmp_error(int fd, uint8_t ret[static 128], struct ipv4_header *ret_outer,
			    struct ipv4_header *ret_quoted)
{
	assert_true(await_readable(fd, soon_us()));
	ssize_t n = recv(fd, ret, 128, 0);
	assert_true(n >= 20 + 8 + 20 + 8);
	assert_true(ipv4_read(ret, (size_t)n, ret_outer));
	assert_int_equal(ipv4_checksum(ret + 20, (size_t)n - 20), 0);
	/* The quote is cut short, which ipv4_read refuses: it gets zeroes to fill it up. */
	uint8_t quoted[128] = { 0 };
	memcpy(quoted, ret + 28, (size_t)n - 28);
	assert_true(ipv4_read(quoted, sizeof(quoted), ret_quoted));
}

static void wire_answers_an_expired_ttl_as_the_gateway(void **state)
{
	struct wire_lab *lab = *state;
	struct link_profile four = { .hops = 4 };
	struct ipv4_header outer, quoted;
	uint8_t message[128];

	lab->links[0] = &four;
	wire_lab_start(lab, 1, -1);
	int icmp = site_socket(lab, 0, SOCK_RAW, 0), in = site_socket(lab, 1, SOCK_DGRAM, PORT);
	int out = site_sender(lab, 0, site_addr(1), PORT), ttl = 4;
	assert_return_code(setsockopt(out, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), errno);
	assert_int_equal(send(out, "late", 4, 0), 4);
	read_icmp_error(icmp, message, &outer, &quoted);
	assert_int_equal(outer.from, gateway_addr(0));
	assert_int_equal(outer.to, site_addr(0));
	assert_int_equal(message[20], ICMP_TIME_EXCEEDED);
	assert_int_equal(message[21], ICMP_EXC_TTL);
	assert_int_equal(quoted.from, site_addr(0));
	assert_int_equal(quoted.to, site_addr(1));
	assert_int_equal(quoted.ttl, 4);
	assert_int_equal(message[20 + 8 + 20 + 2] << 8 | message[20 + 8 + 20 + 3], PORT);

	/* One more, and it arrives: nothing else was in the way. */
	ttl = 5;
	assert_return_code(setsockopt(out, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), errno);
	assert_int_equal(send_and_get_ttl(out, in), 1);
	assert_int_equal(wire_stats(lab->wire)->ttl_expired, 1);
	assert_true(wire_lab_settles(wire_stats(lab->wire)));
	(void)close(icmp);
	(void)close(in);
	(void)close(out);
}

static void wire_answers_a_destination_without_route(void **state)
{
	struct wire_lab *lab = *state;
	struct ipv4_header outer, quoted;
	uint8_t message[128];

	wire_lab_start(lab, 1, -1);
	int icmp = site_socket(lab, 0, SOCK_RAW, 0);
	int out = site_sender(lab, 0, 192u << 24 | 2u << 8 | 1u, PORT);
	assert_int_equal(send(out, "where", 5, 0), 5);
	read_icmp_error(icmp, message, &outer, &quoted);
	assert_int_equal(outer.from, gateway_addr(0));
	assert_int_equal(message[20], ICMP_DEST_UNREACH);
	assert_int_equal(message[21], ICMP_NET_UNREACH);
	assert_int_equal(quoted.to, 192u << 24 | 2u << 8 | 1u);
	assert_int_equal(wire_stats(lab->wire)->unroutable, 1);
	assert_true(wire_lab_settles(wire_stats(lab->wire)));
	(void)close(icmp);
	(void)close(out);
}

/* Sends an echo request and returns who answered, and how. */
static void ping(int icmp, uint32_t addr)
{
	struct icmphdr request = { .type = ICMP_ECHO, .un.echo = { .sequence = htons(1) } };
	struct sockaddr_in to = sockaddr_of(addr, 0);

	request.checksum = htons(ipv4_checksum((const uint8_t *)&request, sizeof(request)));
	ssize_t n = sendto(icmp, &request, sizeof(request), 0, (struct sockaddr *)&to, sizeof(to));
	assert_int_equal(n, sizeof(request));
}

static void read_echo_reply(int icmp, uint32_t from)
{
	struct ipv4_header h;
	uint8_t message[128];

	assert_true(await_readable(icmp, soon_us()));
	ssize_t n = recv(icmp, message, sizeof(message), 0);
	assert_true(n > 0 && ipv4_read(message, (size_t)n, &h));
	assert_int_equal(message[20], ICMP_ECHOREPLY);
	assert_int_equal(h.from, from);
}

static void wire_leaves_the_gateways_own_packets_to_the_kernel(void **state)
{
	struct wire_lab *lab = *state;

	wire_lab_start(lab, 1, -1);
	int icmp = site_socket(lab, 0, SOCK_RAW, 0);
	for (unsigned i = 0; i < SITES; i++) {
		ping(icmp, gateway_addr(i));
		read_echo_reply(icmp, gateway_addr(i));
	}
	ping(icmp, site_addr(1));
	read_echo_reply(icmp, site_addr(1));
	/* There and back again; none of the gateways'. */
	assert_int_equal(wire_stats(lab->wire)->received, 2);
	(void)close(icmp);
}

/* The premise of the wire: if the kernel answered for packets it does not forward, it would be
 * heard before its own echo reply. */
static void the_kernel_is_silent_about_what_the_wire_forwards(void **state)
{
	struct wire_lab *lab = *state;
	int icmp = site_socket(lab, 0, SOCK_RAW, 0), tcp = site_socket(lab, 0, SOCK_STREAM, 0);
	int out = site_sender(lab, 0, site_addr(1), PORT);
	struct sockaddr_in to = sockaddr_of(site_addr(1), PORT);

	assert_int_equal(send(out, "hello", 6, 0), 6);
	assert_return_code(fcntl(tcp, F_SETFL, O_NONBLOCK), errno);
	assert_int_equal(connect(tcp, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	ping(icmp, gateway_addr(0));
	read_echo_reply(icmp, gateway_addr(0));
	struct pollfd reset = { .fd = tcp, .events = POLLOUT };
	assert_int_equal(poll(&reset, 1, 0), 0);
	(void)close(icmp);
	(void)close(tcp);
	(void)close(out);
}

struct frame {
	uint8_t bytes[ETHER_HDR_LEN + 20 + 8 + 4];
};

/* A UDP datagram from another site's address, as a router that turns it back would send it. */
static struct frame make_frame(const struct wire_lab *lab, uint32_t from, uint32_t to)
{
	struct frame f = { { 0 } };
	uint8_t *ip = f.bytes + ETHER_HDR_LEN, *udp = ip + 20;
	uint32_t addrs[2] = { htonl(from), htonl(to) };

	memcpy(f.bytes, lab->ports[0].mac, ETHER_ADDR_LEN);
	memcpy(f.bytes + ETHER_ADDR_LEN, lab->ports[0].peer_mac, ETHER_ADDR_LEN);
	f.bytes[12] = 8; /* ETHERTYPE_IP */
	ip[0] = 0x45;
	ip[3] = 20 + 8 + 4;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, addrs, sizeof(addrs));
	uint16_t sum = ipv4_checksum(ip, 20);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	udp[2] = PORT >> 8;
	udp[3] = PORT & 255;
	udp[5] = 8 + 4;
	memcpy(udp + 8, "back", 4);
	return f;
}

static int send_frame(void *arg, struct err *e)
{
	const struct frame *frame = arg;
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex("wan") };
	CLEANUP(fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || sendto(fd, frame->bytes, sizeof(frame->bytes), 0, (struct sockaddr *)&to,
			     sizeof(to)) < 0)
		return err_set(e, -errno, "send a frame");
	return 0;
}

static void wire_turns_packets_back_at_the_port_they_came_in_by(void **state)
{
	struct wire_lab *lab = *state;
	struct frame frame = make_frame(lab, site_addr(1), site_addr(0));
	char data[16];
	struct err e = { 0 };

	wire_lab_start(lab, 1, -1);
	int in = site_socket(lab, 0, SOCK_DGRAM, PORT);
	must(netns_run(lab->site_fds[0], send_frame, &frame, &e), &e);
	assert_true(await_readable(in, soon_us()));
	assert_int_equal(recv(in, data, sizeof(data), 0), 4);
	assert_memory_equal(data, "back", 4);
	(void)close(in);
}

static void wire_drops_what_has_a_bad_header_or_is_not_for_it(void **state)
{
	struct wire_lab *lab = *state;
	struct frame bad = make_frame(lab, site_addr(0), site_addr(1));
	struct frame astray = make_frame(lab, site_addr(0), site_addr(1));
	struct err e = { 0 };

	wire_lab_start(lab, 1, -1);
	const struct wire_stats *stats = wire_stats(lab->wire);
	bad.bytes[ETHER_HDR_LEN + 10] ^= 1;
	astray.bytes[5] ^= 1;
	must(netns_run(lab->site_fds[0], send_frame, &astray, &e), &e);
	must(netns_run(lab->site_fds[0], send_frame, &bad, &e), &e);
	assert_true(await_count(&stats->dropped, 1, soon_us()));
	assert_int_equal(stats->received, 1);
	assert_int_equal(stats->delivered, 0);
	assert_true(wire_lab_settles(stats));
}

/* ---- setting up, and the process */

static void wire_new_names_the_interface_that_is_missing(void **state)
{
	struct wire_lab *lab = *state;
	struct wire *wire = NULL;
	struct err e = { 0 };

	(void)snprintf(lab->ports[1].ifname, sizeof(lab->ports[1].ifname), "nowhere");
	struct wire_config config = {
		.netns_fd = lab->internet_fd, .plan = &lab->plan, .links = lab->links, .pcap_fd = -1
	};
	assert_true(wire_new(&config, &wire, &e) < 0);
	assert_null(wire);
	assert_non_null(strstr(e.text, "nowhere"));
}

static void wire_holds_no_descriptor_of_its_parents(void **state)
{
	struct wire_lab *lab = *state;
	int ends[2];
	char byte;

	assert_return_code(pipe(ends), errno);
	wire_lab_start(lab, 1, -1);
	(void)close(ends[1]);
	assert_true(await_readable(ends[0], soon_us()));
	assert_int_equal(read(ends[0], &byte, 1), 0);
	(void)close(ends[0]);
}

static void wire_outlives_the_terminals_signals(void **state)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGHUP, SIGTSTP };
	struct wire_lab *lab = *state;

	wire_lab_start(lab, 1, -1);
	int in = site_socket(lab, 1, SOCK_DGRAM, PORT),
	    out = site_sender(lab, 0, site_addr(1), PORT);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_return_code(kill(wire_pid(lab->wire), signals[i]), errno);
		assert_int_equal(send_and_get_ttl(out, in), 63);
	}
	(void)close(in);
	(void)close(out);
}

static void wire_free_leaves_no_process(void **state)
{
	struct wire_lab *lab = *state;

	wire_lab_start(lab, 1, -1);
	pid_t pid = wire_pid(lab->wire);
	assert_return_code(kill(pid, 0), errno);
	wire_lab_stop(lab);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* The child that is to be killed: starts a wire and tells its process number. */
static _Noreturn void be_killed(struct wire_lab *lab, int tell_fd)
{
	wire_lab_start(lab, 1, -1);
	pid_t pid = wire_pid(lab->wire);
	/* It is past its first steps when it forwards. */
	int in = site_socket(lab, 1, SOCK_DGRAM, PORT),
	    out = site_sender(lab, 0, site_addr(1), PORT);
	(void)send_and_get_ttl(out, in);
	if (write(tell_fd, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		_exit(1);
	for (;;)
		(void)pause();
}

static void wire_dies_with_a_parent_that_is_killed(void **state)
{
	struct wire_lab *lab = *state;
	pid_t wire = -1;
	int ends[2];

	assert_return_code(pipe(ends), errno);
	pid_t parent = fork();
	assert_return_code(parent, errno);
	if (parent == 0)
		be_killed(lab, ends[1]);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &wire, sizeof(wire)), sizeof(wire));
	int pidfd = (int)syscall(SYS_pidfd_open, wire, 0);
	assert_return_code(pidfd, errno);
	struct pollfd alive = { .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&alive, 1, 0), 0);
	/* Stopped, it cannot see the stop socket close: only the kernel can end it. */
	assert_return_code(kill(wire, SIGSTOP), errno);
	assert_return_code(kill(parent, SIGKILL), errno);
	bool ended = await_readable(pidfd, soon_us());
	(void)kill(wire, SIGKILL); /* nothing is to be left by a test that fails either */
	assert_true(ended);
	(void)waitpid(parent, NULL, 0);
	(void)close(pidfd);
	(void)close(ends[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wire_forwards_between_every_two_sites),
		TEST(wire_takes_the_hops_of_both_links_off_the_ttl),
		TEST(wire_answers_an_expired_ttl_as_the_gateway),
		TEST(wire_answers_a_destination_without_route),
		TEST(wire_leaves_the_gateways_own_packets_to_the_kernel),
		TEST(the_kernel_is_silent_about_what_the_wire_forwards),
		TEST(wire_turns_packets_back_at_the_port_they_came_in_by),
		TEST(wire_drops_what_has_a_bad_header_or_is_not_for_it),
		TEST(wire_new_names_the_interface_that_is_missing),
		TEST(wire_holds_no_descriptor_of_its_parents),
		TEST(wire_outlives_the_terminals_signals),
		TEST(wire_free_leaves_no_process),
		TEST(wire_dies_with_a_parent_that_is_killed),
	};

	become_lab_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

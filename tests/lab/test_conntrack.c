// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections of a host with itself, which its own ruleset tracks and, to port 80, translates. */
#include "tests/lab/inside.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/lab/conntrack.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "sim/lab/rtnl.h"

#define LOOPBACK 0x7f000001u

struct scratch {
	int fd;
	struct netlink netfilter;
};

static const char ruleset[] = "table ip natsim {\n"
			      "	chain track {\n"
			      "		type nat hook output priority -100; policy accept;\n"
			      "		ct state new udp dport 80 dnat to 127.0.0.1:8080\n"
			      "	}\n"
			      "}\n";

static int open_inside(void *arg, struct err *e)
{
	CLEANUP(netlink) struct netlink route = { .socket = NULL };

	int rc = rtnl_open(&route, e);
	if (rc == 0)
		rc = rtnl_link_up(&route, "lo", e);
	if (rc == 0)
		rc = netns_sysctl("net/netfilter/nf_conntrack_udp_timeout", "77", e);
	return rc < 0 ? rc : netlink_open(NETLINK_NETFILTER, arg, e);
}

static int set_up(void **state)
{
	static struct scratch scratch;
	struct err e;

	*state = &scratch;
	ASSERT_OK(netns_new(&scratch.fd, &e));
	ASSERT_OK(netns_run(scratch.fd, open_inside, &scratch.netfilter, &e));
	ASSERT_OK(nft_load(scratch.fd, ruleset, &e));
	return 0;
}

static int tear_down(void **state)
{
	struct scratch *scratch = *state;

	netlink_close(&scratch->netfilter);
	(void)close(scratch->fd);
	return 0;
}

/* One datagram, from one port to count of them. */
struct flow {
	uint16_t from_port, to_port, count;
};

static int send_datagrams(void *arg, struct err *e)
{
	const struct flow *flow = arg;
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(flow->from_port) };
	CLEANUP(fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(LOOPBACK);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, -errno, "bind");
	for (uint16_t i = 0; i < flow->count; i++) {
		addr.sin_port = htons((uint16_t)(flow->to_port + i));
		/* An ICMP error about the one before is no failure of this one. */
		(void)sendto(fd, "x", 1, 0, (const struct sockaddr *)&addr, sizeof(addr));
	}
	return 0;
}

static void send_from(const struct scratch *scratch, uint16_t from_port, uint16_t to_port,
		      uint16_t count)
{
	struct err e;
	struct flow flow = { from_port, to_port, count };

	ASSERT_OK(netns_run(scratch->fd, send_datagrams, &flow, &e));
}

static struct conntrack_entry *list(const struct scratch *scratch, size_t *ret_count)
{
	struct err e;
	struct conntrack_entry *entries = NULL;

	*ret_count = 999999;
	ASSERT_OK(conntrack_list(scratch->fd, &entries, ret_count, &e));
	return entries;
}

static void a_router_that_saw_nothing_has_an_empty_list(void **state)
{
	size_t count = 0;

	free(list(*state, &count));
	assert_int_equal(count, 0);
}

static void a_translated_flow_is_listed_as_it_goes_and_comes(void **state)
{
	const struct scratch *scratch = *state;
	size_t count = 0;

	send_from(scratch, 4000, 80, 1);
	struct conntrack_entry *entries = list(scratch, &count);
	assert_int_equal(count, 1);
	assert_int_equal(entries[0].protocol, IPPROTO_UDP);
	assert_true(endpoint_equal(entries[0].original_from, (struct endpoint){ LOOPBACK, 4000 }));
	assert_true(endpoint_equal(entries[0].original_to, (struct endpoint){ LOOPBACK, 80 }));
	assert_true(endpoint_equal(entries[0].reply_from, (struct endpoint){ LOOPBACK, 8080 }));
	assert_true(endpoint_equal(entries[0].reply_to, (struct endpoint){ LOOPBACK, 4000 }));
	assert_in_range(entries[0].timeout_s, 70, 77);
	assert_true(entries[0].id != 0);
	free(entries);
}

static int connect_tcp(void *arg, struct err *e)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	CLEANUP(fd) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLEANUP(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)arg;
	to.sin_addr.s_addr = htonl(LOOPBACK);
	if (bind(listener, (const struct sockaddr *)&to, sizeof(to)) < 0 ||
	    listen(listener, 1) < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return err_set(e, -errno, "connect");
	return 0;
}

static void protocols_are_told_apart_and_the_list_is_in_order(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;
	size_t count = 0;

	send_from(scratch, 4001, 7001, 2);
	send_from(scratch, 4000, 7009, 1);
	ASSERT_OK(netns_run(scratch->fd, connect_tcp, NULL, &e));
	struct conntrack_entry *entries = list(scratch, &count);
	assert_int_equal(count, 4);
	assert_int_equal(entries[0].protocol, IPPROTO_TCP);
	assert_int_equal(entries[0].original_to.port, 9);
	assert_int_equal(entries[1].original_from.port, 4000);
	assert_int_equal(entries[2].original_to.port, 7001);
	assert_int_equal(entries[3].original_to.port, 7002);
	free(entries);
}

static void a_list_of_entries_longer_than_one_answer_is_whole(void **state)
{
	const struct scratch *scratch = *state;
	size_t count = 0;

	send_from(scratch, 4000, 10000, 2000);
	struct conntrack_entry *entries = list(scratch, &count);
	assert_int_equal(count, 2000);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(entries[i].original_to.port, 10000 + i);
	free(entries);
}

static void flushing_forgets_one_namespace_only(void **state)
{
	struct err e;
	struct scratch *scratch = *state;
	struct scratch other;
	size_t count = 0;

	ASSERT_OK(netns_new(&other.fd, &e));
	ASSERT_OK(netns_run(other.fd, open_inside, &other.netfilter, &e));
	ASSERT_OK(nft_load(other.fd, ruleset, &e));
	send_from(scratch, 4000, 7000, 3);
	send_from(&other, 4000, 7000, 3);
	ASSERT_OK(conntrack_flush(&scratch->netfilter, &e));
	free(list(scratch, &count));
	assert_int_equal(count, 0);
	free(list(&other, &count));
	assert_int_equal(count, 3);
	ASSERT_OK(conntrack_flush(&scratch->netfilter, &e)); /* nothing is fine, too */
	netlink_close(&other.netfilter);
	(void)close(other.fd);
}

static void listing_leaves_no_descriptor(void **state)
{
	struct err e;
	struct conntrack_entry *entries = NULL;
	unsigned before = count_fds();
	size_t count = 7;

	free(list(*state, &count));
	count = 7;
	assert_int_equal(conntrack_list(STDERR_FILENO, &entries, &count, &e), -EINVAL);
	assert_null(entries);
	assert_int_equal(count, 7);
	assert_int_equal(count_fds(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_router_that_saw_nothing_has_an_empty_list),
		TEST(a_translated_flow_is_listed_as_it_goes_and_comes),
		TEST(protocols_are_told_apart_and_the_list_is_in_order),
		TEST(a_list_of_entries_longer_than_one_answer_is_whole),
		TEST(flushing_forgets_one_namespace_only),
		TEST(listing_leaves_no_descriptor),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

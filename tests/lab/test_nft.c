// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/inside.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "sim/lab/rtnl.h"

/* The scratch namespace of each test. */
struct scratch {
	int fd;
	struct netlink netfilter;
};

static int open_inside(void *arg, struct err *e)
{
	CLEANUP(netlink) struct netlink route = { .socket = NULL };

	int rc = rtnl_open(&route, e);
	if (rc == 0)
		rc = rtnl_link_up(&route, "lo", e);
	return rc < 0 ? rc : netlink_open(NETLINK_NETFILTER, arg, e);
}

static int set_up(void **state)
{
	static struct scratch scratch;
	struct err e;

	*state = &scratch;
	if (netns_new(&scratch.fd, &e) < 0)
		return -1;
	return netns_run(scratch.fd, open_inside, &scratch.netfilter, &e);
}

static int tear_down(void **state)
{
	struct scratch *scratch = *state;

	netlink_close(&scratch->netfilter);
	(void)close(scratch->fd);
	return 0;
}

static void assert_ruleset(int fd, const char *expected)
{
	struct err e;
	CLEANUP(buf) struct buf out = BUF_INIT;

	ASSERT_OK(nft_list(fd, &out, &e));
	assert_string_equal(buf_text(&out), expected);
}

static void what_is_loaded_is_listed(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;
	const char text[] = "table ip natsim {\n"
			    "	chain own_stack {\n"
			    "		type filter hook input priority filter; policy accept;\n"
			    "		udp dport 9 drop\n"
			    "	}\n"
			    "}\n";

	ASSERT_OK(nft_load(scratch->fd, text, &e));
	assert_ruleset(scratch->fd, text);
}

static void loading_adds_to_what_is_there(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;

	ASSERT_OK(nft_load(scratch->fd, "table ip a {\n}\n", &e));
	ASSERT_OK(nft_load(scratch->fd, "table ip b {\n}\n", &e));
	assert_ruleset(scratch->fd, "table ip a {\n}\ntable ip b {\n}\n");
}

static void loading_changes_one_namespace_only(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;
	CLEANUP(fd) int home = -1;
	ino_t before = here();

	ASSERT_OK(netns_self(&home, &e));
	ASSERT_OK(nft_load(scratch->fd, "table ip a {\n}\n", &e));
	assert_true(here() == before);
	assert_ruleset(home, "");
}

static void a_mistake_in_the_text_is_shown_with_its_place(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;

	assert_int_equal(nft_load(scratch->fd,
				  "table ip a {\n\tchain b {\n\t\tudp dprt 9 drop\n\t}\n}\n", &e),
			 -EINVAL);
	assert_text(&e, "ruleset:3:");
	assert_text(&e, "syntax error");
	assert_text(&e, ": udp dprt 9 drop");
	assert_null(strstr(e.text, "/proc"));
	assert_ruleset(scratch->fd, "");
}

static void what_the_kernel_refuses_is_shown_with_its_place_and_reason(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;

	/* NAT before conntrack cannot be. */
	assert_int_equal(nft_load(scratch->fd,
				  "table ip a {\n"
				  "	chain fine {\n	}\n"
				  "	chain early {\n"
				  "		type nat hook prerouting priority -300;\n"
				  "	}\n}\n",
				  &e),
			 -EOPNOTSUPP);
	assert_text(&e, "ruleset:4:8-12: Could not process rule: Operation not supported");
	assert_ruleset(scratch->fd, "");
}

static void a_text_without_rules_is_fine(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;

	ASSERT_OK(nft_load(scratch->fd, "", &e));
	ASSERT_OK(nft_load(scratch->fd, "# nothing\n", &e));
	assert_ruleset(scratch->fd, "");
}

static void a_large_ruleset_is_loaded_whole(void **state)
{
	struct err e;
	const struct scratch *scratch = *state;
	CLEANUP(buf) struct buf text = BUF_INIT;
	CLEANUP(buf) struct buf out = BUF_INIT;

	buf_puts(&text, "table ip a {\n	map port_at {\n		type mark : inet_service\n"
			"		elements = { ");
	for (unsigned i = 0; i < 4096; i++)
		buf_printf(&text, "%u : %u, ", i, 6000 + i);
	buf_puts(&text, "}\n	}\n}\n");
	ASSERT_OK(nft_load(scratch->fd, buf_text(&text), &e));
	ASSERT_OK(nft_list(scratch->fd, &out, &e));
	assert_non_null(strstr(buf_text(&out), "0x00000fff : 10095"));
}

/* What is sent to port 9 is counted and remembered. */
static const char remembering[] =
	"table ip natsim {\n"
	"	set seen {\n"
	"		type inet_service\n"
	"		flags dynamic, timeout\n"
	"	}\n"
	"	map by_port {\n"
	"		type inet_service : ipv4_addr\n"
	"		flags dynamic, timeout\n"
	"	}\n"
	"	set fixed {\n"
	"		type inet_service\n"
	"		elements = { 7 }\n"
	"	}\n"
	"	chain remember {\n"
	"		type filter hook output priority filter; policy accept;\n"
	"		udp dport 9 counter update @seen { udp dport timeout 1h } \\\n"
	"			update @by_port { udp dport timeout 1h : ip daddr } \\\n"
	"			ct mark set numgen inc mod 8\n"
	"		udp dport 9 ct mark 2 counter\n"
	"	}\n"
	"}\n";

static int send_to_port_9(void *arg, struct err *e)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	CLEANUP(fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)) != 1)
		return err_set(e, -errno, "send");
	return 0;
}

/* How often part stands in the ruleset. */
static unsigned count_listed(int fd, const char *part)
{
	struct err e;
	CLEANUP(buf) struct buf out = BUF_INIT;
	unsigned count = 0;

	ASSERT_OK(nft_list(fd, &out, &e));
	for (const char *at = buf_text(&out); (at = strstr(at, part)) != NULL; at++)
		count++;
	return count;
}

static void flushing_empties_dynamic_sets_and_maps_only(void **state)
{
	struct err e;
	struct scratch *scratch = *state;

	ASSERT_OK(nft_load(scratch->fd, remembering, &e));
	ASSERT_OK(netns_run(scratch->fd, send_to_port_9, NULL, &e));
	assert_int_equal(count_listed(scratch->fd, "elements = { 9 "), 2);
	ASSERT_OK(nft_flush_dynamic(&scratch->netfilter, "natsim", &e));
	assert_int_equal(count_listed(scratch->fd, "elements = { 9 "), 0);
	assert_int_equal(count_listed(scratch->fd, "elements = { 7 }"), 1);
	assert_int_equal(count_listed(scratch->fd, "counter packets 1 "), 1);
}

static void flushing_leaves_number_generators_as_they_are(void **state)
{
	struct err e;
	struct scratch *scratch = *state;

	ASSERT_OK(nft_load(scratch->fd, remembering, &e));
	for (int i = 0; i < 3; i++) {
		ASSERT_OK(netns_run(scratch->fd, send_to_port_9, NULL, &e));
		ASSERT_OK(nft_flush_dynamic(&scratch->netfilter, "natsim", &e));
	}
	/* The third number is 2, for a generator that was never set back. */
	assert_int_equal(count_listed(scratch->fd, "counter packets 1 "), 1);
	assert_int_equal(count_listed(scratch->fd, "counter packets 3 "), 1);
}

static void a_missing_table_is_not_there(void **state)
{
	struct err e;
	struct scratch *scratch = *state;

	assert_int_equal(nft_flush_dynamic(&scratch->netfilter, "natsim", &e), -ENOENT);
	assert_text(&e, "empty the dynamic sets of table ip natsim: No such file");
}

static void nothing_leaves_a_descriptor(void **state)
{
	struct err e;
	struct scratch *scratch = *state;
	unsigned before = count_fds();

	ASSERT_OK(nft_load(scratch->fd, remembering, &e));
	(void)nft_load(scratch->fd, "nonsense", &e);
	assert_int_equal(count_listed(scratch->fd, "natsim"), 1);
	ASSERT_OK(nft_flush_dynamic(&scratch->netfilter, "natsim", &e));
	assert_int_equal(count_fds(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_loaded_is_listed),
		TEST(loading_adds_to_what_is_there),
		TEST(loading_changes_one_namespace_only),
		TEST(a_mistake_in_the_text_is_shown_with_its_place),
		TEST(what_the_kernel_refuses_is_shown_with_its_place_and_reason),
		TEST(a_text_without_rules_is_fine),
		TEST(a_large_ruleset_is_loaded_whole),
		TEST(flushing_empties_dynamic_sets_and_maps_only),
		TEST(flushing_leaves_number_generators_as_they_are),
		TEST(a_missing_table_is_not_there),
		TEST(nothing_leaves_a_descriptor),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

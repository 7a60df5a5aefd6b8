// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labs of a plan made by hand (tests/two_homes.h). The rendezvous is this program itself, which
 * behaves as NATSIM_TEST_RENDEZVOUS says; a real one would be another part's test.
 */
#include "tests/lab/inside.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/lab/conntrack.h"
#include "sim/lab/lab.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "tests/two_homes.h"

#define SERVER_ADDR 0xc0000202u
#define ROUTER_ADDR 0xcb007102u

/* ---- the rendezvous */

static int be_rendezvous(const char *how)
{
	if (strcmp(how, "dies") == 0)
		return 5;
	if (strcmp(how, "late") == 0)
		(void)puts("starting\n{\"event\":\"start\"}\n{\"ready\":true}");
	if (strcmp(how, "pieces") == 0) {
		(void)printf("{\"event\":");
		(void)fflush(stdout);
		(void)poll(NULL, 0, 20);
	} else {
		(void)printf("{\"event\":");
	}
	(void)puts("\"ready\", \"more\": 1}");
	(void)fflush(stdout);
	if (strcmp(how, "chatters") == 0) {
		for (int i = 0; i < 20000; i++)
			(void)puts("{\"event\":\"chatter\",\"text\":\"that nobody reads\"}");
		return fflush(stdout) == 0 ? 7 : 8;
	}
	for (;;)
		(void)pause();
}

/* ---- a lab */

static struct lab_config config_of(struct two_homes *t)
{
	two_homes_init(t);
	return (struct lab_config){ .plan = &t->plan, .links = t->links, .seed = 1, .pcap_fd = -1 };
}

static const char *const quiet[] = { "NATSIM_TEST_RENDEZVOUS=is quiet", NULL };

static void add_rendezvous(struct lab_config *config, const char *const *env)
{
	config->rendezvous_path = "/proc/self/exe";
	config->rendezvous_node = SERVER;
	config->rendezvous_env = env;
}

/* A UDP socket in a node of the lab. */
static int open_udp(void *arg, struct err *e)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(4000) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0)
		return err_set(e, -errno, "open a socket");
	*(int *)arg = fd;
	return 0;
}

static int udp_in(const struct lab *lab, enum two_homes_node node)
{
	struct err e;
	int fd = -1;

	ASSERT_OK(netns_run(lab_netns(lab, node), open_udp, &fd, &e));
	return fd;
}

static void send_to(int fd, struct endpoint to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(to.port) };

	addr.sin_addr.s_addr = htonl(to.addr);
	assert_int_equal(sendto(fd, "hello", 5, 0, (const struct sockaddr *)&addr, sizeof(addr)),
			 5);
}

static struct endpoint receive_from(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	struct sockaddr_in addr;
	socklen_t size = sizeof(addr);
	char text[8];

	assert_int_equal(poll(&readable, 1, SOON_US / 1000), 1);
	assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&addr, &size), 5);
	return (struct endpoint){ ntohl(addr.sin_addr.s_addr), ntohs(addr.sin_port) };
}

static void packets_cross_a_lab_and_come_back(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;

	(void)state;
	ASSERT_OK(lab_new(&config, &lab, &e));
	int host = udp_in(lab, HOST_A), server = udp_in(lab, SERVER);
	send_to(host, (struct endpoint){ SERVER_ADDR, 4000 });
	struct endpoint outside = receive_from(server);
	assert_int_equal(outside.addr, ROUTER_ADDR);
	send_to(server, outside);
	assert_int_equal(receive_from(host).addr, SERVER_ADDR);
	/* The wire counts what it has sent, so perhaps later than it is received. */
	ASSERT_SOON(atomic_load(&lab_wire_stats(lab)->delivered) >= 2);
	(void)close(host);
	(void)close(server);
	lab_free(lab);
}

static void two_labs_do_not_meet(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *labs[2] = { NULL, NULL };

	(void)state;
	ASSERT_OK(lab_new(&config, &labs[0], &e));
	ASSERT_OK(lab_new(&config, &labs[1], &e));
	int host = udp_in(labs[0], HOST_A), server = udp_in(labs[0], SERVER);
	int other = udp_in(labs[1], SERVER);
	send_to(host, (struct endpoint){ SERVER_ADDR, 4000 });
	(void)receive_from(server);
	assert_int_equal(recv(other, NULL, 0, MSG_DONTWAIT), -1);
	(void)close(host);
	(void)close(server);
	(void)close(other);
	lab_free(labs[0]);
	lab_free(labs[1]);
}

static unsigned count_connections(const struct lab *lab)
{
	struct err e;
	struct conntrack_entry *entries = NULL;
	size_t count = 0;

	ASSERT_OK(conntrack_list(lab_netns(lab, ROUTER_A), &entries, &count, &e));
	free(entries);
	return (unsigned)count;
}

static bool router_remembers(const struct lab *lab)
{
	struct err e;
	CLEANUP(buf) struct buf out = BUF_INIT;

	ASSERT_OK(nft_list(lab_netns(lab, ROUTER_A), &out, &e));
	return strstr(buf_text(&out), "elements = {") != NULL;
}

static void lab_flush_makes_a_router_forget(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;

	(void)state;
	ASSERT_OK(lab_new(&config, &lab, &e));
	int host = udp_in(lab, HOST_A), server = udp_in(lab, SERVER);
	for (int i = 0; i < 3; i++) {
		send_to(host, (struct endpoint){ SERVER_ADDR, 4000 });
		(void)receive_from(server);
		assert_int_equal(count_connections(lab), 1);
		assert_true(router_remembers(lab));
		ASSERT_OK(lab_flush(lab, &e));
		assert_int_equal(count_connections(lab), 0);
		assert_false(router_remembers(lab));
	}
	(void)close(host);
	(void)close(server);
	lab_free(lab);
}

/* Breaks an operation so that the kernel or libnftables refuses it; false if there is no way. */
static bool break_op(struct plan_op *op)
{
	static char nonsense[] = "nonsense\n";

	switch (op->kind) {
	case PLAN_SYSCTL:
		(void)snprintf(op->key, sizeof(op->key), "net/nothing");
		return true;
	case PLAN_VETH:
		op->mac[0] = 1; /* a multicast address */
		return true;
	case PLAN_ADDRESS:
	case PLAN_UP:
		(void)snprintf(op->ifname, sizeof(op->ifname), "nothing");
		return true;
	case PLAN_ROUTE:
		op->gateway = 0x08080808;
		return true;
	case PLAN_RULESET:
		op->text = nonsense;
		return true;
	default:
		return false;
	}
}

static void a_failure_at_any_operation_names_its_node(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	size_t ops = t.plan.ops_count, broken = 0;
	ino_t home = here();

	(void)state;
	for (size_t i = 0; i < ops; i++) {
		struct lab *lab = NULL;

		config = config_of(&t);
		add_rendezvous(&config, quiet);
		if (!break_op(&t.ops[i]))
			continue;
		assert_true(lab_new(&config, &lab, &e) < 0);
		assert_null(lab);
		assert_text(&e, t.nodes[t.ops[i].node].name);
		assert_int_equal(e.kind, ERR_MACHINE);
		assert_true(here() == home);
		broken++;
	}
	assert_true(broken > 30);
}

static void labs_come_and_go_around_a_thread_that_stays_where_it_is(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;
	ino_t home = here();

	(void)state;
	add_rendezvous(&config, quiet);
	for (int i = 0; i < 3; i++) {
		ASSERT_OK(lab_new(&config, &lab, &e));
		assert_true(here() == home);
		ASSERT_OK(lab_check(lab, &e));
		lab_free(lab);
	}
	lab_free(NULL);
}

static void a_lab_with_a_record_is_over_when_lab_free_returns(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;
	CLEANUP(fd) int record = memfd_create("record", MFD_CLOEXEC);
	unsigned before = count_fds();

	(void)state;
	config.pcap_fd = record;
	ASSERT_OK(lab_new(&config, &lab, &e));
	lab_free(lab);
	assert_false(have_children());
	assert_int_equal(count_fds(), before);
	assert_true(lseek(record, 0, SEEK_END) > 0);
}

static void assert_rendezvous_becomes_ready(const char *const *env)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;

	add_rendezvous(&config, env);
	ASSERT_OK(lab_new(&config, &lab, &e));
	ASSERT_OK(lab_check(lab, &e));
	lab_free(lab);
}

static void the_rendezvous_is_waited_for(void **state)
{
	(void)state;
	assert_rendezvous_becomes_ready(
		(const char *const[]){ "NATSIM_TEST_RENDEZVOUS=late", NULL });
	assert_rendezvous_becomes_ready(
		(const char *const[]){ "NATSIM_TEST_RENDEZVOUS=pieces", NULL });
}

static void a_rendezvous_that_dies_before_it_is_ready_is_an_error(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;

	(void)state;
	add_rendezvous(&config, (const char *const[]){ "NATSIM_TEST_RENDEZVOUS=dies", NULL });
	assert_int_equal(lab_new(&config, &lab, &e), -ECHILD);
	assert_string_equal(e.text, "/proc/self/exe exited with status 5 before it was ready");
}

static void a_rendezvous_that_is_not_there_is_an_error(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;

	(void)state;
	add_rendezvous(&config, quiet);
	config.rendezvous_path = "/no/such/program";
	assert_int_equal(lab_new(&config, &lab, &e), -ENOENT);
	assert_text(&e, "cannot execute '/no/such/program'");
}

/* It ends once it could print everything, which is more than a pipe holds. */
static void what_the_rendezvous_prints_never_stops_it(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;
	uint64_t until_us = soon_us();

	(void)state;
	add_rendezvous(&config, (const char *const[]){ "NATSIM_TEST_RENDEZVOUS=chatters", NULL });
	ASSERT_OK(lab_new(&config, &lab, &e));
	while (lab_check(lab, &e) == 0)
		assert_true(process_now_us() < until_us);
	assert_string_equal(e.text, "/proc/self/exe exited with status 7 while it was needed");
	lab_free(lab);
}

/* Kills the one process there is beside this one, which is process 1. */
static void kill_the_other(void)
{
	for (pid_t pid = 2; pid < 1 << 22; pid++)
		if (kill(pid, SIGKILL) == 0)
			return;
	fail_msg("there is no other process");
}

static void lab_check_sees_the_wire_end(void **state)
{
	struct err e;
	struct two_homes t;
	struct lab_config config = config_of(&t);
	struct lab *lab = NULL;

	(void)state;
	ASSERT_OK(lab_new(&config, &lab, &e));
	ASSERT_OK(lab_check(lab, &e));
	kill_the_other();
	ASSERT_SOON(lab_check(lab, &e) < 0);
	assert_text(&e, "the wire has ended");
	lab_free(lab);
}

/* ---- Every test leaves as many descriptors as it found, and no process. */

static int find_baseline(void **state)
{
	static unsigned baseline;

	baseline = count_fds();
	*state = &baseline;
	return 0;
}

static int leaves_nothing(void **state)
{
	const unsigned *baseline = *state;

	ASSERT_SOON(count_fds() == *baseline && !have_children());
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, leaves_nothing)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_cross_a_lab_and_come_back),
		TEST(two_labs_do_not_meet),
		TEST(lab_flush_makes_a_router_forget),
		TEST(a_failure_at_any_operation_names_its_node),
		TEST(labs_come_and_go_around_a_thread_that_stays_where_it_is),
		TEST(a_lab_with_a_record_is_over_when_lab_free_returns),
		TEST(the_rendezvous_is_waited_for),
		TEST(a_rendezvous_that_dies_before_it_is_ready_is_an_error),
		TEST(a_rendezvous_that_is_not_there_is_an_error),
		TEST(what_the_rendezvous_prints_never_stops_it),
		TEST(lab_check_sees_the_wire_end),
	};
	const char *how = getenv("NATSIM_TEST_RENDEZVOUS");

	if (how != NULL)
		return be_rendezvous(how);
	go_inside();
	return cmocka_run_group_tests(tests, find_baseline, NULL);
}

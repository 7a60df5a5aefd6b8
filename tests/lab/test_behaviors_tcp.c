// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a router does with TCP that is unsolicited, reset or blocked: each behaviour in a lab that
 * has it and in one that has not.
 */
#include <time.h>

#include <linux/errqueue.h> /* wants struct timespec */

#include "tests/behavior_tcp.h"

#define INSIDE_PORT 41002u

static const struct endpoint mapped_port = { ROUTER_A_ADDR, INSIDE_PORT };

/* ---- unsolicited connections */

#define UNSOLICITED(what) EIM APDF "unsolicited: { tcp: " what " }\n"

/* Whether an ICMP error lies in the socket's error queue. */
static bool has_icmp_error(struct end end)
{
	char control[512], data[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct sock_extended_err error;

	if (recvmsg(end.fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		return error.ee_origin == SO_EE_ORIGIN_ICMP;
	}
	return false;
}

static void an_unsolicited_syn_is_answered_as_declared(void **state)
{
	static const struct {
		const char *model;
		int outcome;
		bool icmp;
	} cases[] = {
		{ UNSOLICITED("rst"), ECONNREFUSED, false },
		{ UNSOLICITED("icmp"), ECONNREFUSED, true },
		{ UNSOLICITED("accept"), ECONNREFUSED, false }, /* by the router's own stack */
		{ UNSOLICITED("drop"), ETIMEDOUT, false },
		{ UNSOLICITED("block"), ETIMEDOUT, false },
		{ EIM APDF, ETIMEDOUT, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", cases[i].model);
		struct end outside = tcp_at(&l, SERVER, 4000);

		set_option(outside, IPPROTO_IP, IP_RECVERR, 1);
		CHECK_CONNECTS(&l, outside, mapped_port, cases[i].outcome);
		CHECK_EQUAL(&l, has_icmp_error(outside), cases[i].icmp);
	}
}

static void check_knock_by_syn(const char *model, bool blocks)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end knocker = tcp_at(&l, SERVER, 4000);
	struct end other = tcp_listener_at(&l, SERVER_ALT, 4000);

	CHECK_CONNECTS(&l, knocker, mapped_port, ETIMEDOUT);
	close_end(&l, knocker);
	struct end listener = tcp_listener_at(&l, SERVER, 4000);
	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, INSIDE_PORT), listener.at, blocks ? ETIMEDOUT : 0);
	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, INSIDE_PORT), other.at, 0);
}

static void a_knock_makes_the_router_refuse_its_sender_over_tcp(void **state)
{
	(void)state;
	check_knock_by_syn(UNSOLICITED("block"), true);
	check_knock_by_syn(UNSOLICITED("drop"), false);
}

/* ---- resets */

/* The part of a TCP header's checksum that data of whole 16-bit words makes. */
static uint32_t sum_words(const void *data, size_t len)
{
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i + 1 < len; i += 2) {
		memcpy(&word, (const char *)data + i, 2);
		sum += word;
	}
	return sum;
}

/* A reset that belongs to the connection, but for its sequence number: connections begin with any
 * of 2^32, and the window is a 2^16th of them. */
static void send_stray_reset(struct behavior_lab *l, struct endpoint from, struct endpoint to)
{
	struct end raw = open_end(l, SERVER, SOCK_RAW, IPPROTO_TCP, 0);
	struct sockaddr_in sa = sockaddr_of(to);
	struct tcphdr tcp = { .th_sport = htons(from.port),
			      .th_dport = htons(to.port),
			      .th_seq = htonl(0x12345678),
			      .th_off = 5,
			      .th_flags = TH_RST };
	const uint32_t pseudo[] = { htonl(from.addr), htonl(to.addr),
				    htonl(IPPROTO_TCP << 16 | sizeof(tcp)) };
	uint32_t sum = sum_words(pseudo, sizeof(pseudo)) + sum_words(&tcp, sizeof(tcp));

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	tcp.th_sum = (uint16_t)~sum;
	sa.sin_port = 0;
	assert_int_equal(
		sendto(raw.fd, &tcp, sizeof(tcp), 0, (const struct sockaddr *)&sa, sizeof(sa)),
		sizeof(tcp));
	behavior_settle(l);
}

/* Whether the mapping of a connection still lets others in once it was reset. */
static void check_reset(const char *model, bool in_window, bool ends)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", model);
	struct end server = tcp_listener_at(&l, SERVER, 4000);
	struct end inside = tcp_at(&l, HOST_A, INSIDE_PORT);
	struct end listener = tcp_listener_at(&l, HOST_A, INSIDE_PORT);
	int accepted = -1;

	CHECK_CONNECTS(&l, inside, server.at, 0);
	struct endpoint mapped = tcp_accept_from(&l, server, &accepted);
	/* As long as there is no reset, the mapping lets others in. */
	CHECK_CONNECTS(&l, tcp_at(&l, SERVER_ALT, 0), mapped, 0);
	if (in_window) {
		tcp_reset(&l, accepted);
		CHECK(&l, await_event(inside.fd, POLLERR, soon_us()));
	} else {
		send_stray_reset(&l, server.at, mapped);
	}
	CHECK_CONNECTS(&l, tcp_at(&l, SERVER_ALT, 0), mapped, ends ? ETIMEDOUT : 0);
	(void)listener;
}

static void a_reset_ends_a_mapping_as_declared(void **state)
{
	static const struct {
		const char *model;
		bool by_stray, by_proper;
	} cases[] = {
		{ EIM EIF, false, false },
		{ EIM EIF "rst: ignored\n", false, false },
		{ EIM EIF "rst: in-window\n", false, true },
		{ EIM EIF "rst: any\n", true, true },
		{ ADM EIF "rst: any\n", true, true },
		{ APDM EIF "rst: in-window\n", false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_reset(cases[i].model, false, cases[i].by_stray);
		check_reset(cases[i].model, true, cases[i].by_proper);
	}
}

/* ---- hairpin */

static void a_connection_is_hairpinned_with_an_external_source(void **state)
{
	static const struct {
		const char *model;
		int outcome;
	} cases[] = { { EIM EIF "hairpin: external-source\n", 0 }, { EIM EIF, ETIMEDOUT } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(behavior_lab) struct behavior_lab l;
		behavior_lab_open(&l, "one-home", cases[i].model);
		struct end server = tcp_listener_at(&l, SERVER, 4000);
		struct end out = tcp_at(&l, HOST_A2, 5002);
		struct end listener = tcp_listener_at(&l, HOST_A2, 5002);
		int fd = -1;

		CHECK_CONNECTS(&l, out, server.at, 0);
		struct endpoint mapped = tcp_accept_from(&l, server, &fd);
		CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, 5001), mapped, cases[i].outcome);
		if (cases[i].outcome == 0)
			CHECK_EQUAL(&l, tcp_accept_from(&l, listener, &fd).addr, ROUTER_A_ADDR);
	}
}

/* ---- blocked */

struct passes {
	const char *model;
	bool udp, tcp_80;
};

static void check_blocked(const struct passes *p)
{
	CLEANUP(behavior_lab) struct behavior_lab l;
	behavior_lab_open(&l, "one-home", p->model);
	struct end web = tcp_listener_at(&l, SERVER, 80), tls = tcp_listener_at(&l, SERVER, 443);
	struct end udp = udp_at(&l, SERVER, 443), inside = udp_at(&l, HOST_A, 443);
	struct end to_web = tcp_at(&l, HOST_A, 0);
	uint32_t number = say(&l, inside, udp.at);

	tcp_connect(to_web, web.at);
	/* Behind these two, a round trip: what they bring has arrived when it ends. */
	CHECK_CONNECTS(&l, tcp_at(&l, HOST_A, 0), tls.at, 0);
	CHECK_EQUAL(&l, hears(udp, number, p->udp ? soon_us() : 0, NULL), p->udp);
	CHECK_EQUAL(&l, (unsigned)tcp_outcome(to_web, p->tcp_80 ? soon_us() : 0),
		    p->tcp_80 ? 0 : ETIMEDOUT);
}

static void what_is_blocked_does_not_pass(void **state)
{
	static const struct passes cases[] = {
		{ EIM ADF, true, true },
		{ EIM ADF "blocked: nothing\n", true, true },
		{ EIM ADF "blocked: udp\n", false, true },
		{ EIM ADF "blocked: all-but-tcp-443\n", false, false },
		{ "mapping: none\n" APDF "blocked: all-but-tcp-443\n", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_blocked(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unsolicited_syn_is_answered_as_declared),
		cmocka_unit_test(a_knock_makes_the_router_refuse_its_sender_over_tcp),
		cmocka_unit_test(a_reset_ends_a_mapping_as_declared),
		cmocka_unit_test(a_connection_is_hairpinned_with_an_external_source),
		cmocka_unit_test(what_is_blocked_does_not_pass),
	};

	behavior_go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

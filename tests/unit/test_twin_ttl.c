// SPDX-License-Identifier: GPL-2.0-or-later
/* What leaves with a TTL of its own, and how far it comes. The Internet takes two hops off here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/twin_hosts.h"

static const struct link_profile two_hops = { .hops = 2 };
static const struct endpoint a = { A_ADDR, 1000 }, raw = { RAW_ADDR, 2000 };

static struct action sending(uint8_t ttl)
{
	return (struct action){ .kind = ACTION_UDP_SEND, .socket = 1, .remote = raw, .ttl = ttl };
}

static void a_datagram_comes_as_far_as_its_ttl_and_the_next_as_ever(void **state)
{
	struct hosts *t = hosts_new(&two_hops);

	(void)state;
	plan_open(&t->on_a, 0, ACTION_UDP_OPEN, 1, a);
	plan(&t->on_a, 10, sending(2), "dies");
	plan(&t->on_a, 20, sending(3), "barely");
	plan(&t->on_a, 30, sending(0), "easily");
	hosts_run(t, 15);
	assert_int_equal(t->raw.count, 0);
	hosts_run(t, 25);
	assert_int_equal(t->raw.count, 1);
	assert_int_equal(raw_last(t)->ttl, 1);
	hosts_run(t, 35);
	assert_int_equal(t->raw.count, 2);
	assert_int_equal(raw_last(t)->ttl, TWIN_TTL - 2);
	hosts_free(t);
}

static void a_syn_that_dies_ends_the_attempt(void **state)
{
	struct hosts *t = hosts_new(&two_hops);

	(void)state;
	plan(&t->on_a, 0,
	     (struct action){
		     .kind = ACTION_TCP_CONNECT, .socket = 1, .local = a, .remote = raw, .ttl = 1 },
	     "");
	hosts_run(t, 1000000);
	assert_int_equal(t->raw.count, 0);
	assert_int_equal(one_event(&t->on_a, EVENT_CLOSED)->error, EHOSTUNREACH);
	hosts_free(t);
}

/* Or nothing that is said on it would arrive. */
static void a_connection_that_came_about_has_the_usual_ttl(void **state)
{
	struct hosts *t = hosts_new(&two_hops);

	(void)state;
	plan(&t->on_a, 0,
	     (struct action){
		     .kind = ACTION_TCP_CONNECT, .socket = 1, .local = a, .remote = raw, .ttl = 3 },
	     "");
	hosts_run(t, 10);
	assert_int_equal(t->raw.count, 1);
	const struct twin_packet *syn = raw_last(t);
	assert_int_equal(syn->ttl, 1);
	raw_send(t, (struct twin_packet){ .protocol = TWIN_TCP,
					  .from = raw,
					  .to = a,
					  .flags = TWIN_SYN | TWIN_ACK,
					  .sequence = 7,
					  .acknowledgement = syn->sequence + 1 });
	hosts_run(t, 20);
	(void)one_event(&t->on_a, EVENT_CONNECTED);
	assert_int_equal(raw_last(t)->ttl, TWIN_TTL - 2);
	hosts_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_comes_as_far_as_its_ttl_and_the_next_as_ever),
		cmocka_unit_test(a_syn_that_dies_ends_the_attempt),
		cmocka_unit_test(a_connection_that_came_about_has_the_usual_ttl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

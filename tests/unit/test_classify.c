// SPDX-License-Identifier: GPL-2.0-or-later
/* The classifier before routers of every kind, and before servers that lead it astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "peers/core/classify.h"
#include "tests/toy_pair.h"

static const char *const dependences[] = { "endpoint-independent", "address-dependent",
					   "address-and-port-dependent" };
static const char *const choices[] = { "preserve", "sequential", "random" };

struct lab {
	struct toy_world *w;
	struct rendezvous rendezvous;
	struct classify classify;
};

static struct lab *lab_new(bool behind_nat)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	lab->w = toy_new(1);
	lab->w->hosts[TOY_A].nat.present = behind_nat;
	toy_set_server(lab->w, &lab->rendezvous);
	return lab;
}

static void lab_free(struct lab *lab)
{
	toy_free(lab->w);
	free(lab);
}

static void run(struct lab *lab, bool tcp)
{
	struct strategy_config config = toy_config(lab->w, TOY_A, tcp);

	config.give_up_us = 500000;
	classify_strategy.init(&lab->classify, &config);
	toy_set_machine(lab->w, TOY_A, classify_strategy.step, &lab->classify, 1000);
	toy_run(lab->w, 600000000);
	assert_true(lab->w->hosts[TOY_A].done);
}

/* The line says name: value. */
static void assert_says(const struct lab *lab, const char *name, const char *value)
{
	CLEANUP(buf) struct buf line = BUF_INIT, wanted = BUF_INIT;

	classify_strategy.report(&lab->classify, &line);
	buf_printf(&wanted, "\"%s\":%s", name, value);
	if (strstr(buf_text(&line), buf_text(&wanted)) == NULL)
		fail_msg("no %s in %s", buf_text(&wanted), buf_text(&line));
}

static void assert_word(const struct lab *lab, const char *name, const char *word)
{
	CLEANUP(buf) struct buf quoted = BUF_INIT;

	buf_printf(&quoted, "\"%s\"", word);
	assert_says(lab, name, buf_text(&quoted));
}

static void assert_failed(const struct lab *lab, const char *reason)
{
	assert_int_equal(lab->w->hosts[TOY_A].status, 1);
	assert_word(lab, "result", "failed");
	assert_word(lab, "reason", reason);
}

static void assert_classified(const struct lab *lab, int mapping, int filtering, int ports)
{
	assert_int_equal(lab->w->hosts[TOY_A].status, 0);
	assert_word(lab, "mapping", dependences[mapping]);
	assert_word(lab, "filtering", dependences[filtering]);
	assert_word(lab, "ports", choices[ports]);
	assert_says(lab, "step", ports == TOY_SEQUENTIAL ? "1," : "0,");
}

static void every_router_is_classified_right_over_udp_and_tcp(void **state)
{
	(void)state;
	for (int n = 0; n < 2 * 3 * 3 * 3; n++) {
		int mapping = n % 3, filtering = n / 3 % 3, ports = n / 9 % 3;
		struct lab *lab = lab_new(true);

		/* What preserves ports has only one for all mappings of a socket to prefer. */
		toy_set_nat(lab->w, TOY_A, (enum toy_dependence)mapping,
			    (enum toy_dependence)filtering, (enum toy_ports)ports);
		run(lab, n >= 27);
		assert_classified(lab, mapping, filtering, ports);
		lab_free(lab);
	}
}

static void a_host_without_a_router_has_no_mapping(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct lab *lab = lab_new(false);

		run(lab, tcp == 1);
		assert_word(lab, "mapping", "none");
		assert_word(lab, "filtering", "endpoint-independent");
		lab_free(lab);
	}
}

static void a_step_of_any_size_is_found_also_where_the_ports_wrap_around(void **state)
{
	static const uint16_t steps[] = { 1, 2, 7, 100 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (unsigned before = 0; before < 12; before++) {
			struct lab *lab = lab_new(true);
			struct toy_nat *nat = &lab->w->hosts[TOY_A].nat;
			char step[16];

			toy_set_nat(lab->w, TOY_A, TOY_ADDRESS_AND_PORT, TOY_ADDRESS,
				    TOY_SEQUENTIAL);
			nat->step = steps[i];
			nat->next = (uint16_t)(nat->last - before * steps[i]);
			run(lab, false);
			assert_word(lab, "ports", "sequential");
			(void)snprintf(step, sizeof(step), "%u,", steps[i]);
			assert_says(lab, "step", step);
			lab_free(lab);
		}
}

/* Every packet to and from the server, one at a time. */
struct loss {
	uint64_t at, count;
};

static bool lose_one(void *arg, const struct toy_world *w, const struct toy_packet *p)
{
	struct loss *loss = arg;

	(void)w;
	(void)p;
	return ++loss->count == loss->at;
}

static void any_one_datagram_may_be_lost_on_the_way_to_the_server(void **state)
{
	uint64_t count = 1;

	(void)state;
	for (uint64_t at = 0; at <= count; at++) {
		struct lab *lab = lab_new(true);
		struct loss loss = { .at = at };

		toy_set_nat(lab->w, TOY_A, TOY_ADDRESS, TOY_ADDRESS, TOY_SEQUENTIAL);
		lab->w->lose = lose_one;
		lab->w->arg = &loss;
		run(lab, false);
		assert_classified(lab, TOY_ADDRESS, TOY_ADDRESS, TOY_SEQUENTIAL);
		if (at == 0)
			count = loss.count;
		lab_free(lab);
	}
	assert_in_range(count, 30, 60);
}

static bool lose_all(void *arg, const struct toy_world *w, const struct toy_packet *p)
{
	(void)arg;
	(void)w;
	(void)p;
	return true;
}

static bool lose_for_a_second(void *arg, const struct toy_world *w, const struct toy_packet *p)
{
	(void)arg;
	(void)p;
	return w->now_us < 1000000;
}

/* Twice as long as a filtering test waits before it calls a router shut. */
static void an_outage_of_a_second_only_delays(void **state)
{
	struct lab *lab = lab_new(true);

	(void)state;
	toy_set_nat(lab->w, TOY_A, TOY_ADDRESS, TOY_ADDRESS, TOY_SEQUENTIAL);
	lab->w->lose = lose_for_a_second;
	run(lab, false);
	assert_classified(lab, TOY_ADDRESS, TOY_ADDRESS, TOY_SEQUENTIAL);
	lab_free(lab);
}

/* The second address answers nothing. */
static bool lose_other(void *arg, const struct toy_world *w, const struct toy_packet *p)
{
	(void)arg;
	(void)w;
	return p->to.addr == TOY_SERVER_ADDR + 1 || p->from.addr == TOY_SERVER_ADDR + 1;
}

static void a_silent_server_is_said_to_be_one(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct lab *lab = lab_new(true);

		lab->w->lose = lose_all;
		run(lab, tcp == 1);
		assert_failed(lab, "the rendezvous does not answer");
		assert_in_range(lab->w->now_us, 3500000, 3510000); /* time for two SYNs more */
		lab_free(lab);
	}
}

static void a_server_with_a_silent_address_is_no_measure(void **state)
{
	struct lab *lab = lab_new(true);

	(void)state;
	lab->w->lose = lose_other;
	run(lab, false);
	assert_failed(lab, "not every address of the rendezvous answers");
	lab_free(lab);
}

/* A server that knows RFC 8489 only: it answers from where it was asked, or refuses to. */
struct plain_server {
	bool refuses;
};

static uint64_t plain_step(void *state, uint64_t now_us, const struct event *ev,
			   struct actions *out)
{
	const struct plain_server *s = state;
	struct stun_message m;
	struct stun_writer writer;
	uint32_t change;

	(void)now_us;
	for (uint32_t i = 0; i < 4 && ev->kind == EVENT_START; i++)
		act_udp_open(out, i, toy_server(i / 2, i % 2));
	if (ev->kind != EVENT_DATAGRAM || !stun_read(ev->data, ev->len, &m))
		return NEVER;
	bool refuse = s->refuses && stun_get_u32(&m, STUN_CHANGE_REQUEST, &change);
	stun_begin(&writer, refuse ? STUN_ERROR : STUN_SUCCESS, STUN_BINDING, &m.id);
	if (!refuse)
		stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, ev->remote);
	act_udp_send(out, ev->socket, ev->remote, writer.data, writer.len);
	return NEVER;
}

static void a_server_without_rfc_5780_is_no_measure_of_filtering(void **state)
{
	(void)state;
	for (int refuses = 0; refuses < 2; refuses++) {
		struct lab *lab = lab_new(true);
		struct plain_server server = { refuses == 1 };

		toy_set_nat(lab->w, TOY_A, TOY_INDEPENDENT, TOY_ADDRESS_AND_PORT, TOY_RANDOM);
		toy_set_machine(lab->w, TOY_SERVER, plain_step, &server, 0);
		run(lab, false);
		assert_failed(lab, "the rendezvous does not answer from another address");
		lab_free(lab);
	}
}

/* A stranger who connects to the listener is not the server connecting back. */
static void only_the_servers_connection_back_counts(void **state)
{
	struct lab *lab = lab_new(true);
	struct classify *c = &lab->classify;

	(void)state;
	toy_set_nat(lab->w, TOY_A, TOY_INDEPENDENT, TOY_ADDRESS_AND_PORT, TOY_RANDOM);
	struct strategy_config config = toy_config(lab->w, TOY_A, true);
	config.give_up_us = 500000;
	classify_strategy.init(c, &config);
	toy_set_machine(lab->w, TOY_A, classify_strategy.step, c, 1000);
	while (c->queries[CLASSIFY_FILTERING_FIRST].state != QUERY_ASKING)
		toy_run(lab->w, lab->w->now_us + 1000);
	(void)toy_socket_new(&lab->w->hosts[TOY_A],
			     (struct toy_socket){ .state = TOY_ESTABLISHED, .id = 0x20000 });
	toy_step(lab->w, TOY_A,
		 &(struct event){ .kind = EVENT_ACCEPTED,
				  .socket = 0x20000,
				  .listener = 100 + CLASSIFY_FILTERING_FIRST,
				  .remote = { 0xc0000201, 7 } });
	toy_run(lab->w, 600000000);
	assert_word(lab, "filtering", "address-and-port-dependent");
	lab_free(lab);
}

/* ---- the judgement alone */

static const char *judge_ports(const uint16_t *mapped, size_t count, int *ret_step)
{
	struct endpoint local[CLASSIFY_SAMPLES], seen[CLASSIFY_SAMPLES];

	for (size_t i = 0; i < count; i++) {
		local[i] = (struct endpoint){ 1, (uint16_t)(40000 + 3 * i) };
		seen[i] = (struct endpoint){ 2, mapped[i] };
	}
	return classify_ports(local, seen, count, ret_step);
}

static void port_choice_is_judged_by_what_most_samples_say(void **state)
{
	static const struct {
		uint16_t mapped[CLASSIFY_SAMPLES];
		const char *choice;
		int step;
	} cases[] = {
		{ { 40000, 40003, 40006, 40009, 40012, 40015, 40018, 40021, 40024, 40027 },
		  "preserve",
		  0 },
		{ { 40000, 40003, 40006, 40009, 7, 40015, 40018, 40021, 40024, 40027 },
		  "preserve",
		  0 },
		{ { 60, 61, 62, 63, 64, 65, 66, 67, 68, 69 }, "sequential", 1 },
		{ { 69, 68, 67, 66, 65, 64, 63, 62, 61, 60 }, "sequential", -1 },
		{ { 60, 61, 63, 64, 65, 66, 67, 68, 69, 70 }, "sequential", 1 },
		{ { 65533, 65534, 65535, 1024, 1025, 1026, 1027, 1029, 1030, 1031 },
		  "sequential",
		  1 },
		{ { 60, 61, 63, 64, 66, 67, 69, 70, 72, 73 }, "block", 0 },
		{ { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 }, "block", 0 },
		/* 4096 ports and 4097, wherever their ends are among the samples. */
		{ { 5095, 1700, 1000, 3001, 1100, 2903, 4500, 2222, 1801, 4001 }, "block", 0 },
		{ { 5096, 1700, 1000, 3001, 1100, 2903, 4500, 2222, 1801, 4001 }, "random", 0 },
		{ { 1700, 3001, 1100, 2903, 4500, 2222, 1801, 4001, 1000, 5096 }, "random", 0 },
		{ { 1000, 3001, 1100, 2903, 4500, 2222, 1801, 4001, 1700, 5095 }, "block", 0 },
		/* One stray is enough: a block is a subscriber's own. */
		{ { 5095, 1700, 1000, 3001, 60001, 2903, 4500, 2222, 1801, 4001 }, "random", 0 },
		{ { 5001, 62000, 31000, 8, 44000, 1025, 29000, 17, 60001, 2222 }, "random", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int step = 99;

		assert_string_equal(judge_ports(cases[i].mapped, CLASSIFY_SAMPLES, &step),
				    cases[i].choice);
		assert_int_equal(step, cases[i].step);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_router_is_classified_right_over_udp_and_tcp),
		cmocka_unit_test(a_host_without_a_router_has_no_mapping),
		cmocka_unit_test(a_step_of_any_size_is_found_also_where_the_ports_wrap_around),
		cmocka_unit_test(any_one_datagram_may_be_lost_on_the_way_to_the_server),
		cmocka_unit_test(an_outage_of_a_second_only_delays),
		cmocka_unit_test(a_silent_server_is_said_to_be_one),
		cmocka_unit_test(a_server_with_a_silent_address_is_no_measure),
		cmocka_unit_test(a_server_without_rfc_5780_is_no_measure_of_filtering),
		cmocka_unit_test(only_the_servers_connection_back_counts),
		cmocka_unit_test(port_choice_is_judged_by_what_most_samples_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

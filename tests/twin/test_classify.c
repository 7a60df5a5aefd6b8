// SPDX-License-Identifier: GPL-2.0-or-later
/* The classifier before routers of every kind, and before servers that lead it astray. */
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "peers/core/classify.h"
#include "tests/twin_stranger.h"

static const char *const dependences[] = { EI, AD, APD };
static const char *const choices[] = { "preserve", "sequential", "random" };

struct lab {
	struct twin_pair *pair;
	struct classify classify;
};

/* nat NULL: no router. */
static struct lab *lab_new(const char *nat)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	lab->pair = pair_new(&(struct pair_config){
		.seed = 1, .nats = { nat }, .delays_us = { 5000, 5000, 5000 } });
	return lab;
}

static void lab_free(struct lab *lab)
{
	pair_free(lab->pair);
	free(lab);
}

static void start(struct lab *lab, bool tcp)
{
	struct strategy_config config = pair_strategy_config(lab->pair, PAIR_A, tcp);

	config.give_up_us = 500000;
	classify_strategy.init(&lab->classify, &config);
	pair_set_machine(lab->pair, PAIR_A, classify_strategy.step, &lab->classify, PAIR_START_US);
}

static void run(struct lab *lab, bool tcp)
{
	start(lab, tcp);
	pair_run(lab->pair, 600000000);
	assert_true(pair_is_done(lab->pair, PAIR_A));
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
	assert_int_equal(pair_status(lab->pair, PAIR_A), 1);
	assert_word(lab, "result", "failed");
	assert_word(lab, "reason", reason);
}

/* Indexes of the words above. */
static void assert_classified(const struct lab *lab, int mapping, int filtering, int ports)
{
	assert_int_equal(pair_status(lab->pair, PAIR_A), 0);
	assert_word(lab, "mapping", dependences[mapping]);
	assert_word(lab, "filtering", dependences[filtering]);
	assert_word(lab, "ports", choices[ports]);
	assert_says(lab, "step", strcmp(choices[ports], "sequential") == 0 ? "1," : "0,");
}

static void every_router_is_classified_right_over_udp_and_tcp(void **state)
{
	(void)state;
	for (int n = 0; n < 2 * 3 * 3 * 3; n++) {
		int mapping = n % 3, filtering = n / 3 % 3, ports = n / 9 % 3;
		CLEANUP(buf) struct buf nat = BUF_INIT;

		buf_printf(&nat, NAT("%s", "%s", "%s"), dependences[mapping],
			   dependences[filtering], choices[ports]);
		struct lab *lab = lab_new(buf_text(&nat));
		run(lab, n >= 27);
		assert_classified(lab, mapping, filtering, ports);
		lab_free(lab);
	}
}

static void a_host_without_a_router_has_no_mapping(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct lab *lab = lab_new(NULL);

		run(lab, tcp == 1);
		assert_word(lab, "mapping", "none");
		assert_word(lab, "filtering", "endpoint-independent");
		lab_free(lab);
	}
}

/* Where the router's ports go over the end of their range: behind which sample, from 1; 0: they do
 * not. */
static size_t find_wrap(const struct classify *c, int step)
{
	for (size_t i = 1; i < CLASSIFY_SAMPLES; i++)
		if (c->queries[i].mapped.port != c->queries[i - 1].mapped.port + step)
			return i;
	return 0;
}

/* The range has room for 40 ports, and the sequence begins anywhere in it: often enough, that it
 * ends between any two samples. */
static void a_step_of_any_size_is_found_also_where_the_ports_wrap_around(void **state)
{
	static const int steps[] = { 1, 2, 7, 100, -1, -7 };

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		CLEANUP(buf) struct buf nat = BUF_INIT, step = BUF_INIT;
		unsigned wrapped = 0;

		buf_printf(&nat,
			   "mapping: " APD "\nfiltering: " AD "\n"
			   "ports: { choose: sequential, range: [6000, %d], step: %d }\n",
			   5999 + 40 * abs(steps[i]), steps[i]);
		buf_printf(&step, "%d,", steps[i]);
		for (uint64_t seed = 0; seed < 200; seed++) {
			struct lab *lab = lab_new(buf_text(&nat));

			twin_router_reset(lab->pair->hosts[PAIR_A].router, seed);
			run(lab, false);
			assert_word(lab, "ports", "sequential");
			assert_says(lab, "step", buf_text(&step));
			wrapped |= 1u << find_wrap(&lab->classify, steps[i]);
			lab_free(lab);
		}
		assert_int_equal(wrapped, (1u << CLASSIFY_SAMPLES) - 1);
	}
}

/* Every packet to and from the server, one at a time. */
struct loss {
	uint64_t at, count;
};

static bool lose_one(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	struct loss *loss = arg;

	(void)now_us;
	(void)p;
	return ++loss->count == loss->at;
}

static void any_one_datagram_may_be_lost_on_the_way_to_the_server(void **state)
{
	uint64_t count = 1;

	(void)state;
	for (uint64_t at = 0; at <= count; at++) {
		struct lab *lab = lab_new(NAT(AD, AD, "sequential"));
		struct loss loss = { .at = at };

		lab->pair->lose = lose_one;
		lab->pair->lose_arg = &loss;
		run(lab, false);
		assert_classified(lab, 1, 1, 1);
		if (at == 0)
			count = loss.count;
		lab_free(lab);
	}
	assert_in_range(count, 30, 60);
}

static bool lose_all(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	(void)arg;
	(void)now_us;
	(void)p;
	return true;
}

static bool lose_for_a_second(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	(void)arg;
	(void)p;
	return now_us < 1000000;
}

/* Twice as long as a filtering test waits before it calls a router shut. */
static void an_outage_of_a_second_only_delays(void **state)
{
	struct lab *lab = lab_new(NAT(AD, AD, "sequential"));

	(void)state;
	lab->pair->lose = lose_for_a_second;
	run(lab, false);
	assert_classified(lab, 1, 1, 1);
	lab_free(lab);
}

/* The second address answers nothing. */
static bool lose_other(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	(void)arg;
	(void)now_us;
	return p->to.addr == PAIR_SERVER_ADDR + 1 || p->from.addr == PAIR_SERVER_ADDR + 1;
}

static void a_silent_server_is_said_to_be_one(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct lab *lab = lab_new(NAT(AD, AD, "sequential"));

		lab->pair->lose = lose_all;
		run(lab, tcp == 1);
		assert_failed(lab, "the rendezvous does not answer");
		assert_in_range(lab->pair->hosts[PAIR_A].done_us, 3500000,
				3510000); /* time for two SYNs more */
		lab_free(lab);
	}
}

static void a_server_with_a_silent_address_is_no_measure(void **state)
{
	struct lab *lab = lab_new(NAT(AD, AD, "sequential"));

	(void)state;
	lab->pair->lose = lose_other;
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
		act_udp_open(out, i, pair_server(i / 2, i % 2));
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
		struct lab *lab = lab_new(NAT(EI, APD, "random"));
		struct plain_server server = { refuses == 1 };

		pair_set_machine(lab->pair, PAIR_SERVER, plain_step, &server, 0);
		run(lab, false);
		assert_failed(lab, "the rendezvous does not answer from another address");
		lab_free(lab);
	}
}

/* A firewall that lets nobody in but the stranger. */
static bool let_in_the_stranger(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	struct stranger *s = arg;

	(void)now_us;
	if (stranger_is_meant(s, p)) {
		stranger_take(s, p);
		return true;
	}
	return p->protocol == TWIN_TCP && p->flags == TWIN_SYN && pair_is_server(p->from);
}

/* A stranger who connects to the listener is not the server connecting back. */
static void only_the_servers_connection_back_counts(void **state)
{
	struct lab *lab = lab_new(NULL);
	const struct classify_query *filtering = &lab->classify.queries[CLASSIFY_FILTERING_FIRST];
	struct stranger s = { 0 };

	(void)state;
	lab->pair->lose = let_in_the_stranger;
	lab->pair->lose_arg = &s;
	start(lab, true);
	while (filtering->state != QUERY_ASKING)
		pair_run(lab->pair, pair_now_us(lab->pair) + 1000);
	s = stranger_of(lab->pair, PAIR_A, (struct endpoint){ STRANGER, 7 }, filtering->local);
	stranger_send(&s, TWIN_SYN, NULL, 0);
	pair_run(lab->pair, pair_now_us(lab->pair) + 5000);
	assert_int_equal(s.syns, 1);
	stranger_send(&s, TWIN_ACK, NULL, 0);
	assert_int_equal(filtering->state, QUERY_ASKING);
	pair_run(lab->pair, 600000000);
	assert_word(lab, "filtering", APD);
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

// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables for people, and the judgement of cells that they show. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/report/matrix.h"
#include "sim/report/measurements.h"
#include "sim/report/nat_table.h"
#include "sim/report/results.h"
#include "sim/report/sweep.h"
#include "tests/golden.h"

static const struct style plain = { false, "", "", "", "", "", false };

static struct run_cell cell(const char *nat_a, const char *nat_b, double expected,
			    unsigned successes)
{
	return (struct run_cell){ .names = { .topology = "two-homes",
					     .nat_a = nat_a,
					     .nat_b = nat_b,
					     .transport = "udp",
					     .strategy = "punch",
					     .link = "home" },
				  .expected = expected,
				  .trials = 20,
				  .successes = successes };
}

static void assert_prints(const struct buf *out, const char *text)
{
	if (strstr(buf_text(out), text) == NULL)
		fail_msg("\"%s\" is not in:\n%s", text, buf_text(out));
}

static void reasons_are_sorted_by_how_often_they_occur(void **state)
{
	struct run_cell c = { 0 };

	(void)state;
	run_add_reason(&c, "one", 1);
	run_add_reason(&c, "three", 3);
	run_add_reason(&c, "two", 2);
	run_add_reason(&c, "one", 4);
	run_add_reason(&c, "four", 1);
	run_add_reason(&c, "no room", 100);
	assert_string_equal(c.reasons[0].text, "one");
	assert_int_equal(c.reasons[0].count, 5);
	assert_string_equal(c.reasons[1].text, "three");
	assert_string_equal(c.reasons[2].text, "two");
	assert_string_equal(c.reasons[3].text, "four");
}

static void a_run_is_as_expected_if_every_cell_is(void **state)
{
	struct run_cell cells[4] = { cell("x", "x", 1, 20), cell("x", "y", 0, 0),
				     cell("y", "x", -1, 7), cell("y", "y", 0.5, 10) };

	(void)state;
	assert_true(run_judge(cells, 4));
	assert_int_equal(cells[2].verdict, VERDICT_AS_EXPECTED);
	assert_true(cells[0].ci95.low > 0.83 && cells[0].ci95.high == 1);
	cells[0].successes = 19;
	assert_false(run_judge(cells, 4));
	assert_int_equal(cells[0].verdict, VERDICT_TOO_LOW);
	cells[0].successes = 20;
	cells[1].successes = 1;
	assert_false(run_judge(cells, 4));
	assert_int_equal(cells[1].verdict, VERDICT_TOO_HIGH);
	/* Nothing tried: nothing known, and nothing wrong. */
	cells[1].trials = cells[1].successes = 0;
	assert_true(run_judge(cells, 4));
	assert_int_equal(cells[1].verdict, VERDICT_UNDECIDED);
	assert_true(cells[1].ci95.low == 0 && cells[1].ci95.high == 1);
}

static void the_matrix_shows_measured_and_expected_for_each_pair(void **state)
{
	struct run_cell cells[4] = { cell("open", "open", 1, 20), cell("open", "hard", 1, 20),
				     cell("hard", "open", 1, 19), cell("hard", "hard", 0, 0) };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	run_add_reason(&cells[2], "bad luck", 1);
	run_add_reason(&cells[3], "nothing came in", 20);
	(void)run_judge(cells, 4);
	matrix_print(cells, 4, &plain, &out);
	assert_prints(&out,
		      "UDP, punch, two-homes, link home: connected/expected in %, of 20 trials\n");
	assert_prints(&out, "a:  1 open   100/100  100/100\n");
	assert_prints(&out, "    2 hard    95/100      0/0\n");
	assert_prints(&out, "too-low: hard with open over udp: 19 of 20, interval 76 to 99 %, "
			    "expected 100 %\n    1 times: bad luck\n");
	assert_prints(&out, "1 pair did not always connect, as expected; why (of 20 trials):\n"
			    "     20  nothing came in\n");
	assert_null(strchr(buf_text(&out), '\033'));
}

/* All that a table can have in it. */
static void the_matrix_is_as_it_was(void **state)
{
	struct run_cell cells[4] = { cell("open", "open", 1, 20), cell("open", "hard", 0.5, 9),
				     cell("hard", "open", 1, 17), cell("hard", "hard", -1, 0) };
	double ms[] = { 20, 10, 30 }, packets[] = { 6, 4, 8 };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	cells[0].connect_ms = ms;
	cells[0].packets = packets;
	cells[0].connect_count = cells[0].packets_count = 3;
	run_add_reason(&cells[1], "nothing came in", 11);
	run_add_reason(&cells[2], "bad luck", 3);
	run_add_reason(&cells[3], "nothing came in", 20);
	(void)run_judge(cells, 4);
	matrix_print(cells, 4, &plain, &out);
	golden_compare("matrix.txt", buf_text(&out));
}

static void each_transport_gets_a_table_of_its_own(void **state)
{
	struct run_cell cells[2] = { cell("open", "hard", -1, 5), cell("open", "hard", 1, 20) };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	cells[1].names.transport = "tcp";
	(void)run_judge(cells, 2);
	matrix_print(cells, 2, &plain, &out);
	assert_prints(&out, "UDP, punch");
	assert_prints(&out, "TCP, punch");
	assert_prints(&out, " 25/-\n");
	/* Rows and columns differ, so the columns have names too. */
	assert_prints(&out, "b:  1 hard\n");
	assert_null(strstr(buf_text(&out), "too-"));
}

static void the_matrix_tells_only_the_costs_that_peers_told(void **state)
{
	struct run_cell c = cell("open", "open", 1, 20);
	double ms[] = { 20, 10, 30 }, packets[] = { 6, 4, 8 };
	CLEANUP(buf) struct buf neither = BUF_INIT;
	CLEANUP(buf) struct buf times = BUF_INIT;
	CLEANUP(buf) struct buf counts = BUF_INIT;
	CLEANUP(buf) struct buf both = BUF_INIT;

	(void)state;
	c.connect_ms = ms;
	c.packets = packets;
	matrix_print(&c, 1, &plain, &neither);
	c.connect_count = 3;
	matrix_print(&c, 1, &plain, &times);
	c.packets_count = 3;
	matrix_print(&c, 1, &plain, &both);
	c.connect_count = 0;
	matrix_print(&c, 1, &plain, &counts);
	assert_null(strstr(buf_text(&neither), "(median)"));
	assert_prints(&times, "\nconnected in 20.0 ms (median), 30.0 ms (95 %)\n");
	assert_prints(&both, "30.0 ms (95 %); 6 packets (median)\n");
	assert_prints(&counts, "\n6 packets (median)\n");
}

/* ---- sweeps */

static const struct suite_point delays[] = {
	{ SUITE_DELAY, (char[]){ "0ms" }, 0, NULL },
	{ SUITE_DELAY, (char[]){ "20ms" }, 20000, NULL },
	{ SUITE_DELAY, (char[]){ "1500ms" }, 1500000, NULL },
};

/* Two pairs, three values each: all, some, none and nothing yet. */
static void make_sweep(struct run_cell cells[static 6])
{
	for (size_t i = 0; i < 6; i++) {
		cells[i] = i < 3 ? cell("open", "open", 1, 20) : cell("open", "hard", 0.5, 9);
		cells[i].names.point = &delays[i % 3];
	}
	cells[1].successes = 17;
	cells[2].successes = 0;
	cells[5].trials = cells[5].successes = 0;
	run_add_reason(&cells[2], "too far", 20);
	run_add_reason(&cells[3], "bad luck", 11);
	run_add_reason(&cells[4], "bad luck", 11);
}

/* The lines that end in a picture. */
static void assert_width(const char *text)
{
	unsigned lines = 0;

	for (size_t len; *text != '\0'; text += len + 1) {
		len = strcspn(text, "\n");
		if (len == 0 || text[len - 1] != '|')
			continue;
		lines++;
		if (len > 80)
			fail_msg("%zu columns: %.*s", len, (int)len, text);
	}
	assert_int_equal(lines, 6);
}

static void a_sweep_is_a_table_and_a_picture_for_each_pair(void **state)
{
	struct run_cell cells[6];
	double ms[] = { 20, 10, 30 };
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	make_sweep(cells);
	cells[0].connect_ms = ms;
	cells[0].connect_count = 3;
	(void)run_judge(cells, 6);
	sweep_print(cells, 6, &plain, &out);
	assert_prints(&out, "UDP, punch, two-homes, link home: open with hard\n");
	assert_prints(&out, "  20ms     17/20     85    64-95    100         - |-");
	assert_prints(&out, "too-low: open with open over udp, delay 1500ms: 0 of 20, ");
	assert_prints(&out, "-======o===-|\n");
	assert_width(buf_text(&out));
	golden_compare("sweep.txt", buf_text(&out));
}

static void a_sweep_of_many_trials_shows_tenths_and_blocks_where_they_can_be_read(void **state)
{
	const struct style utf8 = { false, "", "", "", "", "", true };
	struct run_cell cells[6];
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	make_sweep(cells);
	for (size_t i = 0; i < 6; i++) {
		cells[i].trials *= 50;
		cells[i].successes *= 50;
	}
	(void)run_judge(cells, 6);
	sweep_print(cells, 6, &utf8, &out);
	assert_prints(&out, "850/1000   85.0  82.7-87.1 ");
	assert_prints(&out, "▓┃░");
	golden_compare("sweep-utf8.txt", buf_text(&out));
}

/* ---- what is written */

static void a_trial_says_null_for_what_its_peers_did_not_say(void **state)
{
	static const struct results_about about = { .suite = "some" };
	struct run_cell c = cell("open", "open", 1, 20);
	struct run_trial trial = { .result = { .success = true,
					       .path = VERDICT_PATH_DIRECT,
					       .connect_ms = -1,
					       .packets = -1 } };
	char text[1024] = "";

	(void)state;
	for (int64_t packets = -1; packets <= 0; packets++) {
		FILE *file = fmemopen(text, sizeof(text), "w");

		assert_non_null(file);
		trial.result.packets = packets;
		assert_int_equal(results_write_trial(file, &about, &c.names, &trial, NULL), 0);
		(void)fclose(file);
		assert_non_null(strstr(text, "\"connect_ms\":null,"));
		assert_non_null(strstr(text, packets < 0 ? "\"packets\":null," : "\"packets\":0,"));
	}
}

static void a_trial_and_a_cell_of_a_sweep_say_its_value(void **state)
{
	static const struct results_about about = { .suite = "some" };
	struct run_cell cells[6];
	struct run_trial trial = { .result = { .success = true } };
	char text[1024] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	(void)state;
	make_sweep(cells);
	assert_non_null(file);
	assert_int_equal(results_write_trial(file, &about, &cells[1].names, &trial, NULL), 0);
	(void)fclose(file);
	assert_non_null(strstr(text, "\"sweep\":{\"parameter\":\"delay\",\"value\":\"20ms\"},"));
}

/* ---- the NAT table */

static void the_nat_table_shows_ports_inside_and_outside(void **state)
{
	static const struct conntrack_entry entries[] = {
		{ .protocol = IPPROTO_TCP,
		  .original_from = { 0x0a010002, 40001 },
		  .original_to = { 0xcb00710a, 80 },
		  .reply_from = { 0xcb00710a, 80 },
		  .reply_to = { 0xc6336401, 6000 } },
		{ .protocol = IPPROTO_UDP,
		  .original_from = { 0xcb007114, 443 },
		  .original_to = { 0xc6336401, 6001 },
		  .reply_from = { 0x0a010002, 40002 },
		  .reply_to = { 0xcb007114, 443 } },
		{ .protocol = 132, .original_from = { 0x0a010003, 1 }, .reply_to = { 0, 2 } },
	};
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	nat_table_print("home-a", 0xc6336401, entries, 3, &out);
	assert_string_equal(
		buf_text(&out),
		"home-a: 3 connections\n"
		"FROM HOST        PORT   TO SERVER        PORT   PROTOCOL  ROUTER PORT\n"
		"10.1.0.2         40001  203.0.113.10     80     TCP       6000\n"
		"10.1.0.2         40002  203.0.113.20     443    UDP       6001 "
		"(begun from outside)\n"
		"10.1.0.3         1      0.0.0.0          0      132       2\n");
}

static void a_router_without_connections_has_no_table(void **state)
{
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	nat_table_print("home-a", 1, NULL, 0, &out);
	assert_string_equal(buf_text(&out), "home-a: 0 connections\n");
}

/* ---- measurements */

static void a_model_has_one_name_however_it_was_given(void **state)
{
	static const char *const names[] = { "./some/share.yaml", "full-cone" };
	static const struct measurement m[] = {
		{ .complete = true,
		  .declared = { "endpoint-independent", "address-dependent", "random", 0 },
		  .measured = { "address-dependent", "address-dependent", "random", 0 } },
		{ .model = 1, .tcp = true, .reason = "it ended early" },
	};
	CLEANUP(buf) struct buf out = BUF_INIT;

	(void)state;
	measurements_print(m, 2, names, &out);
	assert_string_equal(buf_text(&out),
			    "MODEL          MAPPING                    FILTERING                  "
			    "PORTS\n"
			    "share     udp  address-dependent          address-dependent          "
			    "random        DIFFERS\n"
			    "full-cone tcp  not measured: it ended early\n"
			    "share over udp: mapping measured as address-dependent, declared as "
			    "endpoint-independent\n"
			    "full-cone over tcp: not measured: it ended early\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_sorted_by_how_often_they_occur),
		cmocka_unit_test(a_run_is_as_expected_if_every_cell_is),
		cmocka_unit_test(the_matrix_shows_measured_and_expected_for_each_pair),
		cmocka_unit_test(the_matrix_is_as_it_was),
		cmocka_unit_test(each_transport_gets_a_table_of_its_own),
		cmocka_unit_test(the_matrix_tells_only_the_costs_that_peers_told),
		cmocka_unit_test(a_trial_says_null_for_what_its_peers_did_not_say),
		cmocka_unit_test(a_sweep_is_a_table_and_a_picture_for_each_pair),
		cmocka_unit_test(
			a_sweep_of_many_trials_shows_tenths_and_blocks_where_they_can_be_read),
		cmocka_unit_test(a_trial_and_a_cell_of_a_sweep_say_its_value),
		cmocka_unit_test(the_nat_table_shows_ports_inside_and_outside),
		cmocka_unit_test(a_router_without_connections_has_no_table),
		cmocka_unit_test(a_model_has_one_name_however_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

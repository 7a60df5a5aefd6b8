// SPDX-License-Identifier: GPL-2.0-or-later
/* Which ports a ruleset hands out, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/composed.h"

#define CONE "mapping: endpoint-independent\nfiltering: address-dependent\n"

/* Behind what, which must be there. */
static const char *behind(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	if (at == NULL)
		fail_msg("there is no %s", what);
	return at + strlen(what);
}

static unsigned number_at(const char **at)
{
	char *end = NULL;
	unsigned long value = strtoul(*at, &end, 10);

	assert_true(end > *at);
	*at = end;
	return (unsigned)value;
}

/* The number there, and over what follows it. */
static unsigned number_before(const char **at, const char *what)
{
	unsigned value = number_at(at);

	if (strncmp(*at, what, strlen(what)) != 0)
		fail_msg("%u is not followed by %s but by %.20s", value, what, *at);
	*at += strlen(what);
	return value;
}

static void composed_ports(const char *ports, const struct ruleset_files *rules, struct buf *ret)
{
	char yaml[300];

	(void)snprintf(yaml, sizeof(yaml), CONE "ports: { %s }", ports);
	composed_from(yaml, rules, ret);
}

/* ---- sequences */

/* Those for places in the sequence whose last byte is the same. */
struct row {
	unsigned count, offset, handed_out;
};

static void read_rows(const char *text, struct row rows[static 256])
{
	const char *at = text;

	for (unsigned i = 0; i < 256; i++) {
		at = behind(at, "\tchain row_");
		assert_int_equal(number_before(&at, " {\n\t\tupdate @port_at { ct mark : "
						    "numgen inc mod "),
				 i);
		rows[i].count = number_before(&at, " offset ");
		rows[i].offset = number_before(&at, " }\n\t}\n");
	}
	assert_null(strstr(at, "\tchain row_"));
}

/* Which row is the turn of a place with such a last byte. */
static void read_turns(const char *text, unsigned turns[static 256])
{
	const char *at = behind(text, "\t\tct mark & 0xff vmap { ");

	for (unsigned i = 0; i < 256; i++)
		turns[i] = 256;
	for (unsigned i = 0; i < 256; i++) {
		unsigned last_byte = number_before(&at, " : jump row_");

		assert_in_range(last_byte, 0, 255);
		assert_int_equal(turns[last_byte], 256);
		turns[last_byte] = number_before(&at, i < 255 ? ", " : " }\n");
		assert_in_range(turns[last_byte], 0, 255);
	}
}

/* As the kernel on a little-endian machine: a number's bytes are taken for a port's as they are. */
static unsigned port_of(const struct row *row, unsigned turn)
{
	unsigned value = row->offset + turn % row->count;

	return (value & 0xff) << 8 | value >> 8;
}

static void assert_hands_out(const char *text, unsigned first, unsigned last)
{
	static struct row rows[256];
	static unsigned turns[256];
	const char *at = behind(text, "\t\tct mark set numgen inc mod ");
	unsigned count = number_before(&at, " offset 1\n"), total = 0;

	memset(rows, 0, sizeof(rows));
	read_rows(text, rows);
	read_turns(text, turns);
	assert_int_equal(count, last - first + 1);
	for (unsigned i = 0; i < 256; i++)
		total += rows[i].count;
	assert_int_equal(total, count);
	/* Three times round: the rows do not all come to their ends together. */
	for (unsigned i = 0; i < 3 * count; i++) {
		unsigned place = i % count + 1;
		struct row *row = &rows[turns[place & 0xff]];
		unsigned port = port_of(row, row->handed_out++);

		if (port != first + i % count)
			fail_msg("[%u, %u]: number %u is %u", first, last, i, port);
	}
}

static void a_wide_range_is_handed_out_port_by_port(void **state)
{
	static const unsigned ranges[][2] = { { 1024, 65535 },  { 6000, 65535 }, { 1, 65535 },
					      { 20000, 29999 }, { 6000, 7024 },  { 6000, 7280 },
					      { 255, 1535 },    { 64511, 65535 } };
	static const char *const wanted[] = { "choose: sequential", "on_clash: sequential" };

	for (size_t n = 0; n < 2 * sizeof(ranges) / sizeof(ranges[0]); n++) {
		const unsigned *range = ranges[n / 2];
		char ports[100];
		struct buf text;

		(void)snprintf(ports, sizeof(ports), "%s, range: [%u, %u]", wanted[n % 2], range[0],
			       range[1]);
		composed_ports(ports, *state, &text);
		assert_hands_out(buf_text(&text), range[0], range[1]);
		buf_fini(&text);
	}
}

static void other_sequences_are_listed_with_their_step_and_direction(void **state)
{
	static const struct {
		unsigned first, last;
		int step;
	} cases[] = { { 6000, 6015, 1 },  { 6000, 7023, 1 },   { 6000, 6031, 2 },
		      { 6000, 6031, -1 }, { 6000, 8000, -2 },  { 6001, 8000, 7 },
		      { 6000, 8999, 2 },  { 6000, 10095, -1 }, { 1, 4096, -256 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int port = cases[i].step > 0 ? (int)cases[i].first : (int)cases[i].last;
		unsigned count = 0;
		char ports[100];
		struct buf text;

		(void)snprintf(ports, sizeof(ports),
			       "choose: sequential, range: [%u, %u], step: %d", cases[i].first,
			       cases[i].last, cases[i].step);
		composed_ports(ports, *state, &text);
		const char *at = behind(buf_text(&text), "\t\telements = {");
		for (; port >= (int)cases[i].first && port <= (int)cases[i].last;
		     port += cases[i].step) {
			assert_int_equal(number_before(&at, " : "), ++count);
			assert_int_equal(number_before(&at, ","), port);
		}
		assert_memory_equal(at, "\n}\n", 3);
		at = behind(at, "numgen inc mod ");
		assert_int_equal(number_before(&at, " offset 1\n"), count);
		buf_fini(&text);
	}
}

/* ---- blocks and parity */

static void blocks_are_apart_and_within_the_range(void **state)
{
	static const unsigned cases[][4] = { /* first, last, block, blocks */
					     { 1024, 65535, 1008, 64 }, { 1024, 65535, 2000, 32 },
					     { 1024, 65535, 16, 64 },   { 6000, 6063, 64, 1 },
					     { 6000, 6126, 64, 1 },     { 6000, 6127, 64, 2 },
					     { 1, 65535, 65535, 1 },    { 64000, 65535, 100, 15 }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned next = cases[i][0];
		char ports[100];
		struct buf text;

		(void)snprintf(ports, sizeof(ports), "choose: block, range: [%u, %u], block: %u",
			       cases[i][0], cases[i][1], cases[i][2]);
		composed_ports(ports, *state, &text);
		const char *at = behind(buf_text(&text), "snat ip to ip saddr map {");
		for (unsigned block = 0; block < cases[i][3]; block++) {
			at = behind(at, "$HOST_");
			assert_int_equal(number_before(&at, " : $ADDRESS . "), 2 + block);
			assert_int_equal(number_before(&at, "-"), next);
			next += cases[i][2];
			assert_int_equal(number_before(&at, ","), next - 1);
		}
		assert_memory_equal(at, "\n} random\n", 10);
		assert_in_range(next - 1, cases[i][0], cases[i][1]);
		buf_fini(&text);
	}
}

/* Returns what is behind the list. */
static const char *assert_lists(const char *text, unsigned first, unsigned last, unsigned odd)
{
	const char *at = behind(text, "numgen random mod ");
	unsigned count = number_before(&at, " map {"), listed = 0;

	for (unsigned port = first; port <= last; port++) {
		if (port % 2 != odd)
			continue;
		assert_int_equal(number_before(&at, " : "), listed++);
		assert_int_equal(number_before(&at, ","), port);
	}
	assert_memory_equal(at, "\n}\n", 3);
	assert_int_equal(listed, count);
	return at;
}

static void ports_with_parity_are_the_even_and_the_odd_ones_of_the_range(void **state)
{
	static const unsigned ranges[][2] = {
		{ 10000, 14000 }, { 10001, 14000 }, { 10001, 14001 },
		{ 10000, 14001 }, { 1, 4096 },      { 65520, 65535 }
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		char ports[100];
		struct buf text;

		(void)snprintf(ports, sizeof(ports), "choose: random, parity: yes, range: [%u, %u]",
			       ranges[i][0], ranges[i][1]);
		composed_ports(ports, *state, &text);
		const char *at = behind(buf_text(&text), "th sport & 1 == 0 \\\n");
		at = assert_lists(at, ranges[i][0], ranges[i][1], 0);
		(void)assert_lists(at, ranges[i][0], ranges[i][1], 1);
		buf_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wide_range_is_handed_out_port_by_port),
		cmocka_unit_test(other_sequences_are_listed_with_their_step_and_direction),
		cmocka_unit_test(blocks_are_apart_and_within_the_range),
		cmocka_unit_test(ports_with_parity_are_the_even_and_the_odd_ones_of_the_range),
	};

	return cmocka_run_group_tests_name("ruleset_ports", tests, composed_setup,
					   composed_teardown);
}

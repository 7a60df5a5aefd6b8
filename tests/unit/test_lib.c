// SPDX-License-Identifier: GPL-2.0-or-later
/* The small things in lib that everything stands on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/endpoint.h"
#include "lib/err.h"

/* ---- err */

static void err_set_appends_the_reason_of_the_code(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "open %s", "x"), -ENOENT);
	assert_int_equal(e.kind, ERR_MACHINE);
	assert_string_equal(e.text, "open x: No such file or directory");
	assert_int_equal(err_set_plain(&e, -EIO, "that is %d", 7), -EIO);
	assert_string_equal(e.text, "that is 7");
}

static void err_set_input_at_leaves_out_what_is_not_known(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set_input_at(&e, "f.yaml", 3, 7, "bad %s", "key"), -EINVAL);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_string_equal(e.text, "f.yaml:3:7: bad key");
	err_set_input_at(&e, "f.yaml", 3, 0, "bad");
	assert_string_equal(e.text, "f.yaml:3: bad");
	err_set_input_at(&e, "f.yaml", 0, 7, "bad");
	assert_string_equal(e.text, "f.yaml: bad");
	assert_int_equal(err_set_input(&e, "bad"), -EINVAL);
	assert_string_equal(e.text, "bad");
}

static void err_prefix_goes_before_what_is_there(void **state)
{
	struct err e;

	(void)state;
	err_set_input(&e, "bad");
	err_prefix(&e, "lab %d", 1);
	assert_string_equal(e.text, "lab 1: bad");
	assert_int_equal(e.kind, ERR_INPUT);
}

static void an_error_is_one_printable_line_however_long_its_parts(void **state)
{
	char long_name[2000];
	struct err e;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	err_set(&e, -ENOENT, "open %s", long_name);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_prefix(&e, "%s", long_name);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_set_input_at(&e, "a\nb", 1, 1, "c\td\033[2J\x7f");
	assert_string_equal(e.text, "a?b:1:1: c?d?[2J?");
}

static void no_err_at_all_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_set_plain(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_set_input(NULL, "x"), -EINVAL);
	assert_int_equal(err_set_input_at(NULL, "f", 1, 1, "x"), -EINVAL);
	err_prefix(NULL, "x");
}

/* ---- buf */

static void buf_grows_and_is_always_ended_by_nul(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%d,", i % 10);
		assert_int_equal(b.len, 2 * (i + 1));
		assert_int_equal(b.data[b.len], '\0');
	}
	buf_puts(&b, "");
	buf_add(&b, NULL, 0);
	assert_int_equal(strlen(buf_text(&b)), 2000);
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
}

static void buf_printf_takes_texts_of_every_length_around_its_size(void **state)
{
	(void)state;
	for (int len = 0; len < 300; len++) {
		CLEANUP(buf) struct buf b = BUF_INIT;

		buf_printf(&b, "%*s", len, "");
		assert_int_equal(b.len, len);
		assert_int_equal(strlen(buf_text(&b)), len);
	}
}

static void buf_steal_leaves_an_empty_buffer(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	char *nothing = buf_steal(&b);
	assert_string_equal(nothing, "");
	free(nothing);
	buf_puts(&b, "text");
	char *text = buf_steal(&b);
	assert_string_equal(text, "text");
	free(text);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_puts(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_fini(&b);
	buf_fini(&b);
}

/* ---- endpoint */

static void addresses_are_read_in_full_or_refused(void **state)
{
	static const char *const bad[] = { "",          "1",         "1.2.3",           "1.2.3.4.5",
					   "256.1.1.1", "01.2.3.4",  "1.2.3.04",        " 1.2.3.4",
					   "1.2.3.4 ",  "+1.2.3.4",  "1..3.4",          "1.2.3.",
					   "1.2.3.-4",  "0x1.2.3.4", "1.2.3.4294967297" };
	uint32_t addr = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(addr_parse(bad[i], &addr));
	assert_int_equal(addr, 7);
	assert_true(addr_parse("203.0.113.1", &addr));
	assert_int_equal(addr, 0xcb007101);
	assert_true(addr_parse("0.0.0.0", &addr));
	assert_true(addr_parse("255.255.255.255", &addr));
	assert_int_equal(addr, 0xffffffff);
}

static void endpoints_are_read_in_full_or_refused(void **state)
{
	static const char *const bad[] = {
		"1.2.3.4",    "1.2.3.4:",   "1.2.3.4:65536",      "1.2.3.4:01",
		"1.2.3.4:1x", "1.2.3.4 :1", "1.2.3.4:4294967297", ":1",
		"1.2.3.4:-1", "1.2.3.4/1"
	};
	struct endpoint ep = { 1, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(endpoint_parse(bad[i], &ep));
	assert_true(endpoint_equal(ep, (struct endpoint){ 1, 2 }));
	assert_true(endpoint_parse("10.1.0.2:40001", &ep));
	assert_true(endpoint_equal(ep, (struct endpoint){ 0x0a010002, 40001 }));
	assert_true(endpoint_parse("0.0.0.0:0", &ep));
	assert_true(endpoint_is_none(ep));
	assert_false(endpoint_is_none((struct endpoint){ 0, 1 }));
	assert_false(endpoint_equal((struct endpoint){ 1, 2 }, (struct endpoint){ 1, 3 }));
	assert_false(endpoint_equal((struct endpoint){ 1, 2 }, (struct endpoint){ 2, 2 }));
}

static void prefixes_know_their_mask_and_what_they_contain(void **state)
{
	struct prefix p = { 9, 9 };

	(void)state;
	assert_false(prefix_parse("10.0.0.0/33", &p));
	assert_false(prefix_parse("10.0.0.0", &p));
	assert_int_equal(p.length, 9);
	assert_true(prefix_parse("10.1.2.3/20", &p));
	assert_int_equal(prefix_mask(p), 0xfffff000);
	assert_int_equal(prefix_network(p).addr, 0x0a010000);
	assert_true(prefix_contains(p, 0x0a010fff));
	assert_false(prefix_contains(p, 0x0a011000));
	assert_true(prefix_contains((struct prefix){ 0, 0 }, 0xffffffff));
	assert_int_equal(prefix_mask((struct prefix){ 0, 0 }), 0);
	assert_int_equal(prefix_mask((struct prefix){ 0, 32 }), 0xffffffff);
}

static void the_longest_texts_fit_their_buffers(void **state)
{
	char addr[ADDR_TEXT_SIZE], ep[ENDPOINT_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];

	(void)state;
	assert_string_equal(addr_format(0xffffffff, addr), "255.255.255.255");
	assert_string_equal(endpoint_format((struct endpoint){ 0xffffffff, 65535 }, ep),
			    "255.255.255.255:65535");
	assert_string_equal(prefix_format((struct prefix){ 0xffffffff, 32 }, prefix),
			    "255.255.255.255/32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_set_appends_the_reason_of_the_code),
		cmocka_unit_test(err_set_input_at_leaves_out_what_is_not_known),
		cmocka_unit_test(err_prefix_goes_before_what_is_there),
		cmocka_unit_test(an_error_is_one_printable_line_however_long_its_parts),
		cmocka_unit_test(no_err_at_all_is_allowed),
		cmocka_unit_test(buf_grows_and_is_always_ended_by_nul),
		cmocka_unit_test(buf_printf_takes_texts_of_every_length_around_its_size),
		cmocka_unit_test(buf_steal_leaves_an_empty_buffer),
		cmocka_unit_test(addresses_are_read_in_full_or_refused),
		cmocka_unit_test(endpoints_are_read_in_full_or_refused),
		cmocka_unit_test(prefixes_know_their_mask_and_what_they_contain),
		cmocka_unit_test(the_longest_texts_fit_their_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

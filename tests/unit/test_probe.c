// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/probe.h"

static const struct probe samples[] = {
	{ PROBE_PROBE, 1, 2, 0 },
	{ PROBE_PROBE, 0, UINT64_MAX, UINT64_MAX },
	{ PROBE_NOMINATE, 0x0102030405060708u, 0x1112131415161718u, 0x2122232425262728u },
	{ PROBE_NOMINATE_ACK, 3, 4, 5 },
	{ PROBE_BYE, 3, 4, 0 },
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void assert_probe_equal(const struct probe *a, const struct probe *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->tag, b->tag);
	assert_int_equal(a->nonce, b->nonce);
	assert_int_equal(a->echo, b->echo);
}

static void a_probe_is_on_the_wire_as_documented(void **state)
{
	uint8_t data[PROBE_SIZE];
	(void)state;

	probe_write(&samples[2], data);
	assert_memory_equal(data,
			    "NSPR\x01\x02\x00\x00"
			    "\x01\x02\x03\x04\x05\x06\x07\x08"
			    "\x11\x12\x13\x14\x15\x16\x17\x18"
			    "\x21\x22\x23\x24\x25\x26\x27\x28",
			    PROBE_SIZE);
}

static void a_probe_that_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t data[PROBE_SIZE];
		struct probe p;

		probe_write(&samples[i], data);
		assert_true(probe_read(data, sizeof(data), &p));
		assert_probe_equal(&p, &samples[i]);
	}
}

static void probe_read_rejects_every_wrong_length(void **state)
{
	uint8_t data[2 * PROBE_SIZE] = { 0 };
	struct probe p = { .tag = 77 };
	(void)state;

	probe_write(&samples[0], data);
	for (size_t len = 0; len <= sizeof(data); len++)
		if (len != PROBE_SIZE)
			assert_false(probe_read(data, len, &p));
	assert_int_equal(p.tag, 77);
}

static void probe_read_rejects_every_other_header(void **state)
{
	uint8_t data[PROBE_SIZE];
	struct probe p;
	(void)state;

	probe_write(&samples[2], data);
	for (size_t at = 0; at < 8; at++)
		for (unsigned flip = 1; flip < 256; flip++) {
			unsigned type = 2 ^ flip;

			data[at] ^= (uint8_t)flip;
			assert_int_equal(probe_read(data, sizeof(data), &p),
					 at == 5 && type >= 1 && type <= 4);
			data[at] ^= (uint8_t)flip;
		}
}

static void a_probe_without_the_nonces_it_needs_is_rejected(void **state)
{
	uint8_t data[PROBE_SIZE];
	struct probe p;
	(void)state;

	for (uint8_t type = 1; type <= 4; type++) {
		probe_write(&samples[2], data);
		data[5] = type;
		memset(data + 24, 0, 8);
		assert_int_equal(probe_read(data, sizeof(data), &p),
				 type == PROBE_PROBE || type == PROBE_BYE);
		probe_write(&samples[2], data);
		data[5] = type;
		memset(data + 16, 0, 8);
		assert_false(probe_read(data, sizeof(data), &p));
	}
}

static void a_stream_gives_the_same_probes_in_pieces_of_any_size(void **state)
{
	uint8_t data[SAMPLES * PROBE_SIZE];
	(void)state;

	for (size_t i = 0; i < SAMPLES; i++)
		probe_write(&samples[i], data + i * PROBE_SIZE);
	for (size_t piece = 1; piece <= sizeof(data); piece++) {
		struct probe_stream s = { 0 };
		size_t count = 0;

		for (size_t at = 0; at < sizeof(data); at += piece) {
			const uint8_t *p = data + at;
			size_t len = sizeof(data) - at < piece ? sizeof(data) - at : piece;
			struct probe got;

			while (probe_stream_read(&s, &p, &len, &got) == 1)
				assert_probe_equal(&got, &samples[count++]);
			assert_int_equal(len, 0);
		}
		assert_int_equal(count, SAMPLES);
	}
}

static void a_stream_of_anything_else_is_an_error(void **state)
{
	const uint8_t *p = (const uint8_t *)"HTTP/1.1 400 Bad Request\r\nServer: x";
	size_t len = 35;
	struct probe_stream s = { 0 };
	struct probe got;
	(void)state;

	assert_int_equal(probe_stream_read(&s, &p, &len, &got), -EBADMSG);
	len = 0;
	assert_int_equal(probe_stream_read(&s, &p, &len, &got), 0);
}

static void a_tag_is_fnv_1a(void **state)
{
	(void)state;
	/* From the test suite of its authors. */
	assert_int_equal(probe_tag("", 0), 0xcbf29ce484222325u);
	assert_int_equal(probe_tag("a", 1), 0xaf63dc4c8601ec8cu);
	assert_int_equal(probe_tag("foobar", 6), 0x85944171f73967e8u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_is_on_the_wire_as_documented),
		cmocka_unit_test(a_probe_that_is_written_is_read),
		cmocka_unit_test(probe_read_rejects_every_wrong_length),
		cmocka_unit_test(probe_read_rejects_every_other_header),
		cmocka_unit_test(a_probe_without_the_nonces_it_needs_is_rejected),
		cmocka_unit_test(a_stream_gives_the_same_probes_in_pieces_of_any_size),
		cmocka_unit_test(a_stream_of_anything_else_is_an_error),
		cmocka_unit_test(a_tag_is_fnv_1a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

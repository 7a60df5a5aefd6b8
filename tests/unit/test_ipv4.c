// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ipv4.h"

#define ADDR(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))
#define FROM             ADDR(192, 0, 2, 1)
#define TO               ADDR(198, 51, 100, 2)
#define GATEWAY          ADDR(192, 0, 2, 254)

/* The header of the example in Wikipedia's "Internet checksum", whose checksum is 0xb861, with its
 * 95 bytes of payload. */
static const uint8_t example[115] = {
	0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
	0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
};

/* A UDP packet with a payload of 12 bytes, from FROM to TO. */
struct packet {
	uint8_t bytes[60 + 8 + 12];
	size_t len;
};

static void seal(struct packet *p)
{
	size_t header_bytes = (p->bytes[0] & 15u) * 4u;

	memset(p->bytes + 10, 0, 2);
	uint16_t sum = ipv4_checksum(p->bytes, header_bytes);
	p->bytes[10] = (uint8_t)(sum >> 8);
	p->bytes[11] = (uint8_t)sum;
}

static void put_addr(uint8_t *at, uint32_t addr)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(addr >> (24 - 8 * i));
}

static struct packet make_packet(size_t header_bytes)
{
	struct packet p = { .len = header_bytes + 8 + 12 };

	p.bytes[0] = (uint8_t)(0x40 | header_bytes / 4);
	p.bytes[3] = (uint8_t)p.len;
	p.bytes[8] = 64;
	p.bytes[9] = 17;
	put_addr(p.bytes + 12, FROM);
	put_addr(p.bytes + 16, TO);
	for (size_t i = 20; i < header_bytes; i++)
		p.bytes[i] = 1; /* no-operation */
	for (size_t i = header_bytes; i < p.len; i++)
		p.bytes[i] = (uint8_t)i;
	seal(&p);
	return p;
}

static size_t write_error(const struct packet *p, uint8_t error[static IPV4_ERROR_MAX])
{
	struct ipv4_header h;

	assert_true(ipv4_read(p->bytes, p->len, &h));
	return ipv4_write_error(p->bytes, &h, ICMP_TIME_EXCEEDED_TYPE, ICMP_TTL_EXCEEDED_CODE,
				GATEWAY, error);
}

/* ---- reading */

static void ipv4_read_takes_a_sound_header_apart(void **state)
{
	struct ipv4_header h;

	(void)state;
	assert_true(ipv4_read(example, sizeof(example), &h));
	assert_int_equal(h.from, ADDR(192, 168, 0, 1));
	assert_int_equal(h.to, ADDR(192, 168, 0, 199));
	assert_int_equal(h.header_bytes, 20);
	assert_int_equal(h.total_bytes, 115);
	assert_int_equal(h.protocol, 17);
	assert_int_equal(h.ttl, 64);
	assert_int_equal(h.fragment_offset, 0);
}

static void ipv4_read_allows_padding_and_options(void **state)
{
	struct packet p = make_packet(60);
	struct ipv4_header h;

	(void)state;
	assert_true(ipv4_read(p.bytes, p.len, &h));
	assert_int_equal(h.header_bytes, 60);
	p = make_packet(20);
	assert_true(ipv4_read(p.bytes, sizeof(p.bytes), &h));
	assert_int_equal(h.total_bytes, 40);
}

static void ipv4_read_refuses_every_cut(void **state)
{
	struct packet p = make_packet(24);
	struct ipv4_header h = { .ttl = 99 };

	(void)state;
	for (size_t len = 0; len < p.len; len++)
		assert_false(ipv4_read(p.bytes, len, &h));
	assert_int_equal(h.ttl, 99);
}

static void ipv4_read_refuses_every_flipped_bit_of_the_header(void **state)
{
	struct ipv4_header h;

	(void)state;
	for (size_t bit = 0; bit < 20 * 8; bit++) {
		struct packet p = make_packet(20);

		p.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(ipv4_read(p.bytes, p.len, &h));
	}
}

static void ipv4_read_refuses_lengths_that_contradict_each_other(void **state)
{
	struct packet p = make_packet(20);
	struct ipv4_header h;

	(void)state;
	p.bytes[0] = 0x44; /* a header of 16 bytes */
	seal(&p);
	assert_false(ipv4_read(p.bytes, p.len, &h));
	p = make_packet(20);
	p.bytes[3] = 19; /* shorter than its header */
	seal(&p);
	assert_false(ipv4_read(p.bytes, p.len, &h));
	p = make_packet(20);
	p.bytes[0] = 0x65; /* IPv6 */
	seal(&p);
	assert_false(ipv4_read(p.bytes, p.len, &h));
}

/* ---- TTL */

static void ipv4_take_ttl_leaves_a_sound_checksum_for_every_ttl(void **state)
{
	(void)state;
	for (unsigned ttl = 2; ttl <= 255; ttl++)
		for (unsigned hops = 1; hops < ttl; hops += 7) {
			struct packet p = make_packet(20);
			struct ipv4_header h;

			p.bytes[8] = (uint8_t)ttl;
			seal(&p);
			ipv4_take_ttl(p.bytes, (uint8_t)hops);
			assert_true(ipv4_read(p.bytes, p.len, &h));
			assert_int_equal(h.ttl, ttl - hops);
		}
}

/* RFC 1624, section 4: an incremental update must not turn 0x0000 into 0xffff, which a receiver
 * that adds it all up would take, but a comparison with a fresh checksum would not. */
static void ipv4_take_ttl_gives_the_checksum_a_fresh_one_would_be(void **state)
{
	(void)state;
	for (unsigned id = 0; id < 0x10000; id++) {
		struct packet p = make_packet(20), fresh;

		p.bytes[4] = (uint8_t)(id >> 8);
		p.bytes[5] = (uint8_t)id;
		seal(&p);
		ipv4_take_ttl(p.bytes, 1);
		fresh = p;
		seal(&fresh);
		assert_memory_equal(p.bytes, fresh.bytes, p.len);
	}
}

/* ---- checksums */

static void ipv4_checksum_is_that_of_the_rfc(void **state)
{
	/* RFC 1071, section 3: the sum of these is 0xddf2. */
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(ipv4_checksum(data, sizeof(data)), (uint16_t)~0xddf2u);
	assert_int_equal(ipv4_checksum(data, 7),
			 (uint16_t)~0xdcfbu); /* an odd byte is the high one */
	assert_int_equal(ipv4_checksum(NULL, 0), 0xffff);
}

static void ipv4_finish_checksum_makes_the_whole_add_up(void **state)
{
	uint8_t data[21];
	uint8_t pseudo[12] = { 192, 0, 2, 1, 198, 51, 100, 2, 0, 17, 0, 17 };
	uint8_t all[12 + 17];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37);
	/* The sender leaves the plain sum of the pseudo header in the field. */
	uint16_t partial = (uint16_t)~ipv4_checksum(pseudo, sizeof(pseudo));
	data[4 + 6] = (uint8_t)(partial >> 8);
	data[4 + 7] = (uint8_t)partial;
	assert_true(ipv4_finish_checksum(data, sizeof(data), 4, 6));
	memcpy(all, pseudo, sizeof(pseudo));
	memcpy(all + sizeof(pseudo), data + 4, 17);
	assert_int_equal(ipv4_checksum(all, sizeof(all)), 0);
}

static void ipv4_finish_checksum_never_writes_the_zero_that_means_none(void **state)
{
	uint8_t data[4] = { 0xff, 0xff, 0, 0 };

	(void)state;
	assert_true(ipv4_finish_checksum(data, sizeof(data), 0, 2));
	assert_int_equal(data[2], 0xff);
	assert_int_equal(data[3], 0xff);
}

static void ipv4_finish_checksum_refuses_a_field_outside(void **state)
{
	uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, before[8];

	(void)state;
	memcpy(before, data, sizeof(data));
	assert_false(ipv4_finish_checksum(data, 8, 9, 0));
	assert_false(ipv4_finish_checksum(data, 8, 0, 7));
	assert_false(ipv4_finish_checksum(data, 8, 8, 0));
	assert_false(ipv4_finish_checksum(data, 8, 2, 65535));
	assert_memory_equal(data, before, sizeof(data));
	assert_true(ipv4_finish_checksum(data, 8, 0, 6));
}

/* ---- ICMP errors */

static void ipv4_write_error_quotes_the_header_and_eight_bytes(void **state)
{
	(void)state;
	for (size_t header_bytes = 20; header_bytes <= 60; header_bytes += 4) {
		struct packet p = make_packet(header_bytes);
		uint8_t error[IPV4_ERROR_MAX];
		struct ipv4_header h;
		size_t len = write_error(&p, error);

		assert_int_equal(len, 20 + 8 + header_bytes + 8);
		assert_true(ipv4_read(error, len, &h));
		assert_int_equal(h.from, GATEWAY);
		assert_int_equal(h.to, FROM);
		assert_int_equal(h.protocol, 1);
		assert_int_equal(error[20], 11);
		assert_int_equal(error[21], 0);
		assert_int_equal(ipv4_checksum(error + 20, len - 20), 0);
		assert_memory_equal(error + 28, p.bytes, header_bytes + 8);
	}
}

static void ipv4_write_error_quotes_no_more_than_there_is(void **state)
{
	struct packet p = make_packet(20);
	uint8_t error[IPV4_ERROR_MAX];

	(void)state;
	p.len = 23;
	p.bytes[3] = 23;
	seal(&p);
	assert_int_equal(write_error(&p, error), 20 + 8 + 23);
}

static void ipv4_write_error_is_silent_about_icmp_errors_only(void **state)
{
	static const uint8_t errors[] = { 3, 4, 5, 11, 12 }; /* RFC 792 */
	uint8_t error[IPV4_ERROR_MAX];

	(void)state;
	for (unsigned type = 0; type <= 255; type++) {
		struct packet p = make_packet(20);

		p.bytes[9] = 1;
		p.bytes[20] = (uint8_t)type;
		seal(&p);
		bool silent = memchr(errors, (int)type, sizeof(errors)) != NULL;
		assert_int_equal(write_error(&p, error) == 0, silent);
	}
}

static void ipv4_write_error_is_silent_about_later_fragments(void **state)
{
	struct packet p = make_packet(20);
	uint8_t error[IPV4_ERROR_MAX];

	(void)state;
	p.bytes[6] = 0x20; /* more fragments: the first of them */
	seal(&p);
	assert_int_not_equal(write_error(&p, error), 0);
	p.bytes[7] = 1;
	seal(&p);
	assert_int_equal(write_error(&p, error), 0);
}

static void ipv4_write_error_is_silent_where_an_end_is_not_one_host(void **state)
{
	static const uint32_t addrs[] = { 0, ADDR(127, 0, 0, 1), ADDR(224, 0, 0, 1),
					  ADDR(239, 255, 255, 250), UINT32_MAX };
	uint8_t error[IPV4_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		for (size_t at = 12; at <= 16; at += 4) {
			struct packet p = make_packet(20);

			put_addr(p.bytes + at, addrs[i]);
			seal(&p);
			assert_int_equal(write_error(&p, error), 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_read_takes_a_sound_header_apart),
		cmocka_unit_test(ipv4_read_allows_padding_and_options),
		cmocka_unit_test(ipv4_read_refuses_every_cut),
		cmocka_unit_test(ipv4_read_refuses_every_flipped_bit_of_the_header),
		cmocka_unit_test(ipv4_read_refuses_lengths_that_contradict_each_other),
		cmocka_unit_test(ipv4_take_ttl_leaves_a_sound_checksum_for_every_ttl),
		cmocka_unit_test(ipv4_take_ttl_gives_the_checksum_a_fresh_one_would_be),
		cmocka_unit_test(ipv4_checksum_is_that_of_the_rfc),
		cmocka_unit_test(ipv4_finish_checksum_makes_the_whole_add_up),
		cmocka_unit_test(ipv4_finish_checksum_never_writes_the_zero_that_means_none),
		cmocka_unit_test(ipv4_finish_checksum_refuses_a_field_outside),
		cmocka_unit_test(ipv4_write_error_quotes_the_header_and_eight_bytes),
		cmocka_unit_test(ipv4_write_error_quotes_no_more_than_there_is),
		cmocka_unit_test(ipv4_write_error_is_silent_about_icmp_errors_only),
		cmocka_unit_test(ipv4_write_error_is_silent_about_later_fragments),
		cmocka_unit_test(ipv4_write_error_is_silent_where_an_end_is_not_one_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

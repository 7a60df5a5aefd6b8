// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peers/core/stun.h"

/* RFC 5769, section 2.1: sample request. */
static const uint8_t sample_request[] =
	"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	"\x80\x22\x00\x10STUN test client"
	"\x00\x24\x00\x04\x6e\x00\x01\xff"
	"\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
	"\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
	"\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49"
	"\xc1\xb5\x71\xa2"
	"\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/* RFC 5769, section 2.2: sample IPv4 response, of 192.0.2.1:32853. */
static const uint8_t sample_ipv4[] =
	"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	"\x80\x22\x00\x0btest vector "
	"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	"\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53"
	"\xf0\x6b\xe7\xd7"
	"\x80\x28\x00\x04\xc0\x7d\x4c\x96";

/* RFC 5769, section 2.3: sample IPv6 response. */
static const uint8_t sample_ipv6[] =
	"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	"\x80\x22\x00\x0btest vector "
	"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5"
	"\xbe\xd2\xb9\xd9"
	"\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75"
	"\xbf\xe3\xed\x41"
	"\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

/* The literal's last NUL is not part of it. */
#define SAMPLE(s) (s), sizeof(s) - 1

static const uint8_t transaction[] = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

static struct stun_message read_whole(const uint8_t *data, size_t len)
{
	struct stun_message m;

	assert_true(stun_read(data, len, &m));
	return m;
}

static void begin(struct stun_writer *w, enum stun_class class)
{
	struct stun_id id = stun_id_make(transaction);

	stun_begin(w, class, STUN_BINDING, &id);
}

/* A message with something of everything. */
static void write_all(struct stun_writer *w)
{
	const uint16_t types[] = { 0x0024, 0x0006, 0x0008 };

	begin(w, STUN_ERROR);
	stun_add(w, STUN_SESSION, "abcde", 5);
	stun_add_u32(w, STUN_CHANGE_REQUEST, STUN_CHANGE_IP);
	stun_add_u16(w, STUN_RESPONSE_PORT, 4711);
	stun_add_address(w, STUN_MAPPED_ADDRESS, (struct endpoint){ 0xc0000201, 32853 });
	stun_add_xor_address(w, STUN_XOR_MAPPED_ADDRESS, (struct endpoint){ 0xc0000201, 32853 });
	stun_add_error(w, 420, "Unknown Attribute");
	stun_add_unknown(w, types, 3);
	stun_add(w, STUN_SOFTWARE, "", 0);
}

static void stun_read_understands_the_request_of_rfc_5769(void **state)
{
	struct stun_message m = read_whole(SAMPLE(sample_request));
	struct stun_id id = stun_id_make(transaction);
	const uint8_t *value;
	size_t len;
	uint16_t unknown[8];
	(void)state;

	assert_int_equal(m.class, STUN_REQUEST);
	assert_int_equal(m.method, STUN_BINDING);
	assert_false(m.classic);
	assert_true(stun_id_equal(&m.id, &id));
	assert_true(stun_get(&m, STUN_SOFTWARE, &value, &len));
	assert_int_equal(len, 16);
	assert_memory_equal(value, "STUN test client", 16);
	assert_int_equal(stun_get_unknown(&m, unknown, 8), 3);
	assert_int_equal(unknown[0], 0x0024); /* PRIORITY */
	assert_int_equal(unknown[1], 0x0006); /* USERNAME */
	assert_int_equal(unknown[2], 0x0008); /* MESSAGE-INTEGRITY */
	assert_int_equal(stun_get_unknown(&m, unknown, 2), 2);
}

static void stun_read_understands_the_ipv4_response_of_rfc_5769(void **state)
{
	struct stun_message m = read_whole(SAMPLE(sample_ipv4));
	struct endpoint ep;
	const uint8_t *value;
	size_t len;
	(void)state;

	assert_int_equal(m.class, STUN_SUCCESS);
	assert_true(stun_get_mapped(&m, &ep));
	assert_int_equal(ep.addr, 0xc0000201);
	assert_int_equal(ep.port, 32853);
	assert_true(stun_get(&m, STUN_SOFTWARE, &value, &len));
	assert_int_equal(len, 11);
}

static void an_ipv6_address_reads_as_if_it_were_not_there(void **state)
{
	struct stun_message m = read_whole(SAMPLE(sample_ipv6));
	struct endpoint ep = { 1, 2 };
	(void)state;

	assert_false(stun_get_mapped(&m, &ep));
	assert_int_equal(stun_get_xor_addresses(&m, STUN_XOR_MAPPED_ADDRESS, &ep, 1), 0);
	assert_int_equal(ep.addr, 1);
	assert_int_equal(ep.port, 2);
}

static void stun_write_repeats_the_ipv4_response_of_rfc_5769(void **state)
{
	const struct stun_message m = read_whole(SAMPLE(sample_ipv4));
	const uint8_t *integrity;
	size_t len;
	struct stun_writer w;
	(void)state;

	assert_true(stun_get(&m, 0x0008, &integrity, &len));
	begin(&w, STUN_SUCCESS);
	stun_add(&w, STUN_SOFTWARE, "test vector", 11);
	w.data[w.len - 1] = ' '; /* the vector pads with a blank where we put 0 */
	stun_add_xor_address(&w, STUN_XOR_MAPPED_ADDRESS, (struct endpoint){ 0xc0000201, 32853 });
	stun_add(&w, 0x0008, integrity, len);
	stun_add_fingerprint(&w);
	assert_int_equal(w.len, sizeof(sample_ipv4) - 1);
	assert_memory_equal(w.data, sample_ipv4, w.len);
}

static void a_message_that_is_written_is_read(void **state)
{
	struct stun_writer w;
	struct endpoint ep;
	uint32_t u32;
	uint16_t u16;
	unsigned code;
	const uint8_t *value;
	size_t len;
	(void)state;

	write_all(&w);
	stun_add_fingerprint(&w);
	struct stun_message m = read_whole(w.data, w.len);
	assert_int_equal(m.class, STUN_ERROR);
	assert_true(stun_get(&m, STUN_SESSION, &value, &len));
	assert_int_equal(len, 5);
	assert_memory_equal(value, "abcde", 5);
	assert_true(stun_get_u32(&m, STUN_CHANGE_REQUEST, &u32));
	assert_int_equal(u32, STUN_CHANGE_IP);
	assert_true(stun_get_u16(&m, STUN_RESPONSE_PORT, &u16));
	assert_int_equal(u16, 4711);
	assert_true(stun_get_address(&m, STUN_MAPPED_ADDRESS, &ep));
	assert_true(endpoint_equal(ep, (struct endpoint){ 0xc0000201, 32853 }));
	assert_true(stun_get_xor_address(&m, STUN_XOR_MAPPED_ADDRESS, &ep));
	assert_true(endpoint_equal(ep, (struct endpoint){ 0xc0000201, 32853 }));
	assert_true(stun_get_error(&m, &code));
	assert_int_equal(code, 420);
	assert_true(stun_get(&m, STUN_UNKNOWN_ATTRIBUTES, &value, &len));
	assert_int_equal(len, 6);
	assert_memory_equal(value, "\x00\x24\x00\x06\x00\x08", 6);
	assert_true(stun_get(&m, STUN_SOFTWARE, &value, &len));
	assert_int_equal(len, 0);
	assert_false(stun_get(&m, STUN_ROLE, &value, &len));
}

static void class_and_method_survive_their_interleaving(void **state)
{
	struct stun_id id = stun_id_make(transaction);
	(void)state;

	for (unsigned class = 0; class < 4; class ++)
		for (unsigned method = 0; method <= 0xfff; method++) {
			struct stun_writer w;

			stun_begin(&w, (enum stun_class) class, (uint16_t)method, &id);
			struct stun_message m = read_whole(w.data, w.len);
			assert_int_equal(m.class, class);
			assert_int_equal(m.method, method);
		}
}

static void our_methods_begin_with_a_byte_that_multiplexers_take_for_stun(void **state)
{
	struct stun_id id = stun_id_make(transaction);
	struct stun_writer w;
	(void)state;

	stun_begin(&w, STUN_ERROR, STUN_INTRODUCE, &id);
	assert_in_range(w.data[0], 0, 3); /* RFC 7983, section 7 */
	stun_begin(&w, STUN_ERROR, STUN_CONNECT_BACK, &id);
	assert_in_range(w.data[0], 0, 3);
}

static void stun_read_rejects_every_truncation_and_every_extension(void **state)
{
	uint8_t data[256] = { 0 };
	struct stun_message m = { .method = 0xabc };
	(void)state;

	memcpy(data, SAMPLE(sample_request));
	for (size_t len = 0; len <= sizeof(data); len++)
		if (len != sizeof(sample_request) - 1)
			assert_false(stun_read(data, len, &m));
	assert_int_equal(m.method, 0xabc);
}

static void stun_read_rejects_every_wrong_length_in_the_header(void **state)
{
	struct stun_writer w;
	struct stun_message m;
	(void)state;

	write_all(&w);
	for (unsigned length = 0; length <= UINT16_MAX; length++) {
		w.data[2] = (uint8_t)(length >> 8);
		w.data[3] = (uint8_t)length;
		assert_int_equal(stun_read(w.data, w.len, &m), length == w.len - STUN_HEADER_SIZE);
	}
}

static void stun_read_rejects_every_attribute_that_is_not_whole(void **state)
{
	struct stun_message m;
	(void)state;

	/* One attribute of 8 bytes: 5 to 8 are padded to as much. */
	for (unsigned length = 0; length <= UINT16_MAX; length++) {
		struct stun_writer w;

		begin(&w, STUN_REQUEST);
		stun_add(&w, STUN_SESSION, "12345678", 8);
		w.data[22] = (uint8_t)(length >> 8);
		w.data[23] = (uint8_t)length;
		/* 0 and 1 to 4 leave eight or four bytes that would have to be attributes: "1234"
		 * or "5678", each longer than what is left. */
		assert_int_equal(stun_read(w.data, w.len, &m), length >= 5 && length <= 8);
	}
}

static void a_fingerprint_guards_every_byte(void **state)
{
	struct stun_writer w;
	struct stun_message m;
	const uint8_t *value;
	size_t len;
	(void)state;

	write_all(&w);
	stun_add_fingerprint(&w);
	for (size_t at = 0; at < w.len; at++)
		for (unsigned flip = 1; flip < 256; flip++) {
			w.data[at] ^= (uint8_t)flip;
			/* Where the change took the fingerprint itself away (its type, the length
			 * of the attribute before it, the cookie) there is none to be wrong. */
			assert_false(stun_read(w.data, w.len, &m) && !m.classic &&
				     stun_get(&m, STUN_FINGERPRINT, &value, &len));
			w.data[at] ^= (uint8_t)flip;
		}
	assert_true(stun_read(w.data, w.len, &m));
	assert_true(stun_get(&m, STUN_FINGERPRINT, &value, &len));
}

static void nothing_may_follow_a_fingerprint(void **state)
{
	struct stun_writer w;
	struct stun_message m;
	(void)state;

	begin(&w, STUN_REQUEST);
	stun_add_fingerprint(&w);
	assert_true(stun_read(w.data, w.len, &m));
	stun_add(&w, STUN_SOFTWARE, "x", 1);
	assert_false(stun_read(w.data, w.len, &m));

	/* Nor where the sum is right, for it was made knowing what follows. */
	begin(&w, STUN_REQUEST);
	stun_add_u32(&w, STUN_FINGERPRINT, 0);
	stun_add_u32(&w, STUN_SOFTWARE, 0);
	uint32_t sum = stun_fingerprint(w.data, STUN_HEADER_SIZE);
	for (unsigned i = 0; i < 4; i++)
		w.data[STUN_HEADER_SIZE + 4 + i] = (uint8_t)(sum >> (24 - 8 * i));
	assert_false(stun_read(w.data, w.len, &m));

	begin(&w, STUN_REQUEST);
	stun_add(&w, STUN_FINGERPRINT, "12345", 5);
	assert_false(stun_read(w.data, w.len, &m));
}

static void padding_is_written_as_zeros(void **state)
{
	struct stun_writer w;
	(void)state;

	memset(&w, 0xff, sizeof(w));
	begin(&w, STUN_REQUEST);
	stun_add(&w, STUN_SESSION, "s", 1);
	assert_memory_equal(w.data + STUN_HEADER_SIZE, "\x7f\x01\x00\x01s\0\0\0", 8);
	assert_int_equal(w.len, STUN_HEADER_SIZE + 8);
}

static void an_address_of_another_family_is_not_read(void **state)
{
	struct endpoint ep;
	(void)state;

	for (unsigned family = 0; family < 256; family++) {
		const uint8_t value[8] = { 0xff, (uint8_t)family, 1, 2, 3, 4, 5, 6 };
		struct stun_writer w;

		begin(&w, STUN_SUCCESS);
		stun_add(&w, STUN_MAPPED_ADDRESS, value, sizeof(value));
		struct stun_message m = read_whole(w.data, w.len);
		assert_int_equal(stun_get_address(&m, STUN_MAPPED_ADDRESS, &ep), family == 1);
	}
}

static void of_duplicates_the_first_counts(void **state)
{
	struct stun_writer w;
	uint32_t flags;
	uint16_t unknown[8];
	(void)state;

	begin(&w, STUN_REQUEST);
	stun_add_u32(&w, STUN_CHANGE_REQUEST, 2);
	stun_add_u32(&w, STUN_CHANGE_REQUEST, 4);
	stun_add_u32(&w, 0x7777, 0);
	stun_add_u32(&w, 0x9999, 0); /* optional */
	stun_add_u32(&w, 0x7777, 0);
	struct stun_message m = read_whole(w.data, w.len);
	assert_true(stun_get_u32(&m, STUN_CHANGE_REQUEST, &flags));
	assert_int_equal(flags, 2);
	assert_int_equal(stun_get_unknown(&m, unknown, 8), 1);
	assert_int_equal(unknown[0], 0x7777);
}

static void values_of_a_wrong_length_are_not_read(void **state)
{
	static const uint8_t value[24] = { 0, 1, 4, 20 };
	(void)state;

	for (size_t len = 0; len <= sizeof(value); len++) {
		struct stun_writer w;
		struct endpoint ep = { 7, 7 };
		uint32_t u32 = 7;
		uint16_t u16 = 7;
		unsigned code = 7;

		begin(&w, STUN_REQUEST);
		stun_add(&w, STUN_ERROR_CODE, value, len);
		struct stun_message m = read_whole(w.data, w.len);
		assert_int_equal(stun_get_u16(&m, STUN_ERROR_CODE, &u16), len == 2 || len == 4);
		assert_int_equal(stun_get_u32(&m, STUN_ERROR_CODE, &u32), len == 4);
		assert_int_equal(stun_get_address(&m, STUN_ERROR_CODE, &ep), len == 8);
		assert_int_equal(stun_get_error(&m, &code), len >= 4);
		assert_int_equal(code, len >= 4 ? 420 : 7);
		assert_int_equal(u32 == 7, len != 4);
	}
}

static void error_codes_outside_300_to_699_are_not_read(void **state)
{
	(void)state;
	for (unsigned hundreds = 0; hundreds < 256; hundreds++)
		for (unsigned rest = 0; rest < 256; rest++) {
			const uint8_t value[] = { 0, 0, (uint8_t)hundreds, (uint8_t)rest };
			struct stun_writer w;
			unsigned code;

			begin(&w, STUN_ERROR);
			stun_add(&w, STUN_ERROR_CODE, value, 4);
			struct stun_message m = read_whole(w.data, w.len);
			/* The upper five bits of the class are reserved and ignored. */
			assert_int_equal(stun_get_error(&m, &code),
					 hundreds % 8 >= 3 && hundreds % 8 <= 6 && rest < 100);
		}
}

static void a_classic_message_keeps_all_16_bytes_of_its_id(void **state)
{
	const uint8_t classic[] = "\x00\x01\x00\x00"
				  "0123456789abcdef";
	struct stun_message m = read_whole(SAMPLE(classic));
	struct stun_writer w;
	const uint16_t types[] = { 0x7777 };
	(void)state;

	assert_true(m.classic);
	assert_memory_equal(m.id.bytes, "0123456789abcdef", 16);
	stun_begin(&w, STUN_ERROR, m.method, &m.id);
	assert_memory_equal(w.data + 4, "0123456789abcdef", 16);
	/* RFC 3489 has no padding: values are filled up themselves. */
	stun_add_error(&w, 420, "Unknown Attribute");
	stun_add_unknown(&w, types, 1);
	const uint8_t *value;
	size_t len;
	m = read_whole(w.data, w.len);
	assert_true(stun_get(&m, STUN_ERROR_CODE, &value, &len));
	assert_int_equal(len, 4 + 20);
	assert_memory_equal(value + 4, "Unknown Attribute   ", 20);
	assert_true(stun_get(&m, STUN_UNKNOWN_ATTRIBUTES, &value, &len));
	assert_int_equal(len, 4);
	assert_memory_equal(value, "\x77\x77\x77\x77", 4);
}

static void stun_frame_finds_the_end_of_a_message_byte_by_byte(void **state)
{
	uint8_t data[256] = { 0 };
	size_t whole = sizeof(sample_ipv4) - 1;
	(void)state;

	memcpy(data, sample_ipv4, whole);
	for (size_t len = 0; len <= sizeof(data); len++)
		assert_int_equal(stun_frame(data, len), len < whole ? 0 : (int)whole);
}

static void stun_frame_rejects_what_is_not_stun_as_soon_as_it_can(void **state)
{
	(void)state;
	assert_int_equal(stun_frame((const uint8_t *)"\x40", 1), -EBADMSG);
	assert_int_equal(stun_frame((const uint8_t *)"GET / HTTP/1.1\r\n", 16), -EBADMSG);
	assert_int_equal(stun_frame((const uint8_t *)"\x00\x01\x00\x02", 4), -EBADMSG);
	assert_int_equal(stun_frame((const uint8_t *)"\x00\x01\x02\x10", 4), 0);
	assert_int_equal(stun_frame((const uint8_t *)"\x00\x01\x02\x14", 4), -EBADMSG);
	assert_int_equal(stun_frame((const uint8_t *)"\x00\x01\x00\x00\x21\x12\xa4", 7), 0);
	assert_int_equal(stun_frame((const uint8_t *)"\x00\x01\x00\x00\x21\x12\xa4\x43", 8),
			 -EBADMSG);
}

/* Three messages, the second of which has an attribute that is not whole. */
static size_t write_stream(uint8_t *data)
{
	struct stun_writer w;
	size_t len = 0;

	write_all(&w);
	memcpy(data, w.data, w.len);
	len += w.len;
	begin(&w, STUN_REQUEST);
	stun_add_u32(&w, STUN_SOFTWARE, 0);
	w.data[23] = 99;
	memcpy(data + len, w.data, w.len);
	len += w.len;
	begin(&w, STUN_SUCCESS);
	memcpy(data + len, w.data, w.len);
	return len + w.len;
}

static void a_stream_gives_the_same_messages_in_pieces_of_any_size(void **state)
{
	uint8_t data[512];
	size_t total = write_stream(data);
	(void)state;

	for (size_t piece = 1; piece <= total; piece++) {
		struct stun_stream s = { 0 };
		unsigned errors = 0, successes = 0;

		for (size_t at = 0; at < total; at += piece) {
			const uint8_t *p = data + at;
			size_t len = total - at < piece ? total - at : piece;
			struct stun_message m;
			int found;

			while ((found = stun_stream_read(&s, &p, &len, &m)) > 0) {
				errors += m.class == STUN_ERROR;
				successes += m.class == STUN_SUCCESS;
			}
			assert_int_equal(found, 0);
			assert_int_equal(len, 0);
		}
		assert_int_equal(errors, 1);
		assert_int_equal(successes, 1);
	}
}

static void the_longest_message_passes_through_a_stream(void **state)
{
	static const uint8_t zeros[STUN_MESSAGE_MAX];
	struct stun_stream s = { 0 };
	struct stun_writer w;
	struct stun_message m;
	(void)state;

	begin(&w, STUN_REQUEST);
	stun_add(&w, STUN_SOFTWARE, zeros, STUN_MESSAGE_MAX - STUN_HEADER_SIZE - 4);
	assert_int_equal(w.len, STUN_MESSAGE_MAX);
	const uint8_t *p = w.data;
	size_t len = w.len;
	assert_int_equal(stun_stream_read(&s, &p, &len, &m), 1);
	assert_int_equal(m.attributes_len, STUN_MESSAGE_MAX - STUN_HEADER_SIZE);

	p = (const uint8_t *)"not STUN";
	len = 8;
	assert_int_equal(stun_stream_read(&s, &p, &len, &m), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stun_read_understands_the_request_of_rfc_5769),
		cmocka_unit_test(stun_read_understands_the_ipv4_response_of_rfc_5769),
		cmocka_unit_test(an_ipv6_address_reads_as_if_it_were_not_there),
		cmocka_unit_test(stun_write_repeats_the_ipv4_response_of_rfc_5769),
		cmocka_unit_test(a_message_that_is_written_is_read),
		cmocka_unit_test(class_and_method_survive_their_interleaving),
		cmocka_unit_test(our_methods_begin_with_a_byte_that_multiplexers_take_for_stun),
		cmocka_unit_test(stun_read_rejects_every_truncation_and_every_extension),
		cmocka_unit_test(stun_read_rejects_every_wrong_length_in_the_header),
		cmocka_unit_test(stun_read_rejects_every_attribute_that_is_not_whole),
		cmocka_unit_test(a_fingerprint_guards_every_byte),
		cmocka_unit_test(nothing_may_follow_a_fingerprint),
		cmocka_unit_test(padding_is_written_as_zeros),
		cmocka_unit_test(an_address_of_another_family_is_not_read),
		cmocka_unit_test(of_duplicates_the_first_counts),
		cmocka_unit_test(values_of_a_wrong_length_are_not_read),
		cmocka_unit_test(error_codes_outside_300_to_699_are_not_read),
		cmocka_unit_test(a_classic_message_keeps_all_16_bytes_of_its_id),
		cmocka_unit_test(stun_frame_finds_the_end_of_a_message_byte_by_byte),
		cmocka_unit_test(stun_frame_rejects_what_is_not_stun_as_soon_as_it_can),
		cmocka_unit_test(a_stream_gives_the_same_messages_in_pieces_of_any_size),
		cmocka_unit_test(the_longest_message_passes_through_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

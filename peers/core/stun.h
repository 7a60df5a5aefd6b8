/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STUN messages (RFC 8489, with RFC 5780 and the classic ones of RFC 3489), read and written.
 * docs/protocol.md lists every message and attribute that natsim uses, its own among them.
 *
 * IPv4 only: an address attribute of another family reads as if it were not there.
 */
#ifndef NATSIM_PEERS_CORE_STUN_H
#define NATSIM_PEERS_CORE_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"

#define STUN_PORT        3478u /* RFC 8489, section 18.6 */
#define STUN_HEADER_SIZE 20u   /* RFC 8489, section 5 */
#define STUN_ID_SIZE     16u
#define STUN_COOKIE      0x2112a442u /* RFC 8489, section 5 */

/* RFC 8489, section 14: attributes from here on may be ignored by those who do not know them. */
#define STUN_OPTIONAL_FIRST 0x8000u

/* RFC 8489, section 6.1: 576 bytes of IPv4 packet where the path MTU is unknown, less 28 of
 * headers. No message over this is written, or accepted from a stream. */
#define STUN_MESSAGE_MAX 548u

enum stun_class {
	STUN_REQUEST = 0,
	STUN_INDICATION = 1,
	STUN_SUCCESS = 2,
	STUN_ERROR = 3,
};

/* The last three are ours, from the unassigned part of IANA's expert review range (0x080-0x0FF). */
enum stun_method {
	STUN_BINDING = 0x001,
	STUN_INTRODUCE = 0x0f0,
	STUN_CONNECT_BACK = 0x0f1,
	STUN_RELAY = 0x0f2,
};

enum stun_attribute {
	STUN_MAPPED_ADDRESS = 0x0001,
	STUN_CHANGE_REQUEST = 0x0003,  /* RFC 5780, section 7.2 */
	STUN_SOURCE_ADDRESS = 0x0004,  /* RFC 3489, section 11.2.5 */
	STUN_CHANGED_ADDRESS = 0x0005, /* RFC 3489, section 11.2.3 */
	STUN_ERROR_CODE = 0x0009,
	STUN_UNKNOWN_ATTRIBUTES = 0x000a,
	STUN_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_RESPONSE_PORT = 0x0027, /* RFC 5780, section 7.5 */
	STUN_SOFTWARE = 0x8022,
	STUN_FINGERPRINT = 0x8028,
	STUN_RESPONSE_ORIGIN = 0x802b, /* RFC 5780, section 7.3 */
	STUN_OTHER_ADDRESS = 0x802c,   /* RFC 5780, section 7.4 */

	/* Ours, from the unassigned part of IANA's expert review range (0x4000-0x7FFF):
	 * comprehension-required. Addresses are coded as in XOR-MAPPED-ADDRESS. */
	STUN_SESSION = 0x7f01,        /* 1 to 64 bytes */
	STUN_ROLE = 0x7f02,           /* one byte, 'a' or 'b' */
	STUN_LOCAL_ENDPOINT = 0x7f03, /* may be repeated */
	STUN_PEER_OBSERVED = 0x7f04,
	STUN_PEER_LOCAL = 0x7f05,  /* may be repeated */
	STUN_NOTE = 0x7f06,        /* STUN_NOTE_SIZE bytes: the note's length, the note, zeros */
	STUN_PEER_NOTE = 0x7f07,   /* the note alone: 0 to STUN_NOTE_MAX bytes */
	STUN_PEER_CHANGE = 0x7f08, /* 32 bits: which of the peer's registrations this is */
	STUN_SEEN = 0x7f09,        /* 32 bits: the PEER-CHANGE that was heard of last */
	STUN_CONFIRM = 0x7f0a,     /* empty */
	STUN_DRAWN_PORTS = 0x7f0b, /* two of 16 bits: one's own, the peer's */
	STUN_TICKET = 0x7f0c,      /* 64 bits */
	STUN_DATA = 0x7f0d,        /* 1 to STUN_DATA_MAX bytes */
};

/* Flags of CHANGE-REQUEST: RFC 5780, section 7.2. */
#define STUN_CHANGE_IP   0x04u
#define STUN_CHANGE_PORT 0x02u

/* Error codes: RFC 8489, section 14.8. */
#define STUN_BAD_REQUEST       400u
#define STUN_UNKNOWN_ATTRIBUTE 420u
#define STUN_SERVER_ERROR      500u

#define STUN_SESSION_MAX         64u
#define STUN_LOCAL_ENDPOINTS_MAX 4u
#define STUN_NOTE_MAX            128u
#define STUN_NOTE_SIZE           (1u + STUN_NOTE_MAX)
#define STUN_DATA_MAX            512u /* with the header and TICKET, a message of STUN_MESSAGE_MAX */

/* Bytes 4 to 19 of a message: the magic cookie and 96 bits of transaction ID or, in a classic
 * message, 128 bits of transaction ID. An answer carries those of its request. */
struct stun_id {
	uint8_t bytes[STUN_ID_SIZE];
};

/* An id with the magic cookie. */
struct stun_id stun_id_make(const uint8_t transaction[static 12]);
bool stun_id_equal(const struct stun_id *a, const struct stun_id *b);

/* ---- reading */

/* A message that was read; valid as long as the bytes it was read from. */
struct stun_message {
	enum stun_class class;
	uint16_t method;
	bool classic; /* no magic cookie: RFC 3489 */
	struct stun_id id;
	const uint8_t *attributes; /* each one whole */
	size_t attributes_len;
};

/* Returns false, leaving *ret alone, unless data is exactly one whole message: header, length,
 * every attribute, and FINGERPRINT if there is one, which must be right and the last. */
bool stun_read(const uint8_t *data, size_t len, struct stun_message *ret);

bool stun_has(const struct stun_message *m, uint16_t type);

/* The first attribute of that type. Returns false if there is none. */
bool stun_get(const struct stun_message *m, uint16_t type, const uint8_t **ret_value,
	      size_t *ret_len);

/* Each of these returns false, leaving *ret alone, unless the (first) attribute of that type is
 * there and its value is well-formed. A 16-bit number may be followed by two bytes of padding that
 * the attribute's length counts, as RFC 5780 draws RESPONSE-PORT. */
bool stun_get_u16(const struct stun_message *m, uint16_t type, uint16_t *ret);
bool stun_get_u32(const struct stun_message *m, uint16_t type, uint32_t *ret);
bool stun_get_u64(const struct stun_message *m, uint16_t type, uint64_t *ret);
bool stun_get_address(const struct stun_message *m, uint16_t type, struct endpoint *ret);
bool stun_get_xor_address(const struct stun_message *m, uint16_t type, struct endpoint *ret);
bool stun_get_error(const struct stun_message *m, unsigned *ret_code);

/* All the well-formed XORed addresses of that type in their order, at most max. Returns how many.
 */
size_t stun_get_xor_addresses(const struct stun_message *m, uint16_t type, struct endpoint *ret,
			      size_t max);

/* Where the sender was seen: XOR-MAPPED-ADDRESS, or else MAPPED-ADDRESS. */
bool stun_get_mapped(const struct stun_message *m, struct endpoint *ret);

/* The comprehension-required attributes that enum stun_attribute does not list, each once, at most
 * max. Returns how many. */
size_t stun_get_unknown(const struct stun_message *m, uint16_t *ret, size_t max);

/* ---- reading a stream (RFC 8489, section 6.2.2)
 *
 * Classic messages have no framing and are not STUN here. */

/* Says how a stream goes on, given its bytes so far: a whole message of so many bytes, 0 for "more
 * bytes are needed", or -EBADMSG: this is not STUN, or longer than STUN_MESSAGE_MAX. */
int stun_frame(const uint8_t *data, size_t len);

/* Collects the messages of a stream. Zeroed memory is the start of one. */
struct stun_stream {
	size_t len;
	bool whole; /* data is the message that was returned last */
	uint8_t data[STUN_MESSAGE_MAX];
};

/* Takes bytes from (*data, *len), moving them on, until there is a message. Returns 1 and the
 * message in *ret, valid until the next call; 0 when all bytes were taken and more are needed; or
 * -EBADMSG as stun_frame(). Messages that stun_read() refuses are passed over. */
int stun_stream_read(struct stun_stream *s, const uint8_t **data, size_t *len,
		     struct stun_message *ret);

/* ---- writing */

/* data[0 .. len) is a whole message at any time. */
struct stun_writer {
	size_t len;
	uint8_t data[STUN_MESSAGE_MAX];
};

void stun_begin(struct stun_writer *w, enum stun_class class, uint16_t method,
		const struct stun_id *id);

/* Each of these appends an attribute; there must be room (assert). */
void stun_add(struct stun_writer *w, uint16_t type, const void *value, size_t len);
void stun_add_u16(struct stun_writer *w, uint16_t type, uint16_t number); /* and two zero bytes */
void stun_add_u32(struct stun_writer *w, uint16_t type, uint32_t number);
void stun_add_u64(struct stun_writer *w, uint16_t type, uint64_t number);
void stun_add_address(struct stun_writer *w, uint16_t type, struct endpoint ep);
void stun_add_xor_address(struct stun_writer *w, uint16_t type, struct endpoint ep);
void stun_add_error(struct stun_writer *w, unsigned code, const char *reason);
void stun_add_unknown(struct stun_writer *w, const uint16_t *types, size_t count);
void stun_add_fingerprint(struct stun_writer *w); /* nothing may follow it */

/* FINGERPRINT of a message whose header already counts it, from the bytes before it: RFC 8489,
 * section 14.7. */
uint32_t stun_fingerprint(const uint8_t *data, size_t len);

#endif

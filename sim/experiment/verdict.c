// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define NONCE_SIZE 8u

/* More than any trial takes or sends; what lies beyond could not be added up or printed. */
#define CONNECT_MS_MAX 86400000.0
#define PACKETS_MAX    UINT32_MAX

/* Of a peer's own words, so that "a: " still fits before them. */
#define REASON_MAX 100u

static struct endpoint get_endpoint(const json_t *object, const char *key)
{
	struct endpoint ep = { 0 };
	const char *text = json_string_value(json_object_get(object, key));

	if (text != NULL)
		(void)endpoint_parse(text, &ep);
	return ep;
}

/* Hexadecimal, as many digits as 64 bits have or fewer; all else says nothing. */
static uint64_t get_nonce(const json_t *object)
{
	const char *text = json_string_value(json_object_get(object, "nonce"));
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0 || len > 2 * NONCE_SIZE || strspn(text, "0123456789abcdefABCDEF") != len)
		return 0;
	return strtoull(text, NULL, 16);
}

/* A peer's words go to terminals and into JSON: one line, without control characters, and not cut
 * within a character of UTF-8. */
static void take_reason(char ret[static VERDICT_REASON_SIZE], const char *text)
{
	size_t len = 0;

	for (; text[len] != '\0' && len < REASON_MAX; len++) {
		unsigned char byte = (unsigned char)text[len];

		ret[len] = text[len];
		if (byte < 0x20 || byte == 0x7f)
			ret[len] = '?';
	}
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	ret[len] = '\0';
}

static void claim_from_json(const json_t *line, struct verdict_claim *ret)
{
	const char *reason = json_string_value(json_object_get(line, "reason"));
	const json_t *connect_ms = json_object_get(line, "connect_ms");
	const json_t *packets = json_object_get(line, "packets");
	double ms = json_is_number(connect_ms) ? json_number_value(connect_ms) : -1;
	json_int_t count = json_is_integer(packets) ? json_integer_value(packets) : -1;

	ret->has_line = true;
	take_reason(ret->reason, reason == NULL ? "" : reason);
	ret->local = get_endpoint(line, "local");
	ret->remote = get_endpoint(line, "remote");
	ret->has_path = !endpoint_is_none(ret->remote);
	ret->nonce = get_nonce(line);
	ret->connect_ms = ms <= CONNECT_MS_MAX ? ms : -1;
	ret->packets = count >= 0 && count <= PACKETS_MAX ? count : -1;
}

void verdict_read_claim(const char *output, size_t len, struct verdict_claim *ret)
{
	*ret = (struct verdict_claim){ .ended_ok = ret->ended_ok, .connect_ms = -1, .packets = -1 };
	while (len > 0) {
		const char *newline = memchr(output, '\n', len);
		size_t line_len = newline == NULL ? len : (size_t)(newline - output);
		json_t *line = json_loadb(output, line_len, 0, NULL);
		const char *event = json_string_value(json_object_get(line, "event"));

		if (event != NULL && strcmp(event, "result") == 0)
			claim_from_json(line, ret);
		json_decref(line);
		size_t used = line_len + (newline != NULL);
		output += used;
		len -= used;
	}
}

static bool holds_nonce(const struct tap_packet *p, uint64_t nonce)
{
	uint8_t bytes[NONCE_SIZE];

	for (size_t i = 0; i < NONCE_SIZE; i++)
		bytes[i] = (uint8_t)(nonce >> (56 - 8 * i));
	return memmem(p->payload, p->len, bytes, NONCE_SIZE) != NULL;
}

static bool is_relay(const struct endpoint from, const uint32_t *relays, size_t relays_count)
{
	for (size_t i = 0; i < relays_count; i++)
		if (relays[i] == from.addr)
			return true;
	return false;
}

/* True if the packet is the other side's word to this one, on the path that this one claims. Where
 * it names only the other end, any port of its own will do. */
static bool is_evidence(const struct tap_packet *p, uint8_t protocol,
			const struct verdict_claim *own, const struct verdict_claim *other)
{
	if (p->protocol != protocol)
		return false;
	if (own->has_path && !endpoint_equal(p->from, own->remote))
		return false;
	if (own->has_path && own->local.port != 0 && p->to.port != own->local.port)
		return false;
	return other->nonce == 0 || holds_nonce(p, other->nonce);
}

/* By which path the other side's word came. */
static enum verdict_path seen_path(const struct verdict_side *own, const struct verdict_side *other,
				   uint8_t protocol, const uint32_t *relays, size_t relays_count)
{
	enum verdict_path path = VERDICT_PATH_NONE;

	for (size_t i = 0; i < own->delivered_count; i++) {
		const struct tap_packet *p = &own->delivered[i];

		if (!is_evidence(p, protocol, &own->claim, &other->claim))
			continue;
		if (p->from.addr == other->addrs[0] || p->from.addr == other->addrs[1])
			return VERDICT_PATH_DIRECT;
		/* What comes from the rendezvous is relayed only if it holds the other's nonce. */
		if (is_relay(p->from, relays, relays_count) && other->claim.nonce != 0)
			path = VERDICT_PATH_RELAYED;
	}
	return path;
}

static struct verdict failed(const char *who, const char *why)
{
	struct verdict v = { .success = false };

	if (who == NULL)
		(void)snprintf(v.reason, sizeof(v.reason), "%s", why);
	else
		(void)snprintf(v.reason, sizeof(v.reason), "%s: %.100s", who, why);
	return v;
}

static struct verdict peers_failed(const struct verdict_claim *a, const struct verdict_claim *b)
{
	const char *a_why = a->reason[0] != '\0' ? a->reason : "it ended without success";
	const char *b_why = b->reason[0] != '\0' ? b->reason : "it ended without success";

	if (a->ended_ok)
		return failed("b", b_why);
	if (b->ended_ok)
		return failed("a", a_why);
	return strcmp(a_why, b_why) == 0 ? failed(NULL, a_why) : failed("a", a_why);
}

struct verdict verdict_judge(const struct verdict_side *a, const struct verdict_side *b,
			     uint8_t protocol, const uint32_t *relays, size_t relays_count)
{
	if (!a->claim.ended_ok || !b->claim.ended_ok)
		return peers_failed(&a->claim, &b->claim);

	enum verdict_path into_a = seen_path(a, b, protocol, relays, relays_count);
	enum verdict_path into_b = seen_path(b, a, protocol, relays, relays_count);
	if (into_a == VERDICT_PATH_NONE)
		return failed(NULL, "the peers claim success, but the lab saw nothing of b's "
				    "delivered into a's host on that path");
	if (into_b == VERDICT_PATH_NONE)
		return failed(NULL, "the peers claim success, but the lab saw nothing of a's "
				    "delivered into b's host on that path");
	struct verdict v = { .success = true, .path = VERDICT_PATH_DIRECT };
	if (into_a == VERDICT_PATH_RELAYED || into_b == VERDICT_PATH_RELAYED)
		v.path = VERDICT_PATH_RELAYED;
	return v;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What peers claim: read from what they print, or taken from the result of one in our own process.
 */
#include "sim/experiment/verdict.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define NONCE_DIGITS 16u

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

	if (len == 0 || len > NONCE_DIGITS || strspn(text, "0123456789abcdefABCDEF") != len)
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

void verdict_take_claim(const struct strategy_result *result, struct verdict_claim *ret)
{
	double ms = result->connect_us == NEVER ? -1 : (double)result->connect_us / 1000.0;

	ret->has_line = true;
	take_reason(ret->reason, result->connected ? "" : result->reason);
	ret->local = result->local;
	ret->remote = result->remote;
	ret->has_path = !endpoint_is_none(result->remote);
	ret->nonce = result->nonce;
	ret->connect_ms = ms <= CONNECT_MS_MAX ? ms : -1;
	ret->packets = result->packets <= PACKETS_MAX ? (int64_t)result->packets : -1;
}

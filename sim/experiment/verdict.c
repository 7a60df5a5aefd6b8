// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/verdict.h"

#include <stdio.h>
#include <string.h>

#define NONCE_SIZE 8u

/* The last eight bytes are kept as a number, in network order as they came: for payloads as short
 * as these that is quicker than memmem(). */
static bool holds_nonce(const struct delivery *p, uint64_t nonce)
{
	uint64_t last = 0;

	for (size_t i = 0; i < p->len; i++) {
		last = last << 8 | p->payload[i];
		if (last == nonce && i + 1 >= NONCE_SIZE)
			return true;
	}
	return false;
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
static bool is_evidence(const struct delivery *p, uint8_t protocol, const struct verdict_claim *own,
			const struct verdict_claim *other)
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
		const struct delivery *p = &own->delivered[i];

		if (!is_evidence(p, protocol, &own->claim, &other->claim))
			continue;
		if (p->from.addr - other->outside_addr < other->outside_addrs_count ||
		    p->from.addr == other->host_addr)
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One router of the twin on a bench: packets are handed to it one by one at times that the test
 * says, and what it makes of them is looked at. Models are text, as in tests/behavior_lab.h.
 */
#ifndef NATSIM_TESTS_TWIN_NAT_H
#define NATSIM_TESTS_TWIN_NAT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "sim/twin/nat.h"

#define EIM  "mapping: endpoint-independent\n"
#define ADM  "mapping: address-dependent\n"
#define APDM "mapping: address-and-port-dependent\n"
#define EIF  "filtering: endpoint-independent\n"
#define ADF  "filtering: address-dependent\n"
#define APDF "filtering: address-and-port-dependent\n"

#define ROUTER_ADDR 0xc6336402u /* 198.51.100.2 */

static const struct endpoint HOST_A = { 0x0a010002, 5000 };
static const struct endpoint HOST_A2 = { 0x0a010003, 5000 };
static const struct endpoint SERVER = { 0xcb00710a, 4000 };
static const struct endpoint SERVER_PORT2 = { 0xcb00710a, 4001 };
static const struct endpoint SERVER_ALT = { 0xcb007114, 4000 };
static const struct endpoint NOWHERE = { 0, 0 };

struct bench {
	const char *text;
	struct nat_model model;
	struct twin_nat nat;
	enum twin_protocol protocol; /* of what send() sends */
	uint64_t now_us;
	/* What became of the last packet. */
	enum twin_nat_action action;
	enum twin_side out;
	struct twin_packet packet;
};

#define BENCH_FAIL(b, fmt, ...)                                                         \
	do {                                                                            \
		(void)fprintf(stderr, "%s:%d: " fmt ", with\n%s\n", __func__, __LINE__, \
			      __VA_ARGS__, (b)->text);                                  \
		fail();                                                                 \
	} while (0)
#define CHECK(b, condition)                                  \
	do {                                                 \
		if (!(condition))                            \
			BENCH_FAIL(b, "not %s", #condition); \
	} while (0)
#define CHECK_EQUAL(b, is, expected)                                                \
	do {                                                                        \
		long long is_ = (long long)(is), expected_ = (long long)(expected); \
		if (is_ != expected_)                                               \
			BENCH_FAIL(b, "%s: %lld, not %lld", #is, is_, expected_);   \
	} while (0)

static inline void bench_open(struct bench *b, const char *text, enum twin_protocol protocol)
{
	struct buf whole = BUF_INIT;
	struct err e = { .text = "" };

	*b = (struct bench){ .text = text, .protocol = protocol };
	buf_printf(&whole, "about: A router to be tested\n%s", text);
	if (nat_model_parse("model.yaml", buf_text(&whole), whole.len, &b->model, &e) < 0)
		fail_msg("%s\n%s", text, e.text);
	buf_fini(&whole);
	twin_nat_init(&b->nat,
		      &(struct twin_nat_config){ &b->model, ROUTER_ADDR, { 0x0a010001, 24 } });
	twin_nat_reset(&b->nat, 1);
}

static inline void bench_close(struct bench *b)
{
	twin_nat_fini(&b->nat);
	nat_model_fini(&b->model);
}

/* ---- packets */

static inline enum twin_side side_of(struct endpoint ep)
{
	return ep.addr >> 24 == 10 ? TWIN_INSIDE : TWIN_OUTSIDE;
}

static inline void take(struct bench *b, enum twin_side in, const struct twin_packet *p)
{
	memcpy(&b->packet, p, twin_packet_used(p));
	b->action = twin_nat_take(&b->nat, b->now_us, in, &b->packet, &b->out);
}

static inline struct twin_packet packet_of(const struct bench *b, struct endpoint from,
					   struct endpoint to)
{
	return (struct twin_packet){ .protocol = b->protocol,
				     .ttl = TWIN_TTL,
				     .from = from,
				     .to = to,
				     .flags = b->protocol == TWIN_TCP ? TWIN_SYN : 0,
				     .sequence = 1000 };
}

/* A datagram or a SYN. Returns whom it comes from behind the router; NOWHERE: it does not get
 * there. */
static inline struct endpoint bench_send(struct bench *b, struct endpoint from, struct endpoint to)
{
	struct twin_packet p = packet_of(b, from, to);

	take(b, side_of(from), &p);
	return b->action == TWIN_NAT_FORWARDS ? b->packet.from : NOWHERE;
}

/* The same, again and again: a router may drop a packet that drew a port in use. */
static inline struct endpoint bench_map(struct bench *b, struct endpoint from, struct endpoint to)
{
	for (int i = 0; i < 1000; i++) {
		struct endpoint mapped = bench_send(b, from, to);

		if (!endpoint_is_none(mapped))
			return mapped;
	}
	BENCH_FAIL(b, "port %u gets nowhere", from.port);
	return NOWHERE;
}

/* Whether a packet arrives at an inside endpoint. */
static inline bool bench_reaches(struct bench *b, struct endpoint from, struct endpoint to,
				 struct endpoint inside)
{
	(void)bench_send(b, from, to);
	return b->action == TWIN_NAT_FORWARDS && b->out == TWIN_INSIDE &&
	       endpoint_equal(b->packet.to, inside);
}

static inline struct endpoint with_port(struct endpoint ep, unsigned port)
{
	return (struct endpoint){ ep.addr, (uint16_t)port };
}

/* ---- TCP */

struct segment {
	uint8_t flags;
	uint32_t sequence, acknowledgement;
};

/* Returns true if it passes. */
static inline bool bench_segment(struct bench *b, struct endpoint from, struct endpoint to,
				 struct segment s)
{
	struct twin_packet p = packet_of(b, from, to);

	p.protocol = TWIN_TCP;
	p.flags = s.flags;
	p.sequence = s.sequence;
	p.acknowledgement = s.acknowledgement;
	take(b, side_of(from), &p);
	return b->action == TWIN_NAT_FORWARDS;
}

/* A handshake, begun inside. Returns the outside endpoint. */
static inline struct endpoint bench_connect(struct bench *b, struct endpoint inside,
					    struct endpoint server)
{
	CHECK(b, bench_segment(b, inside, server, (struct segment){ TWIN_SYN, 1000, 0 }));
	struct endpoint mapped = b->packet.from;

	CHECK(b, bench_segment(b, server, mapped,
			       (struct segment){ TWIN_SYN | TWIN_ACK, 2000, 1001 }));
	CHECK(b, bench_segment(b, inside, server, (struct segment){ TWIN_ACK, 1001, 2001 }));
	return mapped;
}

#define SECONDS(n) ((uint64_t)((n)*1e6))

#endif

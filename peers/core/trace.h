/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace of a machine: every step of it as text, so that it can be run again elsewhere with the
 * same events at the same times. docs/peer-contract.md has the format: a line of JSON that says
 * what was run, then one for each step.
 *
 * Events and actions are both items here: a kind, and as many of the same few fields as the kind
 * has. Times are counted from a start of the writer's choice, which the first line names.
 */
#ifndef NATSIM_PEERS_CORE_TRACE_H
#define NATSIM_PEERS_CORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "peers/core/machine.h"
#include "peers/core/strategy.h"

#define TRACE_FORMAT 1

/* Of one event: as much as a world reads of a stream at once. */
#define TRACE_DATA_MAX 2048u

enum trace_field {
	TRACE_SOCKET = 1 << 0,
	TRACE_LISTENER = 1 << 1,
	TRACE_LOCAL = 1 << 2,
	TRACE_REMOTE = 1 << 3,
	TRACE_ERROR = 1 << 4,
	TRACE_STATUS = 1 << 5,
	TRACE_DATA = 1 << 6,
	TRACE_TTL = 1 << 7, /* left out where it is 0 */
};

struct trace_kind {
	const char *name;
	unsigned fields; /* enum trace_field */
};

/* By enum event_kind and enum action_kind; NULL behind the last. */
const struct trace_kind *trace_event_kind(size_t kind);
const struct trace_kind *trace_action_kind(size_t kind);

/* Fields that the kind does not have are 0. */
struct trace_item {
	const struct trace_kind *kind;
	uint32_t socket, listener;
	struct endpoint local, remote;
	int error, status;
	uint8_t ttl;
	const uint8_t *data;
	size_t len;
};

/* data points into what was given. */
struct trace_item trace_event_item(const struct event *event);
struct trace_item trace_action_item(const struct actions *actions, size_t index);

bool trace_item_equal(const struct trace_item *a, const struct trace_item *b);

/* A machine's wish for EVENT_TIMER, counted from the start: NEVER, or 0 where it lies before. */
uint64_t trace_wake_us(uint64_t start_us, uint64_t wake_us);

/* Appends the first line. */
void trace_begin(const char *strategy, const struct strategy_config *config, uint64_t start_us,
		 struct buf *out);

/* A step's line is written in two parts, so that of a machine that fails within the step its last
 * event is known. now_us is not before start_us; wake_us is as trace_wake_us() has it. */
void trace_event(uint64_t start_us, uint64_t now_us, const struct event *event, struct buf *out);
void trace_actions(const struct actions *actions, uint64_t wake_us, struct buf *out);

#endif

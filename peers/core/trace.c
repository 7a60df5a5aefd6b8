// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/trace.h"

#include <inttypes.h>
#include <string.h>

static const struct trace_kind event_kinds[] = {
	[EVENT_START] = { "start", 0 },
	[EVENT_TIMER] = { "timer", 0 },
	[EVENT_OPENED] = { "opened", TRACE_SOCKET | TRACE_LOCAL },
	[EVENT_DATAGRAM] = { "datagram", TRACE_SOCKET | TRACE_LOCAL | TRACE_REMOTE | TRACE_DATA },
	[EVENT_CONNECTED] = { "connected", TRACE_SOCKET | TRACE_LOCAL | TRACE_REMOTE },
	[EVENT_ACCEPTED] = { "accepted",
			     TRACE_SOCKET | TRACE_LISTENER | TRACE_LOCAL | TRACE_REMOTE },
	[EVENT_DATA] = { "data", TRACE_SOCKET | TRACE_LOCAL | TRACE_REMOTE | TRACE_DATA },
	[EVENT_CLOSED] = { "closed", TRACE_SOCKET | TRACE_ERROR },
};

static const struct trace_kind action_kinds[] = {
	[ACTION_UDP_OPEN] = { "udp_open", TRACE_SOCKET | TRACE_LOCAL },
	[ACTION_UDP_SEND] = { "udp_send", TRACE_SOCKET | TRACE_REMOTE | TRACE_DATA | TRACE_TTL },
	[ACTION_TCP_LISTEN] = { "tcp_listen", TRACE_SOCKET | TRACE_LOCAL },
	[ACTION_TCP_CONNECT] = { "tcp_connect",
				 TRACE_SOCKET | TRACE_LOCAL | TRACE_REMOTE | TRACE_TTL },
	[ACTION_TCP_SEND] = { "tcp_send", TRACE_SOCKET | TRACE_DATA },
	[ACTION_CLOSE] = { "close", TRACE_SOCKET },
	[ACTION_ABORT] = { "abort", TRACE_SOCKET },
	[ACTION_DONE] = { "done", TRACE_STATUS },
};

const struct trace_kind *trace_event_kind(size_t kind)
{
	return kind < sizeof(event_kinds) / sizeof(event_kinds[0]) ? &event_kinds[kind] : NULL;
}

const struct trace_kind *trace_action_kind(size_t kind)
{
	return kind < sizeof(action_kinds) / sizeof(action_kinds[0]) ? &action_kinds[kind] : NULL;
}

static void keep_fields(struct trace_item *item)
{
	unsigned fields = item->kind->fields;
	struct trace_item all = *item;

	*item = (struct trace_item){ .kind = all.kind };
	if ((fields & TRACE_SOCKET) != 0)
		item->socket = all.socket;
	if ((fields & TRACE_LISTENER) != 0)
		item->listener = all.listener;
	if ((fields & TRACE_LOCAL) != 0)
		item->local = all.local;
	if ((fields & TRACE_REMOTE) != 0)
		item->remote = all.remote;
	if ((fields & TRACE_ERROR) != 0)
		item->error = all.error;
	if ((fields & TRACE_STATUS) != 0)
		item->status = all.status;
	if ((fields & TRACE_TTL) != 0)
		item->ttl = all.ttl;
	if ((fields & TRACE_DATA) != 0) {
		item->data = all.data;
		item->len = all.len;
	}
}

struct trace_item trace_event_item(const struct event *event)
{
	struct trace_item item = { .kind = &event_kinds[event->kind],
				   .socket = event->socket,
				   .listener = event->listener,
				   .local = event->local,
				   .remote = event->remote,
				   .error = event->error,
				   .data = event->data,
				   .len = event->len };

	keep_fields(&item);
	return item;
}

struct trace_item trace_action_item(const struct actions *actions, size_t index)
{
	const struct action *a = &actions->items[index];
	struct trace_item item = { .kind = &action_kinds[a->kind],
				   .socket = a->socket,
				   .local = a->local,
				   .remote = a->remote,
				   .status = a->status,
				   .ttl = a->ttl,
				   .data = actions->bytes + a->at,
				   .len = a->len };

	keep_fields(&item);
	return item;
}

bool trace_item_equal(const struct trace_item *a, const struct trace_item *b)
{
	return a->kind == b->kind && a->socket == b->socket && a->listener == b->listener &&
	       endpoint_equal(a->local, b->local) && endpoint_equal(a->remote, b->remote) &&
	       a->error == b->error && a->status == b->status && a->ttl == b->ttl &&
	       a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

uint64_t trace_wake_us(uint64_t start_us, uint64_t wake_us)
{
	if (wake_us == NEVER)
		return NEVER;
	return wake_us > start_us ? wake_us - start_us : 0;
}

static void put_endpoint(const char *name, struct endpoint ep, struct buf *out)
{
	char text[ENDPOINT_TEXT_SIZE];

	buf_printf(out, ",\"%s\":\"%s\"", name, endpoint_format(ep, text));
}

static void put_bytes(const char *name, const uint8_t *data, size_t len, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";

	buf_printf(out, ",\"%s\":\"", name);
	for (size_t i = 0; i < len; i++)
		buf_add(out, (char[2]){ digits[data[i] >> 4], digits[data[i] & 15] }, 2);
	buf_puts(out, "\"");
}

static void put_item(const struct trace_item *item, struct buf *out)
{
	unsigned fields = item->kind->fields;

	buf_printf(out, "{\"kind\":\"%s\"", item->kind->name);
	if ((fields & TRACE_SOCKET) != 0)
		buf_printf(out, ",\"socket\":%" PRIu32, item->socket);
	if ((fields & TRACE_LISTENER) != 0)
		buf_printf(out, ",\"listener\":%" PRIu32, item->listener);
	if ((fields & TRACE_LOCAL) != 0)
		put_endpoint("local", item->local, out);
	if ((fields & TRACE_REMOTE) != 0)
		put_endpoint("remote", item->remote, out);
	if ((fields & TRACE_ERROR) != 0)
		buf_printf(out, ",\"error\":%d", item->error);
	if ((fields & TRACE_STATUS) != 0)
		buf_printf(out, ",\"status\":%d", item->status);
	if ((fields & TRACE_TTL) != 0 && item->ttl != 0)
		buf_printf(out, ",\"ttl\":%u", item->ttl);
	if ((fields & TRACE_DATA) != 0)
		put_bytes("data", item->data, item->len, out);
	buf_puts(out, "}");
}

void trace_begin(const char *strategy, const struct strategy_config *config, uint64_t start_us,
		 struct buf *out)
{
	char addr[ADDR_TEXT_SIZE];

	buf_printf(out, "{\"natsim_trace\":%d,\"version\":\"" NATSIM_VERSION "\"", TRACE_FORMAT);
	buf_printf(out, ",\"strategy\":\"%s\",\"start_us\":%" PRIu64, strategy, start_us);
	buf_printf(out, ",\"config\":{\"transport\":\"%s\"", config->tcp ? "tcp" : "udp");
	buf_printf(out, ",\"role\":\"%.1s\"", &config->role);
	put_endpoint("server", config->server, out);
	put_endpoint("server_alt", config->server_alt, out);
	put_bytes("session", config->session, config->session_len, out);
	buf_printf(out, ",\"local_addr\":\"%s\"", addr_format(config->local_addr, addr));
	buf_printf(out, ",\"local_port\":%u", config->local_port);
	buf_printf(out, ",\"nonce\":\"%016" PRIx64 "\"", config->nonce);
	buf_printf(out, ",\"seed\":\"%016" PRIx64 "\"", config->seed);
	buf_printf(out, ",\"start_delay_us\":%" PRIu64, config->start_delay_us);
	buf_printf(out, ",\"give_up_us\":%" PRIu64 "}}\n", config->give_up_us);
}

void trace_event(uint64_t start_us, uint64_t now_us, const struct event *event, struct buf *out)
{
	struct trace_item item = trace_event_item(event);

	buf_printf(out, "{\"at_us\":%" PRIu64 ",\"event\":", now_us - start_us);
	put_item(&item, out);
}

void trace_actions(const struct actions *actions, uint64_t wake_us, struct buf *out)
{
	buf_puts(out, ",\"actions\":[");
	for (size_t i = 0; i < actions->count; i++) {
		struct trace_item item = trace_action_item(actions, i);

		buf_puts(out, i == 0 ? "" : ",");
		put_item(&item, out);
	}
	if (wake_us == NEVER)
		buf_puts(out, "],\"wake_us\":null}\n");
	else
		buf_printf(out, "],\"wake_us\":%" PRIu64 "}\n", wake_us);
}

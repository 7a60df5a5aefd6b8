// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace's steps. */
#include <errno.h>
#include <string.h>

#include "sim/experiment/replay.h"

#define ERRNO_MAX  4095u /* Linux' MAX_ERRNO */
#define STATUS_MAX 255u

/* Of a step, and of its first half. */
#define STEP_KEYS     4u
#define STEP_KEYS_CUT 2u

typedef const struct trace_kind *kinds_fn(size_t kind);

/* It need not be there; *fields has it only if it is. */
static int get_ttl(const struct jsonl *o, unsigned *fields, uint8_t *ret)
{
	uint64_t ttl = 0;

	if (json_object_get(o->json, "ttl") == NULL) {
		*fields &= ~(unsigned)TRACE_TTL;
		return 0;
	}
	int code = jsonl_get_number(o, "ttl", UINT8_MAX, &ttl);
	*ret = (uint8_t)ttl;
	return code;
}

/* Reads its data to data, of at most max bytes. */
static int get_item(const struct jsonl *o, kinds_fn *kinds, size_t max, uint8_t *data,
		    struct trace_item *ret, size_t *ret_kind)
{
	const char *name = NULL;
	size_t kind = 0;
	int code = jsonl_get_text(o, "kind", &name);

	if (code < 0)
		return code;
	while (kinds(kind) != NULL && strcmp(kinds(kind)->name, name) != 0)
		kind++;
	*ret = (struct trace_item){ .kind = kinds(kind), .data = data };
	*ret_kind = kind;
	if (ret->kind == NULL)
		return JSONL_BAD(o, "nothing is of kind \"%.40s\" here", name);

	unsigned fields = ret->kind->fields;
	if ((fields & TRACE_SOCKET) != 0)
		code = jsonl_get_u32(o, "socket", &ret->socket);
	if (code == 0 && (fields & TRACE_LISTENER) != 0)
		code = jsonl_get_u32(o, "listener", &ret->listener);
	if (code == 0 && (fields & TRACE_LOCAL) != 0)
		code = jsonl_get_endpoint(o, "local", &ret->local);
	if (code == 0 && (fields & TRACE_REMOTE) != 0)
		code = jsonl_get_endpoint(o, "remote", &ret->remote);
	if (code == 0 && (fields & TRACE_ERROR) != 0)
		code = jsonl_get_int(o, "error", ERRNO_MAX, &ret->error);
	if (code == 0 && (fields & TRACE_STATUS) != 0)
		code = jsonl_get_int(o, "status", STATUS_MAX, &ret->status);
	if (code == 0 && (fields & TRACE_DATA) != 0)
		code = jsonl_get_bytes(o, "data", max, data, &ret->len);
	if (code == 0 && (fields & TRACE_TTL) != 0)
		code = get_ttl(o, &fields, &ret->ttl);
	if (code == 0 && json_object_size(o->json) != 1u + (unsigned)__builtin_popcount(fields))
		return JSONL_BAD(o, "\"%s\" has something that it cannot have", name);
	return code;
}

/* The world picks the numbers of accepted connections, the machine all others. */
static int check_socket(const struct jsonl *o, const struct event *ev)
{
	bool high = ev->socket >= SOCKET_ACCEPTED;

	if (ev->kind == EVENT_ACCEPTED && !high)
		return JSONL_BAD(o, "\"socket\" %u of an accepted connection is below %u",
				 ev->socket, SOCKET_ACCEPTED);
	if ((ev->kind == EVENT_OPENED || ev->kind == EVENT_CONNECTED ||
	     ev->kind == EVENT_DATAGRAM) &&
	    high)
		return JSONL_BAD(o, "\"socket\" %u is not below %u", ev->socket, SOCKET_ACCEPTED);
	if (ev->listener >= SOCKET_ACCEPTED)
		return JSONL_BAD(o, "\"listener\" %u is not below %u", ev->listener,
				 SOCKET_ACCEPTED);
	return 0;
}

static int get_event(const struct jsonl *line, struct replay_step *ret)
{
	bool first = line->line == 2;
	struct trace_item item = { .kind = NULL };
	struct jsonl o;
	size_t kind = 0;
	int code = jsonl_get_object(line, "event", &o);

	if (code == 0)
		code = get_item(&o, trace_event_kind, sizeof(ret->data), ret->data, &item, &kind);
	if (code < 0)
		return code;
	ret->event = (struct event){ .kind = (enum event_kind)kind,
				     .socket = item.socket,
				     .listener = item.listener,
				     .local = item.local,
				     .remote = item.remote,
				     .error = item.error,
				     .data = item.data,
				     .len = item.len };
	if (first != (kind == EVENT_START))
		return JSONL_BAD(&o, "the first step, and no other, is \"start\"");
	if (kind == EVENT_DATAGRAM && item.len > DATA_MAX)
		return JSONL_BAD(&o, "a datagram has more than %u bytes", DATA_MAX);
	return check_socket(&o, &ret->event);
}

static int add_action(const struct jsonl *o, struct actions *out)
{
	uint8_t data[DATA_MAX];
	struct trace_item item;
	size_t kind = 0;
	int code = get_item(o, trace_action_kind, sizeof(data), data, &item, &kind);

	if (code < 0)
		return code;
	if (!actions_have_room(out, 1, item.len))
		return JSONL_BAD(o, "\"actions\" are more than one step can have");
	out->items[out->count++] = (struct action){ .kind = (enum action_kind)kind,
						    .socket = item.socket,
						    .local = item.local,
						    .remote = item.remote,
						    .status = item.status,
						    .ttl = item.ttl,
						    .at = (uint16_t)out->used,
						    .len = (uint16_t)item.len };
	memcpy(out->bytes + out->used, data, item.len);
	out->used += item.len;
	return 0;
}

static int get_actions(const struct jsonl *line, struct actions *out)
{
	const json_t *all = json_object_get(line->json, "actions");

	if (!json_is_array(all))
		return JSONL_BAD(line, "\"actions\" are missing, or not an array");
	out->count = out->used = 0;
	for (size_t i = 0; i < json_array_size(all); i++) {
		struct jsonl o = { line->file, line->line, json_array_get(all, i), line->e };
		int code = json_is_object(o.json) ? add_action(&o, out)
						  : JSONL_BAD(line, "an action is not an object");

		if (code < 0)
			return code;
	}
	return 0;
}

static int get_wake(const struct jsonl *line, uint64_t *ret)
{
	*ret = NEVER;
	return json_is_null(json_object_get(line->json, "wake_us"))
		       ? 0
		       : jsonl_get_number(line, "wake_us", INT64_MAX, ret);
}

static int get_step(const struct jsonl *line, const struct replay_reader *r,
		    struct replay_step *ret)
{
	ret->line = line->line;
	ret->whole = !r->file.mended;
	if (!ret->whole && json_object_size(line->json) != STEP_KEYS_CUT)
		return JSONL_BAD(line, "the line is cut off");

	int code = jsonl_get_number(line, "at_us", REPLAY_TIME_MAX_US, &ret->at_us);

	if (code == 0 && ret->at_us < r->last_at_us)
		return JSONL_BAD(line, "\"at_us\" is before that of the line above");
	if (code == 0)
		code = get_event(line, ret);
	if (code == 0 && ret->whole)
		code = get_actions(line, &ret->actions);
	if (code == 0 && ret->whole)
		code = get_wake(line, &ret->wake_us);
	if (code == 0 && ret->whole && json_object_size(line->json) != STEP_KEYS)
		return JSONL_BAD(line, "the step has something that is not known here");
	return code;
}

int replay_open(const char *name, const char *text, size_t len, struct replay_reader *ret_reader,
		struct replay_head *ret_head, struct err *e)
{
	struct replay_reader r = { .file = { .name = name, .text = text, .len = len } };
	struct replay_head head = { .strategy = NULL };
	struct jsonl line;
	int code = jsonl_next(&r.file, &line, e);

	if (code < 0)
		return code;
	if (code == 0)
		return err_set_input_at(e, name, 0, 0, "is empty");
	code = replay_get_head(&line, &head);
	jsonl_release(&line);
	if (code < 0)
		return code;
	*ret_reader = r;
	*ret_head = head;
	return 0;
}

int replay_next(struct replay_reader *r, struct replay_step *ret, struct err *e)
{
	struct jsonl line;
	int code = jsonl_next(&r->file, &line, e);

	if (code == 0 && r->file.line == 1)
		return err_set_input_at(e, r->file.name, 1, 0, "no step follows");
	if (code <= 0)
		return code;
	code = get_step(&line, r, ret);
	jsonl_release(&line);
	if (code < 0)
		return code;
	r->last_at_us = ret->at_us;
	return 1;
}

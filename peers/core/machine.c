// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/machine.h"

#include <assert.h>
#include <string.h>

bool actions_have_room(const struct actions *out, size_t count, size_t bytes)
{
	return count <= ACTIONS_MAX - out->count && bytes <= ACTIONS_BYTES_MAX - out->used;
}

static struct action *append(struct actions *out, enum action_kind kind, uint32_t socket)
{
	assert(actions_have_room(out, 1, 0));
	struct action *a = &out->items[out->count++];

	*a = (struct action){ .kind = kind, .socket = socket };
	return a;
}

static void put_data(struct actions *out, struct action *a, const void *data, size_t len)
{
	assert(len <= DATA_MAX && actions_have_room(out, 0, len));
	a->at = (uint16_t)out->used;
	a->len = (uint16_t)len;
	memcpy(out->bytes + out->used, data, len);
	out->used += len;
}

void act_udp_open(struct actions *out, uint32_t socket, struct endpoint local)
{
	append(out, ACTION_UDP_OPEN, socket)->local = local;
}

void act_udp_send(struct actions *out, uint32_t socket, struct endpoint remote, const void *data,
		  size_t len)
{
	struct action *a = append(out, ACTION_UDP_SEND, socket);

	a->remote = remote;
	put_data(out, a, data, len);
}

void act_set_ttl(struct actions *out, uint8_t ttl)
{
	assert(out->count > 0);
	struct action *a = &out->items[out->count - 1];

	assert(a->kind == ACTION_UDP_SEND || a->kind == ACTION_TCP_CONNECT);
	a->ttl = ttl;
}

void act_tcp_listen(struct actions *out, uint32_t socket, struct endpoint local)
{
	append(out, ACTION_TCP_LISTEN, socket)->local = local;
}

void act_tcp_connect(struct actions *out, uint32_t socket, struct endpoint local,
		     struct endpoint remote)
{
	struct action *a = append(out, ACTION_TCP_CONNECT, socket);

	a->local = local;
	a->remote = remote;
}

void act_tcp_send(struct actions *out, uint32_t socket, const void *data, size_t len)
{
	put_data(out, append(out, ACTION_TCP_SEND, socket), data, len);
}

void act_close(struct actions *out, uint32_t socket)
{
	(void)append(out, ACTION_CLOSE, socket);
}

void act_abort(struct actions *out, uint32_t socket)
{
	(void)append(out, ACTION_ABORT, socket);
}

void act_done(struct actions *out, int status)
{
	append(out, ACTION_DONE, 0)->status = status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a protocol state machine and the world around it say to each other.
 *
 * A machine does no I/O and knows no clock. The world (real sockets in peers/loop.c, virtual time
 * in the twin) calls step() with the time and one event; the machine appends actions, which the
 * world carries out in their order, and returns the time at which it wants EVENT_TIMER (NEVER for
 * none). The world may call early; a machine must not mind a timer with nothing to do.
 *
 * Sockets have numbers. The machine picks those of the sockets it opens (below SOCKET_ACCEPTED,
 * each free for use again once closed); the world picks those of the connections a listener
 * accepts, from SOCKET_ACCEPTED up, and never uses one twice.
 *
 * trace.c has a name for each kind of event and action, and lists what belongs to it.
 */
#ifndef NATSIM_PEERS_CORE_MACHINE_H
#define NATSIM_PEERS_CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"

#define NEVER           UINT64_MAX
#define SOCKET_ACCEPTED 0x10000u

/* RFC 8489, section 6.1: all messages over UDP should fit the path MTU; 548 bytes where unknown.
 * What our machines send is smaller; a datagram longer than this is cut off by the world. */
#define DATA_MAX 1024u

enum event_kind {
	EVENT_START,     /* the first, once; no other field is set */
	EVENT_TIMER,     /* the time asked for has come; no other field is set */
	EVENT_OPENED,    /* an ACTION_UDP_OPEN or ACTION_TCP_LISTEN worked; local */
	EVENT_DATAGRAM,  /* socket, local, remote, data */
	EVENT_CONNECTED, /* an ACTION_TCP_CONNECT worked; local, remote */
	EVENT_ACCEPTED,  /* socket is new, listener accepted it; local, remote */
	EVENT_DATA,      /* bytes of a stream, in pieces of any size: socket, data */
	EVENT_CLOSED,    /* the socket is gone and its number free; error 0: the other side closed;
			  * otherwise an errno: could not open, connect, accept more, or was reset */
};

struct event {
	enum event_kind kind;
	uint32_t socket;
	uint32_t listener; /* EVENT_ACCEPTED only */
	struct endpoint local, remote;
	int error;           /* EVENT_CLOSED only */
	const uint8_t *data; /* valid during the call */
	size_t len;
};

enum action_kind {
	ACTION_UDP_OPEN, /* bind to local; port 0: any; answered by EVENT_OPENED or EVENT_CLOSED */
	ACTION_UDP_SEND, /* data to remote; never answered */
	ACTION_TCP_LISTEN,  /* as ACTION_UDP_OPEN; shares its port with connecting sockets */
	ACTION_TCP_CONNECT, /* from local (port 0: any) to remote; shares its port likewise;
			     * answered by EVENT_CONNECTED or EVENT_CLOSED */
	ACTION_TCP_SEND,    /* data into a connected stream; EVENT_CLOSED if it breaks */
	ACTION_CLOSE,       /* orderly where there is a connection; not answered */
	ACTION_ABORT,       /* the same with an RST: leaves no TIME_WAIT */
	ACTION_DONE,        /* the machine is finished; status is its result */
};

struct action {
	enum action_kind kind;
	uint32_t socket;
	struct endpoint local, remote;
	int status;  /* ACTION_DONE: 0 is success */
	uint8_t ttl; /* ACTION_UDP_SEND, ACTION_TCP_CONNECT until connected; 0: the system's */
	uint16_t at; /* data: bytes[at .. at + len) of struct actions */
	uint16_t len;
};

/* What one step asks for: at most this much. A machine with more to do returns now_us. */
#define ACTIONS_MAX       48u
#define ACTIONS_BYTES_MAX 8192u

struct actions {
	size_t count;
	size_t used;
	struct action items[ACTIONS_MAX];
	uint8_t bytes[ACTIONS_BYTES_MAX];
};

typedef uint64_t machine_step_fn(void *state, uint64_t now_us, const struct event *event,
				 struct actions *out);

/* True while out has room for count more actions that carry bytes in all. */
bool actions_have_room(const struct actions *out, size_t count, size_t bytes);

/* Each appends one action; out must have room (assert). */
void act_udp_open(struct actions *out, uint32_t socket, struct endpoint local);
void act_udp_send(struct actions *out, uint32_t socket, struct endpoint remote, const void *data,
		  size_t len);
/* Of the action appended last: what it sends leaves with this TTL. */
void act_set_ttl(struct actions *out, uint8_t ttl);
void act_tcp_listen(struct actions *out, uint32_t socket, struct endpoint local);
void act_tcp_connect(struct actions *out, uint32_t socket, struct endpoint local,
		     struct endpoint remote);
void act_tcp_send(struct actions *out, uint32_t socket, const void *data, size_t len);
void act_close(struct actions *out, uint32_t socket);
void act_abort(struct actions *out, uint32_t socket);
void act_done(struct actions *out, int status);

#endif

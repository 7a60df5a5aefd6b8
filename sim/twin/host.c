// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine is run as peers/loop.c runs it: an event goes in, its actions are carried out in
 * their order, and what they cause at once (a socket that opened, or could not) waits in a queue
 * until all of them are, so a machine is never entered twice. A machine that is done is a process
 * that has ended: its sockets are closed, and TCP goes on to bring what it has to an end.
 *
 * Not modelled: two listeners on one local endpoint (SO_REUSEPORT would share the connections out),
 * socket buffers and backlogs.
 */
#include "sim/twin/host.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/twin/host_socket.h"

/* A machine that asks for so many timers while time stands still never comes to rest. */
#define RESTLESS_MAX 10000u

/* ---- events */

void host_tell(struct twin_host *h, const struct event *event)
{
	if (h->queue_count == h->queue_size) {
		size_t size = h->queue_size == 0 ? 64 : 2 * h->queue_size;
		struct event *queue = realloc(h->queue, size * sizeof(*queue));

		assert(queue != NULL);
		h->queue = queue;
		h->queue_size = size;
	}
	h->queue[h->queue_count++] = *event;
}

static void tell_closed(struct twin_host *h, uint32_t number, int error)
{
	host_tell(h, &(struct event){ .kind = EVENT_CLOSED, .socket = number, .error = error });
}

/* The machine cannot know yet that this one is gone. */
static bool is_about_to_hear(const struct twin_host *h, uint32_t number)
{
	for (size_t i = h->queue_first; i < h->queue_count; i++)
		if (h->queue[i].kind == EVENT_CLOSED && h->queue[i].socket == number)
			return true;
	return false;
}

/* ---- packets */

struct twin_packet *host_packet(struct twin_host *h, enum twin_protocol protocol, uint8_t ttl,
				struct endpoint from, struct endpoint to)
{
	memset(&h->out, 0, offsetof(struct twin_packet, data));
	h->out.protocol = protocol;
	h->out.ttl = ttl;
	h->out.from = from;
	h->out.to = to;
	return &h->out;
}

void host_send(struct twin_host *h)
{
	twin_world_send(h->world, &h->node, h->config.side, &h->out);
}

/* ---- actions */

static void do_open(struct twin_host *h, const struct action *a)
{
	enum socket_state state = a->kind == ACTION_UDP_OPEN ? SOCKET_UDP : SOCKET_LISTENER;
	struct endpoint local = a->local;
	int error = host_bind(h, state, &local);

	if (error != 0) {
		tell_closed(h, a->socket, error);
		return;
	}
	struct host_socket *s = host_socket_new(h);
	s->state = state;
	s->local = local;
	host_socket_insert(h, s);
	host_socket_own(h, s, a->socket);
	host_tell(h, &(struct event){ .kind = EVENT_OPENED, .socket = a->socket, .local = local });
}

static void do_connect(struct twin_host *h, const struct action *a)
{
	int error = tcp_connect(h, a);

	if (error != 0)
		tell_closed(h, a->socket, error);
}

static void close_socket(struct twin_host *h, struct host_socket *s, bool abort)
{
	if (s->state == SOCKET_UDP || s->state == SOCKET_LISTENER)
		host_socket_end(h, s);
	else if (abort)
		tcp_abort(h, s);
	else
		tcp_close(h, s);
}

static void use_socket(struct twin_host *h, const struct action *a)
{
	struct host_socket *s = host_find_number(h, a->socket);

	if (s == NULL) {
		assert(is_about_to_hear(h, a->socket));
		return;
	}
	switch (a->kind) {
	case ACTION_UDP_SEND:
		assert(s->state == SOCKET_UDP);
		udp_send(h, s, a);
		break;
	case ACTION_TCP_SEND:
		assert(s->state == SOCKET_ESTABLISHED);
		tcp_put(h, s, h->actions.bytes + a->at, a->len);
		break;
	default:
		close_socket(h, s, a->kind == ACTION_ABORT);
		break;
	}
}

static void do_action(struct twin_host *h, const struct action *a)
{
	switch (a->kind) {
	case ACTION_UDP_OPEN:
	case ACTION_TCP_LISTEN:
	case ACTION_TCP_CONNECT:
		assert(a->socket < SOCKET_ACCEPTED);
		assert(host_find_number(h, a->socket) == NULL);
		if (a->kind == ACTION_TCP_CONNECT)
			do_connect(h, a);
		else
			do_open(h, a);
		break;
	case ACTION_UDP_SEND:
	case ACTION_TCP_SEND:
	case ACTION_CLOSE:
	case ACTION_ABORT:
		use_socket(h, a);
		break;
	case ACTION_DONE:
		h->done = true;
		h->status = a->status;
		break;
	}
}

/* As the kernel does when a process exits. */
static void close_all(struct twin_host *h)
{
	for (size_t i = 0; i < h->sockets.used; i++) {
		struct host_socket *s = host_socket_at(h, i);

		if (s->owned)
			close_socket(h, s, false);
	}
}

static void step_once(struct twin_host *h, const struct event *event)
{
	if (h->done)
		return;
	h->actions.count = 0;
	h->actions.used = 0;
	h->wake_us = h->step(h->state, h->now_us, event, &h->actions);
	for (size_t i = 0; i < h->actions.count; i++)
		do_action(h, &h->actions.items[i]);
	if (h->done)
		close_all(h);
}

void host_tell_all(struct twin_host *h)
{
	while (h->queue_first < h->queue_count) {
		struct event event = h->queue[h->queue_first++]; /* the queue may move */

		step_once(h, &event);
	}
	h->queue_first = h->queue_count = 0;
}

void host_tell_data(struct twin_host *h, const struct event *event)
{
	host_tell_all(h);
	step_once(h, event);
	host_tell_all(h);
}

/* ---- what arrives */

static void enter(struct twin_host *h, struct twin_world *world)
{
	h->world = world;
	h->now_us = twin_world_now_us(world);
}

static void leave(struct twin_host *h)
{
	uint64_t machine_us = !h->started ? h->start_us : h->wake_us;

	if (h->done || h->step == NULL)
		machine_us = NEVER;
	h->node.run_at_us = machine_us < h->tcp_timer_us ? machine_us : h->tcp_timer_us;
}

static void host_receive(struct twin_node *node, struct twin_world *world, enum twin_side side,
			 struct twin_packet *p)
{
	struct twin_host *h = (struct twin_host *)node;

	(void)side;
	enter(h, world);
	if (h->look != NULL && (p->protocol == TWIN_UDP || (p->protocol == TWIN_TCP && p->len > 0)))
		h->look(h->look_arg, h->now_us, p);
	if (p->protocol == TWIN_UDP)
		udp_receive(h, p);
	else if (p->protocol == TWIN_TCP)
		tcp_receive(h, p);
	else if (p->quote.protocol == TWIN_TCP)
		tcp_receive_error(h, &p->quote);
	host_tell_all(h);
	leave(h);
}

/* ---- time */

static void tell_timer(struct twin_host *h)
{
	if (h->now_us != h->rested_us) {
		h->rested_us = h->now_us;
		h->restless = 0;
	}
	h->restless++;
	assert(h->restless <= RESTLESS_MAX);
	host_tell_data(h, &(struct event){ .kind = EVENT_TIMER });
}

static void host_run(struct twin_node *node, struct twin_world *world)
{
	struct twin_host *h = (struct twin_host *)node;

	enter(h, world);
	if (h->tcp_timer_us <= h->now_us)
		tcp_timers(h);
	host_tell_all(h);
	if (!h->started && h->step != NULL && h->start_us <= h->now_us) {
		h->started = true;
		host_tell_data(h, &(struct event){ .kind = EVENT_START });
	} else if (h->started && !h->done && h->wake_us <= h->now_us) {
		tell_timer(h);
	}
	leave(h);
}

/* ---- the host */

struct twin_host *twin_host_new(const struct twin_host_config *config)
{
	struct twin_host *h = calloc(1, sizeof(*h));

	assert(h != NULL);
	assert(config->addrs_count > 0 && config->addrs_count <= TWIN_HOST_ADDRS_MAX);
	h->config = *config;
	h->node.receive = host_receive;
	h->node.run = host_run;
	twin_host_reset(h, NULL, NULL, NEVER, 0);
	return h;
}

void twin_host_free(struct twin_host *h)
{
	if (h == NULL)
		return;
	host_sockets_free(h);
	free(h->queue);
	free(h);
}

struct twin_node *twin_host_node(struct twin_host *h)
{
	return &h->node;
}

void twin_host_reset(struct twin_host *h, machine_step_fn *step, void *state, uint64_t start_us,
		     uint64_t seed)
{
	host_sockets_reset(h);
	prng_init(&h->prng, seed);
	h->seed = seed;
	h->step = step;
	h->state = state;
	h->start_us = start_us;
	h->wake_us = NEVER;
	h->started = h->done = false;
	h->status = 0;
	h->rested_us = NEVER;
	h->queue_first = h->queue_count = 0;
	h->next_accepted = SOCKET_ACCEPTED;
	leave(h);
}

bool twin_host_is_done(const struct twin_host *h)
{
	return h->done;
}

int twin_host_status(const struct twin_host *h)
{
	return h->status;
}

void twin_host_watch(struct twin_host *h,
		     void (*look)(void *arg, uint64_t now_us, const struct twin_packet *p),
		     void *arg)
{
	h->look = look;
	h->look_arg = arg;
}

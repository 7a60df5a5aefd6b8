/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hosts of toy_world.h: what a machine's actions do, what packets do to sockets, and time. */
#ifndef NATSIM_TESTS_TOY_HOST_H
#define NATSIM_TESTS_TOY_HOST_H

#include "tests/toy_world.h"

/* ---- actions */

static inline void toy_fail(struct toy_world *w, int host, uint32_t id, int error)
{
	(void)toy_socket_new(&w->hosts[host], (struct toy_socket){ .state = TOY_FAILED, .id = id });
	toy_tell(w, host, (struct event){ .kind = EVENT_CLOSED, .socket = id, .error = error });
}

/* A port of 0 stands for a free one. */
static inline struct endpoint toy_bind(struct toy_host *h, struct endpoint local)
{
	if (local.port == 0)
		local.port = h->next_port++;
	return local;
}

static inline void toy_open(struct toy_world *w, int host, const struct action *a)
{
	struct toy_host *h = &w->hosts[host];
	bool udp = a->kind == ACTION_UDP_OPEN;
	struct endpoint local = toy_bind(h, a->local);

	if (toy_socket_at(h, false, udp, local, local) != NULL) {
		toy_fail(w, host, a->socket, EADDRINUSE);
		return;
	}
	(void)toy_socket_new(h, (struct toy_socket){ .state = udp ? TOY_DATAGRAM : TOY_LISTENER,
						     .id = a->socket,
						     .local = local });
	toy_tell(w, host,
		 (struct event){ .kind = EVENT_OPENED, .socket = a->socket, .local = local });
}

static inline void toy_connect(struct toy_world *w, int host, const struct action *a)
{
	struct toy_host *h = &w->hosts[host];
	struct endpoint local = toy_bind(h, a->local);

	if (toy_socket_at(h, true, false, local, a->remote) != NULL) {
		toy_fail(w, host, a->socket, EADDRNOTAVAIL);
		return;
	}
	struct toy_socket *s = toy_socket_new(h, (struct toy_socket){ .state = TOY_SYN_SENT,
								      .id = a->socket,
								      .local = local,
								      .remote = a->remote,
								      .isn = ++w->next_isn });
	toy_segment(w, host, s, TOY_SYN);
}

static inline void toy_close(struct toy_world *w, int host, struct toy_socket *s, bool abort)
{
	if (s->state == TOY_ESTABLISHED)
		toy_segment(w, host, s, abort ? TOY_RST : TOY_FIN);
	else if (s->state == TOY_SYN_RECEIVED)
		toy_segment(w, host, s, TOY_RST);
	s->state = TOY_FREE;
}

static inline void toy_put(struct toy_world *w, int host, struct toy_socket *s,
			   const struct action *a)
{
	struct toy_packet p = { .kind = s->state == TOY_DATAGRAM ? TOY_UDP : TOY_DATA,
				.host = host,
				.from = s->local,
				.to = s->state == TOY_DATAGRAM ? a->remote : s->remote,
				.isn = s->isn,
				.ack = s->peer_isn,
				.len = a->len };

	memcpy(p.data, w->out.bytes + a->at, a->len);
	toy_send(w, &p, s->state == TOY_DATAGRAM ? NULL : s);
}

static inline void toy_act(struct toy_world *w, int host, const struct action *a)
{
	struct toy_host *h = &w->hosts[host];
	struct toy_socket *s = toy_socket_find(h, a->socket);

	switch (a->kind) {
	case ACTION_UDP_OPEN:
	case ACTION_TCP_LISTEN:
		assert(s == NULL);
		toy_open(w, host, a);
		break;
	case ACTION_TCP_CONNECT:
		assert(s == NULL);
		h->sent += !toy_is_server(a->remote);
		toy_connect(w, host, a);
		break;
	case ACTION_UDP_SEND:
		assert(s != NULL && s->state == TOY_DATAGRAM);
		h->sent += !toy_is_server(a->remote);
		toy_put(w, host, s, a);
		break;
	case ACTION_TCP_SEND:
		assert(s != NULL && s->state == TOY_ESTABLISHED);
		h->sent += !toy_is_server(s->remote);
		toy_put(w, host, s, a);
		break;
	case ACTION_CLOSE:
	case ACTION_ABORT:
		assert(s != NULL);
		toy_close(w, host, s, a->kind == ACTION_ABORT);
		break;
	case ACTION_DONE:
		assert(!h->done);
		h->done = true;
		h->done_us = w->now_us;
		h->status = a->status;
		break;
	}
}

static inline void toy_step(struct toy_world *w, int host, const struct event *event)
{
	struct toy_host *h = &w->hosts[host];

	if (h->done || h->step == NULL)
		return;
	w->out.count = 0;
	w->out.used = 0;
	h->wake_us = h->step(h->state, w->now_us, event, &w->out);
	for (size_t i = 0; i < w->out.count; i++)
		toy_act(w, host, &w->out.items[i]);
}

/* ---- packets that have arrived */

static inline void toy_stream_event(struct toy_world *w, int host, enum event_kind kind,
				    const struct toy_socket *s, const struct toy_packet *p,
				    int error)
{
	toy_step(w, host,
		 &(struct event){ .kind = kind,
				  .socket = s->id,
				  .listener = s->listener,
				  .local = s->local,
				  .remote = s->remote,
				  .error = error,
				  .data = p->data,
				  .len = p->len });
}

static inline void toy_refuse(struct toy_world *w, int host, const struct toy_packet *p)
{
	if (p->kind != TOY_RST)
		toy_send(w,
			 &(struct toy_packet){ .kind = TOY_RST,
					       .host = host,
					       .from = p->to,
					       .to = p->from,
					       .isn = p->ack,
					       .ack = p->isn },
			 NULL);
}

static inline void toy_syn(struct toy_world *w, int host, struct toy_socket *s,
			   const struct toy_packet *p)
{
	struct toy_host *h = &w->hosts[host];

	if (s == NULL) {
		const struct toy_socket *listener = toy_socket_at(h, false, false, p->to, p->to);

		if (listener == NULL) {
			toy_refuse(w, host, p);
			return;
		}
		s = toy_socket_new(h, (struct toy_socket){ .state = TOY_SYN_SENT,
							   .listener = listener->id,
							   .local = p->to,
							   .remote = p->from,
							   .isn = ++w->next_isn });
	}
	/* A SYN_RECEIVED one that is asked anew: the other side has begun afresh. */
	if (s->state == TOY_ESTABLISHED || (s->state == TOY_SYN_RECEIVED && s->listener == 0))
		return;
	s->state = TOY_SYN_RECEIVED;
	s->peer_isn = p->isn;
	toy_segment(w, host, s, TOY_SYNACK);
}

static inline void toy_establish(struct toy_world *w, int host, struct toy_socket *s,
				 const struct toy_packet *p)
{
	bool accepted = s->listener != 0;

	s->state = TOY_ESTABLISHED;
	s->peer_isn = p->isn;
	if (accepted)
		s->id = w->hosts[host].next_accepted++;
	if (p->kind == TOY_SYNACK)
		toy_segment(w, host, s, TOY_ACK);
	toy_stream_event(w, host, accepted ? EVENT_ACCEPTED : EVENT_CONNECTED, s,
			 &(struct toy_packet){ 0 }, 0);
}

static inline void toy_reset(struct toy_world *w, int host, struct toy_socket *s,
			     const struct toy_packet *p)
{
	struct toy_socket gone = *s;
	bool hidden = s->state == TOY_SYN_RECEIVED && s->listener != 0;

	s->state = TOY_FREE;
	if (!hidden)
		toy_stream_event(w, host, EVENT_CLOSED, &gone, p,
				 p->kind == TOY_FIN ? 0 : ECONNRESET);
}

static inline void toy_tcp(struct toy_world *w, int host, const struct toy_packet *p)
{
	struct toy_host *h = &w->hosts[host];
	struct toy_socket *s = toy_socket_at(h, true, false, p->to, p->from);

	if (p->kind == TOY_SYN) {
		toy_syn(w, host, s, p);
		return;
	}
	if (s == NULL || p->ack != s->isn) {
		toy_refuse(w, host, p);
		return;
	}
	if (p->kind == TOY_RST) {
		toy_reset(w, host, s, p);
		return;
	}
	if (s->state == TOY_SYN_RECEIVED || (s->state == TOY_SYN_SENT && p->kind == TOY_SYNACK))
		toy_establish(w, host, s, p);
	/* The machine may have closed it. */
	s = toy_socket_at(h, true, false, p->to, p->from);
	if (s != NULL && s->state == TOY_ESTABLISHED && p->kind == TOY_DATA)
		toy_stream_event(w, host, EVENT_DATA, s, p, 0);
	else if (s != NULL && s->state == TOY_ESTABLISHED && p->kind == TOY_FIN)
		toy_reset(w, host, s, p);
}

/* What the machine is to hear of a socket of its own, unless it has closed it meanwhile. */
static inline void toy_deliver(struct toy_world *w, int host, const struct event *event)
{
	struct toy_socket *s = toy_socket_find(&w->hosts[host], event->socket);

	if (s == NULL)
		return;
	if (s->state == TOY_FAILED)
		s->state = TOY_FREE;
	toy_step(w, host, event);
}

static inline void toy_arrive(struct toy_world *w, struct toy_packet *p)
{
	int host = toy_route(p->to);

	if (p->kind == TOY_LOCAL) {
		toy_deliver(w, p->host, &p->event);
		return;
	}
	if (!toy_nat_in(&w->hosts[host].nat, p->kind != TOY_UDP, p->from, &p->to))
		return;
	if (p->kind != TOY_UDP) {
		toy_tcp(w, host, p);
		return;
	}
	const struct toy_socket *s = toy_socket_at(&w->hosts[host], false, true, p->to, p->to);
	if (s != NULL)
		toy_step(w, host,
			 &(struct event){ .kind = EVENT_DATAGRAM,
					  .socket = s->id,
					  .local = s->local,
					  .remote = p->from,
					  .data = p->data,
					  .len = p->len });
}

/* ---- time */

static inline void toy_wake(struct toy_world *w, int host)
{
	struct toy_host *h = &w->hosts[host];
	enum event_kind kind = h->started ? EVENT_TIMER : EVENT_START;

	h->started = true;
	toy_step(w, host, &(struct event){ .kind = kind });
}

/* The host whose timer is due first; TOY_HOSTS where there is none. */
static inline int toy_next_timer(const struct toy_world *w)
{
	int next = TOY_HOSTS;

	for (int i = 0; i < TOY_HOSTS; i++)
		if (!w->hosts[i].done && w->hosts[i].wake_us != NEVER &&
		    (next == TOY_HOSTS || w->hosts[i].wake_us < w->hosts[next].wake_us))
			next = i;
	return next;
}

static inline bool toy_is_over(const struct toy_world *w)
{
	const struct toy_host *a = &w->hosts[TOY_A], *b = &w->hosts[TOY_B];

	return (a->done || a->step == NULL) && (b->done || b->step == NULL);
}

/* Goes on until the time, or until the machines of a and b are done, if that is sooner. */
static inline void toy_run(struct toy_world *w, uint64_t until_us)
{
	for (unsigned steps = 0;; steps++) {
		int host = toy_next_timer(w);
		uint64_t timer_us = host == TOY_HOSTS ? NEVER : w->hosts[host].wake_us;
		uint64_t packet_us = timerqueue_next_us(&w->packets);
		uint64_t next_us = packet_us <= timer_us ? packet_us : timer_us;

		assert(steps < TOY_STEPS_MAX);
		if (toy_is_over(w))
			return;
		if (next_us > until_us) {
			w->now_us = until_us;
			return;
		}
		if (next_us > w->now_us)
			w->now_us = next_us;
		if (packet_us > timer_us) {
			toy_wake(w, host);
			continue;
		}
		struct toy_packet *p = timerqueue_take(&w->packets, packet_us);
		toy_arrive(w, p);
		free(p);
	}
}

#endif

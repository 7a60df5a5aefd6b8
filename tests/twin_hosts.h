/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts of the twin that run machines by script, and a place that only writes down what it gets
 * and sends what a test makes up:
 *
 *	a 198.51.100.1 --+-- raw 203.0.113.1
 *	b 198.51.100.2 --+
 */
#ifndef NATSIM_TESTS_TWIN_HOSTS_H
#define NATSIM_TESTS_TWIN_HOSTS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/twin/host.h"
#include "sim/twin/world.h"

#define A_ADDR       0xc6336401u
#define A_OTHER_ADDR 0xc6336411u
#define B_ADDR       0xc6336402u
#define RAW_ADDR     0xcb007101u
#define GATEWAY      0xc63364feu

#define PLANS_MAX    1024u
#define EVENTS_MAX   2048u
#define STREAM_MAX   4096u
#define CAPTURED_MAX 256u

/* Does what it is told when it is due, and writes down what it hears. */
struct scripted {
	struct {
		uint64_t at_us;
		struct action action;
		char text[16];
	} plans[PLANS_MAX]; /* in the order of time */
	size_t plans_count, plans_done;
	struct event events[EVENTS_MAX];
	uint64_t events_us[EVENTS_MAX];
	size_t events_count;
	char stream[STREAM_MAX]; /* all bytes of datagrams and streams */
	size_t stream_len;
	const char *answer; /* to each stream that comes about */
	unsigned timers;
};

struct raw {
	struct twin_node node;
	struct twin_packet captured[CAPTURED_MAX];
	uint64_t captured_us[CAPTURED_MAX];
	size_t count;
};

struct hosts {
	struct twin_world *world;
	struct twin_host *a, *b;
	struct scripted on_a, on_b;
	struct raw raw;
};

/* ---- machines */

static inline uint64_t scripted_step(void *state, uint64_t now_us, const struct event *event,
				     struct actions *out)
{
	struct scripted *m = state;

	if (event->kind == EVENT_TIMER) {
		m->timers++;
	} else {
		assert_true(m->events_count < EVENTS_MAX);
		assert_true(m->stream_len + event->len <= STREAM_MAX);
		if (event->len > 0)
			memcpy(m->stream + m->stream_len, event->data, event->len);
		m->stream_len += event->len;
		m->events_us[m->events_count] = now_us;
		m->events[m->events_count++] = *event;
	}
	if (m->answer != NULL && (event->kind == EVENT_CONNECTED || event->kind == EVENT_ACCEPTED))
		act_tcp_send(out, event->socket, m->answer, strlen(m->answer));
	for (; m->plans_done < m->plans_count && m->plans[m->plans_done].at_us <= now_us &&
	       actions_have_room(out, 1, 16);
	     m->plans_done++) {
		const char *text = m->plans[m->plans_done].text;
		struct action a = m->plans[m->plans_done].action;

		a.at = (uint16_t)out->used;
		a.len = (uint16_t)strlen(text);
		memcpy(out->bytes + out->used, text, a.len);
		out->used += a.len;
		out->items[out->count++] = a;
	}
	return m->plans_done == m->plans_count ? NEVER : m->plans[m->plans_done].at_us;
}

static inline void plan(struct scripted *m, uint64_t at_us, struct action action, const char *text)
{
	size_t size = strlen(text) + 1;

	assert_true(m->plans_count < PLANS_MAX && size <= sizeof(m->plans[0].text));
	m->plans[m->plans_count].at_us = at_us;
	m->plans[m->plans_count].action = action;
	memcpy(m->plans[m->plans_count++].text, text, size);
}

/* Those that have no data. */
static inline void plan_open(struct scripted *m, uint64_t at_us, enum action_kind kind,
			     uint32_t socket, struct endpoint local)
{
	plan(m, at_us, (struct action){ .kind = kind, .socket = socket, .local = local }, "");
}

static inline void plan_connect(struct scripted *m, uint64_t at_us, uint32_t socket,
				struct endpoint local, struct endpoint remote)
{
	plan(m, at_us,
	     (struct action){ .kind = ACTION_TCP_CONNECT,
			      .socket = socket,
			      .local = local,
			      .remote = remote },
	     "");
}

static inline void plan_socket(struct scripted *m, uint64_t at_us, enum action_kind kind,
			       uint32_t socket, const char *text)
{
	plan(m, at_us, (struct action){ .kind = kind, .socket = socket }, text);
}

static inline unsigned count_events(const struct scripted *m, enum event_kind kind)
{
	unsigned count = 0;

	for (size_t i = 0; i < m->events_count; i++)
		count += m->events[i].kind == kind;
	return count;
}

/* The only one of its kind. */
static inline const struct event *one_event(const struct scripted *m, enum event_kind kind)
{
	size_t i = 0;

	assert_int_equal(count_events(m, kind), 1);
	while (m->events[i].kind != kind)
		i++;
	return &m->events[i];
}

/* ---- the raw place */

static inline void raw_receive(struct twin_node *node, struct twin_world *world,
			       enum twin_side side, struct twin_packet *p)
{
	struct raw *raw = (struct raw *)node;

	(void)side;
	assert_true(raw->count < CAPTURED_MAX);
	raw->captured_us[raw->count] = twin_world_now_us(world);
	memcpy(&raw->captured[raw->count++], p, twin_packet_used(p));
}

static inline void raw_send(struct hosts *t, struct twin_packet p)
{
	p.ttl = TWIN_TTL;
	twin_world_send(t->world, &t->raw.node, TWIN_OUTSIDE, &p);
}

static inline struct twin_packet *raw_last(struct hosts *t)
{
	assert_true(t->raw.count > 0);
	return &t->raw.captured[t->raw.count - 1];
}

/* ---- all together */

static inline struct twin_host *hosts_add(struct hosts *t, const uint32_t *addrs, unsigned count,
					  const struct link_profile *link)
{
	struct twin_host_config config = { .addrs_count = count, .side = TWIN_OUTSIDE };
	struct prefix prefixes[TWIN_HOST_ADDRS_MAX];

	for (unsigned i = 0; i < count; i++) {
		config.addrs[i] = addrs[i];
		prefixes[i] = (struct prefix){ addrs[i], 32 };
	}
	struct twin_host *h = twin_host_new(&config);
	twin_world_add_site(
		t->world, &(struct twin_site){ twin_host_node(h), prefixes, count, GATEWAY, link });
	return h;
}

/* Machines start at 0, and not before the first hosts_run(). */
static inline void hosts_reset(struct hosts *t, uint64_t seed)
{
	memset(&t->on_a, 0, sizeof(t->on_a));
	memset(&t->on_b, 0, sizeof(t->on_b));
	t->raw.count = 0;
	twin_world_reset(t->world, seed);
	twin_host_reset(t->a, scripted_step, &t->on_a, 0, seed);
	twin_host_reset(t->b, scripted_step, &t->on_b, 0, seed + 1);
}

static inline struct hosts *hosts_new(const struct link_profile *link)
{
	static const uint32_t a_addrs[] = { A_ADDR, A_OTHER_ADDR }, b_addr = B_ADDR;
	static const struct prefix raw_prefix = { RAW_ADDR, 32 };
	struct hosts *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->world = twin_world_new();
	t->a = hosts_add(t, a_addrs, 2, link);
	t->b = hosts_add(t, &b_addr, 1, link);
	t->raw.node = (struct twin_node){ .receive = raw_receive, .run_at_us = NEVER };
	twin_world_add_site(t->world,
			    &(struct twin_site){ &t->raw.node, &raw_prefix, 1, GATEWAY, NULL });
	hosts_reset(t, 1);
	return t;
}

static inline void hosts_free(struct hosts *t)
{
	twin_host_free(t->a);
	twin_host_free(t->b);
	twin_world_free(t->world);
	free(t);
}

static inline bool hosts_never(void *arg)
{
	(void)arg;
	return false;
}

static inline void hosts_run(struct hosts *t, uint64_t until_us)
{
	twin_world_run(t->world, until_us, hosts_never, NULL);
}

#endif

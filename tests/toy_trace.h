/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces of machines in the world of toy_world.h. */
#ifndef NATSIM_TESTS_TOY_TRACE_H
#define NATSIM_TESTS_TOY_TRACE_H

#include "peers/core/trace.h"
#include "tests/toy_pair.h"

#define TOY_TRACE_START_US 1000u

struct toy_trace {
	const struct strategy *strategy;
	void *state;
	struct buf text;
};

static inline uint64_t toy_trace_step(void *state, uint64_t now_us, const struct event *ev,
				      struct actions *out)
{
	struct toy_trace *t = state;

	trace_event(TOY_TRACE_START_US, now_us, ev, &t->text);
	uint64_t wake_us = t->strategy->step(t->state, now_us, ev, out);
	trace_actions(out, trace_wake_us(TOY_TRACE_START_US, wake_us), &t->text);
	return wake_us;
}

/* Puts a strategy on a host, and a record between them. */
static inline void toy_trace_init(struct toy_trace *t, struct toy_world *w, int host,
				  const char *strategy, const struct strategy_config *config)
{
	*t = (struct toy_trace){ .strategy = strategy_find(strategy) };
	t->state = calloc(1, t->strategy->size);
	assert(t->state != NULL);
	t->strategy->init(t->state, config);
	trace_begin(strategy, config, TOY_TRACE_START_US, &t->text);
	toy_set_machine(w, host, toy_trace_step, t, TOY_TRACE_START_US);
}

static inline void toy_trace_fini(struct toy_trace *t)
{
	buf_fini(&t->text);
	free(t->state);
}

/* Appends the trace of a, of two that punch, or of one that classifies. */
static inline void toy_trace_record(const char *strategy, bool tcp, struct buf *out)
{
	struct toy_pair *p = toy_pair_new(1);
	struct toy_trace traces[2];

	for (int i = 0; i < 2; i++) {
		toy_set_nat(p->w, i, TOY_INDEPENDENT, TOY_ADDRESS_AND_PORT, TOY_SEQUENTIAL);
		struct strategy_config config = toy_config(p->w, i, tcp);

		config.start_delay_us = 30000u * (unsigned)i;
		toy_trace_init(&traces[i], p->w, i, strategy, &config);
	}
	toy_run(p->w, 60000000);
	assert_true(p->w->hosts[0].done);
	buf_add(out, traces[0].text.data, traces[0].text.len);
	toy_trace_fini(&traces[0]);
	toy_trace_fini(&traces[1]);
	toy_pair_free(p);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces of the machines of two homes; see twin_pair.h. */
#ifndef NATSIM_TESTS_TWIN_TRACE_H
#define NATSIM_TESTS_TWIN_TRACE_H

#include "peers/core/trace.h"
#include "tests/twin_pair.h"

struct twin_trace {
	const struct strategy *strategy;
	void *state;
	struct buf text;
};

static inline uint64_t twin_trace_step(void *state, uint64_t now_us, const struct event *ev,
				       struct actions *out)
{
	struct twin_trace *t = state;

	trace_event(PAIR_START_US, now_us, ev, &t->text);
	uint64_t wake_us = t->strategy->step(t->state, now_us, ev, out);
	trace_actions(out, trace_wake_us(PAIR_START_US, wake_us), &t->text);
	return wake_us;
}

/* Puts a strategy on a host, and a record between them. */
static inline void twin_trace_init(struct twin_trace *t, struct twin_pair *p, int host,
				   const char *strategy, const struct strategy_config *config)
{
	*t = (struct twin_trace){ .strategy = strategy_find(strategy) };
	t->state = calloc(1, t->strategy->size);
	assert(t->state != NULL);
	t->strategy->init(t->state, config);
	trace_begin(strategy, config, PAIR_START_US, &t->text);
	pair_set_machine(p, host, twin_trace_step, t, PAIR_START_US);
}

static inline void twin_trace_fini(struct twin_trace *t)
{
	buf_fini(&t->text);
	free(t->state);
}

/* Appends the trace of a, of two that punch, or of one that classifies. */
static inline void twin_trace_record(const char *strategy, bool tcp, struct buf *out)
{
	const char *nat = NAT(EI, APD, "sequential");
	struct twin_pair *p = pair_new(&(struct pair_config){
		.seed = 1, .nats = { nat, nat }, .delays_us = { 5000, 5000, 5000 } });
	struct twin_trace traces[2];

	for (int i = 0; i < 2; i++) {
		struct strategy_config config = pair_strategy_config(p, i, tcp);

		config.start_delay_us = 30000u * (unsigned)i;
		twin_trace_init(&traces[i], p, i, strategy, &config);
	}
	pair_run(p, PAIR_LONG_US);
	assert_true(pair_is_done(p, PAIR_A));
	buf_add(out, traces[0].text.data, traces[0].text.len);
	twin_trace_fini(&traces[0]);
	twin_trace_fini(&traces[1]);
	pair_free(p);
}

#endif

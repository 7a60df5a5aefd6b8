// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

/* A strategy that is run again, and the step it is at. */
struct player {
	const struct replay_head *head;
	const char *name;
	void *state;
	struct replay_step step;
	struct actions now; /* what it asks for this time */
	uint64_t wake_us;
};

static void begin_difference(const struct player *p, struct buf *out)
{
	struct trace_item event = trace_event_item(&p->step.event);

	/* The first line is not a step. */
	buf_printf(out, "%s:%zu: step %zu, at ", p->name, p->step.line, p->step.line - 1);
	replay_ms(p->step.at_us, out);
	buf_puts(out, ", is not as recorded\n  event     ");
	replay_words(&event, false, out);
}

static void end_difference(const struct player *p, struct buf *out)
{
	buf_puts(out, "\n");
	if (strcmp(p->head->version, NATSIM_VERSION) != 0)
		buf_printf(out, "  recorded by natsim %.*s; this is natsim " NATSIM_VERSION "\n",
			   REPLAY_VERSION_SIZE, p->head->version);
}

static void put_action(const struct actions *actions, size_t i, struct buf *out)
{
	if (i >= actions->count) {
		buf_puts(out, "nothing");
		return;
	}
	struct trace_item item = trace_action_item(actions, i);
	replay_words(&item, false, out);
}

static void put_wake(uint64_t wake_us, struct buf *out)
{
	if (wake_us == NEVER)
		buf_puts(out, "never");
	else
		replay_ms(wake_us, out);
}

static bool same_action(const struct player *p, size_t i)
{
	const struct actions *then = &p->step.actions, *now = &p->now;

	if (i >= then->count || i >= now->count)
		return i >= then->count && i >= now->count;
	struct trace_item a = trace_action_item(then, i), b = trace_action_item(now, i);
	return trace_item_equal(&a, &b);
}

/* Returns 0, or ERR_RESULT having said what differs. */
static int compare(const struct player *p, struct buf *out)
{
	const struct actions *then = &p->step.actions, *now = &p->now;
	size_t i = 0, most = then->count > now->count ? then->count : now->count;

	while (i < most && same_action(p, i))
		i++;
	if (i == most && p->wake_us == p->step.wake_us)
		return 0;
	begin_difference(p, out);
	if (i < most) {
		buf_printf(out, "\n  recorded  action %zu of %zu: ", i + 1, then->count);
		put_action(then, i, out);
		buf_printf(out, "\n  now       action %zu of %zu: ", i + 1, now->count);
		put_action(now, i, out);
	} else {
		buf_puts(out, "\n  recorded  wants to be woken: ");
		put_wake(p->step.wake_us, out);
		buf_puts(out, "\n  now       wants to be woken: ");
		put_wake(p->wake_us, out);
	}
	end_difference(p, out);
	return ERR_RESULT;
}

static void play(struct player *p)
{
	uint64_t start_us = p->head->start_us;

	p->now.count = p->now.used = 0;
	uint64_t wake_us = p->head->strategy->step(p->state, start_us + p->step.at_us,
						   &p->step.event, &p->now);
	p->wake_us = trace_wake_us(start_us, wake_us);
}

/* The whole file is read before anything is run: what is no trace is no difference. */
static int check(struct replay_reader reader, struct replay_step *step, struct err *e)
{
	int code;

	while ((code = replay_next(&reader, step, e)) > 0)
		continue;
	return code;
}

int replay_run(const char *name, const char *text, size_t len, struct buf *out, struct err *e)
{
	struct replay_reader reader;
	struct replay_head head;
	size_t steps = 0;
	int code = replay_open(name, text, len, &reader, &head, e);

	if (code < 0)
		return code;
	CLEANUP(free) void *state = calloc(1, head.strategy->size);
	CLEANUP(free) struct player *p = calloc(1, sizeof(*p));
	if (state == NULL || p == NULL)
		return err_set(e, -ENOMEM, "replay");
	*p = (struct player){ .head = &head, .name = name, .state = state };
	code = check(reader, &p->step, e);
	if (code < 0)
		return code;
	head.strategy->init(state, &head.config);
	while ((code = replay_next(&reader, &p->step, e)) > 0) {
		play(p);
		code = p->step.whole ? compare(p, out) : 0;
		if (code != 0)
			return code;
		steps += p->step.whole;
	}
	if (code < 0)
		return code;
	buf_printf(out, "%zu steps, all as recorded\n", steps);
	if (!p->step.whole)
		buf_puts(out, "The peer ended within the step after them; here it is got over.\n");
	return 0;
}

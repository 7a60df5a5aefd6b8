// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/link.h"

#include <assert.h>

/* All that is random about one packet. */
struct draws {
	bool lost, reordered, duplicated;
	double jitter; /* in [0, 1) */
};

static struct draws draw(struct link *link)
{
	const struct link_params *p = &link->params;
	struct draws d;

	d.lost = prng_chance(&link->prng, p->loss);
	d.jitter = prng_unit(&link->prng);
	d.reordered = prng_chance(&link->prng, p->reorder);
	d.duplicated = prng_chance(&link->prng, p->duplicate);
	return d;
}

void link_init(struct link *link, const struct link_params *params, uint64_t seed)
{
	assert(params->jitter_us <= params->delay_us);
	*link = (struct link){ .params = *params };
	prng_init(&link->prng, seed);
}

/* Puts a packet into the sender's queue; false if it is full. *ret_left_us is when its last bit
 * has left. */
static bool enqueue(struct link *link, uint64_t now_us, size_t bytes, uint64_t *ret_left_us)
{
	uint64_t rate_bps = link->params.rate_bps, now_ns = now_us * 1000, waiting_bytes = 0;

	if (rate_bps == 0) {
		*ret_left_us = now_us;
		return true;
	}
	if (link->busy_until_ns <= now_ns)
		link->busy_until_ns = now_ns;
	else
		waiting_bytes =
			(uint64_t)((double)(link->busy_until_ns - now_ns) * (double)rate_bps / 8e9);
	if (waiting_bytes > 0 && waiting_bytes + bytes > link->params.queue_bytes)
		return false;
	link->busy_until_ns += (uint64_t)bytes * 8 * 1000000000u / rate_bps;
	*ret_left_us = (link->busy_until_ns + 999) / 1000;
	return true;
}

struct link_fate link_send(struct link *link, uint64_t now_us, size_t bytes)
{
	const struct link_params *p = &link->params;
	struct draws d = draw(link);
	uint64_t left_us = 0;

	if (d.lost)
		return (struct link_fate){ 0 };
	if (!enqueue(link, now_us, bytes, &left_us))
		return (struct link_fate){ .queue_full = true };

	uint64_t jitter_us = (uint64_t)(d.jitter * (double)(2 * p->jitter_us + 1));
	uint64_t deliver_us = left_us + p->delay_us - p->jitter_us + jitter_us;
	if (deliver_us < link->last_delivery_us)
		deliver_us = link->last_delivery_us;
	if (d.reordered)
		deliver_us += p->reorder_us;
	else
		link->last_delivery_us = deliver_us;
	return (struct link_fate){ .copies = d.duplicated ? 2 : 1,
				   .deliver_us = { deliver_us, deliver_us } };
}

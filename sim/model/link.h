/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link model: what one direction of an access link does to packets. Pure: the wire uses it in
 * real time and the twin in virtual time. Time is in microseconds of any clock that does not go
 * back.
 *
 * A packet goes through these in order: loss; the queue of a link of limited rate (a full queue
 * drops); delay with jitter; then perhaps a reordering or a duplicate. Jitter alone never reorders:
 * a packet is not delivered before one that was sent earlier. A reordered packet is held back by
 * reorder_us and lets others overtake it.
 */
#ifndef NATSIM_SIM_MODEL_LINK_H
#define NATSIM_SIM_MODEL_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/prng.h"

/* One direction. All zero is an ideal link. */
struct link_params {
	uint64_t delay_us;
	uint64_t jitter_us; /* uniform in delay_us +- jitter_us; at most delay_us */
	double loss;        /* probabilities in [0, 1] */
	double reorder;
	uint64_t reorder_us;
	double duplicate;
	uint64_t rate_bps;    /* bits a second of IP packets; 0 is unlimited */
	uint64_t queue_bytes; /* what may wait where rate_bps is set */
};

#define LINK_NAME_SIZE 64

/* A named access link, seen from the site: up is towards the Internet. */
struct link_profile {
	char name[LINK_NAME_SIZE];
	char *about;   /* heap */
	unsigned hops; /* what the Internet takes off the TTL on the way, at least 1 */
	struct link_params up, down;
};

/* One direction at work. */
struct link {
	struct link_params params;
	struct prng prng;
	uint64_t busy_until_us;    /* when the sender is done with what is queued */
	uint64_t last_delivery_us; /* keeps the order */
};

void link_init(struct link *link, const struct link_params *params, uint64_t seed);

/* What becomes of one packet: delivered copies times (0 lost, 1, or 2), each at deliver_us[i] >=
 * now_us. */
struct link_fate {
	unsigned copies;
	uint64_t deliver_us[2];
};
struct link_fate link_send(struct link *link, uint64_t now_us, size_t bytes);

/* Reads topologies/links.yaml: a list of profiles, *ret_profiles on the heap. */
int link_profiles_parse(const char *file, const char *data, size_t len,
			struct link_profile **ret_profiles, size_t *ret_count, struct err *e);
void link_profiles_free(struct link_profile *profiles, size_t count);
const struct link_profile *link_profile_find(const struct link_profile *profiles, size_t count,
					     const char *name);

#endif

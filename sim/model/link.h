/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link model: what one direction of an access link does to packets. Pure: the wire uses it in
 * real time and a world in virtual time can use the same. Time is in microseconds of any clock
 * that does not go back. The same seed and the same packets give the same fates.
 *
 * A packet goes through these in order: loss; the queue of a link of limited rate (a full queue
 * drops); delay with jitter; then perhaps a reordering or a duplicate. Jitter alone never reorders:
 * a packet is not delivered before one that was sent earlier. A reordered packet is held back by
 * reorder_us and lets others overtake it; a duplicate follows its original at once.
 *
 * Each packet draws the same four random numbers whatever becomes of it, so that changing one
 * parameter leaves the other decisions as they were.
 */
#ifndef NATSIM_SIM_MODEL_LINK_H
#define NATSIM_SIM_MODEL_LINK_H

#include <stdbool.h>
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
	uint64_t queue_bytes; /* what may be waiting or under way on a link of limited rate; a
			       * packet that finds it idle is taken whatever its size */
};

#define LINK_NAME_SIZE 64

/* A named access link, seen from the site: up is towards the Internet. */
struct link_profile {
	char name[LINK_NAME_SIZE];
	char *about; /* heap; one line */
	/* Routers from the site up to and including the one where all links meet, at least 1. A
	 * packet from x to y loses x's hops + y's hops - 1 of its TTL: the meeting point counts
	 * once, and two links of one hop are one router, as in the script that `natsim plan`
	 * prints. */
	unsigned hops;
	struct link_params up, down;
};

/* One direction at work. */
struct link {
	struct link_params params;
	struct prng prng;
	uint64_t busy_until_ns;    /* when the sender is done with what is queued */
	uint64_t last_delivery_us; /* keeps the order */
};

void link_init(struct link *link, const struct link_params *params, uint64_t seed);

/* What becomes of one packet: delivered copies times (0 lost, 1, or 2), each at deliver_us[i] >=
 * now_us. */
struct link_fate {
	unsigned copies;
	bool queue_full; /* why it was lost */
	uint64_t deliver_us[2];
};

/* bytes is the size of the IP packet. A GSO packet counts as one of its full size, without the
 * headers its segments will have: its last segment leaves when it should, the first ones with it.
 * Rates count in nanoseconds a packet, which is exact to 1 % up to some 4 Gbit/s. */
struct link_fate link_send(struct link *link, uint64_t now_us, size_t bytes);

/* Reads topologies/links.yaml: a mapping from names to profiles, *ret_profiles on the heap. */
int link_profiles_parse(const char *file, const char *data, size_t len,
			struct link_profile **ret_profiles, size_t *ret_count, struct err *e);
void link_profiles_free(struct link_profile *profiles, size_t count);
const struct link_profile *link_profile_find(const struct link_profile *profiles, size_t count,
					     const char *name);

#endif

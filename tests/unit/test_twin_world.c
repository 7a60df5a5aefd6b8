// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/twin/world.h"

#define A_ADDR  0xc6336402u /* 198.51.100.2 */
#define B_ADDR  0xc0000202u /* 192.0.2.2 */
#define GATEWAY 0xc6336401u
#define LAN_1   0x0a010002u
#define LAN_2   0x0a010003u
#define NOBODY  0x0a020002u

#define TAKEN_MAX 64u

/* A node that only writes down what comes. */
struct listener {
	struct twin_node node;
	size_t count;
	uint64_t at_us[TAKEN_MAX];
	struct twin_packet taken[TAKEN_MAX];
	enum twin_side side[TAKEN_MAX];
};

struct place {
	struct twin_world *world;
	struct listener a, b, lan_1, lan_2;
};

static void take(struct twin_node *node, struct twin_world *world, enum twin_side side,
		 struct twin_packet *p)
{
	struct listener *l = (struct listener *)node;

	assert_true(l->count < TAKEN_MAX);
	l->at_us[l->count] = twin_world_now_us(world);
	l->side[l->count] = side;
	memcpy(&l->taken[l->count++], p, twin_packet_used(p));
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

/* a and b on the Internet, a with two hosts in the LAN behind it. */
static struct place *place_new(const struct link_profile *link)
{
	static const struct prefix a_prefix = { A_ADDR, 32 }, b_prefix = { B_ADDR, 32 };
	static const uint32_t lan_1 = LAN_1, lan_2 = LAN_2;
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->world = twin_world_new();
	struct listener *all[] = { &p->a, &p->b, &p->lan_1, &p->lan_2 };
	for (size_t i = 0; i < 4; i++)
		all[i]->node = (struct twin_node){ .receive = take, .run_at_us = NEVER };
	twin_world_add_site(p->world,
			    &(struct twin_site){ &p->a.node, &a_prefix, 1, GATEWAY, link });
	twin_world_add_site(p->world,
			    &(struct twin_site){ &p->b.node, &b_prefix, 1, GATEWAY + 1, link });
	twin_world_add_lan_host(p->world, &p->lan_1.node, &lan_1, 1, &p->a.node);
	twin_world_add_lan_host(p->world, &p->lan_2.node, &lan_2, 1, &p->a.node);
	twin_world_reset(p->world, 1);
	return p;
}

static void place_free(struct place *p)
{
	twin_world_free(p->world);
	free(p);
}

static struct twin_packet packet(uint32_t to, uint8_t ttl)
{
	return (struct twin_packet){ .protocol = TWIN_UDP,
				     .ttl = ttl,
				     .from = { A_ADDR, 1 },
				     .to = { to, 2 },
				     .len = 1,
				     .data = { 7 } };
}

static void send_out(struct place *p, uint32_t to, uint8_t ttl)
{
	struct twin_packet packet_out = packet(to, ttl);

	twin_world_send(p->world, &p->a.node, TWIN_OUTSIDE, &packet_out);
}

static void a_packet_takes_both_links_and_loses_a_hop_of_each_but_one(void **state)
{
	static const struct link_profile link = { .hops = 3,
						  .up = { .delay_us = 500 },
						  .down = { .delay_us = 250 } };
	struct place *p = place_new(&link);

	(void)state;
	send_out(p, B_ADDR, 64);
	twin_world_run(p->world, NEVER, never, NULL);
	assert_int_equal(p->b.count, 1);
	assert_int_equal(p->b.at_us[0], 750);
	assert_int_equal(p->b.side[0], TWIN_OUTSIDE);
	assert_int_equal(p->b.taken[0].ttl, 64 - 5);
	assert_int_equal(p->b.taken[0].data[0], 7);
	place_free(p);
}

static void a_packet_that_dies_on_the_way_is_told_of_to_its_sender(void **state)
{
	static const struct link_profile link = { .hops = 2,
						  .up = { .delay_us = 500 },
						  .down = { .delay_us = 250 } };
	static const struct {
		uint32_t to;
		uint8_t ttl;
		enum twin_error error;
	} cases[] = { { B_ADDR, 3, TWIN_TIME_EXCEEDED }, { NOBODY, 64, TWIN_NET_UNREACHABLE } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct place *p = place_new(&link);

		send_out(p, cases[i].to, cases[i].ttl);
		twin_world_run(p->world, NEVER, never, NULL);
		assert_int_equal(p->b.count, 0);
		assert_int_equal(p->a.count, 1);
		const struct twin_packet *error = &p->a.taken[0];
		assert_int_equal(p->a.at_us[0], 750);
		assert_int_equal(error->protocol, TWIN_ICMP);
		assert_int_equal(error->from.addr, GATEWAY);
		assert_int_equal(error->to.addr, A_ADDR);
		assert_int_equal(error->quote.error, cases[i].error);
		assert_int_equal(error->quote.protocol, TWIN_UDP);
		assert_int_equal(error->quote.from.port, 1);
		assert_int_equal(error->quote.to.addr, cases[i].to);
		/* Nobody is told of an error that dies. */
		struct twin_packet more = *error;
		more.ttl = 1;
		more.to.addr = B_ADDR;
		twin_world_send(p->world, &p->a.node, TWIN_OUTSIDE, &more);
		twin_world_run(p->world, NEVER, never, NULL);
		assert_int_equal(p->a.count, 1);
		place_free(p);
	}
}

static void one_hop_more_than_there_are_is_enough(void **state)
{
	struct place *p = place_new(NULL);

	(void)state;
	send_out(p, B_ADDR, 2);
	twin_world_run(p->world, NEVER, never, NULL);
	assert_int_equal(p->b.count, 1);
	assert_int_equal(p->b.taken[0].ttl, 1);
	place_free(p);
}

static void what_a_host_sends_stays_in_its_lan_or_goes_to_its_router(void **state)
{
	struct place *p = place_new(NULL);
	struct twin_packet to_neighbour = packet(LAN_2, 64), to_outside = packet(B_ADDR, 64);

	(void)state;
	twin_world_send(p->world, &p->lan_1.node, TWIN_INSIDE, &to_neighbour);
	assert_int_equal(p->lan_2.count, 0); /* not before we return */
	twin_world_send(p->world, &p->lan_1.node, TWIN_INSIDE, &to_outside);
	twin_world_run(p->world, NEVER, never, NULL);
	assert_int_equal(p->lan_2.count, 1);
	assert_int_equal(p->lan_2.side[0], TWIN_INSIDE);
	assert_int_equal(p->a.count, 1);
	assert_int_equal(p->a.side[0], TWIN_INSIDE);
	/* A router has nobody to hand on to what is for nobody in its LAN. */
	to_neighbour.to.addr = NOBODY;
	twin_world_send(p->world, &p->a.node, TWIN_INSIDE, &to_neighbour);
	twin_world_run(p->world, NEVER, never, NULL);
	assert_int_equal(p->a.count, 1);
	place_free(p);
}

static void what_is_due_at_one_time_comes_in_the_order_in_which_it_was_sent(void **state)
{
	static const struct link_profile link = { .hops = 1, .up = { .delay_us = 500 } };
	struct place *p = place_new(&link);

	(void)state;
	for (uint8_t i = 0; i < TAKEN_MAX; i++)
		send_out(p, B_ADDR, (uint8_t)(64 - i % 32));
	twin_world_run(p->world, NEVER, never, NULL);
	assert_int_equal(p->b.count, TAKEN_MAX);
	for (uint8_t i = 0; i < TAKEN_MAX; i++)
		assert_int_equal(p->b.taken[i].ttl, 63 - i % 32);
	place_free(p);
}

static bool pass_all(void *arg, uint64_t now_us, const struct twin_packet *p)
{
	(void)arg;
	(void)now_us;
	(void)p;
	return true;
}

/* Whether both links are drawn at once or one after the other. */
static void a_packet_from_far_away_holds_nobody_back(void **state)
{
	static const struct link_profile far = { .hops = 1, .up = { .delay_us = 300000 } },
					 near = { .hops = 1, .up = { .delay_us = 1000 } },
					 goal = { .hops = 1, .down = { .delay_us = 1000 } };
	static const struct prefix prefixes[] = { { A_ADDR, 32 }, { B_ADDR, 32 }, { LAN_1, 32 } };
	const struct link_profile *links[] = { &far, &near, &goal };

	(void)state;
	for (int filtered = 0; filtered < 2; filtered++) {
		struct twin_world *w = twin_world_new();
		struct listener sites[3] = { 0 };
		struct twin_packet p = packet(LAN_1, 64);

		for (size_t i = 0; i < 3; i++) {
			sites[i].node = (struct twin_node){ .receive = take, .run_at_us = NEVER };
			twin_world_add_site(w, &(struct twin_site){ &sites[i].node, &prefixes[i], 1,
								    GATEWAY, links[i] });
		}
		twin_world_reset(w, 1);
		if (filtered)
			twin_world_set_filter(w, pass_all, NULL);
		twin_world_send(w, &sites[0].node, TWIN_OUTSIDE, &p);
		twin_world_send(w, &sites[1].node, TWIN_OUTSIDE, &p);
		twin_world_run(w, NEVER, never, NULL);
		assert_int_equal(sites[2].count, 2);
		assert_int_equal(sites[2].at_us[0], 2000);
		assert_int_equal(sites[2].at_us[1], 301000);
		twin_world_free(w);
	}
}

static void the_same_seed_loses_and_delays_the_same_packets(void **state)
{
	static const struct link_profile link = {
		.hops = 1,
		.up = { .delay_us = 500, .jitter_us = 100, .loss = 0.3 },
		.down = { .delay_us = 500, .jitter_us = 400, .duplicate = 0.1 },
	};
	struct place *p = place_new(&link);
	uint64_t first[TAKEN_MAX];
	size_t count = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		twin_world_reset(p->world, round < 2 ? 5 : 6);
		p->b.count = 0;
		for (unsigned i = 0; i < TAKEN_MAX / 2; i++)
			send_out(p, B_ADDR, 64);
		twin_world_run(p->world, NEVER, never, NULL);
		if (round == 0) {
			count = p->b.count;
			memcpy(first, p->b.at_us, sizeof(first));
			assert_in_range(count, 1, TAKEN_MAX / 2);
		}
		bool same = count == p->b.count &&
			    memcmp(first, p->b.at_us, count * sizeof(first[0])) == 0;
		assert_int_equal(same, round < 2);
	}
	place_free(p);
}

static void nothing_of_before_a_reset_arrives_after_it(void **state)
{
	static const struct link_profile link = { .hops = 1, .up = { .delay_us = 500 } };
	struct place *p = place_new(&link);

	(void)state;
	send_out(p, B_ADDR, 64);
	twin_world_run(p->world, 100, never, NULL);
	assert_int_equal(twin_world_now_us(p->world), 100);
	twin_world_reset(p->world, 1);
	assert_int_equal(twin_world_now_us(p->world), 0);
	twin_world_run(p->world, 10000, never, NULL);
	assert_int_equal(p->b.count, 0);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_takes_both_links_and_loses_a_hop_of_each_but_one),
		cmocka_unit_test(a_packet_that_dies_on_the_way_is_told_of_to_its_sender),
		cmocka_unit_test(one_hop_more_than_there_are_is_enough),
		cmocka_unit_test(what_a_host_sends_stays_in_its_lan_or_goes_to_its_router),
		cmocka_unit_test(what_is_due_at_one_time_comes_in_the_order_in_which_it_was_sent),
		cmocka_unit_test(a_packet_from_far_away_holds_nobody_back),
		cmocka_unit_test(the_same_seed_loses_and_delays_the_same_packets),
		cmocka_unit_test(nothing_of_before_a_reset_arrives_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

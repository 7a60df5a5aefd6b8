// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A sequential router under cross traffic: a host opens a flow every T, and another one opens flows
 * at times of a Poisson process of rate lambda. Then the ports of the first move as
 *
 *	C_i = C_{i-1} + 1 + Poisson(lambda T)
 *
 * (Klinec and Matyas 2014), in steps of the router.
 */
#include "tests/observed.h"

#include <math.h>

#include "lib/prng.h"
#include "sim/experiment/observe_twin_play.h"

#define FLOWS 4000u
#define SEED  1u

/* How many standard deviations a mean or a variance may be off: less than once in a million. */
#define SIGMAS 5.0

#define FIRST_PORT 2000u
#define PORTS      4096u

/* Mappings end long before their ports' turn comes again. */
#define MODEL                                     \
	"about: x\n"                              \
	"mapping: address-and-port-dependent\n"   \
	"filtering: address-and-port-dependent\n" \
	"timeouts: { udp: 1s }\n"

struct drift {
	struct play play;
	struct prng prng;
	double rate; /* lambda, of the cross traffic, in flows per microsecond */
	double next_us;
	struct endpoint server; /* the last one that was sent to */
};

/* Exponential, by inversion. */
static double gap_us(struct drift *d)
{
	return -log(1 - prng_unit(&d->prng)) / d->rate;
}

static uint16_t open_flow(struct drift *d, unsigned host)
{
	struct endpoint inside = { d->play.host_addrs[host], 5000 };

	d->server.port = (uint16_t)(d->server.port == UINT16_MAX ? 1 : d->server.port + 1);
	struct twin_packet packet = play_datagram(inside, d->server);
	play_send(&d->play, &d->play.hosts[host], &packet);
	const struct twin_packet *came = play_came(&d->play.server, TWIN_UDP, d->server);
	assert_non_null(came);
	return came->from.port;
}

static void wait_until(struct drift *d, double at_us)
{
	uint64_t now_us = twin_world_now_us(d->play.world);

	if ((uint64_t)at_us > now_us)
		play_wait(&d->play, (uint64_t)at_us - now_us);
}

/* The other host's flows until then. */
static void cross(struct drift *d, double until_us)
{
	while (d->next_us < until_us) {
		wait_until(d, d->next_us);
		(void)open_flow(d, 1);
		d->next_us += gap_us(d);
	}
	wait_until(d, until_us);
}

/* The mean and the variance of how many steps a port is from the one before. */
static void observe(struct drift *d, double interval_us, int step, double *ret_mean,
		    double *ret_variance)
{
	unsigned places = PORTS / (unsigned)abs(step);
	int last = open_flow(d, 0);
	double sum = 0, squares = 0;

	for (unsigned i = 1; i <= FLOWS; i++) {
		cross(d, i * interval_us);
		int port = open_flow(d, 0), distance = port - last;

		assert_int_equal(distance % step, 0);
		double steps = (distance / step + (int)places) % (int)places;
		sum += steps;
		squares += steps * steps;
		last = port;
	}
	*ret_mean = sum / FLOWS;
	*ret_variance = (squares - sum * sum / FLOWS) / (FLOWS - 1);
}

static void check(const struct stage *stage, double rate_ms, double interval_ms, int step)
{
	double mean, variance, expected = rate_ms * interval_ms;
	struct drift d = { .rate = rate_ms / 1000 };

	play_open(&d.play, stage, SEED);
	prng_init(&d.prng, prng_derive(SEED, (uint64_t)(rate_ms * 1e6), (uint64_t)interval_ms));
	d.server = (struct endpoint){ d.play.server_addrs[0], 1 };
	d.next_us = gap_us(&d);
	observe(&d, interval_ms * 1000, step, &mean, &variance);
	play_close(&d.play);

	/* A Poisson variable's variance is its mean; that of the variance of n of them is
	 * (m + 2 m^2) / n, from its fourth central moment, m + 3 m^2. */
	double mean_error = sqrt(expected / FLOWS);
	double variance_error = sqrt((expected + 2 * expected * expected) / FLOWS);
	if (fabs(mean - 1 - expected) > SIGMAS * mean_error ||
	    fabs(variance - expected) > SIGMAS * variance_error)
		fail_msg("%g a ms, every %g ms, step %d: mean %f and variance %f, not %f and %f",
			 rate_ms, interval_ms, step, mean, variance, 1 + expected, expected);
}

static void a_sequential_router_drifts_as_the_formula_says(void **state)
{
	static const double rates[] = { 0.002, 0.035, 0.2 }; /* flows a ms */
	static const double intervals[] = { 10, 50, 300 };   /* ms */
	static const int steps[] = { 1, -1, 2 };
	CLEANUP(catalog) struct catalog c;

	(void)state;
	observed_catalog(&c);
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(temporary) char *dir = temporary_dir();
		CLEANUP(free) char *path = path_in(dir, "model.yaml"), *model = NULL;
		CLEANUP(stage) struct stage stage = { 0 };
		struct err e = { 0 };

		assert_true(asprintf(&model,
				     MODEL "ports: { choose: sequential, range: [%u, %u], step: "
					   "%d }\n",
				     FIRST_PORT, FIRST_PORT + PORTS - 1, steps[i]) > 0);
		write_bytes(dir, "model.yaml", model, strlen(model));
		if (stage_open(&c,
			       &(struct stage_config){ .topology = OBSERVE_TOPOLOGY,
						       .nats = { { "a", path } },
						       .nats_count = 1 },
			       &stage, &e) < 0)
			fail_msg("%s", e.text);
		for (size_t k = 0; k < 9; k++)
			check(&stage, rates[k / 3], intervals[k % 3], steps[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sequential_router_drifts_as_the_formula_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/sites.h"
#include "sim/bench/traffic.h"

#define ROUNDS   5u
#define ROUND_US 400000u

static int measure_both(struct sites *sites,
			int (*measure)(const struct sites *sites, uint64_t for_us, double *ret,
				       struct err *e),
			double wire[ROUNDS], double kernel[ROUNDS], struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < ROUNDS; i++) {
		rc = sites_use_kernel(sites, e);
		if (rc == 0)
			rc = measure(sites, ROUND_US, &kernel[i], e);
		if (rc == 0)
			rc = sites_use_wire(sites, NULL, e);
		if (rc == 0)
			rc = measure(sites, ROUND_US, &wire[i], e);
	}
	return rc;
}

/* f has the name, the unit and the aim. */
static int compare(struct bench *b, struct sites *sites, struct figure f,
		   int (*measure)(const struct sites *sites, uint64_t for_us, double *ret,
				  struct err *e),
		   struct err *e)
{
	double wire[ROUNDS], kernel[ROUNDS];
	int rc = measure_both(sites, measure, wire, kernel, e);

	if (rc < 0)
		return rc;
	f.group = "What the wire forwards, against the kernel routing between the same two hosts";
	struct figure ours = f;
	ours.subject = "natsim";
	ours.value = summary_of(wire, ROUNDS);
	ours.aim = AIM_NONE;
	f.subject = "the kernel";
	f.value = summary_of(kernel, ROUNDS);
	f.ratio = ours.value.median / f.value.median;
	f.ratio_is = "times as much";
	figures_add(&b->figures, &ours);
	figures_add(&b->figures, &f);
	return 0;
}

int bench_throughput(struct bench *b, struct err *e)
{
	CLEANUP(sites) struct sites sites = { .wire = NULL };
	const struct figure packets = {
		.name = TRAFFIC_PACKETS, .unit = "kpkt/s", .aim = AIM_AT_LEAST, .aim_low = 0.5
	};
	const struct figure stream = { .name = "one TCP stream", .unit = "Gbit/s" };
	int rc = sites_open(b->catalog, NULL, &sites, e);

	if (rc == 0)
		rc = compare(b, &sites, packets, traffic_packets, e);
	if (rc == 0)
		rc = compare(b, &sites, stream, traffic_stream, e);
	return rc;
}

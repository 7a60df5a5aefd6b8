// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many trials a second the twin makes, in this one process, and how many times as many as the
 * lab makes of the same ones on one lab.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/usage.h"
#include "sim/experiment/trial.h"
#include "sim/lab/process.h"

#define ROUNDS      5u
#define TWIN_TRIALS 20000u
#define LAB_TRIALS  10u
#define GIVE_UP_US  800000u /* as in the suite "all" */

/* What is tried, and over which link. */
struct subject {
	const char *name, *link, *transport, *nat_a, *nat_b;
	bool connects;
	double aim; /* trials a second; 0: none */
};

static const struct subject subjects[] = {
	{ "UDP, ideal links", "ideal", "udp", "full-cone", "port-restricted-cone", true, 200000 },
	{ "UDP, home links", "home", "udp", "full-cone", "port-restricted-cone", true, 0 },
	{ "UDP, in vain for 0.8 s", "home", "udp", "symmetric-random", "symmetric-random", false,
	  0 },
	{ "TCP, home links", "home", "tcp", "full-cone", "port-restricted-cone", true, 0 },
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static struct stage_config stage_of(const struct subject *s)
{
	return (struct stage_config){ .topology = "two-homes",
				      .nats = { { "a", s->nat_a }, { "b", s->nat_b } },
				      .nats_count = 2,
				      .link = s->link };
}

static struct trial_config trial_of(const struct subject *s, unsigned number, char session[16])
{
	(void)snprintf(session, 16, "bench-%u", number);
	return (struct trial_config){ .session = session,
				      .strategy = "punch",
				      .transport = s->transport,
				      .seed = number,
				      .give_up_us = GIVE_UP_US };
}

static int twin_rate(const struct catalog *c, const struct subject *s, double *ret, struct err *e)
{
	struct stage_config stage = stage_of(s);
	struct trial_twin *twin = NULL;
	unsigned wrong = 0;
	int rc = trial_twin_new(c, &stage, &twin, e);

	if (rc < 0)
		return rc;
	uint64_t before_us = usage_cpu_us();
	for (unsigned i = 0; i < TWIN_TRIALS; i++) {
		struct trial_result result;
		char session[16];
		struct trial_config t = trial_of(s, i, session);

		trial_twin_run(twin, &t, &result);
		wrong += result.success != s->connects;
	}
	*ret = TWIN_TRIALS * 1e6 / (double)(usage_cpu_us() - before_us);
	trial_twin_free(twin);
	if (wrong > 0)
		return err_set_plain(e, -EIO, "%u of %u trials of the twin ended otherwise: %s",
				     wrong, TWIN_TRIALS, s->name);
	return 0;
}

static int lab_rate(const struct catalog *c, const struct subject *s, double *ret, struct err *e)
{
	const char *const command[] = { c->peer, NULL };
	struct stage_config stage = stage_of(s);
	struct trial_lab *lab = NULL;
	int rc = trial_lab_new(c, &stage, 1, &lab, e);
	uint64_t before_us = process_now_us();

	for (unsigned i = 0; rc == 0 && i < LAB_TRIALS; i++) {
		struct trial_result result = { .success = false };
		char session[16];
		struct trial_config t = trial_of(s, i, session);

		t.command = command;
		rc = trial_run(lab, &t, &result, e);
	}
	*ret = LAB_TRIALS * 1e6 / (double)(process_now_us() - before_us);
	trial_lab_free(lab);
	return rc == 0 ? usage_settle(e) : rc;
}

static int compare(struct bench *b, const struct subject *s, struct err *e)
{
	double twin[ROUNDS] = { 0 }, lab[ROUNDS] = { 0 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < ROUNDS; i++) {
		rc = twin_rate(b->catalog, s, &twin[i], e);
		if (rc == 0)
			rc = lab_rate(b->catalog, s, &lab[i], e);
	}
	if (rc < 0)
		return rc;
	struct figure figure = {
		.group = "Trials a second: of the twin, on one processor; and of one "
			 "lab, by the clock",
		.name = s->name,
		.subject = "lab",
		.unit = "/s",
		.value = summary_of(lab, ROUNDS)
	};
	figures_add(&b->figures, &figure);
	figure.subject = "twin";
	double lab_median = figure.value.median;
	figure.value = summary_of(twin, ROUNDS);
	if (s->aim > 0) {
		figure.aim = AIM_AT_LEAST;
		figure.aim_low = s->aim;
	} else {
		figure.ratio = figure.value.median / lab_median;
		figure.ratio_is = "times as many";
	}
	figures_add(&b->figures, &figure);
	return 0;
}

int bench_twin(struct bench *b, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < SUBJECTS; i++)
		rc = compare(b, &subjects[i], e);
	return rc;
}

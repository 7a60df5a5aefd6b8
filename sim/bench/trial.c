// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a trial costs is the processor time of all that took part: both peers, the rendezvous, the
 * wire, natsim itself, and its share of the lab. A process counts once it has been reaped.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/usage.h"
#include "sim/experiment/trial.h"

#define ROUNDS     4u
#define TRIALS     20u /* on one lab, as in a run of the suite "all" */
#define GIVE_UP_US 2000000u

enum { EMPTY, UDP, TCP, SUBJECTS };

static int try_all(struct trial_lab *lab, const char *peer, const char *transport,
		   unsigned *ret_successes, struct err *e)
{
	const char *const command[] = { peer, NULL };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < TRIALS; i++) {
		struct trial_result result = { .success = false };
		char session[16];

		(void)snprintf(session, sizeof(session), "bench-%u", i);
		rc = trial_run(lab,
			       &(struct trial_config){ .command = command,
						       .session = session,
						       .strategy = "punch",
						       .transport = transport,
						       .seed = i,
						       .give_up_us = GIVE_UP_US },
			       &result, e);
		*ret_successes += result.success;
	}
	return rc;
}

static int trials_cost(const struct catalog *c, const char *transport, double *ret_ms,
		       struct err *e)
{
	const struct stage_config config = { .topology = "two-homes",
					     .nats = { { "a", "full-cone" },
						       { "b", "port-restricted-cone" } },
					     .nats_count = 2,
					     .link = "home" };
	struct trial_lab *lab = NULL;
	uint64_t before_us = usage_cpu_us();
	unsigned successes = 0;
	int rc = trial_lab_new(c, &config, 1, &lab, e);

	if (rc == 0)
		rc = try_all(lab, c->peer, transport, &successes, e);
	trial_lab_free(lab);
	if (rc == 0)
		rc = usage_settle(e);
	if (rc == 0 && successes == 0)
		return err_set_plain(e, -EIO, "none of %u trials over %s succeeded", TRIALS,
				     transport);
	if (rc == 0)
		*ret_ms = (double)(usage_cpu_us() - before_us) / 1e3 / successes;
	return rc;
}

static int run_empty(const char *path, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl(path, path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return err_set(e, -errno, "start %s", path);
	return status == 0
		       ? 0
		       : err_set_plain(e, -ENOENT, "%s did not run: `make bench` makes it", path);
}

/* Two programs for each trial. */
static int empty_cost(const char *path, double *ret_ms, struct err *e)
{
	uint64_t before_us = usage_cpu_us();
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 2 * TRIALS; i++)
		rc = run_empty(path, e);
	*ret_ms = (double)(usage_cpu_us() - before_us) / 1e3 / TRIALS;
	return rc;
}

static void add(struct bench *b, double costs_ms[SUBJECTS][ROUNDS])
{
	static const char *const subjects[] = { "two empty programs", "natsim, UDP",
						"natsim, TCP" };
	double empty_ms = 0;

	for (unsigned s = 0; s < SUBJECTS; s++) {
		struct figure f = {
			.group = "Processor time, user and system, of all that takes part",
			.name = "a trial that succeeds",
			.subject = subjects[s],
			.unit = "ms",
			.value = summary_of(costs_ms[s], ROUNDS)
		};

		if (s == EMPTY) {
			f.name = "fork and exec";
			empty_ms = f.value.median;
		} else {
			f.ratio = f.value.median / empty_ms;
			f.ratio_is = "times as much";
		}
		figures_add(&b->figures, &f);
	}
}

int bench_trial(struct bench *b, struct err *e)
{
	CLEANUP(buf) struct buf empty = BUF_INIT;
	double costs_ms[SUBJECTS][ROUNDS] = { 0 };
	int rc = 0;

	buf_printf(&empty, "%s/empty", b->catalog->program_dir);
	for (unsigned i = 0; rc == 0 && i < ROUNDS; i++) {
		rc = empty_cost(buf_text(&empty), &costs_ms[EMPTY][i], e);
		if (rc == 0)
			rc = trials_cost(b->catalog, "udp", &costs_ms[UDP][i], e);
		if (rc == 0)
			rc = trials_cost(b->catalog, "tcp", &costs_ms[TCP][i], e);
	}
	if (rc == 0)
		add(b, costs_ms);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/lab/enter.h"
#include "sim/lab/signals.h"
#include "sim/report/style.h"
#include "sim/verbs/verb.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* The script keeps its namespaces below it; in our mount namespace it is ours. */
#define SCRATCH_DIR "/run"

static void end(int signal)
{
	_exit(128 + signal);
}

/* We are process 1, to whom the kernel delivers only what is handled; all others end with us. What
 * has come since signals_block() comes now. */
static void end_on_signals(void)
{
	const struct sigaction action = { .sa_handler = end };
	sigset_t ending;

	signals_get(&ending);
	for (int signal = 1; signal < SIGRTMIN; signal++)
		if (sigismember(&ending, signal) == 1)
			(void)sigaction(signal, &action, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &ending, NULL);
}

static int enter(struct err *e)
{
	signals_block();
	int rc = enter_namespaces(e);
	if (rc < 0)
		return rc;
	end_on_signals();
	if (mount("natsim", SCRATCH_DIR, "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0)
		return err_set(e, -errno, "mount a private " SCRATCH_DIR);
	return enter_check_machine(e);
}

static void print_machine(void)
{
	struct utsname system = { .release = "" };

	(void)uname(&system);
	(void)printf("natsim " NATSIM_VERSION
		     ", Linux %s, %ld processors. Median, least .. most, and "
		     "what is aimed at.\n",
		     system.release, sysconf(_SC_NPROCESSORS_ONLN));
}

static int measure_all(struct bench *b, bool json, struct err *e)
{
	static int (*const parts[])(struct bench *, struct err *) = {
		bench_lab,        bench_rulesets, bench_trial,     bench_twin,
		bench_throughput, bench_routers,  bench_exactness, bench_run,
	};
	struct style style = style_for(STDOUT_FILENO);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		CLEANUP(buf) struct buf out = BUF_INIT;
		size_t first = b->figures.count;
		int rc = parts[i](b, e);

		if (rc < 0)
			return rc;
		if (!json)
			figures_print(&b->figures, first, &style, &out);
		(void)fputs(buf_text(&out), stdout);
		(void)fflush(stdout);
	}
	return 0;
}

/* What trials are compared with is made by `make bench` and not installed. */
static int check_empty(const struct catalog *c, struct err *e)
{
	CLEANUP(buf) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/empty", c->program_dir);
	if (access(buf_text(&path), X_OK) == 0)
		return 0;
	int code = -errno;
	return err_set_plain(e, code, "%s: %s: it comes with `make bench` in the source tree",
			     buf_text(&path), strerror(-code));
}

static int bench(bool json, struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	CLEANUP(buf) struct buf out = BUF_INIT;
	struct bench b = { .catalog = &catalog, .scratch_dir = SCRATCH_DIR };
	int rc = catalog_open(&catalog, e);

	if (rc == 0)
		rc = check_empty(&catalog, e);
	if (rc == 0)
		rc = enter(e);
	if (rc < 0)
		return rc;
	if (!json)
		print_machine();
	rc = measure_all(&b, json, e);
	if (rc == 0 && json)
		figures_to_json(&b.figures, &out);
	(void)fputs(buf_text(&out), stdout);
	figures_fini(&b.figures);
	return rc;
}

static int run(int argc, char **argv, struct err *e)
{
	bool json = false;
	int val, code = 0;

	while ((val = verb_option(&verb_bench, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		json = true;
	}
	code = verb_operands(&verb_bench, argc, 0, 0, e);
	return code < 0 ? code : bench(json, e);
}

const struct verb verb_bench = {
	.name = "bench",
	.synopsis = "[--json]",
	.about = "Measure natsim against the bare system",
	.help = "What natsim does is measured in turns with what it is compared with, so that the ratios mean\n"
		"something on any machine; leave the machine alone meanwhile, for more than a minute. The exit\n"
		"status does not depend on the figures.\n\n"
		"  --json  for a program\n",
	.run = run,
};

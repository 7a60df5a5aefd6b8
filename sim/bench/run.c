// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/usage.h"
#include "sim/lab/process.h"

static struct figure figure_of(const char *name, double seconds)
{
	return (struct figure){ .group = "natsim run all, from its start to its end",
				.name = name,
				.subject = "natsim",
				.unit = "s",
				.value = { seconds, seconds, seconds, 1 } };
}

int bench_run(struct bench *b, struct err *e)
{
	CLEANUP(buf) struct buf natsim = BUF_INIT;
	CLEANUP(buf) struct buf dir = BUF_INIT;

	buf_printf(&natsim, "%s/natsim", b->catalog->program_dir);
	buf_printf(&dir, "%s/out", b->scratch_dir);
	const char *const argv[] = {
		buf_text(&natsim), "run", "all", "--out", buf_text(&dir), NULL
	};
	uint64_t before_us = process_now_us(), cpu_us = usage_cpu_us();
	/* Its progress is not ours. */
	int rc = usage_run_program(argv, NULL, -1, e);
	if (rc < 0)
		return rc;

	struct figure wall =
		figure_of("by the clock", (double)(process_now_us() - before_us) / 1e6);
	struct figure cpu = figure_of("processor time", (double)(usage_cpu_us() - cpu_us) / 1e6);
	wall.aim = AIM_AT_MOST;
	wall.aim_high = 10;
	figures_add(&b->figures, &wall);
	figures_add(&b->figures, &cpu);
	return 0;
}

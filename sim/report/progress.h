/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a run has come, on stderr: a bar with an estimate on a terminal, a line for each tenth
 * elsewhere. */
#ifndef NATSIM_SIM_REPORT_PROGRESS_H
#define NATSIM_SIM_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what; /* "trials" */
	size_t done, total;
	uint64_t start_us, shown_us; /* CLOCK_MONOTONIC */
	bool terminal;
	size_t tenths; /* lines printed so far */
};

void progress_init(struct progress *p, const char *what, size_t total);

/* Shows where things stand, as often as a person wants to see it. */
void progress_update(struct progress *p, size_t done);

/* Takes the bar off the terminal. */
void progress_fini(struct progress *p);

/* Since progress_init(). */
double progress_seconds(const struct progress *p);

#endif

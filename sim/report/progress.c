// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/process.h"
#include "sim/report/style.h"

#define BAR_WIDTH   20u /* leaves room for the numbers in 60 columns: a bar must not wrap */
#define INTERVAL_US 100000u

/* An estimate from less than this share would jump about. */
#define ESTIMATE_AFTER 0.05

void progress_init(struct progress *p, const char *what, size_t total)
{
	*p = (struct progress){ .what = what, .total = total, .start_us = process_now_us() };
	p->terminal = style_for(STDERR_FILENO).terminal;
}

double progress_seconds(const struct progress *p)
{
	return (double)(process_now_us() - p->start_us) / 1e6;
}

static void draw_bar(const struct progress *p, uint64_t now_us)
{
	size_t filled = p->total == 0 ? 0 : p->done * BAR_WIDTH / p->total;
	char bar[BAR_WIDTH + 1];

	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '=', filled);
	if (filled < BAR_WIDTH)
		bar[filled] = '>';
	bar[BAR_WIDTH] = '\0';
	(void)fprintf(stderr, "\r[%s] %zu of %zu %s", bar, p->done, p->total, p->what);
	if ((double)p->done > ESTIMATE_AFTER * (double)p->total) {
		double each_s = (double)(now_us - p->start_us) / 1e6 / (double)p->done;

		(void)fprintf(stderr, ", %.0f s left", each_s * (double)(p->total - p->done));
	}
	(void)fputs("\033[K", stderr); /* the rest of the line */
}

static void print_tenths(struct progress *p)
{
	size_t tenths = p->total == 0 ? 10 : p->done * 10 / p->total;

	if (tenths == p->tenths)
		return;
	p->tenths = tenths;
	(void)fprintf(stderr, "%3zu %%: %zu of %zu %s, %.1f s\n", tenths * 10, p->done, p->total,
		      p->what, progress_seconds(p));
}

void progress_update(struct progress *p, size_t done)
{
	uint64_t now_us = process_now_us();

	p->done = done;
	if (!p->terminal) {
		print_tenths(p);
		return;
	}
	if (now_us - p->shown_us < INTERVAL_US)
		return;
	p->shown_us = now_us;
	draw_bar(p, now_us);
}

void progress_fini(struct progress *p)
{
	if (p->terminal && p->shown_us != 0)
		(void)fputs("\r\033[K", stderr);
}

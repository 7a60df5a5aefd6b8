// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/schedule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

/* A job takes this share of what each worker has to do in all, and not less than it is worth to
 * build a lab for. */
#define JOB_SHARE  0.5
#define JOB_MIN_US 1000000u

/* Points that change nothing in a lab do not make another. */
static bool same_point(const struct suite_point *a, const struct suite_point *b)
{
	if (!suite_point_needs_lab(a) || !suite_point_needs_lab(b))
		return suite_point_needs_lab(a) == suite_point_needs_lab(b);
	return a->parameter == b->parameter && strcmp(a->text, b->text) == 0;
}

bool schedule_same_lab(const struct suite_cell *a, const struct suite_cell *b)
{
	return strcmp(a->topology, b->topology) == 0 && strcmp(a->nat_a, b->nat_a) == 0 &&
	       strcmp(a->nat_b, b->nat_b) == 0 && strcmp(a->link, b->link) == 0 &&
	       same_point(a->point, b->point);
}

/* All trials, those that share a lab side by side. */
static void list_units(struct schedule *s, const struct schedule_cell *cells, size_t cells_count,
		       unsigned trials)
{
	CLEANUP(free) bool *listed = calloc(cells_count + 1, sizeof(*listed));

	s->units = calloc(cells_count * trials + 1, sizeof(*s->units));
	assert(listed != NULL && s->units != NULL);
	for (size_t i = 0; i < cells_count; i++) {
		if (listed[i])
			continue;
		for (size_t k = i; k < cells_count; k++) {
			if (!schedule_same_lab(cells[i].names, cells[k].names))
				continue;
			listed[k] = true;
			for (unsigned t = 0; t < trials; t++)
				s->units[s->units_count++] = (struct schedule_unit){ k, t };
		}
	}
}

static uint64_t job_limit_us(const struct schedule_cell *cells, size_t cells_count, unsigned trials,
			     size_t workers)
{
	double total_us = 0;

	for (size_t i = 0; i < cells_count; i++)
		total_us += (double)trials * (double)cells[i].cost_us;
	double share_us = JOB_SHARE * total_us / (double)workers;
	return share_us > JOB_MIN_US ? (uint64_t)share_us : JOB_MIN_US;
}

static void cut_jobs(struct schedule *s, const struct schedule_cell *cells, uint64_t limit_us)
{
	struct schedule_job job = { 0 };

	s->jobs = calloc(s->units_count + 1, sizeof(*s->jobs));
	assert(s->jobs != NULL);
	for (size_t i = 0; i < s->units_count; i++) {
		const struct schedule_cell *cell = &cells[s->units[i].cell];
		const struct schedule_cell *first = &cells[s->units[job.first].cell];

		if (job.count > 0 &&
		    (job.cost_us >= limit_us || !schedule_same_lab(first->names, cell->names))) {
			s->jobs[s->jobs_count++] = job;
			job = (struct schedule_job){ .first = i };
		}
		job.count++;
		job.cost_us += cell->cost_us;
	}
	if (job.count > 0)
		s->jobs[s->jobs_count++] = job;
}

static int compare_jobs(const void *a, const void *b)
{
	const struct schedule_job *x = a, *y = b;

	if (x->cost_us != y->cost_us)
		return x->cost_us > y->cost_us ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

void schedule_init(struct schedule *s, const struct schedule_cell *cells, size_t cells_count,
		   unsigned trials, size_t workers)
{
	*s = (struct schedule){ 0 };
	list_units(s, cells, cells_count, trials);
	cut_jobs(s, cells, job_limit_us(cells, cells_count, trials, workers));
	qsort(s->jobs, s->jobs_count, sizeof(*s->jobs), compare_jobs);
}

void schedule_fini(struct schedule *s)
{
	free(s->units);
	free(s->jobs);
	*s = (struct schedule){ 0 };
}

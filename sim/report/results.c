// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/report/population.h"

/* Of summary.json and results.jsonl. */
#define FORMAT 1

/* Enough for milliseconds of a day, and few enough that 0.839 is printed as 0.839. */
#define DIGITS 12

/* Rates and times need no more than three places. */
static json_t *rounded(double value)
{
	return json_real(round(value * 1000) / 1000);
}

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* The names without those of the two NATs, and the point of a sweep. */
static void set_setting(json_t *object, const struct suite_cell *cell)
{
	set(object, "transport", json_string(cell->transport));
	set(object, "strategy", json_string(cell->strategy));
	set(object, "link", json_string(cell->link));
	if (cell->point != NULL)
		set(object, "sweep",
		    json_pack("{s:s, s:s}", "parameter", suite_point_name(cell->point), "value",
			      cell->point->text));
}

static void set_cell(json_t *object, const struct suite_cell *cell)
{
	set(object, "topology", json_string(cell->topology));
	set(object, "nat_a", json_string(cell->nat_a));
	set(object, "nat_b", json_string(cell->nat_b));
	set_setting(object, cell);
}

static json_t *endpoint_to_json(struct endpoint ep)
{
	char text[ENDPOINT_TEXT_SIZE];

	return endpoint_is_none(ep) ? json_null() : json_string(endpoint_format(ep, text));
}

static const char *path_name(enum verdict_path path)
{
	return path == VERDICT_PATH_DIRECT ? "direct" : "relayed";
}

static json_t *trial_to_json(const struct results_about *about, const struct suite_cell *cell,
			     const struct run_trial *trial)
{
	const struct trial_result *r = &trial->result;
	json_t *object = json_object();

	set(object, "format", json_integer(FORMAT));
	set(object, "suite", json_string(about->suite));
	set(object, "world", json_string(run_world_name(about->world)));
	set_cell(object, cell);
	set(object, "trial", json_integer((json_int_t)trial->trial));
	/* A seed needs all of 64 bits, which a JSON number does not promise. */
	CLEANUP(buf) struct buf seed = BUF_INIT;
	buf_printf(&seed, "%016llx", (unsigned long long)trial->seed);
	set(object, "seed", json_string(buf_text(&seed)));
	set(object, "result", json_string(r->success ? "connected" : "failed"));
	if (r->success)
		set(object, "path", json_string(path_name(r->path)));
	else
		set(object, "reason", json_string(r->reason));
	set(object, "connect_ms", r->connect_ms < 0 ? json_null() : rounded(r->connect_ms));
	set(object, "packets", r->packets < 0 ? json_null() : json_integer((json_int_t)r->packets));
	for (int i = 0; i < 2; i++)
		set(object, i == 0 ? "a" : "b",
		    json_pack("{s:o, s:o, s:o}", "start_delay_ms",
			      json_integer((json_int_t)(trial->delay_us[i] / 1000)), "local",
			      endpoint_to_json(r->side[i].local), "remote",
			      endpoint_to_json(r->side[i].remote)));
	return object;
}

/* jansson says only that it failed; where it was the system, errno says why. */
static int write_failed(struct err *e, const char *path)
{
	return err_set(e, errno != 0 ? -errno : -EIO, "write %s", path);
}

int results_write_trial(FILE *file, const struct results_about *about,
			const struct suite_cell *cell, const struct run_trial *trial, struct err *e)
{
	json_t *object = trial_to_json(about, cell, trial);

	errno = 0;
	int code = json_dumpf(object, file, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));

	json_decref(object);
	if (code < 0 || fputc('\n', file) == EOF || fflush(file) == EOF)
		return write_failed(e, "results.jsonl");
	return 0;
}

/* {"p50": ..., "p95": ...}, or null where there are none. */
static json_t *percentiles(double *values, size_t count, bool tail)
{
	if (count == 0)
		return json_null();
	json_t *object = json_object();
	set(object, "p50", rounded(statistics_percentile(values, count, 0.50)));
	if (tail)
		set(object, "p95", rounded(statistics_percentile(values, count, 0.95)));
	return object;
}

static json_t *reasons_to_json(const struct run_cell *cell)
{
	json_t *array = json_array();

	for (size_t i = 0; i < RUN_REASONS_MAX && cell->reasons[i].count > 0; i++)
		(void)json_array_append_new(array,
					    json_pack("{s:s, s:i}", "reason", cell->reasons[i].text,
						      "trials", (int)cell->reasons[i].count));
	return array;
}

static json_t *interval_to_json(struct interval ci)
{
	json_t *array = json_array();

	(void)json_array_append_new(array, rounded(ci.low));
	(void)json_array_append_new(array, rounded(ci.high));
	return array;
}

/* A pair can be a small part of a whole population. */
static json_t *share(double value)
{
	return json_real(round(value * 1e6) / 1e6);
}

static json_t *cell_to_json(struct run_cell *cell)
{
	json_t *object = json_object();

	set_cell(object, &cell->names);
	if (cell->names.weight > 0)
		set(object, "weight", share(cell->names.weight));
	set(object, "trials", json_integer((json_int_t)cell->trials));
	set(object, "successes", json_integer((json_int_t)cell->successes));
	set(object, "rate",
	    cell->trials == 0 ? json_null()
			      : rounded((double)cell->successes / (double)cell->trials));
	set(object, "ci95", interval_to_json(cell->ci95));
	set(object, "relayed", json_integer((json_int_t)cell->relayed));
	set(object, "expected", cell->expected < 0 ? json_null() : rounded(cell->expected));
	set(object, "verdict", json_string(statistics_verdict_name(cell->verdict)));
	set(object, "connect_ms", percentiles(cell->connect_ms, cell->connect_count, true));
	set(object, "packets", percentiles(cell->packets, cell->packets_count, false));
	set(object, "reasons", reasons_to_json(cell));
	return object;
}

static json_t *population_to_json(const struct population *p)
{
	json_t *object = json_object(), *worst = json_array();

	set(object, "topology", json_string(p->cells[0]->names.topology));
	set_setting(object, &p->cells[0]->names);
	set(object, "pairs", json_integer((json_int_t)p->cells_count));
	set(object, "trials", json_integer((json_int_t)p->trials));
	set(object, "tried", share(p->tried));
	set(object, "share", p->trials == 0 ? json_null() : share(p->share));
	set(object, "ci95", interval_to_json(p->ci95));
	set(object, "expected", p->expected < 0 ? json_null() : share(p->expected));
	set(object, "connect_ms",
	    p->median_ms < 0 ? json_null() : json_pack("{s:o}", "p50", rounded(p->median_ms)));
	for (size_t i = 0; i < p->worst_count; i++)
		(void)json_array_append_new(worst,
					    json_pack("{s:s, s:s, s:o, s:o}", "nat_a",
						      p->worst[i].nat_a, "nat_b", p->worst[i].nat_b,
						      "weight", share(p->worst[i].weight), "lost",
						      share(p->worst[i].lost)));
	set(object, "worst", worst);
	return object;
}

static json_t *populations_to_json(struct run_cell *cells, size_t count)
{
	size_t found = 0;
	struct population *populations = population_measure(cells, count, &found);
	json_t *array = json_array();

	for (size_t i = 0; i < found; i++)
		(void)json_array_append_new(array, population_to_json(&populations[i]));
	population_free(populations, found);
	return array;
}

static json_t *summary_to_json(const struct results_about *about, struct run_cell *cells,
			       size_t count)
{
	struct utsname uts = { 0 };
	json_t *object = json_object(), *array = json_array();

	(void)uname(&uts);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array, cell_to_json(&cells[i]));
	set(object, "format", json_integer(FORMAT));
	set(object, "natsim", json_string(NATSIM_VERSION));
	set(object, "suite", json_string(about->suite));
	set(object, "seed", json_integer((json_int_t)about->seed));
	set(object, "world", json_string(run_world_name(about->world)));
	set(object, "kernel", about->world == RUN_IN_LAB ? json_string(uts.release) : json_null());
	set(object, "wall_s", rounded(about->wall_s));
	set(object, "cells", array);
	if (count > 0 && cells[0].names.weight > 0)
		set(object, "populations", populations_to_json(cells, count));
	return object;
}

int results_write_summary(const char *dir, const struct results_about *about,
			  struct run_cell *cells, size_t count, struct err *e)
{
	CLEANUP(buf) struct buf path = BUF_INIT;
	CLEANUP(buf) struct buf draft = BUF_INIT;
	json_t *summary = summary_to_json(about, cells, count);

	buf_printf(&path, "%s/summary.json", dir);
	buf_printf(&draft, "%s.new", buf_text(&path));
	errno = 0;
	int code = json_dump_file(summary, buf_text(&draft),
				  JSON_INDENT(1) | JSON_REAL_PRECISION(DIGITS));
	json_decref(summary);
	if (code == 0 && rename(buf_text(&draft), buf_text(&path)) == 0)
		return 0;
	code = write_failed(e, buf_text(&path));
	(void)unlink(buf_text(&draft));
	return code;
}

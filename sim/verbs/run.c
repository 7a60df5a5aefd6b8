// SPDX-License-Identifier: GPL-2.0-or-later
/* `natsim run`: measure the routers, try every cell, judge, and write it all down. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/measure.h"
#include "sim/experiment/run.h"
#include "sim/report/matrix.h"
#include "sim/report/measurements.h"
#include "sim/report/population.h"
#include "sim/report/progress.h"
#include "sim/report/results.h"
#include "sim/report/sweep.h"
#include "sim/verbs/verb.h"

enum { OPT_ONLY = 256, OPT_TRIALS, OPT_SEED, OPT_OUT, OPT_WORLD };

static const struct option options[] = {
	{ "only", required_argument, NULL, OPT_ONLY },
	{ "trials", required_argument, NULL, OPT_TRIALS },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "world", required_argument, NULL, OPT_WORLD },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct request {
	const char *suite, *only, *dir;
	enum run_world world;
	uint64_t trials, seed; /* trials 0: as the suite says */
	uint64_t workers;      /* 0: as many as are good for the world */
};

/* A run in progress. */
struct running {
	const struct request *request;
	struct catalog catalog;
	struct suite suite;
	struct run_cell *cells;
	size_t cells_count;
	struct progress progress;
	FILE *results;
	size_t done;
	struct results_about about;
	int code; /* the first failure to write */
	struct err *e;
};

/* What is written to is printed as DIR/. */
static const char *without_slashes(char *dir)
{
	for (size_t len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
		dir[len - 1] = '\0';
	return dir;
}

static int read_options(int argc, char **argv, struct request *r, struct err *e)
{
	int val, code = 0;

	while (code == 0 && (val = verb_option(&verb_run, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		if (val == OPT_ONLY)
			r->only = optarg;
		else if (val == OPT_OUT)
			r->dir = without_slashes(optarg);
		else if (val == OPT_WORLD)
			code = verb_parse_world(optarg, &r->world, e);
		else if (val == OPT_TRIALS)
			code = verb_parse_number("--trials", optarg, 1, SUITE_TRIALS_MAX,
						 &r->trials, e);
		else if (val == OPT_SEED)
			code = verb_parse_number("--seed", optarg, 0, INT64_MAX, &r->seed, e);
		else
			code = verb_parse_number("-j", optarg, 1, VERB_WORKERS_MAX, &r->workers, e);
	}
	if (code == 0)
		code = verb_operands(&verb_run, argc, 1, 1, e);
	if (code == 0 && r->workers == 0)
		r->workers = verb_default_workers(r->world);
	if (code == 0)
		r->suite = argv[optind];
	return code;
}

/* Everything that can be wrong with the input, before anything is built. */
static int prepare(struct running *run, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(buf) struct buf text = BUF_INIT;
	int code = catalog_open(&run->catalog, e);

	if (code == 0)
		code = catalog_read(&run->catalog, CATALOG_SUITE, run->request->suite, &path, &text,
				    e);
	if (code == 0)
		code = suite_parse(path, buf_text(&text), text.len, &run->suite, e);
	if (code == 0)
		code = suite_check_peer(&run->suite, path, buf_text(&text), text.len, e);
	if (code == 0 && run->request->world == RUN_IN_TWIN)
		code = suite_check_twin(&run->suite, path, buf_text(&text), text.len, e);
	if (code == 0)
		code = suite_check_names(&run->suite, &run->catalog, path, buf_text(&text),
					 text.len, e);
	if (code == 0 && run->request->world == RUN_IN_TWIN)
		code = suite_check_twin_models(&run->suite, &run->catalog, run->request->only, path,
					       buf_text(&text), text.len, e);
	if (code == 0)
		code = suite_check_sweep(&run->suite, &run->catalog, path, buf_text(&text),
					 text.len, e);
	if (code == 0)
		code = run_prepare(&run->catalog, &run->suite, run->request->only, &run->cells,
				   &run->cells_count, e);
	return code;
}

static void add_model(const char **models, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(models[i], name) == 0)
			return;
	models[(*count)++] = name;
}

/* Refuses to go on with a router that is not what its model says. Returns 1 then, 0 if all are, or
 * as pool_run. */
static int measure_routers(const struct running *run, int *ret_signal, struct err *e)
{
	CLEANUP(free) const char **models = calloc(2 * run->cells_count + 1, sizeof(*models));
	CLEANUP(measurements) struct measurements results = { .items = NULL };
	CLEANUP(buf) struct buf out = BUF_INIT;
	size_t count = 0;

	if (models == NULL)
		return err_set(e, -ENOMEM, "measure the routers");
	for (size_t i = 0; i < run->cells_count; i++) {
		add_model(models, &count, run->cells[i].names.nat_a);
		add_model(models, &count, run->cells[i].names.nat_b);
	}
	int code = measure_run(&(struct measure_config){ .catalog = &run->catalog,
							 .world = run->request->world,
							 .models = models,
							 .models_count = count,
							 .workers = run->request->workers,
							 .seed = run->request->seed },
			       &results, ret_signal, e);
	if (code < 0)
		return code;
	measurements_print_differences(results.items, 2 * count, models, &out);
	if (out.len == 0)
		return 0;
	(void)fputs(buf_text(&out), stdout);
	(void)puts(
		"A router that is not what its model says gives rates that mean nothing: not run.");
	return 1;
}

static void on_trial(void *arg, const struct run_trial *trial)
{
	struct running *run = arg;
	int code = results_write_trial(run->results, &run->about, &run->cells[trial->cell].names,
				       trial, run->code == 0 ? run->e : NULL);

	if (run->code == 0)
		run->code = code;
	run->done++;
}

static void on_tick(void *arg)
{
	struct running *run = arg;

	progress_update(&run->progress, run->done);
}

/* Leaves alone what an earlier run has written: this one may not come to its trials. */
static int open_results(struct running *run, struct err *e)
{
	CLEANUP(buf) struct buf path = BUF_INIT;

	if (mkdir(run->request->dir, 0777) < 0 && errno != EEXIST)
		return err_set_input(e, "%s: %s", run->request->dir, strerror(errno));
	buf_printf(&path, "%s/results.jsonl", run->request->dir);
	run->results = fopen(buf_text(&path), "ae");
	if (run->results == NULL)
		return err_set_input(e, "%s: %s", buf_text(&path), strerror(errno));
	return 0;
}

/* From here on the folder tells of this run only, also when it is cut short. */
static int clear_results(const struct running *run, struct err *e)
{
	CLEANUP(buf) struct buf summary = BUF_INIT;

	buf_printf(&summary, "%s/summary.json", run->request->dir);
	if (ftruncate(fileno(run->results), 0) < 0)
		return err_set(e, -errno, "empty %s/results.jsonl", run->request->dir);
	if (unlink(buf_text(&summary)) < 0 && errno != ENOENT)
		return err_set(e, -errno, "remove %s", buf_text(&summary));
	return 0;
}

static int try_all(struct running *run, int *ret_signal, struct err *e)
{
	unsigned trials =
		run->request->trials != 0 ? (unsigned)run->request->trials : run->suite.trials;
	struct run_config config = {
		.world = run->request->world,
		.catalog = &run->catalog,
		.suite = &run->suite,
		.cells = run->cells,
		.cells_count = run->cells_count,
		.trials = trials,
		.seed = run->request->seed,
		.workers = run->request->workers,
		.on_trial = on_trial,
		.on_tick = on_tick,
		.arg = run,
	};

	progress_init(&run->progress, "trials", trials * run->cells_count);
	int code = run_all(&config, ret_signal, e);
	progress_fini(&run->progress);
	return code;
}

/* What there is of a population with a sweep is too much to show each pair. */
static void print_tables(const struct running *run, const struct style *style, struct buf *out)
{
	bool sweep = run->suite.sweep.count > 0, population = run->suite.shares != NULL;

	if (sweep && !population)
		sweep_print(run->cells, run->cells_count, style, out);
	if (!sweep)
		matrix_print(run->cells, run->cells_count, style, out);
	if (population)
		population_print(run->cells, run->cells_count, style, out);
}

/* Prints and writes what came of it, also of a run that was interrupted or could not write its
 * results. */
static int conclude(struct running *run, bool *ret_as_expected, struct err *e)
{
	struct style style = style_for(STDOUT_FILENO);
	CLEANUP(buf) struct buf out = BUF_INIT;

	*ret_as_expected = run_judge(run->cells, run->cells_count);
	run->about.wall_s = progress_seconds(&run->progress);
	print_tables(run, &style, &out);
	(void)fputs(buf_text(&out), stdout);
	if (run->done < run->progress.total)
		(void)printf("interrupted after %zu of %zu trials\n", run->done,
			     run->progress.total);
	(void)printf("%zu trials in %.1f s, seed %llu", run->done, run->about.wall_s,
		     (unsigned long long)run->request->seed);
	int code = run->code;
	if (code == 0)
		code = results_write_summary(run->request->dir, &run->about, run->cells,
					     run->cells_count, e);
	if (code == 0)
		(void)printf("; written to %s/", run->request->dir);
	(void)puts("");
	return code;
}

static int execute(struct running *run, struct err *e)
{
	bool as_expected = false;
	int signal = 0, code = prepare(run, e);

	if (code == 0)
		code = open_results(run, e);
	if (code == 0)
		code = verb_enter_world(run->request->world, e);
	if (code == 0)
		code = measure_routers(run, &signal, e);
	if (code != 0)
		return signal != 0 ? 128 + signal : code;
	code = clear_results(run, e);
	if (code == 0)
		code = try_all(run, &signal, e);
	if (code < 0 && signal == 0)
		return code;
	code = conclude(run, &as_expected, e);
	if (signal != 0)
		return 128 + signal;
	return code < 0 ? code : as_expected ? 0 : ERR_RESULT;
}

static int run(int argc, char **argv, struct err *e)
{
	struct request request = { .dir = "out", .seed = 1 };
	struct running running = { .request = &request, .e = e };
	int code = read_options(argc, argv, &request, e);

	if (code < 0)
		return code;
	running.about = (struct results_about){ .suite = request.suite,
						.world = request.world,
						.seed = request.seed };
	code = execute(&running, e);
	if (running.results != NULL)
		(void)fclose(running.results);
	run_cells_free(running.cells, running.cells_count);
	suite_fini(&running.suite);
	catalog_close(&running.catalog);
	return code;
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "SUITE [OPTION]...",
	.about = "Try every cell of a suite and compare the rates with theory",
	.help = "SUITE is a name or the path of a YAML file. First each router is measured; one that is not what\n"
		"its model says stops the run. Exit status 1 if a rate is not as expected.\n\n"
		"  --only KEY=VALUE,...  only the cells that match, by topology, nat_a, nat_b, transport,\n"
		"                        strategy, link, sweep; a key given twice matches either value\n"
		"  --trials N            of each cell (default: as the suite says)\n"
		"  --seed S              of all that is left to chance (default: 1)\n"
		"  --world WORLD         lab: on the kernel; twin: in virtual time, without privileges, of\n"
		"                        natsim's own peers and of models that are no ruleset (default: lab)\n"
		"  -j N                  how many at once (default: 40 labs for each processor, or one\n"
		"                        twin)\n"
		"  --out DIR             where results.jsonl and summary.json go (default: out)\n",
	.parallel = true,
	.run = run,
};

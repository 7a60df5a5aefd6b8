// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/measure.h"
#include "sim/lab/enter.h"
#include "sim/lab/signals.h"
#include "sim/report/measurements.h"
#include "sim/verbs/verb.h"

enum { OPT_ALL = 256, OPT_JSON, OPT_SEED };

static const struct option options[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct request {
	bool all, json;
	uint64_t seed, workers;
};

static int read_options(int argc, char **argv, struct request *r, struct err *e)
{
	int val, code = 0;

	while (code == 0 && (val = verb_option(&verb_classify, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		if (val == OPT_ALL)
			r->all = true;
		else if (val == OPT_JSON)
			r->json = true;
		else if (val == OPT_SEED)
			code = verb_parse_number("--seed", optarg, 0, UINT64_MAX, &r->seed, e);
		else
			code = verb_parse_number("-j", optarg, 1, VERB_WORKERS_MAX, &r->workers, e);
	}
	if (code == 0 && r->all)
		code = verb_operands(&verb_classify, argc, 0, 0, e);
	else if (code == 0)
		code = verb_operands(&verb_classify, argc, 1, INT16_MAX, e);
	return code;
}

/* Finds every mistake in a model before anything is built. */
static int check_models(const struct catalog *c, const char *const *names, size_t count,
			struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct nat_model m;
		int code = catalog_nat(c, names[i], &m, e);

		if (code < 0)
			return code;
		nat_model_fini(&m);
	}
	return 0;
}

static int measure(const struct catalog *c, const struct request *r, const char *const *names,
		   size_t count, struct err *e)
{
	CLEANUP(free) struct measurement *results = NULL;
	CLEANUP(buf) struct buf out = BUF_INIT;
	struct measure_config config = {
		.catalog = c,
		.models = names,
		.models_count = count,
		.workers = r->workers,
		.seed = r->seed,
	};
	bool agree = true;
	int signal = 0, code = check_models(c, names, count, e);

	signals_block();
	if (code == 0)
		code = enter_namespaces(e);
	if (code == 0)
		code = enter_check_machine(e);
	if (code == 0)
		code = measure_run(&config, &results, &signal, e);
	if (signal != 0)
		return 128 + signal;
	if (code < 0)
		return code;
	for (size_t i = 0; i < 2 * count; i++)
		agree &= measurement_agrees(&results[i]);
	if (r->json)
		measurements_to_json(results, 2 * count, names, &out);
	else
		measurements_print(results, 2 * count, names, &out);
	(void)fputs(buf_text(&out), stdout);
	return agree ? 0 : ERR_RESULT;
}

static int run(int argc, char **argv, struct err *e)
{
	struct request r = { .seed = 1, .workers = verb_default_workers() };
	CLEANUP(catalog) struct catalog catalog = { 0 };
	CLEANUP(catalog_names) struct catalog_names all = { 0 };
	int code = read_options(argc, argv, &r, e);

	if (code == 0)
		code = catalog_open(&catalog, e);
	if (code == 0 && r.all)
		code = catalog_list(&catalog, CATALOG_NAT_MODEL, &all, e);
	if (code < 0)
		return code;
	if (r.all)
		return measure(&catalog, &r, (const char *const *)all.items, all.count, e);
	return measure(&catalog, &r, (const char *const *)(argv + optind), (size_t)(argc - optind),
		       e);
}

const struct verb verb_classify = {
	.name = "classify",
	.synopsis = "MODEL...|--all [--json] [--seed S] [-j N]",
	.about = "Measure routers and compare them with what their models declare",
	.help = "Each router is built as a lab, and measured from a host behind it over UDP and TCP: its\n"
		"mapping and filtering (RFC 4787, RFC 5780), and how it chooses ports. Exit status 1 if one\n"
		"differs from its model.\n\n"
		"  --all     every model there is; otherwise names, or paths of YAML files\n"
		"  --json    as one JSON array\n"
		"  --seed S  of what is left to chance (default: 1)\n"
		"  -j N      how many labs at once (default: 40 for each processor)\n",
	.parallel = true,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/measure.h"
#include "sim/report/card.h"
#include "sim/report/measurements.h"
#include "sim/verbs/verb.h"

enum { OPT_ALL = 256, OPT_CARD, OPT_JSON, OPT_QUICK, OPT_SEED, OPT_WORLD };

static const struct option options[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "card", no_argument, NULL, OPT_CARD },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quick", no_argument, NULL, OPT_QUICK },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "world", required_argument, NULL, OPT_WORLD },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct request {
	bool all, card, json, quick;
	enum run_world world;
	uint64_t seed;
	uint64_t workers; /* 0: as many as are good for the world */
};

static int read_options(int argc, char **argv, struct request *r, struct err *e)
{
	int val, code = 0;

	while (code == 0 && (val = verb_option(&verb_classify, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		if (val == OPT_ALL)
			r->all = true;
		else if (val == OPT_CARD)
			r->card = true;
		else if (val == OPT_JSON)
			r->json = true;
		else if (val == OPT_QUICK)
			r->quick = true;
		else if (val == OPT_SEED)
			code = verb_parse_number("--seed", optarg, 0, UINT64_MAX, &r->seed, e);
		else if (val == OPT_WORLD)
			code = verb_parse_world(optarg, &r->world, e);
		else
			code = verb_parse_number("-j", optarg, 1, VERB_WORKERS_MAX, &r->workers, e);
	}
	if (r->workers == 0)
		r->workers = verb_default_workers(r->world);
	if (code == 0 && r->card && r->quick)
		return err_set_input(e, "a card needs more than --quick measures");
	if (code == 0 && r->all)
		code = verb_operands(&verb_classify, argc, 0, 0, e);
	else if (code == 0)
		code = verb_operands(&verb_classify, argc, 1, INT16_MAX, e);
	return code;
}

/* The models and what was measured of them; returns whether all are as declared. */
static bool report(const struct request *r, const struct catalog_nats *models,
		   const struct measurements *m, const char *const *names)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	CLEANUP(buf) struct buf differences = BUF_INIT;
	bool agree = true;

	for (size_t i = 0; i < 2 * models->count; i++)
		agree &= measurement_agrees(&m->items[i]);
	for (size_t i = 0; m->observed != NULL && i < models->count; i++)
		agree &= card_print_differences(names[i], &models->items[i], &m->observed[i],
						&differences);
	if (r->json) {
		measurements_to_json(m, models->items, models->count, r->card, &out);
	} else if (r->card) {
		for (size_t i = 0; i < models->count; i++) {
			buf_puts(&out, i == 0 ? "" : "\n");
			card_print(&models->items[i], &m->items[2 * i], &m->observed[i], &out);
		}
		measurements_print_differences(m->items, 2 * models->count, names, &out);
		buf_add(&out, differences.data, differences.len);
	} else {
		measurements_print(m->items, 2 * models->count, names, &out);
		buf_add(&out, differences.data, differences.len);
	}
	(void)fputs(buf_text(&out), stdout);
	return agree;
}

static int measure(const struct catalog *c, const struct request *r, const char *const *names,
		   size_t count, struct err *e)
{
	CLEANUP(measurements) struct measurements results = { .items = NULL };
	CLEANUP(catalog_nats) struct catalog_nats models = { .items = NULL };
	struct measure_config config = {
		.catalog = c,
		.world = r->world,
		.observes = !r->quick,
		.models = names,
		.models_count = count,
		.workers = r->workers,
		.seed = r->seed,
	};
	/* Every mistake in a model is found before anything is built. */
	int signal = 0, code = catalog_nats(c, names, count, &models, e);

	if (code == 0)
		code = verb_enter_world(r->world, e);
	if (code == 0)
		code = measure_run(&config, &results, &signal, e);
	if (signal != 0)
		return 128 + signal;
	if (code < 0)
		return code;
	return report(r, &models, &results, names) ? 0 : ERR_RESULT;
}

static int run(int argc, char **argv, struct err *e)
{
	struct request r = { .seed = 1 };
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
	.synopsis = "MODEL...|--all [--card | --quick] [--json] [--world WORLD] [--seed S] [-j N]",
	.about = "Measure routers and compare them with what their models declare",
	.help = "Each router is built as a lab, and measured from a host behind it over UDP and TCP: its\n"
		"mapping and filtering (RFC 4787, RFC 5780), and how it chooses ports. Then from both its\n"
		"sides: whether it shares ports, hairpins, answers strangers, passes ICMP errors, and how\n"
		"long a mapping lives, at some seconds in place of the model's minutes. Exit status 1 if\n"
		"one differs from its model, or if something of it could not be observed.\n\n"
		"  --all     every model there is; otherwise names, or paths of YAML files\n"
		"  --card    a conformance card: each requirement of RFC 4787 and RFC 5382, as measured\n"
		"  --quick   mapping, filtering and ports only, in less than a second\n"
		"  --json    as one JSON array\n"
		"  --seed S  of what is left to chance (default: 1)\n"
		"  --world WORLD\n"
		"            lab: on the kernel; twin: in virtual time, at the model's own lifetimes\n"
		"            (default: lab)\n"
		"  -j N      how many at once (default: 40 labs for each processor, or one twin)\n",
	.parallel = true,
	.run = run,
};

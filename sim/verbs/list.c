// SPDX-License-Identifier: GPL-2.0-or-later
/* `natsim models`, `natsim model show` and `natsim topologies`: what there is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/cleanup.h"
#include "sim/report/models.h"
#include "sim/verbs/verb.h"

enum { OPT_JSON = 256, OPT_MARKDOWN, OPT_NAMES, OPT_NFT };

enum list_format { LIST_TABLE, LIST_JSON, LIST_MARKDOWN, LIST_NAMES };

static const struct option list_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "markdown", no_argument, NULL, OPT_MARKDOWN },
	{ "names", no_argument, NULL, OPT_NAMES },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int print_json(json_t *json, struct err *e)
{
	int code = json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	if (code < 0)
		return err_set_plain(e, -EIO, "cannot write to standard output");
	(void)puts("");
	return 0;
}

static int list_models(const struct catalog *c, enum list_format format, struct err *e)
{
	CLEANUP(catalog_nats) struct catalog_nats models = { .items = NULL };
	CLEANUP(buf) struct buf text = BUF_INIT;
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	int code = catalog_list(c, CATALOG_NAT_MODEL, &names, e);

	if (code == 0)
		code = catalog_nats(c, (const char *const *)names.items, names.count, &models, e);
	if (code < 0)
		return code;
	if (format == LIST_JSON) {
		json_t *array = json_array();

		for (size_t i = 0; i < models.count; i++)
			(void)json_array_append_new(array, model_to_json(&models.items[i]));
		return print_json(array, e);
	}
	struct style style = style_for(STDOUT_FILENO);

	if (format == LIST_MARKDOWN)
		models_print_markdown(models.items, models.count, &text);
	else
		models_print(models.items, models.count, &style, &text);
	(void)fputs(buf_text(&text), stdout);
	return 0;
}

static json_t *topology_to_json(const struct topology *t)
{
	json_t *nodes = json_array(), *roles = json_array();

	for (unsigned i = 0; i < t->routers_count; i++) {
		(void)json_array_append_new(nodes, json_string(t->routers[i].name));
		(void)json_array_append_new(roles, json_string(t->routers[i].nat));
	}
	for (unsigned i = 0; i < t->hosts_count; i++)
		(void)json_array_append_new(nodes, json_string(t->hosts[i].name));
	return json_pack("{s:s, s:s, s:o, s:o}", "name", t->name, "about", t->about, "nodes", nodes,
			 "nat_roles", roles);
}

static void print_topology(const struct topology *t, bool first)
{
	(void)printf("%s%s: %s\n\n%s", first ? "" : "\n", t->name, t->about, t->drawing);
	(void)fputs("\nNAT roles:", stdout);
	for (unsigned i = 0; i < t->routers_count; i++)
		(void)printf(" %s (%s)", t->routers[i].nat, t->routers[i].name);
	(void)puts("");
}

static int list_topologies(const struct catalog *c, bool json, struct err *e)
{
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	int code = catalog_list(c, CATALOG_TOPOLOGY, &names, e);
	json_t *array = json_array();

	for (size_t i = 0; code == 0 && i < names.count; i++) {
		struct topology t;

		code = catalog_topology(c, names.items[i], &t, e);
		if (code < 0)
			break;
		if (json)
			(void)json_array_append_new(array, topology_to_json(&t));
		else
			print_topology(&t, i == 0);
		topology_fini(&t);
	}
	if (code == 0 && json)
		return print_json(array, e);
	json_decref(array);
	return code;
}

static int list_names(const struct catalog *c, enum catalog_kind kind, struct err *e)
{
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	int code = catalog_list(c, kind, &names, e);

	for (size_t i = 0; code == 0 && i < names.count; i++)
		(void)puts(names.items[i]);
	return code;
}

/* None of them is left out without a word. */
static int one_form(const struct verb *v, struct err *e)
{
	return err_set_input(e, "one form at a time; usage: natsim %s %s", v->name, v->synopsis);
}

static int run_list(const struct verb *v, enum catalog_kind kind, int argc, char **argv,
		    struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	enum list_format format = LIST_TABLE;
	int val;

	while ((val = verb_option(v, argc, argv, list_options, e)) != -1) {
		if (val < 0)
			return val;
		if (format != LIST_TABLE)
			return one_form(v, e);
		if (val == OPT_MARKDOWN && kind != CATALOG_NAT_MODEL)
			return err_set_input(e, "only models are listed in Markdown");
		format = val == OPT_JSON       ? LIST_JSON
			 : val == OPT_MARKDOWN ? LIST_MARKDOWN
					       : LIST_NAMES;
	}
	int code = verb_operands(v, argc, 0, 0, e);
	if (code == 0)
		code = catalog_open(&catalog, e);
	if (code < 0)
		return code;
	if (format == LIST_NAMES)
		return list_names(&catalog, kind, e);
	return kind == CATALOG_NAT_MODEL ? list_models(&catalog, format, e)
					 : list_topologies(&catalog, format == LIST_JSON, e);
}

static int run_models(int argc, char **argv, struct err *e)
{
	return run_list(&verb_models, CATALOG_NAT_MODEL, argc, argv, e);
}

static int run_topologies(int argc, char **argv, struct err *e)
{
	return run_list(&verb_topologies, CATALOG_TOPOLOGY, argc, argv, e);
}

/* Where `natsim model show --nft` places the router: the usual names of a small router's
 * interfaces. */
static const struct ruleset_site example_site = {
	.outside_ifname = "wan",
	.outside_addr = 0xc6336402, /* 198.51.100.2, RFC 5737 */
	.inside = { 0x0a010000, 24 },
};

enum model_format { MODEL_TEXT, MODEL_JSON, MODEL_NFT };

static int show_model(const char *name, enum model_format format, struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct nat_model m = { 0 };
	int code = catalog_open(&catalog, e);

	if (code == 0)
		code = catalog_nat(&catalog, name, &m, e);
	if (code < 0)
		return code;
	switch (format) {
	case MODEL_TEXT:
		model_print(&m, &text);
		break;
	case MODEL_JSON:
		code = print_json(model_to_json(&m), e);
		break;
	case MODEL_NFT:
		code = ruleset_compose(&m, &example_site, &catalog.rules, &text, e);
		break;
	}
	(void)fputs(buf_text(&text), stdout);
	nat_model_fini(&m);
	return code;
}

static int run_model(int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "nft", no_argument, NULL, OPT_NFT },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	enum model_format format = MODEL_TEXT;
	int val;

	while ((val = verb_option(&verb_model, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		if (format != MODEL_TEXT)
			return one_form(&verb_model, e);
		format = val == OPT_JSON ? MODEL_JSON : MODEL_NFT;
	}
	int code = verb_operands(&verb_model, argc, 2, 2, e);
	if (code < 0)
		return code;
	if (strcmp(argv[optind], "show") != 0)
		return err_set_input(e, "model can only show; usage: natsim model %s",
				     verb_model.synopsis);
	return show_model(argv[optind + 1], format, e);
}

const struct verb verb_models = {
	.name = "models",
	.synopsis = "[--json | --names | --markdown]",
	.about = "List the NAT models",
	.help = "  --json      as one JSON array\n"
		"  --names     only the names, one a line\n"
		"  --markdown  the table of nat_models/README.md; * is what nobody knows\n",
	.run = run_models,
};

const struct verb verb_topologies = {
	.name = "topologies",
	.synopsis = "[--json | --names]",
	.about = "Draw the topologies",
	.help = "  --json   as one JSON array\n"
		"  --names  only the names, one a line\n",
	.run = run_topologies,
};

const struct verb verb_model = {
	.name = "model",
	.synopsis = "show NAME [--json | --nft]",
	.about = "Show what a NAT model says, or its nftables ruleset",
	.help = "  --json  as JSON\n"
		"  --nft   one ruleset for nft -f, with the interfaces and addresses defined at its "
		"top\n",
	.run = run_model,
};

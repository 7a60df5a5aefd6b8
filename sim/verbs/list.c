// SPDX-License-Identifier: GPL-2.0-or-later
/* `natsim models`, `natsim model show` and `natsim topologies`: what there is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/cleanup.h"
#include "sim/verbs/verb.h"

enum { OPT_JSON = 256, OPT_NAMES, OPT_NFT };

static const struct option list_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
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

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* As in the model's file: no ports where there is no translation, and nothing of what only a router
 * that remembers has. */
static json_t *model_to_json(const struct nat_model *m)
{
	json_t *sources = json_array();
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s}", "name", m->name, "about", m->about, "mapping",
			  nat_mapping_name(m), "filtering", nat_behavior_name(m->filtering));

	if (m->translates)
		set(object, "ports",
		    json_pack("{s:s, s:[i, i]}", "choose", nat_port_choice_name(m->ports.choose),
			      "range", (int)m->ports.first, (int)m->ports.last));
	if (ruleset_remembers(m)) {
		set(object, "unsolicited",
		    json_pack("{s:s, s:s}", "udp", nat_unsolicited_name(m->unsolicited.udp), "tcp",
			      nat_unsolicited_name(m->unsolicited.tcp)));
		set(object, "timeouts_s",
		    json_pack("{s:i, s:i, s:i}", "udp", (int)m->timeouts.udp_s, "tcp_established",
			      (int)m->timeouts.tcp_established_s, "tcp_transitory",
			      (int)m->timeouts.tcp_transitory_s));
	}
	for (unsigned i = 0; i < m->sources_count; i++)
		(void)json_array_append_new(sources, json_string(m->sources[i]));
	set(object, "sources", sources);
	return object;
}

static void print_model_line(const struct nat_model *m)
{
	(void)printf("%-24s %-27s %-27s %s\n", m->name, nat_mapping_name(m),
		     nat_behavior_name(m->filtering),
		     m->translates ? nat_port_choice_name(m->ports.choose) : "-");
}

static int list_models(const struct catalog *c, bool json, struct err *e)
{
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	int code = catalog_list(c, CATALOG_NAT_MODEL, &names, e);
	json_t *array = json_array();

	if (code == 0 && !json)
		(void)printf("%-24s %-27s %-27s %s\n", "MODEL", "MAPPING", "FILTERING", "PORTS");
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		struct nat_model m;

		code = catalog_nat(c, names.items[i], &m, e);
		if (code < 0)
			break;
		if (json)
			(void)json_array_append_new(array, model_to_json(&m));
		else
			print_model_line(&m);
		nat_model_fini(&m);
	}
	if (code == 0 && json)
		return print_json(array, e);
	json_decref(array);
	return code;
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

static int run_list(const struct verb *v, enum catalog_kind kind, int argc, char **argv,
		    struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	bool json = false, names = false;
	int val;

	while ((val = verb_option(v, argc, argv, list_options, e)) != -1) {
		if (val < 0)
			return val;
		json |= val == OPT_JSON;
		names |= val == OPT_NAMES;
	}
	int code = verb_operands(v, argc, 0, 0, e);
	if (code == 0)
		code = catalog_open(&catalog, e);
	if (code < 0)
		return code;
	if (names)
		return list_names(&catalog, kind, e);
	return kind == CATALOG_NAT_MODEL ? list_models(&catalog, json, e)
					 : list_topologies(&catalog, json, e);
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

static void print_model(const struct nat_model *m)
{
	(void)printf("%s: %s\n\n", m->name, m->about);
	(void)printf("  mapping      %s\n", nat_mapping_name(m));
	(void)printf("  filtering    %s\n", nat_behavior_name(m->filtering));
	if (m->translates)
		(void)printf("  ports        %s, %u to %u\n", nat_port_choice_name(m->ports.choose),
			     m->ports.first, m->ports.last);
	if (ruleset_remembers(m)) {
		(void)printf("  unsolicited  udp %s, tcp %s\n",
			     nat_unsolicited_name(m->unsolicited.udp),
			     nat_unsolicited_name(m->unsolicited.tcp));
		(void)printf("  timeouts     udp %u s, tcp established %u s, tcp transitory %u s\n",
			     m->timeouts.udp_s, m->timeouts.tcp_established_s,
			     m->timeouts.tcp_transitory_s);
	}
	for (unsigned i = 0; i < m->sources_count; i++)
		(void)printf("  %-12s %s\n", i == 0 ? "sources" : "", m->sources[i]);
}

static int show_model(const char *name, bool nft, struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct nat_model m = { 0 };
	int code = catalog_open(&catalog, e);

	if (code == 0)
		code = catalog_nat(&catalog, name, &m, e);
	if (code < 0)
		return code;
	if (nft)
		code = ruleset_compose(&m, &example_site, &catalog.rules, &text, e);
	else
		print_model(&m);
	(void)fputs(buf_text(&text), stdout);
	nat_model_fini(&m);
	return code;
}

static int run_model(int argc, char **argv, struct err *e)
{
	static const struct option options[] = {
		{ "nft", no_argument, NULL, OPT_NFT },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool nft = false;
	int val;

	while ((val = verb_option(&verb_model, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		nft = true;
	}
	int code = verb_operands(&verb_model, argc, 2, 2, e);
	if (code < 0)
		return code;
	if (strcmp(argv[optind], "show") != 0)
		return err_set_input(e, "model can only show; usage: natsim model %s",
				     verb_model.synopsis);
	return show_model(argv[optind + 1], nft, e);
}

#define LIST_HELP                        \
	"  --json   as one JSON array\n" \
	"  --names  only the names, one a line\n"

const struct verb verb_models = {
	.name = "models",
	.synopsis = "[--json | --names]",
	.about = "List the NAT models",
	.help = LIST_HELP,
	.run = run_models,
};

const struct verb verb_topologies = {
	.name = "topologies",
	.synopsis = "[--json | --names]",
	.about = "Draw the topologies",
	.help = LIST_HELP,
	.run = run_topologies,
};

const struct verb verb_model = {
	.name = "model",
	.synopsis = "show NAME [--nft]",
	.about = "Show what a NAT model says, or its nftables ruleset",
	.help = "  --nft  one ruleset for nft -f, with the interfaces and addresses defined at its top\n",
	.run = run_model,
};

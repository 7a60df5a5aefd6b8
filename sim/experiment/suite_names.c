// SPDX-License-Identifier: GPL-2.0-or-later
/* What a suite names: whether it is there, and whether the world can have it. */
#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/suite.h"
#include "sim/model/yaml_map.h"

struct check {
	const struct suite *suite;
	const struct catalog *catalog;
	const struct yaml_source *src;
	struct err *e;
};

/* ---- places */

/* A population's models are the keys of a group, which no path leads to. */
static int model_of_population_error(const struct check *c, unsigned i, const char *what)
{
	CLEANUP(yaml_map) struct yaml_map map = { .count = 0 };
	int code = yaml_map_read(c->src, "population", &map, c->e);

	if (code < 0)
		return code;
	return err_set_input_at(c->e, c->src->file, map.entries[i].key_line,
				map.entries[i].key_column, "%s", what);
}

/* Says it at the place of a model of role a (0) or b (1). */
static int model_error(const struct check *c, int role, unsigned i, const char *what)
{
	if (c->suite->shares != NULL)
		return model_of_population_error(c, i, what);
	const char *key = role == 1 && yaml_has(c->src, "nats.b") ? "nats.b" : "nats.a";
	return yaml_error(c->src, c->e, yaml_path("%s[%u]", key, i).text, "%s", what);
}

/* ---- whether all is there */

static int find_file(const struct check *c, enum catalog_kind kind, const char *name,
		     struct err *why)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(buf) struct buf text = BUF_INIT;

	return catalog_read(c->catalog, kind, name, &path, &text, why);
}

static int check_models(const struct check *c, int role, const struct suite_names *models)
{
	for (unsigned i = 0; i < models->count; i++) {
		struct err why = { .kind = ERR_NONE };

		if (find_file(c, CATALOG_NAT_MODEL, models->items[i], &why) < 0)
			return model_error(c, role, i, why.text);
	}
	return 0;
}

int suite_check_names(const struct suite *s, const struct catalog *c, const char *file,
		      const char *data, size_t len, struct err *e)
{
	const struct yaml_source src = { file, data, len };
	const struct check check = { s, c, &src, e };
	const struct link_profile *link;
	struct err why = { .kind = ERR_NONE };

	for (unsigned i = 0; i < s->topologies.count; i++)
		if (find_file(&check, CATALOG_TOPOLOGY, s->topologies.items[i], &why) < 0)
			return yaml_error(&src, e, yaml_path("topologies[%u]", i).text, "%s",
					  why.text);
	for (unsigned i = 0; i < s->links.count; i++)
		if (catalog_link(c, s->links.items[i], &link, &why) < 0)
			return yaml_error(&src, e, yaml_path("links[%u]", i).text, "%s", why.text);
	int code = check_models(&check, 0, &s->nats_a);
	return code < 0 ? code : check_models(&check, 1, &s->nats_b);
}

/* ---- what the twin can have */

/* The cells' names are the suite's own texts. */
static bool is_used(const char *model, const struct suite_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cells[i].nat_a == model || cells[i].nat_b == model)
			return true;
	return false;
}

static int check_in_twin(const struct check *c, int role, unsigned i, const char *name)
{
	struct nat_model m;
	int code = catalog_nat(c->catalog, name, &m, c->e);

	if (code < 0)
		return code;
	if (m.ruleset_file != NULL) {
		CLEANUP(buf) struct buf what = BUF_INIT;

		buf_printf(&what,
			   "%s is a ruleset of its own, which the twin cannot run; run it with "
			   "--world lab",
			   m.name);
		code = model_error(c, role, i, buf_text(&what));
	}
	nat_model_fini(&m);
	return code;
}

int suite_check_twin_models(const struct suite *s, const struct catalog *c, const char *filter,
			    const char *file, const char *data, size_t len, struct err *e)
{
	const struct yaml_source src = { file, data, len };
	const struct check check = { s, c, &src, e };
	size_t count = 0;
	CLEANUP(free) struct suite_cell *cells = suite_cells(s, &count);
	int code = filter == NULL ? 0 : suite_filter(filter, cells, &count, e);

	for (int role = 0; role < 2; role++) {
		const struct suite_names *models = role == 0 ? &s->nats_a : &s->nats_b;

		for (unsigned i = 0; code == 0 && i < models->count; i++)
			if (is_used(models->items[i], cells, count))
				code = check_in_twin(&check, role, i, models->items[i]);
	}
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* NAT models, and the rules that some bring with them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/file.h"
#include "sim/model/yaml.h"

/* The model's own rules are next to it, unless it says where they are. */
static char *path_of_ruleset(const char *model_path, const char *file)
{
	const char *slash = strrchr(model_path, '/');
	int dir_len = slash == NULL || file[0] == '/' ? 0 : (int)(slash - model_path + 1);

	return file_path("%.*s%s", dir_len, model_path, file);
}

static int read_ruleset(const struct yaml_source *src, struct nat_model *m, struct err *e)
{
	CLEANUP(free) char *path = path_of_ruleset(src->file, m->ruleset_file);
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct err why;

	if (file_read(path, FILE_YAML_ENOUGH, &text, &why) < 0)
		return yaml_error(src, e, "ruleset", "%s", why.text);
	if (text.len >= FILE_YAML_ENOUGH)
		return yaml_error(src, e, "ruleset", "%s: longer than %u bytes", path,
				  FILE_YAML_ENOUGH - 1);
	if (strlen(buf_text(&text)) != text.len)
		return yaml_error(src, e, "ruleset", "%s: holds a NUL character", path);
	m->ruleset = strdup(buf_text(&text));
	assert(m->ruleset != NULL);
	m->ruleset_path = steal_ptr(&path);
	return 0;
}

int catalog_nat(const struct catalog *c, const char *name, struct nat_model *ret, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(buf) struct buf text = BUF_INIT;
	int code = catalog_read(c, CATALOG_NAT_MODEL, name, &path, &text, e);

	if (code == 0)
		code = nat_model_parse(path, buf_text(&text), text.len, ret, e);
	if (code < 0 || ret->ruleset_file == NULL)
		return code;
	code = read_ruleset(&(struct yaml_source){ path, buf_text(&text), text.len }, ret, e);
	if (code < 0)
		nat_model_fini(ret);
	return code;
}

int catalog_nats(const struct catalog *c, const char *const *names, size_t count,
		 struct catalog_nats *ret, struct err *e)
{
	ret->items = calloc(count + 1, sizeof(*ret->items));
	assert(ret->items != NULL);
	for (ret->count = 0; ret->count < count; ret->count++) {
		int code = catalog_nat(c, names[ret->count], &ret->items[ret->count], e);

		if (code < 0)
			return code;
	}
	return 0;
}

void catalog_nats_cleanup(struct catalog_nats *n)
{
	for (size_t i = 0; i < n->count; i++)
		nat_model_fini(&n->items[i]);
	free(n->items);
}

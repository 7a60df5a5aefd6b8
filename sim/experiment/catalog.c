// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/catalog.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/file.h"

static bool has_models(const char *dir)
{
	CLEANUP(free) char *models = file_path("%s/nat_models", dir);

	return file_is_dir(models);
}

static int find_dirs(struct catalog *c, struct err *e)
{
	/* From build/VARIANT/natsim, and from PREFIX/libexec/natsim/natsim: nothing depends on the
	 * prefix that natsim was built with. */
	static const char *const places[] = { "../..", "../../share/natsim" };
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const char *own = getenv("NATSIM_DATA");

	if (len < 0)
		return err_set(e, -errno, "/proc/self/exe");
	exe[len] = '\0';
	*strrchr(exe, '/') = '\0';
	c->program_dir = file_path("%s", exe);
	if (own != NULL) {
		c->data_dir = file_path("%s", own);
		return has_models(own)
			       ? 0
			       : err_set_input(e, "NATSIM_DATA=%s: no nat_models there", own);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		CLEANUP(free) char *place = file_path("%s/%s", exe, places[i]);

		if (!has_models(place))
			continue;
		c->data_dir = realpath(place, NULL); /* for error texts */
		assert(c->data_dir != NULL);
		return 0;
	}
	return err_set_input(e, "cannot find nat_models; set NATSIM_DATA to where it is");
}

static const char *kind_dir(enum catalog_kind kind)
{
	switch (kind) {
	case CATALOG_NAT_MODEL:
		return "nat_models";
	case CATALOG_TOPOLOGY:
		return "topologies";
	case CATALOG_SUITE:
		break;
	}
	return "suites";
}

/* More would make a line that nobody reads. */
#define NAMES_IN_ERROR_MAX 20u

static const char *kind_noun(enum catalog_kind kind)
{
	switch (kind) {
	case CATALOG_NAT_MODEL:
		return "NAT model";
	case CATALOG_TOPOLOGY:
		return "topology";
	case CATALOG_SUITE:
		break;
	}
	return "suite";
}

/* The directory of a kind; suites are at home in sim/ until they are installed. */
static char *dir_of(const struct catalog *c, enum catalog_kind kind)
{
	char *dir = file_path("%s/%s", c->data_dir, kind_dir(kind));

	if (kind == CATALOG_SUITE && !file_is_dir(dir)) {
		free(dir);
		dir = file_path("%s/sim/suites", c->data_dir);
	}
	return dir;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_add(struct catalog_names *names, const char *name, size_t len)
{
	names->items = realloc(names->items, (names->count + 1) * sizeof(*names->items));
	assert(names->items != NULL);
	names->items[names->count] = strndup(name, len);
	assert(names->items[names->count] != NULL);
	names->count++;
}

/* The names of the files in dir that end in suffix, without it, sorted. */
static int list_dir(const char *dir, const char *suffix, struct catalog_names *ret, struct err *e)
{
	struct catalog_names names = { 0 };
	size_t suffix_len = strlen(suffix);
	DIR *d = opendir(dir);
	const struct dirent *entry;

	if (d == NULL)
		return err_set_input(e, "%s: %s", dir, strerror(errno));
	while ((entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len > suffix_len && strcmp(entry->d_name + len - suffix_len, suffix) == 0)
			names_add(&names, entry->d_name, len - suffix_len);
	}
	(void)closedir(d);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	*ret = names;
	return 0;
}

void catalog_names_free(struct catalog_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct catalog_names){ 0 };
}

/* links.yaml lies among the topologies and is none. */
static void drop_name(struct catalog_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i], name) != 0)
			continue;
		free(names->items[i]);
		names->count--;
		memmove(names->items + i, names->items + i + 1,
			(names->count - i) * sizeof(*names->items));
		return;
	}
}

int catalog_list(const struct catalog *c, enum catalog_kind kind, struct catalog_names *ret,
		 struct err *e)
{
	CLEANUP(free) char *dir = dir_of(c, kind);
	int code = list_dir(dir, ".yaml", ret, e);

	if (code == 0 && kind == CATALOG_TOPOLOGY)
		drop_name(ret, "links");
	return code;
}

static int load_rules(struct catalog *c, struct err *e)
{
	CLEANUP(free) char *dir = file_path("%s/nat_models/rules", c->data_dir);
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	int code = list_dir(dir, ".nft", &names, e);

	if (code < 0)
		return code;
	c->rules.items = calloc(names.count + 1, sizeof(*c->rules.items));
	assert(c->rules.items != NULL);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(free) char *path = file_path("%s/%s.nft", dir, names.items[i]);
		struct buf text = BUF_INIT;

		code = file_read(path, FILE_YAML_ENOUGH, &text, e);
		if (code < 0)
			return code;
		c->rules.items[c->rules.count++] =
			(struct ruleset_file){ steal_ptr(&names.items[i]), buf_steal(&text) };
	}
	return 0;
}

static int load_links(struct catalog *c, struct err *e)
{
	CLEANUP(free) char *path = file_path("%s/topologies/links.yaml", c->data_dir);
	CLEANUP(buf) struct buf text = BUF_INIT;
	int code = file_read(path, FILE_YAML_ENOUGH, &text, e);

	if (code < 0)
		return code;
	return link_profiles_parse(path, buf_text(&text), text.len, &c->links, &c->links_count, e);
}

int catalog_open(struct catalog *ret, struct err *e)
{
	struct catalog c = { 0 };
	int code = find_dirs(&c, e);

	if (code == 0) {
		c.peer = file_path("%s/peer", c.program_dir);
		c.rendezvous = file_path("%s/rendezvous", c.program_dir);
		code = load_rules(&c, e);
	}
	if (code == 0)
		code = load_links(&c, e);
	if (code < 0)
		catalog_close(&c);
	else
		*ret = c;
	return code;
}

void catalog_close(struct catalog *c)
{
	for (size_t i = 0; i < c->rules.count; i++) {
		free(c->rules.items[i].name);
		free(c->rules.items[i].text);
	}
	free(c->rules.items);
	link_profiles_free(c->links, c->links_count);
	free(c->data_dir);
	free(c->program_dir);
	free(c->peer);
	free(c->rendezvous);
	*c = (struct catalog){ 0 };
}

static bool is_path(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') != NULL || (len > 5 && strcmp(name + len - 5, ".yaml") == 0);
}

static void join_names(const struct catalog_names *names, struct buf *out)
{
	for (size_t i = 0; i < names->count; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ", ", names->items[i]);
}

static int no_such(const struct catalog *c, enum catalog_kind kind, const char *name, struct err *e)
{
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	CLEANUP(buf) struct buf list = BUF_INIT;

	if (catalog_list(c, kind, &names, NULL) == 0)
		join_names(&names, &list);
	if (kind == CATALOG_NAT_MODEL && names.count > NAMES_IN_ERROR_MAX)
		return err_set_input(e, "no %s \"%s\"; `natsim models` lists those there are",
				     kind_noun(kind), name);
	return err_set_input(e, "no %s \"%s\"; there are: %s", kind_noun(kind), name,
			     buf_text(&list));
}

int catalog_read(const struct catalog *c, enum catalog_kind kind, const char *name, char **ret_path,
		 struct buf *ret_text, struct err *e)
{
	CLEANUP(free) char *dir = dir_of(c, kind);
	CLEANUP(free)
	char *path = is_path(name) ? file_path("%s", name) : file_path("%s/%s.yaml", dir, name);

	if (!is_path(name) && access(path, F_OK) < 0)
		return no_such(c, kind, name, e);
	int code = file_read(path, FILE_YAML_ENOUGH, ret_text, e);
	if (code == 0)
		*ret_path = steal_ptr(&path);
	return code;
}

int catalog_topology(const struct catalog *c, const char *name, struct topology *ret, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(buf) struct buf text = BUF_INIT;
	int code = catalog_read(c, CATALOG_TOPOLOGY, name, &path, &text, e);

	return code < 0 ? code : topology_parse(path, buf_text(&text), text.len, ret, e);
}

int catalog_link(const struct catalog *c, const char *name, const struct link_profile **ret,
		 struct err *e)
{
	CLEANUP(buf) struct buf list = BUF_INIT;
	const struct link_profile *found = link_profile_find(c->links, c->links_count, name);

	if (found != NULL) {
		*ret = found;
		return 0;
	}
	for (size_t i = 0; i < c->links_count; i++)
		buf_printf(&list, "%s%s", i == 0 ? "" : ", ", c->links[i].name);
	return err_set_input(e, "no link \"%s\"; there are: %s", name, buf_text(&list));
}

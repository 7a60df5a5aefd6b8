/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The project's own models, topologies and rules, for tests, which run in the source tree. */
#ifndef NATSIM_TESTS_MODEL_FILES_H
#define NATSIM_TESTS_MODEL_FILES_H

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "sim/model/nat_model.h"
#include "sim/model/ruleset.h"
#include "sim/model/topology.h"

/* Appends a file. Returns false if it cannot be opened. */
static inline bool model_files_read(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "r");
	char chunk[4096];
	size_t n;

	if (file == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(out, chunk, n);
	(void)fclose(file);
	return true;
}

#define MODEL_FILES_RULES_MAX 128u

static inline void model_files_rules(struct ruleset_files *ret)
{
	DIR *dir = opendir("nat_models/rules");
	const struct dirent *entry;

	assert(dir != NULL);
	ret->items = calloc(MODEL_FILES_RULES_MAX, sizeof(*ret->items));
	ret->count = 0;
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		char path[512];
		struct buf text = BUF_INIT;

		if (len <= 4 || strcmp(entry->d_name + len - 4, ".nft") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "nat_models/rules/%s", entry->d_name);
		bool ok = model_files_read(path, &text);
		assert(ok && ret->count < MODEL_FILES_RULES_MAX);
		ret->items[ret->count].name = strndup(entry->d_name, len - 4);
		ret->items[ret->count++].text = buf_steal(&text);
	}
	(void)closedir(dir);
}

static inline void model_files_rules_free(struct ruleset_files *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->items[i].name);
		free(rules->items[i].text);
	}
	free(rules->items);
}

static inline void model_files_nat(const char *name, struct nat_model *ret)
{
	char path[128];
	struct buf text = BUF_INIT;
	struct err e;

	(void)snprintf(path, sizeof(path), "nat_models/%s.yaml", name);
	bool ok = model_files_read(path, &text);
	assert(ok);
	if (nat_model_parse(path, text.data, text.len, ret, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		abort();
	}
	buf_fini(&text);
}

static inline void model_files_topology(const char *name, struct topology *ret)
{
	char path[128];
	struct buf text = BUF_INIT;
	struct err e;

	(void)snprintf(path, sizeof(path), "topologies/%s.yaml", name);
	bool ok = model_files_read(path, &text);
	assert(ok);
	if (topology_parse(path, text.data, text.len, ret, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		abort();
	}
	buf_fini(&text);
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* Link profiles from YAML. The keys carry the units people think in; the structs have our own. */
#include "sim/model/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/model/yaml.h"

#define DELAY_MAX_MS  60000.0 /* a minute: far beyond what any peer waits for */
#define RATE_MAX_MBIT 100000.0
#define QUEUE_MAX_KB  1000000.0
#define HOPS_MAX      32u /* so that two links together stay below the 64 that Linux starts at */

/* As written in the file. */
struct entry_direction {
	double delay_ms, jitter_ms, loss, reorder, reorder_ms, duplicate, rate_mbit, queue_kb;
};

struct entry {
	char *name, *about, *source;
	unsigned hops;
	struct entry_direction up, down;
};

#define NUMBER(key) CYAML_FIELD_FLOAT(#key, CYAML_FLAG_OPTIONAL, struct entry_direction, key)

static const struct cyaml_schema_field direction_fields[] = {
	NUMBER(delay_ms),  NUMBER(jitter_ms), NUMBER(loss),     NUMBER(reorder), NUMBER(reorder_ms),
	NUMBER(duplicate), NUMBER(rate_mbit), NUMBER(queue_kb), CYAML_FIELD_END,
};

static const struct cyaml_schema_field entry_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct entry, name, 1,
			       LINK_NAME_SIZE - 1),
	CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_POINTER, struct entry, about, 1, 200),
	CYAML_FIELD_STRING_PTR("source", CYAML_FLAG_POINTER, struct entry, source, 1, 200),
	CYAML_FIELD_UINT("hops", CYAML_FLAG_DEFAULT, struct entry, hops),
	CYAML_FIELD_MAPPING("up", CYAML_FLAG_OPTIONAL, struct entry, up, direction_fields),
	CYAML_FIELD_MAPPING("down", CYAML_FLAG_OPTIONAL, struct entry, down, direction_fields),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value entry_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct entry, entry_fields),
};

static const struct cyaml_schema_value file_schema = {
	CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, struct entry, &entry_schema, 1, 1000),
};

/* Where in the file, and what for errors. */
struct place {
	const struct yaml_source *src;
	unsigned index;
	const char *direction;
	struct err *e;
};

/* Written so that what is not a number is refused too. */
static int check_number(const struct place *at, const char *key, double value, double max)
{
	if (value >= 0 && value <= max)
		return 0;
	return yaml_error(at->src, at->e,
			  yaml_path("[%u].%s.%s", at->index, at->direction, key).text,
			  "%s must be between 0 and %g", key, max);
}

static int check_direction(const struct place *at, const struct entry_direction *d)
{
	const struct {
		const char *key;
		double value, max;
	} limits[] = {
		{ "delay_ms", d->delay_ms, DELAY_MAX_MS },
		{ "jitter_ms", d->jitter_ms, d->delay_ms },
		{ "loss", d->loss, 1 },
		{ "reorder", d->reorder, 1 },
		{ "reorder_ms", d->reorder_ms, DELAY_MAX_MS },
		{ "duplicate", d->duplicate, 1 },
		{ "rate_mbit", d->rate_mbit, RATE_MAX_MBIT },
		{ "queue_kb", d->queue_kb, QUEUE_MAX_KB },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int r = check_number(at, limits[i].key, limits[i].value, limits[i].max);

		if (r < 0)
			return r;
	}
	struct yaml_path path = yaml_path("[%u].%s", at->index, at->direction);
	if ((d->rate_mbit > 0) != (d->queue_kb > 0))
		return yaml_error(at->src, at->e, path.text, "rate_mbit and queue_kb go together");
	if (d->rate_mbit > 0 && d->rate_mbit < 1e-3)
		return yaml_error(at->src, at->e, path.text,
				  "rate_mbit must be 0 or at least 0.001");
	if ((d->reorder > 0) != (d->reorder_ms > 0))
		return yaml_error(at->src, at->e, path.text, "reorder and reorder_ms go together");
	return 0;
}

static int check_entries(const struct yaml_source *src, const struct entry *entries, unsigned count,
			 struct err *e)
{
	for (unsigned i = 0; i < count; i++) {
		const struct entry *entry = &entries[i];

		for (unsigned j = 0; j < i; j++)
			if (strcmp(entries[j].name, entry->name) == 0)
				return yaml_error(src, e, yaml_path("[%u].name", i).text,
						  "there are two links named %s", entry->name);
		if (entry->hops < 1 || entry->hops > HOPS_MAX)
			return yaml_error(src, e, yaml_path("[%u].hops", i).text,
					  "hops must be between 1 and %u", HOPS_MAX);
		int r = check_direction(&(struct place){ src, i, "up", e }, &entry->up);
		if (r == 0)
			r = check_direction(&(struct place){ src, i, "down", e }, &entry->down);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t scaled(double value, double factor)
{
	return (uint64_t)(value * factor + 0.5);
}

static struct link_params make_params(const struct entry_direction *d)
{
	return (struct link_params){
		.delay_us = scaled(d->delay_ms, 1e3),
		.jitter_us = scaled(d->jitter_ms, 1e3),
		.loss = d->loss,
		.reorder = d->reorder,
		.reorder_us = scaled(d->reorder_ms, 1e3),
		.duplicate = d->duplicate,
		.rate_bps = scaled(d->rate_mbit, 1e6),
		.queue_bytes = scaled(d->queue_kb, 1e3),
	};
}

/* Takes what it keeps out of the entries. */
static struct link_profile *make_profiles(struct entry *entries, unsigned count)
{
	struct link_profile *profiles = calloc(count, sizeof(*profiles));

	assert(profiles != NULL);
	for (unsigned i = 0; i < count; i++) {
		struct link_profile *p = &profiles[i];

		(void)snprintf(p->name, sizeof(p->name), "%s", entries[i].name);
		p->about = steal_ptr(&entries[i].about);
		p->hops = entries[i].hops;
		p->up = make_params(&entries[i].up);
		p->down = make_params(&entries[i].down);
	}
	return profiles;
}

int link_profiles_parse(const char *file, const char *data, size_t len,
			struct link_profile **ret_profiles, size_t *ret_count, struct err *e)
{
	struct yaml_source src = { file, data, len };
	void *entries = NULL;
	unsigned count = 0;
	int r = yaml_load(&src, &file_schema, &entries, &count, e);

	if (r < 0)
		return r;
	r = check_entries(&src, entries, count, e);
	if (r == 0) {
		*ret_profiles = make_profiles(entries, count);
		*ret_count = count;
	}
	yaml_unload(&file_schema, entries, count);
	return r;
}

void link_profiles_free(struct link_profile *profiles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(profiles[i].about);
	free(profiles);
}

const struct link_profile *link_profile_find(const struct link_profile *profiles, size_t count,
					     const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/suite.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "peers/core/strategy.h"
#include "sim/model/yaml.h"

#define NAME_MAX_LEN 1024

struct nats {
	struct suite_names a, b;
};

/* As the file says it; suite_parse makes a struct suite of it. */
struct text {
	char *about;
	struct suite_names topologies, transports, strategies, links, peer;
	struct nats nats;
	unsigned trials;
	char *start_skew, *give_up, *expect;
};

static const struct cyaml_schema_value name_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, NAME_MAX_LEN),
};

/* A list of names that is the member `member` of `type`. */
#define NAMES(key, type, member, optional, min)                                              \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | (optional), type, member.items, \
				   member.count, &name_schema, min, CYAML_UNLIMITED)

#define STRING(key, type, member, optional) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (optional), type, member, 1, NAME_MAX_LEN)

static const struct cyaml_schema_field nats_fields[] = {
	NAMES("a", struct nats, a, 0, 1),
	NAMES("b", struct nats, b, CYAML_FLAG_OPTIONAL, 1),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field fields[] = {
	STRING("about", struct text, about, 0),
	NAMES("topologies", struct text, topologies, 0, 1),
	CYAML_FIELD_MAPPING("nats", 0, struct text, nats, nats_fields),
	NAMES("transports", struct text, transports, CYAML_FLAG_OPTIONAL, 1),
	NAMES("strategies", struct text, strategies, CYAML_FLAG_OPTIONAL, 1),
	NAMES("links", struct text, links, CYAML_FLAG_OPTIONAL, 1),
	CYAML_FIELD_UINT("trials", CYAML_FLAG_OPTIONAL, struct text, trials),
	STRING("start_skew", struct text, start_skew, CYAML_FLAG_OPTIONAL),
	STRING("give_up", struct text, give_up, CYAML_FLAG_OPTIONAL),
	STRING("expect", struct text, expect, CYAML_FLAG_OPTIONAL),
	NAMES("peer", struct text, peer, CYAML_FLAG_OPTIONAL, 0),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct text, fields),
};

static char *copy(const char *text)
{
	char *copied = strdup(text);

	assert(copied != NULL);
	return copied;
}

/* The given names, or a default where there are none. */
static struct suite_names copy_names(const struct suite_names *names, const char *const *fallback)
{
	struct suite_names ret = { 0 };
	unsigned count = names->count;

	while (names->count == 0 && fallback != NULL && fallback[count] != NULL)
		count++;
	ret.items = calloc(count + 1, sizeof(*ret.items));
	assert(ret.items != NULL);
	for (; ret.count < count; ret.count++)
		ret.items[ret.count] =
			copy(names->count > 0 ? names->items[ret.count] : fallback[ret.count]);
	return ret;
}

static void names_fini(struct suite_names *names)
{
	for (unsigned i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct suite_names){ 0 };
}

void suite_fini(struct suite *s)
{
	free(s->about);
	names_fini(&s->topologies);
	names_fini(&s->nats_a);
	names_fini(&s->nats_b);
	names_fini(&s->transports);
	names_fini(&s->strategies);
	names_fini(&s->links);
	names_fini(&s->peer);
	*s = (struct suite){ 0 };
}

/* "20ms", "1.5s": at most an hour. */
static bool parse_duration(const char *text, uint64_t *ret_us)
{
	char *unit;
	double number = strtod(text, &unit), scale = 0;

	if (strcmp(unit, "us") == 0)
		scale = 1;
	else if (strcmp(unit, "ms") == 0)
		scale = 1e3;
	else if (strcmp(unit, "s") == 0)
		scale = 1e6;
	if (unit == text || scale == 0 || !(number >= 0 && number * scale <= 3600e6))
		return false;
	*ret_us = (uint64_t)(number * scale + 0.5);
	return true;
}

static int read_durations(const struct yaml_source *src, const struct text *t, struct suite *s,
			  struct err *e)
{
	if (t->start_skew != NULL && !parse_duration(t->start_skew, &s->start_skew_us))
		return yaml_error(src, e, "start_skew",
				  "\"%s\" is no duration, such as 20ms or 1.5s", t->start_skew);
	if (t->give_up != NULL && !parse_duration(t->give_up, &s->give_up_us))
		return yaml_error(src, e, "give_up", "\"%s\" is no duration, such as 500ms or 10s",
				  t->give_up);
	if (s->give_up_us < 1000)
		return yaml_error(src, e, "give_up", "a trial needs at least 1ms");
	return 0;
}

static int read_expect(const struct yaml_source *src, const char *text, struct suite *s,
		       struct err *e)
{
	char *end;

	if (text == NULL || strcmp(text, "theory") == 0) {
		s->expect = SUITE_EXPECT_THEORY;
		return 0;
	}
	if (strcmp(text, "nothing") == 0) {
		s->expect = SUITE_EXPECT_NOTHING;
		return 0;
	}
	s->expect = SUITE_EXPECT_RATE;
	s->expect_rate = strtod(text, &end);
	if (end == text || *end != '\0' || !(s->expect_rate >= 0 && s->expect_rate <= 1))
		return yaml_error(src, e, "expect",
				  "\"%s\" is neither theory, nothing, nor a rate from 0 to 1",
				  text);
	return 0;
}

static int check_transports(const struct yaml_source *src, const struct suite *s, struct err *e)
{
	for (unsigned i = 0; i < s->transports.count; i++)
		if (strcmp(s->transports.items[i], "udp") != 0 &&
		    strcmp(s->transports.items[i], "tcp") != 0)
			return yaml_error(src, e, yaml_path("transports[%u]", i).text,
					  "no transport \"%s\"; there are: udp, tcp",
					  s->transports.items[i]);
	return 0;
}

/* Only natsim's own peer is known to know certain strategies. */
static int check_strategies(const struct yaml_source *src, const struct suite *s, struct err *e)
{
	for (unsigned i = 0; i < s->strategies.count && s->peer.count == 0; i++) {
		const struct strategy *found = strategy_find(s->strategies.items[i]);

		if (found == NULL || !found->pair)
			return yaml_error(src, e, yaml_path("strategies[%u]", i).text,
					  "no strategy \"%s\" for two peers",
					  s->strategies.items[i]);
	}
	return 0;
}

int suite_parse(const char *file, const char *data, size_t len, struct suite *ret, struct err *e)
{
	static const char *const transports[] = { "udp", "tcp", NULL };
	static const char *const strategies[] = { "punch", NULL };
	static const char *const links[] = { "ideal", NULL };
	struct yaml_source src = { file, data, len };
	void *loaded = NULL;
	int code = yaml_load(&src, &schema, &loaded, NULL, e);

	if (code < 0)
		return code;
	const struct text *t = loaded;
	struct suite s = {
		.about = copy(t->about),
		.topologies = copy_names(&t->topologies, NULL),
		.nats_a = copy_names(&t->nats.a, NULL),
		.nats_b = copy_names(t->nats.b.count > 0 ? &t->nats.b : &t->nats.a, NULL),
		.transports = copy_names(&t->transports, transports),
		.strategies = copy_names(&t->strategies, strategies),
		.links = copy_names(&t->links, links),
		.peer = copy_names(&t->peer, NULL),
		.trials = t->trials == 0 ? 20 : t->trials,
		.give_up_us = 10000000,
	};
	if (s.trials > SUITE_TRIALS_MAX)
		code = yaml_error(&src, e, "trials", "%u is more than %u", s.trials,
				  SUITE_TRIALS_MAX);
	if (code == 0)
		code = read_durations(&src, t, &s, e);
	if (code == 0)
		code = read_expect(&src, t->expect, &s, e);
	if (code == 0)
		code = check_transports(&src, &s, e);
	if (code == 0)
		code = check_strategies(&src, &s, e);
	yaml_unload(&schema, loaded, 0);
	if (code < 0)
		suite_fini(&s);
	else
		*ret = s;
	return code;
}

struct suite_cell *suite_cells(const struct suite *s, size_t *ret_count)
{
	const struct suite_names *lists[] = { &s->topologies, &s->links,  &s->strategies,
					      &s->transports, &s->nats_a, &s->nats_b };
	size_t total = 1;

	for (size_t i = 0; i < 6; i++)
		total *= lists[i]->count;
	struct suite_cell *cells = calloc(total + 1, sizeof(*cells));
	assert(cells != NULL);
	for (size_t n = 0; n < total; n++) {
		const char *names[6];
		size_t rest = n;

		for (size_t i = 6; i-- > 0; rest /= lists[i]->count)
			names[i] = lists[i]->items[rest % lists[i]->count];
		cells[n] = (struct suite_cell){ .topology = names[0],
						.link = names[1],
						.strategy = names[2],
						.transport = names[3],
						.nat_a = names[4],
						.nat_b = names[5] };
	}
	*ret_count = total;
	return cells;
}

/* The value of a key as in summary.json, or NULL. */
static const char *cell_value(const struct suite_cell *cell, const char *key, size_t len)
{
	const struct {
		const char *key, *value;
	} table[] = {
		{ "topology", cell->topology }, { "nat_a", cell->nat_a },
		{ "nat_b", cell->nat_b },       { "transport", cell->transport },
		{ "strategy", cell->strategy }, { "link", cell->link },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].key) == len && strncmp(table[i].key, key, len) == 0)
			return table[i].value;
	return NULL;
}

/* One KEY=VALUE of the filter, up to its comma. */
struct term {
	const char *key, *value;
	size_t key_len, value_len;
};

static bool next_term(const char **filter, struct term *ret)
{
	if (**filter == '\0')
		return false;
	size_t len = strcspn(*filter, ",");
	const char *equals = memchr(*filter, '=', len);

	ret->key = *filter;
	ret->key_len = equals == NULL ? len : (size_t)(equals - *filter);
	ret->value = equals == NULL ? *filter + len : equals + 1;
	ret->value_len = len - ret->key_len - (equals != NULL);
	*filter += len + ((*filter)[len] == ',');
	return true;
}

/* For each key that the filter names, one of the values it gives must be the cell's. */
static bool cell_matches(const struct suite_cell *cell, const char *filter)
{
	struct term term, other;

	for (const char *rest = filter; next_term(&rest, &term);) {
		const char *value = cell_value(cell, term.key, term.key_len);
		bool matched = false;

		for (const char *again = filter; next_term(&again, &other);)
			if (other.key_len == term.key_len &&
			    memcmp(other.key, term.key, term.key_len) == 0 &&
			    strlen(value) == other.value_len &&
			    memcmp(value, other.value, other.value_len) == 0)
				matched = true;
		if (!matched)
			return false;
	}
	return true;
}

int suite_filter(const char *filter, struct suite_cell *cells, size_t *count, struct err *e)
{
	size_t kept = 0;
	struct term term;

	for (const char *rest = filter; *count > 0 && next_term(&rest, &term);)
		if (cell_value(&cells[0], term.key, term.key_len) == NULL || term.value_len == 0)
			return err_set_input(
				e,
				"--only %s: \"%.*s\" is not KEY=VALUE with a key of topology, "
				"nat_a, nat_b, transport, strategy, link",
				filter, (int)(term.key_len + 1 + term.value_len), term.key);
	for (size_t i = 0; i < *count; i++)
		if (cell_matches(&cells[i], filter))
			cells[kept++] = cells[i];
	if (kept == 0)
		return err_set_input(e, "--only %s: no cell of the suite matches", filter);
	*count = kept;
	return 0;
}

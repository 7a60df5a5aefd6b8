// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/suite.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "peers/core/cross_traffic.h"
#include "sim/experiment/contract.h"
#include "sim/experiment/suite_population.h"
#include "sim/experiment/suite_sweep.h"
#include "sim/experiment/suite_text.h"
#include "sim/model/yaml.h"

#define NAME_MAX_LEN   1024
#define TRIALS_DEFAULT 20u

struct nats {
	struct suite_names a, b;
};

/* As the file says it; suite_parse makes a struct suite of it. */
struct text {
	char *about;
	struct suite_names topologies, transports, strategies, links, peer;
	struct nats nats;
	unsigned *trials, *cross_traffic; /* NULL: not given */
	char *start_skew, *give_up, *expect;
	struct suite_sweep_text *sweep; /* NULL: none */
};

static const struct cyaml_schema_value name_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, NAME_MAX_LEN),
};

/* A peer is told it. */
static const struct cyaml_schema_value strategy_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CONTRACT_TEXT_MAX),
};

/* A list of names that is the member `member` of `type`. */
#define NAMES(key, type, member, optional, min) LIST(key, type, member, optional, min, name_schema)
#define LIST(key, type, member, optional, min, schema)                                       \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | (optional), type, member.items, \
				   member.count, &(schema), min, CYAML_UNLIMITED)

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
	CYAML_FIELD_MAPPING("nats", CYAML_FLAG_OPTIONAL, struct text, nats, nats_fields),
	CYAML_FIELD_IGNORE("population", CYAML_FLAG_OPTIONAL), /* suite_population.c reads it */
	NAMES("transports", struct text, transports, CYAML_FLAG_OPTIONAL, 1),
	LIST("strategies", struct text, strategies, CYAML_FLAG_OPTIONAL, 1, strategy_schema),
	NAMES("links", struct text, links, CYAML_FLAG_OPTIONAL, 1),
	CYAML_FIELD_UINT_PTR("trials", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct text,
			     trials),
	CYAML_FIELD_UINT_PTR("cross_traffic", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct text,
			     cross_traffic),
	STRING("start_skew", struct text, start_skew, CYAML_FLAG_OPTIONAL),
	STRING("give_up", struct text, give_up, CYAML_FLAG_OPTIONAL),
	STRING("expect", struct text, expect, CYAML_FLAG_OPTIONAL),
	NAMES("peer", struct text, peer, CYAML_FLAG_OPTIONAL, 0),
	CYAML_FIELD_MAPPING_PTR("sweep", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct text,
				sweep, suite_sweep_fields),
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
	suite_sweep_fini(&s->sweep);
	free(s->shares);
	*s = (struct suite){ 0 };
}

static int read_durations(const struct yaml_source *src, const struct text *t, struct suite *s,
			  struct err *e)
{
	if (t->start_skew != NULL && !suite_parse_duration(t->start_skew, &s->start_skew_us))
		return yaml_error(src, e, "start_skew",
				  "\"%s\" is no duration of whole microseconds up to 1h, such as "
				  "20ms or 1.5s",
				  t->start_skew);
	if (t->give_up != NULL && !suite_parse_duration(t->give_up, &s->give_up_us))
		return yaml_error(src, e, "give_up",
				  "\"%s\" is no duration of whole microseconds up to 1h, such as "
				  "500ms or 10s",
				  t->give_up);
	if (s->give_up_us < 1000)
		return yaml_error(src, e, "give_up", "a trial needs at least 1ms");
	return 0;
}

static int read_expect(const struct yaml_source *src, const char *text, struct suite *s,
		       struct err *e)
{
	if (text == NULL || strcmp(text, "theory") == 0) {
		s->expect = SUITE_EXPECT_THEORY;
		return 0;
	}
	if (strcmp(text, "nothing") == 0) {
		s->expect = SUITE_EXPECT_NOTHING;
		return 0;
	}
	s->expect = SUITE_EXPECT_RATE;
	const char *end = suite_take_decimal(text, &s->expect_rate);
	if (end == NULL || *end != '\0' || s->expect_rate > 1)
		return yaml_error(src, e, "expect",
				  "\"%s\" is neither theory, nothing, nor a rate from 0 to 1",
				  text);
	return 0;
}

static int check_twice(const struct yaml_source *src, const char *key,
		       const struct suite_names *names, struct err *e)
{
	for (unsigned i = 1; i < names->count; i++)
		for (unsigned k = 0; k < i; k++)
			if (strcmp(names->items[i], names->items[k]) == 0)
				return yaml_error(src, e, yaml_path("%s[%u]", key, i).text,
						  "\"%s\" is there twice", names->items[i]);
	return 0;
}

/* A name that is there twice would make two cells of one; and a small file can name more cells than
 * any machine can hold. */
static int check_lists(const struct yaml_source *src, const struct suite *s, struct err *e)
{
	const struct {
		const char *key;
		const struct suite_names *names;
	} lists[] = {
		{ "topologies", &s->topologies },
		{ s->shares == NULL ? "nats.a" : "population", &s->nats_a },
		{ s->shares == NULL ? "nats.b" : "population", &s->nats_b },
		{ "transports", &s->transports },
		{ "strategies", &s->strategies },
		{ "links", &s->links },
	};
	size_t cells = 1;
	int code = 0;

	for (size_t i = 0; code == 0 && i < sizeof(lists) / sizeof(lists[0]); i++) {
		cells *= lists[i].names->count;
		if (cells > SUITE_CELLS_MAX)
			return yaml_error(src, e, lists[i].key, "more than %u cells in all",
					  SUITE_CELLS_MAX);
		code = check_twice(src, lists[i].key, lists[i].names, e);
	}
	if (code == 0 && s->sweep.count > 0 && cells * s->sweep.count > SUITE_CELLS_MAX)
		return yaml_error(src, e, "sweep", "more than %u cells in all", SUITE_CELLS_MAX);
	return code;
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

static int read_nats(const struct yaml_source *src, const struct nats *nats, struct suite *s,
		     struct err *e)
{
	bool population = yaml_has(src, "population");

	if (nats->a.count == 0 && !population)
		return yaml_error(src, e, "", "either \"nats\" or \"population\" must be there");
	if (nats->a.count > 0 && population)
		return yaml_error(src, e, "population",
				  "a suite has either \"nats\" or a population");
	if (!population) {
		s->nats_a = copy_names(&nats->a, NULL);
		s->nats_b = copy_names(nats->b.count > 0 ? &nats->b : &nats->a, NULL);
		return 0;
	}
	int code = suite_population_read(src, &s->nats_a, &s->shares, e);
	if (code == 0)
		s->nats_b = copy_names(&s->nats_a, NULL);
	return code;
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
		.transports = copy_names(&t->transports, transports),
		.strategies = copy_names(&t->strategies, strategies),
		.links = copy_names(&t->links, links),
		.peer = copy_names(&t->peer, NULL),
		.trials = t->trials == NULL ? TRIALS_DEFAULT : *t->trials,
		.give_up_us = 10000000,
		.cross_traffic = t->cross_traffic == NULL ? 0 : *t->cross_traffic,
	};
	if (s.trials < 1 || s.trials > SUITE_TRIALS_MAX)
		code = yaml_error(&src, e, "trials", "%u is not from 1 to %u", s.trials,
				  SUITE_TRIALS_MAX);
	if (code == 0)
		code = read_nats(&src, &t->nats, &s, e);
	if (code == 0 && t->sweep != NULL)
		code = suite_sweep_read(&src, t->sweep, &s.sweep, e);
	if (code == 0)
		code = check_lists(&src, &s, e);
	if (code == 0 && s.cross_traffic > CROSS_TRAFFIC_RATE_MAX)
		code = yaml_error(&src, e, "cross_traffic", "more than %u flows a second",
				  CROSS_TRAFFIC_RATE_MAX);
	if (code == 0)
		code = read_durations(&src, t, &s, e);
	if (code == 0)
		code = read_expect(&src, t->expect, &s, e);
	if (code == 0)
		code = check_transports(&src, &s, e);
	if (code == 0)
		code = suite_check_strategies(&src, &s, e);
	yaml_unload(&schema, loaded, 0);
	if (code < 0)
		suite_fini(&s);
	else
		*ret = s;
	return code;
}

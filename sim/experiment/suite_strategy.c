// SPDX-License-Identifier: GPL-2.0-or-later
/* A suite's strategies, and a sweep through one of their parameters. */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "peers/core/strategy.h"
#include "sim/experiment/suite_sweep.h"

static const char prefix[] = "strategy.";

const char *suite_strategy_key(const char *parameter)
{
	size_t len = strlen(prefix);

	if (strncmp(parameter, prefix, len) != 0)
		return NULL;
	const char *key = parameter + len;
	return *key != '\0' && strcspn(key, ":,= ") == strlen(key) ? key : NULL;
}

/* As snprintf: returns how long it is. */
static size_t compose(const char *strategy, const struct suite_point *point,
		      struct suite_strategy *ret)
{
	int len;

	if (point == NULL || point->parameter != SUITE_STRATEGY)
		len = snprintf(ret->text, sizeof(ret->text), "%s", strategy);
	else
		len = snprintf(ret->text, sizeof(ret->text), "%s%c%s=%s", strategy,
			       strchr(strategy, ':') == NULL ? ':' : ',',
			       suite_strategy_key(point->key), point->text);
	assert(len >= 0);
	return (size_t)len;
}

struct suite_strategy suite_strategy(const char *strategy, const struct suite_point *point)
{
	struct suite_strategy ret;

	(void)compose(strategy, point, &ret);
	return ret;
}

/* Whether the text gives the parameter a value: "NAME:KEY=...,KEY=...". */
static bool gives(const char *strategy, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = strpbrk(strategy, ":,"); at != NULL; at = strpbrk(at + 1, ":,"))
		if (strncmp(at + 1, key, len) == 0 && at[1 + len] == '=')
			return true;
	return false;
}

static bool has(const struct strategy *s, const char *key)
{
	for (const struct strategy_param *p = s->params; p != NULL && p->name != NULL; p++)
		if (strcmp(p->name, key) == 0)
			return true;
	return false;
}

/* Each value of the sweep with this strategy. */
static int check_points(const struct yaml_source *src, const struct suite *s, const char *strategy,
			struct err *e)
{
	bool listed = yaml_has(src, "sweep.values");

	for (unsigned i = 0; i < s->sweep.count; i++) {
		struct yaml_path place =
			listed ? yaml_path("sweep.values[%u]", i) : yaml_path("sweep");
		struct suite_strategy told;
		struct strategy_choice choice;
		char why[STRATEGY_WHY_SIZE];

		if (compose(strategy, &s->sweep.points[i], &told) > CONTRACT_TEXT_MAX)
			return yaml_error(src, e, place.text,
					  "%s with %s would be longer than %u characters", strategy,
					  s->sweep.points[i].text, CONTRACT_TEXT_MAX);
		if (s->peer.count == 0 && !strategy_parse(told.text, &choice, why))
			return yaml_error(src, e, place.text, "%s", why);
	}
	return 0;
}

static int check_strategy(const struct yaml_source *src, const struct suite *s, unsigned i,
			  struct err *e)
{
	const struct yaml_path path = yaml_path("strategies[%u]", i);
	const char *text = s->strategies.items[i], *place = path.text;
	const char *key = s->sweep.key == NULL ? NULL : suite_strategy_key(s->sweep.key);
	struct strategy_choice choice;
	char why[STRATEGY_WHY_SIZE];

	/* Only natsim's own peer is known to know certain strategies. */
	if (s->peer.count == 0 && !strategy_parse(text, &choice, why))
		return yaml_error(src, e, place, "%s", why);
	if (s->peer.count == 0 && !choice.strategy->pair)
		return yaml_error(src, e, place, "no strategy \"%s\" for two peers", text);
	if (key == NULL)
		return 0;
	if (s->peer.count == 0 && !has(choice.strategy, key))
		return yaml_error(src, e, "sweep.parameter", "%s has no parameter \"%s\"",
				  choice.strategy->name, key);
	if (gives(text, key))
		return yaml_error(src, e, place, "the sweep sets %s too", key);
	return check_points(src, s, text, e);
}

int suite_check_strategies(const struct yaml_source *src, const struct suite *s, struct err *e)
{
	int code = 0;

	for (unsigned i = 0; code == 0 && i < s->strategies.count; i++)
		code = check_strategy(src, s, i, e);
	return code;
}

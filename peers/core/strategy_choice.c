// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a strategy as a person chooses it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "peers/core/strategy.h"

/* A piece of the text. */
struct piece {
	const char *at;
	size_t len;
};

static bool piece_is(struct piece p, const char *text)
{
	return strlen(text) == p.len && memcmp(p.at, text, p.len) == 0;
}

static struct piece take_until(const char **at, const char *ends)
{
	struct piece p = { *at, strcspn(*at, ends) };

	*at += p.len;
	return p;
}

#define REFUSE(why, ...) ((void)snprintf(why, STRATEGY_WHY_SIZE, __VA_ARGS__), false)
#define TEXT_MAX         40 /* so much of what is wrong is shown */
#define SHOWN(p)         (int)((p).len < TEXT_MAX ? (p).len : TEXT_MAX), (p).at

/* Decimal digits, of a number that fits. */
static bool read_number(struct piece p, uint64_t *ret)
{
	uint64_t number = 0;

	for (size_t i = 0; i < p.len; i++) {
		unsigned digit = (unsigned)(unsigned char)p.at[i] - '0';

		if (digit > 9 || number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret = number;
	return p.len > 0;
}

static bool read_word(const struct strategy_param *param, struct piece value, uint64_t *ret)
{
	for (uint64_t i = 0; param->words[i] != NULL; i++)
		if (piece_is(value, param->words[i])) {
			*ret = i;
			return true;
		}
	return false;
}

static bool read_value(const struct strategy_param *param, struct piece value, uint64_t *ret,
		       char why[static STRATEGY_WHY_SIZE])
{
	char words[64] = "";
	size_t len = 0;

	if (param->words == NULL) {
		if (read_number(value, ret) && *ret >= param->least && *ret <= param->most)
			return true;
		return REFUSE(why, "%s: \"%.*s\" is no number from %" PRIu64 " to %" PRIu64,
			      param->name, SHOWN(value), param->least, param->most);
	}
	if (read_word(param, value, ret))
		return true;
	for (size_t i = 0; param->words[i] != NULL && len < sizeof(words); i++)
		len += (size_t)snprintf(words + len, sizeof(words) - len, "%s%s",
					i == 0 ? "" : ", ", param->words[i]);
	return REFUSE(why, "%s: \"%.*s\" is none of %s", param->name, SHOWN(value), words);
}

static bool read_pair(const struct strategy *s, const char **at, struct strategy_choice *choice,
		      bool given[static STRATEGY_PARAMS_MAX], char why[static STRATEGY_WHY_SIZE])
{
	struct piece key = take_until(at, "=,");

	for (size_t i = 0; s->params != NULL && s->params[i].name != NULL; i++) {
		if (!piece_is(key, s->params[i].name))
			continue;
		if (**at != '=')
			return REFUSE(why, "%s: a value is needed: %s=...", s->name,
				      s->params[i].name);
		if (given[i])
			return REFUSE(why, "%s: %s is there twice", s->name, s->params[i].name);
		given[i] = true;
		(*at)++;
		return read_value(&s->params[i], take_until(at, ","), &choice->params[i], why);
	}
	return REFUSE(why, "%s has no parameter \"%.*s\"", s->name, SHOWN(key));
}

static const struct strategy *find(struct piece name)
{
	const struct strategy *s;

	for (size_t i = 0; (s = strategy_at(i)) != NULL; i++)
		if (piece_is(name, s->name))
			return s;
	return NULL;
}

bool strategy_parse(const char *text, struct strategy_choice *ret,
		    char ret_why[static STRATEGY_WHY_SIZE])
{
	struct piece name = take_until(&text, ":");
	struct strategy_choice choice = { .strategy = find(name) };
	const struct strategy *s = choice.strategy;
	bool given[STRATEGY_PARAMS_MAX] = { false };

	if (s == NULL)
		return REFUSE(ret_why, "no strategy \"%.*s\"", SHOWN(name));
	for (size_t i = 0; s->params != NULL && s->params[i].name != NULL; i++)
		choice.params[i] = s->params[i].fallback;
	for (bool more = *text == ':'; more; more = *text == ',') {
		text++;
		if (!read_pair(s, &text, &choice, given, ret_why))
			return false;
	}
	*ret = choice;
	return true;
}

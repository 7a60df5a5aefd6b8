// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/strategy.h"

#include <string.h>

#include "peers/core/classify.h"
#include "peers/core/punch.h"

static const struct strategy *const strategies[] = { &punch_strategy, &classify_strategy };

const struct strategy *strategy_at(size_t index)
{
	return index < sizeof(strategies) / sizeof(strategies[0]) ? strategies[index] : NULL;
}

const struct strategy *strategy_find(const char *name)
{
	const struct strategy *s;

	for (size_t i = 0; (s = strategy_at(i)) != NULL; i++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/core/strategy.h"

#include <inttypes.h>
#include <string.h>

#include "peers/core/birthday.h"
#include "peers/core/classify.h"
#include "peers/core/connect_only.h"
#include "peers/core/cross_traffic.h"
#include "peers/core/predict.h"
#include "peers/core/preserve.h"
#include "peers/core/punch.h"
#include "peers/core/punch_lowttl.h"
#include "peers/core/relay.h"

static const struct strategy *const strategies[] = { &punch_strategy,        &punch_lowttl_strategy,
						     &connect_only_strategy, &preserve_strategy,
						     &predict_strategy,      &birthday_strategy,
						     &relay_strategy,        &classify_strategy,
						     &cross_traffic_strategy };

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

/* "name":"endpoint", or null where there is none. */
static void report_endpoint(struct buf *out, const char *name, struct endpoint ep)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (endpoint_is_none(ep))
		buf_printf(out, ",\"%s\":null", name);
	else
		buf_printf(out, ",\"%s\":\"%s\"", name, endpoint_format(ep, text));
}

static void report_ms(struct buf *out, const char *name, uint64_t us)
{
	if (us == NEVER)
		buf_printf(out, ",\"%s\":null", name);
	else
		buf_printf(out, ",\"%s\":%.3f", name, (double)us / 1000.0);
}

void strategy_report_result(const char *strategy, const struct strategy_config *config,
			    const struct strategy_result *r, struct buf *out)
{
	buf_printf(out, "{\"event\":\"result\",\"strategy\":\"%s\",\"transport\":\"%s\"", strategy,
		   config->tcp ? "tcp" : "udp");
	buf_printf(out, ",\"role\":\"%c\",\"result\":\"%s\"", config->role,
		   r->connected ? "connected" : "failed");
	if (!r->connected)
		buf_printf(out, ",\"reason\":\"%s\"", r->reason);
	report_endpoint(out, "local", r->local);
	report_endpoint(out, "observed", r->observed);
	report_endpoint(out, "remote", r->remote);
	buf_printf(out, ",\"nonce\":\"%016" PRIx64 "\"", r->nonce);
	if (r->connected)
		buf_printf(out, ",\"peer_nonce\":\"%016" PRIx64 "\"", r->peer_nonce);
	report_ms(out, "introduced_ms", r->introduced_us);
	report_ms(out, "connect_ms", r->connect_us);
	buf_printf(out, ",\"packets\":%" PRIu64 "}\n", r->packets);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What the answers that classify.c gathered say of the router, in the program and as JSON. */
#include "peers/core/classify.h"

const char *classify_mapping(struct endpoint local, const struct endpoint mapped[static 4])
{
	bool same_address =
		endpoint_equal(mapped[0], mapped[1]) && endpoint_equal(mapped[2], mapped[3]);

	if (same_address && endpoint_equal(mapped[0], mapped[2]))
		return endpoint_equal(mapped[0], local) ? "none" : "endpoint-independent";
	return same_address ? "address-dependent" : "address-and-port-dependent";
}

static int port_delta(const struct endpoint *mapped, size_t i)
{
	return (int)mapped[i + 1].port - (int)mapped[i].port;
}

/* The step that most neighbours have in common, and how many have it. */
static size_t common_step(const struct endpoint *mapped, size_t count, int *ret_step)
{
	size_t best = 0;

	for (size_t i = 0; i + 1 < count; i++) {
		size_t same = 0;

		for (size_t k = 0; k + 1 < count; k++)
			same += port_delta(mapped, k) == port_delta(mapped, i);
		if (same > best) {
			best = same;
			*ret_step = port_delta(mapped, i);
		}
	}
	return best;
}

/* Ten random ports of the whole range are as near to each other as this once in 10^10 times. */
#define BLOCK_PORTS_MAX 4096

static bool are_near(const struct endpoint *mapped, size_t count)
{
	uint16_t low = mapped[0].port, high = mapped[0].port;

	for (size_t i = 1; i < count; i++) {
		low = mapped[i].port < low ? mapped[i].port : low;
		high = mapped[i].port > high ? mapped[i].port : high;
	}
	return high - low < BLOCK_PORTS_MAX;
}

/*
 * A sequential router may have reached the end of its range once while it was sampled, and may have
 * given a port to somebody else: all steps but two must agree. By chance that happens to a random
 * router with ten samples about once in (64000^6 / 36) times.
 */
const char *classify_ports(const struct endpoint *local, const struct endpoint *mapped,
			   size_t count, int *ret_step)
{
	size_t preserved = 0;
	int step = 0;

	*ret_step = 0;
	for (size_t i = 0; i < count; i++)
		preserved += local[i].port == mapped[i].port;
	/* One clash with a port that is taken moves one sample. */
	if (preserved + 1 >= count)
		return "preserve";
	if (common_step(mapped, count, &step) + 3 >= count && step != 0) {
		*ret_step = step;
		return "sequential";
	}
	return are_near(mapped, count) ? "block" : "random";
}

static const char *filtering(const struct classify *c)
{
	if (c->queries[CLASSIFY_FILTERING_FIRST].state == QUERY_ANSWERED)
		return "endpoint-independent";
	if (c->queries[CLASSIFY_FILTERING_FIRST + 1].state == QUERY_ANSWERED)
		return "address-dependent";
	return "address-and-port-dependent";
}

static void report_findings(const struct classify *c, struct buf *out)
{
	struct endpoint local[CLASSIFY_SAMPLES], mapped[CLASSIFY_SAMPLES], seen[4];
	char text[ENDPOINT_TEXT_SIZE];
	int step = 0;

	for (size_t i = 0; i < CLASSIFY_SAMPLES; i++) {
		local[i] = c->queries[i].local;
		mapped[i] = c->queries[i].mapped;
	}
	for (size_t i = 0; i < 4; i++)
		seen[i] = c->queries[CLASSIFY_MAPPING_FIRST + i].mapped;
	struct endpoint own = c->queries[CLASSIFY_MAPPING_FIRST].local;
	buf_printf(out, ",\"local\":\"%s\"", endpoint_format(own, text));
	buf_printf(out, ",\"mapping\":\"%s\"", classify_mapping(own, seen));
	buf_printf(out, ",\"filtering\":\"%s\"", filtering(c));
	buf_printf(out, ",\"ports\":\"%s\"",
		   classify_ports(local, mapped, CLASSIFY_SAMPLES, &step));
	buf_printf(out, ",\"step\":%d,\"mapped\":[", step);
	for (size_t i = 0; i < 4; i++)
		buf_printf(out, "%s\"%s\"", i == 0 ? "" : ",", endpoint_format(seen[i], text));
	buf_puts(out, "],\"samples\":[");
	for (size_t i = 0; i < CLASSIFY_SAMPLES; i++)
		buf_printf(out, "%s[%u,%u]", i == 0 ? "" : ",", local[i].port, mapped[i].port);
	buf_puts(out, "]");
}

void classify_report(const void *state, struct buf *out)
{
	const struct classify *c = state;
	bool complete = c->phase == CLASSIFY_DONE && c->reason == NULL;

	buf_printf(out, "{\"event\":\"result\",\"strategy\":\"classify\",\"transport\":\"%s\"",
		   c->config.tcp ? "tcp" : "udp");
	buf_printf(out, ",\"result\":\"%s\"", complete ? "classified" : "failed");
	if (complete)
		report_findings(c, out);
	else
		buf_printf(out, ",\"reason\":\"%s\"",
			   c->reason != NULL ? c->reason : "ended early");
	buf_puts(out, "}\n");
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A load begins with the text and ends when the kernel has taken all of it. To let go of
 * libnftables' socket is not part of it, as it is none where a lab is built; see nft.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/masquerade.h"
#include "sim/bench/usage.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "sim/lab/process.h"

#define ROUNDS 30u

enum subject { MASQUERADE, FULL_CONE, SEQUENTIAL, SUBJECTS };

static const char sequential_text[] = "about: Symmetric, one port after another, of all there are\n"
				      "mapping: address-and-port-dependent\n"
				      "filtering: address-and-port-dependent\n"
				      "ports: { choose: sequential, range: [1024, 65535] }\n";

struct ruleset_bench {
	char *texts[SUBJECTS]; /* heap */
	double times_ms[SUBJECTS][ROUNDS];
};

static void ruleset_bench_cleanup(struct ruleset_bench *r)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		free(r->texts[s]);
}

/* The same that the router of most topologies would load. */
static int compose(const struct catalog *c, const struct nat_model *m, char **ret, struct err *e)
{
	const struct ruleset_site site = { .outside_ifname = "wan",
					   .outside_addr = 0xc6336402,     /* 198.51.100.2 */
					   .inside = { 0x0a010001, 24 } }; /* 10.1.0.1 */
	struct buf text = BUF_INIT;
	int rc = ruleset_compose(m, &site, &c->rules, &text, e);

	if (rc == 0)
		*ret = buf_steal(&text);
	return rc;
}

static int get_model(const struct catalog *c, enum subject s, struct nat_model *ret, struct err *e)
{
	switch (s) {
	case MASQUERADE:
		return masquerade_model(ret, e);
	case FULL_CONE:
		return catalog_nat(c, "full-cone", ret, e);
	case SEQUENTIAL:
	case SUBJECTS:
		break;
	}
	return nat_model_parse("sequential.yaml", sequential_text, strlen(sequential_text), ret, e);
}

static int write_texts(const struct catalog *c, struct ruleset_bench *r, struct err *e)
{
	int rc = 0;

	for (unsigned s = 0; rc == 0 && s < SUBJECTS; s++) {
		struct nat_model m;

		rc = get_model(c, s, &m, e);
		if (rc < 0)
			break;
		if (s != MASQUERADE) {
			rc = compose(c, &m, &r->texts[s], e);
		} else {
			r->texts[s] = strdup(m.ruleset); /* nothing but the rule */
			assert(r->texts[s] != NULL);
		}
		nat_model_fini(&m);
	}
	return rc;
}

static int measure(const char *text, double *ret_ms, struct err *e)
{
	CLEANUP(fd) int netns = -1;
	struct nft_ctx *used = NULL;
	struct nft_mistake mistake;
	int rc = netns_new(&netns, e);

	if (rc < 0)
		return rc;
	uint64_t begin_us = process_now_us();
	rc = nft_load_holding(netns, text, &used, &mistake, e);
	*ret_ms = (double)(process_now_us() - begin_us) / 1e3;
	nft_release(used);
	fd_cleanup(&netns);
	return rc < 0 ? rc : usage_settle(e);
}

/* The first round of each is only to warm up, and its times are written over. */
static int measure_all(struct ruleset_bench *r, struct err *e)
{
	int rc = 0;

	for (unsigned s = 0; rc == 0 && s < SUBJECTS; s++)
		rc = measure(r->texts[s], &r->times_ms[s][0], e);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned s = 0; rc == 0 && s < SUBJECTS; s++)
			rc = measure(r->texts[s], &r->times_ms[s][round], e);
	return rc;
}

/* What natsim loads, and below it what it is compared with. */
static void add(struct bench *b, struct ruleset_bench *r, enum subject s, const char *name,
		double most_ms)
{
	struct figure ours = { .group = "A ruleset loaded by libnftables into a new namespace",
			       .name = name,
			       .subject = "natsim",
			       .unit = "ms",
			       .value = summary_of(r->times_ms[s], ROUNDS),
			       .aim = most_ms > 0 ? AIM_AT_MOST : AIM_NONE,
			       .aim_high = most_ms };
	struct figure plain = ours;

	plain.subject = MASQUERADE_NAME;
	plain.value = summary_of(r->times_ms[MASQUERADE], ROUNDS);
	plain.ratio = ours.value.median / plain.value.median;
	plain.ratio_is = "times as long";
	plain.aim = AIM_NONE;
	figures_add(&b->figures, &ours);
	figures_add(&b->figures, &plain);
}

int bench_rulesets(struct bench *b, struct err *e)
{
	CLEANUP(ruleset_bench) struct ruleset_bench r = { .texts = { NULL } };
	int rc = write_texts(b->catalog, &r, e);

	if (rc == 0)
		rc = measure_all(&r, e);
	if (rc < 0)
		return rc;
	add(b, &r, FULL_CONE, "full-cone", 0);
	add(b, &r, SEQUENTIAL, "64,512 ports in turn", 100);
	return 0;
}

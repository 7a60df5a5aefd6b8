// SPDX-License-Identifier: GPL-2.0-or-later
/* What a point of a sweep means, and whether links and models can follow it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/experiment/catalog.h"
#include "sim/experiment/suite.h"
#include "sim/model/nat_model_check.h"
#include "sim/model/yaml.h"

/* Of a link that has a rate only by a sweep: what a home's router might queue. */
#define QUEUE_BYTES 250000u

struct suite_settings suite_settings(const struct suite *s, const struct suite_point *point)
{
	struct suite_settings ret = { s->start_skew_us, s->give_up_us, s->cross_traffic };

	if (point != NULL && point->parameter == SUITE_START_SKEW)
		ret.start_skew_us = (uint64_t)point->value;
	if (point != NULL && point->parameter == SUITE_GIVE_UP)
		ret.give_up_us = (uint64_t)point->value;
	if (point != NULL && point->parameter == SUITE_CROSS_TRAFFIC)
		ret.cross_traffic = (uint64_t)(point->value + 0.5);
	return ret;
}

bool suite_point_needs_lab(const struct suite_point *p)
{
	return p != NULL && p->parameter != SUITE_START_SKEW && p->parameter != SUITE_GIVE_UP &&
	       p->parameter != SUITE_CROSS_TRAFFIC && p->parameter != SUITE_STRATEGY;
}

static void set_params(const struct suite_point *p, struct link_params *params)
{
	switch (p->parameter) {
	case SUITE_DELAY:
		params->delay_us = (uint64_t)p->value;
		break;
	case SUITE_JITTER:
		params->jitter_us = (uint64_t)p->value;
		break;
	case SUITE_LOSS:
		params->loss = p->value;
		break;
	case SUITE_RATE:
		params->rate_bps = (uint64_t)(p->value * 1e6 + 0.5);
		if (params->queue_bytes == 0)
			params->queue_bytes = QUEUE_BYTES;
		break;
	case SUITE_START_SKEW:
	case SUITE_GIVE_UP:
	case SUITE_PORTS:
	case SUITE_CROSS_TRAFFIC:
	case SUITE_STRATEGY:
		break;
	}
}

void suite_point_set_link(const struct suite_point *p, struct link_profile *link)
{
	if (p == NULL)
		return;
	set_params(p, &link->up);
	set_params(p, &link->down);
}

/* Whatever a model's file could not say, said of no file. */
static int check_model(const struct nat_model *m, struct err *e)
{
	static const char nowhere[] = ":1:1: ";
	const struct yaml_source src = { "", "{}", 2 };
	struct err what = { .kind = ERR_NONE };

	if (nat_model_check(&src, m, &what) == 0)
		return 0;
	size_t skip = strncmp(what.text, nowhere, strlen(nowhere)) == 0 ? strlen(nowhere) : 0;
	return err_set_input(e, "%s: %s", m->name, what.text + skip);
}

int suite_point_set_model(const struct suite_point *p, struct nat_model *m, struct err *e)
{
	if (p == NULL || p->parameter != SUITE_PORTS || !m->translates)
		return 0;
	if (m->ruleset_file != NULL)
		return err_set_input(e, "%s: its ports are those of its own rules", m->name);
	double last = m->ports.first + p->value - 1;
	if (last > UINT16_MAX)
		return err_set_input(e, "%s: its ports begin at %u and can be %u at most", m->name,
				     m->ports.first, UINT16_MAX - m->ports.first + 1u);
	m->ports.last = (uint16_t)last;
	return check_model(m, e);
}

/* ---- the whole sweep */

struct check {
	const struct suite *suite;
	const struct catalog *catalog;
	const struct yaml_source *src;
	struct err *e;
};

/* Where a value is, or what made it. */
static struct yaml_path place(const struct check *c, unsigned i)
{
	return yaml_has(c->src, "sweep.values") ? yaml_path("sweep.values[%u]", i)
						: yaml_path("sweep");
}

static int check_link(const struct check *c, const char *name)
{
	const struct link_profile *given = NULL;
	int code = catalog_link(c->catalog, name, &given, c->e);

	for (unsigned i = 0; code == 0 && i < c->suite->sweep.count; i++) {
		const struct suite_point *p = &c->suite->sweep.points[i];
		struct link_profile link = *given;

		suite_point_set_link(p, &link);
		if (link.up.jitter_us > link.up.delay_us ||
		    link.down.jitter_us > link.down.delay_us)
			return yaml_error(c->src, c->e, place(c, i).text,
					  "with a %s of %s the link %s has more jitter than delay",
					  suite_point_name(p), p->text, name);
	}
	return code;
}

static int check_nat(const struct check *c, const char *name)
{
	struct nat_model m;
	int code = catalog_nat(c->catalog, name, &m, c->e);

	if (code < 0)
		return code;
	for (unsigned i = 0; code == 0 && i < c->suite->sweep.count; i++) {
		const struct suite_point *p = &c->suite->sweep.points[i];
		struct err what = { .kind = ERR_NONE };

		if (suite_point_set_model(p, &m, &what) < 0)
			code = yaml_error(c->src, c->e, place(c, i).text, "%s ports: %s", p->text,
					  what.text);
	}
	nat_model_fini(&m);
	return code;
}

int suite_check_sweep(const struct suite *s, const struct catalog *c, const char *file,
		      const char *data, size_t len, struct err *e)
{
	const struct yaml_source src = { file, data, len };
	const struct check check = { s, c, &src, e };
	int code = 0;

	if (s->sweep.count == 0)
		return 0;
	for (unsigned i = 0; code == 0 && i < s->links.count; i++)
		code = check_link(&check, s->links.items[i]);
	for (unsigned i = 0; code == 0 && i < s->nats_a.count; i++)
		code = check_nat(&check, s->nats_a.items[i]);
	for (unsigned i = 0; code == 0 && i < s->nats_b.count; i++)
		code = check_nat(&check, s->nats_b.items[i]);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/stage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

/* The model that the configuration gives to a role, or NULL. */
static const char *given_model(const struct stage_config *config, const char *role)
{
	for (size_t i = 0; i < config->nats_count; i++)
		if (strcmp(config->nats[i].role, role) == 0)
			return config->nats[i].model;
	return NULL;
}

static bool has_role(const struct topology *t, const char *role)
{
	for (unsigned i = 0; i < t->routers_count; i++)
		if (strcmp(t->routers[i].nat, role) == 0)
			return true;
	return false;
}

static int check_roles(const struct stage_config *config, const struct topology *t, struct err *e)
{
	for (size_t i = 0; i < config->nats_count; i++) {
		const struct stage_nat *nat = &config->nats[i];
		bool stands_open = topology_peer(t, nat->role) != NULL;

		if (!has_role(t, nat->role) && !stands_open)
			return err_set_input(e, "%s has no router for the role \"%s\"",
					     config->topology, nat->role);
		if (!has_role(t, nat->role) && strcmp(nat->model, STAGE_NO_NAT) != 0)
			return err_set_input(e,
					     "%s has no router for the role \"%s\", which can only "
					     "be " STAGE_NO_NAT,
					     config->topology, nat->role);
		for (size_t k = 0; k < i; k++)
			if (strcmp(config->nats[i].role, config->nats[k].role) == 0)
				return err_set_input(e, "the role \"%s\" is given twice",
						     config->nats[i].role);
	}
	return 0;
}

static int load_models(const struct catalog *c, const struct stage_config *config, struct stage *s,
		       struct plan_nat *nats, struct err *e)
{
	for (unsigned i = 0; i < s->topology.routers_count; i++) {
		const char *role = s->topology.routers[i].nat;
		const char *model = given_model(config, role);

		if (i >= STAGE_NATS_MAX)
			return err_set_input(e, "%s has more than %u routers", config->topology,
					     STAGE_NATS_MAX);
		int code =
			catalog_nat(c, model != NULL ? model : STAGE_DEFAULT_NAT, &s->models[i], e);
		if (code < 0)
			return code;
		s->models_count++;
		code = model == NULL ? 0 : suite_point_set_model(config->point, &s->models[i], e);
		if (code < 0)
			return code;
		if (config->timeouts != NULL)
			s->models[i].timeouts = *config->timeouts;
		nats[i] = (struct plan_nat){ role, &s->models[i] };
	}
	return 0;
}

/* The rendezvous is to be close to nobody and far from nobody: its own link is ideal. */
static int set_links(const struct catalog *c, const struct stage_config *config, struct stage *s,
		     struct err *e)
{
	const struct link_profile *link = NULL;
	int code = config->link == NULL ? 0 : catalog_link(c, config->link, &link, e);

	if (code < 0)
		return code;
	if (link != NULL && config->point != NULL) {
		s->changed_link = malloc(sizeof(*link));
		assert(s->changed_link != NULL);
		*s->changed_link = *link;
		s->changed_link->about = NULL; /* the catalog's */
		suite_point_set_link(config->point, s->changed_link);
		link = s->changed_link;
	}
	s->links = calloc(s->plan.ports_count + 1, sizeof(*s->links));
	assert(s->links != NULL);
	for (size_t i = 0; i < s->plan.ports_count; i++)
		s->links[i] = (int)s->plan.ports[i].node == s->rendezvous_node ? NULL : link;
	return 0;
}

static void set_rendezvous(struct stage *s)
{
	const struct topology_host *host = topology_rendezvous(&s->topology);

	s->rendezvous_node = -1;
	if (host == NULL)
		return;
	s->rendezvous_node = plan_node(&s->plan, host->name);
	s->rendezvous = (struct endpoint){ host->addresses[0].addr, STAGE_RENDEZVOUS_PORT };
	if (host->addresses_count > 1)
		s->rendezvous_alt =
			(struct endpoint){ host->addresses[1].addr, STAGE_RENDEZVOUS_ALT_PORT };
}

static int fill(const struct catalog *c, const struct stage_config *config, struct stage *s,
		struct err *e)
{
	struct plan_nat nats[STAGE_NATS_MAX];
	int code = catalog_topology(c, config->topology, &s->topology, e);

	if (code == 0)
		code = check_roles(config, &s->topology, e);
	if (code == 0)
		code = load_models(c, config, s, nats, e);
	if (code == 0)
		code = plan_make(&s->topology, nats, s->models_count, &c->rules, &s->plan, e);
	if (code < 0)
		return code;
	set_rendezvous(s);
	return set_links(c, config, s, e);
}

int stage_open(const struct catalog *c, const struct stage_config *config, struct stage *ret,
	       struct err *e)
{
	struct stage s = { .models = calloc(STAGE_NATS_MAX, sizeof(*s.models)) };

	assert(s.models != NULL);
	int code = fill(c, config, &s, e);
	if (code < 0)
		stage_close(&s);
	else
		*ret = s;
	return code;
}

void stage_close(struct stage *s)
{
	plan_fini(&s->plan);
	for (size_t i = 0; i < s->models_count; i++)
		nat_model_fini(&s->models[i]);
	free(s->models);
	topology_fini(&s->topology);
	free(s->links);
	free(s->changed_link);
	*s = (struct stage){ 0 };
}

static char *environment(const char *name, struct endpoint ep)
{
	char text[ENDPOINT_TEXT_SIZE], *variable = NULL;
	int len = endpoint_is_none(ep)
			  ? asprintf(&variable, "%s=", name)
			  : asprintf(&variable, "%s=%s", name, endpoint_format(ep, text));

	assert(len >= 0);
	return variable;
}

int stage_build(const struct stage *s, const struct catalog *c, uint64_t seed, int pcap_fd,
		struct lab **ret, struct err *e)
{
	CLEANUP(free) char *main_ep = environment("NATSIM_RENDEZVOUS", s->rendezvous);
	CLEANUP(free) char *alt_ep = environment("NATSIM_RENDEZVOUS_ALT", s->rendezvous_alt);
	const char *env[] = { main_ep, endpoint_is_none(s->rendezvous_alt) ? NULL : alt_ep, NULL };

	return lab_new(&(struct lab_config){ .plan = &s->plan,
					     .links = s->links,
					     .seed = seed,
					     .pcap_fd = pcap_fd,
					     .rendezvous_path =
						     s->rendezvous_node < 0 ? NULL : c->rendezvous,
					     .rendezvous_node = s->rendezvous_node,
					     .rendezvous_env = env },
		       ret, e);
}

int stage_peer_node(const struct stage *s, const char *role)
{
	const struct topology_host *host = topology_peer(&s->topology, role);

	return host == NULL ? -1 : plan_node(&s->plan, host->name);
}

/* Those of its router, if that translates. */
uint32_t stage_outside_addr(const struct stage *s, unsigned node, uint32_t *ret_count)
{
	const struct topology_host *host = topology_host(&s->topology, s->plan.nodes[node].name);

	*ret_count = 1;
	if (host != NULL && host->behind != NULL) {
		int router = plan_node(&s->plan, host->behind);
		const struct nat_model *model = router < 0 ? NULL : s->plan.nodes[router].model;

		if (model != NULL && model->translates) {
			*ret_count = model->pool.count;
			return s->plan.nodes[router].outside_addr;
		}
	}
	return s->plan.nodes[node].outside_addr;
}

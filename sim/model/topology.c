// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/topology.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/model/topology_check.h"
#include "sim/model/yaml.h"

/* Generous bounds for what is drawn on a screen and built in a moment. */
#define NODES_MAX     64
#define ADDRESSES_MAX 16

/* ---- the file */

struct raw_router {
	char *name, *nat, *outside, *inside;
};

struct raw_host {
	char *name, *behind, *peer;
	bool rendezvous;
	char **addresses;
	unsigned addresses_count;
};

struct raw_topology {
	char *about;
	struct raw_router *routers;
	unsigned routers_count;
	struct raw_host *hosts;
	unsigned hosts_count;
};

#define PTR            CYAML_FLAG_POINTER
#define OPTIONAL_PTR   (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
/* The longest text read as a prefix: "255.255.255.255/32". */
#define PREFIX_LEN_MAX (PREFIX_TEXT_SIZE - 1)
#define NAME_LEN_MAX   (NODE_NAME_SIZE - 1)

static const struct cyaml_schema_value address_schema = { CYAML_VALUE_STRING(PTR, char *, 1,
									     PREFIX_LEN_MAX) };

static const struct cyaml_schema_field router_fields[] = {
	CYAML_FIELD_STRING_PTR("name", PTR, struct raw_router, name, 1, NAME_LEN_MAX),
	CYAML_FIELD_STRING_PTR("nat", PTR, struct raw_router, nat, 1, NAME_LEN_MAX),
	CYAML_FIELD_STRING_PTR("outside", PTR, struct raw_router, outside, 1, PREFIX_LEN_MAX),
	CYAML_FIELD_STRING_PTR("inside", PTR, struct raw_router, inside, 1, PREFIX_LEN_MAX),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value router_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_router, router_fields) };

static const struct cyaml_schema_field host_fields[] = {
	CYAML_FIELD_STRING_PTR("name", PTR, struct raw_host, name, 1, NAME_LEN_MAX),
	CYAML_FIELD_STRING_PTR("behind", OPTIONAL_PTR, struct raw_host, behind, 1, NAME_LEN_MAX),
	CYAML_FIELD_STRING_PTR("peer", OPTIONAL_PTR, struct raw_host, peer, 1, NAME_LEN_MAX),
	CYAML_FIELD_BOOL("rendezvous", CYAML_FLAG_OPTIONAL, struct raw_host, rendezvous),
	CYAML_FIELD_SEQUENCE("addresses", PTR, struct raw_host, addresses, &address_schema, 1,
			     ADDRESSES_MAX),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value host_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_host, host_fields) };

static const struct cyaml_schema_field topology_fields[] = {
	CYAML_FIELD_STRING_PTR("about", PTR, struct raw_topology, about, 1, 100),
	CYAML_FIELD_SEQUENCE("routers", OPTIONAL_PTR, struct raw_topology, routers, &router_schema,
			     0, NODES_MAX),
	CYAML_FIELD_SEQUENCE("hosts", PTR, struct raw_topology, hosts, &host_schema, 1, NODES_MAX),
	CYAML_FIELD_END,
};
static const struct cyaml_schema_value topology_schema = { CYAML_VALUE_MAPPING(
	PTR, struct raw_topology, topology_fields) };

/* ---- looking up */

const struct topology_router *topology_router(const struct topology *t, const char *name)
{
	for (unsigned i = 0; i < t->routers_count; i++)
		if (strcmp(t->routers[i].name, name) == 0)
			return &t->routers[i];
	return NULL;
}

const struct topology_host *topology_host(const struct topology *t, const char *name)
{
	for (unsigned i = 0; i < t->hosts_count; i++)
		if (strcmp(t->hosts[i].name, name) == 0)
			return &t->hosts[i];
	return NULL;
}

const struct topology_host *topology_peer(const struct topology *t, const char *role)
{
	for (unsigned i = 0; i < t->hosts_count; i++)
		if (t->hosts[i].peer != NULL && strcmp(t->hosts[i].peer, role) == 0)
			return &t->hosts[i];
	return NULL;
}

const struct topology_host *topology_rendezvous(const struct topology *t)
{
	for (unsigned i = 0; i < t->hosts_count; i++)
		if (t->hosts[i].rendezvous)
			return &t->hosts[i];
	return NULL;
}

/* ---- routers and hosts; each is added to t as soon as it is whole, for the next to be held
 * against */

static int read_router(const struct yaml_source *src, struct raw_router *raw, unsigned i,
		       struct topology *t, struct err *e)
{
	struct yaml_path name = yaml_path("routers[%u].name", i);
	struct yaml_path nat = yaml_path("routers[%u].nat", i);
	struct yaml_path outside = yaml_path("routers[%u].outside", i);
	struct yaml_path inside = yaml_path("routers[%u].inside", i);
	struct topology_router *router = &t->routers[i];
	int r = topology_check_node_name(src, t, name.text, raw->name, e);

	if (r == 0)
		r = topology_check_word(src, nat.text, raw->nat, e);
	for (unsigned j = 0; r == 0 && j < i; j++)
		if (strcmp(t->routers[j].nat, raw->nat) == 0)
			r = yaml_error(src, e, nat.text,
				       "the role \"%s\" is that of \"%s\" already", raw->nat,
				       t->routers[j].name);
	if (r == 0)
		r = topology_read_address(src, outside.text, raw->outside, &router->outside, e);
	if (r == 0)
		r = topology_check_outside(src, t, outside.text, router->outside, e);
	if (r == 0)
		r = topology_read_address(src, inside.text, raw->inside, &router->inside, e);
	if (r == 0 && topology_prefixes_overlap(router->inside, router->outside))
		r = yaml_error(src, e, inside.text, "inside and outside overlap");
	for (unsigned j = 0; r == 0 && j < i; j++)
		if (topology_prefixes_overlap(router->inside, t->routers[j].inside) ||
		    topology_prefixes_overlap(router->inside, t->routers[j].outside))
			r = yaml_error(src, e, inside.text, "the prefix overlaps one of \"%s\"",
				       t->routers[j].name);
	if (r < 0)
		return r;
	router->name = steal_ptr(&raw->name);
	router->nat = steal_ptr(&raw->nat);
	t->routers_count++;
	return 0;
}

static int read_host_addresses(const struct yaml_source *src, const struct raw_host *raw,
			       unsigned i, const struct topology *t, struct prefix *addresses,
			       struct err *e)
{
	const struct topology_router *router =
		raw->behind == NULL ? NULL : topology_router(t, raw->behind);

	for (unsigned n = 0; n < raw->addresses_count; n++) {
		struct yaml_path path = yaml_path("hosts[%u].addresses[%u]", i, n);
		int r = topology_read_address(src, path.text, raw->addresses[n], &addresses[n], e);

		if (r == 0 && n == 0 && router == NULL)
			r = topology_check_outside(src, t, path.text, addresses[0], e);
		if (r == 0)
			r = topology_check_host_address(src, t, router, addresses, n, path.text, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_host_roles(const struct yaml_source *src, const struct raw_host *raw, unsigned i,
			    const struct topology *t, struct err *e)
{
	struct yaml_path peer = yaml_path("hosts[%u].peer", i);
	struct yaml_path rendezvous = yaml_path("hosts[%u].rendezvous", i);

	if (raw->peer != NULL && strcmp(raw->peer, "a") != 0 && strcmp(raw->peer, "b") != 0)
		return yaml_error(src, e, peer.text, "a peer's role is a or b, not \"%s\"",
				  raw->peer);
	if (raw->peer != NULL && topology_peer(t, raw->peer) != NULL)
		return yaml_error(src, e, peer.text, "the role \"%s\" is that of \"%s\" already",
				  raw->peer, topology_peer(t, raw->peer)->name);
	if (!raw->rendezvous)
		return 0;
	if (topology_rendezvous(t) != NULL)
		return yaml_error(src, e, rendezvous.text, "\"%s\" is the rendezvous already",
				  topology_rendezvous(t)->name);
	/* RFC 5780 tests need an alternate address, and a rendezvous anyone can reach. */
	if (raw->behind != NULL || raw->addresses_count < 2)
		return yaml_error(src, e, rendezvous.text,
				  "the rendezvous must be directly on the Internet and have two "
				  "addresses");
	return 0;
}

static int read_host(const struct yaml_source *src, struct raw_host *raw, unsigned i,
		     struct topology *t, struct err *e)
{
	struct yaml_path name = yaml_path("hosts[%u].name", i);
	struct yaml_path behind = yaml_path("hosts[%u].behind", i);
	struct topology_host *host = &t->hosts[i];
	struct prefix addresses[ADDRESSES_MAX];
	int r = topology_check_node_name(src, t, name.text, raw->name, e);

	if (r == 0 && raw->behind != NULL && topology_router(t, raw->behind) == NULL)
		r = yaml_error(src, e, behind.text, "there is no router \"%s\"", raw->behind);
	if (r == 0)
		r = check_host_roles(src, raw, i, t, e);
	if (r == 0)
		r = read_host_addresses(src, raw, i, t, addresses, e);
	if (r < 0)
		return r;
	host->addresses = calloc(raw->addresses_count, sizeof(*addresses));
	assert(host->addresses != NULL);
	memcpy(host->addresses, addresses, raw->addresses_count * sizeof(*addresses));
	host->addresses_count = raw->addresses_count;
	host->name = steal_ptr(&raw->name);
	host->behind = steal_ptr(&raw->behind);
	host->peer = steal_ptr(&raw->peer);
	host->rendezvous = raw->rendezvous;
	t->hosts_count++;
	return 0;
}

/* ---- the whole */

/* The comment the text opens with, without its '#'s, the line about the licence, and empty lines
 * before and after the drawing. */
static char *read_drawing(const char *data, size_t len)
{
	CLEANUP(buf) struct buf drawing = BUF_INIT;
	const char *end = data + len;
	unsigned empty = 0;

	while (data < end && *data == '#') {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *stop = newline == NULL ? end : newline;
		const char *text = data + 1;

		if (text < stop && *text == ' ')
			text++;
		if (text == stop) {
			empty++;
		} else if (stop - text < 5 || memcmp(text, "SPDX-", 5) != 0) {
			for (; drawing.len > 0 && empty > 0; empty--)
				buf_puts(&drawing, "\n");
			empty = 0;
			buf_add(&drawing, text, (size_t)(stop - text));
			buf_puts(&drawing, "\n");
		}
		data = newline == NULL ? end : newline + 1;
	}
	return buf_steal(&drawing);
}

static int read_nodes(const struct yaml_source *src, struct raw_topology *raw, struct topology *t,
		      struct err *e)
{
	t->routers = calloc(raw->routers_count + 1, sizeof(*t->routers));
	t->hosts = calloc(raw->hosts_count, sizeof(*t->hosts));
	assert(t->routers != NULL && t->hosts != NULL);
	for (unsigned i = 0; i < raw->routers_count; i++) {
		int r = read_router(src, &raw->routers[i], i, t, e);

		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < raw->hosts_count; i++) {
		int r = read_host(src, &raw->hosts[i], i, t, e);

		if (r < 0)
			return r;
	}
	return 0;
}

int topology_parse(const char *file, const char *data, size_t len, struct topology *ret,
		   struct err *e)
{
	struct yaml_source src = { file, data, len };
	struct topology t = { .about = NULL };
	void *loaded = NULL;
	int r;

	r = yaml_load(&src, &topology_schema, &loaded, NULL, e);
	if (r < 0)
		return r;

	struct raw_topology *raw = loaded;

	r = yaml_source_name(&src, t.name, sizeof(t.name), e);
	if (r == 0)
		r = read_nodes(&src, raw, &t, e);
	if (r == 0) {
		t.about = steal_ptr(&raw->about);
		t.drawing = read_drawing(data, len);
		*ret = t;
	} else {
		topology_fini(&t);
	}
	yaml_unload(&topology_schema, raw, 0);
	return r;
}

void topology_fini(struct topology *t)
{
	for (unsigned i = 0; i < t->routers_count; i++) {
		free(t->routers[i].name);
		free(t->routers[i].nat);
	}
	for (unsigned i = 0; i < t->hosts_count; i++) {
		free(t->hosts[i].name);
		free(t->hosts[i].behind);
		free(t->hosts[i].peer);
		free(t->hosts[i].addresses);
	}
	free(t->routers);
	free(t->hosts);
	free(t->about);
	free(t->drawing);
	*t = (struct topology){ .about = NULL };
}

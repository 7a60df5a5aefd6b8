// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/topology_check.h"

#include <string.h>

/* ---- names */

int topology_check_word(const struct yaml_source *src, const char *path, const char *word,
			struct err *e)
{
	size_t good = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (word[good] != '\0' || word[0] == '-')
		return yaml_error(
			src, e, path,
			"\"%s\" is no name: small letters, digits and dashes only, and no "
			"dash first",
			word);
	return 0;
}

int topology_check_node_name(const struct yaml_source *src, const struct topology *t,
			     const char *path, const char *name, struct err *e)
{
	/* The names of interfaces and of the node that stands for the Internet; a node's name also
	 * names the other end of its link. */
	static const char *const reserved[] = { "internet", "lan", "wan",    "eth0",
						"lo",       "all", "default" };
	int r = topology_check_word(src, path, name, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(name, reserved[i]) == 0)
			return yaml_error(src, e, path, "the name \"%s\" is natsim's own", name);
	if (topology_router(t, name) != NULL || topology_host(t, name) != NULL)
		return yaml_error(src, e, path, "there is a node \"%s\" already", name);
	return 0;
}

/* ---- addresses */

static uint32_t broadcast(struct prefix p)
{
	return prefix_network(p).addr | ~prefix_mask(p);
}

bool topology_prefixes_overlap(struct prefix a, struct prefix b)
{
	return prefix_contains(a, prefix_network(b).addr) ||
	       prefix_contains(b, prefix_network(a).addr);
}

int topology_read_address(const struct yaml_source *src, const char *path, const char *text,
			  struct prefix *ret, struct err *e)
{
	struct prefix p;

	if (!prefix_parse(text, &p))
		return yaml_error(
			src, e, path,
			"\"%s\" is no IPv4 address with a prefix length, as in 10.1.0.2/24", text);
	if (p.length < 8 || p.length > 30)
		return yaml_error(src, e, path, "the prefix length is %u, but can be 8 to 30",
				  (unsigned)p.length);
	if (p.addr == prefix_network(p).addr || p.addr == broadcast(p))
		return yaml_error(src, e, path,
				  "%s is the first or last of its network, which no host can have",
				  text);
	/* RFC 1122, section 3.2.1.3: 0/8 and 127/8 are never on a wire; RFC 1112: from 224/4 on no
	 * address is a host's. */
	if (p.addr >> 24 == 0 || p.addr >> 24 == 127 || p.addr >> 28 >= 14)
		return yaml_error(src, e, path, "%s cannot be the address of a host", text);
	*ret = p;
	return 0;
}

int topology_check_outside(const struct yaml_source *src, const struct topology *t,
			   const char *path, struct prefix p, struct err *e)
{
	if (p.addr == prefix_network(p).addr + 1)
		return yaml_error(src, e, path,
				  "the first address of the prefix is the gateway's, at the other "
				  "end of the link");
	for (unsigned i = 0; i < t->routers_count; i++)
		if (topology_prefixes_overlap(p, t->routers[i].outside) ||
		    topology_prefixes_overlap(p, t->routers[i].inside))
			return yaml_error(src, e, path, "the prefix overlaps one of \"%s\"",
					  t->routers[i].name);
	for (unsigned i = 0; i < t->hosts_count; i++)
		if (t->hosts[i].behind == NULL &&
		    topology_prefixes_overlap(p, t->hosts[i].addresses[0]))
			return yaml_error(src, e, path, "the prefix overlaps that of \"%s\"",
					  t->hosts[i].name);
	return 0;
}

int topology_check_host_address(const struct yaml_source *src, const struct topology *t,
				const struct topology_router *router,
				const struct prefix *addresses, unsigned n, const char *path,
				struct err *e)
{
	struct prefix p = addresses[n];
	struct prefix network = router != NULL ? router->inside : addresses[0];

	if (p.length != network.length || prefix_network(p).addr != prefix_network(network).addr)
		return yaml_error(src, e, path, "the address is not in the network of %s",
				  router != NULL ? router->name : "the first one");
	if (router != NULL && p.addr == router->inside.addr)
		return yaml_error(src, e, path, "the address is that of \"%s\"", router->name);
	if (router == NULL && p.addr == prefix_network(p).addr + 1)
		return yaml_error(src, e, path,
				  "the first address of the prefix is the gateway's, at the other "
				  "end of the link");
	for (unsigned i = 0; i < n; i++)
		if (addresses[i].addr == p.addr)
			return yaml_error(src, e, path, "the address is here twice");
	for (unsigned i = 0; i < t->hosts_count; i++)
		for (unsigned j = 0; j < t->hosts[i].addresses_count; j++)
			if (t->hosts[i].addresses[j].addr == p.addr)
				return yaml_error(src, e, path, "the address is that of \"%s\"",
						  t->hosts[i].name);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/bench/sites.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"

#define ROLE "a"

static const char topology_text[] = "about: Two hosts straight on the Internet\n"
				    "hosts:\n"
				    "  - { name: from, addresses: [198.51.100.2/24] }\n"
				    "  - { name: to, addresses: [192.0.2.2/24] }\n";

static const char behind_text[] =
	"about: A host behind a router and one straight on the Internet\n"
	"routers:\n"
	"  - { name: router, nat: " ROLE ", outside: 198.51.100.2/24, inside: 10.1.0.1/24 }\n"
	"hosts:\n"
	"  - { name: from, behind: router, addresses: [10.1.0.2/24] }\n"
	"  - { name: to, addresses: [192.0.2.2/24] }\n";

static int open_nodes(const struct catalog *c, const struct nat_model *router, struct sites *s,
		      struct err *e)
{
	const struct plan_nat nat = { ROLE, router };
	const char *text = router == NULL ? topology_text : behind_text;
	int rc = topology_parse("sites.yaml", text, strlen(text), &s->topology, e);

	if (rc == 0)
		rc = plan_make(&s->topology, &nat, router == NULL ? 0 : 1, &c->rules, &s->plan, e);
	if (rc < 0)
		return rc;
	s->index[SITE_FROM] = (unsigned)plan_node(&s->plan, "from");
	s->index[SITE_TO] = (unsigned)plan_node(&s->plan, "to");
	s->internet = (unsigned)plan_node(&s->plan, PLAN_INTERNET);
	nodes_init(&s->nodes, &s->plan);
	rc = nodes_build(&s->nodes, e);
	if (rc == 0)
		rc = nodes_await_routers(&s->nodes, e);
	return rc < 0 ? rc : nodes_await_links(&s->nodes, e);
}

int sites_open(const struct catalog *c, const struct nat_model *router, struct sites *sites,
	       struct err *e)
{
	*sites = (struct sites){ .wire = NULL };
	int rc = open_nodes(c, router, sites, e);

	if (rc < 0)
		sites_close(sites);
	return rc;
}

void sites_close(struct sites *sites)
{
	wire_free(sites->wire);
	if (sites->nodes.plan != NULL)
		nodes_fini(&sites->nodes);
	plan_fini(&sites->plan);
	topology_fini(&sites->topology);
	*sites = (struct sites){ .wire = NULL };
}

static int set_forwarding(void *arg, struct err *e)
{
	return netns_sysctl("net/ipv4/ip_forward", arg, e);
}

static int let_kernel_forward(struct sites *sites, bool on, struct err *e)
{
	char value[] = { on ? '1' : '0', '\0' };

	return netns_run(sites->nodes.items[sites->internet].netns_fd, set_forwarding, value, e);
}

int sites_use_wire(struct sites *sites, const struct link_profile *up, struct err *e)
{
	struct wire_config config = { .netns_fd = sites->nodes.items[sites->internet].netns_fd,
				      .plan = &sites->plan,
				      .links = sites->links,
				      .seed = 1,
				      .pcap_fd = -1 };

	wire_free(sites->wire);
	sites->wire = NULL;
	for (size_t i = 0; i < sites->plan.ports_count && i < SITES; i++)
		sites->links[i] = sites->plan.ports[i].node == sites->index[SITE_TO] ? NULL : up;
	int rc = let_kernel_forward(sites, false, e);
	return rc < 0 ? rc : wire_new(&config, &sites->wire, e);
}

int sites_use_kernel(struct sites *sites, struct err *e)
{
	wire_free(sites->wire);
	sites->wire = NULL;
	return let_kernel_forward(sites, true, e);
}

/* ---- sockets */

struct opening {
	int type, fd;
};

static int open_socket(void *arg, struct err *e)
{
	struct opening *o = arg;

	o->fd = socket(AF_INET, o->type | SOCK_CLOEXEC, 0);
	return o->fd >= 0 ? 0 : err_set(e, -errno, "open a socket");
}

static int open_in(const struct sites *sites, enum site site, int type, int *ret_fd, struct err *e)
{
	struct opening o = { type, -1 };
	int rc = netns_run(sites->nodes.items[sites->index[site]].netns_fd, open_socket, &o, e);

	if (rc == 0)
		*ret_fd = o.fd;
	return rc;
}

static struct sockaddr_in listening_addr(const struct sites *sites)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(SITE_PORT),
		.sin_addr.s_addr = htonl(sites->plan.nodes[sites->index[SITE_TO]].outside_addr),
	};
}

int sites_connect(const struct sites *sites, int type, int *ret_fd, struct err *e)
{
	struct sockaddr_in to = listening_addr(sites);
	CLEANUP(fd) int fd = -1;
	int rc = open_in(sites, SITE_FROM, type, &fd, e);

	if (rc == 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		rc = err_set(e, -errno, "connect to the other site");
	if (rc == 0)
		*ret_fd = steal_fd(&fd);
	return rc;
}

int sites_bind(const struct sites *sites, int type, int *ret_fd, struct err *e)
{
	struct sockaddr_in own = listening_addr(sites);
	CLEANUP(fd) int fd = -1;
	int on = 1, rc = open_in(sites, SITE_TO, type, &fd, e);

	if (rc < 0)
		return rc;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return err_set(e, -errno, "bind a socket");
	*ret_fd = steal_fd(&fd);
	return 0;
}

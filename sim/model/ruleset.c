// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/ruleset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

/* How many elements of a map stand on a line. */
#define ELEMENTS_A_LINE 8u

bool ruleset_remembers(const struct nat_model *m)
{
	return m->translates || m->filtering != NAT_ENDPOINT_INDEPENDENT;
}

/* ---- which files */

/* Room for the longest name, "filtering-address-and-port-dependent". */
struct file_name {
	char text[48];
};

struct file_list {
	struct file_name names[10];
	size_t count;
};

static void list_add(struct file_list *list, const char *what, const char *which)
{
	struct file_name *name = &list->names[list->count++];

	(void)snprintf(name->text, sizeof(name->text), "%s%s%s", what, which == NULL ? "" : "-",
		       which == NULL ? "" : which);
}

/* In the order in which their rules are to stand in the chains they share. */
static struct file_list files_of(const struct nat_model *m)
{
	struct file_list list = { .count = 0 };

	list_add(&list, "base", NULL);
	if (ruleset_remembers(m))
		list_add(&list, "filtering", NULL);
	if (m->translates) {
		list_add(&list, "translation", NULL);
		list_add(&list, "mapping", nat_behavior_name(m->mapping));
		list_add(&list, "ports", nat_port_choice_name(m->ports.choose));
	}
	if (ruleset_remembers(m)) {
		list_add(&list, "filtering", nat_behavior_name(m->filtering));
		list_add(&list, "unsolicited-udp", nat_unsolicited_name(m->unsolicited.udp));
		list_add(&list, "unsolicited-tcp", nat_unsolicited_name(m->unsolicited.tcp));
	}
	return list;
}

static const char *find_text(const struct ruleset_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->items[i].name, name) == 0)
			return files->items[i].text;
	return NULL;
}

/* ---- the head */

static unsigned ports_count(const struct nat_model *m)
{
	return m->ports.last - m->ports.first + 1u;
}

static void add_port_map(const struct nat_model *m, struct buf *out)
{
	buf_puts(out, "define PORT_AT = {");
	for (unsigned i = 0; i < ports_count(m); i++)
		buf_printf(out, "%s%u : %u,", i % ELEMENTS_A_LINE == 0 ? "\n\t" : " ", i + 1,
			   m->ports.first + i);
	buf_puts(out, "\n}\n");
}

static void add_head(const struct nat_model *m, const struct ruleset_site *site, struct buf *out)
{
	char addr[ADDR_TEXT_SIZE], inside[PREFIX_TEXT_SIZE];

	buf_printf(out, "# NAT model %s: %s\n", m->name, m->about);
	buf_printf(out, "# mapping %s, filtering %s", nat_mapping_name(m),
		   nat_behavior_name(m->filtering));
	if (m->translates)
		buf_printf(out, ", ports %s", nat_port_choice_name(m->ports.choose));
	buf_puts(out, "\n\n");
	buf_printf(out, "define OUTSIDE = \"%s\"\n", site->outside_ifname);
	buf_printf(out, "define ADDRESS = %s\n", addr_format(site->outside_addr, addr));
	buf_printf(out, "define INSIDE = %s\n",
		   prefix_format(prefix_network(site->inside), inside));
	if (m->translates)
		buf_printf(out, "define PORTS = %u-%u\n", m->ports.first, m->ports.last);
	if (m->translates && m->ports.choose == NAT_PORTS_SEQUENTIAL)
		add_port_map(m, out);
	/* Made first so that there is something to delete: without it a second load would add every
	 * rule again. */
	buf_puts(out, "\ntable ip " RULESET_TABLE "\ndelete table ip " RULESET_TABLE "\n");
}

/* ---- the files */

/* nft 1.0 takes no variable where a timeout or a modulus stands. */
static bool literal(const struct nat_model *m, const char *name, size_t len, struct buf *out)
{
	const struct {
		const char *name, *unit;
		unsigned value;
	} literals[] = {
		{ "UDP_TIMEOUT", "s", m->timeouts.udp_s },
		{ "TCP_ESTABLISHED", "s", m->timeouts.tcp_established_s },
		{ "TCP_TRANSITORY", "s", m->timeouts.tcp_transitory_s },
		{ "PORT_COUNT", "", ports_count(m) },
	};

	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		if (strlen(literals[i].name) == len && memcmp(literals[i].name, name, len) == 0) {
			buf_printf(out, "%u%s", literals[i].value, literals[i].unit);
			return true;
		}
	}
	return false;
}

/* Without the licence line the file begins with. */
static void add_file(const struct nat_model *m, const char *text, struct buf *out)
{
	if (strncmp(text, "# SPDX-", 7) == 0)
		text += strcspn(text, "\n");
	while (*text == '\n')
		text++;
	buf_puts(out, "\n");
	while (*text != '\0') {
		size_t plain = strcspn(text, "$");

		buf_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;

		size_t len = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

		if (!literal(m, text + 1, len, out))
			buf_add(out, text, len + 1);
		text += len + 1;
	}
}

int ruleset_compose(const struct nat_model *m, const struct ruleset_site *site,
		    const struct ruleset_files *files, struct buf *out, struct err *e)
{
	struct file_list list = files_of(m);
	CLEANUP(buf) struct buf text = BUF_INIT;

	add_head(m, site, &text);
	for (size_t i = 0; i < list.count; i++) {
		const char *file = find_text(files, list.names[i].text);

		if (file == NULL)
			return err_set_plain(e, -ENOENT,
					     "NAT model %s needs rules/%s.nft, which is missing",
					     m->name, list.names[i].text);
		add_file(m, file, &text);
	}
	buf_add(out, text.data, text.len);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/ruleset.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/model/ruleset_values.h"

/* Room for the longest name, "forget-mapping-address-and-port-dependent". */
struct file_name {
	char text[64];
};

/* A ruleset that is being written. */
struct composition {
	struct ruleset_part part;
	const struct ruleset_files *files;
	struct buf text;
	struct file_name missing; /* the first file that is not there */
};

static struct file_name name_of(const char *what, const char *which)
{
	struct file_name name;

	(void)snprintf(name.text, sizeof(name.text), "%s%s%s", what, which == NULL ? "" : "-",
		       which == NULL ? "" : which);
	return name;
}

static const char *find_text(const struct ruleset_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->items[i].name, name) == 0)
			return files->items[i].text;
	return NULL;
}

/* Without the licence line the file begins with. */
static void add_file(struct composition *c, struct file_name name)
{
	const char *text = find_text(c->files, name.text);

	if (text == NULL) {
		if (c->missing.text[0] == '\0')
			c->missing = name;
		return;
	}
	if (strncmp(text, "# SPDX-", 7) == 0)
		text += strcspn(text, "\n");
	while (*text == '\n')
		text++;
	buf_puts(&c->text, "\n");
	ruleset_fill_in(&c->part, text, &c->text);
}

static void add(struct composition *c, const char *what, const char *which)
{
	add_file(c, name_of(what, which));
}

/* ---- what may differ between UDP and TCP */

static void add_for(struct composition *c, struct file_name name, bool udp, bool tcp)
{
	bool both = udp && tcp;

	if (name.text[0] == '\0')
		return;
	c->part.udp = udp;
	c->part.tcp = tcp;
	if (!both)
		ruleset_redefine_transports(&c->part, &c->text);
	add_file(c, name);
	c->part.udp = c->part.tcp = true;
	if (!both)
		ruleset_redefine_transports(&c->part, &c->text);
}

/* choose: the file a transport needs of a kind; an empty name: none. */
static void add_each(struct composition *c,
		     struct file_name (*choose)(const struct nat_model *m, enum nat_transport t))
{
	struct file_name udp = choose(c->part.model, NAT_UDP);
	struct file_name tcp = choose(c->part.model, NAT_TCP);

	if (strcmp(udp.text, tcp.text) == 0) {
		add_for(c, udp, true, true);
		return;
	}
	add_for(c, udp, true, false);
	add_for(c, tcp, false, true);
}

static struct file_name own_stack(const struct nat_model *m, enum nat_transport t)
{
	return m->of[t].unsolicited == NAT_UNSOLICITED_ACCEPT ? name_of("", NULL)
							      : name_of("own-stack-silent", NULL);
}

static struct file_name owners(const struct nat_model *m, enum nat_transport t)
{
	return m->of[t].overloads ? name_of("", NULL) : name_of("owners", NULL);
}

/* Where a forwarded port may be drawn. */
static struct file_name forwards_owners(const struct nat_model *m, enum nat_transport t)
{
	return m->of[t].overloads ? name_of("", NULL) : name_of("forwards-owners", NULL);
}

static struct file_name forwards_ports(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	return m->forwards_count == 0 || of->overloads || of->choose != NAT_PORTS_PRESERVE
		       ? name_of("", NULL)
		       : name_of("forwards-preserve", NULL);
}

static struct file_name mapping(const struct nat_model *m, enum nat_transport t)
{
	return m->of[t].overloads ? name_of("", NULL)
				  : name_of("mapping", nat_behavior_name(m->of[t].mapping));
}

/* Ports that do not follow one another by one are listed, however many they are. */
static bool is_wide(const struct nat_model *m)
{
	return m->ports.step == 1 && ruleset_sequence(m) > RULESET_LISTED_PORTS_MAX;
}

static struct file_name ports(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	if (of->overloads)
		return of->choose == NAT_PORTS_PRESERVE
			       ? name_of("ports-preserve-overloading", NULL)
			       : name_of("ports-random-overloading", NULL);
	if (of->choose == NAT_PORTS_SEQUENTIAL && is_wide(m))
		return name_of("ports-sequential-wide", NULL);
	if (of->choose == NAT_PORTS_RANDOM && m->ports.parity)
		return name_of("ports-random-parity", NULL);
	return name_of("ports", nat_port_choice_name(of->choose));
}

/* For ports that are preserved where they can be. */
static struct file_name ports_else(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	if (of->choose != NAT_PORTS_PRESERVE || of->overloads)
		return name_of("", NULL);
	if (of->on_clash == NAT_CLASH_SEQUENTIAL && is_wide(m))
		return name_of("ports-sequential-wide", NULL);
	if (of->on_clash == NAT_CLASH_RANDOM && m->ports.parity)
		return name_of("ports-random-parity", NULL);
	return name_of("ports", nat_on_clash_name(of->on_clash));
}

/* Where ports are shared, conntrack does the filtering: all but its own flows is refused. */
static struct file_name filtering(const struct nat_model *m, enum nat_transport t)
{
	const struct nat_of *of = &m->of[t];

	if (!m->translates && of->filtering == NAT_ENDPOINT_INDEPENDENT)
		return name_of("filtering-off", NULL);
	if (!of->overloads && m->pool.count > 1 && of->filtering == NAT_ENDPOINT_INDEPENDENT)
		return name_of("filtering-endpoint-independent-pool", NULL);
	return of->overloads ? name_of("", NULL)
			     : name_of("filtering", nat_behavior_name(of->filtering));
}

/* ---- the parts, in the order in which their rules are to stand in the chains they share */

static void add_ports(struct composition *c)
{
	for (unsigned i = 0; i < c->part.model->pool.count; i++) {
		c->part.address = i;
		if (i > 0)
			ruleset_redefine_address(&c->part, &c->text);
		add_each(c, forwards_ports);
		add_each(c, ports);
		add_each(c, ports_else);
	}
	c->part.address = 0;
	if (c->part.model->pool.count > 1)
		ruleset_redefine_address(&c->part, &c->text);
}

/* They last, whatever ends mappings. */
static void add_forwards(struct composition *c)
{
	const struct nat_model *m = c->part.model;

	add(c, "forwards", NULL);
	add_each(c, forwards_owners);
	if (m->hairpin != NAT_HAIRPIN_OFF)
		add(c, "forwards", "hairpin");
	if (m->refresh != NAT_REFRESH_BOTH)
		add(c, "forwards", "expiry");
	if (m->rst != NAT_RST_IGNORED)
		add(c, "forwards", "rst");
}

static void add_translation(struct composition *c)
{
	const struct nat_model *m = c->part.model;

	add(c, "translation", NULL);
	if (m->forwards_count > 0)
		add_forwards(c);
	add_each(c, owners);
	add_each(c, mapping);
	if (m->pool.count > 1)
		add(c, "pool", m->pool.paired ? "paired" : "arbitrary");
	add_ports(c);
	if (m->hairpin != NAT_HAIRPIN_OFF)
		add(c, "hairpin", nat_hairpin_name(m->hairpin));
	if (m->refresh != NAT_REFRESH_BOTH || m->rst != NAT_RST_IGNORED)
		add(c, "expiry", NULL);
	if (m->rst != NAT_RST_IGNORED) {
		add(c, "rst", NULL);
		add(c, "forget-owners", NULL);
		add(c, "forget-mapping", nat_behavior_name(m->of[NAT_TCP].mapping));
	}
	if (m->ports.quota > 0)
		add(c, "quota", NULL);
}

static void add_all(struct composition *c)
{
	const struct nat_model *m = c->part.model;

	add(c, "base", NULL);
	add_each(c, own_stack);
	if (nat_model_remembers(m)) {
		add(c, "own-packets", NULL);
		if (m->refresh != NAT_REFRESH_BOTH)
			add(c, "refresh", nat_refresh_name(m->refresh));
		add(c, "filtering", NULL);
	}
	if (m->translates)
		add_translation(c);
	if (nat_model_remembers(m)) {
		add_each(c, filtering);
		add(c, "unsolicited-udp", nat_unsolicited_name(m->of[NAT_UDP].unsolicited));
		add(c, "unsolicited-tcp", nat_unsolicited_name(m->of[NAT_TCP].unsolicited));
	}
	if (m->drops_icmp_errors)
		add(c, "icmp-errors-dropped", NULL);
	if (m->blocked != NAT_BLOCKS_NOTHING)
		add(c, "blocked", nat_blocked_name(m->blocked));
}

int ruleset_compose(const struct nat_model *m, const struct ruleset_site *site,
		    const struct ruleset_files *files, struct buf *out, struct err *e)
{
	struct composition c = { .part = { m, site, true, true, 0 }, .files = files };
	CLEANUP(buf) struct buf text = BUF_INIT;

	ruleset_head(&c.part, &c.text);
	if (m->ruleset != NULL)
		ruleset_fill_in(&c.part, m->ruleset, &c.text);
	else
		add_all(&c);
	text = c.text;
	if (c.missing.text[0] != '\0')
		return err_set_plain(e, -ENOENT,
				     "NAT model %s needs rules/%s.nft, which is missing", m->name,
				     c.missing.text);
	buf_add(out, text.data, text.len);
	return 0;
}

/* ---- places in a model's own ruleset */

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

struct ruleset_place ruleset_own_place(const struct nat_model *m, size_t line)
{
	/* How many lines there are depends on no name and no address. */
	static const struct ruleset_site anywhere = { .outside_ifname = "" };
	const struct ruleset_part part = { m, &anywhere, true, true, 0 };
	CLEANUP(buf) struct buf text = BUF_INIT;
	struct ruleset_place place = { 0 };
	const char *rest = m->ruleset;

	ruleset_head(&part, &text);
	/* Filled in one by one, a line may become several. */
	for (size_t made = count_lines(buf_text(&text)); made < line;) {
		size_t len = strcspn(rest, "\n");
		CLEANUP(free) char *written = strndup(rest, len + (rest[len] == '\n'));

		assert(written != NULL);
		buf_clear(&text);
		ruleset_fill_in(&part, written, &text);
		place.line++;
		place.as_written = strcmp(written, buf_text(&text)) == 0;
		made += count_lines(buf_text(&text));
		rest += len;
		if (*rest == '\0')
			break;
		rest++;
	}
	return place;
}

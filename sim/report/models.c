// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/models.h"

#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

#define UNKNOWN_MARK " (unknown, the default)"

static const char *mark(unsigned unknown, enum nat_value value)
{
	return (unknown & 1u << value) != 0 ? UNKNOWN_MARK : "";
}

/* In tables, behind what stands in where nobody knows. */
static const char *star(unsigned unknown, enum nat_value value)
{
	return (unknown & 1u << value) != 0 ? "*" : "";
}

/* Whether there is more to say of the lifetime of UDP mappings than one number. */
static bool says_unreplied(const struct nat_model *m)
{
	return m->timeouts.udp_unreplied_ms != m->timeouts.udp_ms ||
	       (m->unknown & 1u << NAT_VALUE_UDP_UNREPLIED) != 0;
}

/* ---- a table */

/* "address-and-port-dependent*" */
#define BEHAVIOR_WIDTH 27

static void add_behavior(const char *word, const char *marked, struct buf *out)
{
	int left = BEHAVIOR_WIDTH - (int)strlen(word);

	buf_printf(out, "%s%-*s ", word, left, marked);
}

static void print_transport(const struct nat_model *m, enum nat_transport t, const char *transport,
			    struct buf *out)
{
	const struct nat_of *of = &m->of[t];

	buf_printf(out, "%-4s ", transport);
	add_behavior(nat_mapping_name(m, t), star(of->unknown, NAT_VALUE_MAPPING), out);
	add_behavior(nat_behavior_name(of->filtering), star(of->unknown, NAT_VALUE_FILTERING), out);
	if (!m->translates)
		buf_puts(out, "-\n");
	else
		buf_printf(out, "%s%s%s\n", nat_port_choice_name(of->choose),
			   star(of->unknown, NAT_VALUE_CHOOSE),
			   of->overloads ? ", overloading" : "");
}

static void print_line(const struct nat_model *m, int width, struct buf *out)
{
	bool differs = nat_model_differs(m);

	buf_printf(out, "%-*s ", width, m->name);
	print_transport(m, NAT_UDP, differs ? "udp" : "", out);
	if (!differs)
		return;
	buf_printf(out, "%-*s ", width, "");
	print_transport(m, NAT_TCP, "tcp", out);
}

static bool has_unknown(const struct nat_model *m)
{
	const unsigned shown =
		1u << NAT_VALUE_MAPPING | 1u << NAT_VALUE_FILTERING | 1u << NAT_VALUE_CHOOSE;

	return ((m->of[NAT_UDP].unknown | m->of[NAT_TCP].unknown) & shown) != 0;
}

void models_print(const struct nat_model *models, size_t count, const struct style *style,
		  struct buf *out)
{
	size_t width = strlen("MODEL");
	bool legend = false;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(models[i].name);

		width = len > width ? len : width;
		legend = legend || has_unknown(&models[i]);
	}
	buf_printf(out, "%s%-*s      %-*s %-*s PORTS%s\n", style->bold, (int)width, "MODEL",
		   BEHAVIOR_WIDTH, "MAPPING", BEHAVIOR_WIDTH, "FILTERING", style->reset);
	for (size_t i = 0; i < count; i++)
		print_line(&models[i], (int)width, out);
	if (legend)
		buf_puts(out, "\n* nobody knows; a default stands in\n");
}

/* ---- nat_models/README.md */

static const char *short_behavior(enum nat_behavior b)
{
	static const char *const names[] = { "endpoint", "address", "address and port" };

	return names[b];
}

/* "endpoint", or "udp endpoint, tcp address" where they differ; * where nobody knows. */
static void markdown_behavior(const struct nat_model *m, bool is_mapping, struct buf *out)
{
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		const struct nat_of *of = &m->of[t];
		enum nat_value value = is_mapping ? NAT_VALUE_MAPPING : NAT_VALUE_FILTERING;
		bool differs = is_mapping ? m->of[0].mapping != m->of[1].mapping
					  : m->of[0].filtering != m->of[1].filtering;

		if (t == NAT_TCP && !differs)
			return;
		buf_printf(out, "%s%s%s%s%s", t == 0 ? "" : ", ",
			   differs ? nat_transport_name((enum nat_transport)t) : "",
			   differs ? " " : "",
			   is_mapping && !m->translates
				   ? "none"
				   : short_behavior(is_mapping ? of->mapping : of->filtering),
			   star(of->unknown, value));
	}
}

static void markdown_ports_of(const struct nat_of *of, struct buf *out)
{
	buf_printf(out, "%s%s%s", nat_port_choice_name(of->choose),
		   star(of->unknown, NAT_VALUE_CHOOSE), of->overloads ? ", shared" : "");
}

/* "random, shared", or "udp random; tcp preserve, shared". */
static void markdown_ports(const struct nat_model *m, struct buf *out)
{
	const struct nat_of *udp = &m->of[NAT_UDP], *tcp = &m->of[NAT_TCP];

	if (!m->translates)
		return;
	if (udp->choose == tcp->choose && udp->overloads == tcp->overloads &&
	    ((udp->unknown ^ tcp->unknown) & 1u << NAT_VALUE_CHOOSE) == 0) {
		markdown_ports_of(udp, out);
		return;
	}
	buf_puts(out, "udp ");
	markdown_ports_of(udp, out);
	buf_puts(out, "; tcp ");
	markdown_ports_of(tcp, out);
}

/* Of routers that have a shorter one for flows nobody has answered, both. */
static void markdown_udp_lifetime(const struct nat_model *m, struct buf *out)
{
	buf_printf(out, " | %u s%s", m->timeouts.udp_ms / 1000,
		   star(m->unknown, NAT_VALUE_UDP_TIMEOUT));
	if (says_unreplied(m))
		buf_printf(out, ", unreplied %u s%s", m->timeouts.udp_unreplied_ms / 1000,
			   star(m->unknown, NAT_VALUE_UDP_UNREPLIED));
	buf_puts(out, " | ");
}

void models_print_markdown(const struct nat_model *models, size_t count, struct buf *out)
{
	buf_puts(out,
		 "| model | what it is | mapping | filtering | ports | UDP lifetime | hairpin |\n"
		 "|-------|------------|---------|-----------|-------|-------------:|---------|\n");
	for (size_t i = 0; i < count; i++) {
		const struct nat_model *m = &models[i];

		buf_printf(out, "| `%s` | %s | ", m->name, m->about);
		markdown_behavior(m, true, out);
		buf_puts(out, " | ");
		markdown_behavior(m, false, out);
		buf_puts(out, " | ");
		markdown_ports(m, out);
		if (nat_model_remembers(m))
			markdown_udp_lifetime(m, out);
		else
			buf_puts(out, " | | ");
		buf_printf(out, "%s%s |\n", m->translates ? nat_hairpin_name(m->hairpin) : "",
			   star(m->unknown, NAT_VALUE_HAIRPIN));
	}
}

/* ---- all of it */

static void line(const char *key, const char *value, const char *unknown, struct buf *out)
{
	buf_printf(out, "  %-14s %s%s\n", key, value, unknown);
}

static void print_of(const struct nat_model *m, enum nat_transport t, const char *prefix,
		     struct buf *out)
{
	const struct nat_of *of = &m->of[t];
	CLEANUP(buf) struct buf ports = BUF_INIT;
	char key[32];

	(void)snprintf(key, sizeof(key), "%smapping", prefix);
	line(key, nat_mapping_name(m, t), mark(of->unknown, NAT_VALUE_MAPPING), out);
	(void)snprintf(key, sizeof(key), "%sfiltering", prefix);
	line(key, nat_behavior_name(of->filtering), mark(of->unknown, NAT_VALUE_FILTERING), out);
	if (!m->translates)
		return;
	buf_printf(&ports, "%s%s", nat_port_choice_name(of->choose),
		   mark(of->unknown, NAT_VALUE_CHOOSE));
	if (of->choose == NAT_PORTS_PRESERVE && !of->overloads)
		buf_printf(&ports, ", on a clash %s%s", nat_on_clash_name(of->on_clash),
			   mark(of->unknown, NAT_VALUE_ON_CLASH));
	if (of->overloads)
		buf_puts(&ports, ", shared between destinations");
	(void)snprintf(key, sizeof(key), "%sports", prefix);
	line(key, buf_text(&ports), "", out);
}

static void print_range(const struct nat_model *m, struct buf *out)
{
	buf_printf(out, "  %-14s %u to %u", "", m->ports.first, m->ports.last);
	if (m->ports.step != 1)
		buf_printf(out, ", step %+d", m->ports.step);
	if (m->ports.block > 0)
		buf_printf(out, ", %u for each subscriber", m->ports.block);
	if (m->ports.quota > 0)
		buf_printf(out, ", at most %u flows for each", m->ports.quota);
	if (m->ports.parity)
		buf_puts(out, ", parity kept");
	buf_puts(out, "\n");
	if (m->pool.count > 1)
		buf_printf(out, "  %-14s %u addresses, %s%s\n", "pool", m->pool.count,
			   m->pool.paired ? "paired" : "arbitrary",
			   mark(m->unknown, NAT_VALUE_PAIRING));
}

static void print_memory(const struct nat_model *m, struct buf *out)
{
	const struct nat_of *udp = &m->of[NAT_UDP], *tcp = &m->of[NAT_TCP];

	buf_printf(
		out, "  %-14s udp %s%s, tcp %s%s\n", "unsolicited",
		nat_unsolicited_name(udp->unsolicited), mark(udp->unknown, NAT_VALUE_UNSOLICITED),
		nat_unsolicited_name(tcp->unsolicited), mark(tcp->unknown, NAT_VALUE_UNSOLICITED));
	buf_printf(out, "  %-14s udp %u s%s\n", "timeouts", m->timeouts.udp_ms / 1000,
		   mark(m->unknown, NAT_VALUE_UDP_TIMEOUT));
	if (says_unreplied(m))
		buf_printf(out, "  %-14s udp unreplied %u s%s\n", "",
			   m->timeouts.udp_unreplied_ms / 1000,
			   mark(m->unknown, NAT_VALUE_UDP_UNREPLIED));
	buf_printf(out, "  %-14s tcp established %u s%s\n", "",
		   m->timeouts.tcp_established_ms / 1000,
		   mark(m->unknown, NAT_VALUE_TCP_ESTABLISHED));
	buf_printf(out, "  %-14s tcp transitory %u s%s\n", "", m->timeouts.tcp_transitory_ms / 1000,
		   mark(m->unknown, NAT_VALUE_TCP_TRANSITORY));
}

static void print_rest(const struct nat_model *m, struct buf *out)
{
	if (m->translates) {
		line("hairpin", nat_hairpin_name(m->hairpin), mark(m->unknown, NAT_VALUE_HAIRPIN),
		     out);
		line("refresh", nat_refresh_name(m->refresh), mark(m->unknown, NAT_VALUE_REFRESH),
		     out);
		line("rst", nat_rst_name(m->rst), mark(m->unknown, NAT_VALUE_RST), out);
	}
	line("icmp errors", m->drops_icmp_errors ? "dropped" : "translated",
	     mark(m->unknown, NAT_VALUE_ICMP_ERRORS), out);
	const char *blocked_mark = mark(m->unknown, NAT_VALUE_BLOCKED);
	if (m->blocked != NAT_BLOCKS_NOTHING || blocked_mark[0] != '\0')
		line("blocked", nat_blocked_name(m->blocked), blocked_mark, out);
	for (unsigned i = 0; i < m->forwards_count; i++)
		buf_printf(out, "  %-14s %s port %u to host %u, port %u\n",
			   i == 0 ? "forwards" : "", nat_transport_name(m->forwards[i].transport),
			   m->forwards[i].port, m->forwards[i].host, m->forwards[i].host_port);
	if (m->ruleset_file != NULL)
		line("ruleset", m->ruleset_file, "", out);
}

/* "mapping, filtering: " */
static void print_axes(unsigned axes, struct buf *out)
{
	const char *separator = "";

	for (unsigned a = 0; a < NAT_AXES; a++) {
		if ((axes & 1u << a) == 0)
			continue;
		buf_printf(out, "%s%s", separator, nat_axis_name((enum nat_axis)a));
		separator = ", ";
	}
	buf_puts(out, axes == 0 ? "" : ": ");
}

void model_print(const struct nat_model *m, struct buf *out)
{
	buf_printf(out, "%s: %s\n\n", m->name, m->about);
	print_of(m, NAT_UDP, nat_model_differs(m) ? "udp " : "", out);
	if (nat_model_differs(m))
		print_of(m, NAT_TCP, "tcp ", out);
	if (m->translates)
		print_range(m, out);
	if (nat_model_remembers(m))
		print_memory(m, out);
	print_rest(m, out);
	for (unsigned i = 0; i < m->sources_count; i++) {
		buf_printf(out, "  %-14s ", i == 0 ? "sources" : "");
		print_axes(m->sources[i].axes, out);
		buf_printf(out, "%s\n", m->sources[i].text);
	}
}

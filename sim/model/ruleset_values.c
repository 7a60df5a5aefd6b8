// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/ruleset_values.h"

#include <stdlib.h>
#include <string.h>

#include "sim/model/ruleset_lists.h"

static unsigned range_count(const struct nat_model *m)
{
	return m->ports.last - m->ports.first + 1u;
}

unsigned ruleset_blocks(const struct nat_model *m)
{
	unsigned blocks = m->ports.block == 0 ? 0 : range_count(m) / m->ports.block;

	return blocks < NAT_BLOCKS_MAX ? blocks : NAT_BLOCKS_MAX;
}

unsigned ruleset_sequence(const struct nat_model *m)
{
	return (range_count(m) - 1) / (unsigned)abs(m->ports.step) + 1;
}

/* ---- literals */

/* They are there before what leads to them. */
static void put_pool_declared(const struct ruleset_part *part, struct buf *out)
{
	for (unsigned i = 0; i < part->model->pool.count; i++)
		buf_printf(out, "\tchain translate_%u {\n\t}\n", i);
}

static void put_pool_chains(const struct ruleset_part *part, struct buf *out)
{
	for (unsigned i = 0; i < part->model->pool.count; i++)
		buf_printf(out, "%s%u : goto translate_%u", i == 0 ? "{ " : ", ", i, i);
	buf_puts(out, " }");
}

static void put_translate(const struct ruleset_part *part, struct buf *out)
{
	buf_puts(out, "translate");
	if (part->model->pool.count > 1)
		buf_printf(out, "_%u", part->address);
}

static void put_only(const struct ruleset_part *part, struct buf *out)
{
	if (!part->udp || !part->tcp)
		buf_printf(out, "meta l4proto %s ", part->udp ? "udp" : "tcp");
}

static void put_unforwarded(const struct ruleset_part *part, struct buf *out)
{
	if (part->model->forwards_count > 0)
		buf_puts(out, "meta l4proto . th sport != @forwards ");
}

static void put_ms(uint32_t ms, struct buf *out)
{
	if (ms % 1000 == 0)
		buf_printf(out, "%us", ms / 1000);
	else
		buf_printf(out, "%ums", ms);
}

static void put_udp_timeout(const struct ruleset_part *part, struct buf *out)
{
	put_ms(part->model->timeouts.udp_ms, out);
}

static void put_udp_timeout_twice(const struct ruleset_part *part, struct buf *out)
{
	put_ms(2 * part->model->timeouts.udp_ms, out);
}

static void put_tcp_established(const struct ruleset_part *part, struct buf *out)
{
	put_ms(part->model->timeouts.tcp_established_ms, out);
}

static void put_tcp_transitory(const struct ruleset_part *part, struct buf *out)
{
	put_ms(part->model->timeouts.tcp_transitory_ms, out);
}

static void put_port_count(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "%u", ruleset_sequence(part->model));
}

static void put_even_count(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "%u", ruleset_list_parity(part->model, 0));
}

static void put_odd_count(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "%u", ruleset_list_parity(part->model, 1));
}

static void put_pool_count(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "%u", part->model->pool.count);
}

static void put_quota(const struct ruleset_part *part, struct buf *out)
{
	buf_printf(out, "%u", part->model->ports.quota);
}

/* ---- whose a UDP mapping is: an inside endpoint's, with the remote address or endpoint or without
 */

static void put_mapping_type(const struct ruleset_part *part, struct buf *out)
{
	static const char *const types[] = {
		[NAT_ENDPOINT_INDEPENDENT] = "ipv4_addr . inet_service",
		[NAT_ADDRESS_DEPENDENT] = "ipv4_addr . inet_service . ipv4_addr",
		[NAT_ADDRESS_AND_PORT_DEPENDENT] =
			"ipv4_addr . inet_service . ipv4_addr . inet_service",
	};

	buf_puts(out, types[part->model->of[NAT_UDP].mapping]);
}

static void put_sender(const struct ruleset_part *part, struct buf *out)
{
	static const char *const remotes[] = {
		[NAT_ENDPOINT_INDEPENDENT] = "",
		[NAT_ADDRESS_DEPENDENT] = " . ip daddr",
		[NAT_ADDRESS_AND_PORT_DEPENDENT] = " . ip daddr . th dport",
	};

	buf_printf(out, "ip saddr . th sport%s", remotes[part->model->of[NAT_UDP].mapping]);
}

static void put_sender_of_flow(const struct ruleset_part *part, struct buf *out)
{
	static const char *const remotes[] = {
		[NAT_ENDPOINT_INDEPENDENT] = "",
		[NAT_ADDRESS_DEPENDENT] = " . ct original ip daddr",
		[NAT_ADDRESS_AND_PORT_DEPENDENT] =
			" . ct original ip daddr . ct original proto-dst",
	};

	buf_printf(out, "ct original ip saddr . ct original proto-src%s",
		   remotes[part->model->of[NAT_UDP].mapping]);
}

static const struct {
	const char *name;
	void (*put)(const struct ruleset_part *part, struct buf *out);
} literals[] = {
	{ "ONLY", put_only },
	{ "UNFORWARDED", put_unforwarded },
	{ "TRANSLATE", put_translate },
	{ "UDP_TIMEOUT", put_udp_timeout },
	{ "UDP_TIMEOUT_TWICE", put_udp_timeout_twice },
	{ "TCP_ESTABLISHED", put_tcp_established },
	{ "TCP_TRANSITORY", put_tcp_transitory },
	{ "PORT_COUNT", put_port_count },
	{ "EVEN_COUNT", put_even_count },
	{ "ODD_COUNT", put_odd_count },
	{ "POOL_COUNT", put_pool_count },
	{ "POOL_DECLARED", put_pool_declared },
	{ "POOL_CHAINS", put_pool_chains },
	{ "PORT_AT", ruleset_list_sequence },
	{ "EVEN_PORTS", ruleset_list_even_ports },
	{ "ODD_PORTS", ruleset_list_odd_ports },
	{ "BLOCKS", ruleset_list_blocks },
	{ "FORWARDS", ruleset_list_forwards },
	{ "FORWARDED_TO", ruleset_list_forwarded_to },
	{ "QUOTA", put_quota },
	{ "ROWS", ruleset_list_rows },
	{ "ROW_OF", ruleset_list_row_of },
	{ "MAPPING_TYPE", put_mapping_type },
	{ "SENDER", put_sender },
	{ "SENDER_OF_FLOW", put_sender_of_flow },
};

/* Matches end in a space of their own, if they are not nothing. */
static bool is_match(size_t literal)
{
	return literals[literal].put == put_only || literals[literal].put == put_unforwarded;
}

/* Returns how much of text, which begins with a name, has been filled in: 0 if the name is one that
 * the head defines. */
static size_t fill_in(const struct ruleset_part *part, const char *text, size_t len,
		      struct buf *out)
{
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		if (strlen(literals[i].name) != len || memcmp(literals[i].name, text, len) != 0)
			continue;
		literals[i].put(part, out);
		return is_match(i) && text[len] == ' ' ? len + 1 : len;
	}
	return 0;
}

void ruleset_fill_in(const struct ruleset_part *part, const char *text, struct buf *out)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "$");

		buf_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		size_t len = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
		size_t done = fill_in(part, text + 1, len, out);
		if (done == 0) {
			buf_add(out, text, len + 1);
			done = len;
		}
		text += done + 1;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* From a NAT model's file to the struct; nat_model_check.c has what cannot go together. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "sim/model/nat_model.h"
#include "sim/model/nat_model_check.h"
#include "sim/model/nat_model_raw.h"
#include "sim/model/nat_words.h"

/* RFC 4787, REQ-5: a UDP mapping must not expire in less than two minutes. */
#define DEFAULT_UDP_MS             120000u
/* RFC 5382, REQ-5: at least 2 hours 4 minutes established, 4 minutes transitory. */
#define DEFAULT_TCP_ESTABLISHED_MS 7440000u
#define DEFAULT_TCP_TRANSITORY_MS  240000u
/* What conntrack takes: seconds times HZ must fit 31 bits. */
#define TIMEOUT_MAX_S              1000000u
/* RFC 4787, REQ-3a keeps the well-known ports apart. */
#define DEFAULT_PORT_FIRST         1024
#define DEFAULT_PORT_LAST          65535

/* ---- words and numbers */

/* The value of a word, or the default where there is none or nobody knows. */
static int value_of(int raw, int by_default, enum nat_value value, unsigned *unknown)
{
	if (raw == NAT_WORD_UNKNOWN)
		*unknown |= 1u << value;
	return raw == 0 || raw == NAT_WORD_UNKNOWN || raw == NAT_WORD_NONE ? by_default : raw - 1;
}

/* Whole seconds, minutes or hours: "120s", "4m", "2h". */
static bool parse_timeout(const char *text, uint32_t *ret_ms)
{
	size_t digits = strspn(text, "0123456789");
	uint32_t unit_s;

	if (digits == 0 || digits > 7 || strlen(text) != digits + 1)
		return false;
	switch (text[digits]) {
	case 's':
		unit_s = 1;
		break;
	case 'm':
		unit_s = 60;
		break;
	case 'h':
		unit_s = 3600;
		break;
	default:
		return false;
	}

	unsigned long value = strtoul(text, NULL, 10);

	if (value == 0 || value > TIMEOUT_MAX_S / unit_s)
		return false;
	*ret_ms = (uint32_t)value * unit_s * 1000u;
	return true;
}

static int read_timeout(const struct yaml_source *src, const char *text, const char *path,
			enum nat_value value, unsigned *unknown, uint32_t *ret_ms, struct err *e)
{
	if (text != NULL && strcmp(text, "unknown") == 0) {
		*unknown |= 1u << value;
		return 0;
	}
	if (text == NULL || parse_timeout(text, ret_ms))
		return 0;
	return yaml_error(
		src, e, path,
		"\"%s\" is no timeout: it is a number of seconds, minutes or hours, as in "
		"120s, 4m, 2h, and %us at most",
		text, TIMEOUT_MAX_S);
}

static int read_timeouts(const struct yaml_source *src, const struct raw_timeouts *raw,
			 struct nat_model *m, struct err *e)
{
	static const struct raw_timeouts none = { .udp = NULL };
	int r;

	m->timeouts.udp_ms = DEFAULT_UDP_MS;
	m->timeouts.tcp_established_ms = DEFAULT_TCP_ESTABLISHED_MS;
	m->timeouts.tcp_transitory_ms = DEFAULT_TCP_TRANSITORY_MS;
	if (raw == NULL)
		raw = &none;
	r = read_timeout(src, raw->udp, "timeouts.udp", NAT_VALUE_UDP_TIMEOUT, &m->unknown,
			 &m->timeouts.udp_ms, e);
	m->timeouts.udp_unreplied_ms = m->timeouts.udp_ms;
	if (r == 0)
		r = read_timeout(src, raw->udp_unreplied, "timeouts.udp_unreplied",
				 NAT_VALUE_UDP_UNREPLIED, &m->unknown,
				 &m->timeouts.udp_unreplied_ms, e);
	if (r == 0)
		r = read_timeout(src, raw->tcp_established, "timeouts.tcp_established",
				 NAT_VALUE_TCP_ESTABLISHED, &m->unknown,
				 &m->timeouts.tcp_established_ms, e);
	if (r == 0)
		r = read_timeout(src, raw->tcp_transitory, "timeouts.tcp_transitory",
				 NAT_VALUE_TCP_TRANSITORY, &m->unknown,
				 &m->timeouts.tcp_transitory_ms, e);
	return r;
}

/* ---- from the file to the model */

/* What a transport has from the file in general, then what is its own. */
static void read_transport(const struct raw_model *raw, const struct raw_transport *own,
			   int unsolicited, struct nat_of *of)
{
	static const struct raw_ports no_ports = { .choose = 0 };
	static const struct raw_transport nothing = { .mapping = 0 };
	const struct raw_ports *ports = raw->ports != NULL ? raw->ports : &no_ports;
	const struct raw_transport *o = own != NULL ? own : &nothing;

	of->mapping = (enum nat_behavior)value_of(o->mapping != 0 ? o->mapping : raw->mapping,
						  raw->mapping == NAT_WORD_NONE
							  ? NAT_ENDPOINT_INDEPENDENT
							  : NAT_ADDRESS_AND_PORT_DEPENDENT,
						  NAT_VALUE_MAPPING, &of->unknown);
	of->filtering = (enum nat_behavior)value_of(
		o->filtering != 0 ? o->filtering : raw->filtering, NAT_ADDRESS_AND_PORT_DEPENDENT,
		NAT_VALUE_FILTERING, &of->unknown);
	of->choose =
		(enum nat_port_choice)value_of(o->choose != 0 ? o->choose : ports->choose,
					       NAT_PORTS_PRESERVE, NAT_VALUE_CHOOSE, &of->unknown);
	of->on_clash =
		(enum nat_on_clash)value_of(o->on_clash != 0 ? o->on_clash : ports->on_clash,
					    NAT_CLASH_RANDOM, NAT_VALUE_ON_CLASH, &of->unknown);
	of->overloads = own != NULL ? own->overloading : ports->overloading;
	of->unsolicited = (enum nat_unsolicited)value_of(unsolicited, NAT_UNSOLICITED_DROP,
							 NAT_VALUE_UNSOLICITED, &of->unknown);
}

static void read_ports(const struct yaml_source *src, const struct raw_ports *raw,
		       struct nat_model *m)
{
	m->ports.first = DEFAULT_PORT_FIRST;
	m->ports.last = DEFAULT_PORT_LAST;
	m->ports.step = 1;
	if (raw == NULL)
		return;
	if (raw->range != NULL) {
		m->ports.first = raw->range[0];
		m->ports.last = raw->range[1];
	}
	/* 0 is what stands there if there is none, and what someone may have written. */
	if (raw->step != 0 || yaml_has(src, "ports.step"))
		m->ports.step = raw->step;
	m->ports.block = raw->block;
	m->ports.quota = raw->quota;
	m->ports.parity = raw->parity;
}

static void read_forwards(const struct raw_model *raw, struct nat_model *m)
{
	if (raw->forwards == NULL)
		return;
	m->forwards = calloc(raw->forwards_count, sizeof(*m->forwards));
	assert(m->forwards != NULL);
	m->forwards_count = raw->forwards_count;
	for (unsigned i = 0; i < raw->forwards_count; i++) {
		const struct raw_forward *f = &raw->forwards[i];

		m->forwards[i] =
			(struct nat_forward){ .transport = (enum nat_transport)(f->transport - 1),
					      .port = f->port,
					      .host = f->host,
					      .host_port = f->host_port };
	}
}

static void read_sources(struct raw_model *raw, struct nat_model *m)
{
	if (raw->sources == NULL || raw->sources_count == 0)
		return;
	m->sources = calloc(raw->sources_count, sizeof(*m->sources));
	assert(m->sources != NULL);
	m->sources_count = raw->sources_count;
	for (unsigned i = 0; i < raw->sources_count; i++) {
		m->sources[i].text = steal_ptr(&raw->sources[i].text);
		for (unsigned k = 0; k < raw->sources[i].of_count; k++)
			m->sources[i].axes |= 1u << (raw->sources[i].of[k] - 1);
	}
}

static bool is_known(int raw)
{
	return raw != 0 && raw != NAT_WORD_UNKNOWN;
}

/* What the section of a transport says, as bits. */
static unsigned given_by(const struct raw_transport *own)
{
	if (own == NULL)
		return 0;
	bool ports = is_known(own->choose) || is_known(own->on_clash) || own->overloading;
	return (unsigned)is_known(own->mapping) << NAT_AXIS_MAPPING |
	       (unsigned)is_known(own->filtering) << NAT_AXIS_FILTERING |
	       (unsigned)ports << NAT_AXIS_PORTS;
}

static void read_given(const struct raw_model *raw, struct nat_model *m)
{
	const struct {
		enum nat_axis axis;
		bool given;
	} axes[] = {
		{ NAT_AXIS_MAPPING, is_known(raw->mapping) },
		{ NAT_AXIS_FILTERING, is_known(raw->filtering) },
		{ NAT_AXIS_PORTS, raw->ports != NULL },
		{ NAT_AXIS_POOL, raw->pool != NULL },
		{ NAT_AXIS_UNSOLICITED, raw->unsolicited != NULL },
		{ NAT_AXIS_HAIRPIN, is_known(raw->hairpin) },
		{ NAT_AXIS_TIMEOUTS, raw->timeouts != NULL },
		{ NAT_AXIS_REFRESH, is_known(raw->refresh) },
		{ NAT_AXIS_RST, is_known(raw->rst) },
		{ NAT_AXIS_ICMP_ERRORS, is_known(raw->icmp_errors) },
		{ NAT_AXIS_FORWARDS, raw->forwards != NULL },
		{ NAT_AXIS_BLOCKED, is_known(raw->blocked) },
		{ NAT_AXIS_RULESET, raw->ruleset != NULL },
	};

	for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++)
		m->given |= (unsigned)axes[i].given << axes[i].axis;
	m->given |= given_by(raw->udp) | given_by(raw->tcp);
}

static void read_router(const struct yaml_source *src, const struct raw_model *raw,
			struct nat_model *m)
{
	unsigned *unknown = &m->unknown;

	m->translates = raw->mapping != NAT_WORD_NONE;
	read_transport(raw, raw->udp, raw->unsolicited == NULL ? 0 : raw->unsolicited->udp,
		       &m->of[NAT_UDP]);
	read_transport(raw, raw->tcp, raw->unsolicited == NULL ? 0 : raw->unsolicited->tcp,
		       &m->of[NAT_TCP]);
	read_ports(src, raw->ports, m);
	m->pool.count = raw->pool == NULL ? 1 : raw->pool->addresses;
	m->pool.paired = value_of(raw->pool == NULL ? 0 : raw->pool->pairing, 0, NAT_VALUE_PAIRING,
				  unknown) == 0;
	m->hairpin = (enum nat_hairpin)value_of(raw->hairpin, NAT_HAIRPIN_OFF, NAT_VALUE_HAIRPIN,
						unknown);
	m->refresh = (enum nat_refresh)value_of(raw->refresh, NAT_REFRESH_BOTH, NAT_VALUE_REFRESH,
						unknown);
	m->rst = (enum nat_rst)value_of(raw->rst, NAT_RST_IGNORED, NAT_VALUE_RST, unknown);
	m->drops_icmp_errors = value_of(raw->icmp_errors, 0, NAT_VALUE_ICMP_ERRORS, unknown) != 0;
	m->blocked = (enum nat_blocked)value_of(raw->blocked, NAT_BLOCKS_NOTHING, NAT_VALUE_BLOCKED,
						unknown);
	read_forwards(raw, m);
}

/* It stands in a comment of the ruleset and in a row of a table. */
static int check_about(const struct yaml_source *src, const char *about, struct err *e)
{
	return strpbrk(about, "\r\n") == NULL ? 0
					      : yaml_error(src, e, "about", "about is one line");
}

int nat_model_parse(const char *file, const char *data, size_t len, struct nat_model *ret,
		    struct err *e)
{
	struct yaml_source src = { file, data, len };
	struct nat_model m = { .about = NULL };
	void *loaded = NULL;
	int r;

	r = yaml_load(&src, &nat_model_schema, &loaded, NULL, e);
	if (r < 0)
		return r;

	struct raw_model *raw = loaded;

	read_router(&src, raw, &m);
	read_given(raw, &m);
	r = yaml_source_name(&src, m.name, sizeof(m.name), e);
	if (r == 0)
		r = check_about(&src, raw->about, e);
	if (r == 0)
		r = read_timeouts(&src, raw->timeouts, &m, e);
	if (r == 0)
		r = nat_model_check(&src, &m, e);
	if (r == 0) {
		m.about = steal_ptr(&raw->about);
		m.ruleset_file = steal_ptr(&raw->ruleset);
		read_sources(raw, &m);
		*ret = m;
	} else {
		nat_model_fini(&m);
	}
	yaml_unload(&nat_model_schema, raw, 0);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_seen.h"

/* From where Linux takes the ports of sockets that ask for none
 * (Documentation/networking/ip-sysctl.rst, ip_local_port_range). */
#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_LAST  60999u

/* As peers/core/classify_judge.c has it: random ports as near to each other are of a block. */
#define BLOCK_PORTS_MAX 4096u

static bool is_blocked(const struct nat_model *m, enum nat_transport t)
{
	/* The rendezvous has another port than 443. */
	return m->blocked == NAT_BLOCKS_ALL_BUT_TCP_443 ||
	       (m->blocked == NAT_BLOCKS_UDP && t == NAT_UDP);
}

/* Between the two ten ports may look either way. */
#define RANDOM_PORTS_MIN 16384u

static const char *drawn(unsigned count)
{
	if (count > BLOCK_PORTS_MAX && count < RANDOM_PORTS_MIN)
		return NULL;
	return count <= BLOCK_PORTS_MAX ? nat_port_choice_name(NAT_PORTS_BLOCK)
					: nat_port_choice_name(NAT_PORTS_RANDOM);
}

static const char *ports_of(const struct nat_model *m, enum nat_port_choice choose)
{
	unsigned count = m->ports.last - m->ports.first + 1u;

	switch (choose) {
	case NAT_PORTS_RANDOM:
		return drawn(count);
	case NAT_PORTS_BLOCK:
		return drawn(m->ports.block);
	case NAT_PORTS_SEQUENTIAL:
	case NAT_PORTS_PRESERVE:
		break;
	}
	return nat_port_choice_name(choose);
}

/* What a router that preserves ports does with those of a host's fresh sockets. */
static enum nat_port_choice out_of_range(const struct nat_of *of)
{
	return of->on_clash == NAT_CLASH_SEQUENTIAL && !of->overloads ? NAT_PORTS_SEQUENTIAL
								      : NAT_PORTS_RANDOM;
}

static void see_ports(const struct nat_model *m, const struct nat_of *of, struct nat_seen *ret)
{
	enum nat_port_choice choose = of->choose;

	if (choose == NAT_PORTS_PRESERVE &&
	    (m->ports.last < EPHEMERAL_FIRST || m->ports.first > EPHEMERAL_LAST))
		choose = out_of_range(of);
	else if (choose == NAT_PORTS_PRESERVE &&
		 (m->ports.first > EPHEMERAL_FIRST || m->ports.last < EPHEMERAL_LAST))
		return;
	ret->ports = ports_of(m, choose);
	ret->step = choose == NAT_PORTS_SEQUENTIAL ? m->ports.step : 0;
}

struct nat_seen nat_seen_as(const struct nat_model *m, enum nat_transport t)
{
	static const struct nat_seen nothing = { NAT_SEEN_BLOCKED, NAT_SEEN_BLOCKED,
						 NAT_SEEN_BLOCKED, 0 };
	const struct nat_of *of = &m->of[t];
	struct nat_seen seen = { .mapping = nat_mapping_name(m, t),
				 .filtering = nat_behavior_name(of->filtering) };

	if (is_blocked(m, t))
		return nothing;
	if (!m->translates) {
		seen.ports = nat_port_choice_name(NAT_PORTS_PRESERVE);
		return seen;
	}
	see_ports(m, of, &seen);
	if (of->overloads && of->choose == NAT_PORTS_PRESERVE)
		seen.mapping = nat_behavior_name(NAT_ENDPOINT_INDEPENDENT);
	return seen;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_model.h"

#include <stdlib.h>

void nat_model_fini(struct nat_model *m)
{
	free(m->about);
	free(m->forwards);
	free(m->ruleset_file);
	free(m->ruleset);
	free(m->ruleset_path);
	for (unsigned i = 0; i < m->sources_count; i++)
		free(m->sources[i].text);
	free(m->sources);
	*m = (struct nat_model){ .about = NULL };
}

bool nat_model_is_sourced(const struct nat_model *m)
{
	unsigned sourced = 0;

	for (unsigned i = 0; i < m->sources_count; i++)
		sourced |= m->sources[i].axes == 0 ? ~0u : m->sources[i].axes;
	return (m->given & ~sourced) == 0;
}

bool nat_model_remembers(const struct nat_model *m)
{
	return m->translates || m->of[NAT_UDP].filtering != NAT_ENDPOINT_INDEPENDENT ||
	       m->of[NAT_TCP].filtering != NAT_ENDPOINT_INDEPENDENT;
}

bool nat_model_uses_ports(const struct nat_model *m, enum nat_port_choice choose)
{
	for (int t = 0; m->translates && t < NAT_TRANSPORTS; t++) {
		const struct nat_of *of = &m->of[t];
		bool clashes = of->choose == NAT_PORTS_PRESERVE && !of->overloads;

		if (of->choose == choose ||
		    (clashes && choose == NAT_PORTS_RANDOM && of->on_clash == NAT_CLASH_RANDOM) ||
		    (clashes && choose == NAT_PORTS_SEQUENTIAL &&
		     of->on_clash == NAT_CLASH_SEQUENTIAL))
			return true;
	}
	return false;
}

bool nat_model_differs(const struct nat_model *m)
{
	const struct nat_of *udp = &m->of[NAT_UDP], *tcp = &m->of[NAT_TCP];

	return udp->mapping != tcp->mapping || udp->filtering != tcp->filtering ||
	       udp->choose != tcp->choose || udp->on_clash != tcp->on_clash ||
	       udp->overloads != tcp->overloads;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/observe_source.h"

/* RFC 4787, REQ-9a: the sender's outside endpoint, which behind an endpoint-independent mapping is
 * known beforehand; else one of the router's addresses. */
enum observed_hairpin observed_source(const struct nat_model *m, uint32_t router_addr,
				      const struct observed_sender *from, struct endpoint seen)
{
	if (endpoint_is_none(seen))
		return HAIRPIN_NONE;
	if (endpoint_equal(seen, from->inside))
		return HAIRPIN_INTERNAL_SOURCE;
	if (from->has_one_outside ? endpoint_equal(seen, from->outside)
				  : seen.addr - router_addr < m->pool.count)
		return HAIRPIN_EXTERNAL_SOURCE;
	return HAIRPIN_OTHER_SOURCE;
}

bool observed_can_be_aimed_at(const struct nat_model *m)
{
	const struct nat_of *of = &m->of[NAT_TCP];

	return !m->translates || of->mapping == NAT_ENDPOINT_INDEPENDENT ||
	       (of->overloads && of->choose == NAT_PORTS_PRESERVE);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of a packet once it is known where it goes; see nat.c. */
#include <stddef.h>

#include "sim/twin/nat.h"

/* The chain "forwarded". */
bool twin_forward_may_pass(struct twin_passage *x)
{
	const struct nat_model *m = x->model;
	const struct twin_packet *p = x->p;

	if (m->translates && m->ports.quota > 0 && x->out == TWIN_OUTSIDE && x->flow != NULL &&
	    !x->is_established && x->way == TWIN_ORIGINAL && !x->flow->is_counted) {
		if (twin_flows_count(x->nat, x->now_us, p->from.addr) >= m->ports.quota)
			return false;
		x->flow->is_counted = true;
	}
	switch (m->blocked) {
	case NAT_BLOCKS_NOTHING:
		break;
	case NAT_BLOCKS_UDP:
		return p->protocol != TWIN_UDP;
	case NAT_BLOCKS_ALL_BUT_TCP_443:
		return p->protocol == TWIN_TCP &&
		       (x->out == TWIN_OUTSIDE ? p->to.port : p->from.port) == 443;
	}
	return true;
}

/* The chains "outbound", "clash" and "leak". Returns false if the packet must not leave. */
static bool translate_source(struct twin_passage *x)
{
	const struct nat_model *m = x->model;
	bool is_ours = prefix_contains(x->nat->config.inside, x->p->from.addr);

	if (x->flow == NULL)
		return x->out != TWIN_OUTSIDE || !m->translates;
	if (!x->is_confirmed && m->translates) {
		if (is_ours &&
		    (x->out == TWIN_OUTSIDE ||
		     (m->hairpin == NAT_HAIRPIN_EXTERNAL_SOURCE &&
		      twin_nat_has_address(x->nat, x->flow->tuples[TWIN_ORIGINAL].to.addr)))) {
			if (!twin_ports_translate(x))
				return false;
		} else {
			twin_ports_keep(x);
		}
	}
	x->p->from = x->way == TWIN_ORIGINAL ? x->flow->tuples[TWIN_REPLY].to
					     : x->flow->tuples[TWIN_ORIGINAL].to;
	return true;
}

/* The chain "ended" of rst.nft: what goes on without a new connection. */
static bool has_ended(const struct twin_passage *x)
{
	return x->model->translates && x->model->rst != NAT_RST_IGNORED && x->out == TWIN_OUTSIDE &&
	       x->p->protocol == TWIN_TCP && x->is_established &&
	       twin_table_find(&x->nat->owner_of, twin_port_key(TWIN_TCP, x->p->from.port),
			       x->now_us) == NULL;
}

enum twin_nat_action twin_forward(struct twin_passage *x)
{
	bool remembers = nat_model_remembers(x->model);

	if (!twin_forward_may_pass(x))
		return TWIN_NAT_DROPS;
	if (remembers) {
		if (!translate_source(x) || has_ended(x))
			return TWIN_NAT_DROPS;
		twin_filter_remember(x);
		if (x->model->translates && x->model->rst != NAT_RST_IGNORED &&
		    x->p->protocol == TWIN_TCP && (x->p->flags & TWIN_RST) != 0)
			twin_filter_forget(x);
		if (x->flow != NULL && !x->is_confirmed && !twin_flows_confirm(x))
			return TWIN_NAT_DROPS;
	}
	return TWIN_NAT_FORWARDS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A router whose measurements are made up. */
#ifndef NATSIM_TESTS_CONFORMANCE_ROUTER_H
#define NATSIM_TESTS_CONFORMANCE_ROUTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/experiment/conformance.h"

/* A router that keeps all of RFC 4787 and RFC 5382, as far as it can be measured. */
#define GOOD_WITH(timeouts)                                                          \
	"about: x\nmapping: endpoint-independent\nfiltering: endpoint-independent\n" \
	"timeouts: { " timeouts " }\nhairpin: external-source\n"
#define GOOD GOOD_WITH("udp: 300s, tcp_established: 7440s")

/* One that lets no UDP pass has no lifetimes for it. */
#define GOOD_WITHOUT_UDP GOOD_WITH("tcp_established: 7440s")

struct router {
	struct nat_model model;
	struct measurement measured[2];
	struct observations seen;
};

/* What is seen of it is that of a good one. */
static inline struct router router_of(const char *yaml)
{
	struct router r = { .seen = { .addresses = 1,
				      .keeps_parity = OBSERVED_YES,
				      .keeps_class = OBSERVED_YES,
				      .hairpin = HAIRPIN_EXTERNAL_SOURCE,
				      .refreshed_by_outbound = OBSERVED_YES,
				      .refreshed_by_inbound = OBSERVED_YES,
				      .hairpins = OBSERVED_YES,
				      .first = { .comes_about = OBSERVED_YES },
				      .again = { .comes_about = OBSERVED_YES },
				      .clashing = { .comes_about = OBSERVED_YES },
				      .fragments = OBSERVED_YES,
				      .reversed_in = OBSERVED_YES,
				      .reversed_out = OBSERVED_YES,
				      .too_big_is_told = OBSERVED_YES,
				      .too_big_is_cut = OBSERVED_YES,
				      .closing = { OBSERVED_YES, OBSERVED_YES },
				      .unreplied = { OBSERVED_YES, OBSERVED_YES },
				      .hairpins_from = HAIRPIN_EXTERNAL_SOURCE,
				      .opens_at_once = OBSERVED_YES } };
	struct err e = { .text = "" };

	if (nat_model_parse("x.yaml", yaml, strlen(yaml), &r.model, &e) < 0)
		fail_msg("%s", e.text);
	for (int t = 0; t < NAT_TRANSPORTS; t++) {
		r.measured[t] = (struct measurement){
			.tcp = t == NAT_TCP,
			.complete = true,
			.measured = { "endpoint-independent", "endpoint-independent", "preserve",
				      0 },
		};
		r.seen.of[t] = (struct observed_of){ .gets_through = true,
						     .shares_ports = OBSERVED_NO,
						     .unsolicited = ANSWER_NONE,
						     .icmp_gets_in = OBSERVED_YES,
						     .survives_icmp = OBSERVED_YES,
						     .life = { OBSERVED_YES, OBSERVED_YES } };
	}
	return r;
}

static inline const struct requirement *find(const struct requirement *r, size_t count,
					     const char *rfc, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(r[i].rfc, rfc) == 0 && strcmp(r[i].id, id) == 0)
			return &r[i];
	fail_msg("no %s, %s", rfc, id);
	return NULL;
}

static inline struct requirement row_of(const struct router *r, const char *rfc, const char *id)
{
	struct requirement card[REQUIREMENTS_MAX];
	size_t count = conformance_card(&r->model, r->measured, &r->seen, card);

	return *find(card, count, rfc, id);
}

static inline enum conformance result_of(const struct router *r, const char *rfc, const char *id)
{
	return row_of(r, rfc, id).result;
}

#endif

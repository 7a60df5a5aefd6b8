// SPDX-License-Identifier: GPL-2.0-or-later
/* RFC 5382, in its order. */
#include "sim/experiment/conformance_card.h"

/* REQ-5. */
#define ESTABLISHED_LEAST_S 7440u
#define TRANSITORY_LEAST_S  240u

static void add_openings(struct card *c)
{
	static const char *const unopened[] = {
		[UNOPENED_NOT_TRIED] = "nobody outside can aim at its ports",
		[UNOPENED_NO_FLOW] = "no connection told the outside endpoint",
		[UNOPENED_NOT_CROSSED] = "this machine was too busy for SYNs to cross",
	};
	const struct observations *seen = c->seen;
	const struct required r = {
		.id = "REQ-2a",
		.level = "MUST",
		.text = "a simultaneous open comes about",
		.needs = NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_MAPPING) |
			  REQUIREMENT_VALUE(NAT_VALUE_FILTERING) |
			  REQUIREMENT_VALUE(NAT_VALUE_UNSOLICITED),
	};

	requirement_add(c,
			&(struct required){ .id = "REQ-2",
					    .level = "MUST",
					    .text = "all valid sequences of TCP packets pass" },
			CONFORMANCE_NOT_MEASURED,
			"natsim sends those of REQ-2a and of a connection from inside");
	requirement_add(c, &r, requirement_met_if_seen(seen->opens_at_once), "%s",
			seen->opens_at_once == NOT_OBSERVED ? unopened[seen->unopened]
			: seen->opens_at_once == OBSERVED_YES
				? "SYNs crossed and both sides connected"
				: "the two sides did not connect");
}

static void add_stranger(struct card *c)
{
	static const char *const words[] = {
		[ANSWER_NOT_OBSERVED] = "it could not be observed",
		[ANSWER_NONE] = "no answer",
		[ANSWER_ICMP] = "an ICMP error at once",
		[ANSWER_RST] = "a reset at once",
		[ANSWER_CONNECTION] = "a connection",
	};
	enum observed_answer answer = c->seen->of[NAT_TCP].unsolicited;
	const struct required r = {
		.id = "REQ-4",
		.level = "MUST NOT",
		.text = "an unsolicited SYN is answered within 6 s (natsim waits for 0.3 s)",
		.needs = NEEDS_TRANSLATION | NEEDS_PACKETS,
		.values = REQUIREMENT_VALUE(NAT_VALUE_UNSOLICITED),
	};

	requirement_add(c, &r,
			answer == ANSWER_NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
						      : requirement_met_if(answer == ANSWER_NONE),
			"%s", words[answer]);
	requirement_add_none(c, "REQ-4a", "MUST", "silence if its policy forbids an answer",
			     "natsim models no such policy");
}

static void add_lives(struct card *c)
{
	const struct nat_timeouts *declared = &c->model->timeouts;
	struct required r = { .id = "REQ-5",
			      .level = "MUST NOT",
			      .text = "an established connection is forgotten within 2 h 4 min" };

	requirement_life(c, &r,
			 &(struct required_life){ declared->tcp_established_ms,
						  OBSERVE_TCP_ESTABLISHED_MS, ESTABLISHED_LEAST_S,
						  NAT_VALUE_TCP_ESTABLISHED,
						  &c->seen->of[NAT_TCP].life, "" });
	r.text = "a transitory connection is forgotten within 4 min";
	requirement_life(c, &r,
			 &(struct required_life){ declared->tcp_transitory_ms,
						  OBSERVE_TCP_TRANSITORY_MS, TRANSITORY_LEAST_S,
						  NAT_VALUE_TCP_TRANSITORY, &c->seen->closing,
						  "" });
	requirement_add_none(c, "REQ-5a", "MAY", "these times can be set", REQUIREMENT_AS_SET);
}

void requirements_of_tcp(struct card *c)
{
	requirement_mapping(c, "REQ-1");
	add_openings(c);
	requirement_filtering(c, "REQ-3");
	requirement_add_none(c, "REQ-3a", "MAY", "filtering can be set", REQUIREMENT_AS_SET);
	add_stranger(c);
	add_lives(c);
	requirement_add_none(c, "REQ-6", "REC", "application gateways are off but for FTP",
			     "natsim models none");
	requirement_sharing(c, "REQ-7");
	requirement_hairpin(c, "REQ-8", "REQ-8a");
	requirement_icmp_gets_in(c, "REQ-9", "SHOULD");
	requirement_icmp_survives(c, "REQ-10");
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/conformance_card.h"

/* RFC 5382, REQ-5. */
#define ESTABLISHED_LEAST_S 7440u
#define TRANSITORY_LEAST_S  240u

static void add_stranger(struct card *c)
{
	static const char *const words[] = {
		[ANSWER_NOT_OBSERVED] = "it has no address of its own, or nothing came through",
		[ANSWER_NONE] = "none within 0.3 s",
		[ANSWER_ICMP] = "an ICMP error at once",
		[ANSWER_RST] = "a reset at once",
	};
	enum observed_answer answer = c->seen->of[NAT_TCP].unsolicited;

	requirement_add(c, "REQ-4", "MUST NOT", "an unsolicited SYN is answered within 6 s",
			answer == ANSWER_NOT_OBSERVED ? CONFORMANCE_NOT_MEASURED
						      : requirement_met_if(answer == ANSWER_NONE),
			"%s", words[answer]);
}

static void add_lives(struct card *c)
{
	const struct nat_timeouts *declared = &c->model->timeouts;

	requirement_life(
		c, "REQ-5", "MUST NOT", "an established connection is forgotten within 2 h 4 min",
		&(struct required_life){ declared->tcp_established_ms, OBSERVE_TCP_ESTABLISHED_MS,
					 ESTABLISHED_LEAST_S, NAT_VALUE_TCP_ESTABLISHED,
					 &c->seen->of[NAT_TCP].life });
	requirement_life(c, "REQ-5", "MUST NOT",
			 "a transitory connection is forgotten within 4 min",
			 &(struct required_life){ declared->tcp_transitory_ms,
						  OBSERVE_TCP_TRANSITORY_MS, TRANSITORY_LEAST_S,
						  NAT_VALUE_TCP_TRANSITORY, &c->seen->closing });
}

void requirements_of_tcp(struct card *c)
{
	const struct observations *seen = c->seen;

	requirement_mapping(c, "REQ-1");
	requirement_add(c, "REQ-2", "MUST", "a simultaneous open comes about",
			requirement_met_if_seen(seen->opens_at_once), "%s",
			seen->opens_at_once == NOT_OBSERVED
				? "nobody can aim at its ports, or nothing came through"
			: seen->opens_at_once == OBSERVED_YES
				? "SYNs crossed and both sides connected"
				: "the two sides did not connect");
	requirement_filtering(c, "REQ-3");
	add_stranger(c);
	add_lives(c);
	requirement_add(c, "REQ-6", "REC", "application gateways are off but for FTP",
			CONFORMANCE_NOT_APPLICABLE, "natsim models none");
	requirement_sharing(c, "REQ-7");
	if (!c->model->translates)
		requirement_add(c, "REQ-8", "MUST",
				"hosts behind it connect to each other's outside endpoints",
				CONFORMANCE_NOT_APPLICABLE, "it does not translate");
	else
		requirement_add(
			c, "REQ-8", "MUST",
			"hosts behind it connect to each other's outside endpoints",
			requirement_met_if_seen(seen->hairpins), "%s",
			requirement_words(seen->hairpins, "one connected", "none connected"));
	requirement_icmp(c, "REQ-10", "REQ-9", "SHOULD");
}

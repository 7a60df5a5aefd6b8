// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As observe.c and its sisters look at a router of the lab, so is one of the twin looked at here,
 * with packets in place of sockets. Each observation begins with a router that knows nothing. The
 * twin has no fragments, so what is observed of those is left as it is.
 */
#include "sim/experiment/observe_twin.h"

#include "lib/cleanup.h"
#include "sim/experiment/observe_source.h"
#include "sim/experiment/observe_twin_play.h"
#include "sim/experiment/twin.h"

#define CLASS_LAST     1023u
#define HAIRPIN_GAP_US 100000u

/* Of the two hosts that want the same, and of the first one's other port. */
#define AGAIN_PORT       45000u
#define AGAIN_OTHER_PORT 45001u

/* ---- ports */

void play_observe_sharing(struct play *p, enum nat_transport t, struct observed_of *ret)
{
	struct play_flow a, b;

	play_reset(p);
	bool a_there = play_flow_open(p, &(struct play_open){ t, 0, OBSERVE_SHARED_PORT, 0 }, &a);
	bool b_there = play_flow_open(p, &(struct play_open){ t, 1, OBSERVE_SHARED_PORT, 1 }, &b);
	ret->gets_through = a_there || b_there;
	if (a_there && b_there)
		ret->shares_ports = observed(endpoint_equal(a.outside, b.outside));
}

static void note_address(uint32_t addr, uint32_t *seen, unsigned *count)
{
	for (unsigned i = 0; i < *count; i++)
		if (seen[i] == addr)
			return;
	seen[(*count)++] = addr;
}

static void observe_parity(struct play *p, struct observations *ret)
{
	uint32_t seen[OBSERVE_SAMPLES];
	bool kept = true;

	play_reset(p);
	for (unsigned i = 0; i < OBSERVE_SAMPLES; i++) {
		struct play_open how = { NAT_UDP, 0, (uint16_t)(OBSERVE_PARITY_PORT + i), 0 };
		struct play_flow f;

		if (!play_flow_open(p, &how, &f))
			return;
		kept &= f.outside.port % 2 == f.inside.port % 2;
		note_address(f.outside.addr, seen, &ret->addresses);
	}
	ret->keeps_parity = observed(kept);
}

static void observe_class(struct play *p, struct observations *ret)
{
	struct play_flow low, high;

	play_reset(p);
	if (play_flow_open(p, &(struct play_open){ NAT_UDP, 0, OBSERVE_WELL_KNOWN_PORT, 0 },
			   &low) &&
	    play_flow_open(p, &(struct play_open){ NAT_UDP, 0, OBSERVE_OTHER_PORT, 0 }, &high))
		ret->keeps_class =
			observed(low.outside.port <= CLASS_LAST && high.outside.port > CLASS_LAST);
}

/* ---- strangers, and hosts behind the same router */

/* Whether an ICMP error came to the sender of a packet. */
static bool is_told(const struct puppet *sender, struct endpoint from, struct endpoint to)
{
	const struct twin_packet *error =
		play_came(sender, TWIN_ICMP, (struct endpoint){ from.addr, 0 });

	return error != NULL && endpoint_equal(error->quote.from, from) &&
	       endpoint_equal(error->quote.to, to);
}

void play_observe_stranger(struct play *p, enum nat_transport t, struct observed_of *ret)
{
	struct endpoint from = play_fresh(p, p->server_addrs[0]),
			to = { p->router_addr, OBSERVE_FREE_PORT };
	struct twin_packet packet =
		t == NAT_UDP ? play_datagram(from, to)
			     : play_segment(from, to, TWIN_SYN, PLAY_SERVER_SEQUENCE, 0);

	play_reset(p);
	play_send(p, &p->server, &packet);
	const struct twin_packet *reset = play_came(&p->server, TWIN_TCP, from);
	const size_t taken = p->hosts[0].count + p->hosts[1].count;
	ret->unsolicited = ANSWER_NONE;
	if (is_told(&p->server, from, to))
		ret->unsolicited = ANSWER_ICMP;
	else if (reset != NULL && reset->flags == (TWIN_RST | TWIN_ACK) &&
		 reset->acknowledgement == PLAY_SERVER_SEQUENCE + 1 &&
		 endpoint_equal(reset->from, to))
		ret->unsolicited = ANSWER_RST;
	else if (taken > 0)
		ret->unsolicited = ANSWER_CONNECTION;
}

void play_observe_sender(struct play *p, enum nat_transport t, struct observed_sender *ret)
{
	struct play_open how = { .transport = t, .port = OBSERVE_HAIRPIN_PORT };
	struct play_flow first, second;

	bool first_there = play_flow_open(p, &how, &first);
	how.server_addr = 1;
	bool second_there = play_flow_open(p, &how, &second);
	*ret = (struct observed_sender){
		.inside = { p->host_addrs[0], OBSERVE_HAIRPIN_PORT },
		.outside = first.outside,
		.has_one_outside = first_there && second_there &&
				   endpoint_equal(first.outside, second.outside),
	};
}

/* Host 0 sends to the outside endpoint of host 1. */
static void observe_hairpin(struct play *p, struct observations *ret)
{
	struct endpoint seen = { 0, 0 };
	struct observed_sender sender;
	struct play_flow b;

	play_reset(p);
	play_observe_sender(p, NAT_UDP, &sender);
	if (!play_flow_open(p, &(struct play_open){ NAT_UDP, 1, 0, 0 }, &b))
		return;
	struct twin_packet packet = play_datagram(sender.inside, b.outside);
	for (unsigned i = 0; i < OBSERVE_HAIRPINS && endpoint_is_none(seen); i++) {
		play_send(p, &p->hosts[0], &packet);
		const struct twin_packet *came = play_came(&p->hosts[1], TWIN_UDP, b.inside);

		if (came != NULL)
			seen = came->from;
		play_wait(p, HAIRPIN_GAP_US);
	}
	ret->hairpin = observed_source(p->model, p->router_addr, &sender, seen);
}

/* An error as if the server's side had refused a packet of the flow. */
void play_observe_icmp(struct play *p, enum nat_transport t, struct observed_of *ret)
{
	struct play_flow f;

	play_reset(p);
	if (!play_flow_open(p, &(struct play_open){ t, 0, 0, 0 }, &f))
		return;
	struct twin_packet error = {
		.protocol = TWIN_ICMP,
		.ttl = TWIN_TTL,
		.from = { f.server.addr, 0 },
		.to = { f.outside.addr, 0 },
		.quote = { t == NAT_TCP ? TWIN_NET_UNREACHABLE : TWIN_PORT_UNREACHABLE,
			   t == NAT_TCP ? TWIN_TCP : TWIN_UDP, f.outside, f.server },
	};
	play_send(p, &p->server, &error);
	ret->icmp_gets_in = observed(is_told(&p->hosts[0], f.inside, f.server));
	ret->survives_icmp = observed(play_flow_gets_in(p, &f));
}

/* ---- RFC 4787, REQ-11: see observe_again.c */

/* Where on the server. Who knocks is somebody that the host does not send to: a router may hold it
 * against him. */
enum place { OF_HOST_0, OF_HOST_1, SAME_ADDRESS, KNOCKS, OTHER_ADDRESS, KNOCKS_FROM_OTHER, PLACES };

static bool gets_in(struct play *p, struct endpoint from, struct endpoint outside,
		    struct endpoint inside)
{
	struct twin_packet packet = play_datagram(from, outside);
	const struct puppet *host = &p->hosts[inside.addr == p->host_addrs[0] ? 0 : 1];

	play_send(p, &p->server, &packet);
	return play_came(host, TWIN_UDP, inside) != NULL;
}

static void look(struct play *p, const struct endpoint places[static PLACES],
		 struct endpoint inside, struct observed_mapping *ret)
{
	unsigned host = inside.addr == p->host_addrs[0] ? 0 : 1;
	struct endpoint first, same, other;

	*ret = (struct observed_mapping){ .comes_about = OBSERVED_NO };
	if (!play_reach(p, host, inside, places[host == 0 ? OF_HOST_0 : OF_HOST_1], &first))
		return;
	if (gets_in(p, places[KNOCKS_FROM_OTHER], first, inside))
		ret->filtering = NAT_ENDPOINT_INDEPENDENT;
	else
		ret->filtering = gets_in(p, places[KNOCKS], first, inside)
					 ? NAT_ADDRESS_DEPENDENT
					 : NAT_ADDRESS_AND_PORT_DEPENDENT;
	if (!play_reach(p, host, inside, places[SAME_ADDRESS], &same) ||
	    !play_reach(p, host, inside, places[OTHER_ADDRESS], &other))
		return;
	ret->comes_about = OBSERVED_YES;
	ret->keeps_port = first.port == inside.port;
	if (!endpoint_equal(first, same))
		ret->mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
	else if (!endpoint_equal(first, other))
		ret->mapping = NAT_ADDRESS_DEPENDENT;
}

static void observe_again(struct play *p, struct observations *ret)
{
	struct endpoint places[PLACES];

	play_reset(p);
	for (unsigned i = 0; i < PLACES; i++)
		places[i] = play_fresh(p, p->server_addrs[i < OTHER_ADDRESS ? 0 : 1]);
	look(p, places, (struct endpoint){ p->host_addrs[0], AGAIN_PORT }, &ret->first);
	look(p, places, (struct endpoint){ p->host_addrs[1], AGAIN_PORT }, &ret->clashing);
	look(p, places, (struct endpoint){ p->host_addrs[0], AGAIN_OTHER_PORT }, &ret->again);
}

/* ---- the whole */

static void observe_udp(struct play *p, struct observations *ret)
{
	struct observed_of *of = &ret->of[NAT_UDP];

	play_observe_sharing(p, NAT_UDP, of);
	if (!of->gets_through)
		return;
	if (p->model->translates) {
		play_observe_stranger(p, NAT_UDP, of);
		observe_parity(p, ret);
		observe_class(p, ret);
		observe_hairpin(p, ret);
	}
	play_observe_icmp(p, NAT_UDP, of);
	observe_again(p, ret);
}

int observe_in_twin(const struct stage *stage, uint64_t seed, struct observations *ret,
		    struct err *e)
{
	struct play p;
	int code = twin_check(stage, e);

	if (code < 0)
		return code;
	*ret = (struct observations){ .in_twin = true };
	play_open(&p, stage, seed);
	observe_udp(&p, ret);
	play_observe_tcp(&p, ret);
	if (nat_model_remembers(p.model))
		play_observe_lives(&p, ret);
	play_close(&p);
	return 0;
}

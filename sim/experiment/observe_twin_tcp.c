// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/observe_twin_play.h"

/* How often a simultaneous open or a hairpinned one is tried. */
#define OPENS 5u

static bool is_syn(const struct twin_packet *p, struct endpoint from)
{
	return p != NULL && p->flags == TWIN_SYN && endpoint_equal(p->from, from);
}

static bool is_syn_ack(const struct twin_packet *p, struct endpoint from, uint32_t acknowledgement)
{
	return p != NULL && p->flags == (TWIN_SYN | TWIN_ACK) && endpoint_equal(p->from, from) &&
	       p->acknowledgement == acknowledgement;
}

/* A connection that the host and another address of the server begin at the same time. */
struct crossing {
	struct play *p;
	struct endpoint inside, outside, server;
};

/* The host's SYN-ACK, or SYN, has come to a server that waits for it: what follows until both sides
 * are connected. The server answers with a SYN-ACK. */
static bool server_answers(const struct crossing *c)
{
	struct twin_packet syn_ack = play_segment(c->server, c->outside, TWIN_SYN | TWIN_ACK,
						  PLAY_SERVER_SEQUENCE, PLAY_HOST_SEQUENCE + 1);
	struct twin_packet ack = play_segment(c->inside, c->server, TWIN_ACK,
					      PLAY_HOST_SEQUENCE + 1, PLAY_SERVER_SEQUENCE + 1);

	play_send(c->p, &c->p->server, &syn_ack);
	if (!is_syn_ack(play_came(&c->p->hosts[0], TWIN_TCP, c->inside), c->server,
			PLAY_HOST_SEQUENCE + 1))
		return false;
	play_send(c->p, &c->p->hosts[0], &ack);
	return play_came(&c->p->server, TWIN_TCP, c->server) != NULL;
}

/* RFC 9293, figure 8: each side answers the other's SYN with a SYN-ACK. */
static bool host_answers(const struct crossing *c)
{
	struct twin_packet syn_ack = play_segment(c->inside, c->server, TWIN_SYN | TWIN_ACK,
						  PLAY_HOST_SEQUENCE, PLAY_SERVER_SEQUENCE + 1);

	play_send(c->p, &c->p->hosts[0], &syn_ack);
	return is_syn_ack(play_came(&c->p->server, TWIN_TCP, c->server), c->outside,
			  PLAY_SERVER_SEQUENCE + 1) &&
	       server_answers(c);
}

/*
 * RFC 5382, REQ-2, as observe_tcp.c has it: where the server's SYN gets in anyway, both are sent at
 * once; else it is refused first, with whatever answer the router has. A reset and an ICMP error
 * end a connection that is being opened.
 */
enum open { OPEN_MADE, OPEN_FAILED, OPEN_NO_FLOW };

static enum open made_if(bool made)
{
	return made ? OPEN_MADE : OPEN_FAILED;
}

static enum open open_at_once(struct play *p)
{
	struct crossing c = { .p = p };
	struct play_flow known;

	play_reset(p);
	if (!play_flow_open(p, &(struct play_open){ NAT_TCP, 0, 0, 0 }, &known))
		return OPEN_NO_FLOW;
	c.server = play_fresh(p, p->server_addrs[1]);
	c.inside = known.inside;
	c.outside = known.outside;
	struct twin_packet in =
		play_segment(c.server, c.outside, TWIN_SYN, PLAY_SERVER_SEQUENCE, 0);
	struct twin_packet out = play_segment(c.inside, c.server, TWIN_SYN, PLAY_HOST_SEQUENCE, 0);
	if (p->model->of[NAT_TCP].filtering != NAT_ENDPOINT_INDEPENDENT) {
		play_send(p, &p->server, &in);
		if (p->server.count > 0)
			return OPEN_FAILED;
		play_send(p, &p->hosts[0], &out);
		return made_if(is_syn(play_came(&p->server, TWIN_TCP, c.server), c.outside) &&
			       server_answers(&c));
	}
	play_send(p, &p->server, &in);
	bool came_in = is_syn(play_came(&p->hosts[0], TWIN_TCP, c.inside), c.server);
	play_send(p, &p->hosts[0], &out);
	bool came_out = is_syn(play_came(&p->server, TWIN_TCP, c.server), c.outside);
	return made_if(came_in && came_out && host_answers(&c));
}

static bool hairpins(struct play *p, struct endpoint from, const struct play_flow *b,
		     struct endpoint *ret_seen)
{
	struct twin_packet syn = play_segment(from, b->outside, TWIN_SYN, PLAY_HOST_SEQUENCE, 0);

	play_send(p, &p->hosts[0], &syn);
	const struct twin_packet *came = play_came(&p->hosts[1], TWIN_TCP, b->inside);
	if (came == NULL || came->flags != TWIN_SYN)
		return false;
	*ret_seen = came->from;
	struct twin_packet syn_ack = play_segment(b->inside, *ret_seen, TWIN_SYN | TWIN_ACK,
						  PLAY_SERVER_SEQUENCE, PLAY_HOST_SEQUENCE + 1);
	play_send(p, &p->hosts[1], &syn_ack);
	return is_syn_ack(play_came(&p->hosts[0], TWIN_TCP, from), b->outside,
			  PLAY_HOST_SEQUENCE + 1);
}

/* RFC 5382, REQ-8. Host 1 listens where it has a mapping, and host 0 connects to that one's outside
 * endpoint. */
static void observe_hairpin(struct play *p, struct observations *ret)
{
	struct observed_sender sender;
	struct endpoint seen;
	struct play_flow b;
	bool came = false;

	play_reset(p);
	play_observe_sender(p, NAT_TCP, &sender);
	if (!play_flow_open(p, &(struct play_open){ NAT_TCP, 1, 0, 0 }, &b))
		return;
	for (unsigned i = 0; i < OPENS && !came; i++)
		came = hairpins(p, sender.inside, &b, &seen);
	ret->hairpins = observed(came);
	if (came)
		ret->hairpins_from = observed_source(p->model, p->router_addr, &sender, seen);
}

static void observe_simultaneous_open(struct play *p, struct observations *ret)
{
	enum open open = OPEN_NO_FLOW;
	bool failed = false;

	for (unsigned i = 0; i < OPENS && open != OPEN_MADE; i++) {
		open = open_at_once(p);
		failed |= open == OPEN_FAILED;
	}
	if (open == OPEN_MADE || failed)
		ret->opens_at_once = observed(open == OPEN_MADE);
	else
		ret->unopened = UNOPENED_NO_FLOW;
}

void play_observe_tcp(struct play *p, struct observations *ret)
{
	struct observed_of *of = &ret->of[NAT_TCP];

	play_observe_sharing(p, NAT_TCP, of);
	if (!of->gets_through)
		return;
	if (p->model->translates) {
		play_observe_stranger(p, NAT_TCP, of);
		observe_hairpin(p, ret);
	}
	play_observe_icmp(p, NAT_TCP, of);
	if (observed_can_be_aimed_at(p->model))
		observe_simultaneous_open(p, ret);
}

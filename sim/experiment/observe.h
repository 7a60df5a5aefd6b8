/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What natsim sees of a router with sockets of its own on both sides of it, beyond what a peer can
 * classify from inside: who shares ports, how long a mapping lives and what keeps it alive, what
 * becomes of strangers' packets, of packets to the router from inside, and of ICMP errors.
 *
 * The lab is of the topology one-home: two hosts behind the router, and the server with two
 * addresses. Its timeouts are OBSERVE_UDP_MS and the like.
 */
#ifndef NATSIM_SIM_EXPERIMENT_OBSERVE_H
#define NATSIM_SIM_EXPERIMENT_OBSERVE_H

#include "sim/experiment/stage.h"

#define OBSERVE_TOPOLOGY "one-home"

/* A mapping's life in the lab. Conntrack knows whole seconds only. */
#define OBSERVE_UDP_MS             2000u
#define OBSERVE_TCP_TRANSITORY_MS  2000u
#define OBSERVE_TCP_ESTABLISHED_MS 3000u
/* Of a UDP flow that nobody has answered: another than OBSERVE_UDP_MS, to tell one from the other.
 */
#define OBSERVE_UDP_UNREPLIED_MS   3000u

/* A mapping must still be there at its life less this part of it, and gone at its life and this. */
#define OBSERVE_TOLERANCE 0.1

/* A busy machine may not ask in time whether it is. What was asked late says nothing and is asked
 * again, in so many rounds at most; each takes little more than the longest life. */
#define OBSERVE_ROUNDS 5u

/* Two hosts' common source port. */
#define OBSERVE_SHARED_PORT 41000u

/* A host's ports from OBSERVE_PARITY_PORT on: by chance a router keeps the parity of so many once
 * in 4096 times. */
#define OBSERVE_SAMPLES     12u
#define OBSERVE_PARITY_PORT 42000u

/* RFC 4787, REQ-3a: ports below 1024 are a class of their own. */
#define OBSERVE_WELL_KNOWN_PORT 700u
#define OBSERVE_OTHER_PORT      43000u

/* How long an unsolicited packet's sender listens. */
#define OBSERVE_SILENCE_US 300000u

/* Of a router's; no service and no mapping has it. */
#define OBSERVE_FREE_PORT 9u

enum observed { NOT_OBSERVED, OBSERVED_NO, OBSERVED_YES };

static inline enum observed observed(bool yes)
{
	return yes ? OBSERVED_YES : OBSERVED_NO;
}

enum observed_answer {
	ANSWER_NOT_OBSERVED,
	ANSWER_NONE,
	ANSWER_ICMP,
	ANSWER_RST,
	ANSWER_CONNECTION /* somebody took it */
};

enum observed_hairpin {
	HAIRPIN_NOT_OBSERVED,
	HAIRPIN_NONE,
	HAIRPIN_INTERNAL_SOURCE,
	HAIRPIN_EXTERNAL_SOURCE,
	HAIRPIN_OTHER_SOURCE /* neither the sender's, inside or outside */
};

/* Why no simultaneous open was observed. */
enum unopened {
	UNOPENED_NOT_TRIED,   /* nobody outside can aim at the router's ports, or see below */
	UNOPENED_NO_FLOW,     /* the connection that tells the outside endpoint never came about */
	UNOPENED_NOT_CROSSED, /* each time the host began after the server's SYN had come */
};

/* Of a mapping. */
struct observed_life {
	enum observed alive; /* shortly before the end of its life */
	enum observed gone;  /* shortly after it */
};

/* Of one transport. */
struct observed_of {
	/* A host behind the router reached the server at all; else nothing more is observed. */
	bool gets_through;
	/* Two hosts with the same source port get the same outside port, towards different
	 * destinations. */
	enum observed shares_ports;
	enum observed_answer unsolicited;
	enum observed icmp_gets_in;  /* an ICMP error about a packet of the mapping */
	enum observed survives_icmp; /* the mapping, and over TCP the connection */
	struct observed_life life;   /* over TCP of an established connection */
};

/* A host's mapping as RFC 4787 describes it, towards the same places. */
struct observed_mapping {
	enum observed comes_about;
	enum nat_behavior mapping, filtering;
	bool keeps_port;
};

struct observations {
	/* It is a router of the twin: lifetimes are the model's own, and of fragments nothing is
	 * observed, since the twin has none. */
	bool in_twin;

	struct observed_of of[NAT_TRANSPORTS];

	/* Over UDP. */
	unsigned addresses;         /* outside ones, that a host's sockets were seen from */
	enum observed keeps_parity; /* of a host's ports */
	enum observed keeps_class;  /* well-known or not */
	enum observed_hairpin hairpin;
	struct observed_life unreplied; /* a mapping's that nobody answers, if it shares ports */
	enum observed refreshed_by_outbound, refreshed_by_inbound;
	/* One host's, the same with another port, and another host's with the port of the first. */
	struct observed_mapping first, again, clashing;
	enum observed fragments;                 /* of a datagram of 3000 bytes, get in */
	enum observed reversed_in, reversed_out; /* the last fragment first: they get through */
	enum observed too_big_is_told; /* a packet that must not be fragmented: its sender is */
	enum observed too_big_is_cut;  /* one that may: it gets out in fragments */

	/* Over TCP. */
	struct observed_life closing; /* of a connection that one side has closed */
	enum observed hairpins;       /* one to another host's outside endpoint comes about */
	enum observed_hairpin hairpins_from; /* whom the other host takes it to come from */
	enum observed opens_at_once;         /* a simultaneous open comes about */
	enum unopened unopened;              /* if that was not observed */
};

/* Fails only if the lab does. What could not be observed is left so. */
int observe_router(const struct stage *stage, struct lab *lab, struct observations *ret,
		   struct err *e);

#endif

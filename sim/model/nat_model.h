/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NAT model: what one router does, in the terms of RFC 4787 and RFC 5382, as read from a YAML
 * file in nat_models/. The same struct is what the ruleset is made from, what a measurement is
 * compared with, and what the oracle computes from. docs/nat-models.md has each word's meaning.
 */
#ifndef NATSIM_SIM_MODEL_NAT_MODEL_H
#define NATSIM_SIM_MODEL_NAT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define NAT_NAME_SIZE 64

/* Ports that are handed out in another order than upwards by one are elements of a map that is
 * loaded with the ruleset. */
#define NAT_LISTED_PORTS_MAX 4096u
/* Two peers and a few connections each must find room, or nothing can be measured. */
#define NAT_PORTS_MIN        16u
#define NAT_POOL_MAX         8u
/* Subscribers of a router that gives each a block of ports. */
#define NAT_BLOCKS_MAX       64u

enum nat_transport { NAT_UDP, NAT_TCP };
#define NAT_TRANSPORTS 2

/* RFC 4787, sections 4.1 (mapping) and 5 (filtering). */
enum nat_behavior {
	NAT_ENDPOINT_INDEPENDENT,
	NAT_ADDRESS_DEPENDENT,
	NAT_ADDRESS_AND_PORT_DEPENDENT,
};

/* RFC 4787, section 4.2. */
enum nat_port_choice {
	NAT_PORTS_PRESERVE, /* the inside port, as long as it is free */
	NAT_PORTS_RANDOM,
	NAT_PORTS_SEQUENTIAL, /* the next of the range, one for each new mapping */
	NAT_PORTS_BLOCK,      /* a random one of those that only this subscriber uses (RFC 6888) */
};

/* What a router that preserves ports does where the inside port is not free. */
enum nat_on_clash {
	NAT_CLASH_RANDOM,
	NAT_CLASH_SEQUENTIAL,
	NAT_CLASH_SAME_CLASS, /* a random one of 1-511, 512-1023 or 1024-65535, as the inside one */
	NAT_CLASH_DROP,
};

/* What happens to an unsolicited packet that filtering refuses. */
enum nat_unsolicited {
	NAT_UNSOLICITED_DROP,
	NAT_UNSOLICITED_ICMP,   /* ICMP port unreachable */
	NAT_UNSOLICITED_ACCEPT, /* by the router's own stack, which remembers the flow as its own */
	NAT_UNSOLICITED_BLOCK,  /* dropped, and its sender is refused there for a lifetime */
	NAT_UNSOLICITED_RST,    /* TCP only */
};

/* RFC 4787, section 6: what a host sees of another one behind the same router. */
enum nat_hairpin { NAT_HAIRPIN_OFF, NAT_HAIRPIN_INTERNAL_SOURCE, NAT_HAIRPIN_EXTERNAL_SOURCE };

/* RFC 4787, REQ-6: which packets make a mapping live longer. */
enum nat_refresh { NAT_REFRESH_BOTH, NAT_REFRESH_OUTBOUND, NAT_REFRESH_INBOUND, NAT_REFRESH_NONE };

/* What a TCP reset does to a mapping (RFC 7857, section 2.2). */
enum nat_rst { NAT_RST_IGNORED, NAT_RST_IN_WINDOW, NAT_RST_ANY };

enum nat_blocked { NAT_BLOCKS_NOTHING, NAT_BLOCKS_UDP, NAT_BLOCKS_ALL_BUT_TCP_443 };

/* The values that nobody may know. */
enum nat_value {
	NAT_VALUE_MAPPING,
	NAT_VALUE_FILTERING,
	NAT_VALUE_CHOOSE,
	NAT_VALUE_ON_CLASH,
	NAT_VALUE_UNSOLICITED,
	NAT_VALUE_PAIRING,
	NAT_VALUE_HAIRPIN,
	NAT_VALUE_UDP_TIMEOUT,
	NAT_VALUE_UDP_UNREPLIED,
	NAT_VALUE_TCP_ESTABLISHED,
	NAT_VALUE_TCP_TRANSITORY,
	NAT_VALUE_REFRESH,
	NAT_VALUE_RST,
	NAT_VALUE_ICMP_ERRORS,
	NAT_VALUE_BLOCKED,
};

/* The keys of a model's file that a source can be of. */
enum nat_axis {
	NAT_AXIS_MAPPING,
	NAT_AXIS_FILTERING,
	NAT_AXIS_PORTS,
	NAT_AXIS_POOL,
	NAT_AXIS_UNSOLICITED,
	NAT_AXIS_HAIRPIN,
	NAT_AXIS_TIMEOUTS,
	NAT_AXIS_REFRESH,
	NAT_AXIS_RST,
	NAT_AXIS_ICMP_ERRORS,
	NAT_AXIS_FORWARDS,
	NAT_AXIS_BLOCKED,
	NAT_AXIS_RULESET,
};
#define NAT_AXES (NAT_AXIS_RULESET + 1)

/* What may differ between UDP and TCP. */
struct nat_of {
	enum nat_behavior mapping, filtering;
	enum nat_port_choice choose;
	enum nat_on_clash on_clash; /* of NAT_PORTS_PRESERVE */
	/* Mappings share an outside port as long as their destinations differ (RFC 4787, section
	 * 4.2.1; "port overlapping" in RFC 7857). Only with address and port-dependent mapping and
	 * filtering. */
	bool overloads;
	enum nat_unsolicited unsolicited;
	unsigned unknown; /* bits, 1 << enum nat_value: of the values above, as in nat_model */
};

/* An outside port that always leads to an inside one. */
struct nat_forward {
	enum nat_transport transport;
	uint16_t port;      /* outside */
	unsigned host;      /* the last part of the inside address, as in 10.1.0.<host> */
	uint16_t host_port; /* inside */
};

/* How long a mapping lives, in milliseconds: a model's file has seconds, of which a measurement
 * makes less. */
struct nat_timeouts {
	uint32_t udp_ms, tcp_established_ms, tcp_transitory_ms;
	/* Of flows nobody has answered yet; udp_ms unless UDP mappings share ports. */
	uint32_t udp_unreplied_ms;
};

struct nat_source {
	unsigned axes; /* bits, 1 << enum nat_axis; 0: of the model as a whole */
	char *text;    /* heap */
};

struct nat_model {
	char name[NAT_NAME_SIZE]; /* the file's name without directory and .yaml */
	char *about;              /* heap; one line */
	bool translates; /* false: "mapping: none", a router that only routes and filters */
	struct nat_of of[NAT_TRANSPORTS];
	struct {
		uint16_t first, last; /* the range outside ports are taken from, both included */
		int step;             /* NAT_PORTS_SEQUENTIAL: not 0; negative: downwards */
		unsigned block;       /* NAT_PORTS_BLOCK: ports for each subscriber; else 0 */
		unsigned quota;       /* flows that a subscriber may have; 0: any number */
		bool parity;          /* an even port for an even one, an odd for an odd (REQ-4) */
	} ports;
	struct {
		unsigned count; /* of public addresses, which follow one another; 1 or more */
		bool paired;    /* an inside address keeps to one of them (RFC 4787, REQ-2) */
	} pool;
	enum nat_hairpin hairpin;
	struct nat_timeouts timeouts;
	enum nat_refresh refresh;
	enum nat_rst rst;
	bool drops_icmp_errors; /* false: those about a known flow are translated and get in */
	enum nat_blocked blocked;
	struct nat_forward *forwards; /* heap */
	unsigned forwards_count;
	char *ruleset_file; /* heap; next to the model's file. It takes the place of the rules. */
	/* Heap, both the caller's to fill in once it has read that file: its text, and its path for
	 * error texts. */
	char *ruleset, *ruleset_path;
	unsigned unknown;           /* bits, 1 << enum nat_value: the default stands in for these */
	unsigned given;             /* bits, 1 << enum nat_axis: what the file says something of */
	struct nat_source *sources; /* heap */
	unsigned sources_count;
};

/* Reads one model from YAML. file is used in errors and for the name. On failure e says
 * file:line:col and *ret is untouched. */
int nat_model_parse(const char *file, const char *data, size_t len, struct nat_model *ret,
		    struct err *e);
void nat_model_fini(struct nat_model *m);

/* True if each value that the file gives, and that is not unknown, has a source. */
bool nat_model_is_sourced(const struct nat_model *m);

/* False for a router that neither translates nor filters: it makes no use of conntrack. */
bool nat_model_remembers(const struct nat_model *m);

/* True if ports are taken so for some transport: as they are chosen, or because of a clash. */
bool nat_model_uses_ports(const struct nat_model *m, enum nat_port_choice choose);

/* False if both transports are the same in all that may differ but for unsolicited packets. */
bool nat_model_differs(const struct nat_model *m);

/* The words used in YAML and in all output, for example "endpoint-independent". */
const char *nat_transport_name(enum nat_transport t);
const char *nat_behavior_name(enum nat_behavior b);
const char *nat_port_choice_name(enum nat_port_choice c);
const char *nat_on_clash_name(enum nat_on_clash c);
const char *nat_unsolicited_name(enum nat_unsolicited u);
const char *nat_hairpin_name(enum nat_hairpin h);
const char *nat_refresh_name(enum nat_refresh r);
const char *nat_rst_name(enum nat_rst r);
const char *nat_blocked_name(enum nat_blocked b);
const char *nat_axis_name(enum nat_axis a);

/* What the YAML says after "mapping:", which is "none" for a router that does not translate. */
const char *nat_mapping_name(const struct nat_model *m, enum nat_transport t);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NAT model: what one router does, in the terms of RFC 4787 and RFC 5382, as read from a YAML
 * file in nat_models/. The same struct is what the ruleset is made from, what a classifier's
 * measurement is compared with, and what the oracle computes from.
 */
#ifndef NATSIM_SIM_MODEL_NAT_MODEL_H
#define NATSIM_SIM_MODEL_NAT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define NAT_NAME_SIZE 64

/* Each port of a sequential range is an element of a map that is loaded with the ruleset. */
#define NAT_SEQUENTIAL_PORTS_MAX 4096u
/* Two peers and a few connections each must find room, or nothing can be measured. */
#define NAT_PORTS_MIN            16u

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
};

/* What happens to an unsolicited packet that filtering refuses. */
enum nat_unsolicited {
	NAT_UNSOLICITED_DROP,
	NAT_UNSOLICITED_ICMP, /* ICMP port unreachable */
	NAT_UNSOLICITED_RST,  /* TCP only */
};

struct nat_model {
	char name[NAT_NAME_SIZE]; /* the file's name without directory and .yaml */
	char *about;              /* heap; one line */
	bool translates; /* false: "mapping: none", a router that only routes and filters */
	enum nat_behavior mapping;
	enum nat_behavior filtering;
	struct {
		enum nat_port_choice choose;
		uint16_t first, last; /* the range outside ports are taken from, both included */
	} ports;
	struct {
		enum nat_unsolicited udp, tcp;
	} unsolicited;
	struct {
		uint32_t udp_s, tcp_established_s, tcp_transitory_s;
	} timeouts;
	char **sources; /* heap; where the values come from */
	unsigned sources_count;
};

/* Reads one model from YAML. file is used in errors and for the name. On failure e says
 * file:line:col and *ret is untouched. */
int nat_model_parse(const char *file, const char *data, size_t len, struct nat_model *ret,
		    struct err *e);
void nat_model_fini(struct nat_model *m);

/* The words used in YAML and in all output, for example "endpoint-independent". */
const char *nat_behavior_name(enum nat_behavior b);
const char *nat_port_choice_name(enum nat_port_choice c);
const char *nat_unsolicited_name(enum nat_unsolicited u);
bool nat_behavior_parse(const char *name, enum nat_behavior *ret);

/* What the YAML says after "mapping:", which is "none" for a router that does not translate. */
const char *nat_mapping_name(const struct nat_model *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A NAT model's file as libcyaml reads it. Words are as nat_words.h has them: 0 is a key that is
 * not there. */
#ifndef NATSIM_SIM_MODEL_NAT_MODEL_RAW_H
#define NATSIM_SIM_MODEL_NAT_MODEL_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include <cyaml/cyaml.h>

struct raw_ports {
	int choose, on_clash;
	uint16_t *range; /* two of them, or NULL */
	unsigned range_count;
	int step;
	unsigned block, quota;
	bool parity, overloading;
};

struct raw_pool {
	unsigned addresses;
	int pairing;
};

struct raw_unsolicited {
	int udp, tcp;
};

struct raw_timeouts {
	char *udp, *udp_unreplied, *tcp_established, *tcp_transitory;
};

/* What one transport does otherwise than the file says in general. */
struct raw_transport {
	int mapping, filtering, choose, on_clash;
	bool overloading;
};

struct raw_forward {
	int transport;
	uint16_t port;
	unsigned host;
	uint16_t host_port;
};

struct raw_source {
	int *of;
	unsigned of_count;
	char *text;
};

struct raw_model {
	char *about;
	int mapping, filtering;
	struct raw_ports *ports;
	struct raw_pool *pool;
	struct raw_unsolicited *unsolicited;
	int hairpin;
	struct raw_timeouts *timeouts;
	int refresh, rst, icmp_errors, blocked;
	struct raw_forward *forwards;
	unsigned forwards_count;
	char *ruleset;
	struct raw_transport *udp, *tcp;
	struct raw_source *sources;
	unsigned sources_count;
};

/* Of a struct raw_model. */
extern const struct cyaml_schema_value nat_model_schema;

#endif

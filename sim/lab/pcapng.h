/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes Ethernet frames as pcapng (draft-ietf-opsawg-pcapng), in the machine's byte order. Only
 * whole blocks are written, so a file cut short by SIGKILL still reads up to its last one.
 *
 * A write that fails is remembered, and nothing more is written: the file ends there.
 */
#ifndef NATSIM_SIM_LAB_PCAPNG_H
#define NATSIM_SIM_LAB_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct pcapng {
	int fd;         /* borrowed */
	int failed;     /* 0, or the negative errno of the write that failed */
	struct buf out; /* whole blocks not yet written */
};

/* As in the direction bits of epb_flags. */
enum pcapng_direction { PCAPNG_NO_DIRECTION = 0, PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng_packet {
	uint32_t interface; /* counted from 0 in the order of pcapng_interface */
	enum pcapng_direction direction;
	uint64_t time_ns; /* since 1970 */
	const uint8_t *data;
	size_t len;
	const char *comment; /* or NULL */
};

/* Begins a file. */
void pcapng_init(struct pcapng *p, int fd);
void pcapng_fini(struct pcapng *p); /* what was not flushed is lost */

/* All interfaces come before the first packet. */
void pcapng_interface(struct pcapng *p, const char *name);
void pcapng_packet(struct pcapng *p, const struct pcapng_packet *packet);

/* Writes what is waiting. Returns 0 or the negative errno of the first write that failed. */
int pcapng_flush(struct pcapng *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strategy "predict": the port a sequential router will take next. predict.c knows how. */
#ifndef NATSIM_PEERS_CORE_PREDICT_H
#define NATSIM_PEERS_CORE_PREDICT_H

#include "peers/core/punch.h"

extern const struct strategy predict_strategy;

/* In the order of strategy_config.params. */
enum { PREDICT_SAMPLES, PREDICT_WINDOW };

#define PREDICT_SAMPLES_MAX 8u
#define PREDICT_WINDOW_MAX  32u

/* A request from a socket of its own; the first is the main socket's. */
struct predict_sample {
	bool open, answered;
	struct endpoint mapped;
};

/* What a side says of its router. */
struct predict_note {
	bool known, hard;
	uint16_t next; /* the port that it will take for the peer */
	int16_t step;  /* from one port to the one after; 0: none was found */
};

struct predict {
	struct punch punch;
	struct predict_sample samples[PREDICT_SAMPLES_MAX];
	uint64_t sampled_by_us, repeat_us;
	struct predict_note own, peer;
	bool shot; /* at the peer */
};

/* The step of a router that gave out these ports one after the other, or 0 if there seems to be
 * none; the greatest common divisor of the differences, of which some may be noise. */
int predict_step(const uint16_t *ports, size_t count);

#endif

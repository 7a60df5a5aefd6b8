/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and durations as people write them in a suite. */
#ifndef NATSIM_SIM_EXPERIMENT_SUITE_TEXT_H
#define NATSIM_SIM_EXPERIMENT_SUITE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number without sign or exponent, of which strtod() takes more kinds than a person means
 * to write. Returns what follows it, or NULL. */
const char *suite_take_decimal(const char *text, double *ret);

/* How many microseconds "us", "ms" and "s" are, or 0 for any other word. */
double suite_unit_us(const char *unit);

/* "20ms", "1.5s": at most an hour. */
#define SUITE_DURATION_MAX_US 3600e6
bool suite_parse_duration(const char *text, uint64_t *ret_us);

#endif

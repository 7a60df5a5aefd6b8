/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and durations as people write them in a suite. */
#ifndef NATSIM_SIM_EXPERIMENT_SUITE_TEXT_H
#define NATSIM_SIM_EXPERIMENT_SUITE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number without sign or exponent, of which strtod() takes more kinds than a person means
 * to write. Returns what follows it, or NULL. */
const char *suite_take_decimal(const char *text, double *ret);

/* How many microseconds the number's unit is: "us", "ms" or "s", and 0 needs none. 0 for any other
 * word. */
double suite_unit_us(double number, const char *unit);

/* Returns false unless it is a whole number, of at most SUITE_DURATION_MAX_US. */
bool suite_round_us(double us, uint64_t *ret_us);

/* "20ms", "1.5s", "0": whole microseconds, at most an hour. */
#define SUITE_DURATION_MAX_US 3600e6
bool suite_parse_duration(const char *text, uint64_t *ret_us);

#endif

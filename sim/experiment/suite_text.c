// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/suite_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *suite_take_decimal(const char *text, double *ret)
{
	size_t len = strspn(text, "0123456789.");
	char *end;

	if (len == 0)
		return NULL;
	*ret = strtod(text, &end);
	return end == text + len ? end : NULL;
}

double suite_unit_us(double number, const char *unit)
{
	if (strcmp(unit, "us") == 0 || (*unit == '\0' && number == 0))
		return 1;
	if (strcmp(unit, "ms") == 0)
		return 1e3;
	return strcmp(unit, "s") == 0 ? 1e6 : 0;
}

/* 1.1ms is not quite 1100us, as binary fractions go. */
#define WHOLE_ENOUGH_US 1e-5

bool suite_round_us(double us, uint64_t *ret_us)
{
	double whole = floor(us + 0.5);

	if (!(fabs(us - whole) <= WHOLE_ENOUGH_US))
		return false;
	*ret_us = (uint64_t)whole;
	return true;
}

bool suite_parse_duration(const char *text, uint64_t *ret_us)
{
	double number = 0;
	const char *unit = suite_take_decimal(text, &number);
	double scale = unit == NULL ? 0 : suite_unit_us(number, unit);

	return scale != 0 && number * scale <= SUITE_DURATION_MAX_US &&
	       suite_round_us(number * scale, ret_us);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to write for whoever reads it. Colour, where there is someone to see it: on a terminal,
 * unless NO_COLOR is set (no-color.org) or TERM is "dumb". Characters beyond ASCII, where the
 * locale's are UTF-8. */
#ifndef NATSIM_SIM_REPORT_STYLE_H
#define NATSIM_SIM_REPORT_STYLE_H

#include <stdbool.h>

struct style {
	bool terminal; /* one that understands escape sequences */
	/* Escape sequences, or empty strings. */
	const char *good, *bad, *dim, *bold, *reset;
	bool utf8;
};

struct style style_for(int fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What natsim observed of routers beyond their classification, and conformance cards. */
#ifndef NATSIM_SIM_REPORT_CARD_H
#define NATSIM_SIM_REPORT_CARD_H

#include <jansson.h>

#include "lib/buf.h"
#include "sim/experiment/conformance.h"

/* A sentence for each aspect that differs from the model, and one for those that were not observed.
 * Returns whether all were observed as declared. name is the model's as it was given. */
bool card_print_differences(const char *name, const struct nat_model *m,
			    const struct observations *seen, struct buf *out);

/* The conformance card of one router. */
void card_print(const struct nat_model *m, const struct measurement measured[static 2],
		const struct observations *seen, struct buf *out);

/* The caller owns them. Of what was not observed "as_declared" is null. */
json_t *card_aspects_to_json(const struct nat_model *m, const struct observations *seen);
json_t *card_to_json(const struct nat_model *m, const struct measurement measured[static 2],
		     const struct observations *seen);

#endif

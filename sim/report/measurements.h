/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was measured of routers, declared against measured. */
#ifndef NATSIM_SIM_REPORT_MEASUREMENTS_H
#define NATSIM_SIM_REPORT_MEASUREMENTS_H

#include "lib/buf.h"
#include "sim/experiment/measure.h"

/* A table, a line for each measurement, and behind it a line for each difference. names are the
 * models' as they were given, names or paths. */
void measurements_print(const struct measurement *m, size_t count, const char *const *names,
			struct buf *out);

/* One sentence for each way in which a measurement differs from its model. */
void measurements_print_differences(const struct measurement *m, size_t count,
				    const char *const *names, struct buf *out);

/* One array, with the observations if there are any and, if wanted, the conformance card of each
 * model. */
void measurements_to_json(const struct measurements *m, const struct nat_model *models,
			  size_t count, bool card, struct buf *out);

#endif

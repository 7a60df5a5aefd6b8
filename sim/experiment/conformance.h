/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the measurements of a router mean: as what it shows itself against what its model declares,
 * and for the requirements of RFC 4787 (UDP) and RFC 5382 (TCP). Pure.
 */
#ifndef NATSIM_SIM_EXPERIMENT_CONFORMANCE_H
#define NATSIM_SIM_EXPERIMENT_CONFORMANCE_H

#include "sim/experiment/measure.h"

/* One thing that was observed, in words. What was not observed neither agrees nor differs. */
enum agreement { ASPECT_AGREES, ASPECT_DIFFERS, ASPECT_NOT_OBSERVED };

struct aspect {
	const char *name; /* "udp lifetime" */
	char declared[48], observed[48];
	enum agreement agreement;
};
#define ASPECTS_MAX 20u

/* Those that can be observed of such a router: nothing of a transport that it blocks. Returns their
 * number. */
size_t conformance_aspects(const struct nat_model *m, const struct observations *seen,
			   struct aspect ret[static ASPECTS_MAX]);

enum conformance {
	CONFORMANCE_MET,
	CONFORMANCE_NOT_MET,
	CONFORMANCE_NOT_APPLICABLE,
	CONFORMANCE_NOT_MEASURED
};

struct requirement {
	const char *rfc;   /* "RFC 4787" */
	const char *id;    /* "REQ-5c" */
	const char *level; /* "MUST", "MUST NOT", "REC" or "MAY" */
	const char *text;
	enum conformance result;
	char detail[128]; /* the figure behind it, or why there is none */
};
#define REQUIREMENTS_MAX 48u

/* All there are, in the RFCs' order. measured: over UDP and over TCP. Returns their number. */
size_t conformance_card(const struct nat_model *m, const struct measurement measured[static 2],
			const struct observations *seen,
			struct requirement ret[static REQUIREMENTS_MAX]);

/* True where two hosts with one source port meet on an outside port if ports are shared, and not by
 * chance only: it is preserved. */
bool conformance_sees_sharing(const struct nat_model *m, enum nat_transport t);

const char *conformance_name(enum conformance c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a NAT model no rule can say: how conntrack is set, which keeps the flows of a router. */
#ifndef NATSIM_SIM_MODEL_NAT_SYSCTLS_H
#define NATSIM_SIM_MODEL_NAT_SYSCTLS_H

#include <stddef.h>

#include "sim/model/nat_model.h"

struct nat_sysctl {
	const char *name; /* below /proc/sys/net/netfilter */
	unsigned value;
};

#define NAT_SYSCTLS_MAX 13u

/* Returns how many there are: none for a router that makes no use of conntrack. They can be set
 * once its rules are loaded, which loads conntrack. */
size_t nat_sysctls(const struct nat_model *m, struct nat_sysctl ret[static NAT_SYSCTLS_MAX]);

#endif

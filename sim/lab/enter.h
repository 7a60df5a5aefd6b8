/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How natsim gets out of the host's way: it goes on as process 1 of a new PID namespace, in new
 * mount and network namespaces and, when it is not privileged, in a new user namespace in which it
 * is root. When that process ends, for whatever reason, the kernel ends everything in it.
 */
#ifndef NATSIM_SIM_LAB_ENTER_H
#define NATSIM_SIM_LAB_ENTER_H

#include "lib/err.h"

/*
 * Forks. The child is process 1 of the new namespaces, with /proc of its own where the kernel
 * allows it, no mount shared with the host, loopback up, and dies when the caller dies at any
 * moment; there it returns 0, with the signal mask and handlers the caller had.
 *
 * The calling process never returns from a success: it waits for the child and ends as the child
 * did, with the same status or of the same signal, without running exit handlers. SIGINT, SIGTERM,
 * SIGHUP and SIGQUIT are passed on, unless the caller ignored them or they came from the terminal,
 * which has sent them to the child as well. The child must handle them: to process 1 the kernel
 * delivers no signal that has its default action. A second SIGINT or SIGTERM, 0.1 s or more after
 * the first, ends the child at once.
 *
 * On failure returns a negative errno in the caller, with e saying what is missing and what to do
 * about it (a sysctl to set, sudo). The caller may then be in some of the new namespaces already.
 */
int enter_namespaces(struct err *e);

/*
 * Proves in a scratch network namespace that the lab's needs are met: libnftables reads our syntax
 * (else: which version is needed), the kernel has nft NAT, conntrack, veth and packet sockets
 * (else: which module or option), and /proc/sys can be written. Call after enter_namespaces.
 */
int enter_check_machine(struct err *e);

#endif
